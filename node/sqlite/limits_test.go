package sqlite

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncline/syncline/node"
)

// deadline bounds the polling of a condition.
const deadline = 20 * time.Second

// eventually polls a condition.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("not within %v: %s", deadline, what)
		}
	}
}

// "Long catch-ups (views held for seconds) do not starve" reads of one document.
func TestViewsLeaveReadersForReads(t *testing.T) {
	s := open(t, Config{Dir: t.TempDir(), Readers: MinReaders})
	fill(t, s, 1, 1, 10)
	held, err := s.View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := s.View(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a view too many: %v, want that it waits until its context ends", err)
	}
	if r, err := s.Read(t.Context(), keyOf(1)); err != nil || len(r.Live) != 1 {
		t.Fatalf("Read beside the views: %v, %v", r, err)
	}

	waiting := make(chan error)
	go func() {
		v, err := s.View(t.Context())
		if err == nil {
			err = v.Close()
		}
		waiting <- err
	}()
	if err := held.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-waiting; err != nil {
		t.Fatal(err)
	}
}

// A view ends with its Close, which may come twice.
func TestClosedView(t *testing.T) {
	s := open(t, Config{Dir: t.TempDir()})
	v, err := s.View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := v.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := v.Actors(); err == nil {
		t.Fatal("a closed view still answers")
	}
}

// Close waits for a view that is open.
func TestCloseWaitsForViews(t *testing.T) {
	s := open(t, Config{Dir: t.TempDir()})
	v, err := s.View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	closed := make(chan error)
	go func() { closed <- s.Close() }()
	eventually(t, "the store takes no more questions", func() bool {
		_, err := s.Read(t.Context(), keyOf(1))
		return errors.Is(err, errClosed)
	})
	for range 2000 {
		select {
		case err := <-closed:
			t.Fatalf("Close did not wait for the view: %v", err)
		default:
		}
		if _, err := v.Actors(); err != nil {
			t.Fatalf("the view ended under its holder: %v", err)
		}
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
}

// Pages of log at which the tests below begin to move it.
const testLogPages = 200

// logPages is how long the log is.
func logPages(t *testing.T, s *Store) int64 {
	t.Helper()
	sizes, err := s.Sizes()
	if err != nil {
		t.Fatal(err)
	}
	return sizes.Log / pageSize
}

// writePages commits about so many pages, one at a time, and returns how long
// the log was at most.
func writePages(t *testing.T, s *Store, from, pages int) (longest int64) {
	t.Helper()
	for i := from; i < from+pages; i++ {
		fill(t, s, i, i, pageSize)
		longest = max(longest, logPages(t, s))
	}
	return longest
}

// "Bound the WAL, show it" (HOUSE): also when nobody runs Run.
func TestLogIsBounded(t *testing.T) {
	s := open(t, Config{Dir: t.TempDir(), logPages: testLogPages})
	const slack = 2 * testLogPages // frames have headers, and the last commit is whole
	if longest := writePages(t, s, 1, 10*testLogPages); longest > logStretch*testLogPages+slack {
		t.Fatalf("the log grew to %d pages, want at most about %d", longest, logStretch*testLogPages)
	}
	holds(t, s, 10*testLogPages)
}

// A view holds the log: "the file cannot be compacted past it". It begins anew
// when the view is closed.
func TestHeldViewHoldsTheLog(t *testing.T) {
	s := open(t, Config{Dir: t.TempDir(), logPages: testLogPages})
	v, err := s.View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	writePages(t, s, 1, 3*testLogPages)
	grown := writePages(t, s, 3*testLogPages+1, 3*testLogPages)
	if grown < (logStretch+1)*testLogPages {
		t.Fatalf("the log has %d pages: it was moved past the view, or the test writes too little", grown)
	}
	if actors, err := v.Actors(); err != nil || len(actors) != 0 {
		t.Fatalf("the view changed: %v, %v", actors, err)
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	writePages(t, s, 6*testLogPages+1, 3*testLogPages)
	holds(t, s, 9*testLogPages)
	inLog := int64(0)
	if err := s.w.walPages.query(func(v values) (bool, error) { inLog = v.int(1); return false, nil }); err != nil {
		t.Fatal(err)
	}
	if inLog > (logStretch+1)*testLogPages {
		t.Fatalf("the log still has %d pages after the view was closed", inLog)
	}
}

// Run keeps the log short beside the writer, and ends with its context.
func TestRunKeepsTheLogShort(t *testing.T) {
	s := open(t, Config{Dir: t.TempDir(), logPages: testLogPages})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	next := 1
	eventually(t, "a checkpoint lets the log begin anew", func() bool {
		writePages(t, s, next, 1)
		next++
		inLog := int64(-1)
		s.writing.Lock()
		defer s.writing.Unlock()
		err := s.w.walPages.query(func(v values) (bool, error) { inLog = v.int(1); return false, nil })
		if err != nil {
			t.Fatal(err)
		}
		return next > 2*testLogPages && inLog < testLogPages
	})
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatalf("Run ended with %v", err)
	}
	holds(t, s, next-1)
}

// "List … must use the index": no statement walks a table that grows with the
// data, and none sorts.
func TestPlans(t *testing.T) {
	s := open(t, Config{Dir: t.TempDir()})
	r := &reader{}
	texts := slices.Concat(slices.Collect(maps.Values(r.statements())), slices.Collect(maps.Values((&writer{}).statements())))
	looked := 0
	for _, text := range texts {
		if !strings.Contains(text, "versions") && !strings.Contains(text, "conflicted") {
			continue
		}
		err := s.w.ask("EXPLAIN QUERY PLAN "+strings.ReplaceAll(text, "?", "1"), func(v values) error {
			looked++
			step := v.text(3)
			for _, bad := range []string{"SCAN v", "SCAN c", "TEMP B-TREE", "AUTOMATIC"} {
				if strings.Contains(step, bad) {
					t.Errorf("%s\n%s", text, step)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if looked < 10 {
		t.Fatalf("only %d steps of plans were seen", looked)
	}
}

// "WAL, synchronous=FULL by default … a pool of read-only connections"
// (DESIGN 3): what the DSN says has arrived.
func TestPragmas(t *testing.T) {
	for full, sync := range map[bool]int64{true: 2, false: 1} {
		s := open(t, Config{Dir: t.TempDir(), Full: full})
		for _, c := range []*conn{s.w.conn, s.tender} {
			for text, want := range map[string]int64{
				"PRAGMA synchronous": sync, "PRAGMA wal_autocheckpoint": 0, "PRAGMA journal_size_limit": walKeep, "PRAGMA page_size": pageSize, "PRAGMA busy_timeout": busyMillis,
			} {
				if got, err := c.askInt(text); err != nil || got != want {
					t.Errorf("%s is %d, %v, want %d", text, got, err, want)
				}
			}
		}
		r, err := s.pool.take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := r.script(t.Context(), "DELETE FROM meta"); err == nil {
			t.Error("a reader can write")
		}
		s.pool.put(r)
	}
}

// "DiskFull: nothing was applied", and the store stays usable.
func TestDiskFull(t *testing.T) {
	s := open(t, Config{Dir: t.TempDir(), Full: true})
	fill(t, s, 1, 10, 100)
	if _, err := s.w.askInt("PRAGMA max_page_count = 30"); err != nil {
		t.Fatal(err)
	}
	err := s.Update(t.Context(), func(tx node.Tx) error {
		for i := 11; i < 100; i++ {
			if err := tx.Write(versionOf(keyOf(i), i, pageSize), nil); err != nil {
				return err
			}
		}
		return nil
	})
	if node.KindOf(err) != node.DiskFull {
		t.Fatalf("a full disk: %v of kind %s", err, node.KindOf(err))
	}
	holds(t, s, 10)
	if _, err := s.w.askInt("PRAGMA max_page_count = 1000000"); err != nil {
		t.Fatal(err)
	}
	fill(t, s, 11, 100, pageSize)
	holds(t, s, 100)
}
