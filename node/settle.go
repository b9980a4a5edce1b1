package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/planted"
	"github.com/syncline/syncline/vclock"
)

// A conflict whose siblings every data node has is ended by a version that
// covers them and says what the policy shows (PROTOCOL D8). Stability makes any
// two settlements that did not see each other settle the same set, so nothing
// counts twice, whoever does it; that one node does it is an economy.

// SettleBatch is the most conflicts of one transaction.
const SettleBatch = 256

// settlement says which set a Write settles.
type settlement struct{ id conflict.WriteID }

// Settlement is what a node can settle now.
type Settlement struct {
	Request   *Request // to be committed
	Documents []Document
}

// Settlement finds conflicts that an automatic policy may end: all siblings are
// stable, and this node has them all. Nil means that there are none.
func (e *Engine) Settlement(ctx context.Context, stable vclock.Vector) (*Settlement, error) {
	view, err := e.cfg.Store.View(ctx)
	if err != nil {
		return nil, e.storeError("settle", "", err)
	}
	docs, err := e.settleable(view, stable)
	if err = errors.Join(err, view.Close()); err != nil {
		return nil, e.storeError("settle", "", err)
	}
	if docs, err = e.decided(ctx, docs); err != nil {
		return nil, err
	}
	if len(docs) == 0 {
		return nil, nil //nolint:nilnil // there is nothing to settle, which is no error
	}
	return e.settlementOf(docs), nil
}

// settlementOf makes the request that ends these conflicts.
func (e *Engine) settlementOf(docs []Document) *Settlement {
	writes := make([]Write, len(docs))
	for i := range docs {
		writes[i] = e.settling(&docs[i])
	}
	return &Settlement{Request: NewWrites(writes, false), Documents: docs}
}

// settleable collects the documents, up to SettleBatch.
func (e *Engine) settleable(view View, stable vclock.Vector) ([]Document, error) {
	stats, err := view.Collections()
	if err != nil {
		return nil, err
	}
	var docs []Document
	size := 0
	for _, s := range stats {
		if s.Conflicts == 0 {
			continue
		}
		policy := e.policy(s.Name)
		after := conflict.DocID("")
		for len(docs) < SettleBatch && size < MaxBatchBytes {
			found, err := view.List(ListRange{Collection: s.Name, After: after, Conflicted: true, Limit: SettleBatch, MaxBytes: MaxPageBytes})
			if err != nil {
				return docs, err
			}
			if len(found) == 0 {
				break // and on to the next collection: these may all wait for a person
			}
			for _, live := range found {
				after = live[0].Key.ID
				d := show(live[0].Key, live, view.Frontier(), policy)
				if (!d.Shown.Open || d.asks) && isStable(live, stable) && len(docs) < SettleBatch && size < MaxBatchBytes {
					docs = append(docs, d)
					for _, v := range live {
						size += len(v.Body)
					}
				}
			}
		}
	}
	return docs, nil
}

func isStable(s conflict.Siblings, stable vclock.Vector) bool {
	return !slices.ContainsFunc(s, func(v *conflict.Version) bool { return !stable.Covers(v.Dot) }) ||
		planted.On(planted.SettleUnstable)
}

// settling is the write that ends a conflict by what the policy shows.
func (e *Engine) settling(d *Document) Write {
	w := Write{
		Kind: Put, Key: d.Key, Body: d.Shown.Body, IfMatch: []string{d.Tag}, system: true,
		settles:  &settlement{id: d.Live.SettlementID()},
		Decision: &Decision{By: conflict.ByPolicy, Who: e.cfg.Node, Reason: e.reason(d)},
	}
	if d.Shown.Deleted {
		w.Kind, w.Body = Delete, nil
	}
	settlingByScript(&w, d)
	return w
}

// reason says in words why the policy shows what it shows.
func reason(d *Document) string {
	if d.Shown.Merged > 0 {
		return merging(d)
	}
	win, next := rivals(d)
	switch {
	case win == nil || next == nil:
		return "the siblings were one write"
	case win.Time == next.Time:
		return fmt.Sprintf("%s and %s have one time; the actor decides", win.Dot, next.Dot)
	case conflict.Newer(win, next):
		return fmt.Sprintf("%s is later than %s by %s", win.Dot, next.Dot, win.Time.Sub(next.Time).Round(time.Millisecond))
	}
	return fmt.Sprintf("%s is shown by the collection's rule, although %s is later by %s", win.Dot, next.Dot, next.Time.Sub(win.Time).Round(time.Millisecond))
}

// merging says in words how versions were merged.
func merging(d *Document) string {
	text := fmt.Sprintf("%d versions were merged by member", d.Shown.Merged)
	for i, m := range d.Shown.Decided {
		if i == MaxReasonMembers {
			return fmt.Sprintf("%s; and %d members more", text, len(d.Shown.Decided)-i)
		}
		text += fmt.Sprintf("; %s by %s", m.Path, m.Rule)
		if m.Instead != "" {
			text += fmt.Sprintf(", as the newest has it: %s", m.Instead)
		}
	}
	return text
}

// MaxReasonMembers is the most members that a reason names.
const MaxReasonMembers = 10

// origin is what a version says of where it came from: of a settlement its id,
// and its time, which is that of its newest sibling. With a time of its own it
// would beat a later write that it had not seen.
func (b *batch) origin(p plan, covered conflict.Siblings, v *conflict.Version) {
	var o conflict.Origin
	if slices.ContainsFunc(covered, func(u *conflict.Version) bool { return u.Origin != nil }) {
		o.Past = covered.Attempts(b.e.cfg.Stable())
	}
	if p.w.settles == nil {
		if len(o.Past) > 0 {
			v.Origin = &o
		}
		return
	}
	o.Write, o.Settles, o.Policy = p.w.settles.id, true, b.e.setting(v.Key.Collection).age
	v.Origin = &o
	if planted.On(planted.SettleTime) {
		return
	}
	v.Time = 0
	for _, u := range p.live {
		v.Time = max(v.Time, u.Time)
	}
}

// Settler settles what can be settled, whenever somebody calls Once.
type Settler struct {
	Engine *Engine
	Stable func() vclock.Vector // of all data nodes of the roster (D7)
	Turn   func() bool          // whether this node is the one to settle now

	lateness lateness
}

// Once settles until there is nothing more. That the node may not write
// now, or that a set has changed meanwhile, is no failure: the next look finds it.
func (s *Settler) Once(ctx context.Context) error {
	if !s.Turn() {
		return s.late(ctx)
	}
	for mine := true; mine && s.Engine.MayWrite() == nil; mine = s.Turn() {
		found, err := s.Engine.Settlement(ctx, s.Stable())
		if err != nil || found == nil {
			return ignoreEnded(ctx, err)
		}
		if err := s.Engine.submit(ctx, found.Request); err != nil {
			return ignoreEnded(ctx, err)
		}
		if !slices.ContainsFunc(found.Request.outcomes, func(o Outcome) bool { return o.Err == nil }) {
			return nil
		}
	}
	return nil
}

// ignoreEnded leaves it to the engine and the context to say why they ended.
func ignoreEnded(ctx context.Context, err error) error {
	if kind := KindOf(err); kind == Busy || kind == Draining || kind == Unknown {
		return ctx.Err()
	}
	return err
}
