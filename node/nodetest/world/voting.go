package world

import (
	"slices"
	"time"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/quorum"
	"github.com/syncline/syncline/node/wire"
	"github.com/syncline/syncline/witness"
)

// beatLater plans the next round of ballots.
func (p *process) beatLater() {
	next := p.when(p.keeper.NextBeat(p.boot()))
	p.later(max(time.Millisecond, next-p.w.now), func() {
		p.post(p.keeper.Beat(p.step()))
		p.beatLater()
	})
}

// post sends ballots.
func (p *process) post(ballots []quorum.Outgoing) {
	for _, o := range ballots {
		from := asker{p, p.life, p.w.now}
		p.w.send(p.name, o.To, func() { p.w.receive(from, o) })
	}
}

// asker is who sent a ballot, in which life and when.
type asker struct {
	p    *process
	life int
	sent time.Duration
}

// receive hands a ballot to its voter, and the answer back.
func (w *World) receive(from asker, o quorum.Outgoing) {
	reply := func(a wire.Answer) {
		w.send(o.To, from.p.name, func() {
			from.p.onArrival(w.now, from.life, func() { from.p.answered(from.sent, a) })
		})
	}
	if o.To == witnessName {
		w.wit.vote(o.Ballot, reply)
		return
	}
	v := w.node(o.To)
	v.later(0, func() {
		v.meet(o.Ballot.From, o.Ballot.Standing)
		reply(v.keeper.Vote(v.step(), o.Ballot))
	})
}

// answered hands an answer to the keeper.
func (p *process) answered(sent time.Duration, a wire.Answer) {
	if err := p.engine.OwnActorSeen(a.From, a.Knows); err != nil {
		return // the event has failed the run
	}
	if a.From != witnessName {
		p.meet(a.From, a.Standing)
		pair := pairOf(p.name, a.From)
		p.w.met[pair] = max(p.w.met[pair], sent)
	}
	again, err := p.keeper.Answered(p.step(), a)
	if err != nil {
		p.w.log("%s drops an answer: %v", p.name, err)
	}
	p.post(again)
}

// meet tells the engine what another node says of itself.
func (p *process) meet(name string, s wire.Standing) {
	if r := p.engine.NextStanding(name, node.Standing(s)); r != nil {
		if err := p.commit(r); err != nil {
			p.w.fail("%s: standing: %v", p.name, err)
		}
	}
}

func pairOf(a, b string) [2]string { return [2]string{min(a, b), max(a, b)} }

// checkSides is S of PROTOCOL part 2: two writable nodes are joined by links
// over which ballots were exchanged within the bound.
func (w *World) checkSides() {
	var writable []string
	for _, p := range w.nodes {
		if !p.running() || p.keeper == nil {
			continue
		}
		_, ok := p.keeper.Writable(p.step())
		if ok && !p.acting {
			w.log("%s writable", p.name)
			w.Stats.Takeovers++
		}
		p.acting = ok
		if ok {
			writable = append(writable, p.name)
		}
	}
	if len(writable) < 2 {
		return
	}
	bound := w.timing.Bound(w.roster)
	side := w.component(writable[0], w.now-bound)
	for _, name := range writable[1:] {
		if !slices.Contains(side, name) {
			w.fail("two sides: %s and %s are writable, and no path joined them since %v", writable[0], name, w.now-bound)
		}
	}
}

// component lists the data nodes that exchanged ballots with a node since an
// instant, directly or in turn.
func (w *World) component(name string, since time.Duration) []string {
	side := []string{name}
	for i := 0; i < len(side); i++ {
		for _, other := range w.others(side[i]) {
			at, ok := w.met[pairOf(side[i], other)]
			if ok && at >= since && !slices.Contains(side, other) {
				side = append(side, other)
			}
		}
	}
	return side
}

// witnessProcess is the witness on its machine.
type witnessProcess struct {
	machine
	up      bool
	stopped time.Duration
	life    int
	core    *witness.Witness
}

func newWitness(w *World) *witnessProcess { return &witnessProcess{machine: newMachine(w)} }

func (v *witnessProcess) start() {
	w := v.w
	v.life++
	var err error
	v.core, err = witness.New(witness.Config{
		Roster: w.roster, Timing: w.timing, Boot: w.rng.Uint64() | 1, Started: v.boot(), Longest: w.timing.Promise,
	})
	if err != nil {
		w.fail("the witness does not start: %v", err)
		return
	}
	v.up = true
	w.log("start w")
}

func (v *witnessProcess) kill() {
	v.w.log("kill w")
	v.up = false
	v.life++
}

// vote answers a ballot, when the witness runs.
func (v *witnessProcess) vote(b wire.Ballot, reply func(wire.Answer)) {
	life := v.life
	if !v.up {
		return
	}
	if v.w.now < v.stopped {
		v.w.at(v.stopped, func() {
			if v.life == life {
				v.vote(b, reply)
			}
		})
		return
	}
	a := v.core.Ask(v.boot(), witness.Ballot{
		Cluster: b.Cluster, Epoch: b.Epoch, From: b.From, Life: witness.Life(b.Life), Seq: b.Seq, Lease: b.Lease,
		View: seenOf(b.View), CatchingUp: b.Standing != wire.StandingGood, Want: b.Want, Held: b.Held,
		Stamp: witness.Stamp(b.Stamp), Actor: b.Actor, Frontier: b.Frontier,
	})
	out := wire.Answer{
		Cluster: b.Cluster, From: witnessName, Nonce: b.Nonce, Granted: a.Granted, Reason: string(a.Reason),
		Stamp: wire.Stamp(a.Stamp), Knows: a.Knows, Wall: v.wall().UnixMicro(),
	}
	for _, h := range a.Have {
		out.Have = append(out.Have, wire.Holder(h))
	}
	reply(out)
}

func seenOf(view []wire.Seen) []witness.Seen {
	out := make([]witness.Seen, 0, len(view))
	for _, s := range view {
		out = append(out, witness.Seen(s))
	}
	return out
}
