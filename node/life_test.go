package node_test

import (
	"strings"
	"testing"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/nodetest"
)

// "A new actor is chosen … for a new file … an unclean start with less than
// FULL" (DESIGN 3, Actors), and in no other case of this version.
func TestActorOfALife(t *testing.T) {
	for _, c := range []struct {
		name               string
		fullBefore, fullIn bool
		clean              bool
		lose               int
		same               bool
	}{
		{"full, clean", true, true, true, 0, true},
		{"full, killed", true, true, false, 0, true},
		{"below full, clean", false, false, true, 0, true},
		{"below full, killed", false, false, false, 0, false},
		{"below full, tail lost", false, false, false, 1, false},
		{"was below full, killed, now full", false, true, false, 1, false},
		{"was full, killed, now below", true, false, false, 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, func(cfg *node.Config) {
				cfg.Full = c.fullBefore
				cfg.Store = nodetest.NewMemStore(nodetest.MemConfig{Full: c.fullBefore})
			})
			r.reopen(nodetest.NewMemStore(nodetest.MemConfig{Full: c.fullBefore}))
			first := r.Actor()
			if first.Node() != "a" || r.Starts() != 1 {
				t.Fatalf("%s, %d starts", first, r.Starts())
			}
			r.write(put("alice", `{"n":1}`))
			r.write(put("alice", `{"n":2}`))
			if c.clean {
				r.ok(r.Close(t.Context()))
			}
			r.cfg.Full = c.fullIn
			r.events = nil
			r.reopen(r.store.Reopen(c.lose))
			if (r.Actor() == first) != c.same || (r.count(node.EventActor) == 0) != c.same || r.Starts() != 2 {
				t.Fatalf("%s after %s, %d starts, events %v", r.Actor(), first, r.Starts(), r.events)
			}
			left := uint64(2 - c.lose)
			next := r.write(put("bob", `{}`)).Dot
			if want := dot(r.Actor(), 1); !c.same && next != want || c.same && next != dot(first, left+1) {
				t.Fatalf("after %d writes of %s the next is %s", left, first, next)
			}
		})
	}
}

// "Two kills in a row": a start below FULL that is itself cut short leaves
// another new actor, since nobody knows what it had stamped.
func TestEachUncleanLifeHasItsActor(t *testing.T) {
	r := newRig(t, func(cfg *node.Config) { cfg.Full = false })
	seen := map[string]bool{string(r.Actor()): true}
	r.reopen(nodetest.NewMemStore(nodetest.MemConfig{}))
	for range 5 {
		r.write(put("alice", `{}`))
		r.reopen(r.store.Reopen(1))
		if seen[string(r.Actor())] {
			t.Fatalf("%s stamps again", r.Actor())
		}
		seen[string(r.Actor())] = true
	}
}

// "More of my actor than the last sequence that I assigned …, in a frontier, a
// ballot, a clock or a context, means that my file went back: stop" (PROTOCOL
// D14). What is equal to it proves nothing.
func TestOwnActorAhead(t *testing.T) {
	mine := func(r *rig, seq string) string { return string(r.Actor()) + ":" + seq }
	apply := func(r *rig, v *conflict.Version) error {
		q := node.NewApply(node.Apply{Sender: actorB, Versions: []*conflict.Version{v}})
		if err := r.Commit(r.Context(), []*node.Request{q}); err != nil {
			return err
		}
		_, err := q.Applied()
		return err
	}
	write := func(r *rig, seen string) error {
		w := put("alice", `{}`)
		w.Context = &node.Token{Seen: contextOf(seen)}
		q := node.NewWrites([]node.Write{w}, false)
		if err := r.Commit(r.Context(), []*node.Request{q}); err != nil {
			return err
		}
		return q.Outcomes()[0].Err
	}
	for name, show := range map[string]func(r *rig, seq string) error{
		"a version": func(r *rig, seq string) error {
			d := contextOf(mine(r, seq)).Vector()
			return apply(r, row("alice", dot(r.Actor(), d.Get(r.Actor())), ""))
		},
		"a clock's vector":   func(r *rig, seq string) error { return apply(r, row("alice", dot(actorB, 1), mine(r, seq))) },
		"a clock's cloud":    func(r *rig, seq string) error { return apply(r, row("alice", dot(actorB, 1), "+"+mine(r, seq))) },
		"a context's vector": func(r *rig, seq string) error { return write(r, mine(r, seq)) },
		"a context's cloud":  func(r *rig, seq string) error { return write(r, "+"+mine(r, seq)) },
		"a closing frame": func(r *rig, seq string) error {
			q := node.NewApply(node.Apply{Sender: actorB, Close: &node.Closing{Frontier: vector(mine(r, seq))}})
			return r.Commit(r.Context(), []*node.Request{q})
		},
		"a ballot": func(r *rig, seq string) error {
			return r.OwnActorSeen("the witness", vector(mine(r, seq)).Get(r.Actor()))
		},
		"a session": func(r *rig, seq string) error { return r.Await(r.Context(), contextOf(mine(r, seq))) },
		"a session's cloud": func(r *rig, seq string) error {
			return r.Await(r.Context(), contextOf("+"+mine(r, seq)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.write(put("alice", `{"n":1}`))
			r.write(put("alice", `{"n":2}`))
			r.ok(show(r, "2"))
			before := r.Frontier().Get(r.Actor())
			e := r.failure(show(r, "9"), node.OwnActorAhead)
			for _, words := range []string{string(r.Actor()), "9", "Stop this node"} {
				if !strings.Contains(e.Error(), words) {
					t.Errorf("%q does not say %q", e, words)
				}
			}
			if r.count(node.EventFailed) != 1 || r.Frontier().Get(r.Actor()) != before {
				t.Fatalf("events %v, frontier %s", r.events, r.Frontier())
			}
			_, err := r.try(put("bob", `{}`))
			r.fails(err, node.Draining)
			// A start after it is not one in good order.
			r.ok(r.Close(t.Context()))
			r.reopen(r.store.Reopen(0))
			if r.Starts() != 2 {
				t.Fatal("the file was not opened again")
			}
		})
	}
}

// "A peer can report a row before its writer has published the commit"
// (PROTOCOL D14): what is being committed counts as assigned.
func TestOwnRowComesBackEarly(t *testing.T) {
	r := newRig(t)
	r.guard.after = func() { r.ok(r.OwnActorSeen("b", 1)) }
	r.write(put("alice", `{}`))
}

// A file belongs to one node of one cluster (FAILURES 26).
func TestFileOfAnotherNode(t *testing.T) {
	r := newRig(t)
	r.ok(r.Close(t.Context()))
	for _, alter := range []func(*node.Config){
		func(c *node.Config) { c.Node = "b" }, func(c *node.Config) { c.Cluster = "other" },
	} {
		cfg := r.cfg
		cfg.Store = r.store.Reopen(0)
		alter(&cfg)
		_, err := node.Open(t.Context(), cfg)
		if e := r.failure(err, node.WrongIdentity); !strings.Contains(e.Error(), "folder of its own") {
			t.Errorf("%q does not say what to do", e)
		}
		r.store = r.store.Reopen(0)
	}
}

// A node cannot be opened under a name that no actor may carry.
func TestBadNodeName(t *testing.T) {
	r := newRig(t)
	cfg := r.cfg
	cfg.Node, cfg.Store = "A", nodetest.NewMemStore(nodetest.MemConfig{})
	_, err := node.Open(t.Context(), cfg)
	r.fails(err, node.Invalid)
}

// What the file says of itself survives; the roster counts at the first start
// (API, Starting a cluster).
func TestMetaSurvives(t *testing.T) {
	r := newRig(t, func(c *node.Config) { c.Roster = []byte("first") })
	born := r.Meta().Born
	if born != uint64(noon.UnixMilli()) || string(r.Meta().Roster) != "first" {
		t.Fatalf("%+v", r.Meta())
	}
	r.ok(r.Close(t.Context()))
	r.wall, r.cfg.Roster = r.wall.Add(1e9), []byte("second")
	r.reopen(r.store.Reopen(0))
	if m := r.Meta(); m.Born != born || string(m.Roster) != "first" || m.Clean || !m.Full || m.Starts != 2 {
		t.Fatalf("%+v", m)
	}
}

// A new process goes on above the time of its last life, although its wall
// clock was set back meanwhile (DESIGN 3, Time).
func TestTimeGoesOnAfterARestart(t *testing.T) {
	r := newRig(t)
	r.write(put("alice", `{}`))
	last := r.get("alice").Live[0].Time
	r.wall = noon.AddDate(-1, 0, 0)
	r.reopen(r.store.Reopen(0))
	r.write(put("bob", `{}`))
	if got := r.get("bob").Live[0].Time; got <= last {
		t.Fatalf("%s after %s", got, last)
	}
}
