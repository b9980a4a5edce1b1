package node

import (
	"errors"
	"strings"
	"time"
)

// Kind says what sort of failure an Error is. Kinds are append-only and cross
// the wire; one table in node/rest maps them to statuses, and the client maps
// them back.
type Kind string

// The kinds. Of a local write they fall in three: not applied (the most),
// unknown (Unknown), and applied but not as was asked for (LeaseLost).
const (
	Bug             Kind = "bug"                 // a broken promise of ours
	BadRequest      Kind = "bad_request"         // a parameter that cannot be read
	BadJSON         Kind = "bad_json"            // a body that is not strict JSON
	BadContext      Kind = "bad_context"         // a Causal-Context that this cluster did not make
	WrongContext    Kind = "wrong_context"       // a Causal-Context of another document
	BadSession      Kind = "bad_session"         // a Session that this cluster did not make
	BadCursor       Kind = "bad_cursor"          // a cursor that this cluster did not make
	CursorExpired   Kind = "cursor_expired"      // list again and drop what is not listed
	Invalid         Kind = "invalid"             // well-formed but wrong
	NotFound        Kind = "not_found"           // never was, or nobody knows any more
	Deleted         Kind = "deleted"             // what is shown is a tombstone
	SystemColl      Kind = "system_collection"   // written only through its own routes
	Precondition    Kind = "precondition_failed" // If-Match or If-None-Match does not hold
	StaleContext    Kind = "stale_context"       // the context lacks a live version that the write needs
	PatchConflict   Kind = "patch_failed"        // a JSON patch whose test or path does not hold
	AtomicFailed    Kind = "atomic_failed"       // one line of an atomic batch failed; nothing was applied
	TooLarge        Kind = "too_large"           // above a stated limit
	Behind          Kind = "behind"              // this node lacks what the session or cursor names
	ReadOnly        Kind = "read_only"           // local writes are not taken now
	Draining        Kind = "draining"            // the process is stopping
	Busy            Kind = "busy"                // the writer's queue is full
	LeaseLost       Kind = "lease_lost"          // committed, but the lease had ended
	Unknown         Kind = "unknown"             // nobody knows whether it was committed
	DiskFull        Kind = "disk_full"           // nothing was applied
	Corrupt         Kind = "corrupt"             // stored or received bytes are damaged
	OwnActorAhead   Kind = "own_actor_ahead"     // somebody has more of this node's actor than it has
	NewerFile       Kind = "newer_file"          // the file is from a newer program
	WrongIdentity   Kind = "wrong_identity"      // the file belongs to another cluster or node
	Locked          Kind = "locked"              // another process has the folder
	NotBuilt        Kind = "not_built"           // a promise that this build does not keep yet
	ContextRequired Kind = "context_required"    // the collection takes no write without If-Match or Causal-Context
	OpenConflict    Kind = "open_conflict"       // a person has to look first: send If-Match or Causal-Context
	ConflictChanged Kind = "conflict_changed"    // the conflict that was named has other siblings by now
	NotEmpty        Kind = "not_empty"           // a collection that still has documents
	UnsupportedType Kind = "unsupported_type"    // a patch of an unknown media type
	InvalidResolver Kind = "invalid_resolver"    // a resolver that cannot be stored
	ResolverInUse   Kind = "resolver_in_use"     // a collection's policy names it
	ResolverFailed  Kind = "resolver_failed"     // the resolver that was named gives no value
)

// Error is the one error type of the core. It reads as a sentence: operation,
// key, what is wrong.
type Error struct {
	Op   string // what was tried, such as "put"
	Kind Kind
	Key  string // what it was tried on, where there is such a thing
	Err  error  // the cause in words, or nil

	ReadOnly *ReadOnlyState // with Kind ReadOnly
	Current  *Document      // with Precondition, StaleContext, ContextRequired, OpenConflict, ConflictChanged: what is there now
	Line     int            // with AtomicFailed: which write failed, from 1
	Dot      string         // with LeaseLost: the version that was committed all the same
}

// Error implements error.
func (e *Error) Error() string {
	var b strings.Builder
	for _, part := range []string{e.Op, e.Key} {
		if part != "" {
			b.WriteString(part)
			b.WriteString(": ")
		}
	}
	if e.Err != nil {
		b.WriteString(e.Err.Error())
	} else {
		b.WriteString(strings.ReplaceAll(string(e.Kind), "_", " "))
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of an error, and Bug for one that has none.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Bug
}

// Cause says why a node is read-only.
type Cause string

// The causes, as API.md names them.
const (
	NoMajority Cause = "no_majority"
	CatchingUp Cause = "catching_up"
	DiskLow    Cause = "disk_low"
	ClockBad   Cause = "clock"
)

// ReadOnlyState is what a refused writer is told.
type ReadOnlyState struct {
	Cause         Cause
	Detail        string // plain words: who was lost when, who may write
	Have          int    // votes
	Need          int
	Of            int
	Since         time.Time
	WritableNodes []string    // names of nodes that may write, told by a voter within the lease
	Candidates    []Candidate // data nodes that may be writable
	WaitingFor    []string    // with CatchingUp: the nodes that must be met first
}

// Candidate is a data node that may be writable.
type Candidate struct {
	Name      string
	LastHeard time.Time // zero: never in this life
}
