package node_test

import (
	"strings"
	"testing"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
)

// twoWith makes two siblings, both written by people who were shown the document
// as it was, and what the node shows then.
func (r *rig) twoWith(one, other string) node.Document {
	r.Helper()
	token := r.context()
	for _, body := range []string{one, other} {
		w := put("alice", body)
		w.Context = token
		r.ok(errOf(r.Write(r.Context(), w)))
	}
	return r.get("alice")
}

const mergeBalance = `"policy":{"kind":"merge","rules":{"/balance":"sum"}}`

// PROTOCOL D10: a write with a context says what it changed against what its
// writer was shown; the version that it names may be live or in history.
func TestMergeOfWritesWithOneContext(t *testing.T) {
	r := newRig(t)
	r.start()
	r.configure(`{` + mergeBalance + `,"history":"1h"}`)
	r.ok(errOf(r.Write(t.Context(), put("alice", `{"balance":120,"owner":"Alice"}`))))
	d := r.twoWith(`{"balance":20,"owner":"Alice"}`, `{"balance":70,"owner":"A."}`)
	if len(d.Live) != 2 || d.Shown.Open || string(d.Shown.Body) != `{"balance":-30,"owner":"A."}` {
		t.Fatalf("%d live, shown %s, open %v: %s", len(d.Live), d.Shown.Body, d.Shown.Open, d.Shown.Detail)
	}
	id := d.Live.ID()
	r.settleNow()
	c := r.one(id)
	if rec := c.Record; rec.By != conflict.ByPolicy || len(rec.Lost) != 0 || rec.Sums["/balance"] != "-30" || !strings.Contains(rec.Reason, "/balance by sum") {
		t.Errorf("%+v", rec)
	}
	past, err := r.ConflictPast(t.Context(), &c)
	if err != nil || string(past.Base.Body) != `{"owner":"Alice","balance":120}` && string(past.Base.Body) != `{"balance":120,"owner":"Alice"}` {
		t.Errorf("the base on record is %s, %v", past.Base.Body, err)
	}
	if d := r.get("alice"); len(d.Live) != 1 || string(d.Shown.Body) != `{"balance":-30,"owner":"A."}` {
		t.Errorf("settled as %s", d.Shown.Body)
	}
}

// PROTOCOL D10b: "where a token names versions that this node has neither live nor
// in history, the version is blind; a conflict with a blind sibling … defers".
func TestMergeOfABlindWrite(t *testing.T) {
	r := newRig(t)
	r.start()
	r.configure(`{` + mergeBalance + `}`)
	r.ok(errOf(r.Write(t.Context(), put("alice", `{"balance":120}`))))
	d := r.twoWith(`{"balance":20}`, `{"balance":70}`)
	if len(d.Live) != 2 || !d.Shown.Open || d.Shown.Reason != conflict.ReasonBlind || string(d.Shown.Body) != `{"balance":70}` {
		t.Fatalf("%d live, shown %s, open %v: %s", len(d.Live), d.Shown.Body, d.Shown.Open, d.Shown.Reason)
	}
	r.settleNow()
	if d := r.get("alice"); len(d.Live) != 2 {
		t.Errorf("it was settled: %s", d.Shown.Body)
	}
	_, err := r.Write(t.Context(), put("alice", `{"balance":0}`))
	r.fails(err, node.OpenConflict)
}

// PROTOCOL D10b: "or with one stamped before the policy was in force".
func TestMergeOfWhatWasThereBefore(t *testing.T) {
	r := newRig(t)
	r.start()
	r.configure(`{"history":"1h"}`)
	r.ok(errOf(r.Write(t.Context(), put("alice", `{"balance":120}`))))
	r.configure(`{` + mergeBalance + `,"history":"1h"}`)
	// Both go back to one version that says nothing of what it changed: its value
	// is where they begin.
	if d := r.twoWith(`{"balance":20}`, `{"balance":70}`); d.Shown.Open || string(d.Shown.Body) != `{"balance":-30}` {
		t.Errorf("shown %s, open %v: %s", d.Shown.Body, d.Shown.Open, d.Shown.Detail)
	}
	r.configure(`{"history":"1h"}`)
	r.ok(errOf(r.Write(t.Context(), put("alice", `{"balance":1}`))))
	d := r.twoWith(`{"balance":2}`, `{"balance":3}`)
	r.configure(`{` + mergeBalance + `}`)
	if d = r.get("alice"); !d.Shown.Open || d.Shown.Reason != conflict.ReasonBeforePolicy {
		t.Errorf("open %v: %q", d.Shown.Open, d.Shown.Reason)
	}
}

// API, PATCH: on the value shown; under merge it is the merged one.
func TestPatchOfAMerge(t *testing.T) {
	r := newRig(t)
	r.start()
	r.configure(`{` + mergeBalance + `,"history":"1h"}`)
	r.ok(errOf(r.Write(t.Context(), put("alice", `{"balance":120}`))))
	r.twoWith(`{"balance":20}`, `{"balance":70}`)
	_, err := r.Write(t.Context(), node.Write{Kind: node.Patch, Key: key("alice"), Change: func(shown []byte) ([]byte, error) {
		if string(shown) != `{"balance":-30}` {
			t.Errorf("the patch was shown %s", shown)
		}
		return []byte(`{"balance":-29}`), nil
	}})
	r.ok(err)
	r.shows("alice", `{"balance":-29}`, 1)
}

// PROTOCOL D10c: numbers and marks are laid down only where the policy needs it.
func TestLineageOnlyWhereItIsNeeded(t *testing.T) {
	r := newRig(t)
	r.start()
	for config, want := range map[string]bool{
		`{}`: false, `{"policy":{"kind":"lww","path":"/n"}}`: false, `{"policy":{"kind":"lww","rules":{}}}`: true,
		`{"policy":{"kind":"manual"}}`: true, `{"policy":{"kind":"merge"}}`: true,
	} {
		r.configure(config)
		out, err := r.Write(t.Context(), put("bob", `{"n":1}`))
		r.ok(err)
		v := out.After.Live.Find(out.Dot)
		if has := v.Origin != nil && len(v.Origin.Lineage) > 0; has != want {
			t.Errorf("%s: a lineage: %v", config, has)
		}
	}
}

func errOf(_ node.Written, err error) error { return err }
