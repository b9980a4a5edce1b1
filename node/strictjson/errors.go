package strictjson

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// ErrNotObject is wrapped by the error of Check for a body that is sound JSON
// but not an object.
var ErrNotObject = errors.New("the body must be a JSON object")

// ErrBadDocument is wrapped by the error of a patch whose document, not whose
// patch, is not strict JSON.
var ErrBadDocument = errors.New("the document to patch is not strict JSON")

// Error says where a body is not strict JSON, and what is wrong there.
type Error struct {
	Line   int    // from 1
	Column int    // in characters, from 1
	Reason string // what was found and what was expected
}

// Error implements error.
func (e *Error) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Reason)
}

// failAt makes an Error for an offset of a body. It counts lines only now, so
// that a sound body costs nothing.
func failAt(body []byte, at int, reason string) error {
	line, column := place(body, at)
	return &Error{Line: line, Column: column, Reason: reason}
}

// place turns an offset into a line and a column, both from 1.
func place(body []byte, at int) (line, column int) {
	before := body[:min(at, len(body))]
	start := bytes.LastIndexByte(before, '\n') + 1
	return bytes.Count(before, []byte{'\n'}) + 1, utf8.RuneCount(before[start:]) + 1
}

// expected makes the error for a place that has another byte than the grammar
// wants there.
func expected(body []byte, at int, want string) error {
	return failAt(body, at, "expected "+want+", found "+found(body, at))
}

func found(body []byte, at int) string {
	if at >= len(body) {
		return "the end of the body"
	}
	r, _ := utf8.DecodeRune(body[at:])
	return strconv.QuoteRune(r)
}

// maxQuoted is how much of a key or a path an error repeats, in bytes.
const maxQuoted = 80

// quote repeats a text of the client in an error, cut to a bearable length.
func quote(text string) string {
	if len(text) <= maxQuoted {
		return strconv.Quote(text)
	}
	return strconv.Quote(cut(text)) + "…"
}

// cut takes the first maxQuoted bytes of a longer text, less a broken
// character at the end.
func cut(text string) string {
	end := maxQuoted
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}
