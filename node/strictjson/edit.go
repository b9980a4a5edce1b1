package strictjson

import (
	"fmt"
	"slices"
)

// Sizes that opening a container is charged with, in bytes for each part: what
// its entry in the tree takes.
const (
	memberWork  = 80
	elementWork = 24
)

// editor applies the operations of a JSON patch to a tree.
type editor struct {
	root *value
	work int // bytes that may still be spent of MaxPatchWork
}

// obstacle says why an operation could not be done.
type obstacle struct {
	kind   error
	reason string
}

func failed(reason string) *obstacle { return &obstacle{kind: ErrPatchFailed, reason: reason} }

// spend charges the budget.
func (e *editor) spend(bytes int) *obstacle {
	if e.work -= bytes; e.work < 0 {
		return &obstacle{kind: ErrPatchTooBig, reason: fmt.Sprintf(
			"the patch reads, copies and moves more than %d MiB: send fewer operations at a time", MaxPatchWork>>20)}
	}
	return nil
}

func (e *editor) apply(o *operation) *obstacle {
	switch o.op {
	case "add":
		return e.add(o.path, &value{raw: o.value})
	case "remove":
		_, err := e.remove(o.path)
		return err
	case "replace":
		return e.replace(o.path, o.value)
	case "move":
		return e.move(o)
	case "copy":
		return e.copy(o)
	default:
		return e.test(o.path, o.value)
	}
}

// get finds what a pointer names.
func (e *editor) get(tokens []string) (*value, *obstacle) {
	v := e.root
	for _, token := range tokens {
		if err := e.open(v); err != nil {
			return nil, err
		}
		switch {
		case v.object != nil:
			i := v.object.find(token)
			if i < 0 {
				return nil, missing(token)
			}
			v = v.object.at(i)
		case v.array != nil:
			i, bad := index(token, len(v.array.elements)-1)
			if bad != nil {
				return nil, failed(bad.Error())
			}
			v = v.array.at(i)
		default:
			return nil, failed(quote(token) + " is looked for inside " + kindName(v.raw[0]))
		}
	}
	return v, nil
}

func missing(key string) *obstacle { return failed("there is no member " + quote(key)) }

// open parses a container, once; a scalar stays as it is.
func (e *editor) open(v *value) *obstacle {
	if v.object != nil || v.array != nil {
		return nil
	}
	switch v.raw[0] {
	case '{':
		return e.spend(len(v.raw) + memberWork*len(v.openObject().members))
	case '[':
		return e.spend(len(v.raw) + elementWork*len(v.openArray().elements))
	}
	return nil
}

// parent finds the container of what a pointer names, opened, and the last
// token. The pointer names not the whole document.
func (e *editor) parent(p pointer) (*value, string, *obstacle) {
	last := len(p.tokens) - 1
	v, err := e.get(p.tokens[:last])
	if err != nil {
		return nil, "", err
	}
	if err := e.open(v); err != nil {
		return nil, "", err
	}
	if v.object == nil && v.array == nil {
		return nil, "", failed(quote(p.tokens[last]) + " is looked for inside " + kindName(v.raw[0]))
	}
	return v, p.tokens[last], nil
}

func (e *editor) add(p pointer, v *value) *obstacle {
	if len(p.tokens) == 0 {
		e.root = v
		return nil
	}
	container, token, err := e.parent(p)
	if err != nil {
		return err
	}
	if o := container.object; o != nil {
		o.set(token, quoted(token), v)
		return nil
	}
	a := container.array
	i := len(a.elements)
	if token != "-" { // which stands for the end
		var bad error
		if i, bad = index(token, len(a.elements)); bad != nil {
			return failed(bad.Error())
		}
	}
	if err := e.spend(elementWork * (len(a.elements) - i)); err != nil {
		return err
	}
	a.elements = slices.Insert(a.elements, i, element{child: v})
	return nil
}

// remove takes a value out of the tree and returns it. The pointer names not
// the whole document.
func (e *editor) remove(p pointer) (*value, *obstacle) {
	container, token, err := e.parent(p)
	if err != nil {
		return nil, err
	}
	if o := container.object; o != nil {
		i := o.find(token)
		if i < 0 {
			return nil, missing(token)
		}
		v := o.at(i)
		o.remove(i)
		return v, nil
	}
	a := container.array
	i, bad := index(token, len(a.elements)-1)
	if bad != nil {
		return nil, failed(bad.Error())
	}
	if err := e.spend(elementWork * (len(a.elements) - i)); err != nil {
		return nil, err
	}
	v := a.at(i)
	a.elements = slices.Delete(a.elements, i, i+1)
	return v, nil
}

func (e *editor) replace(p pointer, raw string) *obstacle {
	v, err := e.get(p.tokens)
	if err != nil {
		return err
	}
	*v = value{raw: raw}
	return nil
}

func (e *editor) move(o *operation) *obstacle {
	if o.from.text == o.path.text { // it must be there, and stays
		_, err := e.get(o.from.tokens)
		return err
	}
	v, err := e.remove(o.from)
	if err != nil {
		return err
	}
	return e.add(o.path, v)
}

func (e *editor) copy(o *operation) *obstacle {
	v, err := e.get(o.from.tokens)
	if err != nil {
		return err
	}
	raw := v.String()
	if err := e.spend(len(raw)); err != nil {
		return err
	}
	return e.add(o.path, &value{raw: raw})
}

func (e *editor) test(p pointer, want string) *obstacle {
	v, err := e.get(p.tokens)
	if err != nil {
		return err
	}
	have := v.String()
	if err := e.spend(len(have) + len(want)); err != nil {
		return err
	}
	if !equal(&value{raw: have}, &value{raw: want}) {
		return failed("the value is " + summary(have) + ", not " + summary(want))
	}
	return nil
}
