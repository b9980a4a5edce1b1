package node_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/syncline/syncline/node"
)

func withOthers(names ...string) func(*node.Config) {
	return func(c *node.Config) { c.Others = names }
}

// hear tells a node what another says of itself.
func (r *rig) hear(name string, s node.Standing) {
	r.Helper()
	if q := r.NextStanding(name, s); q != nil {
		r.commit(q)
	}
}

func (r *rig) stands(want node.Standing) {
	r.Helper()
	if r.Standing() != want || r.Meta().Standing != want {
		r.Fatalf("the standing is %s (file: %s), want %s", r.Standing(), r.Meta().Standing, want)
	}
	_, err := r.try(put("probe", `{}`))
	if want == node.StandingGood {
		r.ok(err)
		return
	}
	r.fails(err, node.ReadOnly)
}

// "A new node becomes good when … every other data node of the roster says new
// (a single data node: at once)"; "serve --found founds a cluster without an
// absent one" (PROTOCOL, Standing).
func TestNewNodeBecomesGood(t *testing.T) {
	newRig(t).stands(node.StandingGood)
	newRig(t, withOthers("b"), func(c *node.Config) { c.Found = true }).stands(node.StandingGood)

	r := newRig(t, withOthers("b", "c"))
	r.stands(node.StandingNew)
	r.hear("b", node.StandingNew)
	r.stands(node.StandingNew)
	r.hear("stranger", node.StandingNew)
	r.hear("w", node.StandingGood)
	r.stands(node.StandingNew)
	r.hear("c", node.StandingNew)
	r.stands(node.StandingGood)
	if r.count(node.EventStanding) != 1 {
		t.Fatalf("events %v", r.events)
	}
	r.hear("c", node.StandingCatchingUp) // good once, good for this life of the file
	r.stands(node.StandingGood)
	r.reopen(r.store.Reopen(0))
	r.stands(node.StandingGood)
}

// "Or when a transfer from a good node has closed": one that is not new means
// that there is data to wait for.
func TestCatchingUpUntilATransferCloses(t *testing.T) {
	for _, s := range []node.Standing{node.StandingGood, node.StandingCatchingUp} {
		r := newRig(t, withOthers("b", "c"))
		r.hear("b", s)
		r.stands(node.StandingCatchingUp)
		r.hear("b", node.StandingNew)
		r.hear("c", node.StandingNew) // too late: somebody had data
		r.stands(node.StandingCatchingUp)
		r.reopen(r.store.Reopen(0))
		r.stands(node.StandingCatchingUp)
		closing := func(s node.Standing) {
			_, err := r.take(node.Apply{Sender: actorB, Close: &node.Closing{Frontier: vector("b~bbbbbbbb:1"), Standing: s}})
			r.ok(err)
		}
		r.takeRows(row("alice", dot(actorB, 1), ""))
		closing(node.StandingNew)
		closing(node.StandingCatchingUp)
		r.stands(node.StandingCatchingUp)
		closing(node.StandingGood)
		r.stands(node.StandingGood)
	}
}

// "Until then 503 catching_up names the nodes that it waits for."
func TestCatchingUpSaysForWhom(t *testing.T) {
	r := newRig(t, withOthers("b", "c"))
	waits := func(want ...string) {
		t.Helper()
		e := r.failure(r.MayWrite(), node.ReadOnly)
		if e.ReadOnly == nil || e.ReadOnly.Cause != node.CatchingUp || !slices.Equal(e.ReadOnly.WaitingFor, want) {
			t.Fatalf("%+v, want to wait for %v", e.ReadOnly, want)
		}
		for _, name := range append(want, "--found") {
			if !strings.Contains(e.ReadOnly.Detail, name) {
				t.Errorf("%q does not name %s", e.ReadOnly.Detail, name)
			}
		}
	}
	waits("b", "c")
	r.hear("b", node.StandingNew)
	waits("c")
	r.hear("c", node.StandingGood)
	waits("c")
	if r.guard.begins.Load() != 0 {
		t.Fatal("the vote was asked before the standing")
	}
}

// A standing that does not change is no commit.
func TestSameStandingIsNoNews(t *testing.T) {
	r := newRig(t, withOthers("b"))
	r.hear("b", node.StandingGood)
	if q := r.NextStanding("b", node.StandingGood); q != nil {
		t.Fatal("it is committed again")
	}
	r.start()
	if r.rang(func() { r.ok(r.PeerStanding(t.Context(), "b", node.StandingCatchingUp)) }) {
		t.Fatal("the bell rang")
	}
	r.ok(r.PeerStanding(t.Context(), "z", node.StandingNew))
	if r.Standing() != node.StandingCatchingUp {
		t.Fatal(r.Standing())
	}
}

// PeerStanding goes through the writer, and answers when it is durable.
func TestPeerStanding(t *testing.T) {
	r := newRig(t, withOthers("b"))
	r.start()
	r.ok(r.PeerStanding(t.Context(), "b", node.StandingNew))
	if r.Standing() != node.StandingGood {
		t.Fatal(r.Standing())
	}
	m, err := r.store.Meta(t.Context())
	r.ok(err)
	if m.Standing != node.StandingGood {
		t.Fatalf("the file says %s", m.Standing)
	}
	r.ok(r.PeerStanding(t.Context(), "b", node.StandingGood))
}
