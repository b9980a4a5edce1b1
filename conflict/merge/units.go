package merge

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// unit is a part of a document that is merged as a whole.
type unit struct {
	path  string // JSON pointer
	value json.RawMessage
}

// unitsOf takes a document apart: its members, and the members of those objects
// that rules look into. An object that is split and has no members is a unit
// itself. The order is that of the document.
func (r *Rules) unitsOf(body []byte) ([]unit, error) {
	return r.appendUnits(nil, "", body)
}

func (r *Rules) appendUnits(to []unit, path string, object []byte) ([]unit, error) {
	d := json.NewDecoder(bytes.NewReader(object))
	if _, err := d.Token(); err != nil {
		return nil, fmt.Errorf("merge: a document that is no JSON: %w", err)
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("merge: a document that is no JSON: %w", err)
		}
		name, ok := key.(string)
		if !ok {
			return nil, fmt.Errorf("merge: a document that is no object at %q", path)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, fmt.Errorf("merge: a document that is no JSON: %w", err)
		}
		at := path + "/" + Step(name)
		if !r.split[at] || value[0] != '{' || isEmptyObject(value) {
			to = append(to, unit{at, value})
			continue
		}
		if to, err = r.appendUnits(to, at, value); err != nil {
			return nil, err
		}
	}
	return to, nil
}

func isEmptyObject(value []byte) bool {
	return len(bytes.TrimSpace(value[1:len(value)-1])) == 0
}

// inside says whether one path is a part of the other.
func inside(part, whole string) bool { return strings.HasPrefix(part, whole+"/") }

// assemble is the document of units, in their order; each split object stands
// where the first of its units is.
func assemble(units []unit) []byte {
	root := &object{of: map[string]*object{}}
	for _, u := range units {
		at := root
		steps := strings.Split(u.path[1:], "/")
		for _, step := range steps[:len(steps)-1] {
			at = at.member(step)
		}
		at.member(steps[len(steps)-1]).value = u.value
	}
	return root.appendTo(nil)
}

// object is a document that is being put together.
type object struct {
	value json.RawMessage // of a unit; nil for an object with members
	names []string        // steps of pointers, in order
	of    map[string]*object
}

func (o *object) member(step string) *object {
	m, ok := o.of[step]
	if !ok {
		m = &object{of: map[string]*object{}}
		o.of[step] = m
		o.names = append(o.names, step)
	}
	return m
}

func (o *object) appendTo(b []byte) []byte {
	if o.value != nil {
		return append(b, o.value...)
	}
	b = append(b, '{')
	for i, step := range o.names {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendName(b, step)
		b = o.of[step].appendTo(append(b, ':'))
	}
	return append(b, '}')
}

// appendName writes a step of a pointer as a member's name.
func appendName(b []byte, step string) []byte {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(fromStep.Replace(step)); err != nil {
		panic("merge: a text has no JSON form: " + err.Error())
	}
	return append(b, bytes.TrimSuffix(text.Bytes(), []byte("\n"))...)
}

// equal says whether two JSON values mean the same: blanks, the spelling of
// numbers and of texts, and the order of members aside.
func equal(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	if len(a) == 0 || len(b) == 0 {
		return false
	}
	return canonical(a) == canonical(b)
}

// canonical is one text for all spellings of a JSON value.
func canonical(value []byte) string {
	d := json.NewDecoder(bytes.NewReader(value))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return string(value)
	}
	out, err := json.Marshal(plain(v)) // members are sorted by name
	if err != nil {
		return string(value)
	}
	return string(out)
}

// plain spells all numbers of a value alike.
func plain(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := parseNumber(v.String()); err == nil {
			return json.Number(text(n))
		}
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = plain(v[name])
		}
	}
	return v
}
