package script

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"go.starlark.net/starlark"
)

// inputs is what is remembered of the documents that a call was given, so that
// what the script hands through leaves as it came.
type inputs struct {
	values int                        // JSON values decoded so far
	spelt  spellings                  // of doubles
	raw    map[starlark.Value]rawPart // of each object and array
}

// rawPart is an object or array as the input spells it.
type rawPart struct {
	text   string
	levels int // its own brackets included
}

func newInputs() *inputs {
	return &inputs{spelt: spellings{}, raw: map[starlark.Value]rawPart{}}
}

// rawOf returns an object or array of the input as the input spells it.
func (in *inputs) rawOf(v starlark.Value) (rawPart, bool) {
	switch v.(type) {
	case *starlark.Dict, *starlark.List:
		raw, ok := in.raw[v]
		return raw, ok
	default: // a tuple is no key of a map, and never an input
		return rawPart{}, false
	}
}

// document decodes one JSON object into a frozen dict. The errors are those of
// a body that the store would have refused, and of MaxValues.
func (in *inputs) document(body []byte) (starlark.Value, error) {
	if !isObject(body) {
		return nil, errors.New("not a JSON object")
	}
	return in.value(body)
}

// isObject says whether valid JSON is an object.
func isObject(body []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(body, " \n\t\r"), []byte("{"))
}

// value decodes any JSON value, frozen.
func (in *inputs) value(body []byte) (starlark.Value, error) {
	// After these two checks the walk below meets no bad syntax.
	if !utf8.Valid(body) || !json.Valid(body) {
		return nil, errors.New("not JSON in UTF-8")
	}
	d := decoder{in: in, text: string(body)}
	d.blank()
	v, err := d.value(1)
	if err != nil {
		return nil, err
	}
	v.Freeze()
	return v, nil
}

// decoder walks over valid JSON.
type decoder struct {
	in      *inputs
	text    string
	at      int
	deepest int // level reached so far
}

func (d *decoder) blank() {
	for d.at < len(d.text) && (d.text[d.at] == ' ' || d.text[d.at] == '\n' || d.text[d.at] == '\t' || d.text[d.at] == '\r') {
		d.at++
	}
}

// value decodes the value at the cursor, which is no blank. The level is that
// of an object or array here, 1 for the document's own.
func (d *decoder) value(level int) (starlark.Value, error) {
	if d.in.values++; d.in.values > MaxValues {
		return nil, fmt.Errorf("more than %d JSON values in all documents of the conflict", MaxValues)
	}
	switch c := d.text[d.at]; c {
	case '{', '[':
		if level > MaxDepth {
			return nil, fmt.Errorf("more than %d levels", MaxDepth)
		}
		return d.container(c, level)
	case '"':
		return starlark.String(d.str()), nil
	case 't':
		d.at += len("true")
		return starlark.True, nil
	case 'f':
		d.at += len("false")
		return starlark.False, nil
	case 'n':
		d.at += len("null")
		return starlark.None, nil
	default:
		return d.number()
	}
}

func (d *decoder) container(open byte, level int) (starlark.Value, error) {
	from, before := d.at, d.deepest
	d.deepest = level
	d.at++
	read := d.object
	if open == '[' {
		read = d.array
	}
	v, err := read(level)
	if err != nil {
		return nil, err
	}
	d.in.raw[v] = rawPart{d.text[from:d.at], d.deepest - level + 1}
	d.deepest = max(d.deepest, before)
	return v, nil
}

func (d *decoder) array(level int) (starlark.Value, error) {
	var elems []starlark.Value
	for d.more(']') {
		v, err := d.value(level + 1)
		if err != nil {
			return nil, err
		}
		elems = append(elems, v)
	}
	return starlark.NewList(elems), nil
}

func (d *decoder) object(level int) (starlark.Value, error) {
	dict := new(starlark.Dict)
	for d.more('}') {
		key := starlark.String(d.str())
		d.blank()
		d.at++ // the colon
		d.blank()
		v, err := d.value(level + 1)
		if err != nil {
			return nil, err
		}
		members := dict.Len()
		if err := dict.SetKey(key, v); err != nil {
			return nil, err
		}
		if dict.Len() == members {
			return nil, fmt.Errorf("the key %.60q stands twice in one object", string(key))
		}
	}
	return dict, nil
}

// more moves to the next element, or over the closing bracket.
func (d *decoder) more(end byte) bool {
	d.blank()
	if d.text[d.at] == ',' {
		d.at++
		d.blank()
	}
	if d.text[d.at] == end {
		d.at++
		return false
	}
	return true
}

// str decodes the string at the cursor.
func (d *decoder) str() string {
	from, plain := d.at, true
	for d.at++; d.text[d.at] != '"'; d.at++ {
		if d.text[d.at] == '\\' {
			plain = false
			d.at++
		}
	}
	d.at++
	if plain {
		return d.text[from+1 : d.at-1]
	}
	var s string
	if err := json.Unmarshal([]byte(d.text[from:d.at]), &s); err != nil {
		panic("script: a string of valid JSON does not decode: " + err.Error())
	}
	return s
}

func (d *decoder) number() (starlark.Value, error) {
	from := d.at
	for d.at < len(d.text) && inNumber(d.text[d.at]) {
		d.at++
	}
	text := d.text[from:d.at]
	if integral(text) {
		if n, ok := integerOf(text); ok && inDouble(n) {
			return n, nil
		}
		return nil, fmt.Errorf("the number %.40s is outside the range of a double", text)
	}
	return d.in.float(text)
}

// float decodes a number that is not spelled as an integer.
func (in *inputs) float(text string) (starlark.Value, error) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil, fmt.Errorf("the number %.40s is outside the range of a double", text)
	}
	in.spelt.add(f, text)
	return starlark.Float(f), nil
}

// sum decodes the exact decimal of a sum.
func (in *inputs) sum(text string) (starlark.Value, error) {
	if !isNumber(text) {
		return nil, fmt.Errorf("the sum %.40q is not a JSON number", text)
	}
	if n, ok := decimalOf(text).integer(); ok && inDouble(n) {
		return n, nil
	}
	return in.float(text)
}

func inNumber(c byte) bool {
	return '0' <= c && c <= '9' || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'
}

// isNumber says whether a text is one JSON number and nothing else.
func isNumber(text string) bool {
	for i := range len(text) {
		if !inNumber(text[i]) {
			return false
		}
	}
	return json.Valid([]byte(text))
}
