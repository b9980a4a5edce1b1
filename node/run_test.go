package node_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/syncline/syncline/node"
)

// "One writer goroutine gathers waiting requests into one transaction with one
// fsync, then answers them all" (DESIGN 3): what queues during a commit is one
// batch, which asks for the vote once.
func TestGroupCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		first := make(chan struct{})
		r.guard.after = func() {
			<-first // the first commit is under way until all others have queued
			r.guard.after = nil
		}
		stop := r.start()
		const writers = 50
		var wg sync.WaitGroup
		for i := range writers {
			wg.Go(func() {
				out, err := r.Write(t.Context(), put(fmt.Sprint("id", i), `{}`))
				if err != nil || out.Dot.IsZero() {
					t.Errorf("writer %d: %v", i, err)
				}
			})
			synctest.Wait()
		}
		before := r.guard.begins.Load()
		close(first)
		wg.Wait()
		if got := r.guard.begins.Load() - before; got != 1 {
			t.Errorf("%d commits for what had queued", got)
		}
		if got := r.Frontier().Get(r.Actor()); got != writers {
			t.Errorf("%d sequences for %d writes", got, writers)
		}
		if err := stop(); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// "Group commit takes what has queued", up to the limits of a transaction.
func TestGroupCommitLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		first := make(chan struct{})
		r.guard.after = func() { <-first; r.guard.after = nil }
		r.start()
		var wg sync.WaitGroup
		const each, batches = 1 << 20, 3
		for i := range batches * node.MaxBatchBytes / each {
			wg.Go(func() {
				if _, err := r.Write(t.Context(), put(fmt.Sprint("id", i), body(each))); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		before := r.guard.begins.Load()
		close(first)
		wg.Wait()
		if got := r.guard.begins.Load() - before; got != batches {
			t.Errorf("%d commits for %d times the bytes of one", got, batches)
		}
	})
}

// "SIGTERM drains (answers 503 to new writes …)" (API): a peer's changes still
// come in.
func TestDrain(t *testing.T) {
	r := newRig(t)
	r.start()
	r.Drain()
	_, err := r.Write(t.Context(), put("alice", `{}`))
	r.fails(err, node.Draining)
	if _, err := r.Apply(t.Context(), node.Apply{Sender: actorB, Close: &node.Closing{Frontier: vector("b~bbbbbbbb:1")}}); err != nil {
		t.Fatal(err)
	}
	r.at("b~bbbbbbbb:1")
}

// "Every goroutine ends with its context" (HOUSE): nobody waits for a writer
// that has ended, and what is answered is that nothing was applied.
func TestNobodyWaitsForAnEndedWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, withOthers("b"), func(c *node.Config) { c.Found = true })
		unheard := newRig(t, withOthers("b"))
		for _, r := range []*rig{r, unheard} {
			if err := r.start()(); !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
		}
		ctx := context.Background()
		_, err := r.Write(ctx, put("alice", `{}`))
		r.fails(err, node.Draining)
		_, err = r.Apply(ctx, node.Apply{Sender: actorB})
		r.fails(err, node.Draining)
		r.fails(unheard.PeerStanding(ctx, "b", node.StandingNew), node.Draining)
	})
}

// The race between a write that passed the first check and a writer that ends:
// the write waits for its session while the process stops.
func TestWriterEndsWhileAWriteWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		stop := r.start()
		errs := make(chan error)
		go func() {
			w := put("alice", `{}`)
			w.Session = contextOf("b~bbbbbbbb:1")
			_, err := r.Write(context.Background(), w)
			errs <- err
		}()
		synctest.Wait()
		if _, err := r.Apply(t.Context(), node.Apply{Sender: actorB, Versions: nil}); err != nil {
			t.Fatal(err)
		}
		_ = stop()
		// The session comes true after the writer has ended, as its last commit might do.
		r.takeClosed("b~bbbbbbbb:1")
		r.fails(<-errs, node.Draining)
	})
}

// "A node that sees more of its own actor elsewhere than it has itself stops
// with a clear message" (issue 3): the writer ends, and with it the process.
func TestFailureEndsTheWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		stop := r.start()
		if err := r.OwnActorSeen("b", 7); node.KindOf(err) != node.OwnActorAhead {
			t.Fatal(err)
		}
		synctest.Wait()
		r.fails(stop(), node.OwnActorAhead)
		_, err := r.Write(context.Background(), put("alice", `{}`))
		r.fails(err, node.Draining) // this one was not begun
		_, err = r.Apply(context.Background(), node.Apply{Sender: actorB})
		r.fails(err, node.OwnActorAhead)
	})
}

// A store that fails ends the writer, and whoever waits is told.
func TestStoreErrorEndsTheWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		first := make(chan struct{})
		r.guard.after = func() { <-first; r.guard.after = nil }
		stop := r.start()
		errs := make(chan error)
		for i := range 3 {
			go func() {
				_, err := r.Write(context.Background(), put(fmt.Sprint("id", i), `{}`))
				errs <- err
			}()
			synctest.Wait()
		}
		r.store.FailNext(errors.New("write: input/output error"), false)
		close(first)
		kinds := map[node.Kind]int{}
		for range 3 {
			if err := <-errs; err != nil {
				kinds[node.KindOf(err)]++
			}
		}
		if kinds[node.Unknown] != 2 {
			t.Fatalf("%v", kinds)
		}
		synctest.Wait()
		r.fails(stop(), node.Unknown)
	})
}

// A context that ends while the request queues: nothing was applied. While the
// commit is under way: nobody knows (API: a 504 without our code is unknown).
func TestImpatientWriters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		free := make(chan struct{})
		r.guard.after = func() { <-free }
		r.start()
		errs := make(chan error)
		write := func(id string) {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			_, err := r.Write(ctx, put(id, `{}`))
			errs <- err
		}
		go write("alice")
		r.fails(<-errs, node.Unknown)
		for i := range node.MaxQueue {
			go func() {
				_, err := r.Write(context.Background(), put(fmt.Sprint("id", i%10), `{}`))
				errs <- err
			}()
		}
		synctest.Wait()
		go write("zoe")
		e := r.failure(<-errs, node.Busy)
		if e.Error() == "" {
			t.Fatal("no words")
		}
		close(free)
		for range node.MaxQueue {
			if err := <-errs; err != nil {
				t.Fatal(err)
			}
		}
		r.shows("zoe", "", 0)
		r.shows("alice", `{}`, 1)
	})
}
