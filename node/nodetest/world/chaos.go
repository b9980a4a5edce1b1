package world

import (
	"fmt"
	"strings"
	"time"
)

// Chaos breaks something about every so often until it is stopped.
func (w *World) Chaos(until time.Duration, every time.Duration) {
	w.at(w.now+w.between(every/2, every*3/2), func() {
		if w.now >= until {
			return
		}
		w.breakSomething()
		w.Chaos(until, every)
	})
}

func (w *World) breakSomething() {
	p := w.nodes[w.rng.IntN(len(w.nodes))]
	names := w.roster.Names()
	other := names[w.rng.IntN(len(names))]
	switch roll := w.rng.IntN(100); {
	case roll < 25:
		if other != p.name {
			w.CutBoth(p.name, other)
		}
	case roll < 35:
		if other != p.name {
			w.Cut(p.name, other)
		}
	case roll < 42:
		w.Isolate(p.name)
	case roll < 60:
		w.HealAll()
	case roll < 72:
		w.restart(p)
	case roll < 80:
		p.stop(w.between(0, longestStop))
	case roll < 88 && w.wit != nil:
		w.restartWitness()
	case roll < 91 && w.wit != nil:
		w.wit.stopped = w.now + w.between(0, longestStop)
	case roll < 95 && w.wit != nil:
		// The dangerous one: a split, and a witness that forgets whom it chose.
		w.HealAll()
		w.Isolate(p.name)
		w.Heal(p.name, witnessName)
		w.at(w.now+w.between(500*time.Millisecond, 3*time.Second), w.restartWitness)
	default:
		w.SkewWall(p.name, w.between(-2*time.Hour, 2*time.Hour))
	}
}

// restart ends a data node, mostly by a kill, and starts it again after a
// while.
func (w *World) restart(p *process) {
	if !p.up {
		return
	}
	if p.running() && w.chance(closeInOrder) {
		if err := p.engine.Close(w.ctx); err != nil {
			w.fail("%s: close: %v", p.name, err)
		}
		p.store = p.store.Reopen(0)
	}
	p.kill()
	w.at(w.now+w.between(time.Millisecond, 5*time.Second), func() { w.revive(p) })
}

// revive starts a data node that is down, on what its disk kept.
func (w *World) revive(p *process) {
	if p.up {
		return
	}
	lose := 0
	if !w.cfg.Full {
		lose = w.rng.IntN(maxLost)
	}
	p.start(lose)
	if lose > 0 {
		w.oracle.lost()
	}
}

const (
	// maxLost bounds the commits that a crash loses.
	maxLost = 6
	// closeInOrder is the share of restarts that stop the process in good order.
	closeInOrder = 0.3
)

func (w *World) restartWitness() {
	if !w.wit.up {
		return
	}
	w.wit.kill()
	down := w.between(0, 3*time.Second)
	if w.chance(0.5) {
		down = w.between(0, 100*time.Millisecond)
	}
	w.at(w.now+down, w.wit.start)
}

// Times of the end.
const (
	mendWithin  = 60 * time.Second
	quietFor    = 3 * time.Second
	settleAfter = 200 * time.Millisecond
)

// Finish heals everything, waits until all are writable and equal, and checks
// the end.
func (w *World) Finish() {
	w.StopClients()
	w.HealAll()
	w.cfg.Loss, w.cfg.Double, w.cfg.Hold, w.cfg.Break = 0, 0, 0, 0
	w.cfg.Sweep, w.ending = false, true
	for _, p := range w.nodes {
		if !p.up {
			w.revive(p)
		}
	}
	if w.wit != nil {
		w.wit.stopped = w.now
		if !w.wit.up {
			w.wit.start()
		}
	}
	if !w.RunUntil(mendWithin, w.mended) {
		w.fail("healed for %v, and still: %s", mendWithin, w.ails())
		return
	}
	w.Run(settleAfter)
	sent := w.frames
	w.Run(quietFor)
	if w.frames != sent {
		w.fail("%d frames with rows were sent although nothing was written", w.frames-sent)
	}
	w.oracle.settle()
	for _, p := range w.nodes {
		w.oracle.compare(p)
	}
}

// mended says whether everybody is writable and has the same frontier.
func (w *World) mended() bool {
	for _, p := range w.nodes {
		if _, ok := p.keeper.Writable(p.step()); !ok || !p.running() || !p.engine.Frontier().Equal(w.nodes[0].engine.Frontier()) {
			return false
		}
	}
	return w.openConflicts() == 0
}

// openConflicts counts the documents that could be settled, the system's own
// too, since every node has all of their siblings: in the end there are none. A
// sibling that went with a lost tail is in no frontier for ever, and waits for a
// person.
func (w *World) openConflicts() int {
	stable := w.nodes[0].engine.Frontier()
	for _, q := range w.nodes {
		stable = stable.Meet(q.engine.Frontier())
	}
	most := 0
	for _, p := range w.deciders() {
		found, err := p.engine.Settlement(w.ctx, stable)
		if err != nil {
			w.fail("%s: settlement: %v", p.name, err)
		}
		if found != nil {
			most = max(most, len(found.Documents))
		}
	}
	return most
}

func (w *World) ails() string {
	var out strings.Builder
	for _, p := range w.nodes {
		s := p.keeper.State(p.step())
		fmt.Fprintf(&out, "%s: writable %t %s, standing %s, at %s; ", p.name, s.Writable, s.Cause, p.engine.Standing(), p.engine.Frontier())
	}
	fmt.Fprintf(&out, "%d open conflicts", w.openConflicts())
	return out.String()
}
