//go:build !race

package quorum

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// storm lets everything happen to a cluster for a while, then fixes the links
// at random and waits for who can write.
func storm(n int, seed uint64) string {
	f := newFlow(n, seed, true)
	f.at(0, nil, f.strike)
	f.run(40 * time.Second)
	if f.failure != "" {
		return f.failure
	}
	f.queue = nil
	f.calm()
	return f.failure
}

// strike changes one thing, and comes back.
func (f *flow) strike() {
	n := len(f.nodes)
	i := f.rng.IntN(n)
	what := f.rng.IntN(14)
	if f.nodes[i].pause > f.now { // one blow at a time for a process that stands still
		what = 0
	}
	switch what {
	case 0, 1, 2, 3:
		env := frozen{links: make([]uint16, n)}
		env.shuffle(f.rng, n)
		f.cut(env.links, env.witness)
	case 4: // one way only
		j := f.rng.IntN(n + 1)
		f.up[i][j] = !f.up[i][j]
	case 5:
		j := f.rng.IntN(n + 1)
		f.up[j][i] = !f.up[j][i]
	case 6:
		f.startWitness()
	case 7:
		f.restart(i)
	case 8: // SIGSTOP; the clocks run on
		f.nodes[i].pause = f.now + time.Duration(f.rng.Int64N(int64(4*time.Second)))
	case 9:
		f.w.pause = f.now + time.Duration(f.rng.Int64N(int64(2*time.Second)))
	case 10: // the machine stands still, clocks and all
		z := f.timing.Lease + time.Duration(f.rng.Int64N(int64(4*time.Second)))
		f.nodes[i].began += z
		f.nodes[i].pause = f.now + z
	case 11:
		f.nodes[i].skew += time.Duration(f.rng.Int64N(int64(2*time.Hour))) - time.Hour
	case 12:
		f.delay = []time.Duration{time.Millisecond, 30 * time.Millisecond, 400 * time.Millisecond, 3 * time.Second}[f.rng.IntN(4)]
		f.loss = []int{0, 0, 5, 30}[f.rng.IntN(4)]
	case 13:
		f.sick[i] = !f.sick[i] && f.rng.IntN(2) == 0
		f.raw[i] = !f.raw[i] && f.rng.IntN(2) == 0
		f.know(i)
	}
	f.at(f.now+time.Duration(f.rng.Int64N(int64(time.Second))), nil, f.strike)
}

// calm fixes the links, and checks that somebody writes who can.
func (f *flow) calm() {
	n := len(f.nodes)
	env := frozen{links: make([]uint16, n)}
	env.shuffle(f.rng, n)
	f.cut(env.links, env.witness)
	f.delay, f.loss = 5*time.Millisecond, 0
	for _, p := range slices.Concat(f.nodes, []*process{f.w}) {
		f.now = max(f.now, p.pause)
	}
	for _, p := range f.nodes {
		f.at(f.now, p, func() { f.beat(p, p.k) })
	}
	start := f.now
	f.run(start + f.timing.Gap() + f.timing.Exchange + f.timing.Fresh + 4*f.timing.Beat)
	for end := f.now + 2*f.timing.Promise; f.now < end && f.failure == ""; f.run(f.now + 5*time.Millisecond) {
		if f.writable() == 0 && env.need(f.roster, f.sick, f.raw) {
			f.failure = fmt.Sprintf("stuck: nobody writes %v after the links were fixed to %b, witness reached by %b, sick %v, raw %v",
				f.now-start, env.links, env.witness, f.sick, f.raw)
		}
	}
}

// manyStorms is how many storms of 40 s there are, some 4 s of processor time.
const manyStorms = 200

// storms lets so many storms go over clusters of two to five nodes.
func storms(count uint64) string {
	for seed := range count {
		n := 2 + int(seed%4)
		if why := storm(n, seed); why != "" {
			return fmt.Sprintf("%d data nodes, seed %d: %s", n, seed, why)
		}
	}
	return ""
}

// PROTOCOL part 2, the promise S with the bounds that it states, and "no
// reachable state is stuck", with the default timing, drift, delays, pauses
// and freezes.
func TestStorm(t *testing.T) {
	if why := storms(manyStorms); why != "" {
		t.Fatal(why)
	}
}
