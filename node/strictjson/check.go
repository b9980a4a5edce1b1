package strictjson

import (
	"bytes"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// MaxDepth is the default for Limits.Depth, in levels: the document's own
// object is the first.
const MaxDepth = 64

// Limits bound what Check accepts. The caller bounds the length of a body.
type Limits struct {
	Depth int // levels of objects and arrays; 0 means MaxDepth
}

// Check says whether body is exactly one JSON object that every parser reads
// alike. An *Error says where it is not strict JSON: syntax, a key twice in one
// object (keys are compared as decoded), invalid UTF-8, a lone surrogate, a
// number outside a double's range (one too small is 0, which is fine), too many
// levels, bytes after the object, a byte order mark. Sound JSON that is not an
// object gives an error that wraps ErrNotObject.
//
// A sound body costs O(n), and no allocation while no object has more than 32
// keys and the objects that are open at one place have no more than 48 yet.
func Check(body []byte, limits Limits) error {
	start, err := checkValue(body, limits)
	if err != nil {
		return err
	}
	if body[start] != '{' {
		return fmt.Errorf("%w, found %s", ErrNotObject, kindName(body[start]))
	}
	return nil
}

// kindName names a value in words by its first byte.
func kindName(first byte) string {
	switch first {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}

// checkValue checks a body that may hold any one value, and returns where that
// value begins.
func checkValue(body []byte, limits Limits) (start int, err error) {
	if !utf8.Valid(body) {
		return 0, failAt(body, firstInvalid(body), "invalid UTF-8")
	}
	if bytes.HasPrefix(body, []byte("\ufeff")) {
		return 0, failAt(body, 0, "a byte order mark: send UTF-8 without one")
	}
	if limits.Depth <= 0 {
		limits.Depth = MaxDepth
	}
	c := checker{body: body, limit: limits.Depth}
	start = c.space(0)
	end, err := c.value(start)
	if err != nil {
		return 0, err
	}
	if end = c.space(end); end < len(body) {
		return 0, expected(body, end, "the end of the body")
	}
	return start, nil
}

// firstInvalid finds the first byte that is not UTF-8.
func firstInvalid(body []byte) int {
	at := 0
	for at < len(body) {
		r, size := utf8.DecodeRune(body[at:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	return at
}

// checker walks a body by recursive descent. Each method takes the offset where
// its part begins and returns the offset behind it.
type checker struct {
	body  []byte
	limit int    // levels allowed
	depth int    // levels open
	text  []byte // holds decoded keys
	copy  string // of the body, made when a map needs it

	// The keys of the open objects, outermost first; see keys.go. An array, so
	// that it stays on the stack of the caller.
	keys  [openKeys]key
	nkeys int
}

// space skips whitespace.
func (c *checker) space(at int) int {
	for at < len(c.body) && c.body[at] <= ' ' && isSpace(c.body[at]) {
		at++
	}
	return at
}

func isSpace(b byte) bool { return b == ' ' || b == '\n' || b == '\t' || b == '\r' }

func (c *checker) value(at int) (int, error) {
	if at >= len(c.body) {
		return at, expected(c.body, at, "a value")
	}
	switch b := c.body[at]; b {
	case '"':
		end, _, err := c.str(at)
		return end, err
	case '{', '[':
		if c.depth == c.limit {
			return at, failAt(c.body, at, "more than "+strconv.Itoa(c.limit)+" levels of objects and arrays")
		}
		c.depth++
		var end int
		var err error
		if b == '{' {
			end, err = c.object(at)
		} else {
			end, err = c.array(at)
		}
		c.depth--
		return end, err
	case 't':
		return c.literal(at, "true")
	case 'f':
		return c.literal(at, "false")
	case 'n':
		return c.literal(at, "null")
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return c.number(at)
	}
	return at, expected(c.body, at, "a value")
}

func (c *checker) literal(at int, word string) (int, error) {
	for i := range len(word) {
		if at+i >= len(c.body) || c.body[at+i] != word[i] {
			return at, expected(c.body, at+i, strconv.Quote(word))
		}
	}
	return at + len(word), nil
}

func (c *checker) array(at int) (int, error) {
	at = c.space(at + 1)
	if at < len(c.body) && c.body[at] == ']' {
		return at + 1, nil
	}
	for {
		var err error
		if at, err = c.value(at); err != nil {
			return at, err
		}
		at = c.space(at)
		if at >= len(c.body) || c.body[at] != ',' {
			break
		}
		at = c.space(at + 1)
	}
	if at >= len(c.body) || c.body[at] != ']' {
		return at, expected(c.body, at, "',' or ']' after an element")
	}
	return at + 1, nil
}

func (c *checker) object(at int) (int, error) {
	own := names{first: c.nkeys}
	at = c.space(at + 1)
	if at < len(c.body) && c.body[at] == '}' {
		return at + 1, nil
	}
	for {
		var err error
		if at, err = c.member(&own, at); err != nil {
			return at, err
		}
		if at >= len(c.body) || c.body[at] != ',' {
			break
		}
		at = c.space(at + 1)
	}
	if at >= len(c.body) || c.body[at] != '}' {
		return at, expected(c.body, at, "',' or '}' after a member")
	}
	c.nkeys = own.first // keys of an inner object lie above those of the outer one
	return at + 1, nil
}

// member checks one member and the whitespace behind it.
func (c *checker) member(own *names, at int) (int, error) {
	if at >= len(c.body) || c.body[at] != '"' {
		return at, expected(c.body, at, "a key in double quotes")
	}
	end, escaped, err := c.str(at)
	if err != nil {
		return at, err
	}
	if err := c.addKey(own, at, end, escaped); err != nil {
		return at, err
	}
	if at = c.space(end); at >= len(c.body) || c.body[at] != ':' {
		return at, expected(c.body, at, "':' after a key")
	}
	if at, err = c.value(c.space(at + 1)); err != nil {
		return at, err
	}
	return c.space(at), nil
}
