package script

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.starlark.net/starlark"
)

// encoder writes a Starlark value as JSON. The depth limit ends cycles, and the
// size limit ends values that contain one part many times.
type encoder struct {
	in   *inputs
	most int // bytes
	out  []byte
	path []string // members and indices down to the value at hand
}

// encodeError says where in a value something has no JSON form.
type encodeError struct{ path, msg string }

func (e *encodeError) Error() string {
	if e.path == "" {
		return e.msg
	}
	return "at " + e.path + ": " + e.msg
}

// encode returns the JSON of a value in at most that many bytes.
func (in *inputs) encode(v starlark.Value, most int) ([]byte, error) {
	e := &encoder{in: in, most: most}
	if err := e.value(v); err != nil {
		return nil, err
	}
	return e.out, nil
}

func (e *encoder) failf(format string, args ...any) error {
	var path strings.Builder
	for _, step := range e.path {
		path.WriteString("/" + pointerEscaper.Replace(step))
	}
	return &encodeError{cut(path.String(), maxPathText), fmt.Sprintf(format, args...)}
}

// maxPathText is how much of a path an error shows, in bytes.
const maxPathText = 200

// pointerEscaper writes a member's name as a token of a JSON pointer (RFC 6901).
var pointerEscaper = strings.NewReplacer("~", "~0", "/", "~1")

func (e *encoder) value(v starlark.Value) error {
	if err := e.part(v); err != nil {
		return err
	}
	if len(e.out) > e.most {
		return e.failf("more than %d bytes", e.most)
	}
	return nil
}

// part writes one value, whatever its size.
func (e *encoder) part(v starlark.Value) error {
	switch v := v.(type) {
	case starlark.NoneType:
		e.out = append(e.out, "null"...)
	case starlark.Bool:
		e.out = strconv.AppendBool(e.out, bool(v))
	case starlark.Int:
		if !inDouble(v) {
			return e.failf("an integer outside the range of a double: send it as a string")
		}
		e.out = append(e.out, v.String()...)
	case starlark.Float:
		if !finite(float64(v)) {
			return e.failf("%s is not a number in JSON", v)
		}
		e.out = e.in.spelt.appendFloat(e.out, float64(v))
	case starlark.String:
		return e.str(string(v))
	case *starlark.Dict:
		return e.container(v, v.Len(), e.members)
	case *starlark.List:
		return e.container(v, v.Len(), e.elements)
	case starlark.Tuple:
		return e.container(v, v.Len(), e.elements)
	case *siblingValue:
		return e.failf("a sibling is not a JSON value: use its .doc")
	default:
		return e.failf("a %s is not a JSON value", v.Type())
	}
	return nil
}

// container writes an object or array: one of the input by its own bytes.
func (e *encoder) container(v starlark.Value, size int, write func(starlark.Value) error) error {
	level := len(e.path) + 1
	if raw, ok := e.in.rawOf(v); ok && level+raw.levels-1 <= MaxDepth {
		e.out = append(e.out, raw.text...)
		return nil
	}
	switch {
	case level > MaxDepth:
		return e.failf("more than %d levels, or a value within itself", MaxDepth)
	case size > e.most: // each takes a byte or more
		return e.failf("more than %d bytes", e.most)
	}
	return write(v)
}

func (e *encoder) members(v starlark.Value) error {
	dict := v.(*starlark.Dict)
	e.out = append(e.out, '{')
	first := true
	for key, member := range dict.Entries() {
		name, ok := key.(starlark.String)
		if !ok {
			return e.failf("the key %s is a %s: keys are strings", cut(key.String(), maxPathText), key.Type())
		}
		if !first {
			e.out = append(e.out, ',')
		}
		first = false
		e.path = append(e.path, string(name))
		if err := e.str(string(name)); err != nil {
			return err
		}
		e.out = append(e.out, ':')
		if err := e.value(member); err != nil {
			return err
		}
		e.path = e.path[:len(e.path)-1]
	}
	e.out = append(e.out, '}')
	return nil
}

func (e *encoder) elements(v starlark.Value) error {
	list := v.(starlark.Indexable)
	e.out = append(e.out, '[')
	for i := range list.Len() {
		if i > 0 {
			e.out = append(e.out, ',')
		}
		e.path = append(e.path, strconv.Itoa(i))
		if err := e.value(list.Index(i)); err != nil {
			return err
		}
		e.path = e.path[:len(e.path)-1]
	}
	e.out = append(e.out, ']')
	return nil
}

// str writes a string. What stands in no JSON string by itself is escaped, all
// else is written as it is.
func (e *encoder) str(s string) error {
	if len(s) > e.most {
		return e.failf("more than %d bytes", e.most)
	}
	if !utf8.ValidString(s) {
		return e.failf("a string that is not UTF-8")
	}
	e.out = append(e.out, '"')
	from := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		e.out = append(e.out, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			e.out = append(e.out, '\\', c)
		case '\n':
			e.out = append(e.out, `\n`...)
		case '\r':
			e.out = append(e.out, `\r`...)
		case '\t':
			e.out = append(e.out, `\t`...)
		default:
			e.out = fmt.Appendf(e.out, `\u%04x`, c)
		}
	}
	e.out = append(append(e.out, s[from:]...), '"')
	return nil
}

// cut shortens a text for a message to that many bytes of valid UTF-8.
func cut(s string, most int) string {
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
