package quorum

import (
	"slices"
	"time"
)

func rowCrashLoop(f *flow) string {
	f.cut([]uint16{0b01, 0b10}, 0b11)
	f.run(f.now + 3*time.Second)
	holder := f.writable()
	wrote := uint16(0)
	for range 8 {
		f.startWitness()
		for range 10 {
			f.run(f.now + f.timing.Lease/20)
			wrote |= f.writable()
		}
	}
	return first(
		expect(holder == 0b01 || holder == 0b10, "%b write after a cut", holder),
		expect(wrote&^holder == 0, "%b held the vote and %b wrote", holder, wrote),
		expect(f.alerts(nodeA, WitnessRestarts) && f.alerts(nodeB, WitnessRestarts), "no alert"),
	)
}

func rowFlap(f *flow) string {
	whole, apart := []uint16{0b11, 0b11}, []uint16{0b01, 0b10}
	gap := time.Duration(0)
	for end := f.now + 30*time.Second; f.now < end; {
		for _, adj := range [][]uint16{apart, whole} {
			f.cut(adj, 0b11)
			s := f.watch(100*time.Millisecond + time.Duration(f.rng.Int64N(int64(5*time.Second))))
			gap = max(gap, s.gap[nodeA], s.none) // A is preferred in every split
		}
	}
	f.cut(whole, 0b11)
	s := f.watch(2 * time.Second)
	return first(
		expect(gap == 0, "the preferred node had a gap of %v", gap),
		expect(s.end == 0b11, "at the end %b write", s.end),
	)
}

func rowChain(f *flow) string {
	const c = 2
	f.cut([]uint16{0b100, 0b100, 0b011}, 0b111)
	s := f.watch(8 * time.Second)
	why := expect(s.gap[nodeA] == 0 && s.gap[nodeB] == 0 && s.gap[c] == 0, "gaps: %v", s.gap)
	if why != "" {
		return why
	}
	f.cut([]uint16{0, 0, 0}, 0b011)
	f.nodes[c].pause = f.now + time.Hour
	s = f.watch(8 * time.Second)
	return first(
		expect(s.end == 0, "at the end %b write", s.end),
		expect(s.last[nodeA] <= f.leaseTrue() && s.last[nodeB] <= f.leaseTrue(), "they wrote for %v", s.last),
	)
}

func rowSplit(f *flow) string {
	f.cut([]uint16{0b0011, 0b0011, 0b1100, 0b1100}, 0b1111)
	s := f.watch(20 * time.Second)
	side, other := []int{0, 1}, []int{2, 3}
	if s.gap[0] > 0 {
		side, other = other, side
	}
	bound := f.timing.Bound(f.roster) + look
	return first(
		expect(s.gap[side[0]] == 0 && s.gap[side[1]] == 0, "gaps: %v", s.gap),
		expect(s.last[other[0]] <= bound && s.last[other[1]] <= bound, "the other side wrote for %v", s.last),
		expect(s.end == 1<<side[0]|1<<side[1], "at the end %b write", s.end),
	)
}

func rowSplitOneSide(f *flow) string {
	f.cut([]uint16{0b0011, 0b0011, 0b1100, 0b1100}, 0b1100)
	s := f.watch(10 * time.Second)
	bound := f.timing.Bound(f.roster) + look
	return first(
		expect(s.gap[2] == 0 && s.gap[3] == 0, "gaps: %v", s.gap),
		expect(s.last[0] <= bound && s.last[1] <= bound && s.end == 0b1100, "the other side wrote for %v", s.last),
	)
}

func rowOdd(f *flow) string {
	f.cut([]uint16{0b001, 0b110, 0b110}, 0b001) // only the one sees the witness
	s := f.watch(8 * time.Second)
	st := f.nodes[nodeA].k.State(f.clocks(f.nodes[nodeA]))
	w := st.Voters[len(st.Voters)-1]
	return first(
		expect(s.gap[1] == 0 && s.gap[2] == 0, "gaps: %v", s.gap),
		expect(s.last[nodeA] <= f.leaseTrue() && s.end == 0b110, "the one wrote for %v", s.last[nodeA]),
		expect(st.Of == 3 && st.Need == 2 && w.Witness && !w.Counts, "it says %+v", st),
	)
}

// rowStopped stops A, or lets its machine sleep, between the beginning of a commit and its answer. Its
// loop may win the votes back before the writer looks: that lease does not
// cover the old commit.
func rowStopped(f *flow) string {
	a := f.nodes[nodeA]
	term, err := a.k.Begin(f.clocks(a))
	if err != nil {
		return err.Error()
	}
	f.up[nodeA][2], f.up[2][nodeA] = false, false // else B may be the only one left
	a.pause = f.now + f.timing.Lease*102/100 + time.Duration(f.rng.Int64N(int64(3*time.Second)))
	f.run(a.pause - 1)
	f.now = a.pause
	_, ok := a.k.Writable(f.clocks(a))
	f.run(f.now + time.Second)
	_, again := a.k.Writable(f.clocks(a))
	return first(
		expect(!ok, "A writes when it wakes"),
		expect(again, "A does not write again although B votes for it"),
		expect(!a.k.Held(f.clocks(a), term), "the lease that came back covers the old commit"),
	)
}

func rowFrozen(f *flow) string {
	a := f.nodes[nodeA]
	before := a.k.State(f.clocks(a)).Life
	z := 1100*time.Millisecond + time.Duration(f.rng.Int64N(int64(time.Hour)))
	a.began += z // the boot-time clock stands still; the wall clock is set when the machine wakes
	a.pause = f.now + z
	f.now = a.pause
	_, ok := a.k.Writable(f.clocks(a))
	hurry, st := a.k.Hurry(), a.k.State(f.clocks(a))
	stampless := !slices.ContainsFunc(a.k.Beat(f.clocks(a)), func(o Outgoing) bool { return o.Ballot.Stamp.Boot != 0 || len(o.Ballot.View) > 0 })
	return first(
		expect(!ok && hurry, "it writes: %v, it hurries: %v", ok, hurry),
		expect(st.Life.Thaws == before.Thaws+1 && st.Life.Boot != before.Boot, "life %+v after %+v", st.Life, before),
		expect(stampless, "its ballots tell what it knew before"),
	)
}

func rowWallClock(f *flow) string {
	a := f.nodes[nodeA]
	a.skew -= time.Hour
	s := f.watch(4 * time.Second)
	if why := expect(s.gap[nodeA] == 0 && s.gap[nodeB] == 0, "a backward jump cost %v", s.gap); why != "" {
		return why
	}
	offset := a.k.State(f.clocks(a)).Voters[0].Offset
	flagged := f.alerts(nodeA, ClockOffset) && f.alerts(nodeB, ClockOffset)
	a.skew += 2 * time.Hour
	f.nodes[nodeA].k.Writable(f.clocks(a))
	k := a.k
	for _, o := range k.Beat(f.clocks(a)) { // what the loop does when Hurry says so
		f.send(a, k, o)
	}
	s = f.watch(4 * time.Second)
	return first(
		expect((offset-time.Hour).Abs() < f.delay, "the offset of B was measured as %v", offset),
		expect(flagged, "the drift is not flagged"),
		expect(s.gap[nodeA] <= 4*f.delay+look, "a forward jump cost %v", s.gap[nodeA]),
		expect(s.gap[nodeB] == 0, "B had a gap of %v", s.gap[nodeB]),
	)
}
