package witness

import (
	"errors"
	"time"

	"github.com/syncline/syncline/planted"
	"github.com/syncline/syncline/vclock"
)

const (
	// never lies before every instant; differences with it do not overflow.
	never = time.Duration(-1 << 61)
	// MaxHeard is the most actors that the witness remembers of one data node.
	MaxHeard = 8192
)

// Config says what a Witness is made of.
type Config struct {
	Roster  Roster
	Timing  Timing
	Boot    uint64        // random id of this run, not 0
	Started time.Duration // this instant
	Longest time.Duration // the largest promise that any run of it ever gave
}

// Witness is the vote as a step machine. It is not safe for concurrent use.
type Witness struct {
	roster Roster // sorted; shared by copies and never written
	timing Timing
	boot   uint64
	opens  time.Duration // nothing is granted before (W4)

	lives  [MaxData]Life          // the newest heard of
	views  [MaxData]view          // what each said last
	until  [MaxData]time.Duration // the end of the promise to each
	chosen group                  // who has the vote
	heard  [MaxData]vclock.Vector // all that each ever said it had
}

// view is what a data node said in its last accepted ballot (W3).
type view struct {
	known      bool
	stamp      time.Duration
	seq        uint64
	lists      group // whom it exchanged ballots with
	refused    group // who of those refuses as catching up
	catchingUp bool
	want       bool
	heldAt     time.Duration // when it last had a lease of the witness, on this clock
}

// New makes a witness that starts now. It grants nothing until the longest
// promise of its former runs has ended.
func New(c Config) (*Witness, error) {
	if err := c.Roster.Check(); err != nil {
		return nil, err
	}
	if c.Roster.Witness == "" {
		return nil, errors.New("witness: the roster has none")
	}
	if c.Boot == 0 {
		return nil, errors.New("witness: the boot id is 0")
	}
	w := &Witness{roster: c.Roster.Sorted(), timing: c.Timing, boot: c.Boot}
	w.opens = c.Started + max(c.Longest, c.Timing.Promise)
	for i := range w.until {
		w.until[i] = never
	}
	return w, nil
}

// Ask answers a ballot.
func (w *Witness) Ask(now time.Duration, b Ballot) Answer {
	a := Answer{Stamp: Stamp{w.boot, now}, Knows: w.knows(b.Actor)}
	a.Reason = w.decide(now, b)
	a.Granted = a.Reason == ""
	a.Have = w.holders(now)
	return a
}

// decide carries out W1 to W7 and returns the reason of a refusal.
func (w *Witness) decide(now time.Duration, b Ballot) Reason {
	x := w.roster.Index(b.From)
	if x < 0 || b.Cluster != w.roster.Cluster || b.Epoch != w.roster.Epoch ||
		b.Lease > w.timing.Lease || !b.Life.Follows(w.lives[x]) { // W1
		return Epoch
	}
	w.lives[x] = b.Life
	stamp, fresh := w.freshStamp(now, x, b)
	if !fresh { // W2
		return Stale
	}
	w.record(now, x, stamp, b)                            // W3
	if now < w.opens && !planted.On(planted.NoBootWait) { // W4
		return Boot
	}
	k := w.components(now)
	w.settle(now, x, &k)                               // W5
	if reason := w.refusal(now, x, &k); reason != "" { // W6
		if planted.On(planted.ClearChosen) {
			w.chosen = 0
		}
		return reason
	}
	if !w.chosen.within(k[x]) { // W7
		w.chosen = 0
	}
	w.chosen |= only(x)
	w.until[x] = now + w.timing.Promise
	return ""
}

// freshStamp judges the ballot's stamp (W2): it must be of this run, not older
// than F, and with the sequence above the last accepted one of x. One that a
// paused process held back would bring an old view back to life.
func (w *Witness) freshStamp(now time.Duration, x int, b Ballot) (time.Duration, bool) {
	if planted.On(planted.NoStamp) {
		return now, true
	}
	if b.Stamp.Boot != w.boot || b.Stamp.At < now-w.timing.Fresh || b.Stamp.At > now {
		return 0, false
	}
	last := &w.views[x]
	if last.known && (b.Stamp.At < last.stamp || b.Stamp.At == last.stamp && b.Seq <= last.seq) {
		return 0, false
	}
	return b.Stamp.At, true
}

// record keeps what x says (W3).
func (w *Witness) record(now time.Duration, x int, stamp time.Duration, b Ballot) {
	v := view{known: true, stamp: stamp, seq: b.Seq, catchingUp: b.CatchingUp, want: b.Want, heldAt: never}
	for _, s := range b.View {
		z := w.roster.Index(s.Name)
		if z < 0 || z == x {
			continue
		}
		v.lists |= only(z)
		if s.CatchingUp {
			v.refused |= only(z)
		}
	}
	if b.Held >= 0 {
		v.heldAt = now - b.Held
	}
	w.views[x] = v
	if w.heard[x] = w.heard[x].Join(b.Frontier); w.heard[x].Len() > MaxHeard {
		w.heard[x] = b.Frontier
	}
}

// settle brings chosen up to date before a decision (W5): it forgets who was
// chosen once every promise has ended, and where chosen was split it keeps the
// part in the best component. Who is dropped keeps the promise that it has.
func (w *Witness) settle(now time.Duration, x int, k *[MaxData]group) {
	if !w.promised(now, ^group(0)) {
		w.chosen = 0
	}
	if planted.On(planted.FirstCome) && !w.chosen.within(k[x]) {
		w.chosen = only(x)
	}
	if w.chosen == 0 || w.chosen.within(k[w.chosen.first()]) {
		return
	}
	var best group
	for y := range w.roster.Data {
		part := k[y] & w.chosen
		if part == 0 || k[y].first() != y { // each component once
			continue
		}
		if best == 0 || w.keeps(now, k[y], best) {
			best = k[y]
		}
	}
	w.chosen &= best
}

// keeps says whether component a rather than b keeps the vote that was given
// to nodes of both: the eligible one, then the one with more of chosen, then
// rank.
func (w *Witness) keeps(now time.Duration, a, b group) bool {
	if ea, eb := w.eligible(now, a), w.eligible(now, b); ea != eb {
		return ea
	}
	if na, nb := (a & w.chosen).size(), (b & w.chosen).size(); na != nb {
		return na > nb
	}
	return w.rank(a, b) > 0
}

// refusal says why x is not to be granted the vote; "" when it is (W6).
func (w *Witness) refusal(now time.Duration, x int, k *[MaxData]group) Reason {
	mine := k[x]
	switch {
	case !w.fit(x):
		return Behind
	case !w.eligible(now, mine):
		return Ineligible
	case w.chosen != 0 && w.chosen.within(mine):
		return ""
	case w.promised(now, ^mine):
		return Other
	}
	for y := range w.roster.Data {
		if k[y] != mine && w.eligible(now, k[y]) && w.preferred(now, k[y], mine) {
			return Other
		}
	}
	return ""
}

// promised says whether a promise to somebody of the group runs.
func (w *Witness) promised(now time.Duration, g group) bool {
	for y := range w.roster.Data {
		if g.has(y) && w.until[y] > now {
			return true
		}
	}
	return false
}

// knows is the highest sequence of an actor that anybody has named (D14).
func (w *Witness) knows(a vclock.Actor) uint64 {
	var seq uint64
	for y := range w.roster.Data {
		seq = max(seq, w.heard[y].Get(a))
	}
	return seq
}

// holders are those who have the vote now.
func (w *Witness) holders(now time.Duration) []Holder {
	var out []Holder
	for y, v := range w.roster.Data {
		if w.chosen.has(y) && w.until[y] > now {
			out = append(out, Holder{v.Name, w.until[y] - now})
		}
	}
	return out
}
