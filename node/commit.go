package node

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/planted"
	"github.com/syncline/syncline/vclock"
)

// errNothing rolls an empty transaction back: a batch that changes nothing
// must cost no fsync and ring no bell.
var errNothing = errors.New("nothing to commit")

// batch is one transaction of the writer: the state as it will be.
type batch struct {
	e        *Engine
	tx       Tx
	frontier vclock.Vector
	loose    vclock.Vector
	last     vclock.Time
	meta     Meta
	stats    map[conflict.Collection]CollectionStat // those that changed
	held     vclock.Vector                          // planted.CloseLoose: the rows held
	settings *settings                              // as they will be; nil while nothing was configured
	dirty    bool
	disorder bool               // a loose row came in below another one
	episodes map[string]episode // as they will be; nil while no conflict was filed
	// conflicts are told when the batch is durable.
	conflicts []Event
	swept     bool // former versions were forgotten, which is no change that others see
}

// Commit carries out requests in one transaction, and answers them when it is
// durable. Only the writer calls it: Run, or a simulation in its place. An
// error means that the store has failed or that the file went back: the
// process must end.
func (e *Engine) Commit(ctx context.Context, requests []*Request) error {
	requests, term := e.admit(requests)
	if len(requests) == 0 {
		return nil
	}
	b := &batch{e: e, frontier: e.frontier, loose: e.loose, last: e.last, meta: e.Meta(), stats: map[conflict.Collection]CollectionStat{}}
	if planted.On(planted.CloseLoose) {
		b.held = e.heldRows(ctx)
	}
	err := e.cfg.Store.Update(ctx, func(tx Tx) error {
		b.tx = tx
		return b.run(requests)
	})
	if err == nil && b.meta.Standing != e.meta.Standing {
		// Below FULL a crash could take it back after others were told. Two nodes
		// that had been good, and came back as new and as catching up, would wait
		// for each other for ever.
		err = e.cfg.Store.Sync(context.WithoutCancel(ctx))
	}
	if unfit, ok := errors.AsType[*misfit](err); ok {
		e.rollBack(requests, unfit)
		return nil
	}
	switch {
	case errors.Is(err, errNothing):
		err = nil
	case err == nil:
		e.install(b)
	case KindOf(err) == OwnActorAhead:
		return e.fatal(requests, err)
	case KindOf(err) == DiskFull:
		e.assigned.Store(e.frontier.Get(e.actor))
		failAll(requests, err)
		return nil
	default:
		return e.fatal(requests, &Error{Op: "commit", Kind: Unknown, Err: fmt.Errorf("the store failed, so nobody knows whether it was applied: %w", err)})
	}
	e.answer(requests, term)
	return err
}

// admit answers local writes that may not be taken now, before a transaction
// is opened for them.
func (e *Engine) admit(requests []*Request) ([]*Request, Term) {
	var (
		refused error
		term    Term
	)
	asked := false
	out := requests[:0:0]
	for _, r := range requests {
		if len(r.writes) > 0 {
			if !asked {
				asked = true
				term, refused = e.beginWrite()
			}
			if r.minority = refused != nil && e.goesOn(refused, r.writes); refused != nil && !r.minority {
				r.fail(refused)
				continue
			}
		}
		out = append(out, r)
	}
	return out, term
}

// goesOn says whether writes are taken although the node may not write: it only
// lacks a majority, and their collections go on without one.
func (e *Engine) goesOn(refused error, writes []Write) bool {
	f, ok := errors.AsType[*Error](refused)
	if !ok || f.Kind != ReadOnly || f.ReadOnly == nil || f.ReadOnly.Cause != NoMajority {
		return false
	}
	return !slices.ContainsFunc(writes, func(w Write) bool {
		return e.setting(w.Key.Collection).config.Minority != conflict.MinorityAccept
	})
}

// MayWriteTo is MayWrite for one collection, which may take writes on a node
// without a majority: then minority is true.
func (e *Engine) MayWriteTo(name conflict.Collection) (minority bool, err error) {
	err = e.MayWrite()
	if err != nil && e.goesOn(err, []Write{{Key: conflict.Key{Collection: name}}}) {
		return true, nil
	}
	return false, err
}

// MayWrite says whether local writes are taken now: nil, or the error that a
// write would get.
func (e *Engine) MayWrite() error {
	_, err := e.beginWrite()
	return err
}

func (e *Engine) beginWrite() (Term, error) {
	if e.failed.Load() != nil || e.draining.Load() {
		return 0, e.stopping()
	}
	if err := e.standingAllows(); err != nil {
		return 0, err
	}
	return e.cfg.Guard.Begin()
}

// run carries out the requests inside the transaction.
func (b *batch) run(requests []*Request) error {
	if err := b.tx.Expect(expected(requests)); err != nil {
		return err
	}
	for _, r := range requests {
		var err error
		switch {
		case r.apply != nil:
			r.applied, r.err, err = b.apply(r.apply)
		case r.standing != "":
			b.setStanding(r.standing)
		case r.sweep != nil:
			err = b.forget(r.sweep)
		case r.atomic:
			err = b.writeAtomic(r)
		default:
			err = b.writeEach(r)
		}
		if err != nil {
			return err
		}
	}
	if !b.dirty {
		if b.swept {
			return nil
		}
		return errNothing
	}
	return b.flush()
}

// expected returns the documents that requests look at.
func expected(requests []*Request) []conflict.Key {
	var keys []conflict.Key
	for _, r := range requests {
		for i := range r.writes {
			keys = append(keys, r.writes[i].Key)
		}
		if r.apply != nil {
			for _, v := range r.apply.Versions {
				keys = append(keys, v.Key)
			}
		}
	}
	return keys
}

// flush writes what the whole batch changed.
func (b *batch) flush() error {
	for _, s := range b.stats {
		if err := b.tx.SetCollection(s); err != nil {
			return err
		}
	}
	if b.meta.Standing != b.e.meta.Standing {
		if err := b.tx.SetMeta(b.meta); err != nil {
			return err
		}
	}
	return b.tx.SetFrontier(b.frontier, b.last)
}

// install makes a durable batch the state of the engine, and visible.
func (e *Engine) install(b *batch) {
	if !b.dirty {
		return
	}
	e.frontier, e.loose, e.last = b.frontier, b.loose, b.last
	if b.disorder {
		e.disorder.Add(1) // for those whose snapshot was too old at the first count
	}
	maps.Copy(e.stats, b.stats)
	if b.episodes != nil {
		e.episodes = b.episodes
	}
	if b.settings != nil {
		e.settings.Store(b.settings)
	}
	if old := e.meta.Standing; old != b.meta.Standing {
		e.setMeta(b.meta)
		e.event(Event{Kind: EventStanding, Old: string(old), New: string(b.meta.Standing)})
	}
	e.publish()
	e.feed.Ring()
	for _, c := range b.conflicts {
		e.event(c)
	}
}

// answer tells those who wait. A local write whose lease ended meanwhile is
// kept and said to be late: it meets the others as a sibling (PROTOCOL X5).
func (e *Engine) answer(requests []*Request, term Term) {
	asked, held := false, true
	for _, r := range requests {
		if len(r.writes) > 0 && !asked && !r.minority {
			asked, held = true, e.cfg.Guard.Held(term)
		}
		for i := range r.outcomes {
			if o := &r.outcomes[i]; !held && !r.minority && o.Err == nil && r.err == nil {
				o.Err = &Error{
					Op: "write", Kind: LeaseLost, Key: r.writes[i].Key.String(), Dot: o.Written.Dot.String(),
					Err: fmt.Errorf("committed as %s after the lease had ended; it meets what others wrote as a sibling", o.Written.Dot),
				}
			}
		}
		close(r.done)
	}
}

func failAll(requests []*Request, err error) {
	for _, r := range requests {
		r.fail(err)
	}
}

// fatal ends the engine: nothing more is taken, and those who wait are told.
func (e *Engine) fatal(requests []*Request, err error) error {
	e.Fail(err)
	failAll(requests, e.failed.Load())
	return err
}

// Fail stops the engine from outside, for example when a voter has seen more
// of this node's actor than the file has.
func (e *Engine) Fail(err error) {
	f, ok := errors.AsType[*Error](err)
	if !ok {
		f = &Error{Op: "engine", Kind: Unknown, Err: err}
	}
	if e.failed.CompareAndSwap(nil, f) {
		close(e.failing)
		e.event(Event{Kind: EventFailed, Err: err})
	}
}

// write makes v live, and counts its collection anew.
func (b *batch) write(before conflict.Siblings, added conflict.Added) error {
	name := added.New.Key.Collection
	stat, ok := b.stats[name]
	if !ok {
		if stat, ok = b.e.stats[name]; !ok {
			stat = CollectionStat{Name: name}
		}
	}
	b.stats[name] = stat.count(before, -1).count(added.Live, 1)
	b.dirty = true
	b.turned(before, added.Live, added.New.Key)
	if len(before) < WarnSiblings && len(added.Live) >= WarnSiblings {
		b.e.event(Event{Kind: EventSiblings, Key: added.New.Key.String()})
	}
	switch name {
	case ConfigCollection:
		b.configure(added.Live)
	case ResolverCollection:
		b.store(added.Live)
	}
	if err := b.tx.Write(added.New, added.Covered); err != nil {
		return err
	}
	return b.keepPast(added)
}

// heldRows serves planted.CloseLoose: the highest row held of each actor.
func (e *Engine) heldRows(ctx context.Context) vclock.Vector {
	var held vclock.Vector
	view, err := e.cfg.Store.View(ctx)
	if err != nil {
		return held
	}
	actors, err := view.Actors()
	for _, a := range actors {
		rows, rowErr := view.Rows(a, 0, MaxQueue, MaxBatchBytes)
		err = errors.Join(err, rowErr)
		for _, v := range rows {
			held = held.With(v.Dot)
		}
	}
	if errors.Join(err, view.Close()) != nil {
		return vclock.Vector{}
	}
	return held
}
