package client

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
)

// errStopped breaks an answer off whose reader wants no more.
var errStopped = errors.New("the reader of the results stopped")

// bulkRequest is one request of a bulk, and what has come of it.
type bulkRequest struct {
	b       *bulk
	lines   []pendingLine
	got     int           // results that have come
	refused []pendingLine // lines that were answered but not applied, and may be elsewhere
}

// flush sends the pending lines; those that a node refused because it had
// turned read-only, it sends again elsewhere. It returns false when the
// iteration is over.
func (b *bulk) flush(ctx context.Context) bool {
	pending := b.pending
	b.pending, b.size = nil, 0
	var prefer, avoid []string
	for {
		r := &bulkRequest{b: b, lines: pending}
		a, err := b.c.do(ctx, r.call(prefer, avoid))
		if b.stopped {
			return false
		}
		if err == nil {
			if len(r.refused) == 0 {
				return true
			}
			pending, avoid = r.refused, append(avoid, a.URL)
			refusal := pending[0].refusal.Err
			prefer = slices.Concat(refusal.WritableNodes, names(refusal.Candidates))
			continue
		}
		e := asError(err)
		rest := r.lines[r.got:]
		if e.Code == Unknown && b.c.cfg.RetryUnknown && len(avoid) < MaxAttempts {
			pending, avoid = slices.Concat(r.refused, rest), append(avoid, e.URL)
			continue
		}
		return b.giveUp(e, r.refused, rest)
	}
}

// asError is the Error that every call of this package returns.
func asError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Code: BadReply, Err: err}
}

// giveUp hands out the results of lines that nobody takes any more. What a node
// said of a line stands, unless a later attempt left it unknown.
func (b *bulk) giveUp(e *Error, refused, rest []pendingLine) bool {
	cause := e
	for _, p := range refused {
		if !b.result(p, p.refusal) {
			return false
		}
	}
	for _, p := range rest {
		result := BulkResult{Status: e.Status, Err: e}
		if p.refusal.Err != nil && NotApplied(e) {
			result, cause = p.refusal, p.refusal.Err
		}
		if !b.result(p, result) {
			return false
		}
	}
	return b.fail(cause)
}

// call is the request of the lines.
func (r *bulkRequest) call(prefer, avoid []string) *call {
	query := url.Values{}
	if r.b.options.Atomic {
		query.Set("atomic", "true")
	}
	var body []byte
	for _, p := range r.lines {
		body = append(body, p.text...)
	}
	return &call{
		method: http.MethodPost, path: r.b.path, query: query, body: body, write: true, time: bulkTimeout,
		header: http.Header{"Content-Type": {"application/x-ndjson"}}, prefer: prefer, avoid: slices.Clone(avoid),
		options: Options{Session: r.b.options.Session, NoSession: r.b.options.NoSession}, consume: r.read,
	}
}

// bulkReply is one line of an answer: of a line, or the last.
type bulkReply struct {
	ID        string          `json:"id"`
	Status    int             `json:"status"`
	Dot       string          `json:"dot"`
	ETag      string          `json:"etag"`
	Context   string          `json:"context"`
	Conflicts int             `json:"conflicts"`
	Problem   json.RawMessage `json:"problem"`
	Done      bool            `json:"done"`
}

// read takes results as they come, each of at most MaxReply bytes. Without the
// last line, what had no result is unknown.
func (r *bulkRequest) read(from string, body io.Reader) error {
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, MaxReply)
	for lines.Scan() {
		var line bulkReply
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return fmt.Errorf("result %d of %d cannot be read: %w", r.got+1, len(r.lines), err)
		}
		switch {
		case line.Done && r.got == len(r.lines):
			return nil
		case line.Done, r.got == len(r.lines), line.ID != "" && line.ID != r.lines[r.got].id:
			return fmt.Errorf("result %d of %d is of another line", r.got+1, len(r.lines))
		}
		if !r.take(from, &line) {
			return errStopped
		}
	}
	return fmt.Errorf("the answer broke off after %d of %d results: %w", r.got, len(r.lines), cmp.Or(lines.Err(), io.ErrUnexpectedEOF))
}

// take hands out one result, or keeps the line for another node.
func (r *bulkRequest) take(from string, line *bulkReply) bool {
	p := r.lines[r.got]
	r.got++
	result := BulkResult{
		Line: p.number, ID: p.id, URL: from, Status: line.Status,
		Dot: line.Dot, ETag: line.ETag, Context: line.Context, Conflicts: line.Conflicts,
	}
	if line.Status/100 != 2 {
		result.Err = problemError(r.b.op(), line.Status, line.Problem)
		if slices.Contains([]Code{ReadOnly, Draining, Busy}, result.Err.Code) {
			p.refusal = result
			r.refused = append(r.refused, p)
			return true
		}
	}
	return r.b.result(p, result)
}
