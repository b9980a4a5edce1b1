package world

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
)

// In a world that merges, all numbers are added up from the start, and everybody
// writes over what a node shows. Then the oracle is arithmetic: a document shows
// the sum of what each write of its past added to what its writer was shown, each
// counted once.

const (
	// configuredWithin is how long the policy may take to all nodes.
	configuredWithin = 2 * time.Minute
	// mostAdded bounds a number that is written or added, both ways.
	mostAdded = 9
)

// mergeFromNow puts the policy in force at every node, before anybody writes.
func (w *World) mergeFromNow() bool {
	c := &client{w: w}
	config := `{"policy":{"kind":"merge","rules":{"/n":"sum"}}` + w.cfg.retention() + `}`
	done := w.RunUntil(configuredWithin, func() bool {
		p := w.nodes[0]
		return p.running() && c.putInForce(p, config)
	}) && w.RunUntil(configuredWithin, func() bool {
		for _, p := range w.nodes {
			if d, err := p.engine.Get(w.ctx, configKey()); err != nil || !d.Exists() || !p.running() {
				return false
			}
		}
		return true
	})
	if !done {
		w.fail("the policy is not in force after %v: %s", configuredWithin, w.ails())
	}
	return done
}

// add reads, sets the number, or adds to it, over what a node shows.
func (c *client) add(p *process) {
	w := c.w
	key := keyOf(w.rng.IntN(w.cfg.Keys))
	n := w.rng.IntN(2*mostAdded+1) - mostAdded
	set := node.Write{Kind: node.Put, Key: key, Body: fmt.Appendf(nil, `{"n":%d}`, n)}
	switch roll := w.rng.IntN(100); {
	case roll < 20:
		c.read(p, key)
	case roll < 50:
		c.put(p, set, nil)
	case roll < 80 || len(c.held) == 0:
		c.put(p, node.Write{Kind: node.Patch, Key: key, Change: func(shown []byte) ([]byte, error) {
			var doc struct{ N int }
			err := json.Unmarshal(shown, &doc)
			return fmt.Appendf(nil, `{"n":%d}`, doc.N+n), err
		}}, nil)
	default:
		old := c.held[w.rng.IntN(len(c.held))]
		set.Key, set.IfMatch = old.key, []string{old.tag}
		c.put(p, set, nil)
	}
}

// added notes what a write has added to what its writer was shown.
func (o *oracle) added(before *node.Document, made *conflict.Version) {
	if o.w.cfg.Merge && made.Key.Collection == collection {
		o.adds[made.Dot] = o.number(made.Key, made.Body) - o.number(made.Key, before.Shown.Body)
	}
}

// number is that of a document; 0 of none.
func (o *oracle) number(key conflict.Key, body []byte) int {
	var doc struct{ N int }
	if err := json.Unmarshal(body, &doc); body != nil && err != nil {
		o.w.fail("%s has the body %q: %v", key, body, err)
	}
	return doc.N
}

// summed checks, at the end, that every document shows the sum of what was added
// (PROTOCOL D10: "every addition of the union of the pasts counts exactly once").
func (o *oracle) summed(live map[conflict.Key]conflict.Siblings) {
	if !o.w.cfg.Merge {
		return
	}
	for key, set := range live {
		if key.Collection != collection || len(set) == 0 {
			continue
		}
		want := 0
		for d := range o.pastOf(set) {
			want += o.adds[d]
		}
		for _, p := range o.w.nodes {
			d, err := p.engine.Get(o.w.ctx, key)
			if err != nil {
				o.w.fail("%s: get: %v", p.name, err)
				return
			}
			if got := o.number(key, d.Shown.Body); got != want || d.Shown.Open {
				o.w.fail("%s shows %s of %s, and what was written adds up to %d; left open: %q %s", p.name, d.Shown.Body, key, want, d.Shown.Reason, d.Shown.Detail)
			}
		}
		o.w.Stats.Summed++
	}
}
