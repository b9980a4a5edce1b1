package node

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/vclock"
)

// What a collection keeps for a time is forgotten after it, in small pieces that
// stand in the writer's queue like any request, so that no write waits for long.
// Former versions are a node's own: each node forgets its own. Records replicate:
// the node that settles deletes them, as documents.

// Limits of what one transaction forgets.
const (
	// SweepVersions is the most former versions.
	SweepVersions = 512
	// SweepRecords is the most records, with the bodies of their siblings.
	SweepRecords = 32
)

// sweep asks the writer to forget former versions of a collection.
type sweep struct {
	name    conflict.Collection
	before  int64 // milliseconds since 1970 UTC
	dropped int   // the answer
}

// forget carries a sweep out. It is no write: nobody is told of it.
func (b *batch) forget(s *sweep) error {
	n, err := b.tx.DropHistory(s.name, s.before, SweepVersions)
	s.dropped = n
	b.swept = b.swept || n > 0
	return err
}

// expiry is the time before which something that is kept for so long has had its
// time; false means that there is none.
func expiry(now time.Time, keep conflict.Retention) (int64, bool) {
	if keep == 0 {
		return math.MaxInt64, true
	}
	return now.UnixMilli() - time.Duration(keep).Milliseconds(), keep != conflict.Forever
}

// Sweeper forgets what has had its time, whenever somebody calls Once.
type Sweeper struct {
	Engine *Engine
	Stable func() vclock.Vector // of all data nodes of the roster (D7)
	Turn   func() bool          // whether this node is the one to delete records now
}

// Once forgets until there is nothing more. That the node may not write now, or
// that a record has changed meanwhile, is no failure: the next look finds it.
func (s *Sweeper) Once(ctx context.Context) error {
	if err := s.sweepHistory(ctx); err != nil {
		return ignoreEnded(ctx, err)
	}
	for s.Turn() && s.Engine.MayWrite() == nil {
		r, err := s.Engine.oldRecords(ctx, s.Stable())
		if err != nil || r == nil {
			return ignoreEnded(ctx, err)
		}
		if err := s.Engine.submit(ctx, r); err != nil {
			return ignoreEnded(ctx, err)
		}
		if r.err != nil {
			return nil //nolint:nilerr // one of them was changed; the next look leaves it out
		}
	}
	return nil
}

func (s *Sweeper) sweepHistory(ctx context.Context) error {
	due, err := s.Engine.expired(ctx)
	if err != nil {
		return err
	}
	for _, one := range due {
		for full := true; full; {
			r := one.request()
			if err := s.Engine.submit(ctx, r); err != nil {
				return err
			}
			if r.err != nil {
				return nil //nolint:nilerr // the commit that failed tells those who can do something about it
			}
			full = r.sweep.dropped == SweepVersions
		}
	}
	return nil
}

// expired says of which collections some former versions have had their time.
func (e *Engine) expired(ctx context.Context) ([]sweep, error) {
	ages, err := e.ages(ctx)
	if err != nil {
		return nil, err
	}
	var due []sweep
	now := e.cfg.Wall()
	for _, a := range ages {
		before, ends := expiry(now, e.setting(a.Collection).config.History)
		if ends && a.Former != 0 && a.Former < before {
			due = append(due, sweep{name: a.Collection, before: before})
		}
	}
	return due, nil
}

// request is one piece of a sweep.
func (s sweep) request() *Request { return &Request{sweep: &s, done: make(chan struct{})} }

func (e *Engine) ages(ctx context.Context) ([]Ages, error) {
	view, err := e.cfg.Store.View(ctx)
	if err != nil {
		return nil, e.storeError("retention", "", err)
	}
	ages, err := view.Ages()
	if err = errors.Join(err, view.Close()); err != nil {
		return nil, e.storeError("retention", "", err)
	}
	return ages, nil
}

// oldRecords is the request that deletes records which have had their time, nil
// when there are none.
func (e *Engine) oldRecords(ctx context.Context, stable vclock.Vector) (*Request, error) {
	view, err := e.cfg.Store.View(ctx)
	if err != nil {
		return nil, e.storeError("retention", "", err)
	}
	writes, err := e.deletions(view, stable)
	if err = errors.Join(err, view.Close()); err != nil {
		return nil, e.storeError("retention", "", err)
	}
	if len(writes) == 0 {
		return nil, nil //nolint:nilnil // that none is old is no error
	}
	return NewWrites(writes, true), nil
}

// deletions collects the deletes of up to SweepRecords records.
func (e *Engine) deletions(view View, stable vclock.Vector) ([]Write, error) {
	ages, err := view.Ages()
	if err != nil {
		return nil, err
	}
	now := e.cfg.Wall()
	left := SweepRecords
	var writes []Write
	for _, a := range ages {
		before, ends := expiry(now, e.setting(a.Collection).config.Records)
		if !ends || a.Record == 0 || a.Record >= before {
			continue
		}
		// Some may have to stay although they are old: look past them.
		ids, err := view.OldRecords(a.Collection, before, MaxPage)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			more, err := e.deletion(view, id, stable)
			if err != nil {
				return nil, err
			}
			if len(more) == 0 {
				continue
			}
			writes = append(writes, more...)
			if left--; left == 0 {
				return writes, nil
			}
		}
	}
	return writes, nil
}

// deletion is the deletes of one record and of what stands beside it. There are
// none as long as some data node may lack the record or the version that ended
// the conflict: there the conflict is open, and its siblings may be settled again.
func (e *Engine) deletion(view View, id conflict.DocID, stable vclock.Vector) ([]Write, error) {
	key := conflict.Key{Collection: RecordCollection, ID: id}
	live, err := view.Document(key)
	if err != nil {
		return nil, err
	}
	d := show(key, live, view.Frontier(), e.policy(RecordCollection))
	if !d.Exists() || slices.ContainsFunc(live, func(v *conflict.Version) bool { return !stable.Covers(v.Dot) }) {
		return nil, nil
	}
	var r conflict.Record
	if json.Unmarshal(d.Shown.Body, &r) != nil || !stable.Covers(r.Result.Dot) {
		return nil, nil //nolint:nilerr // what cannot be read is not deleted either
	}
	writes := []Write{{Kind: Delete, Key: key, IfMatch: []string{d.Tag}, system: true}}
	// The siblings' bodies, the base, and what each node that ended the conflict
	// made of it.
	beside, err := view.List(ListRange{Collection: LoserCollection, Prefix: r.ID + ".", Limit: MaxPage, MaxBytes: MaxPageBytes})
	if err != nil {
		return nil, err
	}
	for _, one := range beside {
		if one.Alive() {
			writes = append(writes, Write{Kind: Delete, Key: one[0].Key, system: true})
		}
	}
	return writes, nil
}
