package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"time"
)

// Limits of bulk writes.
const (
	// bulkLines and bulkBytes are how much of a long bulk goes into one request:
	// enough for full speed, and not much to be unknown when it breaks.
	bulkLines = 1000
	bulkBytes = 4 << 20

	// MaxAtomicLines and MaxAtomicBytes are the most that is applied at once.
	MaxAtomicLines = 1000
	MaxAtomicBytes = 16 << 20

	// bulkTimeout is how long one request of a bulk may take.
	bulkTimeout = 2 * time.Minute
)

// BulkLine is one write of a bulk.
type BulkLine struct {
	ID      string
	Doc     json.RawMessage // nil: the document is deleted. Line breaks between its parts become spaces.
	IfMatch string          // as in PutOptions
	Context string          // as in PutOptions
}

// BulkResult is what became of one line.
type BulkResult struct {
	Line      int // from 1, in the order in which the lines were given
	ID        string
	URL       string // base URL of the node that answered; empty where there was no answer
	Status    int    // of HTTP, as if the line had been a request; 0 where there was no answer
	Dot       string
	ETag      string
	Context   string
	Conflicts int
	Err       *Error // nil: applied
}

// BulkOptions are of a whole bulk.
type BulkOptions struct {
	Atomic    bool   // all lines or none, at most MaxAtomicLines and MaxAtomicBytes
	Session   string // as in Options
	NoSession bool   // as in Options
}

// Bulk writes many documents of one collection. Lines are gathered into
// requests, each sent when it is full, so a bulk may be as long as it likes;
// results come while a request is being worked on. Each line that was taken
// from lines gets exactly one result, in order but for two sorts: what is not
// JSON is answered at once, without being sent; and what a node refused because
// it had turned read-only is sent again to another node, and answered when that
// has answered.
//
// Where a request breaks before its last line came, the results that came
// stand; the other lines of that request get a result whose error has the code
// Unknown. Then, as after every failure of a whole request, the iteration ends
// with an error. A caller that ends it early does not learn what became of the
// rest of the request.
func (c *Client) Bulk(ctx context.Context, collection string, lines iter.Seq[BulkLine], options BulkOptions) iter.Seq2[BulkResult, error] {
	return func(yield func(BulkResult, error) bool) {
		b := &bulk{c: c, path: "/v1/bulk/" + url.PathEscape(collection), options: options, yield: yield}
		for line := range lines {
			if !b.add(ctx, line) {
				return
			}
		}
		if len(b.pending) > 0 {
			b.flush(ctx)
		}
	}
}

// bulk is one call of Bulk.
type bulk struct {
	c       *Client
	path    string
	options BulkOptions
	yield   func(BulkResult, error) bool
	stopped bool // the caller wants no more

	taken   int           // lines so far
	pending []pendingLine // of the next request
	size    int           // bytes of pending
}

// pendingLine is a line that has no result yet.
type pendingLine struct {
	number  int
	id      string
	text    []byte
	refusal BulkResult // of a node that did not apply it, if one was asked
}

var errAtomicTooBig = fmt.Errorf("an atomic bulk has at most %d lines and %d MiB", MaxAtomicLines, MaxAtomicBytes>>20)

// add takes a line, and sends what has gathered when it is enough. It returns
// false when the iteration is over.
func (b *bulk) add(ctx context.Context, line BulkLine) bool {
	b.taken++
	p := pendingLine{number: b.taken, id: line.ID}
	if line.Doc != nil && !json.Valid(line.Doc) {
		e := &Error{Op: b.op(), Code: BadJSON, Detail: fmt.Sprintf("line %d: the document is not JSON", p.number)}
		if !b.options.Atomic {
			return b.result(p, BulkResult{Err: e})
		}
		b.pending = append(b.pending, p)
		return b.end(e)
	}
	p.text = line.appendTo(nil)
	b.pending = append(b.pending, p)
	b.size += len(p.text)
	switch {
	case !b.options.Atomic:
		return len(b.pending) < bulkLines && b.size < bulkBytes || b.flush(ctx)
	case len(b.pending) > MaxAtomicLines || b.size > MaxAtomicBytes:
		return b.end(&Error{Op: b.op(), Code: TooLarge, Err: errAtomicTooBig})
	}
	return true
}

func (b *bulk) op() string { return http.MethodPost + " " + b.path }

// end ends the iteration with an error, which is the result of all lines that
// wait.
func (b *bulk) end(e *Error) bool {
	for _, p := range b.pending {
		if !b.result(p, BulkResult{Status: e.Status, Err: e}) {
			return false
		}
	}
	return b.fail(e)
}

// fail ends the iteration with an error.
func (b *bulk) fail(e *Error) bool {
	b.stopped = true
	b.yield(BulkResult{}, e)
	return false
}

// result hands out what became of a line.
func (b *bulk) result(p pendingLine, r BulkResult) bool {
	r.Line, r.ID = p.number, p.id
	b.stopped = b.stopped || !b.yield(r, nil)
	return !b.stopped
}

// appendTo writes a line as the API has it.
func (l *BulkLine) appendTo(b []byte) []byte {
	b = append(append(b, `{"id":`...), text(l.ID)...)
	if l.Doc == nil {
		b = append(b, `,"delete":true`...)
	} else {
		// Outside strings, where alone they may stand in JSON, a line break and a
		// space mean the same.
		b = append(b, `,"doc":`...)
		from := len(b)
		b = append(b, l.Doc...)
		for i := from; i < len(b); i++ {
			if b[i] == '\n' || b[i] == '\r' {
				b[i] = ' '
			}
		}
	}
	if l.IfMatch != "" {
		b = append(append(b, `,"if_match":`...), text(l.IfMatch)...)
	}
	if l.Context != "" {
		b = append(append(b, `,"context":`...), text(l.Context)...)
	}
	return append(b, "}\n"...)
}

// text is a JSON string.
func text(s string) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		panic("client: a string has no JSON form: " + err.Error())
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte{'\n'})
}
