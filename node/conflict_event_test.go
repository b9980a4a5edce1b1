package node_test

import (
	"errors"
	"testing"

	"github.com/syncline/syncline/node"
)

// turns are the events of conflicts since the last call.
func (r *rig) turns() []node.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []node.Event
	for _, e := range r.events {
		if e.Kind == node.EventConflict {
			out = append(out, e)
		}
	}
	r.events = nil
	return out
}

// turned wants one event with the ids, and returns nothing of it.
func (r *rig) turned(before, after string) {
	r.Helper()
	got := r.turns()
	if len(got) != 1 || got[0].Old != before || got[0].New != after || got[0].Doc != key("alice") {
		r.Fatalf("told %+v, want one from %q to %q", got, before, after)
	}
}

// API: "Conflict ids: … of a hash of (collection, id, sorted dots of the
// siblings) … One sibling more makes another id". Each conflict that begins,
// changes or ends is told with it, once it is durable, and nothing else is.
func TestConflictsAreTold(t *testing.T) {
	r := newRig(t)
	r.write(put("alice", `{"n":0}`))
	base := r.context()
	r.write(put("alice", `{"n":1}`))
	if got := r.turns(); len(got) > 0 {
		t.Fatalf("no conflict, and told %+v", got)
	}
	old := func(body string) node.Write {
		w := put("alice", body)
		w.Context = base
		return w
	}
	r.write(old(`{"n":2}`))
	two := r.get("alice").Live.ID()
	r.turned("", two)
	r.write(old(`{"n":3}`))
	three := r.get("alice").Live.ID()
	r.turned(two, three)
	r.write(put("bob", `{}`))
	if got := r.turns(); len(got) > 0 || two == three {
		t.Fatalf("another document was written, and told %+v", got)
	}
	r.store.FailNext(&node.Error{Op: "commit", Kind: node.DiskFull, Err: errors.New("no space left")}, false)
	if _, err := r.try(put("alice", `{"n":4}`)); node.KindOf(err) != node.DiskFull {
		t.Fatal(err)
	}
	if got := r.turns(); len(got) > 0 {
		t.Fatalf("nothing was committed, and told %+v", got)
	}
	w := put("alice", `{"n":4}`)
	w.Context = r.context()
	r.write(w)
	r.turned(three, "")
}
