package client

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strconv"
	"sync/atomic"
	"time"
)

// maxProblem is how much of an answer that is not a success is read, in bytes:
// a problem that shows siblings may be as long as they are.
const maxProblem = MaxReply

// Reply is what every answer says about the node that gave it.
type Reply struct {
	URL        string // base URL of the node
	Node       string // its name
	Status     int    // of HTTP
	WriteState string // writable, read-only, override or minority
	Lag        string // what the node lacks, as Replication-Lag has it
	Session    string
}

// call is one request, on whatever node.
type call struct {
	method string
	path   string // escaped
	query  url.Values
	header http.Header
	body   []byte
	write  bool          // it changes something, so it is not sent twice lightly
	alone  bool          // it asks for no session
	wait   time.Duration // how long the node may wait with its answer
	time   time.Duration // how long an attempt may take beyond wait; 0: Config.Timeout

	options Options

	prefer []string // base URLs to try first
	avoid  []string // base URLs not to try

	// consume, where it is set, reads the body of a success as it comes, from the
	// node with this base URL.
	consume func(from string, body io.Reader) error

	endless bool        // the answer has no end, and may be silent for StreamSilence
	silence *time.Timer // breaks it off after that
}

// Options are of one call.
type Options struct {
	Session   string // asks for a node that has at least this; empty: the client's own
	NoSession bool   // asks for nothing
}

func (r *call) op() string { return r.method + " " + r.path }

// answer is a success.
type answer struct {
	Reply
	header http.Header
	body   []byte // nil when the call consumed it
}

// do makes a call, at one node after the other where that is safe.
func (c *Client) do(ctx context.Context, r *call) (*answer, error) {
	// What was consumed in part cannot be asked for again as a whole.
	t := trip{r: r, retryUnknown: c.cfg.RetryUnknown && r.consume == nil, pinned: c.cfg.Pinned, queue: c.order(), tried: r.avoid}
	t.first(r.prefer)
	for t.next() {
		a, err := c.attempt(ctx, t.base, r)
		if err == nil {
			return a, nil
		}
		if !t.goesOn(err) || ctx.Err() != nil {
			break
		}
	}
	return nil, t.result()
}

// trip is the way of one call from node to node.
type trip struct {
	r            *call
	retryUnknown bool
	pinned       bool

	queue []string // nodes still to try
	tried []string // and those to avoid
	base  string   // the node that is being tried

	unreached []error
	answered  *Error // the last answer
	unknown   *Error // an attempt of which nobody knows the outcome
}

// next moves to a node that was not tried, if one is left.
func (t *trip) next() bool {
	for len(t.queue) > 0 && len(t.tried) < len(t.r.avoid)+MaxAttempts {
		t.base, t.queue = t.queue[0], t.queue[1:]
		if !slices.Contains(t.tried, t.base) {
			t.tried = append(t.tried, t.base)
			return true
		}
	}
	return false
}

// goesOn takes note of a failure, and says whether another node may be tried.
func (t *trip) goesOn(e *Error) bool {
	switch {
	case e.Code == Unknown:
		t.unknown = e
		return t.retryUnknown
	case e.Code == Unreachable:
		t.unreached = append(t.unreached, fmt.Errorf("%s: %w", e.URL, e.Err))
		return true
	}
	t.answered = e
	switch e.Code {
	case ReadOnly:
		t.first(e.WritableNodes, names(e.Candidates))
	case Behind:
		t.first(e.FreshNodes)
	case Draining, Busy:
	default:
		if e.Status != http.StatusMisdirectedRequest { // a witness, asked for documents
			return false
		}
		t.first(e.WritableNodes, names(e.Candidates))
	}
	return true
}

func names(candidates []Candidate) []string {
	var urls []string
	for _, c := range candidates {
		urls = append(urls, c.API)
	}
	return urls
}

// first puts nodes that an answer named before the others.
func (t *trip) first(lists ...[]string) {
	if t.pinned {
		return
	}
	var named []string
	for _, text := range slices.Concat(lists...) {
		if base, err := parseBase(text); text != "" && err == nil {
			named = append(named, base)
		}
	}
	t.queue = append(named, t.queue...)
}

// result is the error of a trip that came to no success. Once an attempt had no
// known outcome, no later one can say that nothing was applied.
func (t *trip) result() error {
	switch {
	case t.unknown != nil:
		if t.answered != nil {
			t.unknown.Err = errors.Join(t.unknown.Err, t.answered)
		}
		return t.unknown
	case t.answered != nil:
		return t.answered
	}
	return &Error{
		Op: t.r.op(), Code: Unreachable,
		Detail: "no node could be reached", Err: errors.Join(t.unreached...),
	}
}

// attempt makes a call at one node.
func (c *Client) attempt(ctx context.Context, base string, r *call) (*answer, *Error) {
	ask := c.demand(r)
	ctx, cancel := r.bounded(ctx, cmp.Or(r.time, c.cfg.Timeout)+ask.wait)
	defer cancel()
	var connected atomic.Bool // from here on something may have been sent
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	})
	request, err := c.request(ctx, base, r)
	if err != nil {
		return nil, &Error{Op: r.op(), URL: base, Code: Invalid, Err: err}
	}
	ask.apply(request.Header)
	response, err := c.http.Do(request)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err // our error names the method and the address itself
		}
		return nil, broken(base, r, connected.Load(), err)
	}
	defer response.Body.Close()
	a := &answer{header: response.Header, Reply: Reply{
		URL: base, Status: response.StatusCode, Node: response.Header.Get("Node"), Lag: response.Header.Get("Replication-Lag"),
		WriteState: response.Header.Get("Write-State"), Session: response.Header.Get("Session"),
	}}
	if response.StatusCode/100 != 2 {
		e := refused(r, a, response.Body)
		if e.fromNode() {
			// Only these two were answered after the session had been waited for.
			c.heard(&a.Reply, ask.own && Absent(e))
		}
		return nil, e
	}
	if r.consume != nil {
		err = r.consume(base, response.Body)
	} else {
		a.body, err = readBounded(response.Body, MaxReply)
	}
	if err != nil {
		return nil, broken(base, r, true, err)
	}
	c.heard(&a.Reply, ask.own)
	return a, nil
}

// broken is the error of an attempt that got no whole answer.
func broken(base string, r *call, sent bool, err error) *Error {
	e := &Error{Op: r.op(), URL: base, Code: Unreachable, Err: err}
	if r.write && sent {
		e.Code, e.Detail = Unknown, "no whole answer came, so nobody knows whether it was applied"
	}
	return e
}

// refused is the error of an answer that is not a success.
func refused(r *call, a *answer, body io.Reader) *Error {
	text, err := readBounded(body, maxProblem)
	if err != nil {
		return broken(a.URL, r, true, err)
	}
	e := problemError(r.op(), a.Status, text)
	e.URL = a.URL
	e.Node = cmp.Or(e.Node, a.Node)
	e.ETag = cmp.Or(e.ETag, a.header.Get("ETag"))
	e.Context = cmp.Or(e.Context, a.header.Get("Causal-Context"))
	e.Conflicts = cmp.Or(e.Conflicts, a.conflicts())
	if seconds, err := strconv.Atoi(a.header.Get("Retry-After")); err == nil && seconds > 0 {
		e.RetryAfter = time.Duration(seconds) * time.Second
	}
	if e.Code == Unknown && !r.write { // of a read nothing hangs on it: it can be asked again
		return &Error{Op: e.Op, URL: e.URL, Node: e.Node, Status: e.Status, Code: Unreachable, Err: errors.New(e.Detail)}
	}
	return e
}

// request builds the HTTP request of a call.
func (c *Client) request(ctx context.Context, base string, r *call) (*http.Request, error) {
	address := base + r.path
	if len(r.query) > 0 {
		address += "?" + r.query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, r.method, address, bytes.NewReader(r.body))
	if err != nil {
		return nil, err
	}
	maps.Copy(request.Header, r.header)
	if c.cfg.Token != "" {
		request.Header.Set("Authorization", "Bearer "+c.cfg.Token)
	}
	return request, nil
}

// demand is what one attempt asks of the node before it answers.
type demand struct {
	session string
	own     bool          // the answer has at least what the client's own session names
	wait    time.Duration // whole seconds
}

func (c *Client) demand(r *call) demand {
	d := demand{wait: r.wait}
	switch {
	case r.alone || r.options.NoSession:
		return d
	case r.options.Session != "":
		d.session = r.options.Session
	case c.cfg.NoSession:
		d.own = true // there is none to keep to
	default:
		d.session, d.own = c.Session(), true
	}
	if d.wait == 0 && d.session != "" {
		d.wait = c.cfg.Wait
	}
	return d
}

func (d demand) apply(h http.Header) {
	if d.session != "" {
		h.Set("Session", d.session)
	}
	if seconds := int(d.wait / time.Second); seconds > 0 {
		h.Set("Prefer", "wait="+strconv.Itoa(seconds))
	}
}

// readBounded reads all of a body that has at most limit bytes.
func readBounded(body io.Reader, limit int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(body, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(text)) > limit {
		return nil, fmt.Errorf("the answer is longer than %d MiB", limit>>20)
	}
	return text, nil
}

// getJSON reads a route that answers JSON.
func (c *Client) getJSON(ctx context.Context, r *call, into any) (Reply, error) {
	r.method = http.MethodGet
	a, err := c.do(ctx, r)
	if err != nil {
		return Reply{}, err
	}
	return a.Reply, a.decode(r, into)
}

// decode reads the JSON of an answer.
func (a *answer) decode(r *call, into any) error {
	if err := json.Unmarshal(a.body, into); err != nil {
		return &Error{Op: r.op(), URL: a.URL, Node: a.Node, Status: a.Status, Code: BadReply, Detail: "the answer cannot be read", Err: err}
	}
	return nil
}

// inPages yields what a list has, page by page. After an error it ends. It may be
// ranged over again: then it begins anew.
func inPages[T any](query url.Values, read func(url.Values) (page []T, next string, err error)) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		query := maps.Clone(query)
		for {
			page, next, err := read(query)
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range page {
				if !yield(&page[i], nil) {
					return
				}
			}
			if next == "" {
				return
			}
			query.Set("cursor", next)
		}
	}
}
