package node_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/syncline/syncline/node"
)

// add is a patch of alice that puts a member behind the others.
func add(member string) node.Write {
	return node.Write{Kind: node.Patch, Key: key("alice"), Change: func(shown []byte) ([]byte, error) {
		s := strings.TrimSuffix(string(shown), "}")
		if s != "{" {
			s += ","
		}
		return []byte(s + member + "}"), nil
	}}
}

// "PATCH and ops read and write in one transaction of this node's writer, on
// the value shown, and cover all siblings." (API)
func TestPatch(t *testing.T) {
	r := newRig(t)
	r.write(put("alice", `{"n":1}`))
	r.takeClosed("b~bbbbbbbb:1", row("alice", dot(actorB, 1), "", at(1e9)))
	r.shows("alice", `{"by":"b~bbbbbbbb:1"}`, 2)
	out := r.write(add(`"x":1`))
	r.shows("alice", `{"by":"b~bbbbbbbb:1","x":1}`, 1)
	if out.Created || string(out.After.Shown.Body) != `{"by":"b~bbbbbbbb:1","x":1}` {
		t.Fatalf("%+v", out)
	}
}

// Two patches of one batch are two patches: the second sees the first.
func TestPatchesOfOneBatch(t *testing.T) {
	r := newRig(t)
	r.write(put("alice", `{}`))
	one, two := node.NewWrites([]node.Write{add(`"x":1`)}, false), node.NewWrites([]node.Write{add(`"y":2`)}, false)
	r.commit(one, two)
	r.shows("alice", `{"x":1,"y":2}`, 1)
}

// "Absent document: 404; merge patch with If-None-Match: * creates." (API)
func TestPatchOfNothing(t *testing.T) {
	r := newRig(t)
	_, err := r.try(add(`"x":1`))
	r.fails(err, node.NotFound)
	create := add(`"x":1`)
	create.Create = true
	_, err = r.try(create)
	r.fails(err, node.NotFound)
	create.IfAbsent = true
	if out := r.write(create); !out.Created {
		t.Fatal("it was not created")
	}
	r.shows("alice", `{"x":1}`, 1)
	_, err = r.try(create)
	r.fails(err, node.Precondition)
	r.write(del("alice"))
	_, err = r.try(add(`"y":1`))
	r.fails(err, node.Deleted)
	r.write(create)
	r.shows("alice", `{"x":1}`, 1)
}

// What a patch makes is held against the same rules as a body.
func TestPatchResultIsChecked(t *testing.T) {
	r := newRig(t)
	r.write(put("alice", `{"n":1}`))
	own := errors.New("no such path")
	for _, c := range []struct {
		body string
		err  error
		want node.Kind
	}{
		{"[]", nil, node.Invalid},
		{"{", nil, node.BadJSON},
		{`{"a":1,"a":1}`, nil, node.BadJSON},
		{body(node.DefaultBody + 1), nil, node.TooLarge},
		{"", &node.Error{Op: "patch", Kind: node.PatchConflict, Err: own}, node.PatchConflict},
	} {
		w := node.Write{Kind: node.Patch, Key: key("alice"), Change: func([]byte) ([]byte, error) { return []byte(c.body), c.err }}
		_, err := r.try(w)
		r.fails(err, c.want)
	}
	r.at("a~00000001:1")
	r.shows("alice", `{"n":1}`, 1)
}

// "With a context that does not cover every live version: 409 stale_context
// with the siblings (a patch needs its base)." (API)
func TestPatchWithAStaleContext(t *testing.T) {
	r := newRig(t)
	r.write(put("alice", `{"n":1}`))
	w := add(`"x":1`)
	w.Context = r.context()
	r.takeClosed("b~bbbbbbbb:1", row("alice", dot(actorB, 1), ""))
	_, err := r.try(w)
	if e := r.failure(err, node.StaleContext); e.Current == nil || len(e.Current.Live) != 2 {
		t.Fatalf("the siblings are not shown: %+v", e.Current)
	}
	w.Context = r.context()
	r.write(w)
	if d := r.get("alice"); len(d.Live) != 1 {
		t.Fatalf("%d live", len(d.Live))
	}
}

// A patch needs its base: one whose writer had seen a version that has not
// arrived here must not be carried out on an older one, since it would cover
// what it did not keep, and an acknowledged write would be lost.
func TestPatchWithAContextBeyondTheNode(t *testing.T) {
	for _, beyond := range []string{"a~00000001:1,b~bbbbbbbb:1", "a~00000001:1+b~bbbbbbbb:1"} {
		r := newRig(t)
		w := add(`"x":1`)
		w.Context = &node.Token{Seen: contextOf("b~bbbbbbbb:1")}
		_, err := r.try(w)
		r.fails(err, node.Behind)
		r.write(put("alice", `{"n":1}`))
		w.Context = &node.Token{Seen: contextOf(beyond)}
		_, err = r.try(w)
		r.fails(err, node.Behind)
		r.shows("alice", `{"n":1}`, 1)
		r.takeRows(row("alice", dot(actorB, 1), "a~00000001:1")) // it arrives: loose is enough to be the base
		if beyond == "a~00000001:1,b~bbbbbbbb:1" {
			r.takeClosed("b~bbbbbbbb:1")
		}
		r.write(w)
		r.shows("alice", `{"by":"b~bbbbbbbb:1","x":1}`, 1)
	}
}
