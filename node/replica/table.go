package replica

import (
	"sync"

	"github.com/syncline/syncline/node/wire"
	"github.com/syncline/syncline/vclock"
)

// Table is what this node knows of the others' frontiers, from closing frames
// only: ballots run ahead of the data (PROTOCOL D7). It counts for the actor
// that a node has now; what was known of a former life of its file is dropped.
type Table struct {
	mu       sync.Mutex
	self     string
	heard    map[string]entry // when a transfer's first frame was read: for sending
	known    map[string]entry // when its closing frame was applied: for all else
	revision uint64           // of known
}

type entry struct {
	actor    vclock.Actor
	frontier vclock.Vector
	direct   bool // the node said so itself
}

// NewTable makes the table of the node self.
func NewTable(self string) *Table {
	return &Table{self: self, heard: map[string]entry{}, known: map[string]entry{}}
}

// Heard takes the frontier of a transfer when it is read, before any row of it
// is applied: the node durably has that much, so it need not be sent.
func (t *Table) Heard(from string, actor vclock.Actor, frontier vclock.Vector) {
	t.mu.Lock()
	defer t.mu.Unlock()
	learn(t.heard, from, entry{actor, frontier, true})
}

// Applied takes a closing frame when it is durable here: now this node's own
// frontier covers what the frame says of the others. It says whether that was
// news.
func (t *Table) Applied(from string, c *wire.Close) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	changed := learn(t.known, from, entry{vclock.Actor(c.Actor), c.Frontier, true})
	for name, k := range c.Known {
		if name != from && name != t.self {
			changed = learn(t.known, name, entry{vclock.Actor(k.Actor), k.Frontier, false}) || changed
		}
	}
	if changed {
		t.revision++
	}
	return changed
}

// learn joins an entry, and says whether that changed anything.
func learn(m map[string]entry, name string, e entry) bool {
	old, ok := m[name]
	if ok && old.actor == e.actor {
		e.frontier = old.frontier.Join(e.frontier)
		e.direct = e.direct || old.direct
		if e.frontier.Equal(old.frontier) && e.direct == old.direct {
			return false
		}
	} else if ok && old.direct && !e.direct {
		// Hearsay about another life than the one that the node told us of
		// itself may be older or newer; the node will tell.
		return false
	}
	m[name] = e
	return true
}

// Has is what a node's present actor durably has, as far as this node heard:
// for sending only.
func (t *Table) Has(name string, actor vclock.Actor) vclock.Vector {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.heard[name]; e.actor == actor {
		return e.frontier
	}
	return vclock.Vector{}
}

// Frontier is what a node has, as far as this node knows, and whether it knows
// anything.
func (t *Table) Frontier(name string) (vclock.Vector, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e, ok := t.known[name]
	return e.frontier, ok
}

// Stable is the vector of dots that lie within the frontier of every data node
// of the roster, as far as this node knows it from data that it has (D7).
func (t *Table) Stable(own vclock.Vector, others []string) vclock.Vector {
	t.mu.Lock()
	defer t.mu.Unlock()
	stable := own
	for _, name := range others {
		stable = stable.Meet(t.known[name].frontier)
	}
	return stable
}

// Others are what the other data nodes have, as far as this node knows it from
// data that it has (D7), in the order of their names.
func (t *Table) Others(others []string) []vclock.Vector {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make([]vclock.Vector, len(others))
	for i, name := range others {
		out[i] = t.known[name].frontier
	}
	return out
}

// tell is the table for a closing frame, and its revision.
func (t *Table) tell() (map[string]wire.Known, uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make(map[string]wire.Known, len(t.known))
	for name, e := range t.known {
		out[name] = wire.Known{Actor: string(e.actor), Frontier: e.frontier}
	}
	return out, t.revision
}
