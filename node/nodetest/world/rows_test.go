package world

import (
	"slices"
	"testing"
	"time"

	"github.com/syncline/syncline/witness"
)

// calm is a world with a good network, in which all votes are in place.
func calm(t *testing.T, nodes int, withWitness bool) *World {
	t.Helper()
	w := New(Config{
		Seed: 1, Nodes: nodes, Witness: withWitness, Full: true, Keys: 4,
		MinDelay: 500 * time.Microsecond, MaxDelay: 2 * time.Millisecond, Commit: time.Millisecond,
	})
	if !w.RunUntil(10*time.Second, w.inPlace) {
		t.Fatalf("votes are not in place: %s", w.ails())
	}
	t.Cleanup(func() {
		for _, f := range w.Failures() {
			t.Error(f)
		}
	})
	return w
}

// inPlace says whether every node holds every vote.
func (w *World) inPlace() bool {
	return w.mended() && !slices.ContainsFunc(w.nodes, func(p *process) bool {
		s := p.keeper.State(p.step())
		return s.Have != s.Of
	})
}

// writable lists the nodes that may write now.
func (w *World) writable() []string {
	var out []string
	for _, p := range w.nodes {
		ok := p.up && p.acting // in the middle of a commit, what it was before
		if p.running() {
			_, ok = p.keeper.Writable(p.step())
		}
		if ok {
			out = append(out, p.name)
		}
	}
	return out
}

// within waits until exactly these nodes are writable.
func within(t *testing.T, w *World, d time.Duration, want ...string) {
	t.Helper()
	if !w.RunUntil(d, func() bool { return slices.Equal(w.writable(), want) }) {
		t.Fatalf("after %v writable are %v, want %v", d, w.writable(), want)
	}
}

// noGap checks that a node stays writable for a time.
func noGap(t *testing.T, w *World, d time.Duration, name string) {
	t.Helper()
	for end := w.now + d; w.now < end; w.Run(5 * time.Millisecond) {
		if !slices.Contains(w.writable(), name) {
			t.Fatalf("%s was not writable at %v", name, w.now)
		}
	}
}

func (w *World) bound() time.Duration { return w.timing.Bound(w.roster) }

// slack is what beats and delays add to a bound of the protocol.
const slack = 200 * time.Millisecond

// FAILURES row 1: A–B cut, both see W: one of them RW with no gap; the other
// RO within B, and its 503 names the node that has the vote.
func TestRow01CutBetweenNodes(t *testing.T) {
	w := calm(t, 2, true)
	w.CutBoth("a", "b")
	noGap(t, w, w.bound()+slack, "a")
	within(t, w, 0, "a")
	state := w.node("b").keeper.State(w.node("b").step())
	if !slices.Equal(state.WritableNodes, []string{"a"}) {
		t.Errorf("b says that %v may write, want a", state.WritableNodes)
	}
	w.HealAll()
	within(t, w, 2*time.Second, "a", "b")
	w.Finish()
}

// FAILURES row 2: A cut from B and W: B RW with no gap; A RO within T.
func TestRow02CutFromBoth(t *testing.T) {
	w := calm(t, 2, true)
	w.Isolate("a")
	lost := w.now
	for slices.Contains(w.writable(), "a") {
		w.Run(time.Millisecond)
	}
	limit := w.timing.Lease * (100 + witness.DriftPercent) / 100
	if took := w.now - lost; took > limit+time.Millisecond {
		t.Errorf("a was writable for %v after the cut, want at most T(1+ρ), %v", took, limit)
	}
	noGap(t, w, 3*time.Second, "b")
	w.Finish()
}

// FAILURES row 3: W down, A–B fine: both RW.
func TestRow03WitnessDown(t *testing.T) {
	w := calm(t, 2, true)
	w.wit.kill()
	noGap(t, w, 5*time.Second, "a")
	within(t, w, 0, "a", "b")
	w.Finish()
}

// FAILURES row 4: W down, then A–B cut: both RO within T, no guess; W back:
// one RW after it waited T' out.
func TestRow04WitnessDownThenCut(t *testing.T) {
	w := calm(t, 2, true)
	w.wit.kill()
	w.Run(time.Second)
	w.CutBoth("a", "b")
	within(t, w, w.timing.Lease+slack)
	w.Run(5 * time.Second)
	within(t, w, 0)
	w.wit.start()
	w.Run(w.timing.Promise - slack)
	within(t, w, 0)
	within(t, w, w.timing.Gap()-w.timing.Promise+2*slack, "a")
	w.Finish()
}

// FAILURES row 5: A–B cut, then A–W cut: A RO within T, then B RW within the
// bound T'(1+ρ) + beat + two delays.
func TestRow05TwoCuts(t *testing.T) {
	w := calm(t, 2, true)
	w.CutBoth("a", "b")
	within(t, w, w.bound()+slack, "a")
	w.CutBoth("a", witnessName)
	start := w.now
	within(t, w, w.timing.Lease+slack)
	within(t, w, start+w.timing.Gap()+w.timing.Beat+slack-w.now, "b")
	w.Finish()
}

// FAILURES row 6: W restarts: grants nothing for T'; A–B connected: nobody
// notices; cut within T' of its start: at most T'(1+ρ) without a writer.
func TestRow06WitnessRestarts(t *testing.T) {
	w := calm(t, 2, true)
	w.wit.kill()
	w.wit.start()
	noGap(t, w, time.Second, "a")
	w.CutBoth("a", "b")
	var gap time.Duration
	for end := w.now + 4*time.Second; w.now < end; w.Run(time.Millisecond) {
		if len(w.writable()) == 0 {
			gap += time.Millisecond
		}
	}
	if gap > w.timing.Gap() {
		t.Errorf("%v without a writer, want at most %v", gap, w.timing.Gap())
	}
	within(t, w, 0, "a")
	w.Finish()
}

// FAILURES row 7: W crash-loops faster than T: no second holder ever.
func TestRow07WitnessCrashLoops(t *testing.T) {
	w := calm(t, 2, true)
	w.CutBoth("a", "b")
	for range 20 {
		w.wit.kill()
		w.wit.start()
		w.Run(700 * time.Millisecond)
	}
	within(t, w, 0)
	w.Finish()
}

// FAILURES row 9: one way only: A hears B, B does not hear A: not a link; as 1.
func TestRow09OneWay(t *testing.T) {
	w := calm(t, 2, true)
	w.Cut("a", "b")
	noGap(t, w, w.bound()+slack, "a")
	within(t, w, 0, "a")
	w.Finish()
}

// FAILURES row 10: A–B flaps, 0.1 to 5 s: no overlap past the bound, no
// election storm, converges when quiet.
func TestRow10Flaps(t *testing.T) {
	w := calm(t, 2, true)
	w.Clients(2, 100*time.Millisecond)
	before := w.Stats.Takeovers
	const flaps = 12
	for range flaps {
		w.CutBoth("a", "b")
		w.Run(w.between(100*time.Millisecond, 5*time.Second))
		w.HealAll()
		w.Run(w.between(100*time.Millisecond, 5*time.Second))
	}
	if n := w.Stats.Takeovers - before; n > flaps {
		t.Errorf("%d times a node became writable in %d flaps", n, flaps)
	}
	w.Finish()
}

// FAILURES row 11: chain A–C–B (A–B dead), three data nodes: all RW, data goes
// through C; then C dies: A and B RO.
func TestRow11Chain(t *testing.T) {
	w := calm(t, 3, false)
	w.CutBoth("a", "b")
	w.Run(3 * time.Second)
	within(t, w, 0, "a", "b", "c")
	if err := w.Put("a", 0, `{"via":"c"}`); err != nil {
		t.Fatal(err)
	}
	a, b := w.node("a"), w.node("b")
	if !w.RunUntil(2*time.Second, func() bool { return b.engine.Frontier().Dominates(a.engine.Frontier()) }) {
		t.Errorf("b has %v, want all that a has, %v", b.engine.Frontier(), a.engine.Frontier())
	}
	w.node("c").kill()
	within(t, w, w.timing.Lease+slack)
	w.Finish()
}

// FAILURES row 12: A–B joined only through W: as 1: W relays no documents.
func TestRow12OnlyThroughWitness(t *testing.T) {
	w := calm(t, 2, true)
	w.CutBoth("a", "b")
	within(t, w, w.bound()+slack, "a")
	if err := w.Put("a", 0, `{"n":1}`); err != nil {
		t.Fatal(err)
	}
	w.Run(20 * time.Second)
	if w.node("b").engine.Frontier().Equal(w.node("a").engine.Frontier()) {
		t.Error("b has what a wrote, although no link carried it")
	}
	w.Finish()
}

// FAILURES row 13: 4 data, 2/2, W sees both: one side RW, sticky; W sees one
// side: the side that it sees.
func TestRow13EvenSplit(t *testing.T) {
	for _, seen := range []string{"both", "cd"} {
		w := calm(t, 4, true)
		for _, x := range []string{"a", "b"} {
			for _, y := range []string{"c", "d"} {
				w.CutBoth(x, y)
			}
			if seen == "cd" {
				w.CutBoth(x, witnessName)
			}
		}
		want := []string{"a", "b"}
		if seen == "cd" {
			want = []string{"c", "d"}
		}
		within(t, w, w.bound()+w.timing.Gap()+slack, want...)
		noGap(t, w, 5*time.Second, want[0])
		within(t, w, 0, want...)
		w.Finish()
	}
}

// FAILURES row 14: 3 data and W: W's vote does not count; 2/1: the two are RW.
func TestRow14SpareWitness(t *testing.T) {
	w := calm(t, 3, true)
	w.CutBoth("a", "b")
	w.CutBoth("a", "c")
	within(t, w, w.bound()+slack, "b", "c")
	w.Finish()
}

// FAILURES row 15: A stopped past T in mid-write, resumes: the write is kept as
// concurrent; A RO before it answers anything else.
func TestRow15StoppedPastLease(t *testing.T) {
	w := calm(t, 2, true)
	w.cfg.Commit = 8 * time.Second // the commit is stopped in the middle
	before := w.Stats.LeaseLost
	for w.Stats.LeaseLost == before && w.now < 60*time.Second {
		if err := w.Put("a", 0, `{"late":true}`); err == nil {
			w.Run(100 * time.Millisecond)
		}
		w.Run(time.Second)
	}
	if w.Stats.LeaseLost == before {
		t.Fatal("no write outlived its lease")
	}
	w.cfg.Commit = time.Millisecond
	w.Finish()
	if len(w.oracle.facts) == 0 {
		t.Error("nothing was written")
	}
}

// FAILURES row 17: wall clock ±1 h, jumping: a forward jump costs one exchange,
// a backward one nothing; LWW never beats causality.
func TestRow17WallClock(t *testing.T) {
	w := calm(t, 2, true)
	w.Clients(2, 50*time.Millisecond)
	w.SkewWall("a", -time.Hour)
	noGap(t, w, 2*time.Second, "a")
	w.SkewWall("a", 2*time.Hour)
	if !w.RunUntil(slack, func() bool { return slices.Contains(w.writable(), "a") }) {
		t.Error("a forward jump cost more than one exchange")
	}
	w.Run(5 * time.Second)
	w.Finish()
}

// FAILURES row 30: the link dies in the middle of a catch-up: resumed or
// restarted; the frontier claimed nothing early (checked after each commit).
func TestRow30BrokenCatchUp(t *testing.T) {
	w := calm(t, 2, true)
	w.node("b").kill()
	within(t, w, w.timing.Gap()+w.timing.Lease+slack, "a")
	for i := range 60 {
		if err := w.Put("a", i%w.cfg.Keys, `{"n":1}`); err != nil {
			t.Fatal(err)
		}
		w.Run(10 * time.Millisecond)
	}
	w.revive(w.node("b"))
	for range 30 {
		w.Run(w.between(0, 40*time.Millisecond))
		w.CutBoth("a", "b")
		w.Run(10 * time.Millisecond)
		w.HealAll()
	}
	w.Finish()
}
