package node

import (
	"encoding/json"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/planted"
)

// The system's own collections for conflicts that have ended: a record for each,
// and beside it the bodies of its siblings, so that no limit of a document is
// passed.
const (
	RecordCollection conflict.Collection = "_conflicts"
	LoserCollection  conflict.Collection = "_losers"
)

// MaxSiblings is how many live versions a document may have before a write must
// say what it has seen; WarnSiblings of them are an event.
const (
	MaxSiblings  = 100
	WarnSiblings = 25
)

// Decision says who ends a conflict, and why.
type Decision struct {
	By     conflict.Decider
	Who    string
	Reason string

	script Script        // of ByScript, where a person has named the resolver
	run    *conflict.Run // of that resolver
}

// file writes the record of a conflict that the version v has ended, in the
// transaction of v (PROTOCOL D9).
func (b *batch) file(p plan, covered conflict.Siblings, v *conflict.Version) error {
	set := b.e.setting(v.Key.Collection)
	shown := p.shown
	if len(covered) != len(p.live) {
		shown = set.policy.Show(covered)
	}
	r := conflict.NewRecord(covered, v, shown)
	r.By, r.Who, r.Reason = conflict.Overwritten, "anonymous", "a write that had seen all of them"
	if d := p.w.Decision; d != nil {
		r.By, r.Who, r.Reason = d.By, d.Who, d.Reason
	}
	r.Policy = conflict.RecordPolicy{Kind: set.config.Policy.Kind, Version: set.version}
	r.Episode = b.episode(&r)
	noteScript(&r, p, set, shown.Run)
	if err := b.filePast(&r, set, covered); err != nil {
		return err
	}
	if err := b.fileResult(&r, covered, v); err != nil {
		return err
	}
	key := conflict.Key{Collection: RecordCollection, ID: conflict.DocID(r.ID)}
	if err := b.keepSteps(&r, key); err != nil {
		return err
	}
	facts, err := json.Marshal(r)
	if err != nil {
		return &Error{Op: "record", Kind: Bug, Key: v.Key.String(), Err: err}
	}
	if err := b.put(key, facts); err != nil {
		return err
	}
	for _, u := range covered {
		if u.Deleted {
			continue
		}
		if err := b.put(conflict.Key{Collection: LoserCollection, ID: r.BodyID(u.Dot)}, u.Body); err != nil {
			return err
		}
	}
	return nil
}

// noteScript puts into a record which resolver was asked, and what its run left:
// the policy's, or the one that a person has named.
func noteScript(r *conflict.Record, p plan, set *setting, run *conflict.Run) {
	s := set.script
	if d := p.w.Decision; d != nil && d.run != nil {
		s, run = d.script, d.run
	}
	r.Policy.Resolver, r.Policy.ResolverVersion, r.Run = s.Name, s.Version, run
	if planted.On(planted.PolicyVersion) {
		r.Policy.ResolverVersion = ""
	}
}

// put makes a document of the system's own what it is to be.
func (b *batch) put(key conflict.Key, body []byte) error {
	w := &Write{Kind: Put, Key: key, Body: body, system: true}
	p, refused, err := b.plan(w)
	if err == nil {
		err = refused
	}
	if err != nil {
		return err
	}
	_, err = b.stamp(p)
	return err
}
