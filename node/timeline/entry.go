package timeline

import "time"

// Kind says what an entry is about.
type Kind string

// The kinds.
const (
	Process   Kind = "process"   // started, stopped: the process itself
	Write     Kind = "write"     // writable, read-only, with cause
	Standing  Kind = "standing"  // new, catching_up, good
	Link      Kind = "link"      // up, cut, unknown: one direction, From and To
	Fault     Kind = "fault"     // begun, healed, expired: a fault of chaos
	Conflicts Kind = "conflicts" // Opened and Settled within the second that begins at Time
	Dropped   Kind = "dropped"   // Count entries were too many to keep
)

// States of a process.
const (
	Started = "started"
	Stopped = "stopped"
)

// Entry is one change of state. What a kind does not use is left out.
type Entry struct {
	Time    time.Time  `json:"time"` // wall clock, UTC
	Kind    Kind       `json:"kind"`
	State   string     `json:"state,omitempty"`
	Cause   string     `json:"cause,omitempty"`
	From    string     `json:"from,omitempty"` // of a link or a fault
	To      string     `json:"to,omitempty"`
	ID      string     `json:"id,omitempty"`    // of a fault
	Fault   string     `json:"fault,omitempty"` // cut, delay, loss, flap
	Both    bool       `json:"both,omitempty"`  // the fault works in both directions
	Until   *time.Time `json:"until,omitempty"` // when the fault ends by itself
	Opened  int        `json:"opened,omitempty"`
	Settled int        `json:"settled,omitempty"`
	Count   int        `json:"count,omitempty"`
	// Alive is, with Started, the last sign of life of the process before; nil:
	// there was none.
	Alive *time.Time `json:"alive,omitempty"`
}

// lane is what an entry supersedes: the state of one thing.
type lane struct {
	kind         Kind
	from, to, id string
}

func (e *Entry) lane() lane { return lane{e.Kind, e.From, e.To, e.ID} }

// lasts says whether the entry's state goes on until the next of its lane.
func (e *Entry) lasts() bool {
	switch e.Kind {
	case Write, Standing, Link, Process:
		return true
	case Fault:
		return e.State == "begun"
	default:
		return false
	}
}

// Gap is a time of which nothing is known.
type Gap struct {
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
	Cause string    `json:"cause"` // in words
}

// Query asks for the entries from From up to To, both included.
type Query struct {
	From, To time.Time
	After    uint64 // only entries with a higher number; 0: all
	Limit    int    // the most entries of the answer; above 0
}

// Page is an answer, in the order in which the changes were noted.
type Page struct {
	// Before is, for everything that has a state, the entry that was in force at
	// From. Only the first page has it.
	Before  []Entry
	Entries []Entry
	Gaps    []Gap  // within From and To
	Next    uint64 // number to go on behind; 0: there is nothing more
}
