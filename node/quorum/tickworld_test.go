package quorum

import (
	"fmt"
	"math/bits"
	"slices"
	"time"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/wire"
	"github.com/syncline/syncline/vclock"
	"github.com/syncline/syncline/witness"
)

// tick is the unit of time of a tickWorld.
const tick = time.Second

// small is the smallest timing in which all rules still differ, in ticks. It
// does not follow the formulas, whose constants are for real networks; but a
// view must outlive a beat and the beat before, of which its stamp is.
var small = witness.Timing{Beat: tick, Lease: 2 * tick, Fresh: 2 * tick, Exchange: tick, Promise: 2 * tick}

// tickWorld is a cluster in discrete time that drives the real machines: any
// exchange may be missed, any ballot to the witness or its answer lost or held
// back, the witness and the nodes may restart at any time. Copies by clone
// share nothing that is written.
type tickWorld struct {
	timing  witness.Timing
	roster  witness.Roster
	now     time.Duration
	w       witness.Witness
	boots   uint64 // runs of the witness so far
	k       []Keeper
	starts  []uint64
	sick    []bool // the node's disk is low
	raw     []bool // its standing is not good
	done    uint16 // nodes that have sent their ballots in this tick
	links   [][]time.Duration
	heard   []uint64 // sequence of the last ballot of each that the witness accepted
	held    []heldBallot
	answers []heldAnswer
	nonce   *uint64 // shared by copies: nonces differ for ever
}

// heldBallot is a ballot to the witness that a paused process holds back.
type heldBallot struct {
	from int
	b    wire.Ballot
	sent time.Duration
}

// heldAnswer is an answer of the witness that is late.
type heldAnswer struct {
	to   int
	a    wire.Answer
	sent time.Duration // of its ballot
}

const (
	longAgo = -1000 * tick
	started = 1000 * tick
)

func newTickWorld(n int, t witness.Timing) *tickWorld {
	w := &tickWorld{
		timing: t, now: started, k: make([]Keeper, n), starts: make([]uint64, n),
		sick: make([]bool, n), raw: make([]bool, n), heard: make([]uint64, n), nonce: new(uint64),
		roster: witness.Roster{Cluster: "shop", Epoch: 1, Witness: "w"},
	}
	for i := range n {
		w.roster.Data = append(w.roster.Data, witness.Voter{Name: string(rune('a' + i))})
		w.links = append(w.links, slices.Repeat([]time.Duration{longAgo}, n))
	}
	for i := range n {
		w.restartNode(i)
	}
	w.startWitness(longAgo) // it has run for a long time
	return w
}

// clone returns a copy, in c where that is not nil.
func (w *tickWorld) clone(c *tickWorld) *tickWorld {
	if c == nil {
		c = &tickWorld{k: make([]Keeper, len(w.k)), links: make([][]time.Duration, len(w.k))}
	}
	old := *c
	*c = *w
	c.k = append(old.k[:0], w.k...)
	c.links = old.links
	for i := range w.k {
		c.links[i] = append(c.links[i][:0], w.links[i]...)
		c.k[i].voters = slices.Clone(w.k[i].voters)
	}
	c.starts, c.heard = append(old.starts[:0], w.starts...), append(old.heard[:0], w.heard...)
	c.sick, c.raw = append(old.sick[:0], w.sick...), append(old.raw[:0], w.raw...)
	c.held, c.answers = append(old.held[:0], w.held...), append(old.answers[:0], w.answers...)
	return c
}

func (w *tickWorld) random() uint64 {
	*w.nonce++
	return *w.nonce
}

func (w *tickWorld) time() Now {
	return Now{Boot: w.now, Wall: time.Unix(0, 0).Add(w.now)}
}

func (w *tickWorld) restartNode(i int) {
	w.starts[i]++
	k, err := NewKeeper(Config{
		Name: w.roster.Data[i].Name, Roster: w.roster, Timing: w.timing,
		Life: witness.Life{Incarnation: 1, Starts: w.starts[i]}, Random: w.random,
	})
	if err != nil {
		panic(err)
	}
	w.k[i] = *k
	w.know(i)
}

func (w *tickWorld) know(i int) {
	name := w.roster.Data[i].Name
	s := Self{Standing: node.StandingGood, Actor: vclock.Actor(name + "~00000000"), DiskLow: w.sick[i]}
	if w.raw[i] {
		s.Standing = node.StandingCatchingUp
	}
	w.k[i].Know(s)
}

func (w *tickWorld) startWitness(at time.Duration) {
	w.boots++
	m, err := witness.New(witness.Config{Roster: w.roster, Timing: w.timing, Boot: w.boots, Started: at})
	if err != nil {
		panic(err)
	}
	w.w = *m
}

// fate is what becomes of a ballot to the witness.
type fate int

const (
	delivered fate = iota // with its answer
	lost
	answerLost
	answerHeld
	ballotHeld
	fates
)

// beat sends the ballots of node i: to the data nodes of peers, over links
// that work both ways, and to the witness.
func (w *tickWorld) beat(i int, peers uint16, f fate) {
	w.done |= 1 << i
	for _, o := range w.k[i].Beat(w.time()) {
		j := w.roster.Index(o.To)
		switch {
		case j < 0:
			w.toWitness(i, o.Ballot, f)
		case peers&(1<<j) != 0:
			w.links[i][j], w.links[j][i] = w.now, w.now
			w.answered(i, w.k[j].Vote(w.time(), o.Ballot))
		}
	}
}

func (w *tickWorld) toWitness(i int, b wire.Ballot, f fate) {
	switch f {
	case delivered:
		again := w.answered(i, w.ask(b))
		for _, o := range again {
			w.answered(i, w.ask(o.Ballot))
		}
	case answerLost:
		w.ask(b)
	case answerHeld:
		w.answers = append(w.answers, heldAnswer{i, w.ask(b), w.now})
	case ballotHeld:
		w.held = append(w.held, heldBallot{i, b, w.now})
	default: // lost
	}
}

func (w *tickWorld) answered(i int, a wire.Answer) []Outgoing {
	again, err := w.k[i].Answered(w.time(), a)
	if err != nil {
		panic(err)
	}
	return again
}

// ask carries a ballot through the witness.
func (w *tickWorld) ask(b wire.Ballot) wire.Answer {
	a := askWitness(&w.w, w.now, b)
	if r := witness.Reason(a.Reason); r != witness.Stale && r != witness.Epoch {
		w.heard[w.roster.Index(b.From)] = b.Seq
	}
	return a
}

// askWitness carries a ballot through a witness, as the process of one does.
func askWitness(w *witness.Witness, now time.Duration, b wire.Ballot) wire.Answer {
	seen := make([]witness.Seen, len(b.View))
	for i, s := range b.View {
		seen[i] = witness.Seen(s)
	}
	a := w.Ask(now, witness.Ballot{
		Cluster: b.Cluster, Epoch: b.Epoch, From: b.From, Life: witness.Life(b.Life), Seq: b.Seq, Lease: b.Lease,
		View: seen, CatchingUp: b.Standing != wire.StandingGood, Want: b.Want, Held: b.Held,
		Stamp: witness.Stamp(b.Stamp), Actor: b.Actor, Frontier: b.Frontier,
	})
	out := wire.Answer{
		Cluster: b.Cluster, From: "w", Nonce: b.Nonce, Granted: a.Granted, Reason: string(a.Reason),
		Stamp: wire.Stamp(a.Stamp), Knows: a.Knows, Wall: time.Unix(0, 0).Add(now).UnixMicro(),
	}
	for _, h := range a.Have {
		out.Have = append(out.Have, wire.Holder(h))
	}
	return out
}

// release lets the witness have a ballot that was held back; its answer comes
// at once, or never.
func (w *tickWorld) release(i int, lost bool) {
	h := w.held[i]
	w.held = slices.Delete(w.held, i, i+1)
	if a := w.ask(h.b); !lost {
		w.answered(h.from, a)
	}
}

func (w *tickWorld) releaseAnswer(i int) {
	h := w.answers[i]
	w.answers = slices.Delete(w.answers, i, i+1)
	w.answered(h.to, h.a)
}

func (w *tickWorld) step() {
	w.now += tick
	w.done = 0
}

func (w *tickWorld) writable() uint16 {
	var set uint16
	for i := range w.k {
		if w.k[i].wants() && w.k[i].votes(w.now) >= w.roster.Majority() {
			set |= 1 << i
		}
	}
	return set
}

// bound is B in ticks, without drift.
func (w *tickWorld) bound() time.Duration {
	b := w.timing.Lease
	if w.roster.WitnessVotes() {
		b += w.timing.Exchange
		if len(w.k) > 2 {
			b += w.timing.Fresh
		}
	}
	return b
}

// broken checks S: "if X and Y are both writable at time t, they are joined by
// links over which ballots went in [t − B, t]".
func (w *tickWorld) broken() string {
	can := w.writable()
	if bits.OnesCount16(can) < 2 {
		return ""
	}
	adj := make([]uint16, len(w.k))
	for i := range w.k {
		for j := range w.k {
			if w.now-w.links[i][j] < w.bound() {
				adj[i] |= 1 << j
			}
		}
	}
	return torn(can, adj)
}

// torn names two nodes of a set that a graph does not join.
func torn(set uint16, adj []uint16) string {
	parts := closure(adj)
	first := bits.TrailingZeros16(set)
	if apart := set &^ parts[first]; apart != 0 {
		return fmt.Sprintf("%c and %c are both writable and not joined", 'a'+first, 'a'+bits.TrailingZeros16(apart))
	}
	return ""
}

// closure returns the component of each node of a graph.
func closure(adj []uint16) []uint16 {
	parts := slices.Clone(adj)
	for i := range parts {
		parts[i] |= 1 << i
	}
	for via := range parts {
		for i := range parts {
			if parts[i]&(1<<via) != 0 {
				parts[i] |= parts[via]
			}
		}
	}
	return parts
}
