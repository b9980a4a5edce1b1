package strictjson

import "strings"

// The tree of a document that is being patched. Only containers on the way to
// a change are opened; a container that is opened and not changed gives back
// its exact bytes, since its parts keep every byte between two separators.
// All texts here were checked before, and share the memory of their source.

// value is one value of the tree. With neither object nor array it is closed:
// then raw is all there is to it.
type value struct {
	raw    string // exact bytes without whitespace around; outdated when open
	object *object
	array  *array
}

// object is an opened object.
type object struct {
	members []member
	finds   int            // calls of find so far
	index   map[string]int // place in members by key; nil before it pays
	tail    string         // whitespace before the closing brace
}

// member is one member of an opened object.
type member struct {
	key   string // decoded
	head  string // from the separator before it to its value
	raw   string // its value, while child is nil
	trail string // from its value to the separator behind it
	child *value // its value, once somebody asked for it
	gone  bool   // removed; keeps its place, so that the index stays true
}

// array is an opened array.
type array struct {
	elements []element
	tail     string // whitespace before the closing bracket
}

// element is one element of an opened array.
type element struct {
	raw   string // from separator to separator, whitespace included
	child *value // stands for what is inside the whitespace; nil until somebody asked for it
}

func (v *value) isObject() bool { return v.object != nil || v.array == nil && v.raw[0] == '{' }

// String gives the bytes of a value as they stand now.
func (v *value) String() string {
	if v.object == nil && v.array == nil {
		return v.raw
	}
	return string(v.appendTo(make([]byte, 0, len(v.raw))))
}

func (v *value) appendTo(dst []byte) []byte {
	switch {
	case v.object != nil:
		return v.object.appendTo(dst)
	case v.array != nil:
		return v.array.appendTo(dst)
	}
	return append(dst, v.raw...)
}

func (o *object) appendTo(dst []byte) []byte {
	dst = append(dst, '{')
	separate := false
	for i := range o.members {
		m := &o.members[i]
		if m.gone {
			continue
		}
		if separate {
			dst = append(dst, ',')
		}
		separate = true
		dst = append(dst, m.head...)
		if m.child != nil {
			dst = m.child.appendTo(dst)
		} else {
			dst = append(dst, m.raw...)
		}
		dst = append(dst, m.trail...)
	}
	dst = append(dst, o.tail...)
	return append(dst, '}')
}

func (a *array) appendTo(dst []byte) []byte {
	dst = append(dst, '[')
	for i := range a.elements {
		e := &a.elements[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		if e.child == nil {
			dst = append(dst, e.raw...)
			continue
		}
		head, _, trail := e.parts()
		dst = append(dst, head...)
		dst = e.child.appendTo(dst)
		dst = append(dst, trail...)
	}
	dst = append(dst, a.tail...)
	return append(dst, ']')
}

// open parses the members of an object once.
func (v *value) openObject() *object {
	if v.object != nil {
		return v.object
	}
	o := &object{members: make([]member, 0, 8)} // as many as most objects have
	text, at := v.raw, 1
	for {
		start := at
		if at = skipSpace(text, at); text[at] == '}' {
			o.tail = text[start:at]
			break
		}
		m := member{}
		end := skipString(text, at)
		m.key = decoded(text[at:end])
		from := skipSpace(text, skipSpace(text, end)+1)
		to := skipValue(text, from)
		at = skipSpace(text, to)
		m.head, m.raw = text[start:from], text[from:to]
		if text[at] == '}' { // what stands before the brace stays there
			o.tail = text[to:at]
			o.members = append(o.members, m)
			break
		}
		m.trail = text[to:at]
		o.members = append(o.members, m)
		at++
	}
	v.object = o
	return o
}

// openArray parses the elements of an array once.
func (v *value) openArray() *array {
	if v.array != nil {
		return v.array
	}
	a := &array{}
	text, at := v.raw, 1
	for {
		start := at
		if at = skipSpace(text, at); text[at] == ']' {
			a.tail = text[start:at]
			break
		}
		to := skipValue(text, at)
		at = skipSpace(text, to)
		if text[at] == ']' {
			a.tail = text[to:at]
			a.elements = append(a.elements, element{raw: text[start:to]})
			break
		}
		a.elements = append(a.elements, element{raw: text[start:at]})
		at++
	}
	v.array = a
	return a
}

// linearFinds is how many members of a big object are looked for one by one
// before an index of it is made, which costs as much as some ten such searches.
const linearFinds = 8

// find returns the place of a member, or -1.
func (o *object) find(key string) int {
	if o.finds++; len(o.members) <= linearKeys || o.finds <= linearFinds {
		for i := range o.members {
			if m := &o.members[i]; !m.gone && m.key == key {
				return i
			}
		}
		return -1
	}
	if o.index == nil {
		o.index = make(map[string]int, len(o.members))
		for i := range o.members {
			if !o.members[i].gone {
				o.index[o.members[i].key] = i
			}
		}
	}
	if i, ok := o.index[key]; ok {
		return i
	}
	return -1
}

// at gives the value of the member at a place.
func (o *object) at(i int) *value {
	m := &o.members[i]
	if m.child == nil {
		m.child = &value{raw: m.raw}
	}
	return m.child
}

// set replaces the value of a member, or appends one. spelling is the key as
// it is to be written, quotes included; a member that is there keeps its own.
func (o *object) set(key, spelling string, v *value) {
	if i := o.find(key); i >= 0 {
		o.members[i].child = v
		return
	}
	o.members = append(o.members, member{key: key, head: spelling + ":", child: v})
	if o.index != nil {
		o.index[key] = len(o.members) - 1
	}
}

// remove takes the member at a place away, with its comma.
func (o *object) remove(i int) {
	o.members[i].gone = true
	if o.index != nil {
		delete(o.index, o.members[i].key)
	}
}

// at gives the value of the element at a place.
func (a *array) at(i int) *value {
	e := &a.elements[i]
	if e.child == nil {
		_, inner, _ := e.parts()
		e.child = &value{raw: inner}
	}
	return e.child
}

// parts cuts an element into its value and the whitespace around it.
func (e *element) parts() (head, inner, trail string) {
	from := skipSpace(e.raw, 0)
	inner = strings.TrimRight(e.raw[from:], " \t\r\n")
	return e.raw[:from], inner, e.raw[from+len(inner):]
}

// skipSpace, skipString and skipValue walk checked text.
func skipSpace(text string, at int) int {
	for at < len(text) && isSpace(text[at]) {
		at++
	}
	return at
}

// skipString returns the offset behind a string.
func skipString(text string, at int) int {
	for at++; ; at += 2 {
		if at = plain(text, at); text[at] == '"' {
			return at + 1
		}
	}
}

// skipValue returns the offset behind a value.
func skipValue(text string, at int) int {
	depth := 0
	for {
		switch text[at] {
		case '"':
			at = skipString(text, at)
		case '{', '[':
			depth++
			at++
		case '}', ']':
			depth--
			at++
		case ',', ':', ' ', '\t', '\r', '\n':
			at++
		default:
			at = skipScalar(text, at)
		}
		if depth == 0 {
			return at
		}
	}
}

// skipScalar returns the offset behind a number or a literal.
func skipScalar(text string, at int) int {
	for at < len(text) && text[at] > ' ' && text[at] != ',' && text[at] != ']' && text[at] != '}' {
		at++
	}
	return at
}

// decoded gives what a checked string, quotes included, means.
func decoded(raw string) string {
	inside := raw[1 : len(raw)-1]
	if strings.IndexByte(inside, '\\') < 0 {
		return inside
	}
	return string(appendDecoded(nil, inside))
}
