package strictjson

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// The operations of Ops, in the order in which they are carried out.
const (
	opInc    = "inc"
	opAppend = "append"
	opAdd    = "add_to_set"
	opRemove = "remove"
)

// Limits of the arithmetic of inc.
const (
	// MaxDigits is the most digits of a number that inc takes or makes: the sum of
	// 1e308 and 1e-308 has 617.
	MaxDigits = 400
	// plainDigits is the length up to which a sum is written without exponent.
	plainDigits = 40
)

// Ops carries out intents: what shall become of members, whatever they are.
//
//	{"inc": {"/balance": -100}, "append": {"/log": ["a"]},
//	 "add_to_set": {"/tags": ["x", "y"]}, "remove": {"/tags": ["z"]}}
//
// Each kind has JSON pointers with, for inc, a number, else an array of
// elements. inc adds exactly, in decimals; append puts elements at the end;
// add_to_set puts those there that no element equals; remove takes all elements
// out that equal one. Numbers are equal by value. A member that is missing
// counts as 0 or as an empty array, if its container is there. Whatever is not
// named keeps its bytes. All of it is carried out, or none.
//
// Run Check on the result. The errors are those of JSONPatch; Operation counts
// the pointers in the order given.
func Ops(doc, ops []byte) ([]byte, error) {
	intents, err := parseOps(ops)
	if err != nil {
		return nil, err
	}
	target, err := openDocument(doc)
	if err != nil {
		return nil, err
	}
	e := editor{root: target.root, work: MaxPatchWork}
	for i := range intents {
		n := &intents[i]
		if err := e.intend(n); err != nil {
			return nil, &PatchError{Kind: err.kind, Operation: i, Op: n.op, Path: n.path.text, Reason: err.reason}
		}
	}
	target.root = e.root
	return target.bytes(), nil
}

// intent is one member of one kind, already found to be well formed.
type intent struct {
	op       string
	path     pointer
	number   string   // of inc
	elements []string // of the others
}

// parseOps reads the intents.
func parseOps(ops []byte) ([]intent, error) {
	start, err := checkValue(ops, Limits{Depth: patchDepth})
	if err != nil {
		return nil, err
	}
	invalid := func(format string, args ...any) error {
		return &PatchError{Kind: ErrPatchInvalid, Operation: -1, Reason: fmt.Sprintf(format, args...)}
	}
	text := string(ops)
	root := &value{raw: text[start:skipValue(text, start)]}
	if !root.isObject() {
		return nil, invalid("the operations must be an object, found %s", kindName(ops[start]))
	}
	kinds := root.openObject()
	for i := range kinds.members {
		switch kinds.members[i].key {
		case opInc, opAppend, opAdd, opRemove:
		default:
			return nil, invalid("unknown operation %s: there are %s", quote(kinds.members[i].key), strings.Join([]string{opInc, opAppend, opAdd, opRemove}, ", "))
		}
	}
	var out []intent
	for _, op := range []string{opInc, opAppend, opAdd, opRemove} {
		place := kinds.find(op)
		if place < 0 {
			continue
		}
		list := kinds.at(place)
		if !list.isObject() {
			return nil, invalid("%q must be an object of JSON pointers, found %s", op, kindName(list.raw[0]))
		}
		members := list.openObject()
		for i := range members.members {
			n := intent{op: op}
			if err := n.parse(members.members[i].key, members.at(i)); err != nil {
				return nil, &PatchError{Kind: ErrPatchInvalid, Operation: len(out), Op: op, Path: members.members[i].key, Reason: err.Error()}
			}
			out = append(out, n)
		}
	}
	if len(out) == 0 || len(out) > MaxOperations {
		return nil, invalid("%d operations: want 1 to %d", len(out), MaxOperations)
	}
	return out, nil
}

func (n *intent) parse(path string, v *value) error {
	var err error
	if n.path, err = parsePointer(path); err != nil {
		return err
	}
	if len(n.path.tokens) == 0 {
		return errors.New("the pointer names the whole document: want a member")
	}
	if n.op == opInc {
		if !isNumber(v.raw[0]) {
			return errors.New("inc wants a number, found " + kindName(v.raw[0]))
		}
		n.number = v.raw
		return nil
	}
	if v.raw[0] != '[' {
		return errors.New(n.op + " wants an array of elements, found " + kindName(v.raw[0]))
	}
	list := v.openArray()
	if len(list.elements) > MaxOperations {
		return fmt.Errorf("%d elements: at most %d", len(list.elements), MaxOperations)
	}
	for i := range list.elements {
		n.elements = append(n.elements, list.at(i).raw)
	}
	return nil
}

// intend carries out one intent.
func (e *editor) intend(n *intent) *obstacle {
	container, token, err := e.parent(n.path)
	if err != nil {
		return err
	}
	if o := container.object; o != nil && o.find(token) < 0 {
		missing := "[]"
		if n.op == opInc {
			missing = "0"
		}
		o.set(token, quoted(token), &value{raw: missing})
	}
	v, err := e.get(n.path.tokens)
	if err != nil {
		return err
	}
	if n.op == opInc {
		sum, err := add(v.String(), n.number)
		if err != nil {
			return err
		}
		*v = value{raw: sum}
		return nil
	}
	if err := e.open(v); err != nil {
		return err
	}
	if v.array == nil {
		return failed(n.op + " wants an array there, and it is " + kindName(v.String()[0]))
	}
	return e.change(v.array, n)
}

// change puts elements into an array, or takes them out.
func (e *editor) change(a *array, n *intent) *obstacle {
	for _, raw := range n.elements {
		if n.op == opAppend {
			a.elements = append(a.elements, element{child: &value{raw: raw}})
			continue
		}
		kept := a.elements[:0:0]
		for i := range a.elements {
			have := a.at(i).String()
			if err := e.spend(len(have) + len(raw)); err != nil {
				return err
			}
			if !equal(&value{raw: have}, &value{raw: raw}) {
				kept = append(kept, a.elements[i])
			}
		}
		switch {
		case n.op == opRemove:
			a.elements = kept
		case len(kept) == len(a.elements):
			a.elements = append(a.elements, element{child: &value{raw: raw}})
		}
	}
	return nil
}

// add returns the sum of two numbers, exactly.
func add(have, by string) (string, *obstacle) {
	if !isNumber(have[0]) {
		return "", failed("inc wants a number there, and it is " + kindName(have[0]))
	}
	x, y := decimalOf(have), decimalOf(by)
	low := min(x.exponent, y.exponent)
	high := max(x.exponent+len(x.digits), y.exponent+len(y.digits))
	if x.huge != "" || y.huge != "" || high-low > MaxDigits {
		return "", failed(fmt.Sprintf("the sum of %s and %s has more than %d digits", summary(have), summary(by), MaxDigits))
	}
	sum := new(big.Int).Add(x.scaled(low), y.scaled(low))
	text := written(sum, low)
	if _, err := (&checker{body: []byte(text)}).number(0); err != nil {
		return "", failed("the sum of " + summary(have) + " and " + summary(by) + " is outside the range of a double")
	}
	return text, nil
}

// scaled is the number in units of a power of ten that is no larger than its own.
func (d decimal) scaled(exponent int) *big.Int {
	if d.digits == "" {
		return new(big.Int)
	}
	n, _ := new(big.Int).SetString(d.digits+strings.Repeat("0", d.exponent-exponent), 10)
	if d.negative {
		n.Neg(n)
	}
	return n
}

// written is a number of so many units of a power of ten, in its shortest plain
// form, or with an exponent where that has many zeros.
func written(n *big.Int, exponent int) string {
	if n.Sign() == 0 {
		return "0"
	}
	sign := ""
	digits := new(big.Int).Abs(n).String()
	if n.Sign() < 0 {
		sign = "-"
	}
	trimmed := strings.TrimRight(digits, "0")
	exponent += len(digits) - len(trimmed)
	digits = trimmed
	point := len(digits) + exponent // where the decimal point is
	switch {
	case exponent >= 0 && point <= plainDigits:
		return sign + digits + strings.Repeat("0", exponent)
	case exponent < 0 && point > 0:
		return sign + digits[:point] + "." + digits[point:]
	case exponent < 0 && len(digits)-point <= plainDigits:
		return sign + "0." + strings.Repeat("0", -point) + digits
	}
	return fmt.Sprintf("%s%se%d", sign, digits, exponent)
}
