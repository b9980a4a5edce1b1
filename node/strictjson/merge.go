package strictjson

import "fmt"

// MergePatch applies an RFC 7396 merge patch. Members that the patch does not
// name keep their bytes and their order; new ones are appended in the order and
// spelling of the patch; removed ones vanish with their comma. A patch that is
// not an object replaces the document, as the RFC has it: run Check on the
// result, which may also be deeper or longer than either argument.
//
// A patch that is not strict JSON of at most MaxDepth levels gives an *Error,
// such a document an error that wraps ErrBadDocument. The work is linear in the
// length of both.
func MergePatch(doc, patch []byte) ([]byte, error) {
	from, err := checkValue(patch, Limits{})
	if err != nil {
		return nil, err
	}
	target, err := openDocument(doc)
	if err != nil {
		return nil, err
	}
	text := string(patch)
	change := &value{raw: text[from:skipValue(text, from)]}
	switch {
	case !change.isObject():
		target.root = change
	case target.root.isObject():
		merge(target.root, change)
	default:
		stripNulls(change)
		target.root = change
	}
	return target.bytes(), nil
}

// document is a document that is being patched: its value and what stands
// around it.
type document struct {
	head, trail string
	root        *value
}

func openDocument(doc []byte) (*document, error) {
	from, err := checkValue(doc, Limits{})
	if err != nil {
		// Only the text goes on: to the caller an *Error is about the patch.
		return nil, fmt.Errorf("%w: %s", ErrBadDocument, err.Error())
	}
	text := string(doc)
	to := skipValue(text, from)
	return &document{head: text[:from], trail: text[to:], root: &value{raw: text[from:to]}}, nil
}

func (d *document) bytes() []byte {
	out := make([]byte, 0, len(d.head)+len(d.root.raw)+len(d.trail))
	out = append(out, d.head...)
	out = d.root.appendTo(out)
	return append(out, d.trail...)
}

// merge applies a patch to a target; both are objects.
func merge(target, patch *value) {
	object := target.openObject()
	members := patch.openObject().members
	for i := range members {
		m := &members[i]
		place := object.find(m.key)
		change := &value{raw: m.raw}
		switch {
		case isNull(m.raw):
			if place >= 0 {
				object.remove(place)
			}
		case !change.isObject():
			object.set(m.key, spelling(m), change)
		case place >= 0 && object.at(place).isObject():
			merge(object.at(place), change)
		default:
			stripNulls(change)
			object.set(m.key, spelling(m), change)
		}
	}
}

// stripNulls makes of a patch object what it means where there is nothing to
// patch: the members that would be removed are not there. Arrays keep theirs.
func stripNulls(patch *value) {
	object := patch.openObject()
	for i := range object.members {
		m := &object.members[i]
		switch {
		case isNull(m.raw):
			object.remove(i)
		case m.raw[0] == '{':
			stripNulls(object.at(i))
		}
	}
}

func isNull(raw string) bool { return raw == "null" }

// spelling is the key of a member as its source wrote it, quotes included.
func spelling(m *member) string {
	from := skipSpace(m.head, 0)
	return m.head[from:skipString(m.head, from)]
}
