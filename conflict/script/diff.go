package script

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// Change is one place where two documents differ.
type Change struct {
	Path   string          `json:"path"`             // JSON pointer (RFC 6901); empty for the whole document
	Before json.RawMessage `json:"before,omitempty"` // absent where there was nothing
	After  json.RawMessage `json:"after,omitempty"`  // absent where there is nothing
}

// Diff lists where two JSON documents differ, sorted by path: members by name,
// elements by index. Nil stands for no document. Numbers of one value and
// strings of one text are equal however they are spelled; the order of members
// does not matter. After MaxChanges it ends, and more is true. The error is
// that of text that is no JSON, or deeper than MaxDepth.
func Diff(before, after []byte) (changes []Change, more bool, err error) {
	d := &differ{}
	if err := d.compare("", before, after, 0); err != nil {
		return nil, false, err
	}
	return d.changes, d.more, nil
}

type differ struct {
	changes []Change
	more    bool
}

func (d *differ) add(path string, before, after []byte) {
	if len(d.changes) == MaxChanges {
		d.more = true
		return
	}
	d.changes = append(d.changes, Change{path, before, after})
}

// compare compares two values, of which one may be absent.
func (d *differ) compare(path string, a, b []byte, level int) error {
	a, b = bytes.TrimSpace(a), bytes.TrimSpace(b)
	switch {
	case bytes.Equal(a, b):
		return nil
	case len(a) == 0 || len(b) == 0 || kindOf(a) != kindOf(b):
		d.add(path, a, b)
		return nil
	case level > MaxDepth:
		return fmt.Errorf("script: a document of more than %d levels", MaxDepth)
	}
	switch kindOf(a) {
	case '{':
		return d.objects(path, a, b, level)
	case '[':
		return d.arrays(path, a, b, level)
	case '"':
		same, err := sameText(a, b)
		if err != nil || same {
			return err
		}
	case '0':
		if isNumber(string(a)) && isNumber(string(b)) && decimalOf(string(a)) == decimalOf(string(b)) {
			return nil
		}
	}
	d.add(path, a, b)
	return nil
}

// kindOf is the first byte of a value; '0' for every number.
func kindOf(v []byte) byte {
	if v[0] == '-' || '0' <= v[0] && v[0] <= '9' {
		return '0'
	}
	return v[0]
}

func sameText(a, b []byte) (bool, error) {
	var x, y string
	if err := json.Unmarshal(a, &x); err != nil {
		return false, fmt.Errorf("script: compare documents: %w", err)
	}
	if err := json.Unmarshal(b, &y); err != nil {
		return false, fmt.Errorf("script: compare documents: %w", err)
	}
	return x == y, nil
}

func (d *differ) objects(path string, a, b []byte, level int) error {
	x, y := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	if err := unmarshalBoth(a, b, &x, &y); err != nil {
		return err
	}
	all := maps.Clone(x)
	maps.Copy(all, y)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if err := d.compare(path+"/"+pointerEscaper.Replace(name), x[name], y[name], level+1); err != nil {
			return err
		}
	}
	return nil
}

func (d *differ) arrays(path string, a, b []byte, level int) error {
	var x, y []json.RawMessage
	if err := unmarshalBoth(a, b, &x, &y); err != nil {
		return err
	}
	at := func(list []json.RawMessage, i int) []byte {
		if i < len(list) {
			return list[i]
		}
		return nil
	}
	for i := range max(len(x), len(y)) {
		if err := d.compare(path+"/"+strconv.Itoa(i), at(x, i), at(y, i), level+1); err != nil {
			return err
		}
	}
	return nil
}

func unmarshalBoth(a, b []byte, x, y any) error {
	if err := json.Unmarshal(a, x); err != nil {
		return fmt.Errorf("script: compare documents: %w", err)
	}
	if err := json.Unmarshal(b, y); err != nil {
		return fmt.Errorf("script: compare documents: %w", err)
	}
	return nil
}
