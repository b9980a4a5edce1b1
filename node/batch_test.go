package node_test

import (
	"testing"

	"github.com/syncline/syncline/node"
)

// "?atomic=true: … one transaction, one dot range that peers see whole or not
// at all" (API, Bulk).
func TestAtomicBatch(t *testing.T) {
	r := newRig(t)
	r.write(put("bob", `{"n":0}`))
	q := node.NewWrites([]node.Write{put("alice", `{"n":1}`), del("bob"), put("carol", `{"n":3}`)}, true)
	r.commit(node.NewWrites([]node.Write{put("dave", `{}`)}, false), q, node.NewWrites([]node.Write{put("erin", `{}`)}, false))
	if _, err := q.Applied(); err != nil {
		t.Fatal(err)
	}
	for i, o := range q.Outcomes() {
		if o.Err != nil || o.Written.Dot.Seq != uint64(3+i) {
			t.Fatalf("line %d: %s, %v", i+1, o.Written.Dot, o.Err)
		}
	}
	r.shows("bob", "", 1)
	r.at("a~00000001:6")
}

// "409 atomic_failed with `failed` and nothing applied": all or none.
func TestAtomicBatchFails(t *testing.T) {
	late := put("carol", `{"n":3}`)
	late.IfMatch = []string{"a~00000001:9"}
	for name, c := range map[string]struct {
		writes []node.Write
		line   int
		cause  node.Kind
	}{
		"a precondition":    {[]node.Write{put("alice", `{}`), put("bob", `{}`), late}, 3, node.Precondition},
		"nothing to delete": {[]node.Write{put("alice", `{}`), del("zoe"), late}, 2, node.NotFound},
		"one id twice":      {[]node.Write{put("alice", `{}`), put("bob", `{}`), put("alice", `{}`)}, 3, node.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.start()
			r.guard.held = false // nothing was committed, so nothing can be late
			r.wall = r.wall.Add(1)
			before := r.Feed().Bell()
			_, err := r.WriteAll(t.Context(), c.writes, true)
			e := r.failure(err, node.AtomicFailed)
			if e.Line != c.line || node.KindOf(e.Err) != c.cause {
				t.Fatalf("line %d, cause %v", e.Line, e.Err)
			}
			r.at("")
			select {
			case <-before:
				t.Fatal("the bell rang for nothing")
			default:
			}
		})
	}
}

// A failed atomic request is not half late: its lines have no outcome but the
// failure.
func TestAtomicBatchThatFailedIsNotLate(t *testing.T) {
	r := newRig(t)
	r.guard.held = false
	q := node.NewWrites([]node.Write{put("alice", `{}`), del("zoe")}, true)
	r.commit(q)
	if _, err := q.Applied(); node.KindOf(err) != node.AtomicFailed {
		t.Fatal(err)
	}
	for i, o := range q.Outcomes() {
		if node.KindOf(o.Err) == node.LeaseLost {
			t.Fatalf("line %d: %v", i+1, o.Err)
		}
	}
}

// "Each line stands alone" (API, Bulk), and a later line sees an earlier one.
func TestBatchEachForItself(t *testing.T) {
	r := newRig(t)
	r.start()
	again := put("alice", `{"n":2}`)
	again.IfMatch = []string{"a~00000001:1"}
	stale := put("alice", `{"n":3}`)
	stale.IfMatch = []string{"a~00000001:1"}
	out, err := r.WriteAll(t.Context(), []node.Write{
		put("alice", `{"n":1}`), again, stale, put("bob", `[]`), del("alice"), del("alice"), put("carol", `{}`),
	}, false)
	r.ok(err)
	for i, want := range []node.Kind{"", "", node.Precondition, node.Invalid, "", node.Deleted, ""} {
		if want == "" {
			r.ok(out[i].Err)
			continue
		}
		r.fails(out[i].Err, want)
	}
	r.at("a~00000001:4")
	r.shows("alice", "", 1)
}

// An empty request is answered, and costs nothing.
func TestEmptyBatch(t *testing.T) {
	r := newRig(t)
	r.start()
	for _, atomic := range []bool{false, true} {
		if out, err := r.WriteAll(t.Context(), nil, atomic); err != nil || len(out) != 0 {
			t.Fatalf("%v, %v", out, err)
		}
	}
	r.at("")
}
