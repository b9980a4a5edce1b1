package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node/strictjson"
	"github.com/syncline/syncline/planted"
	"github.com/syncline/syncline/vclock"
)

// Resolver runs resolvers: scripts that their owners wrote, so they may take
// long, and may end the process that runs them.
type Resolver interface {
	// Resolve runs a script on a conflict. That the script fails is no error: the
	// finding says so. An error means that nothing is known of it: the context
	// ended, or nobody can run it now. It may be called from several goroutines.
	Resolve(ctx context.Context, s Script, c Case) (conflict.Finding, error)
}

// Script is one version of a stored resolver.
type Script struct {
	Name    string
	Version string // of the source: conflict.ScriptVersion
	Source  string // empty: there is no such resolver here
}

// Case is the conflict that a resolver is asked about. It is the same on every
// node that has the same siblings.
type Case struct {
	Collection conflict.Collection
	ID         conflict.DocID
	Siblings   conflict.Siblings // without other attempts of one write (PROTOCOL D5)
	Base       []byte            // nil: none is known (D10c)
	BaseExact  bool
	Sums       map[string]string // JSON pointer to exact decimal (D10a)
	MaxBody    int               // the longest document that it may make, in bytes
}

// caseOf puts together what a resolver is asked about.
func caseOf(set *setting, key conflict.Key, live conflict.Siblings) Case {
	c := Case{Collection: key.Collection, ID: key.ID, Siblings: live.Visible(), MaxBody: set.config.Limits.Body}
	// Versions whose lineages cannot be read have no known base, on every node.
	if past, err := conflict.PastOf(set.lineages, live); err == nil {
		c.Base, c.BaseExact, c.Sums = past.Base.Body, past.Base.Exact, past.Sums
	}
	return c
}

// CaseOf is what a resolver would be asked about a document.
func (e *Engine) CaseOf(d *Document) Case {
	return caseOf(e.setting(d.Key.Collection), d.Key, d.Live)
}

// scriptPolicy shows what a resolver makes of siblings. It never runs one: it
// shows what is known already, and else the newest version stands in until
// somebody who may wait has asked (Engine.complete). So it is as quick as every
// other policy, in the writer too.
type scriptPolicy struct {
	set     *setting // that it is the policy of
	standIn conflict.LWW
	script  Script
	name    string
	known   *findings
}

// newScriptPolicy is the policy "script" of a setting. Its name has the
// resolver's version: a change of either alters what is shown.
func newScriptPolicy(set *setting, script Script, known *findings) *scriptPolicy {
	standIn := conflict.LWW{Delete: set.config.Delete, Version: set.version}
	return &scriptPolicy{
		set: set, standIn: standIn, script: script, known: known,
		name: fmt.Sprintf("%s %s %s %s", conflict.KindScript, standIn.Name(), script.Name, script.Version),
	}
}

// Name implements conflict.Policy.
func (p *scriptPolicy) Name() string { return p.name }

// Show implements conflict.Policy.
func (p *scriptPolicy) Show(live conflict.Siblings) conflict.Shown {
	shown, _ := p.look(live)
	return shown
}

// look says what is shown, and whether the resolver has to be asked for it.
func (p *scriptPolicy) look(live conflict.Siblings) (shown conflict.Shown, ask bool) {
	if live.Conflicts() == 0 {
		return p.standIn.Show(live), false
	}
	if p.script.Source == "" {
		return p.open(live, conflict.ReasonMissing, &conflict.Run{
			Failure: fmt.Sprintf("there is no resolver %q on this node: store it, or give the collection another policy", p.script.Name),
		}), false
	}
	if f, ok := p.known.get(p.key(live)); ok {
		return p.found(live, f), false
	}
	return p.open(live, conflict.ReasonFailedHere, nil), true
}

// open is the value that stands in.
func (p *scriptPolicy) open(live conflict.Siblings, why conflict.Reason, run *conflict.Run) conflict.Shown {
	shown := p.standIn.Show(live)
	shown.Open, shown.Reason, shown.Run = true, why, run
	return shown
}

// found is what is shown when the resolver has this finding.
func (p *scriptPolicy) found(live conflict.Siblings, f *conflict.Finding) conflict.Shown {
	if why := f.Reason(); why != "" {
		return p.open(live, why, &f.Run)
	}
	return conflict.Shown{Body: f.Doc, Deleted: f.Verdict == conflict.VerdictDelete, Run: &f.Run}
}

// key names a set of siblings under this policy.
func (p *scriptPolicy) key(live conflict.Siblings) findingKey {
	return findingKey{set: live.SettlementID(), policy: p.name}
}

// tag is the entity tag of what is shown. Where this node has no result of its
// own it shows what others do not, so the tag is another one.
func (p *scriptPolicy) tag(live conflict.Siblings, why conflict.Reason) string {
	if why == conflict.ReasonFailedHere {
		return live.Tag(failedHere{p})
	}
	return live.Tag(p)
}

// failedHere is the name of a policy whose resolver gave no result here.
type failedHere struct{ *scriptPolicy }

// Name implements conflict.Policy.
func (p failedHere) Name() string { return p.name + " " + string(conflict.ReasonFailedHere) }

// apply makes a document of two siblings or more show what its resolver makes of
// it, as far as that is known.
func (p *scriptPolicy) apply(d *Document) {
	d.script = p
	d.Shown, d.asks = p.look(d.Live)
	d.Tag = p.tag(d.Live, d.Shown.Reason)
}

// applyFinding makes a document show a finding.
func (p *scriptPolicy) applyFinding(d *Document, f *conflict.Finding) {
	d.Shown, d.asks = p.found(d.Live, f), false
	d.Tag = p.tag(d.Live, d.Shown.Reason)
}

// noResult is the finding of a node that has none, and may have one later.
func noResult(err error) *conflict.Finding {
	return &conflict.Finding{Verdict: conflict.VerdictFailed, Local: true, Run: conflict.Run{Failure: err.Error()}}
}

var errNoResolver = errors.New("this node runs no resolvers")

// run asks the resolver. What it makes has to be a document of the collection.
func (e *Engine) run(ctx context.Context, s Script, c Case) (*conflict.Finding, error) {
	if e.cfg.Resolver == nil {
		return noResult(errNoResolver), nil
	}
	select {
	case e.findings.slots <- struct{}{}:
		defer func() { <-e.findings.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if planted.On(planted.ScriptClock) {
		c.Siblings = stampedNow(c.Siblings, e.cfg.Wall())
	}
	f, err := e.cfg.Resolver.Resolve(ctx, s, c)
	if err != nil {
		return nil, err
	}
	if f.Verdict == conflict.VerdictValue {
		if wrong := checkResult(f.Doc, c.MaxBody); wrong != nil {
			f = conflict.Finding{Verdict: conflict.VerdictFailed, Run: f.Run}
			f.Run.Failure = "the result is no document of the collection: " + wrong.Error()
		}
	}
	f.Run = f.Run.Cut()
	return &f, nil
}

// stampedNow serves planted.ScriptClock.
func stampedNow(siblings conflict.Siblings, wall time.Time) conflict.Siblings {
	out := make(conflict.Siblings, len(siblings))
	for i, v := range siblings {
		now := *v
		now.Time = vclock.At(wall)
		out[i] = &now
	}
	return out
}

func checkResult(body []byte, limit int) error {
	if len(body) > limit {
		return fmt.Errorf("a body of %d bytes: at most %d", len(body), limit)
	}
	return strictjson.Check(body, strictjson.Limits{Depth: MaxDepth})
}
