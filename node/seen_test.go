package node_test

import (
	"testing"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
)

// "With a Causal-Context exactly what the context says, so that a client that
// was offline makes a sibling, not an overwrite." (DESIGN 3)
func TestOldContextMakesASibling(t *testing.T) {
	r := newRig(t)
	r.write(put("alice", `{"n":1}`))
	old := r.context()
	r.write(put("alice", `{"n":2}`))
	w := put("alice", `{"n":3}`)
	w.Context = old
	out := r.write(w)
	d := r.shows("alice", `{"n":3}`, 2)
	if d.Live.Conflicts() != 2 || out.After.Live.Conflicts() != 2 || out.Created {
		t.Fatalf("%+v", out)
	}
	// "A plain PUT … all siblings included": the conflict ends with it.
	r.write(put("alice", `{"n":4}`))
	r.shows("alice", `{"n":4}`, 1)
}

// The same context twice is no conflict with itself: the second write had not
// seen the first.
func TestOneContextTwice(t *testing.T) {
	r := newRig(t)
	r.write(put("alice", `{"n":1}`))
	ctx := r.context()
	for _, body := range []string{`{"n":2}`, `{"n":3}`} {
		w := put("alice", body)
		w.Context = ctx
		r.write(w)
	}
	r.shows("alice", `{"n":3}`, 2)
}

// A context of nothing (a 404's) says that its writer had seen nothing.
func TestContextOfNothing(t *testing.T) {
	r := newRig(t)
	d := r.get("alice")
	token, err := r.ParseContext(key("alice"), r.ContextToken(&d))
	r.ok(err)
	if !token.Seen.IsZero() || len(token.Shown) != 0 {
		t.Fatalf("%+v", token)
	}
	r.write(put("alice", `{"n":1}`))
	w := put("alice", `{"n":2}`)
	w.Context = token
	r.write(w)
	r.shows("alice", `{"n":2}`, 2)
}

// "What the context holds beyond this node's frontier" is covered when it
// arrives (PROTOCOL D1): a client may read at one node and write at another.
func TestContextBeyondTheFrontier(t *testing.T) {
	for _, c := range []struct{ beyond, clock string }{
		{"b~bbbbbbbb:4", "b~bbbbbbbb:4"},
		{"+b~bbbbbbbb:4", "+b~bbbbbbbb:4"},
	} {
		r := newRig(t)
		late := row("alice", dot(actorB, 4), "", at(1e9))
		w := put("alice", `{"n":1}`)
		w.Context = &node.Token{Seen: contextOf(c.beyond), Time: late.Time}
		r.write(w)
		v := r.get("alice").Live[0]
		if v.Clock.String() != c.clock || v.Time <= late.Time {
			t.Fatalf("clock %s, time %s; the version that it covers is of %s", v.Clock, v.Time, late.Time)
		}
		r.takeClosed("b~bbbbbbbb:4", late)
		r.shows("alice", `{"n":1}`, 1)
	}
}

// A delete with a context beyond the frontier is meant for the value that is on
// its way: it must not be answered 404.
func TestDeleteBeyondTheFrontier(t *testing.T) {
	r := newRig(t)
	w := del("alice")
	w.Context = &node.Token{Seen: contextOf("b~bbbbbbbb:4")}
	r.write(w)
	r.takeClosed("b~bbbbbbbb:4", row("alice", dot(actorB, 4), ""))
	r.shows("alice", "", 1)
	_, err := r.try(w)
	r.fails(err, node.Deleted)
}

// "A Session … says nothing about what the writer saw" (API): a session-wide
// token claims what was never shown (PROTOCOL D2).
func TestSessionIsNoContext(t *testing.T) {
	r := newRig(t)
	r.write(put("alice", `{"n":1}`))
	old := r.context()
	r.write(put("alice", `{"n":2}`))
	w := put("alice", `{"n":3}`)
	w.Context = old
	shown := r.get("alice")
	w.Session = shown.Session()
	r.write(w)
	r.shows("alice", `{"n":3}`, 2)
}

// A context of one document says nothing about another, although both name the
// same actors: the write of bob covers no version of alice's past.
func TestContextIsOfOneDocument(t *testing.T) {
	r := newRig(t)
	r.write(put("alice", `{"n":1}`))
	r.write(put("bob", `{"n":1}`))
	r.write(put("alice", `{"n":2}`))
	r.write(put("bob", `{"n":2}`))
	for id, want := range map[string]string{"alice": "a~00000001:1", "bob": "a~00000001:2"} {
		if got := r.get(id).Live[0].Clock.String(); got != want {
			t.Errorf("the clock of %s is %s, want %s", id, got, want)
		}
	}
}

// "A dot enters the vector only where the context's vector covers it, else the
// cloud" (PROTOCOL D1): a loose version that is shown is claimed alone.
func TestWriteOverALooseVersion(t *testing.T) {
	r := newRig(t)
	r.takeRows(row("alice", dot(actorB, 42), ""))
	r.shows("alice", `{"by":"b~bbbbbbbb:42"}`, 1)
	r.write(put("alice", `{"n":1}`))
	if got := r.shows("alice", `{"n":1}`, 1).Live[0].Clock.String(); got != "+b~bbbbbbbb:42" {
		t.Fatalf("the clock is %s", got)
	}
	// b:10 was not seen by anybody here: it lives.
	r.takeClosed("b~bbbbbbbb:42", row("alice", dot(actorB, 10), ""))
	r.shows("alice", `{"n":1}`, 2)
}

// A conflict is resolved by whoever saw all of it, anywhere: with the context of
// both, one version is left.
func TestContextOfAConflict(t *testing.T) {
	r := newRig(t)
	r.write(put("alice", `{"n":1}`))
	r.takeClosed("b~bbbbbbbb:1", row("alice", dot(actorB, 1), ""))
	token := r.context()
	if len(token.Shown) != 2 || token.Time != r.get("alice").Shown.Winner.Time {
		t.Fatalf("%+v", token)
	}
	r.takeClosed("b~bbbbbbbb:2", row("alice", dot(actorB, 2), ""))
	w := put("alice", `{"n":2}`)
	w.Context = token
	r.write(w)
	d := r.get("alice")
	if len(d.Live) != 2 || d.Live.Find(dot(actorB, 2)) == nil {
		t.Fatalf("the context had two versions, not the third; live is %v", dotsOf(d.Live))
	}
}

func dotsOf(s conflict.Siblings) (out []string) {
	for _, v := range s {
		out = append(out, v.Dot.String())
	}
	return out
}
