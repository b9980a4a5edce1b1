package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Code is the kind of an error, as the API spells it. It is an error, so that
// errors.Is(err, client.ReadOnly) asks for it.
type Code string

// Error implements error.
func (c Code) Error() string { return strings.ReplaceAll(string(c), "_", " ") }

// The codes that programs act on. The list is not complete: an Error carries
// whatever code the node sent.
const (
	BadJSON      Code = "bad_json"
	Invalid      Code = "invalid"
	NotFound     Code = "not_found"
	Deleted      Code = "deleted"
	Precondition Code = "precondition_failed"
	StaleContext Code = "stale_context"
	PatchFailed  Code = "patch_failed"
	AtomicFailed Code = "atomic_failed"
	TooLarge     Code = "too_large"
	ReadOnly     Code = "read_only"  // nothing was applied
	Behind       Code = "behind"     // nothing was applied; the node lacks what the session or cursor names
	Draining     Code = "draining"   // nothing was applied
	Busy         Code = "busy"       // nothing was applied
	LeaseLost    Code = "lease_lost" // applied, and may meet others as a sibling: Error.Dot names it
	Unknown      Code = "unknown"    // nobody knows whether it was applied
	DiskFull     Code = "disk_full"  // nothing was applied
	NotBuilt     Code = "not_built"  // a promise that the node's build does not keep yet
	// The next seven are of collections, conflicts and resolvers; nothing was applied.
	ContextRequired Code = "context_required" // the collection takes no write without IfMatch or Context
	OpenConflict    Code = "open_conflict"    // the conflict waits for somebody who has looked: Error.Siblings
	ConflictChanged Code = "conflict_changed" // the conflict has other siblings by now, or has ended: Error.Conflict
	NotEmpty        Code = "not_empty"        // the collection still has documents
	InvalidResolver Code = "invalid_resolver" // it cannot be stored: Error.Problems, Tests, Gate
	ResolverInUse   Code = "resolver_in_use"  // a collection's policy names it
	ResolverFailed  Code = "resolver_failed"  // the resolver that was named gives no value
	PeerSilent      Code = "peer_silent"      // another node must answer first, and does not: Error.Since
	RunInProgress   Code = "run_in_progress"  // the node runs a chaos script already: Error.Run
	InvalidScript   Code = "invalid_script"   // a chaos script is wrong, or does not fit the cluster: Error.Problems
	Unreachable     Code = "unreachable"      // of this package: no node could be reached, nothing was applied
	BadReply        Code = "bad_reply"        // of this package: an answer that is not of this API
)

// Error is every failure that a node answered or that this package found. It
// unwraps to its Code and to its cause.
type Error struct {
	Op   string // method and path
	URL  string // base URL of the node that was asked last
	Code Code

	Status  int    // of HTTP; 0 when there was no answer
	Title   string // the same for every error of a code
	Detail  string // plain words: what happened, and what to do
	Node    string // name of the node that answered
	TraceID string // names the entry in that node's log
	// RetryAfter is how long the node asks to wait; 0 when it does not say.
	RetryAfter time.Duration

	// With ReadOnly.
	Cause         string // no_majority, catching_up, disk_low, clock
	Votes         Votes
	Since         time.Time   // zero: not known
	WritableNodes []string    // base URLs of nodes that may write
	Candidates    []Candidate // nodes that may be writable
	WaitingFor    []string    // with the cause catching_up: names of nodes that must be met

	FreshNodes []string      // with Behind: base URLs of nodes that have it
	Limit      int64         // with TooLarge: the limit, in bytes or lines
	Dot        string        // with LeaseLost: the version that was committed all the same
	Failed     []LineFailure // with AtomicFailed: the lines that were wrong

	// With Precondition, StaleContext, ContextRequired, OpenConflict,
	// ConflictChanged, PatchFailed, NotFound and Deleted: what is there now, so
	// that no second read is needed.
	ETag      string
	Context   string
	Conflicts int
	Siblings  []Sibling
	Conflict  string // the id of the conflict that Siblings are; empty with one of them

	Run string // with RunInProgress: the id of the run that is under way

	// With InvalidResolver, and Problems with InvalidScript too.
	Problems []ScriptProblem // why it does not compile
	Tests    []ScriptTest
	Gate     *Gate

	Err error // the cause, where there was no answer
}

// Candidate is a node that may be writable.
type Candidate struct {
	Name      string    `json:"name"`
	API       string    `json:"api"`        // base URL
	LastHeard time.Time `json:"last_heard"` // zero: never in the answering node's life
}

// Votes counts votes.
type Votes struct {
	Have int `json:"have"`
	Need int `json:"need"`
	Of   int `json:"of"`
}

// LineFailure is one line of an atomic bulk that was wrong.
type LineFailure struct {
	Line    int // from 1
	ID      string
	Status  int
	Problem *Error
}

// Error implements error.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	switch {
	case e.Node != "":
		b.WriteString(" at node " + e.Node)
	case e.URL != "":
		b.WriteString(" at " + e.URL)
	}
	switch {
	case e.Detail != "":
		b.WriteString(": " + e.Detail)
	case e.Title != "":
		b.WriteString(": " + e.Title)
	default:
		b.WriteString(": " + e.Code.Error())
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	if e.Code != "" && e.Status != 0 {
		fmt.Fprintf(&b, " (%d %s)", e.Status, string(e.Code))
	}
	return b.String()
}

// Unwrap returns the code and the cause.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Code}
	}
	return []error{e.Code, e.Err}
}

// Absent says whether an error means that there is no document to read, be it
// that it never was or that it was deleted.
func Absent(err error) bool { return errors.Is(err, NotFound) || errors.Is(err, Deleted) }

// NotApplied says whether an error proves that a write changed nothing, so that
// sending it again is safe.
func NotApplied(err error) bool {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return false
	}
	switch e.Code {
	case Unreachable, ReadOnly, Behind, Draining, Busy, DiskFull, NotBuilt, Invalid, BadJSON, TooLarge:
		return true
	default:
		return e.fromNode() && e.Status/100 == 4
	}
}

// fromNode says whether a node of ours answered, and not a proxy before it.
func (e *Error) fromNode() bool { return e.Title != "" || e.TraceID != "" }

// problem is application/problem+json as API.md has it.
type problem struct {
	Title         string       `json:"title"`
	Status        int          `json:"status"`
	Detail        string       `json:"detail"`
	Code          Code         `json:"code"`
	Node          string       `json:"node"`
	TraceID       string       `json:"trace_id"`
	Cause         string       `json:"cause"`
	Votes         Votes        `json:"votes"`
	Since         time.Time    `json:"since"`
	WritableNodes []string     `json:"writable_nodes"`
	Candidates    []Candidate  `json:"candidates"`
	WaitingFor    []string     `json:"waiting_for"`
	FreshNodes    []string     `json:"fresh_nodes"`
	Limit         int64        `json:"limit"`
	Dot           string       `json:"dot"`
	ETag          string       `json:"etag"`
	Context       string       `json:"context"`
	Conflicts     int          `json:"conflicts"`
	Siblings      []Sibling    `json:"siblings"`
	Conflict      string       `json:"conflict"`
	Failed        []failedLine `json:"failed"`
	Run           string       `json:"run"`

	Problems []ScriptProblem `json:"problems"`
	Tests    []ScriptTest    `json:"tests"`
	Gate     *Gate           `json:"gate"`
}

type failedLine struct {
	Line    int             `json:"line"`
	ID      string          `json:"id"`
	Status  int             `json:"status"`
	Problem json.RawMessage `json:"problem"`
}

// problemError makes an Error of an answer that is not a success.
func problemError(op string, status int, body []byte) *Error {
	var p problem
	e := &Error{Op: op, Status: status}
	if err := json.Unmarshal(body, &p); err != nil || p.Code == "" {
		// Not ours: a proxy's page, say. It is not worth repeating at length.
		e.Code, e.Detail = foreignCode(status), "an answer without a problem of this API: "+strconv.Itoa(status)+" "+http.StatusText(status)
		return e
	}
	e.Code, e.Title, e.Detail, e.Node, e.TraceID = p.Code, p.Title, p.Detail, p.Node, p.TraceID
	e.Cause, e.Votes, e.Since, e.WaitingFor = p.Cause, p.Votes, p.Since, p.WaitingFor
	e.WritableNodes, e.Candidates, e.FreshNodes = p.WritableNodes, p.Candidates, p.FreshNodes
	e.Limit, e.Dot = p.Limit, p.Dot
	e.ETag, e.Context, e.Conflicts, e.Siblings, e.Conflict = p.ETag, p.Context, p.Conflicts, p.Siblings, p.Conflict
	e.Problems, e.Tests, e.Gate = p.Problems, p.Tests, p.Gate
	e.Run = p.Run
	for _, f := range p.Failed {
		e.Failed = append(e.Failed, LineFailure{Line: f.Line, ID: f.ID, Status: f.Status, Problem: problemError(op, f.Status, f.Problem)})
	}
	return e
}

// foreignCode is the code for a status that came without one. A gateway that
// gave up does not know what happened behind it.
func foreignCode(status int) Code {
	if status >= http.StatusInternalServerError {
		return Unknown
	}
	return BadReply
}
