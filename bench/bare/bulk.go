package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"
)

const bulkGroup = 1_024 // rows of one transaction

// bulk inserts so many fresh documents of a size, so many in one INSERT, and
// returns how long it took. It is the floor for catching up: no network, no
// version, one process.
func bulk(ctx context.Context, s *store, rows, each, size int) (time.Duration, error) {
	text := "INSERT INTO docs (c, id, body) VALUES (?, ?, ?)" + strings.Repeat(", (?, ?, ?)", each-1)
	insert, err := s.conn.PrepareContext(ctx, text) //nolint:sqlclosecheck // closed below, which the check does not see for a variable that a closure uses
	if err != nil {
		return 0, err
	}
	defer insert.Close()
	body := bytes.Repeat([]byte("x"), size)
	start := time.Now()
	for done := 0; done < rows; done += bulkGroup {
		err := s.inTransaction(ctx, func() error {
			for row := done; row < min(done+bulkGroup, rows); row += each {
				args := make([]any, 0, 3*each)
				for n := range each {
					args = append(args, "bench", fmt.Sprintf("d%09d", row+n), body)
				}
				if _, err := insert.ExecContext(ctx, args...); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	return time.Since(start), nil
}
