package node

import (
	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/vclock"
)

// Document is what a node shows of one document at one moment.
type Document struct {
	Key      conflict.Key
	Live     conflict.Siblings // none: nothing is known of it
	Shown    conflict.Shown    // by the policy; meaningless when nothing is live
	Frontier vclock.Vector     // of the node, from the same snapshot
	Tag      string            // entity tag without quotes; empty when nothing is live

	script *scriptPolicy // not nil: the policy that shows two siblings or more by a resolver
	asks   bool          // the resolver has still to be asked, and a stand-in is shown
}

// show computes what the policy shows for siblings.
func show(key conflict.Key, live conflict.Siblings, frontier vclock.Vector, policy conflict.Policy) Document {
	d := Document{Key: key, Live: live, Frontier: frontier, Tag: live.Tag(policy)}
	if p, ok := policy.(*scriptPolicy); ok && len(live) > 1 {
		p.apply(&d)
		return d
	}
	if len(live) > 0 {
		d.Shown = policy.Show(live)
	}
	return d
}

// Exists says whether there is a value to show that is no tombstone.
func (d *Document) Exists() bool { return len(d.Live) > 0 && !d.Shown.Deleted }

// Seen is the context of a reader of this document.
func (d *Document) Seen() vclock.Context { return d.Live.Seen(d.Frontier) }

// Session is the frontier with the loose dots of this document: what a node
// must have so that the same reader sees nothing older.
func (d *Document) Session() vclock.Context {
	session := vclock.ContextOf(d.Frontier)
	for _, v := range d.Live {
		session = session.WithLoose(v.Dot)
	}
	return session
}
