package node

import (
	"context"
	"fmt"

	"github.com/syncline/syncline/conflict"
)

// TryResolver asks a stored resolver what it makes of an open conflict. It
// writes nothing.
func (e *Engine) TryResolver(ctx context.Context, name string, d *Document) (Script, *conflict.Finding, error) {
	s, err := e.ScriptOf(name)
	if err != nil {
		return s, nil, err
	}
	f, err := e.run(ctx, s, caseOf(e.setting(d.Key.Collection), d.Key, d.Live))
	if err != nil {
		return s, nil, &Error{Op: "resolve", Kind: Busy, Key: d.Key.String(), Err: err}
	}
	return s, f, nil
}

// resolveBy ends an open conflict by the resolver that somebody has named.
func (e *Engine) resolveBy(ctx context.Context, d *Document, r Resolution) (Write, error) {
	s, f, err := e.TryResolver(ctx, r.Resolver, d)
	if err != nil {
		return Write{}, err
	}
	if why := f.Reason(); why != "" {
		return Write{}, NoValue(d, s, f)
	}
	w := Write{
		Kind: Put, Key: d.Key, Body: f.Doc, IfMatch: []string{d.Tag},
		Decision: &Decision{By: conflict.ByScript, Who: r.Who, Reason: r.Reason, script: s, run: &f.Run},
	}
	if f.Verdict == conflict.VerdictDelete {
		w.Kind, w.Body = Delete, nil
	}
	return w, nil
}

// NoValue is the error of a finding that has no value: the resolver defers, or
// fails. Its kind is ResolverFailed.
func NoValue(d *Document, s Script, f *conflict.Finding) error {
	why := "it leaves the conflict to a person"
	switch f.Reason() {
	case conflict.ReasonFailedHere:
		why = "it failed on this node, perhaps not on others: " + f.Run.Failure
	case conflict.ReasonFailed:
		why = f.Run.Failure
	default:
	}
	return &Error{Op: "resolve", Kind: ResolverFailed, Key: d.Key.String(), Err: fmt.Errorf("the resolver %s (version %s) gives no value: %s", s.Name, s.Version, why)}
}
