package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"
)

// DESIGN section 12: "Below the low-water mark of free disk a node turns
// read-only and stops wanting votes; it recovers by itself."
func TestDiskLow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		var free atomic.Uint64
		var gone atomic.Bool
		free.Store(enough)
		broken := errors.New("the disk has gone")
		d := &diskWatch{dir: "x", log: newLogger(&log, hclog.Info), free: func(string) (uint64, error) {
			if gone.Load() {
				return 0, broken
			}
			return free.Load(), nil
		}}
		ended := make(chan error, 1)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() { ended <- d.run(ctx) }()
		for _, step := range []struct {
			free uint64
			low  bool
		}{{lowWater, false}, {lowWater - 1, true}, {lowWater, true}, {enough - 1, true}, {enough, false}, {0, true}} {
			free.Store(step.free)
			time.Sleep(diskEvery) // simulated
			synctest.Wait()
			if s := d.status(); s.Low != step.low || s.FreeBytes != step.free {
				t.Errorf("with %d bytes free: %+v", step.free, s)
			}
		}
		if n := strings.Count(log.String(), "\n"); n != 3 {
			t.Errorf("want a line for each change, got %d:\n%s", n, &log)
		}
		gone.Store(true)
		if err := <-ended; !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
	})
}

func TestFreeBytes(t *testing.T) {
	if n, err := freeBytes(t.TempDir()); err != nil || n == 0 {
		t.Errorf("%d %v", n, err)
	}
	if _, err := newDiskWatch("/no/such/folder", hclog.NewNullLogger()); err == nil || !strings.Contains(err.Error(), "/no/such/folder") {
		t.Errorf("%v", err)
	}
}
