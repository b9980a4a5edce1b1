package script

import (
	"errors"
	"fmt"
	"time"

	"go.starlark.net/starlark"

	"github.com/syncline/syncline/vclock"
)

// This file holds the built-ins of test_ functions.

// errNotInTest is what they say elsewhere.
var errNotInTest = errors.New("only in test_ functions")

// maxSampled is how much one test's samples are together, in bytes.
const maxSampled = 1 << 20

// draft is a sibling that a test describes.
type draft struct {
	node    string
	time    int
	deleted bool
	doc     starlark.Value
}

// Freeze implements starlark.Value.
func (d *draft) Freeze() { d.doc.Freeze() }

// Truth implements starlark.Value.
func (*draft) Truth() starlark.Bool { return true }

// Hash implements starlark.Value.
func (*draft) Hash() (uint32, error) { return 0, errors.New("unhashable type: sibling") }

// Type implements starlark.Value.
func (*draft) Type() string { return "sibling" }

// String implements starlark.Value.
func (d *draft) String() string { return fmt.Sprintf("sibling(%s, node=%q)", d.doc, d.node) }

func (r *run) buildSibling(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if !r.test {
		return nil, fmt.Errorf("sibling: %w", errNotInTest)
	}
	d := &draft{doc: starlark.None}
	err := starlark.UnpackArgs("sibling", args, kwargs, "doc?", &d.doc, "node?", &d.node, "time?", &d.time, "deleted?", &d.deleted)
	if err != nil {
		return nil, err
	}
	return d, nil
}

func (r *run) buildConflict(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if !r.test {
		return nil, fmt.Errorf("conflict: %w", errNotInTest)
	}
	c := &Conflict{Collection: "test", ID: "test", BaseExact: true}
	var (
		siblings starlark.Sequence
		base     starlark.Value = starlark.None
		sums                    = new(starlark.Dict)
	)
	err := starlark.UnpackArgs("conflict", args, kwargs, "siblings", &siblings, "base?", &base,
		"base_exact?", &c.BaseExact, "sums?", &sums, "collection?", &c.Collection, "id?", &c.ID)
	if err != nil {
		return nil, err
	}
	if siblings.Len() > MaxSiblings {
		return nil, fmt.Errorf("conflict: more than %d siblings", MaxSiblings)
	}
	for s := range starlark.Elements(siblings) {
		if err := r.addSibling(c, s); err != nil {
			return nil, fmt.Errorf("conflict: sibling %d: %w", len(c.Siblings), err)
		}
	}
	if base != starlark.None {
		if c.Base, err = r.object(base); err != nil {
			return nil, fmt.Errorf("conflict: base: %w", err)
		}
	}
	if err := r.addSums(c, sums); err != nil {
		return nil, err
	}
	v, f := r.in.conflictOf(c)
	if f != nil {
		return nil, errors.New("conflict: " + f.Msg)
	}
	if n := c.size(); len(r.samples) < MaxSamples && r.sampled+n <= maxSampled {
		r.samples = append(r.samples, c)
		r.sampled += n
	}
	return v, nil
}

// testSuffix makes an actor of a node's name in tests.
const testSuffix = "~00000000"

// addSibling appends the sibling that a test describes: a draft, an object, or
// None for a tombstone.
func (r *run) addSibling(c *Conflict, v starlark.Value) error {
	d, ok := v.(*draft)
	if !ok {
		d = &draft{doc: v}
	}
	i := len(c.Siblings)
	if d.node == "" {
		d.node = nodeName(i)
	}
	if d.time == 0 {
		d.time = i + 1
	}
	actor, err := vclock.ParseActor(d.node + testSuffix)
	if err != nil {
		return err
	}
	s := Sibling{
		Dot:     vclock.Dot{Actor: actor, Seq: uint64(i + 1)},
		Time:    vclock.At(time.UnixMilli(int64(d.time))),
		Deleted: d.deleted || d.doc == starlark.None,
	}
	if !s.Deleted {
		if s.Doc, err = r.object(d.doc); err != nil {
			return err
		}
	}
	c.Siblings = append(c.Siblings, s)
	return nil
}

// nodeName is the name of the i-th node in tests: a to z, then n26 and so on.
func nodeName(i int) string {
	if i < 26 {
		return string(rune('a' + i))
	}
	return fmt.Sprintf("n%d", i)
}

// addSums takes path to number.
func (r *run) addSums(c *Conflict, sums *starlark.Dict) error {
	c.Sums = make(map[string]string, sums.Len())
	for key, sum := range sums.Entries() {
		path, ok := starlark.AsString(key)
		text, err := r.in.encode(sum, maxDigits+1)
		if !ok || err != nil || !isNumber(string(text)) {
			return fmt.Errorf("conflict: sums: want JSON pointer to number, not %s: %s", cut(key.String(), maxPathText), cut(sum.String(), maxPathText))
		}
		c.Sums[path] = string(text)
	}
	return nil
}

// object encodes a document.
func (r *run) object(v starlark.Value) ([]byte, error) {
	if _, ok := v.(*starlark.Dict); !ok {
		return nil, fmt.Errorf("want an object, not a %s", v.Type())
	}
	return r.in.encode(v, DefaultBody)
}

// maxShown is how much of a value a failed assertion shows, in bytes.
const maxShown = 500

func (r *run) assertEq(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var got, want starlark.Value
	var message string
	if !r.test {
		return nil, fmt.Errorf("assert_eq: %w", errNotInTest)
	}
	if err := starlark.UnpackArgs("assert_eq", args, kwargs, "got", &got, "want", &want, "message?", &message); err != nil {
		return nil, err
	}
	equal, err := starlark.EqualDepth(got, want, MaxDepth)
	switch {
	case err != nil:
		return nil, err
	case equal:
		return starlark.None, nil
	case message != "":
		message += ": "
	}
	return nil, fmt.Errorf("%sgot %s, want %s", message, cut(got.String(), maxShown), cut(want.String(), maxShown))
}

func (r *run) listNotes(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if !r.test {
		return nil, fmt.Errorf("notes: %w", errNotInTest)
	}
	if err := starlark.UnpackArgs("notes", args, kwargs); err != nil {
		return nil, err
	}
	list := new(starlark.List)
	for _, text := range r.notes {
		if err := list.Append(starlark.String(text)); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (r *run) listEvents(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if !r.test {
		return nil, fmt.Errorf("events: %w", errNotInTest)
	}
	if err := starlark.UnpackArgs("events", args, kwargs); err != nil {
		return nil, err
	}
	list := new(starlark.List)
	for _, e := range r.events {
		data, err := r.in.value(e.Data)
		if err != nil {
			return nil, err
		}
		if err := list.Append(starlark.Tuple{starlark.String(e.Name), data}); err != nil {
			return nil, err
		}
	}
	return list, nil
}
