package witness

import (
	"slices"
	"time"
)

// MaxLog is the most entries that a Log keeps; the oldest go first.
const MaxLog = 512

// Verdict is what became of a vote.
type Verdict string

// The verdicts.
const (
	Granted Verdict = "granted"
	Refused Verdict = "refused"
	Expired Verdict = "expired"
)

// Event is one thing that happened to the vote of Voter for Node.
type Event struct {
	Voter   string
	Node    string
	Verdict Verdict
	Reason  Reason // of a refusal
}

// Entry is one line of a Log: an event, and how often in a row it happened to
// the same two.
type Entry struct {
	Event
	First time.Time
	Last  time.Time
	Count int
}

// Log keeps the last events of votes. Equal ones of the same two in a row are
// one entry, so that a healthy cluster fills no log. The zero Log is empty. It
// is not safe for concurrent use.
type Log struct {
	entries []Entry // oldest first
}

// Add notes an event.
func (l *Log) Add(wall time.Time, e Event) {
	for i := len(l.entries) - 1; i >= 0; i-- {
		last := &l.entries[i]
		if last.Voter != e.Voter || last.Node != e.Node {
			continue
		}
		if last.Event == e {
			last.Last = wall
			last.Count++
			return
		}
		break
	}
	if len(l.entries) == MaxLog {
		copy(l.entries, l.entries[1:])
		l.entries = l.entries[:MaxLog-1]
	}
	l.entries = append(l.entries, Entry{Event: e, First: wall, Last: wall, Count: 1})
}

// Entries returns a copy of the log, oldest first.
func (l *Log) Entries() []Entry { return slices.Clone(l.entries) }
