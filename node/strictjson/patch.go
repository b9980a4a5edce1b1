package strictjson

import (
	"errors"
	"fmt"
	"strconv"
)

const (
	// MaxOperations is how many operations one JSON patch may have.
	MaxOperations = 1000

	// MaxPatchWork is how many bytes one JSON patch may read, compare, copy and
	// move, all operations together. It bounds a patch that copies what it has
	// copied, or that inserts at the front of a long array again and again; it
	// is far above what a patch of ordinary size costs.
	MaxPatchWork = 256 << 20

	// patchDepth is how many levels a JSON patch may have: those of a value,
	// its operation, and the list of operations.
	patchDepth = MaxDepth + 2
)

// What a *PatchError wraps.
var (
	ErrPatchInvalid = errors.New("the JSON patch is not valid")            // wrong for any document
	ErrPatchFailed  = errors.New("the JSON patch does not apply")          // to this document
	ErrPatchTooBig  = errors.New("the JSON patch is above a stated limit") // MaxOperations, MaxPatchWork
)

// PatchError says which operation of a JSON patch could not be done, and why.
type PatchError struct {
	Kind      error  // ErrPatchInvalid, ErrPatchFailed or ErrPatchTooBig
	Operation int    // from 0; -1 when it is the patch as a whole
	Op        string // "add", "test", …; empty when it is not known
	Path      string // JSON pointer; empty when it is not known, or for the whole document
	Reason    string // in plain words
}

// Error implements error.
func (e *PatchError) Error() string {
	if e.Operation < 0 {
		return e.Kind.Error() + ": " + e.Reason
	}
	op := ""
	if e.Op != "" {
		op = fmt.Sprintf(" (%s %s)", e.Op, quote(e.Path))
	}
	return fmt.Sprintf("%s: operation %d%s: %s", e.Kind, e.Operation, op, e.Reason)
}

// Unwrap returns the kind.
func (e *PatchError) Unwrap() error { return e.Kind }

// JSONPatch applies an RFC 6902 JSON patch: all of it, or an error. Whatever
// the operations do not name keeps its bytes. A test compares numbers as
// decimals, so 1.0 equals 1 and 9007199254740993 does not equal
// 9007199254740992; strings as decoded; objects without order.
//
// Run Check on the result: it may be deeper or longer than either argument, or
// no object. A patch that is not strict JSON gives an *Error, such a document
// an error that wraps ErrBadDocument, everything else a *PatchError.
func JSONPatch(doc, patch []byte) ([]byte, error) {
	operations, err := parsePatch(patch)
	if err != nil {
		return nil, err
	}
	target, err := openDocument(doc)
	if err != nil {
		return nil, err
	}
	e := editor{root: target.root, work: MaxPatchWork}
	for i := range operations {
		o := &operations[i]
		if err := e.apply(o); err != nil {
			return nil, &PatchError{Kind: err.kind, Operation: i, Op: o.op, Path: o.path.text, Reason: err.reason}
		}
	}
	target.root = e.root
	return target.bytes(), nil
}

// operation is one step of a JSON patch, already found to be well formed.
type operation struct {
	op    string
	path  pointer
	from  pointer // of move and copy
	value string  // of add, replace and test: exact bytes
}

// parsePatch reads the list of operations.
func parsePatch(patch []byte) ([]operation, error) {
	start, err := checkValue(patch, Limits{Depth: patchDepth})
	if err != nil {
		return nil, err
	}
	if patch[start] != '[' {
		return nil, &PatchError{
			Kind: ErrPatchInvalid, Operation: -1,
			Reason: "it must be an array of operations, found " + kindName(patch[start]),
		}
	}
	text := string(patch)
	list := (&value{raw: text[start:skipValue(text, start)]}).openArray()
	if len(list.elements) > MaxOperations {
		return nil, &PatchError{
			Kind: ErrPatchTooBig, Operation: -1,
			Reason: fmt.Sprintf("%d operations, %d are allowed", len(list.elements), MaxOperations),
		}
	}
	operations := make([]operation, len(list.elements))
	for i := range operations {
		o := &operations[i]
		if err := o.parse(list.at(i)); err != nil {
			return nil, &PatchError{Kind: ErrPatchInvalid, Operation: i, Op: o.op, Path: o.path.text, Reason: err.Error()}
		}
	}
	return operations, nil
}

// parse reads one operation. Members that the RFC does not name are ignored,
// as it demands.
func (o *operation) parse(v *value) error {
	if !v.isObject() {
		return errors.New("an operation must be an object, found " + kindName(v.raw[0]))
	}
	members := v.openObject()
	op, err := stringIn(members, "op")
	if err != nil {
		return err
	}
	o.op = op
	if o.path, err = pointerIn(members, "path"); err != nil {
		return err
	}
	switch op {
	case "add", "replace", "test":
		place := members.find("value")
		if place < 0 {
			return errors.New(`"value" is missing`)
		}
		o.value = members.members[place].raw
	case "move", "copy":
		if o.from, err = pointerIn(members, "from"); err != nil {
			return err
		}
		if op == "move" && o.from.above(o.path) {
			return errors.New("a value cannot be moved into itself")
		}
	case "remove":
		if len(o.path.tokens) == 0 {
			return errors.New("the whole document cannot be removed by a patch: delete it")
		}
	default:
		return errors.New("unknown operation " + quote(op) + ": there are add, remove, replace, move, copy, test")
	}
	return nil
}

// stringIn reads a member that must be a string.
func stringIn(o *object, name string) (string, error) {
	place := o.find(name)
	if place < 0 {
		return "", errors.New(strconv.Quote(name) + " is missing")
	}
	raw := o.members[place].raw
	if raw[0] != '"' {
		return "", errors.New(strconv.Quote(name) + " must be a string, found " + kindName(raw[0]))
	}
	return decoded(raw), nil
}

func pointerIn(o *object, name string) (pointer, error) {
	s, err := stringIn(o, name)
	if err != nil {
		return pointer{}, err
	}
	p, err := parsePointer(s)
	if err != nil {
		return pointer{}, fmt.Errorf("%q: %w", name, err)
	}
	return p, nil
}
