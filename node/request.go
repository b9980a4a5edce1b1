package node

import (
	"slices"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/vclock"
)

// WriteKind says what a Write does.
type WriteKind int

// The kinds of writes.
const (
	Put WriteKind = iota
	Delete
	Patch
)

// Write is one local write of one document.
type Write struct {
	Kind WriteKind
	Key  conflict.Key
	Body []byte // of a Put: strict JSON, an object
	// Change computes a Patch's new body from the value shown. It runs in the
	// writer, so it must be quick and pure.
	Change func(shown []byte) ([]byte, error)
	// Create lets a Patch make a document that is absent, from an empty object.
	Create bool
	// IfMatch, when not nil, names the entity tags of which one must be shown;
	// "*" asks for any value.
	IfMatch []string
	// IfAbsent asks that no value is shown (If-None-Match: *).
	IfAbsent bool
	// Context, when not nil, is what the writer had seen of this document; else
	// it has seen what this node shows.
	Context *Token
	// Session is what the node must have before the write.
	Session vclock.Context
	// Decision, when not nil, says that the write decides a conflict, or undoes
	// what was decided, and goes into its record.
	Decision *Decision

	system  bool              // the engine's own write, also to a system collection
	named   conflict.Siblings // of what Context names, what this node had when it looked
	settles *settlement       // not nil: the write ends a conflict by the policy
	found   *resolved         // what its document's resolver has said, when it was asked for this write
	// allowed, when not nil, has the last word: it sees the settings that are in
	// force when the write is carried out, and the body.
	allowed func(s *settings, body []byte) error
}

// Written is what became of a Write that took effect.
type Written struct {
	Dot     vclock.Dot
	Created bool     // there was no value before
	After   Document // as it is shown now
}

// Outcome is the answer to one Write.
type Outcome struct {
	Written Written
	Err     error // nil, or an *Error
}

// Apply is what a peer's transfer brought: rows, and perhaps the closing
// frame that says that they were all.
type Apply struct {
	Versions []*conflict.Version // checked by Version.Check
	// Sender is the actor whose transfer it is; Done is the cursor of a transfer
	// that takes several requests: its finished rows, capped at the frontier of
	// the sender's snapshot. It is kept until the transfer closes.
	Sender vclock.Actor
	Done   vclock.Vector
	Close  *Closing
}

// Closing is a closing frame (PROTOCOL D4).
type Closing struct {
	Frontier vclock.Vector // of the sender, in the snapshot that the rows came from
	Standing Standing      // of the sender
}

// Applied is what became of an Apply.
type Applied struct {
	New int // versions that came to live here
}

// Request is one entry of the writer's queue: local writes, a peer's rows, a
// change of standing, or a piece of the past that is to be forgotten.
type Request struct {
	writes   []Write
	atomic   bool
	apply    *Apply
	standing Standing
	sweep    *sweep
	minority bool // its writes are taken although this node has no majority

	outcomes []Outcome
	applied  Applied
	err      error
	done     chan struct{}
}

// NewWrites is a request of local writes, each for itself or all or none.
func NewWrites(writes []Write, atomic bool) *Request {
	return &Request{writes: writes, atomic: atomic, outcomes: make([]Outcome, len(writes)), done: make(chan struct{})}
}

// NewApply is a request that applies a peer's rows.
func NewApply(a Apply) *Request { return &Request{apply: &a, done: make(chan struct{})} }

func newStanding(s Standing) *Request { return &Request{standing: s, done: make(chan struct{})} }

// Outcomes are the answers to the writes, once the request was committed.
func (r *Request) Outcomes() []Outcome { return r.outcomes }

// Applied is the answer to an Apply, once it was committed.
func (r *Request) Applied() (Applied, error) { return r.applied, r.err }

// brings says whether the request applies a version with this dot.
func (r *Request) brings(d vclock.Dot) bool {
	return r.apply != nil && slices.ContainsFunc(r.apply.Versions, func(v *conflict.Version) bool { return v.Dot == d })
}

// weight is how much of a transaction the request takes.
func (r *Request) weight() (writes, size int) {
	for i := range r.writes {
		size += len(r.writes[i].Body)
	}
	if r.apply != nil {
		for _, v := range r.apply.Versions {
			size += len(v.Body)
		}
		writes = len(r.apply.Versions)
	}
	return writes + len(r.writes), size
}

// fail answers everything in the request with one error.
func (r *Request) fail(err error) {
	r.err = err
	for i := range r.outcomes {
		r.outcomes[i] = Outcome{Err: err}
	}
	close(r.done)
}
