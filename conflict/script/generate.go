package script

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"go.starlark.net/starlark"

	"github.com/syncline/syncline/vclock"
)

// generated is how many conflicts the gate makes up.
const generated = 64

// generator makes up conflicts like those that it was shown. Without any it
// draws members from the words of the script.
type generator struct {
	rnd     *rand.Rand
	samples []*Conflict
	words   []string // string literals of the script
}

// all makes up the gate's conflicts.
func (g generator) all() []*Conflict {
	var out []*Conflict
	for range generated {
		if c, err := g.one(); err == nil { // a sample beyond the limits makes none
			out = append(out, c)
		}
	}
	return out
}

// one makes up a conflict of two to five siblings.
func (g generator) one() (*Conflict, error) {
	like := g.model()
	in := newInputs()
	var docs []*starlark.Dict
	for _, s := range like.Siblings {
		if !s.Deleted {
			v, err := in.document(s.Doc)
			if err != nil {
				return nil, err
			}
			docs = append(docs, v.(*starlark.Dict))
		}
	}
	if len(docs) == 0 {
		docs = append(docs, new(starlark.Dict))
	}
	c := &Conflict{Collection: like.Collection, ID: like.ID, MaxBody: like.MaxBody, Sums: map[string]string{}}
	if like.Base != nil && g.rnd.IntN(5) > 0 {
		c.Base, c.BaseExact = like.Base, g.rnd.IntN(5) > 0
	}
	equal := g.rnd.IntN(3) == 0 // all of one time
	for i := range 2 + g.rnd.IntN(4) {
		s := Sibling{Dot: vclock.Dot{Actor: vclock.Actor(nodeName(i) + testSuffix), Seq: uint64(1 + g.rnd.IntN(9))}}
		if !equal {
			s.Time = vclock.At(time.UnixMilli(int64(g.rnd.IntN(5))))
		}
		if s.Deleted = g.rnd.IntN(10) == 0; !s.Deleted {
			doc, err := in.encode(g.changed(docs), DefaultBody)
			if err != nil {
				return nil, err
			}
			s.Doc = doc
		}
		c.Siblings = append(c.Siblings, s)
	}
	for _, path := range g.paths(like) {
		c.Sums[path] = "0"
	}
	if !resum(c) { // no base to count from
		c.Sums = like.Sums
	}
	return c, nil
}

// model is a sample, or a conflict of documents with members that the script
// names.
func (g generator) model() *Conflict {
	if n := len(g.samples); n > 0 {
		return g.samples[g.rnd.IntN(n)]
	}
	doc := new(starlark.Dict)
	for _, word := range g.words {
		name := strings.TrimPrefix(word, "/")
		if name == "" || len(name) > MaxEventName || strings.ContainsAny(name, " /") {
			continue
		}
		if err := doc.SetKey(starlark.String(name), g.scalar()); err != nil {
			panic("script: a fresh dict refuses a string: " + err.Error())
		}
	}
	text, err := newInputs().encode(doc, DefaultBody)
	if err != nil { // the literals of one source always fit
		text = []byte("{}")
	}
	return &Conflict{Collection: "made_up", ID: "made_up", Base: text, BaseExact: true, Siblings: []Sibling{{Doc: text}}}
}

func (g generator) scalar() starlark.Value {
	switch g.rnd.IntN(4) {
	case 0:
		return starlark.String(fmt.Sprintf("t%d", g.rnd.IntN(5)))
	case 1:
		return starlark.NewList([]starlark.Value{starlark.String("x"), starlark.String(fmt.Sprintf("y%d", g.rnd.IntN(5)))})
	default:
		return starlark.MakeInt(g.rnd.IntN(200))
	}
}

// changed is a copy of one of the documents with up to two members altered.
func (g generator) changed(docs []*starlark.Dict) *starlark.Dict {
	doc := new(starlark.Dict)
	for key, v := range docs[g.rnd.IntN(len(docs))].Entries() {
		set(doc, key, v)
	}
	for range g.rnd.IntN(3) {
		keys := doc.Keys()
		if len(keys) == 0 {
			break
		}
		key := keys[g.rnd.IntN(len(keys))]
		v, _, err := doc.Get(key)
		if err != nil {
			panic("script: a dict refuses its own key: " + err.Error())
		}
		switch g.rnd.IntN(6) {
		case 0:
			if _, _, err := doc.Delete(key); err != nil {
				panic("script: a fresh dict refuses a deletion: " + err.Error())
			}
		case 1:
			if other, found, _ := docs[g.rnd.IntN(len(docs))].Get(key); found {
				set(doc, key, other)
			}
		default:
			set(doc, key, g.altered(v))
		}
	}
	return doc
}

func set(doc *starlark.Dict, key, v starlark.Value) {
	if err := doc.SetKey(key, v); err != nil {
		panic("script: a fresh dict refuses a member: " + err.Error())
	}
}

// altered is another value of the same type.
func (g generator) altered(v starlark.Value) starlark.Value {
	switch v := v.(type) {
	case starlark.Int:
		return v.Add(starlark.MakeInt(g.rnd.IntN(201) - 100))
	case starlark.Float:
		return v + starlark.Float(g.rnd.IntN(9)-4)
	case starlark.Bool:
		return !v
	case starlark.String:
		if len(g.words) > 0 && g.rnd.IntN(2) == 0 {
			return starlark.String(g.words[g.rnd.IntN(len(g.words))])
		}
		return v + starlark.String(fmt.Sprintf("%d", g.rnd.IntN(5)))
	case *starlark.List:
		elems := slices.Collect(v.Elements())
		if len(elems) > 0 && g.rnd.IntN(2) == 0 {
			return starlark.NewList(elems[1:])
		}
		next := g.scalar()
		if len(elems) > 0 { // of the type of the others
			next = g.altered(elems[0])
		}
		return starlark.NewList(append(elems, next))
	default:
		return v
	}
}

// paths are those that may have a sum: the model's, and those that the script
// names.
func (g generator) paths(like *Conflict) []string {
	var out []string
	for path := range like.Sums {
		out = append(out, path)
	}
	for _, word := range g.words {
		if strings.HasPrefix(word, "/") && !slices.Contains(out, word) {
			out = append(out, word)
		}
	}
	slices.Sort(out)
	return out[:min(len(out), MaxSums)]
}

// summable says whether a conflict's sums are what base and siblings give.
func summable(c *Conflict) bool {
	other := *c
	if !resum(&other) {
		return false
	}
	for path, sum := range c.Sums {
		if decimalOf(sum) != decimalOf(other.Sums[path]) {
			return false
		}
	}
	return true
}

// resum counts the sums of a conflict again: base plus what each sibling adds
// to it. It gives up without a base, and on numbers that are no integers.
func resum(c *Conflict) bool {
	if len(c.Sums) == 0 {
		return true
	}
	in := newInputs()
	v, f := in.conflictOf(&Conflict{Siblings: c.Siblings, Base: c.Base})
	if f != nil || v.base == starlark.None {
		return false
	}
	sums := make(map[string]string, len(c.Sums))
	for path := range c.Sums {
		base, ok := integerAt(v.base, path)
		total := base
		for s := range v.siblings.Elements() {
			n, whole := integerAt(s.(*siblingValue).doc, path)
			total = new(big.Int).Add(total, new(big.Int).Sub(n, base))
			ok = ok && whole
		}
		if !ok {
			return false
		}
		sums[path] = total.String()
	}
	c.Sums = sums
	return true
}

// integerAt is the integer at a JSON pointer; what is absent is 0.
func integerAt(v starlark.Value, path string) (*big.Int, bool) {
	for step := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		dict, ok := v.(*starlark.Dict)
		if !ok {
			return new(big.Int), v == starlark.None
		}
		name := strings.ReplaceAll(strings.ReplaceAll(step, "~1", "/"), "~0", "~")
		member, found, err := dict.Get(starlark.String(name))
		if err != nil || !found {
			return new(big.Int), err == nil
		}
		v = member
	}
	n, ok := v.(starlark.Int)
	if !ok {
		return new(big.Int), false
	}
	return n.BigInt(), true
}

// turned is the conflict with the members of all objects in the other order.
func turned(c *Conflict) (*Conflict, error) {
	in := newInputs()
	turn := func(body []byte) ([]byte, error) {
		v, err := in.document(body)
		if err != nil {
			return nil, err
		}
		return in.encode(turnedValue(v), MaxBody)
	}
	out := *c
	out.Siblings = slices.Clone(c.Siblings)
	for i, s := range c.Siblings {
		if s.Deleted {
			continue
		}
		doc, err := turn(s.Doc)
		if err != nil {
			return nil, err
		}
		out.Siblings[i].Doc = doc
	}
	if c.Base != nil {
		base, err := turn(c.Base)
		if err != nil {
			return nil, err
		}
		out.Base = base
	}
	return &out, nil
}

func turnedValue(v starlark.Value) starlark.Value {
	switch v := v.(type) {
	case *starlark.Dict:
		out := new(starlark.Dict)
		keys := v.Keys()
		slices.Reverse(keys)
		for _, key := range keys {
			if member, found, err := v.Get(key); found && err == nil {
				set(out, key, turnedValue(member))
			}
		}
		return out
	case *starlark.List:
		var elems []starlark.Value
		for e := range v.Elements() {
			elems = append(elems, turnedValue(e))
		}
		return starlark.NewList(elems)
	default:
		return v
	}
}
