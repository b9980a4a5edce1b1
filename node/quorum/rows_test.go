package quorum

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// row is a row of FAILURES.md at the level of the machines: what happens to a
// cluster that has run for a while, and what must follow.
type row struct {
	name string // number of the row and what happens
	must string // the sentence that it defends
	n    int    // data nodes
	run  func(*flow) string
}

var rows = []row{
	{"1 and 12: A-B cut, both see W", "one of them RW with no gap; the other RO within B, and its 503 names the node that has the vote; W relays no documents", 2, rowCut},
	{"2: A cut from B and W", "B RW with no gap; A RO within T", 2, rowIsolated},
	{"3: W down, A-B fine", "both RW; alert \"no spare vote\"", 2, rowWitnessDown},
	{"4: W down, then A-B cut", "both RO within T, no guess; W back: one RW after it waited T out", 2, rowWitnessDownThenCut},
	{"5: A-B cut, then A-W cut", "A RO within T, then B RW within the bound", 2, rowCutTwice},
	{"6: W restarts, A-B connected", "grants nothing for T'; nobody notices", 2, rowRestart},
	{"6: W restarts, then A-B cut", "at most T'(1+rho) without a writer", 2, rowRestartThenCut},
	{"7: W crash-loops faster than T", "no second holder ever; alert", 2, rowCrashLoop},
	{"9: A hears B, B does not hear A", "not a link; as 1", 2, rowOneWay},
	{"10: A-B flaps, 0.1 to 5 s", "no overlap past the bound, no election storm, converges when quiet", 2, rowFlap},
	{"11: chain A-C-B, then C dies", "all RW; then A and B RO", 3, rowChain},
	{"13: 2/2, W sees both", "one side RW, sticky", 4, rowSplit},
	{"13: 2/2, W sees one side", "the side that it sees", 4, rowSplitOneSide},
	{"14: 3 data and W, 2/1", "W's vote does not count; the two are RW", 3, rowOdd},
	{"15 and 16: A stopped or suspended past T in mid-write", "the write is answered `unknown`; A RO before it answers anything else; leases count boot time", 2, rowStopped},
	{"X4: A's machine frozen with its clocks", "all leases empty, new boot, no stamp, and ballots at once", 2, rowFrozen},
	{"17: wall clock jumps by an hour", "a forward jump costs one exchange (milliseconds), a backward one nothing", 2, rowWallClock},
}

// warm is how long a cluster runs before something happens: the witness has
// granted for longer than T'.
const warm = 5 * time.Second

// tryRow runs a row in many phases of the beats and clocks.
func tryRow(r row, seeds uint64) string {
	for seed := range seeds {
		f := newFlow(r.n, seed, true)
		f.run(warm + time.Duration(f.rng.Int64N(int64(f.timing.Beat))))
		if all := uint16(1<<r.n - 1); f.writable() != all {
			return fmt.Sprintf("seed %d: only %b write in a healthy cluster", seed, f.writable())
		}
		why := r.run(f)
		if f.failure != "" {
			why = f.failure
		}
		if why != "" {
			return fmt.Sprintf("seed %d: %s", seed, why)
		}
	}
	return ""
}

func TestFailureRows(t *testing.T) {
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			if why := tryRow(r, 30); why != "" {
				t.Fatalf("%s\nmust: %s", why, r.must)
			}
		})
	}
}

// seen is what was seen of a cluster over a while.
type seen struct {
	from  time.Duration
	gap   []time.Duration // the longest time that each node did not write
	last  []time.Duration // how long after the beginning each wrote last; below 0: never
	first []time.Duration // how long after the beginning each wrote first; below 0: never
	none  time.Duration   // the longest time that nobody wrote
	end   uint16          // who writes at the end
}

// look is how often a cluster is looked at.
const look = 5 * time.Millisecond

// watch lets the cluster run for a while and looks at who writes.
func (f *flow) watch(span time.Duration) seen {
	n := len(f.nodes)
	s := seen{from: f.now, gap: make([]time.Duration, n)}
	s.last, s.first = slices.Repeat([]time.Duration{-1}, n), slices.Repeat([]time.Duration{-1}, n)
	quiet, wrote := f.now, slices.Repeat([]time.Duration{f.now}, n)
	for f.now < s.from+span && f.failure == "" {
		f.run(f.now + look)
		s.end = f.writable()
		if s.end != 0 {
			quiet = f.now
		}
		s.none = max(s.none, f.now-quiet)
		for i := range n {
			if s.end&(1<<i) == 0 {
				s.gap[i] = max(s.gap[i], f.now-wrote[i])
				continue
			}
			wrote[i], s.last[i] = f.now, f.now-s.from
			if s.first[i] < 0 {
				s.first[i] = f.now - s.from
			}
		}
	}
	return s
}

func (f *flow) leaseTrue() time.Duration { return f.timing.Lease*101/100 + look }

// expect says what of a row does not hold.
func expect(ok bool, format string, args ...any) string {
	if ok {
		return ""
	}
	return fmt.Sprintf(format, args...)
}

// first is the first complaint.
func first(complaints ...string) string {
	for _, c := range complaints {
		if c != "" {
			return c
		}
	}
	return ""
}

const (
	nodeA = 0
	nodeB = 1
)

// one says whether exactly one of A and B went on without a gap, and the other
// was read-only within the bound and stays so.
func (f *flow) one(s seen) string {
	if s.gap[nodeA] > 0 && s.gap[nodeB] > 0 {
		return fmt.Sprintf("both had gaps: %v", s.gap)
	}
	lost := nodeA
	if s.gap[nodeA] == 0 {
		lost = nodeB
	}
	held := 1 - lost
	says := f.nodes[lost].k.State(f.clocks(f.nodes[lost]))
	return first(
		expect(s.last[lost] <= f.timing.Bound(f.roster)+look, "the loser wrote for %v", s.last[lost]),
		expect(s.end == 1<<held, "at the end %b write", s.end),
		expect(slices.Equal(says.WritableNodes, []string{f.roster.Data[held].Name}), "the loser names %v", says.WritableNodes),
		expect(says.Cause == "no_majority" && says.Have == 1 && says.Need == 2 && says.Of == 3, "the loser says %+v", says),
	)
}

func rowCut(f *flow) string {
	f.cut([]uint16{0b01, 0b10}, 0b11)
	return f.one(f.watch(8 * time.Second))
}

func rowOneWay(f *flow) string {
	f.up[nodeA][nodeB] = false
	return f.one(f.watch(8 * time.Second))
}

func rowIsolated(f *flow) string {
	f.cut([]uint16{0b01, 0b10}, 0b10)
	s := f.watch(8 * time.Second)
	return first(
		expect(s.gap[nodeB] == 0, "B had a gap of %v", s.gap[nodeB]),
		expect(s.last[nodeA] <= f.leaseTrue() && s.end == 0b10, "A wrote for %v, at the end %b write", s.last[nodeA], s.end),
	)
}

func (f *flow) stopWitness() { f.vote = nil }

func (f *flow) alerts(i int, code AlertCode) bool {
	s := f.nodes[i].k.State(f.clocks(f.nodes[i]))
	return slices.ContainsFunc(s.Alerts, func(a Alert) bool { return a.Code == code })
}

func rowWitnessDown(f *flow) string {
	before := f.alerts(nodeA, NoSpareVote) || f.alerts(nodeB, NoSpareVote)
	f.stopWitness()
	s := f.watch(8 * time.Second)
	return first(
		expect(s.gap[nodeA] == 0 && s.gap[nodeB] == 0, "gaps: %v", s.gap),
		expect(!before && f.alerts(nodeA, NoSpareVote) && f.alerts(nodeB, NoSpareVote), "the alert was there before, or is missing"),
	)
}

func rowWitnessDownThenCut(f *flow) string {
	f.stopWitness()
	f.run(f.now + 3*time.Second)
	f.cut([]uint16{0b01, 0b10}, 0b11)
	s := f.watch(8 * time.Second)
	why := first(
		expect(s.last[nodeA] <= f.leaseTrue() && s.last[nodeB] <= f.leaseTrue(), "they wrote for %v", s.last),
		expect(s.end == 0, "at the end %b write without a vote of the witness", s.end),
	)
	if why != "" {
		return why
	}
	f.startWitness()
	s = f.watch(8 * time.Second)
	soonest := f.timing.Promise * 100 / 101
	return first(
		expect(s.none >= soonest-look && s.none <= f.timing.Gap()+2*f.timing.Beat, "it took %v until somebody wrote", s.none),
		expect(s.end == 0b01 || s.end == 0b10, "at the end %b write", s.end),
		expect(s.first[nodeA] < 0 || s.first[nodeB] < 0, "both wrote"),
	)
}

func rowCutTwice(f *flow) string {
	f.cut([]uint16{0b01, 0b10}, 0b11)
	f.run(f.now + 3*time.Second)
	holder := nodeA
	if f.writable() == 0b10 {
		holder = nodeB
	}
	other := 1 - holder
	f.cut([]uint16{0b01, 0b10}, 1<<other)
	s := f.watch(8 * time.Second)
	latest := f.timing.Gap() + f.timing.Beat*101/100 + 2*f.delay + look
	return first(
		expect(s.last[holder] <= f.leaseTrue(), "the holder wrote for %v", s.last[holder]),
		expect(s.first[other] > 0 && s.first[other] <= latest, "the other wrote after %v, want %v", s.first[other], latest),
		expect(s.end == 1<<other, "at the end %b write", s.end),
	)
}

func rowRestart(f *flow) string {
	f.startWitness()
	opens := f.vote.State(f.w.boot(f.now)).Opens
	s := f.watch(8 * time.Second)
	return first(
		expect(opens == f.timing.Promise, "it grants after %v", opens),
		expect(s.gap[nodeA] == 0 && s.gap[nodeB] == 0, "gaps: %v", s.gap),
		expect(len(f.vote.State(f.w.boot(f.now)).Holders) == 2, "the witness does not vote for both afterwards"),
	)
}

func rowRestartThenCut(f *flow) string {
	f.startWitness()
	f.run(f.now + time.Duration(f.rng.Int64N(int64(f.timing.Promise))))
	f.cut([]uint16{0b01, 0b10}, 0b11)
	s := f.watch(8 * time.Second)
	return first(
		expect(s.none <= f.timing.Gap(), "nobody wrote for %v", s.none),
		expect(s.end == 0b01 || s.end == 0b10, "at the end %b write", s.end),
	)
}
