package chaos

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	starlarkjson "go.starlark.net/lib/json"
	"go.starlark.net/starlark"
)

// kind is what an argument must be. The same check serves constants before the
// start and computed values at the call.
type kind int

const (
	anyValue  kind = iota
	aText          // a string
	aBool          // True or False
	aCount         // a whole number above 0
	aShare         // a number above 0, at most 1
	aRatio         // a number from 0 to 1
	aDrift         // a number, its size at most MaxDrift
	aSpan          // a duration above 0, at most MaxFault
	aWait          // a duration above 0, at most MaxWait
	aDelay         // a duration above 0, at most MaxDelay
	aShift         // a duration with a sign, its size at most MaxShift
	aNode          // the name of a data node
	aMember        // the name of a data node or of the witness
	aNodeList      // names of data nodes
	aSide          // names of members
	aKey           // COLLECTION/ID
	aDoc           // a dict
	aFunc          // a function without parameters
	aLoad          // a kind of load
	aPort          // what can be blocked by itself
	aSync          // how durable a commit is
	aList          // a list that is not empty
)

// seconds and texts that spans are written as.
const spanForm = `a duration as text, such as "2s" or "150ms"`

// check says what is wrong with a value of a kind.
func (k kind) check(v starlark.Value, spec *Spec) error {
	switch k {
	case anyValue:
	case aText, aKey, aLoad, aPort, aSync:
		return k.checkText(v)
	case aBool:
		return want[starlark.Bool](v, "True or False")
	case aCount:
		if n, ok := v.(starlark.Int); !ok || n.Sign() <= 0 {
			return fmt.Errorf("want a whole number above 0, not %s", v)
		}
	case aShare, aRatio, aDrift:
		return k.checkNumber(v)
	case aSpan, aWait, aDelay, aShift:
		_, err := k.span(v)
		return err
	case aNode, aMember:
		return k.checkName(v, spec)
	case aNodeList, aSide:
		return k.checkNames(v, spec)
	case aDoc:
		return want[*starlark.Dict](v, "a document, such as {\"n\": 1}")
	case aFunc:
		return want[starlark.Callable](v, "a function, such as lambda: writers() == [\"a\"]")
	case aList:
		if l, ok := v.(starlark.Sequence); !ok || l.Len() == 0 {
			return fmt.Errorf("want a list that is not empty, not %s", v)
		}
	}
	return nil
}

func want[T any](v starlark.Value, form string) error {
	if _, ok := v.(T); !ok {
		return fmt.Errorf("want %s, not %s", form, v)
	}
	return nil
}

func (k kind) checkText(v starlark.Value) error {
	text, ok := starlark.AsString(v)
	if !ok {
		return fmt.Errorf("want a text, not %s", v)
	}
	if k == aLoad && !slices.Contains(loadKinds(), text) {
		return fmt.Errorf("no load of kind %q: one of %s", text, strings.Join(loadKinds(), ", "))
	}
	if k == aPort && text != PortPeer && text != PortGossip {
		return fmt.Errorf("want %q or %q, not %q", PortPeer, PortGossip, text)
	}
	if k == aSync && text != SyncFull && text != SyncNormal {
		return fmt.Errorf("want %q or %q, not %q", SyncFull, SyncNormal, text)
	}
	if k == aKey {
		if c, id, found := strings.Cut(text, "/"); !found || c == "" || id == "" {
			return fmt.Errorf("want a key as COLLECTION/ID, such as \"accounts/alice\", not %q", text)
		}
	}
	return nil
}

func (k kind) checkNumber(v starlark.Value) error {
	n, ok := starlark.AsFloat(v)
	switch {
	case !ok:
		return fmt.Errorf("want a number, not %s", v)
	case k == aShare && (n <= 0 || n > 1):
		return fmt.Errorf("want a share above 0 and at most 1, not %s", v)
	case k == aRatio && (n < 0 || n > 1):
		return fmt.Errorf("want a share from 0 to 1, not %s", v)
	case k == aDrift && (n < -MaxDrift || n > MaxDrift):
		return fmt.Errorf("want a drift of at most %v, not %s", MaxDrift, v)
	}
	return nil
}

// span takes a duration of the kind.
func (k kind) span(v starlark.Value) (time.Duration, error) {
	text, ok := starlark.AsString(v)
	if !ok {
		return 0, fmt.Errorf("want %s, not %s", spanForm, v)
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("want %s, not %q", spanForm, text)
	}
	limit := map[kind]time.Duration{aSpan: MaxFault, aWait: MaxWait, aDelay: MaxDelay, aShift: MaxShift}[k]
	if d.Abs() > limit {
		return 0, fmt.Errorf("%s is too long: at most %s", text, limit)
	}
	if d <= 0 && k != aShift {
		return 0, fmt.Errorf("%s: want a duration above 0s", text)
	}
	return d, nil
}

func (k kind) checkName(v starlark.Value, spec *Spec) error {
	name, ok := starlark.AsString(v)
	if !ok {
		return fmt.Errorf("want the name of a node, not %s", v)
	}
	names := spec.Data
	if k == aMember || k == aSide {
		names = spec.Members()
	}
	if slices.Contains(names, name) {
		return nil
	}
	if name == spec.Witness {
		return fmt.Errorf("%q is the witness, which stores no documents: one of %s", name, strings.Join(names, ", "))
	}
	return fmt.Errorf("no node %q in this cluster, which has %s", name, strings.Join(names, ", "))
}

func (k kind) checkNames(v starlark.Value, spec *Spec) error {
	list, ok := v.(starlark.Sequence)
	if !ok || list.Len() == 0 {
		return fmt.Errorf("want a list of names, such as [\"a\", \"b\"], not %s", v)
	}
	var seen []string
	for v := range starlark.Elements(list) {
		one := map[kind]kind{aNodeList: aNode, aSide: aMember}[k]
		if err := one.checkName(v, spec); err != nil {
			return err
		}
		name, _ := starlark.AsString(v)
		if slices.Contains(seen, name) {
			return fmt.Errorf("%q stands in the list twice", name)
		}
		seen = append(seen, name)
	}
	return nil
}

// toJSON is a value of a script as JSON.
func toJSON(v starlark.Value) ([]byte, error) {
	encode := starlarkjson.Module.Members["encode"]
	out, err := starlark.Call(new(starlark.Thread), encode, starlark.Tuple{v}, nil)
	if err != nil {
		return nil, err
	}
	text, _ := starlark.AsString(out)
	return []byte(text), nil
}

// fromJSON is JSON as a value of a script; no text is None.
func fromJSON(text []byte) (starlark.Value, error) {
	if len(text) == 0 {
		return starlark.None, nil
	}
	decode := starlarkjson.Module.Members["decode"]
	return starlark.Call(new(starlark.Thread), decode, starlark.Tuple{starlark.String(text)}, nil)
}

// names are the texts of a list that was checked.
func names(v starlark.Value) []string {
	list, ok := v.(starlark.Sequence)
	if !ok {
		return nil
	}
	var out []string
	for v := range starlark.Elements(list) {
		text, _ := starlark.AsString(v)
		out = append(out, text)
	}
	return out
}

// nameList is a list of names as a value of a script.
func nameList(names []string) *starlark.List {
	out := make([]starlark.Value, 0, len(names))
	for _, n := range names {
		out = append(out, starlark.String(n))
	}
	return starlark.NewList(out)
}

// errSameEnds is the error of a link with one end.
var errSameEnds = errors.New("a link has two ends, not one twice")
