package rest

import (
	"bytes"
	"context"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
)

// openedBy says why a conflict stays open, and what the resolver left.
func (f *conflictFacts) openedBy(shown *conflict.Shown) {
	f.Run = shown.Run
	if shown.Reason == "" {
		return
	}
	f.OpenReason = &shown.Reason
	switch shown.Reason {
	case conflict.ReasonFailed:
		f.Reason = "the resolver fails on it, so it waits for a person; the newest value stands in meanwhile"
	case conflict.ReasonFailedHere:
		f.Reason = "this node has no result of the resolver, and others may; the newest value stands in meanwhile"
	case conflict.ReasonMissing:
		f.Reason = "the policy names a resolver that is not stored here; the newest value stands in meanwhile"
	default:
	}
	if f.Run != nil && f.Run.Failure != "" {
		f.Reason += ": " + f.Run.Failure
	}
}

// byResolver ends one of many conflicts by a resolver, or says what that would
// make of it.
func (r *resolveRun) byResolver(ctx context.Context, c *node.Conflict, line resolveLine) error {
	d := c.Open
	if r.dry {
		s, f, err := r.s.engine.TryResolver(ctx, r.resolver, d)
		if err != nil {
			return err
		}
		left := f.Run.Cut()
		line.Verdict, line.Doc, line.Run = f.Verdict, f.Doc, &left
		line.Same = f.Reason() == "" && (f.Verdict == conflict.VerdictDelete) == d.Shown.Deleted && bytes.Equal(f.Doc, d.Shown.Body)
		if f.Reason() != "" {
			return r.refused(line, node.NoValue(d, s, f))
		}
		r.ok++
		return r.write(line)
	}
	reason := r.reason
	if reason == "" {
		reason = "somebody let the resolver " + r.resolver + " decide many"
	}
	out, err := r.s.engine.Resolve(ctx, c.ID, node.Resolution{Resolver: r.resolver, Who: anonymous, Reason: reason})
	if !out.Dot.IsZero() {
		line.Dot = known(out.Dot.String())
	}
	if err != nil {
		return r.refused(line, err)
	}
	line.Same = out.After.Shown.Deleted == d.Shown.Deleted && bytes.Equal(out.After.Shown.Body, d.Shown.Body)
	r.ok++
	return r.write(line)
}

// refused says why one conflict was not ended.
func (r *resolveRun) refused(line resolveLine, err error) error {
	r.failed++
	line.Problem = r.s.problemOf(err, r.trace)
	line.Status = line.Problem.Status
	return r.write(line)
}
