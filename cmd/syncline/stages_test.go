package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// diary notes in which order actors start and stop.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) note(line string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, line)
}

// loop is an actor that runs to the end of its context and needs a moment to
// stop.
func (d *diary) loop(name string) actor {
	return actor{name, func(ctx context.Context) error {
		d.note("+" + name)
		<-ctx.Done()
		time.Sleep(time.Second) // simulated
		d.note("-" + name)
		return ctx.Err()
	}}
}

// HOUSE.md, habit 11: "Every goroutine is started by one group and stops with
// its context"; API.md: "SIGTERM drains": the later stages stop first, and what
// they need is still there.
func TestStagesStopInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Minute, cancel)
		if err := runStages(ctx, stage{d.loop("store")}, stage{d.loop("writer")}, stage{d.loop("api")}); err != nil {
			t.Error(err)
		}
		stops := slices.DeleteFunc(d.lines, func(s string) bool { return s[0] == '+' })
		if got := strings.Join(stops, " "); got != "-api -writer -store" {
			t.Errorf("stopped in the order %s", got)
		}
	})
}

// The end of any actor ends the process, with the reason.
func TestStagesFail(t *testing.T) {
	broken := errors.New("the disk is broken")
	for _, test := range []struct {
		name string
		run  func(context.Context) error
		want string
	}{
		{"fails", func(context.Context) error { return broken }, "the disk is broken"},
		{"ends", func(context.Context) error { return nil }, "odd ended by itself"},
		{"canceled by somebody else", func(context.Context) error { return context.Canceled }, "context canceled"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var d diary
				err := runStages(t.Context(), stage{d.loop("store"), {"odd", test.run}}, stage{d.loop("api")})
				if err == nil || err.Error() != test.want {
					t.Errorf("got %v, want %s", err, test.want)
				}
				if n := len(d.lines); n%2 != 0 || n > 4 {
					t.Errorf("not all who started have stopped: %v", d.lines)
				}
			})
		})
	}
}

// A failure while stopping is not hidden by the signal that asked for the stop.
func TestStagesFailWhileStopping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Minute, cancel)
		err := runStages(ctx, stage{{"store", func(ctx context.Context) error {
			<-ctx.Done()
			return errors.New("the last checkpoint failed")
		}}})
		if err == nil || err.Error() != "the last checkpoint failed" {
			t.Errorf("got %v", err)
		}
	})
}
