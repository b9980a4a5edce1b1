package node

import (
	"bytes"
	"context"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/conflict/merge"
)

// filePast keeps with a record what its siblings say of where they come from.
func (b *batch) filePast(r *conflict.Record, set *setting, covered conflict.Siblings) error {
	past, err := conflict.PastOf(set.lineages, covered)
	if err != nil || !past.Known {
		return nil //nolint:nilerr // versions whose lineages cannot be read have no known base
	}
	r.Base, r.BaseExact, r.Sums = past.Base.Body != nil, past.Base.Exact, past.Sums
	r.Measure(past.Base)
	if !r.Base {
		return nil
	}
	return b.put(conflict.Key{Collection: LoserCollection, ID: r.BaseID()}, past.Base.Body)
}

// fileResult keeps with a record what the conflict ended with: which sibling has
// that value, or else the value itself, so that somebody may ask later what
// another resolver would have made of it.
func (b *batch) fileResult(r *conflict.Record, covered conflict.Siblings, v *conflict.Version) error {
	if v.Deleted {
		return nil
	}
	for _, u := range covered {
		if !u.Deleted && bytes.Equal(u.Body, v.Body) {
			r.Result.As = &u.Dot
			return nil
		}
	}
	// Under the name of the very version: two nodes may end one conflict, each by
	// the policy that it has.
	return b.put(conflict.Key{Collection: LoserCollection, ID: r.BodyID(v.Dot)}, v.Body)
}

// Recorded is a conflict of the past, as a resolver would be asked about it.
type Recorded struct {
	Case
	// Result is what it ended with; nil and not Deleted: that is not on record.
	Result  []byte
	Deleted bool
}

// Recorded reads the conflict that a record is about. The error is of kind
// NotFound when a sibling's body is not kept any more.
func (e *Engine) Recorded(ctx context.Context, r *conflict.Record) (Recorded, error) {
	out := Recorded{Case: Case{Collection: r.Collection, ID: r.DocID, MaxBody: e.BodyLimit(r.Collection)}, Deleted: r.Result.Deleted}
	for _, s := range r.Siblings {
		v := &conflict.Version{Key: conflict.Key{Collection: r.Collection, ID: r.DocID}, Dot: s.Dot, Time: s.Time, Deleted: s.Deleted}
		if !s.Deleted {
			var err error
			if v.Body, err = e.Loser(ctx, r, s.Dot); err != nil {
				return out, err
			}
		}
		if !s.Hidden {
			out.Siblings = append(out.Siblings, v)
		}
	}
	out.BaseExact, out.Sums = r.BaseExact, r.Sums
	var err error
	if r.Base {
		if out.Base, err = e.beside(ctx, r.BaseID()); err != nil {
			return out, err
		}
	}
	out.Result, err = e.RecordedResult(ctx, r)
	return out, err
}

// RecordedResult reads the value that the conflict of a record ended with, nil
// when it ended with a deletion or the value is not on record.
func (e *Engine) RecordedResult(ctx context.Context, r *conflict.Record) ([]byte, error) {
	switch {
	case r.Result.Deleted:
		return nil, nil
	case r.Result.As != nil:
		return e.beside(ctx, r.BodyID(*r.Result.As))
	}
	return e.beside(ctx, r.BodyID(r.Result.Dot))
}

// beside reads a document that was filed beside a record, nil when there is none.
func (e *Engine) beside(ctx context.Context, id conflict.DocID) ([]byte, error) {
	d, err := e.Get(ctx, conflict.Key{Collection: LoserCollection, ID: id})
	if err != nil || !d.Exists() {
		return nil, err
	}
	return d.Shown.Body, nil
}

// ConflictPast is what the siblings of a conflict say of where they come from.
func (e *Engine) ConflictPast(ctx context.Context, c *Conflict) (conflict.Past, error) {
	if c.Record == nil {
		past, err := conflict.PastOf(e.setting(c.Open.Key.Collection).lineages, c.Open.Live)
		if err != nil {
			return past, &Error{Op: "conflict", Kind: Corrupt, Key: c.Open.Key.String(), Err: err}
		}
		return past, nil
	}
	past := conflict.Past{Sums: c.Record.Sums, Base: merge.Base{Exact: c.Record.BaseExact}}
	var err error
	if c.Record.Base {
		past.Base.Body, err = e.beside(ctx, c.Record.BaseID())
	}
	return past, err
}
