package script

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"go.starlark.net/starlark"

	"github.com/syncline/syncline/vclock"
)

// Conflict is what a resolver is asked about.
type Conflict struct {
	Collection string
	ID         string
	Siblings   []Sibling         // in any order; at most MaxSiblings
	Base       []byte            // a JSON object; nil when there is none
	BaseExact  bool              // PROTOCOL D10c
	Sums       map[string]string // JSON pointer to exact decimal, as a JSON number (D10a); at most MaxSums
	MaxBody    int               // bytes of the largest result; 0 means DefaultBody, at most MaxBody
}

// Sibling is one live version of the document.
type Sibling struct {
	Dot     vclock.Dot
	Time    vclock.Time
	Deleted bool
	Doc     []byte // a JSON object; empty when deleted
}

// before orders siblings by time, then dot: a total order of different ones.
func (s Sibling) before(o Sibling) int {
	return cmp.Or(cmp.Compare(s.Time, o.Time), s.Dot.Compare(o.Dot))
}

// maxBody is the limit of the result in force, in bytes.
func (c *Conflict) maxBody() int {
	if c.MaxBody <= 0 {
		return DefaultBody
	}
	return min(c.MaxBody, MaxBody)
}

// size is what a conflict holds, in bytes.
func (c *Conflict) size() int {
	n := len(c.Collection) + len(c.ID) + len(c.Base)
	for _, s := range c.Siblings {
		n += len(s.Doc) + len(s.Dot.Actor)
	}
	for path, sum := range c.Sums {
		n += len(path) + len(sum)
	}
	return n
}

// check refuses what is beyond the limits, alike on every node.
func (c *Conflict) check() *Failure {
	switch n := c.size(); {
	case len(c.Siblings) == 0:
		return failure(KindInput, "a conflict without siblings")
	case len(c.Siblings) > MaxSiblings:
		return failure(KindInput, "the conflict has %d siblings, a resolver takes %d", len(c.Siblings), MaxSiblings)
	case len(c.Sums) > MaxSums:
		return failure(KindInput, "the conflict has %d sums, a resolver takes %d", len(c.Sums), MaxSums)
	case n > MaxInput:
		return failure(KindInput, "the documents of the conflict have %d bytes together, a resolver takes %d", n, MaxInput)
	}
	if len(c.Collection) > maxName || len(c.ID) > maxName {
		return failure(KindInput, "the collection's name or the document's id has more than %d bytes", maxName)
	}
	if !utf8.ValidString(c.Collection) || !utf8.ValidString(c.ID) {
		return failure(KindInput, "the collection's name or the document's id is not UTF-8")
	}
	for path := range c.Sums {
		if !utf8.ValidString(path) {
			return failure(KindInput, "the path %q of a sum is not UTF-8", path)
		}
	}
	for _, s := range c.Siblings {
		if s.Deleted != (len(s.Doc) == 0) {
			return failure(KindInput, "the version %s is either deleted or has a document", s.Dot)
		}
	}
	return nil
}

// conflictValue is a conflict as a script sees it. It is frozen.
type conflictValue struct {
	collection, id starlark.String
	siblings       *starlark.List
	base           starlark.Value
	baseExact      starlark.Bool
	paths          *starlark.List
	sums           map[string]starlark.Value
}

// siblingValue is a sibling as a script sees it. It is frozen.
type siblingValue struct {
	doc, deleted, node, time, dot starlark.Value
}

// conflictOf decodes a conflict. This is where siblings get their order.
func (in *inputs) conflictOf(c *Conflict) (*conflictValue, *Failure) {
	if f := c.check(); f != nil {
		return nil, f
	}
	sorted := slices.SortedFunc(slices.Values(c.Siblings), Sibling.before)
	list := make([]starlark.Value, 0, len(sorted))
	for i, s := range sorted {
		if i > 0 && s.Dot == sorted[i-1].Dot {
			return nil, failure(KindInput, "the version %s stands twice among the siblings", s.Dot)
		}
		v, err := in.siblingOf(s)
		if err != nil {
			return nil, failure(KindInput, "the document of version %s: %v", s.Dot, err)
		}
		list = append(list, v)
	}
	v := &conflictValue{
		collection: starlark.String(c.Collection), id: starlark.String(c.ID),
		siblings: starlark.NewList(list), base: starlark.None, baseExact: starlark.Bool(c.BaseExact),
		sums: make(map[string]starlark.Value, len(c.Sums)),
	}
	if c.Base != nil {
		base, err := in.document(c.Base)
		if err != nil {
			return nil, failure(KindInput, "the base: %v", err)
		}
		v.base = base
	}
	var paths []starlark.Value
	for _, path := range slices.Sorted(maps.Keys(c.Sums)) {
		sum, err := in.sum(c.Sums[path])
		if err != nil {
			return nil, failure(KindInput, "the sum at %q: %v", path, err)
		}
		v.sums[path] = sum
		paths = append(paths, starlark.String(path))
	}
	v.paths = starlark.NewList(paths)
	v.siblings.Freeze()
	v.paths.Freeze()
	return v, nil
}

func (in *inputs) siblingOf(s Sibling) (*siblingValue, error) {
	v := &siblingValue{
		doc: starlark.None, deleted: starlark.Bool(s.Deleted),
		node: starlark.String(s.Dot.Actor.Node()), time: starlark.String(s.Time.String()), dot: starlark.String(s.Dot.String()),
	}
	if s.Deleted {
		return v, nil
	}
	doc, err := in.document(s.Doc)
	if err != nil {
		return nil, err
	}
	v.doc = doc
	return v, nil
}

// String implements starlark.Value.
func (v *conflictValue) String() string {
	return fmt.Sprintf("conflict(%s, %s, %d siblings)", v.collection, v.id, v.siblings.Len())
}

// Type implements starlark.Value.
func (*conflictValue) Type() string { return "conflict" }

// Freeze implements starlark.Value; a conflict always is frozen.
func (*conflictValue) Freeze() {}

// Truth implements starlark.Value.
func (*conflictValue) Truth() starlark.Bool { return true }

// Hash implements starlark.Value.
func (*conflictValue) Hash() (uint32, error) { return 0, errors.New("unhashable type: conflict") }

// Attr implements starlark.HasAttrs.
func (v *conflictValue) Attr(name string) (starlark.Value, error) {
	switch name {
	case "collection":
		return v.collection, nil
	case "id":
		return v.id, nil
	case "siblings":
		return v.siblings, nil
	case "base":
		return v.base, nil
	case "base_exact":
		return v.baseExact, nil
	case "sums":
		return v.paths, nil
	case "sum":
		return starlark.NewBuiltin("sum", v.sum), nil
	}
	return nil, nil // the interpreter makes the error
}

// AttrNames implements starlark.HasAttrs.
func (*conflictValue) AttrNames() []string {
	return []string{"base", "base_exact", "collection", "id", "siblings", "sum", "sums"}
}

func (v *conflictValue) sum(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var path string
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "path", &path); err != nil {
		return nil, err
	}
	sum, ok := v.sums[path]
	if !ok {
		return nil, fmt.Errorf("sum: no sum is kept at %q: the collection needs the rule sum there", cut(path, maxPathText))
	}
	return sum, nil
}

// String implements starlark.Value.
func (v *siblingValue) String() string { return fmt.Sprintf("sibling(%s)", v.dot) }

// Type implements starlark.Value.
func (*siblingValue) Type() string { return "sibling" }

// Freeze implements starlark.Value; a sibling always is frozen.
func (*siblingValue) Freeze() {}

// Truth implements starlark.Value.
func (*siblingValue) Truth() starlark.Bool { return true }

// Hash implements starlark.Value.
func (*siblingValue) Hash() (uint32, error) { return 0, errors.New("unhashable type: sibling") }

// Attr implements starlark.HasAttrs.
func (v *siblingValue) Attr(name string) (starlark.Value, error) {
	switch name {
	case "doc":
		return v.doc, nil
	case "deleted":
		return v.deleted, nil
	case "node":
		return v.node, nil
	case "time":
		return v.time, nil
	case "dot":
		return v.dot, nil
	}
	return nil, nil // the interpreter makes the error
}

// AttrNames implements starlark.HasAttrs.
func (*siblingValue) AttrNames() []string {
	return []string{"deleted", "doc", "dot", "node", "time"}
}
