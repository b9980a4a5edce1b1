package world

import (
	"fmt"
	"slices"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
)

// undoChance is how often a client of a world with people looks at the conflicts
// instead of the documents.
const undoChance = 0.08

// note is a step that a record must tell of, once it was acknowledged.
type note struct {
	record string
	who    string // names the step
}

// decide ends an open conflict, or does something about one that has ended, at
// one node: while settlers, writers and other people do the same elsewhere.
func (c *client) decide(p *process) {
	if c.w.chance(0.5) {
		c.resolve(p)
		return
	}
	c.undo(p)
}

// one draws a conflict that stands so at a node; nil: there is none.
func (c *client) one(p *process, state node.ConflictState) *node.Conflict {
	w := c.w
	page, err := p.engine.Conflicts(w.ctx, node.ConflictQuery{State: state, Limit: node.MaxPage})
	if err != nil {
		w.fail("%s: conflicts: %v", p.name, err)
		return nil
	}
	// A record may be there before the node has the collection's other writes.
	found := slices.DeleteFunc(page.Conflicts, func(o node.Conflict) bool { return o.Record != nil && o.Record.Collection != collection })
	if len(found) == 0 {
		return nil
	}
	return &found[w.rng.IntN(len(found))]
}

// resolve ends an open conflict by one of its values, another one, a delete or
// the resolver.
func (c *client) resolve(p *process) {
	w := c.w
	open := c.one(p, node.ConflictOpen)
	if open == nil {
		return
	}
	r := node.Resolution{Who: w.stranger(), Reason: "played"}
	switch roll := w.rng.IntN(4); {
	case roll == 0:
		r.Body = fmt.Appendf(nil, `{"n":%d}`, w.rng.IntN(bodies))
	case roll == 1 && w.cfg.Scripts:
		r.Resolver = resolverName
	case roll == 2 && !w.cfg.Merge:
		r.Delete = true
	default:
		v := open.Open.Live[w.rng.IntN(len(open.Open.Live))]
		if v.Deleted && w.cfg.Merge {
			return
		}
		r.Pick = v.Dot
	}
	req, err := p.engine.ResolveRequest(w.ctx, open.ID, r)
	switch node.KindOf(err) {
	case node.NotFound, node.ResolverFailed, node.Invalid:
		w.Stats.Refused++ // the resolver has not arrived, or gives no value; or the record came before the version that ended it
		return
	default:
	}
	if err == nil {
		err = p.commit(req)
	}
	if err != nil {
		w.fail("%s: resolve: %v", p.name, err)
		return
	}
	if c.answered(p, open.Open, req, w.oracle.pastOf(open.Open.Live)) {
		w.Stats.Resolved++
	}
}

// undo restores a loser, reverts a result, or notes that somebody has looked.
func (c *client) undo(p *process) {
	w := c.w
	old := c.one(p, node.ConflictSettled)
	if old == nil {
		return
	}
	r := old.Record
	u := node.Undo{Action: []string{node.ActionRestore, node.ActionRestore, node.ActionRevert, node.ActionReview}[w.rng.IntN(4)], Who: w.stranger()}
	if u.Action == node.ActionRestore {
		u.Dot = r.Siblings[w.rng.IntN(len(r.Siblings))].Dot
	}
	before, err := p.engine.Get(w.ctx, conflict.Key{Collection: r.Collection, ID: r.DocID})
	if err != nil {
		w.fail("%s: get: %v", p.name, err)
		return
	}
	if w.chance(0.3) {
		u.IfMatch = []string{before.Tag}
	}
	req, err := p.engine.UndoRequest(w.ctx, r.ID, u)
	switch node.KindOf(err) {
	case node.Invalid, node.NotFound:
		w.Stats.Refused++ // a person's decision is not reverted, and a body may still be on its way
		return
	default:
	}
	if err == nil {
		err = p.commit(req)
	}
	if err != nil {
		w.fail("%s: %s: %v", p.name, u.Action, err)
		return
	}
	done := u.Action == node.ActionReview && req.Err() == nil && req.Outcomes()[0].Err == nil
	if u.Action != node.ActionReview {
		done = c.answered(p, &before, req, w.oracle.pastOf(before.Live)) && req.Outcomes()[0].Err == nil
	}
	if done {
		w.Stats.Undone++
		w.oracle.notes = append(w.oracle.notes, note{r.ID, u.Who})
	}
}

// stranger is somebody whom nobody has met.
func (w *World) stranger() string { return fmt.Sprintf("person %d", w.rng.Uint64()) }

// traced checks that records tell of every step that was acknowledged. Below
// FULL a step may be lost with the tail of its node.
func (o *oracle) traced() {
	if !o.w.cfg.Full || o.w.cfg.shortRecords() {
		return
	}
	for _, n := range o.notes {
		for _, p := range o.w.nodes {
			c, err := p.engine.Conflict(o.w.ctx, n.record)
			if err != nil || c.Record == nil {
				o.w.fail("%s has no record %s, in which %s has left a step: %v", p.name, n.record, n.who, err)
				return
			}
			if !slices.ContainsFunc(c.Record.Trace, func(s conflict.TraceStep) bool { return s.Who == n.who }) {
				o.w.fail("%s: the record %s does not tell of %s: %+v", p.name, n.record, n.who, c.Record.Trace)
				return
			}
		}
	}
}
