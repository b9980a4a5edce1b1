package world

import (
	"bytes"
	"fmt"
	"time"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
)

const (
	// sweepMost is the longest pause between two looks for what has had its time.
	sweepMost = 2 * time.Second
	// shortKeep is a retention that ends within a run.
	shortKeep = "3s"
)

// retention is the part of a configuration that says how long what is kept.
func (c *Config) retention() string {
	text := ""
	if c.History != "" {
		text += fmt.Sprintf(`,"history":%q`, c.History)
	}
	if c.Records != "" {
		text += fmt.Sprintf(`,"records":%q`, c.Records)
	}
	return text
}

// shortRecords says that records may be gone at the end.
func (c *Config) shortRecords() bool { return c.Records == shortKeep }

// sweepLater plans the next look for what has had its time, in worlds that look.
func (p *process) sweepLater() {
	p.later(p.w.between(sweepMost/4, sweepMost), func() {
		if p.w.cfg.Sweep {
			p.sweep()
			p.sweepLater()
		}
	})
}

// sweep forgets it.
func (p *process) sweep() {
	w := p.w
	requests, err := p.engine.SweepRequests(w.ctx, p.stable(), p.turn())
	if err != nil {
		w.fail("%s: sweep: %v", p.name, err)
		return
	}
	for _, r := range requests {
		if err := p.commit(r); err != nil {
			w.fail("%s: sweep: %v", p.name, err)
			return
		}
		if r.Err() == nil {
			w.Stats.Swept++
		}
	}
}

// kept checks that what a node has kept of documents' pasts is what was written,
// and was covered by what it says.
func (o *oracle) kept(live map[conflict.Key]conflict.Siblings) {
	for key := range live {
		if key.Collection != collection {
			continue
		}
		for _, p := range o.w.nodes {
			h, err := p.engine.History(o.w.ctx, node.HistoryQuery{Key: key, Limit: node.MaxPage})
			if err != nil {
				o.w.fail("%s: history: %v", p.name, err)
				return
			}
			for _, v := range h.Versions {
				o.former(p, &v)
			}
		}
	}
}

func (o *oracle) former(p *process, v *node.PastVersion) {
	was, by := o.facts[v.Dot], o.facts[v.By]
	switch {
	case v.Live:
	case was == nil || by == nil:
		o.w.fail("%s keeps %s, covered by %s: one of them was never written", p.name, v.Dot, v.By)
	case !bytes.Equal(v.Body, was.v.Body) || v.Deleted != was.v.Deleted:
		o.w.fail("%s keeps %s as %s, and it was %s", p.name, v.Dot, v.Body, was.v.Body)
	case !by.v.Clock.Covers(v.Dot):
		o.w.fail("%s says that %s was covered by %s, which has not seen it", p.name, v.Dot, v.By)
	default:
		o.w.Stats.Kept++
	}
}
