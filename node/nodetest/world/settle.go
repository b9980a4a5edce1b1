package world

import (
	"bytes"
	"maps"
	"slices"
	"time"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

const (
	// settleMost is the longest pause between two looks at the conflicts.
	settleMost = 400 * time.Millisecond
	// outOfTurn is the chance that a node settles although a lower one is there:
	// whose turn it is must not matter.
	outOfTurn = 0.3
	// outOfTurnLast is that chance at the end. A node may have no result of its own,
	// so others must come in; but where rows take longer than the time between two
	// looks, several that often do go on settling each other's settlements.
	outOfTurnLast = 0.05
)

// settleLater plans the next look at the conflicts.
func (p *process) settleLater() {
	p.later(p.w.between(settleMost/4, settleMost), func() {
		p.settle()
		p.settleLater()
	})
}

// stable is what every data node has, as far as this one knows.
func (p *process) stable() vclock.Vector {
	return p.table.Stable(p.engine.Frontier(), p.w.others(p.name))
}

// known is what each other data node has, as far as this one knows.
func (p *process) known() []vclock.Vector { return p.table.Others(p.w.others(p.name)) }

// turn says whether this node is the one to settle, or does so all the same.
func (p *process) turn() bool {
	lower := slices.ContainsFunc(p.w.nodes, func(q *process) bool { return q.name < p.name && q.running() && q.acting })
	if p.w.ending {
		return !lower || p.w.chance(outOfTurnLast)
	}
	return !lower || p.w.chance(outOfTurn)
}

// settle ends what can be ended, in one commit.
func (p *process) settle() {
	w := p.w
	if !p.turn() {
		return
	}
	found, err := p.engine.Settlement(w.ctx, p.stable())
	if err != nil {
		w.fail("%s: settlement: %v", p.name, err)
		return
	}
	if found == nil {
		return
	}
	pasts := make([]map[vclock.Dot]bool, len(found.Documents))
	for i := range found.Documents {
		pasts[i] = w.oracle.pastOf(found.Documents[i].Live)
	}
	if err := p.commit(found.Request); err != nil {
		w.fail("%s: commit: %v", p.name, err)
		return
	}
	for i, out := range found.Request.Outcomes() {
		switch kind := node.KindOf(out.Err); {
		case out.Err == nil, kind == node.LeaseLost:
			made := out.Written.After.Live.Find(out.Written.Dot)
			if c := made.Key.Collection; c == node.RecordCollection || c == node.LoserCollection {
				continue // who files and notes is no client: their pasts are not known
			}
			w.oracle.wrote(p, made, maps.Clone(pasts[i]), false)
			w.oracle.added(&found.Documents[i], made)
			w.oracle.settled(p, found.Documents[i].Live, made)
		case kind == node.ReadOnly, kind == node.Precondition:
			w.Stats.Refused++
		default:
			w.fail("%s: settle: %v", p.name, out.Err)
		}
	}
}

// settled holds a settlement against its rules (D8).
func (o *oracle) settled(p *process, set conflict.Siblings, made *conflict.Version) {
	w := o.w
	w.Stats.Settled++
	o.settledByScript(p, set, made)
	newest := vclock.Time(0)
	for _, v := range set {
		newest = max(newest, v.Time)
		for _, q := range w.nodes {
			// Below FULL a crash takes back what a node has said that it has.
			if w.cfg.Full && q.up && !o.holds(q, v.Dot, v.Key) {
				w.fail("%s settles %v, and %s lacks %s", p.name, dots(set), q.name, v.Dot)
			}
		}
	}
	if made.Time != newest {
		w.fail("settlement %s has time %s, its newest sibling %s", made.Dot, made.Time, newest)
	}
	o.ended(set, made)
}

// ended notes that a version has covered these: two or more need a record (D9).
func (o *oracle) ended(covered conflict.Siblings, made *conflict.Version) {
	if len(covered.Visible()) > 1 && !made.Key.Collection.IsSystem() {
		o.records[covered.ID()] = made.Dot
	}
}

// recorded checks, at the end, that every conflict that was ended is on record
// at every node. Below FULL a record may be lost with the tail of its node,
// while the version has got through.
func (o *oracle) recorded() {
	if !o.w.cfg.Full || o.w.cfg.shortRecords() {
		return
	}
	for _, id := range slices.Sorted(maps.Keys(o.records)) {
		for _, p := range o.w.nodes {
			c, err := p.engine.Conflict(o.w.ctx, id)
			if err != nil || c.Record == nil {
				o.w.fail("%s has no record of conflict %s, which %s ended: %v", p.name, id, o.records[id], err)
				return
			}
			o.explained(p, c.Record)
			o.losers(p, c.Record)
		}
	}
}

// losers checks that a record has the bytes of every sibling.
func (o *oracle) losers(p *process, r *conflict.Record) {
	for _, s := range r.Siblings {
		if s.Deleted {
			continue
		}
		body, err := p.engine.Loser(o.w.ctx, r, s.Dot)
		if was := o.facts[s.Dot]; err != nil || was == nil || !bytes.Equal(body, was.v.Body) {
			o.w.fail("%s: the record %s has %q for %s: %v", p.name, r.ID, body, s.Dot, err)
		}
	}
}
