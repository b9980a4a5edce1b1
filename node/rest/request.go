package rest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// MaxDrain is how much of a body that was refused is read all the same, in
// bytes, so that the client sees the answer and not a reset: somewhat more than
// the longest bulk.
const MaxDrain = MaxBulkBytes + node.MaxBody

func badRequest(format string, args ...any) error {
	return &node.Error{Op: "request", Kind: node.BadRequest, Err: fmt.Errorf(format, args...)}
}

func invalid(err error) error {
	return &node.Error{Op: "request", Kind: node.Invalid, Err: err}
}

func notBuilt(what string) error {
	return &node.Error{Op: "request", Kind: node.NotBuilt, Err: errors.New(what)}
}

// segment is the n-th variable part of the path, decoded. This is the one
// place that does it: echo gives the decoded path where the standard encoding
// of it is what the client wrote, and the encoded one where it is not, so
// a%20b comes decoded and a%2Fb%20c does not.
func segment(c echo.Context, n int) (string, error) {
	values := c.ParamValues()
	if n >= len(values) {
		return "", badRequest("the path is too short")
	}
	if c.Request().URL.RawPath == "" {
		return values[n], nil
	}
	text, err := url.PathUnescape(values[n])
	if err != nil {
		return "", badRequest("the path cannot be decoded: %w", err)
	}
	return text, nil
}

func collection(c echo.Context) (conflict.Collection, error) {
	text, err := segment(c, 0)
	if err != nil {
		return "", err
	}
	name, err := conflict.ParseCollection(text)
	if err != nil {
		return "", invalid(err)
	}
	return name, nil
}

func documentKey(c echo.Context) (conflict.Key, error) {
	name, err := collection(c)
	if err != nil {
		return conflict.Key{}, err
	}
	text, err := segment(c, 1)
	if err != nil {
		return conflict.Key{}, err
	}
	id, err := conflict.ParseDocID(text)
	if err != nil {
		return conflict.Key{}, invalid(err)
	}
	return conflict.Key{Collection: name, ID: id}, nil
}

// path is the address of a document on any node.
func path(k conflict.Key) string {
	return "/v1/docs/" + string(k.Collection) + "/" + url.PathEscape(string(k.ID))
}

// query is the part of the address behind the question mark. Parameters that
// the route does not know are ignored.
type query url.Values

func readQuery(r *http.Request) (query, error) {
	if r.URL.RawQuery == "" {
		return nil, nil
	}
	v, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, badRequest("the query cannot be read: %w", err)
	}
	return query(v), nil
}

// text is a parameter that may stand once.
func (q query) text(name string) (string, error) {
	switch v := q[name]; len(v) {
	case 0:
		return "", nil
	case 1:
		return v[0], nil
	default:
		return "", badRequest("parameter %s stands %d times", name, len(v))
	}
}

func (q query) has(name string) bool { return len(q[name]) > 0 }

// collection is the parameter c, or "" when it is absent: all collections.
func (q query) collection() (conflict.Collection, error) {
	text, err := q.text("c")
	if err != nil || !q.has("c") {
		return "", err
	}
	name, err := conflict.ParseCollection(text)
	if err != nil {
		return "", badRequest("parameter c: %w", err)
	}
	return name, nil
}

// limit is how many entries a page may have, or 0 when the parameter is absent.
func (q query) limit() (int, error) {
	text, err := q.text("limit")
	if err != nil || !q.has("limit") {
		return 0, err
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > node.MaxPage {
		return 0, badRequest("parameter limit is %.40q: want a number from 1 to %d", text, node.MaxPage)
	}
	return n, nil
}

// flag is a parameter that is true or false, false when it is absent.
func (q query) flag(name string) (bool, error) {
	text, err := q.text(name)
	if err != nil {
		return false, err
	}
	switch text {
	case "true":
		return true, nil
	case "false":
		return false, nil
	case "":
		if !q.has(name) {
			return false, nil
		}
	}
	return false, badRequest("parameter %s is %.40q: want true or false", name, text)
}

// single is a header that may stand once; ok says whether it does.
func single(h http.Header, name string) (value string, ok bool, err error) {
	switch v := h[name]; len(v) {
	case 0:
		return "", false, nil
	case 1:
		return v[0], true, nil
	default:
		return "", false, badRequest("header %s stands %d times", name, len(v))
	}
}

// tooLarge is the answer to a body above a limit in bytes.
func tooLarge(limit int64, what string) error {
	return &limitError{limit: limit, err: &node.Error{
		Op: "request", Kind: node.TooLarge, Err: fmt.Errorf("%s has more than %d bytes, the most that is taken", what, limit),
	}}
}

// limitError is a node.Error that states the limit which was passed.
type limitError struct {
	limit int64
	err   error
}

func (e *limitError) Error() string { return e.err.Error() }
func (e *limitError) Unwrap() error { return e.err }

// uncompressed refuses a body that would have to be unpacked.
func uncompressed(r *http.Request) error {
	e := r.Header["Content-Encoding"]
	if len(e) == 0 || len(e) == 1 && e[0] == "identity" {
		return nil
	}
	return &node.Error{Op: "request", Kind: node.UnsupportedType, Err: errors.New("Content-Encoding: send the body without compression")}
}

// readBody reads a request's body of at most limit bytes in one piece.
func readBody(r *http.Request, limit int64) ([]byte, error) {
	if err := uncompressed(r); err != nil {
		return nil, err
	}
	length := r.ContentLength
	if length > limit {
		return nil, tooLarge(limit, "the body")
	}
	if length >= 0 {
		body := make([]byte, length)
		_, err := io.ReadFull(r.Body, body)
		return body, bodyError(err)
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err == nil && int64(len(body)) > limit {
		return nil, tooLarge(limit, "the body")
	}
	return body, bodyError(err)
}

// bodyError says why a body could not be read.
func bodyError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &node.Error{Op: "request", Kind: SlowBody, Err: errors.New("the body did not come in time")}
	}
	return badRequest("the body cannot be read to its end: %w", err)
}

// drain reads out what is left of a refused request's body, up to a limit.
func drain(r *http.Request, limit int64) {
	// Who waits for our word before sending has not sent anything.
	if r.Body == nil || r.Body == http.NoBody || r.Header["Expect"] != nil {
		return
	}
	// What cannot be read cannot be answered either: the reply tells all.
	_, _ = io.CopyN(io.Discard, r.Body, limit)
}

// await waits until the node has what the request's session names, as long as
// the request allows, and returns the session.
func (s *Server) await(r *http.Request, p preferences) (vclock.Context, error) {
	if r.Header[headSession] == nil {
		return vclock.Context{}, nil
	}
	ctx, cancel := s.waiting(r, p.wait)
	defer cancel()
	return s.awaitSession(ctx, r)
}

// awaitSession is await with a wait that has begun.
func (s *Server) awaitSession(wait context.Context, r *http.Request) (vclock.Context, error) {
	text, ok, err := single(r.Header, headSession)
	if err != nil || !ok {
		return vclock.Context{}, err
	}
	if now := s.engine.Published(); text == now.Session {
		return vclock.ContextOf(now.Frontier), nil
	}
	session, err := s.engine.ParseSession(text)
	if err != nil {
		return session, err
	}
	if err := s.engine.Await(wait, session); err != nil {
		return session, &behindError{err: err, fresh: s.urls(s.cfg.Cluster.Fresh(session))}
	}
	return session, nil
}

// behindError adds to an error of kind Behind who is not.
type behindError struct {
	err   error
	fresh []string
}

func (e *behindError) Error() string { return e.err.Error() }
func (e *behindError) Unwrap() error { return e.err }

// waiting is the context of a wait: it ends after d, with the request, or when
// the server drains.
func (s *Server) waiting(r *http.Request, d time.Duration) (context.Context, context.CancelFunc) {
	if d <= 0 {
		return s.overdue, func() {}
	}
	ctx, cancel := context.WithTimeout(r.Context(), d)
	undo := context.AfterFunc(s.stop, cancel)
	return ctx, func() { undo(); cancel() }
}
