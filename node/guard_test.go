package node_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
)

var errNoMajority = &node.Error{
	Op: "write", Kind: node.ReadOnly, ReadOnly: &node.ReadOnlyState{Cause: node.NoMajority},
	Err: errors.New("b has 1 of 3 votes"),
}

// "Refuse before the writer's queue" (HOUSE); "503 read_only: nothing was
// applied" (API): no writer runs here, and the answer comes all the same.
func TestRefusedBeforeTheQueue(t *testing.T) {
	r := newRig(t)
	r.guard.begin = errNoMajority
	_, err := r.Write(t.Context(), put("alice", `{}`))
	if e := r.failure(err, node.ReadOnly); e.ReadOnly.Cause != node.NoMajority {
		t.Fatalf("%+v", e.ReadOnly)
	}
	_, err = r.WriteAll(t.Context(), []node.Write{put("alice", `{}`), put("bob", `{}`)}, true)
	r.fails(err, node.ReadOnly)
	r.at("")
}

// "A commit begins only while the lease has more than the guard left" (DESIGN
// 6): what has queued while the vote was there is refused when it is gone, and
// what a peer sent is applied all the same.
func TestRefusedAtTheCommit(t *testing.T) {
	r := newRig(t)
	w := node.NewWrites([]node.Write{put("alice", `{}`)}, false)
	atomic := node.NewWrites([]node.Write{put("carol", `{}`), put("dave", `{}`)}, true)
	peer := node.NewApply(node.Apply{Sender: actorB, Versions: []*conflict.Version{row("bob", dot(actorB, 1), "")}})
	r.guard.begin = errNoMajority
	r.commit(w, peer, atomic)
	r.fails(w.Outcomes()[0].Err, node.ReadOnly)
	for _, o := range atomic.Outcomes() {
		r.fails(o.Err, node.ReadOnly)
	}
	if a, err := peer.Applied(); err != nil || a.New != 1 {
		t.Fatalf("%+v, %v", a, err)
	}
	r.guard.begin = nil
	if got := r.write(put("alice", `{}`)).Dot.Seq; got != 1 {
		t.Fatalf("the refused write took a sequence: %d", got)
	}
}

// "It is checked again before the answer; one that outlived its lease is
// answered 504 lease_lost, its version stays and meets the others as a sibling"
// (DESIGN 6; PROTOCOL X5).
func TestLeaseLost(t *testing.T) {
	r := newRig(t)
	refused := put("bob", `{}`)
	refused.IfMatch = []string{"*"}
	r.guard.held = false
	durable := false
	r.guard.after = func() { durable = len(r.get("alice").Live) == 1 && r.Frontier().Len() == 1 }
	w := node.NewWrites([]node.Write{put("alice", `{"n":1}`), refused}, false)
	peer := node.NewApply(node.Apply{Sender: actorB, Versions: []*conflict.Version{row("carol", dot(actorB, 1), "")}})
	r.commit(w, peer)
	if !durable {
		t.Fatal("the lease was checked before the write was durable and visible")
	}
	e := r.failure(w.Outcomes()[0].Err, node.LeaseLost)
	if e.Dot != "a~00000001:1" || w.Outcomes()[0].Written.Dot.String() != e.Dot {
		t.Fatalf("the answer does not name the version: %+v", e)
	}
	r.fails(w.Outcomes()[1].Err, node.Precondition)
	if _, err := peer.Applied(); err != nil {
		t.Fatalf("a peer's rows need no lease: %v", err)
	}
	r.shows("alice", `{"n":1}`, 1)
	r.at("a~00000001:1")
}

// A lease that ended during a commit and came back does not cover the commit:
// others may have written between.
func TestLeaseThatCameBack(t *testing.T) {
	r := newRig(t)
	r.guard.term.Store(3)
	r.write(put("alice", `{"n":1}`))
	r.guard.after = func() { r.guard.term.Add(1) }
	_, err := r.try(put("alice", `{"n":2}`))
	r.fails(err, node.LeaseLost)
	r.guard.after = nil
	r.write(put("alice", `{"n":3}`))
	r.shows("alice", `{"n":3}`, 1)
}

// A batch without local writes asks nobody.
func TestApplyAsksNoVote(t *testing.T) {
	r := newRig(t)
	r.guard.begin, r.guard.held = errNoMajority, false
	r.takeClosed("b~bbbbbbbb:1", row("bob", dot(actorB, 1), ""))
	if r.guard.begins.Load() != 0 {
		t.Fatalf("the guard was asked %d times", r.guard.begins.Load())
	}
}

// One node alone needs nobody's vote.
func TestAlone(t *testing.T) {
	r := newRig(t, func(c *node.Config) { c.Guard = node.Alone{} })
	r.write(put("alice", `{}`))
}

// "An I/O or fsync error on commit ends the process: the answer is unknown …;
// an fsync is never retried" (DESIGN 12).
func TestStoreErrorIsFatal(t *testing.T) {
	for _, kept := range []bool{false, true} {
		r := newRig(t)
		r.write(put("alice", `{"n":1}`))
		r.store.FailNext(errors.New("fsync: input/output error"), kept)
		w := node.NewWrites([]node.Write{put("alice", `{"n":2}`)}, false)
		peer := node.NewApply(node.Apply{Sender: actorB, Versions: []*conflict.Version{row("bob", dot(actorB, 1), "")}})
		err := r.Commit(t.Context(), []*node.Request{w, peer})
		r.fails(err, node.Unknown)
		r.fails(w.Outcomes()[0].Err, node.Unknown)
		_, err = peer.Applied()
		r.fails(err, node.Unknown)
		r.at("a~00000001:1") // what nobody knows is not shown as durable
		for range 2 {
			_, err := r.Write(t.Context(), put("carol", `{}`))
			if e := r.failure(err, node.Draining); !strings.Contains(e.Error(), "input/output error") {
				t.Errorf("%q does not say why", e)
			}
			_, err = r.Apply(t.Context(), node.Apply{Sender: actorB})
			r.fails(err, node.Unknown)
		}
		if r.count(node.EventFailed) != 1 {
			t.Fatalf("events %v", r.events)
		}
		r.ok(r.Close(t.Context()))
		r.reopen(r.store.Reopen(0))
		if kept {
			r.shows("alice", `{"n":2}`, 1)
			r.at("a~00000001:2")
		} else {
			r.shows("alice", `{"n":1}`, 1)
			r.at("a~00000001:1")
		}
		if m := r.Meta(); m.Starts != 2 {
			t.Fatalf("%+v", m)
		}
	}
}

// A store that failed is not closed as in good order: below FULL the next life
// has another actor.
func TestFailedStoreIsNotClean(t *testing.T) {
	r := newRig(t, func(c *node.Config) { c.Full = false })
	first := r.Actor()
	r.Fail(errors.New("somebody pulled the plug"))
	r.ok(r.Close(t.Context()))
	r.reopen(r.store.Reopen(0))
	if r.Actor() == first {
		t.Fatal("the same actor goes on after a failure below FULL")
	}
}

// "507: disk full: nothing was applied" (API): the engine goes on, and takes no
// sequence for it.
func TestDiskFull(t *testing.T) {
	r := newRig(t)
	r.write(put("alice", `{"n":1}`))
	r.store.FailNext(&node.Error{Op: "commit", Kind: node.DiskFull, Err: errors.New("the disk is full")}, false)
	w := node.NewWrites([]node.Write{put("alice", `{"n":2}`), put("bob", `{}`)}, false)
	peer := node.NewApply(node.Apply{Sender: actorB, Versions: []*conflict.Version{row("carol", dot(actorB, 1), "")}})
	if r.rang(func() { r.commit(w, peer) }) {
		t.Fatal("the bell rang for nothing")
	}
	for _, o := range w.Outcomes() {
		r.fails(o.Err, node.DiskFull)
	}
	_, err := peer.Applied()
	r.fails(err, node.DiskFull)
	r.at("a~00000001:1")
	r.shows("alice", `{"n":1}`, 1)
	r.shows("carol", "", 0)
	if err := r.OwnActorSeen("b", 2); node.KindOf(err) != node.OwnActorAhead {
		t.Fatalf("a sequence that was never committed counts as assigned: %v", err)
	}
	r = newRig(t)
	r.store.FailNext(&node.Error{Op: "commit", Kind: node.DiskFull}, false)
	r.commit(node.NewWrites([]node.Write{put("alice", `{}`)}, false))
	if got := r.write(put("alice", `{}`)).Dot.Seq; got != 1 {
		t.Fatalf("the next sequence is %d", got)
	}
}
