package rest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// Limits of POST /v1/bulk.
const (
	// MaxBulkLines and MaxBulkBytes are the most of one request.
	MaxBulkLines = 10000
	MaxBulkBytes = 64 << 20
	// MaxAtomicLines and MaxAtomicBytes are the most of one with ?atomic=true.
	MaxAtomicLines = 1000
	MaxAtomicBytes = 16 << 20
	// MaxBulkLine is the longest line, in bytes: the longest document, and room
	// for its id and context.
	MaxBulkLine = node.DefaultBody + 16<<10
	// bulkBatch is the most lines, and bulkBatchBytes the bytes of documents,
	// that are handed to the writer at once.
	bulkBatch      = 256
	bulkBatchBytes = 4 << 20
)

// bulk carries out many writes. Each line stands for itself, and results go
// out as batches commit, or with atomic all lines are one.
func (s *Server) bulk(c echo.Context) error {
	r := c.Request()
	name, err := collection(c)
	if err != nil {
		return err
	}
	if name.IsSystem() {
		return &node.Error{Op: "bulk", Kind: node.SystemColl, Key: string(name), Err: errors.New("collections that begin with an underscore are written only through their own routes")}
	}
	q, err := readQuery(r)
	if err != nil {
		return err
	}
	atomic, err := q.flag("atomic")
	if err != nil {
		return err
	}
	if err := acceptable(r, typeNDJSON); err != nil {
		return err
	}
	if err := uncompressed(r); err != nil {
		return err
	}
	if err := refuseUnbuilt(r); err != nil {
		return err
	}
	p, err := parsePrefer(r.Header["Prefer"])
	if err != nil {
		return err
	}
	at := target{collection: name}
	if at.session, err = s.await(r, p); err != nil {
		return err
	}
	p.setApplied(c.Response().Header(), false)
	if _, err := s.engine.MayWriteTo(name); err != nil {
		return err // before the body, which may be long
	}
	if atomic {
		return s.bulkAtomic(c, at)
	}
	return s.bulkEach(c, at)
}

// target is what all lines of a bulk have in common.
type target struct {
	collection conflict.Collection
	session    vclock.Context
}

// bulkLine is one line of a request: a write, or what is wrong with it.
type bulkLine struct {
	id    string // empty when it could not be read
	write int    // index into the batch's writes; -1 with err
	err   error
}

// bulkRun is one request whose lines stand each for themselves.
type bulkRun struct {
	s     *Server
	r     *http.Request
	at    target
	in    *lineReader
	out   *resultSink
	trace string

	batch  []bulkLine
	writes []node.Write
	size   int // bytes of documents in the batch

	// refused is why no further line is applied: a node that turned read-only
	// takes none of the rest, even if it could again, so that the lines that
	// took effect are those before a point.
	refused    error
	ok, failed int
	buf        []byte
}

func (s *Server) bulkEach(c echo.Context, at target) error {
	w, r := c.Response(), c.Request()
	if r.ContentLength > MaxBulkBytes {
		return tooLarge(MaxBulkBytes, "the body")
	}
	// Of the writer below echo's: that one hides a flush that failed.
	rc := http.NewResponseController(w.Writer)
	// Without it the server would close the request's body at the first byte of
	// the answer. A writer that has always been so does not know the call.
	if err := rc.EnableFullDuplex(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	w.Header()[headType] = valueNDJSON
	w.Header()[headCache] = valueNoStore
	b := &bulkRun{
		s: s, r: r, at: at, trace: newTrace(),
		in:  newLineReader(&steadyBody{body: r.Body, rc: rc}, lineLimits{lines: MaxBulkLines, bytes: MaxBulkBytes}),
		out: newResultSink(w, rc),
	}
	defer func() { _ = b.out.finish() }() // also when something panics
	err := b.run(r.Context())
	if !b.out.started() {
		return err // nothing was answered: the problem is the request's
	}
	if err = errors.Join(err, b.out.finish()); err != nil {
		s.cfg.Log.Debug("a bulk was broken off", "trace_id", b.trace, "error", err)
		panic(http.ErrAbortHandler) // without its last line, the rest is unknown
	}
	return nil
}

// run takes lines as they come, and commits what has come without waiting for
// more. Its error means that the answer cannot be brought to its end.
func (b *bulkRun) run(ctx context.Context) error {
	for {
		line, err := b.in.next()
		if err != nil && !errors.Is(err, errLongLine) {
			return b.end(ctx, err)
		}
		b.add(line, err)
		if len(b.batch) < bulkBatch && b.size < bulkBatchBytes && b.in.ready() {
			continue
		}
		if err := b.commit(ctx); err != nil {
			return err
		}
	}
}

// end answers what is left when no further line comes.
func (b *bulkRun) end(ctx context.Context, cause error) error {
	if err := b.commit(ctx); err != nil {
		return err
	}
	if node.KindOf(cause) == node.TooLarge {
		if !b.out.started() {
			return cause
		}
		// What follows was not read, and so not applied.
		b.buf = b.buf[:0]
		b.fail("", cause)
		if err := b.out.append(ctx, b.buf); err != nil {
			return err
		}
		drain(b.r, MaxBulkBytes)
	} else if !errors.Is(cause, io.EOF) {
		return cause
	}
	return b.out.append(ctx, b.s.appendDone(b.buf[:0], b.ok, b.failed))
}

// appendDone appends the last line. It has the session of all that took
// effect: the header was sent before.
func (s *Server) appendDone(b []byte, ok, failed int) []byte {
	b = strconv.AppendInt(append(b, `{"done":true,"ok":`...), int64(ok), 10)
	b = strconv.AppendInt(append(b, `,"failed":`...), int64(failed), 10)
	b = appendText(append(b, `,"session":`...), s.engine.Published().Session)
	return append(b, "}\n"...)
}

func (b *bulkRun) add(line []byte, err error) {
	l := bulkLine{write: -1, err: err}
	if err == nil {
		var w node.Write
		if l.id, w, l.err = b.s.parseLine(b.at, line); l.err == nil {
			l.write = len(b.writes)
			b.writes = append(b.writes, w)
			b.size += len(w.Body)
		}
	}
	b.batch = append(b.batch, l)
}

// commit applies the batch and answers its lines. A refusal of the whole first
// batch is the request's error: nothing was applied.
func (b *bulkRun) commit(ctx context.Context) error {
	if len(b.batch) == 0 {
		return nil
	}
	var outcomes []node.Outcome
	if b.refused == nil && len(b.writes) > 0 {
		var err error
		if outcomes, err = b.s.engine.WriteAll(ctx, b.writes, false); err != nil {
			if !b.out.started() {
				return err
			}
			b.refused = err
		}
	}
	b.buf = b.buf[:0]
	for _, l := range b.batch {
		switch {
		case l.err != nil:
			b.fail(l.id, l.err)
		case b.refused != nil:
			b.fail(l.id, b.refused)
		case outcomes[l.write].Err != nil:
			b.fail(l.id, outcomes[l.write].Err)
		default:
			b.ok++
			b.buf = b.s.appendResult(b.buf, &b.writes[l.write], &outcomes[l.write].Written)
		}
	}
	b.batch, b.writes, b.size = b.batch[:0], b.writes[:0], 0
	return b.out.append(ctx, b.buf)
}

// fail appends the result of a line that was not applied.
func (b *bulkRun) fail(id string, err error) {
	b.failed++
	p := b.s.problemOf(err, b.trace)
	b.s.metrics.problem(p.Code)
	b.buf = append(b.buf, `{"id":`...)
	if id == "" {
		b.buf = append(b.buf, "null"...)
	} else {
		b.buf = appendText(b.buf, id)
	}
	b.buf = strconv.AppendInt(append(b.buf, `,"status":`...), int64(p.Status), 10)
	b.buf = append(append(b.buf, `,"problem":`...), p.encode()...)
	b.buf = append(b.buf, "}\n"...)
}

// appendResult appends the result of a line that took effect.
func (s *Server) appendResult(b []byte, w *node.Write, out *node.Written) []byte {
	status := http.StatusOK
	if out.Created && w.Kind != node.Delete {
		status = http.StatusCreated
	}
	b = appendText(append(b, `{"id":`...), string(w.Key.ID))
	b = strconv.AppendInt(append(b, `,"status":`...), int64(status), 10)
	b = appendText(append(b, `,"dot":`...), out.Dot.String())
	return append(s.appendShown(append(b, ','), &out.After), "}\n"...)
}

// atomicError is a line that made an atomic bulk fail.
type atomicError struct {
	line int // from 1
	id   string
	err  error // what was wrong with the line
}

func (e *atomicError) Error() string { return "line " + strconv.Itoa(e.line) + ": " + e.err.Error() }

// Unwrap makes it an error of kind AtomicFailed, whatever the line's was.
func (e *atomicError) Unwrap() error {
	return &node.Error{Op: "bulk", Kind: node.AtomicFailed, Line: e.line, Err: e.err}
}

// bulkFailure is one entry of "failed" in the problem of an atomic bulk.
type bulkFailure struct {
	Line    int      `json:"line"`
	ID      string   `json:"id"`
	Status  int      `json:"status"`
	Problem *problem `json:"problem"`
}

func (s *Server) bulkFailure(e *atomicError, trace string) bulkFailure {
	p := s.problemOf(e.err, trace)
	return bulkFailure{Line: e.line, ID: e.id, Status: p.Status, Problem: p}
}

// bulkAtomic reads all lines, and applies them in one transaction or none.
func (s *Server) bulkAtomic(c echo.Context, at target) error {
	w, r := c.Response(), c.Request()
	if r.ContentLength > MaxAtomicBytes {
		return tooLarge(MaxAtomicBytes, "the body of an atomic bulk")
	}
	body := &steadyBody{body: r.Body, rc: http.NewResponseController(w)}
	writes, err := s.readAtomic(at, newLineReader(body, lineLimits{lines: MaxAtomicLines, bytes: MaxAtomicBytes}))
	if err != nil {
		return err
	}
	var out []node.Outcome
	if len(writes) > 0 {
		if out, err = s.engine.WriteAll(r.Context(), writes, true); err != nil {
			if e, ok := errors.AsType[*node.Error](err); ok && e.Kind == node.AtomicFailed {
				return &atomicError{line: e.Line, id: string(writes[e.Line-1].Key.ID), err: e.Err}
			}
			return err
		}
	}
	var b []byte
	for i := range out {
		if out[i].Err != nil {
			return out[i].Err // the lease was lost: of all of them alike
		}
		b = s.appendResult(b, &writes[i], &out[i].Written)
	}
	w.Header()[headCache] = valueNoStore
	w.Header()[headSession] = s.session(s.engine.Published())
	return reply(w, http.StatusOK, valueNDJSON, s.appendDone(b, len(writes), 0))
}

func (s *Server) readAtomic(at target, in *lineReader) ([]node.Write, error) {
	var writes []node.Write
	seen := map[conflict.DocID]int{}
	for {
		line, err := in.next()
		if errors.Is(err, io.EOF) {
			return writes, nil
		}
		if err != nil && !errors.Is(err, errLongLine) {
			return nil, err
		}
		n := len(writes) + 1
		var id string
		var w node.Write
		if err == nil {
			id, w, err = s.parseLine(at, line)
		}
		if err != nil {
			return nil, &atomicError{line: n, id: id, err: err}
		}
		if first, twice := seen[w.Key.ID]; twice {
			return nil, invalid(errors.New("lines " + strconv.Itoa(first) + " and " + strconv.Itoa(n) + " have the same id, and no order among them is promised"))
		}
		seen[w.Key.ID] = n
		writes = append(writes, w)
	}
}
