package world

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// In a world with scripts a resolver's source is one word, and Go plays its part.
// Two of them are stored again and again at whatever node, so that several
// versions are on their way at once.

const (
	// scriptChance is how often a client stores a resolver or sets a policy.
	scriptChance = 0.05
	// resolverName is the resolver that all store.
	resolverName = "rule"
)

// words are the sources.
var words = []string{"total", "latest", "careful", "gone"}

// worldResolver runs them for one process.
type worldResolver struct{ p *process }

// resolver is what runs scripts for a process; nil in a world without.
func (p *process) resolver() node.Resolver {
	if !p.w.cfg.Scripts {
		return nil
	}
	return worldResolver{p}
}

// Resolve implements node.Resolver. About one set in four kills the worker of one
// node, and of no other.
func (r worldResolver) Resolve(_ context.Context, s node.Script, c node.Case) (conflict.Finding, error) {
	if r.killed(c.Siblings) {
		return conflict.Finding{Verdict: conflict.VerdictFailed, Local: true, Run: conflict.Run{Failure: "killed"}}, nil
	}
	return find(s.Source, c.Siblings), nil
}

// killed says whether a set kills the worker of this node.
func (r worldResolver) killed(s conflict.Siblings) bool {
	h := fnv.New64a()
	for _, v := range s {
		_, _ = h.Write([]byte(v.Dot.String() + "\n")) // a hash never fails
	}
	const oneIn = 4
	n := h.Sum64()
	nodes := r.p.w.nodes
	return n%oneIn == 0 && nodes[n/oneIn%uint64(len(nodes))] == r.p
}

// find is what a word makes of siblings.
func find(word string, s conflict.Siblings) conflict.Finding {
	total, latest := 0, vclock.Time(0)
	deleted := false
	for _, v := range s {
		var doc struct{ N int }
		if !v.Deleted && json.Unmarshal(v.Body, &doc) != nil {
			return conflict.Finding{Verdict: conflict.VerdictFailed, Run: conflict.Run{Failure: "no number"}}
		}
		total += doc.N
		latest, deleted = max(latest, v.Time), deleted || v.Deleted
	}
	value := func(text string, args ...any) conflict.Finding {
		return conflict.Finding{Verdict: conflict.VerdictValue, Doc: fmt.Appendf(nil, text, args...)}
	}
	switch {
	case word == "latest":
		return value(`{"n":%d,"at":%q}`, total, latest)
	case word == "careful" && deleted:
		return conflict.Finding{Verdict: conflict.VerdictFailed, Run: conflict.Run{Failure: "deleted"}}
	case word == "careful" && len(s) > 2:
		return conflict.Finding{Verdict: conflict.VerdictDefer}
	case word == "gone" && deleted:
		return conflict.Finding{Verdict: conflict.VerdictDelete}
	}
	return value(`{"n":%d}`, total)
}

// script stores a version of the resolver at one node, or lets the collection
// use it.
func (c *client) script(p *process) {
	w := c.w
	if w.chance(0.5) {
		c.useScript(p)
		return
	}
	word := words[w.rng.IntN(len(words))]
	var pasts []map[vclock.Dot]bool
	for _, key := range storedKeys(word) {
		d, err := p.engine.Get(w.ctx, key)
		if err != nil {
			w.fail("%s: get: %v", p.name, err)
			return
		}
		pasts = append(pasts, w.oracle.pastOf(d.Live))
	}
	r, err := node.ResolverRequest(resolverName, word)
	if err == nil {
		err = p.commit(r)
	}
	if err != nil {
		w.fail("%s: resolver: %v", p.name, err)
		return
	}
	for i, out := range r.Outcomes() {
		if out.Err != nil && node.KindOf(out.Err) != node.LeaseLost {
			return
		}
		w.oracle.wrote(p, out.Written.After.Live.Find(out.Written.Dot), pasts[i], out.Err == nil)
	}
	w.Stats.Stored++
}

// storedKeys are the documents that a word is stored in: the resolver, and its
// version.
func storedKeys(word string) []conflict.Key {
	return []conflict.Key{
		{Collection: node.ResolverCollection, ID: resolverName},
		{Collection: node.ScriptCollection, ID: conflict.DocID(resolverName + "." + conflict.ScriptVersion(word))},
	}
}

// systemKeys are the system's own documents that clients write.
func (w *World) systemKeys() []conflict.Key {
	keys := []conflict.Key{configKey()}
	if w.cfg.Scripts {
		keys = append(keys, storedKeys("")[0])
		for _, word := range words {
			keys = append(keys, storedKeys(word)[1])
		}
	}
	return keys
}

// useScript gives the collection the policy, also where the resolver has not
// arrived yet.
func (c *client) useScript(p *process) {
	c.putInForce(p, `{"policy":{"kind":"script","resolver":"`+resolverName+`"}`+c.w.cfg.retention()+`}`)
}

// deciders are the nodes that say whether something is left to settle: with
// scripts all, since one may have no result of its own.
func (w *World) deciders() []*process {
	if w.cfg.Scripts {
		return w.nodes
	}
	return w.nodes[:1]
}

// read holds what a node shows against what any node has shown under the same
// tag: equal siblings under an equal version of the policy are equal bytes
// (DESIGN 7). A value that stands in because a worker was killed has a tag of its
// own.
func (o *oracle) read(p *process, d *node.Document) {
	if d.Live.Conflicts() == 0 {
		return
	}
	switch d.Shown.Reason {
	case conflict.ReasonFailedHere:
		o.w.Stats.FailedHere++
	case conflict.ReasonDeferred, conflict.ReasonFailed, conflict.ReasonMissing:
		o.w.Stats.LeftOpen++
	default:
	}
	first, ok := o.shows[d.Tag]
	if !ok {
		o.shows[d.Tag] = *d
		return
	}
	if first.Key != d.Key || first.Shown.Deleted != d.Shown.Deleted || first.Shown.Reason != d.Shown.Reason || !bytes.Equal(first.Shown.Body, d.Shown.Body) {
		o.w.fail("%s shows %s as %s under the tag %s, and %s was shown under it", p.name, d.Key, d.Shown.Body, d.Tag, first.Shown.Body)
	}
}

// settledByScript checks that nobody settles what its own worker was killed by.
func (o *oracle) settledByScript(p *process, set conflict.Siblings, made *conflict.Version) {
	if !o.w.cfg.Scripts || made.Key.Collection != collection {
		return
	}
	seen := set.Visible()
	word := o.wordOf(p, made, set)
	if len(seen) < 2 || word == "" {
		return
	}
	o.w.Stats.Scripted++
	if (worldResolver{p}).killed(seen) {
		o.w.fail("%s settles %v, which kills its worker", p.name, dots(set))
	}
}

// wordOf is the source that a settlement went by, "" when it was no script: its
// record says so.
func (o *oracle) wordOf(p *process, made *conflict.Version, set conflict.Siblings) string {
	c, err := p.engine.Conflict(o.w.ctx, set.ID())
	if err != nil || c.Record == nil || c.Record.Result.Dot != made.Dot || c.Record.By != conflict.ByScript {
		return ""
	}
	return o.source(c.Record)
}

// source is the word that a record names.
func (o *oracle) source(r *conflict.Record) string {
	for _, word := range words {
		if conflict.ScriptVersion(word) == r.Policy.ResolverVersion {
			return word
		}
	}
	return ""
}

// explained checks that a record of a script's decision names the version, and
// that this version makes that result of those siblings.
func (o *oracle) explained(p *process, r *conflict.Record) {
	if r.By != conflict.ByScript {
		return
	}
	word := o.source(r)
	if word == "" {
		o.w.fail("%s: the record %s names no version of the resolver: %q", p.name, r.ID, r.Policy.ResolverVersion)
		return
	}
	was, err := p.engine.Recorded(o.w.ctx, r)
	if err != nil {
		o.w.fail("%s: record %s: %v", p.name, r.ID, err)
		return
	}
	want := find(word, was.Siblings)
	if was.Deleted != (want.Verdict == conflict.VerdictDelete) || !bytes.Equal(was.Result, want.Doc) {
		o.w.fail("%s: the record %s has %s by %q, which makes %s of it", p.name, r.ID, was.Result, word, want.Doc)
	}
}

// VoidScripts is Void for worlds with scripts.
func (s Stats) VoidScripts() string {
	if missing := s.Void(); missing != "" {
		return missing
	}
	for name, n := range map[string]int{
		"resolvers": s.Stored, "settlements by a script": s.Scripted, "values that stand in on one node": s.FailedHere, "conflicts left open": s.LeftOpen,
	} {
		if n == 0 {
			return name
		}
	}
	return ""
}
