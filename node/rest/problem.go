package rest

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/syncline/syncline/conflict/script"
	"github.com/syncline/syncline/node"
)

// typePrefix is where the pages about problems are, on every node: a problem's
// type is this and its code.
const typePrefix = "/docs/problems/"

// traceBytes is the length of a trace id, in random bytes.
const traceBytes = 8

// problem is the body of every error.
type problem struct {
	Type    string    `json:"type"`
	Title   string    `json:"title"`
	Status  int       `json:"status"`
	Detail  string    `json:"detail"`
	Code    node.Kind `json:"code"`
	Node    string    `json:"node"`
	TraceID string    `json:"trace_id"`

	// read_only; peer_silent has since
	Cause         node.Cause  `json:"cause,omitempty"`
	Votes         *VoteCount  `json:"votes,omitempty"`
	Since         *time.Time  `json:"since,omitempty"`
	WritableNodes []string    `json:"writable_nodes,omitzero"`
	Candidates    []candidate `json:"candidates,omitzero"`
	WaitingFor    []string    `json:"waiting_for,omitempty"`
	// behind
	FreshNodes []string `json:"fresh_nodes,omitzero"`
	// too_large
	Limit int64 `json:"limit,omitempty"`
	// lease_lost
	Dot string `json:"dot,omitempty"`
	// 409, 412 and 428: what is there now
	ETag      string          `json:"etag,omitempty"`
	Context   string          `json:"context,omitempty"`
	Conflicts *int            `json:"conflicts,omitempty"`
	Siblings  json.RawMessage `json:"siblings,omitempty"`
	Conflict  string          `json:"conflict,omitempty"` // its id, with two siblings or more
	// atomic_failed
	Failed []bulkFailure `json:"failed,omitempty"`
	// run_in_progress: the id of the run that is under way
	Run string `json:"run,omitempty"`
	// invalid_resolver; invalid_script has problems
	Problems []script.Problem `json:"problems,omitempty"`
	Tests    []testJSON       `json:"tests,omitempty"`
	Gate     *gateJSON        `json:"gate,omitempty"`
}

// candidate is a data node that may be writable.
type candidate struct {
	Name      string     `json:"name"`
	API       string     `json:"api"`
	LastHeard *time.Time `json:"last_heard"` // null: never in this life
}

func newTrace() string {
	b := make([]byte, traceBytes)
	_, _ = rand.Read(b) // never fails, as its documentation says
	return hex.EncodeToString(b)
}

// fail answers a request with a problem. Headers that the handler has set
// about a document stay.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := s.problemOf(err, newTrace())
	s.metrics.problem(p.Code)
	h := w.Header()
	row, _ := Lookup(p.Code)
	if row.RetryAfter > 0 {
		h[headRetry] = []string{strconv.Itoa(row.RetryAfter)}
	}
	switch p.Code {
	case node.ReadOnly, node.LeaseLost:
		// The state may have changed since the reply's headers were made.
		h[headWriteState] = valueReadOnly
	case node.UnsupportedType:
		h["Accept-Patch"] = valuePatches
	case SlowBody:
		h["Connection"] = []string{"close"}
	case node.Bug, node.Corrupt:
		s.cfg.Log.Error("a request failed", "method", r.Method, "path", r.URL.Path, "trace_id", p.TraceID, "error", err)
	default:
	}
	if e, ok := errors.AsType[*node.Error](err); ok && e.Current != nil {
		s.setDocument(h, e.Current)
	}
	if p.Code != SlowBody {
		drain(r, MaxDrain)
	}
	body := p.encode()
	h[headType] = valueProblem
	h[headCache] = valueNoStore
	h[headLength] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(p.Status)
	_, _ = w.Write(body) // a client that has gone needs no answer
}

// encode is the problem as JSON.
func (p *problem) encode() []byte {
	return mustJSON(p)
}

// problemOf says what an error is to a client.
func (s *Server) problemOf(err error, trace string) *problem {
	err = fromEcho(err)
	kind := node.KindOf(err)
	row, known := Lookup(kind)
	if !known {
		kind = node.Bug
	}
	p := &problem{
		Type: typePrefix + string(kind), Title: row.Title, Status: row.Status, Detail: err.Error(),
		Code: kind, Node: s.cfg.Node, TraceID: trace,
	}
	if kind == node.Bug {
		// Inner workings help nobody outside, and may tell too much.
		p.Detail = "an internal error; the log of node " + s.cfg.Node + " has the cause beside trace_id " + trace
	}
	s.addDetails(p, err)
	return p
}

// addDetails adds what a client can act on.
func (s *Server) addDetails(p *problem, err error) {
	if e, ok := errors.AsType[*node.Error](err); ok {
		p.Dot = e.Dot
		if e.ReadOnly != nil {
			s.addReadOnly(p, e.ReadOnly)
		}
		if e.Current != nil {
			s.addCurrent(p, e.Current)
		}
	}
	if e, ok := errors.AsType[*behindError](err); ok {
		p.FreshNodes = e.fresh
	} else if p.Code == node.Behind {
		p.FreshNodes = []string{}
	}
	if e, ok := errors.AsType[*silentError](err); ok {
		p.Since = stamped(e.since)
	}
	if e, ok := errors.AsType[*limitError](err); ok {
		p.Limit = e.limit
	}
	if e, ok := errors.AsType[*examinationError](err); ok {
		p.Problems, p.Tests, p.Gate = e.Problems, e.Tests, e.Gate
	}
	if e, ok := errors.AsType[*RunningError](err); ok {
		p.Run = e.ID
	}
	if e, ok := errors.AsType[*ChaosScriptError](err); ok {
		p.Problems = e.Problems
	}
	if e, ok := errors.AsType[*atomicError](err); ok {
		p.Failed = []bulkFailure{s.bulkFailure(e, p.TraceID)}
	}
}

func (s *Server) addReadOnly(p *problem, state *node.ReadOnlyState) {
	w := s.refusal(state)
	p.Cause, p.Votes, p.Since = state.Cause, &w.Votes, stamped(w.Since)
	p.WritableNodes = s.urls(w.WritableNodes)
	p.Candidates = []candidate{}
	p.WaitingFor = state.WaitingFor
	for _, c := range s.candidates(state) {
		p.Candidates = append(p.Candidates, candidate{Name: c.Name, API: s.url(c.Name), LastHeard: stamped(c.LastHeard)})
	}
	if state.Detail != "" {
		p.Detail = state.Detail
	}
}

// candidates are the data nodes that may be writable: those that the error
// names, else all others of the roster.
func (s *Server) candidates(state *node.ReadOnlyState) []node.Candidate {
	if state.Candidates != nil {
		return state.Candidates
	}
	var out []node.Candidate
	for _, m := range s.cfg.Roster.Members {
		if m.Role == RoleData && m.Name != s.cfg.Node {
			out = append(out, node.Candidate{Name: m.Name})
		}
	}
	return out
}

func (s *Server) addCurrent(p *problem, d *node.Document) {
	n := d.Live.Conflicts()
	p.Conflicts = &n
	p.Context = s.engine.ContextToken(d)
	p.ETag = quotedTag(d)
	p.Siblings = appendSiblings(nil, d.Live)
	if len(d.Live) > 1 {
		p.Conflict = s.engine.ConflictID(d)
	}
}

// stamped is a time as JSON shows it: null when it is not known.
func stamped(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// fromEcho turns the router's errors into ours.
func fromEcho(err error) error {
	e, ok := errors.AsType[*echo.HTTPError](err)
	if !ok {
		return err
	}
	switch e.Code {
	case http.StatusNotFound:
		return &node.Error{Op: "request", Kind: UnknownRoute, Err: errors.New("there is no such path; /openapi.json lists those that are")}
	case http.StatusMethodNotAllowed:
		return &node.Error{Op: "request", Kind: MethodNotAllowed, Err: errors.New("this path does not have the method; Allow lists those that it has")}
	}
	return err
}
