package witness

import (
	"cmp"
	"time"

	"github.com/syncline/syncline/vclock"
)

// Reason says why a voter refused a ballot. The set is closed.
type Reason string

// The reasons. The first four leave a lease of the asker as it is, since they
// say nothing about who may write; the others void it.
const (
	Epoch Reason = "epoch" // another cluster, epoch, life or timing (V1, W1)
	Stale Reason = "stale" // no fresh stamp of this witness: ask again with the one in the answer (W2)
	Boot  Reason = "boot"  // the witness started lately and waits for old promises to end (W4)
	Busy  Reason = "busy"  // the voter has too many ballots in hand

	Behind     Reason = "behind"      // the asker is not fit to write, by its own word (W6)
	Ineligible Reason = "ineligible"  // the asker's component is too small (W6)
	Other      Reason = "other"       // another component has the vote or is preferred (W6)
	CatchingUp Reason = "catching_up" // the voter's own past is not sound (V2)
	Duplicate  Reason = "duplicate"   // a newer process runs under the asker's name (V1)
)

// Known says whether the reason is one of the set.
func (r Reason) Known() bool {
	switch r {
	case Epoch, Stale, Boot, Busy, Behind, Ineligible, Other, CatchingUp, Duplicate:
		return true
	}
	return false
}

// Voids says whether the refusal ends a lease that the asker holds (X2).
func (r Reason) Voids() bool {
	switch r {
	case Epoch, Stale, Boot, Busy:
		return false
	default:
		return true
	}
}

// Life tells apart the processes that ever ran under one name.
type Life struct {
	Incarnation uint64 // when the life of the file began, in milliseconds since 1970 UTC
	Starts      uint64 // how often a process has opened the file
	Thaws       uint64 // how often this process found that its clocks had stood still
	Boot        uint64 // random, drawn at each start and thaw
}

// Compare orders lives by age. Equal ones with unequal Boot are two processes
// on copies of one file.
func (l Life) Compare(o Life) int {
	return cmp.Or(cmp.Compare(l.Incarnation, o.Incarnation), cmp.Compare(l.Starts, o.Starts), cmp.Compare(l.Thaws, o.Thaws))
}

// Follows says whether a ballot of life l may be heard after one of life o;
// after none, the zero Life, any may.
func (l Life) Follows(o Life) bool {
	c := l.Compare(o)
	return c > 0 || c == 0 && l.Boot == o.Boot || o == Life{}
}

// Stamp is an instant on the witness's own clock. The zero Stamp is none.
type Stamp struct {
	Boot uint64 // random id of the witness's run, never 0
	At   time.Duration
}

// Seen is a data node with which the asker exchanged ballots lately.
type Seen struct {
	Name       string
	CatchingUp bool // it refuses as catching up: a path, but no vote
}

// Ballot is a data node's question to the witness.
type Ballot struct {
	Cluster    string
	Epoch      uint64
	From       string
	Life       Life
	Seq        uint64        // counts the ballots of one life, from 1
	Lease      time.Duration // T
	View       []Seen
	CatchingUp bool          // the asker's standing is not good
	Want       bool          // its own health holds
	Held       time.Duration // age of its last lease from the witness; below 0: never
	Stamp      Stamp         // the newest that the asker has
	Actor      vclock.Actor  // under which the asker stamps
	Frontier   vclock.Vector // of the asker
}

// Answer is the witness's reply.
type Answer struct {
	Granted bool
	Reason  Reason   // of a refusal
	Have    []Holder // who has the vote
	Stamp   Stamp    // this instant
	Knows   uint64   // the highest sequence heard of the asker's actor
}

// Holder is a data node that has the vote.
type Holder struct {
	Name string
	Left time.Duration // for how much longer
}
