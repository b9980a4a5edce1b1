package world

import (
	"bytes"
	"cmp"
	"maps"
	"slices"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// oracle knows the true causal past of every write: what its writer had really
// been shown, not what a clock says.
type oracle struct {
	w     *World
	facts map[vclock.Dot]*fact
	// records has the conflicts that must be on record: what ended each.
	records map[string]vclock.Dot
	// shows has what was shown under each entity tag: one value, whoever shows it.
	shows map[string]node.Document
	// adds is what each write added to the document's number, against what its
	// writer was shown.
	adds map[vclock.Dot]int
	// notes are the steps that records must tell of.
	notes []note
}

// fact is one write that a node committed.
type fact struct {
	v       *conflict.Version
	past    map[vclock.Dot]bool // closed: the pasts of all in it are in it
	acked   bool
	excused bool // lost with an unsynced tail that nobody else had
}

func newOracle(w *World) *oracle {
	return &oracle{w: w, facts: map[vclock.Dot]*fact{}, records: map[string]vclock.Dot{}, shows: map[string]node.Document{}, adds: map[vclock.Dot]int{}}
}

// pastOf is the true past of somebody who was shown these versions.
func (o *oracle) pastOf(shown conflict.Siblings) map[vclock.Dot]bool {
	past := map[vclock.Dot]bool{}
	for _, v := range shown {
		past[v.Dot] = true
		if f := o.facts[v.Dot]; f != nil {
			maps.Copy(past, f.past)
		}
	}
	return past
}

// wrote notes a committed write and holds its clock against the truth.
func (o *oracle) wrote(p *process, v *conflict.Version, past map[vclock.Dot]bool, acked bool) {
	w := o.w
	w.Stats.Writes++
	w.log("%s stamps %s %s clock %s acked %v", p.name, v.Dot, v.Key.ID, v.Clock, acked)
	if old := o.facts[v.Dot]; old != nil {
		w.fail("dot %s names two writes", v.Dot)
		return
	}
	o.facts[v.Dot] = &fact{v: v, past: past, acked: acked}
	known := func(d vclock.Dot) bool { f := o.facts[d]; return f != nil && f.v.Key == v.Key && d != v.Dot }
	for _, d := range dotsOf(v.Clock, known) {
		if !past[d] {
			w.fail("the clock of %s claims %s, which its writer had not seen", v.Dot, d)
			return
		}
	}
}

// compare holds a node's digests against those of all nodes with the same
// frontier (D12).
func (o *oracle) compare(p *process) {
	o.stable(p)
	own, ok := o.verify(p)
	if !ok {
		return
	}
	for _, q := range o.w.nodes {
		if q == p || !q.up || !q.engine.Frontier().Equal(own.Frontier) {
			continue
		}
		theirs, ok := o.verify(q)
		if ok && !slices.EqualFunc(alive(own), alive(theirs), sameDigest) {
			o.w.fail("%s and %s have equal frontiers %s and unequal digests %v, %v", p.name, q.name, own.Frontier, own.Collections, theirs.Collections)
		}
	}
}

// stable holds what a node takes for stable against what the others have (D7).
// Below FULL a crash takes back what a closing frame has said, until the node
// tells its new actor.
func (o *oracle) stable(p *process) {
	if !o.w.cfg.Full {
		return
	}
	stable := p.table.Stable(p.engine.Frontier(), o.w.others(p.name))
	for _, q := range o.w.nodes {
		if q.up && !q.engine.Frontier().Dominates(stable) {
			o.w.fail("%s takes %s for stable, and %s has %s", p.name, stable, q.name, q.engine.Frontier())
		}
	}
}

// verify reads digests; not ok when they are not comparable.
func (o *oracle) verify(p *process) (node.Verify, bool) {
	v, err := p.engine.Verify(o.w.ctx)
	if err != nil {
		o.w.fail("%s: verify: %v", p.name, err)
		return v, false
	}
	return v, v.Loose == 0
}

func alive(v node.Verify) []node.CollectionStat {
	return slices.DeleteFunc(slices.Clone(v.Collections), func(c node.CollectionStat) bool { return c.Documents == 0 })
}

func sameDigest(a, b node.CollectionStat) bool {
	return a.Name == b.Name && a.Digest == b.Digest && a.Documents == b.Documents
}

// lost excuses what really went with a lost tail: nobody else had it, nor
// anything that covers it.
func (o *oracle) lost() {
	for d, f := range o.facts {
		have := false
		for _, p := range o.w.nodes {
			have = have || o.holds(p, d, f.v.Key)
		}
		f.excused = f.excused || !have
	}
}

// holds says whether a node's file has a write or something that covers it.
func (o *oracle) holds(p *process, d vclock.Dot, key conflict.Key) bool {
	r, err := p.store.Read(o.w.ctx, key)
	if err != nil {
		o.w.fail("%s: read: %v", p.name, err)
		return false
	}
	if r.Frontier.Covers(d) {
		return true
	}
	return slices.ContainsFunc(r.Live, func(v *conflict.Version) bool { return v.Dot == d || v.Clock.Covers(d) })
}

// settle checks the end: healed and quiet.
func (o *oracle) settle() {
	live := map[conflict.Key]conflict.Siblings{}
	keys := o.w.systemKeys()
	for i := range o.w.cfg.Keys {
		keys = append(keys, keyOf(i))
	}
	for _, key := range keys {
		for _, p := range o.w.nodes {
			doc, err := p.engine.Get(o.w.ctx, key)
			if err != nil {
				o.w.fail("%s: get: %v", p.name, err)
				return
			}
			if first, ok := live[key]; ok && !slices.EqualFunc(first, doc.Live, func(a, b *conflict.Version) bool { return a.Dot == b.Dot }) {
				o.w.fail("%s has other live versions of %s than %s: %v, %v", p.name, key, o.w.nodes[0].name, dots(doc.Live), dots(first))
			}
			o.shown(p, &doc)
			live[key] = doc.Live
		}
		o.antichain(live[key])
	}
	o.recorded()
	o.kept(live)
	o.summed(live)
	o.traced()
	for _, d := range slices.SortedFunc(maps.Keys(o.facts), vclock.Dot.Compare) {
		f := o.facts[d]
		if f.acked && !f.excused && !o.accounted(d, live[f.v.Key]) {
			o.w.fail("acknowledged write %s of %s is gone: live are %v", d, f.v.Key, dots(live[f.v.Key]))
		}
	}
}

// shown checks that a node shows what the first node shows: equal siblings under
// one policy are one value.
func (o *oracle) shown(p *process, doc *node.Document) {
	o.read(p, doc)
	first, err := o.w.nodes[0].engine.Get(o.w.ctx, doc.Key)
	if err == nil && (first.Shown.Reason == conflict.ReasonFailedHere || doc.Shown.Reason == conflict.ReasonFailedHere) {
		return // a value that stands in on one of them is flagged, and has a tag of its own
	}
	if err != nil || first.Tag != doc.Tag || !bytes.Equal(first.Shown.Body, doc.Shown.Body) || first.Shown.Deleted != doc.Shown.Deleted {
		o.w.fail("%s shows %s as %s, %s as %s, %v", p.name, doc.Key, doc.Tag, o.w.nodes[0].name, first.Tag, err)
	}
}

// antichain checks that no live version was seen by the writer of another.
func (o *oracle) antichain(s conflict.Siblings) {
	for _, v := range s {
		for _, u := range s {
			if f := o.facts[v.Dot]; f != nil && f.past[u.Dot] {
				o.w.fail("%s is live although the writer of %s, live too, had seen it", u.Dot, v.Dot)
			}
		}
	}
}

// accounted says whether a write is live or was truly seen by a live one's
// writer.
func (o *oracle) accounted(d vclock.Dot, s conflict.Siblings) bool {
	return slices.ContainsFunc(s, func(v *conflict.Version) bool {
		f := o.facts[v.Dot]
		return v.Dot == d || f != nil && f.past[d]
	})
}

func dots(s conflict.Siblings) []vclock.Dot {
	out := make([]vclock.Dot, 0, len(s))
	for _, v := range s {
		out = append(out, v.Dot)
	}
	slices.SortFunc(out, func(a, b vclock.Dot) int { return cmp.Or(a.Compare(b)) })
	return out
}
