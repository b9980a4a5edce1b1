package node_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// rows reads from one snapshot what is beyond a receiver's frontier, and the
// snapshot's frontier.
func (r *rig) rows(has func(vclock.Actor) uint64) ([]*conflict.Version, vclock.Vector) {
	r.Helper()
	view, err := r.store.View(r.Context())
	r.ok(err)
	actors, err := view.Actors()
	r.ok(err)
	var out []*conflict.Version
	for _, a := range actors {
		rows, err := view.Rows(a, has(a), 1<<30, 1<<30)
		r.ok(err)
		out = append(out, rows...)
	}
	frontier := view.Frontier()
	r.ok(view.Close())
	return out, frontier
}

// consumer follows the feed at several nodes, and keeps what it was told.
type consumer struct {
	*rapid.T
	nodes []*rig
	open  map[[2]int]*moving
	since string
	last  int // the node that made the cursor
	known map[string]node.Document
}

// moving is a transfer under way.
type moving struct {
	rows     []*conflict.Version
	frontier vclock.Vector
	sender   vclock.Actor
}

var feedIDs = []string{"alice", "bob", "carol"}

func (c *consumer) pick(t *rapid.T, label string) int {
	c.T = t
	return rapid.IntRange(0, len(c.nodes)-1).Draw(t, label)
}

func (c *consumer) write(t *rapid.T) {
	r := c.nodes[c.pick(t, "at")]
	id := rapid.SampledFrom(feedIDs).Draw(t, "id")
	w := put(id, fmt.Sprintf(`{"n":%d}`, r.Frontier().Get(r.Actor())))
	if rapid.IntRange(0, 3).Draw(t, "delete") == 0 {
		w = del(id)
	}
	if old, ok := c.known[id]; ok && rapid.IntRange(0, 2).Draw(t, "old") == 0 {
		w.Context = &node.Token{Seen: old.Seen()} // what the consumer was told, perhaps elsewhere
	}
	if _, err := r.try(w); err != nil && node.KindOf(err) != node.NotFound && node.KindOf(err) != node.Deleted {
		t.Fatal(err)
	}
}

func (c *consumer) begin(t *rapid.T) {
	from, to := c.pick(t, "from"), c.pick(t, "to")
	if from == to {
		t.Skip("nothing to move")
	}
	rows, frontier := c.nodes[from].rows(c.nodes[to].Frontier().Get)
	c.open[[2]int{from, to}] = &moving{rows, frontier, c.nodes[from].Actor()}
}

// move applies a row of a transfer, or closes it.
func (c *consumer) move(t *rapid.T) {
	from, to := c.pick(t, "from"), c.pick(t, "to")
	m := c.open[[2]int{from, to}]
	if m == nil {
		t.Skip("no transfer is open")
	}
	a := node.Apply{Sender: m.sender}
	if len(m.rows) > 0 {
		a.Versions, m.rows = m.rows[:1], m.rows[1:]
	} else {
		a.Close = &node.Closing{Frontier: m.frontier, Standing: node.StandingGood}
		delete(c.open, [2]int{from, to})
	}
	if _, err := c.nodes[to].take(a); err != nil {
		t.Fatal(err)
	}
}

// whole carries a transfer through.
func (c *consumer) whole(t *rapid.T) {
	from, to := c.pick(t, "from"), c.pick(t, "to")
	if from != to {
		c.nodes[from].copyTo(c.nodes[to])
	}
}

func (c *consumer) stay(t *rapid.T) { c.T = t; c.read(c.last, rapid.IntRange(1, 3).Draw(t, "limit")) }

func (c *consumer) wander(t *rapid.T) {
	c.read(c.pick(t, "at"), rapid.IntRange(1, 3).Draw(t, "limit"))
}

// read takes one page, where the node has what the cursor names.
func (c *consumer) read(at, limit int) (done bool) {
	r := c.nodes[at]
	ended, cancel := canceled()
	defer cancel()
	if r.AwaitCursor(ended, c.since) != nil {
		return false
	}
	p := r.page(c.since, limit)
	for _, e := range p.Changes {
		c.known[string(e.Doc.Key.ID)] = e.Doc
	}
	c.since, c.last = p.Next, at
	if p.Checkpoint == "" {
		return false
	}
	// Nothing lost: whatever lives here was told, or is in the past of what was.
	// Loose versions wait for their transfer.
	for _, id := range feedIDs {
		told := c.known[id]
		for _, v := range r.get(id).Live {
			if seen := told.Seen(); r.Frontier().Covers(v.Dot) && !seen.Covers(v.Dot) {
				c.Fatalf("at a checkpoint of node %d: %s of %s lives there, and the consumer was told %v", at, v.Dot, id, dotsOf(told.Live))
			}
		}
	}
	return true
}

// "The changes feed's cursor is a frontier, so a consumer resumes on another
// node with nothing lost" (DESIGN 8).
func TestFeedLosesNothing(t *testing.T) {
	const rounds = 5 // of 100 histories each
	for range rounds {
		rapid.Check(t, func(t *rapid.T) {
			c := &consumer{T: t, open: map[[2]int]*moving{}, known: map[string]node.Document{}}
			for i := range rapid.IntRange(1, 3).Draw(t, "nodes") {
				c.nodes = append(c.nodes, newRig(t, func(cfg *node.Config) { cfg.Node = string(rune('a' + i)) }))
			}
			t.Repeat(map[string]func(*rapid.T){
				"write": c.write, "begin": c.begin, "move": c.move, "whole": c.whole, "stay": c.stay, "wander": c.wander,
			})
			c.finish(t)
		})
	}
}

// finish makes all nodes equal, and reads on until a checkpoint: then the
// consumer has what the nodes show.
func (c *consumer) finish(t *rapid.T) {
	c.T = t
	for range 2 {
		for _, from := range c.nodes {
			for _, to := range c.nodes {
				if from != to {
					from.copyTo(to)
				}
			}
		}
	}
	at := c.pick(t, "last")
	for pages := 0; !c.read(at, 2); pages++ {
		if pages > 1000 {
			t.Fatal("the feed never comes to a checkpoint")
		}
	}
	for _, id := range feedIDs {
		d, told := c.nodes[at].get(id), c.known[id]
		if d.Tag != told.Tag {
			t.Fatalf("%s shows %v, and the consumer has %v", id, dotsOf(d.Live), dotsOf(told.Live))
		}
	}
}
