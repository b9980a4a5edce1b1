package node

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/vclock"
)

// Explanation says why a document shows what it shows.
type Explanation struct {
	Document Document
	Policy   conflict.PolicyConfig // in force
	// ScriptVersion is of the policy's resolver; empty: it has none, or this node
	// lacks it.
	ScriptVersion string
	Version       string          // the dot of the configuration; "" for none
	Reason        string          // in words
	Waits         string          // in words, what it waits for; "" where nothing is open
	Conflict      string          // the id; "" for none
	Unstable      []vclock.Dot    // siblings that some data node may lack (D7)
	Lost          []conflict.Lost // what of the siblings is not in the value shown
	LostMore      int             // how many more there are
}

// Explain says why a document shows what it shows.
func (e *Engine) Explain(ctx context.Context, key conflict.Key) (Explanation, error) {
	d, err := e.Get(ctx, key)
	if err != nil {
		return Explanation{}, err
	}
	set := e.setting(key.Collection)
	out := Explanation{Document: d, Policy: set.config.Policy, Version: set.version, ScriptVersion: set.script.Version, Lost: []conflict.Lost{}}
	switch len(d.Live) {
	case 0:
		out.Reason = "nothing is known of the document"
		return out, nil
	case 1:
		out.Reason = fmt.Sprintf("%s is the only live version: its writer, or the writer of one that it covers, had seen all others", d.Live[0].Dot)
		return out, nil
	}
	stable := e.cfg.Stable()
	for _, v := range d.Live {
		if !stable.Covers(v.Dot) {
			out.Unstable = append(out.Unstable, v.Dot)
		}
	}
	out.Conflict, out.Reason, out.Waits = e.ConflictID(&d), e.reason(&d), waits(&d, out.Unstable)
	as := conflict.NewRecord(d.Live, &conflict.Version{Key: key, Deleted: d.Shown.Deleted, Body: d.Shown.Body}, d.Shown)
	if past, err := conflict.PastOf(set.lineages, d.Live); err == nil {
		as.Measure(past.Base)
	}
	out.Lost, out.LostMore = as.Lost, as.LostMore
	return out, nil
}

// waits says what an open conflict waits for.
func waits(d *Document, unstable []vclock.Dot) string {
	switch {
	case d.Shown.Open:
		return "it waits for a person, and the value shown stands in meanwhile"
	case len(unstable) > 0:
		return "it waits until every data node has all siblings, and the policy's value is shown meanwhile"
	}
	return "nothing: the writable node with the lowest name ends it by what is shown"
}

// rivals are the sibling that is shown and the newest of the others, nil where
// there is none.
func rivals(d *Document) (win, next *conflict.Version) {
	for _, v := range d.Live.Visible() {
		if v != d.Shown.Winner && (next == nil || conflict.Newer(v, next)) {
			next = v
		}
	}
	return d.Shown.Winner, next
}

// reason says in words why the policy shows what it shows, and how far the clocks
// that decided are known to be apart.
func (e *Engine) reason(d *Document) string {
	text := reason(d)
	win, next := rivals(d)
	if win == nil || next == nil {
		return text
	}
	if apart, ok := e.apart(win.Dot.Actor.Node(), next.Dot.Actor.Node()); ok {
		text += "; measured clock offset " + apart.Round(time.Millisecond).String()
	}
	return text
}

// apart is how far the wall clocks of two nodes are apart, as far as this node
// has measured them against its own.
func (e *Engine) apart(a, b string) (time.Duration, bool) {
	if a == b {
		return 0, false // one clock
	}
	var offsets [2]time.Duration
	for i, name := range []string{a, b} {
		if name == e.cfg.Node {
			continue
		}
		off, ok := e.cfg.Offset(name)
		if !ok {
			return 0, false
		}
		offsets[i] = off
	}
	return (offsets[0] - offsets[1]).Abs(), true
}

// Hidden says whether a live version is another attempt of a write that is there
// too.
func (d *Document) Hidden(v *conflict.Version) bool {
	return !slices.Contains(d.Live.Visible(), v)
}
