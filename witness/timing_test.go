package witness

import (
	"strings"
	"testing"
	"time"
)

func roster(n int, witness string) Roster {
	r := Roster{Cluster: "shop", Epoch: 1, Witness: witness}
	for i := range n {
		r.Data = append(r.Data, Voter{Name: string(rune('a' + i))})
	}
	return r
}

// PROTOCOL part 2, Constants: "F = 2 beat + 100 ms (400 ms …); D = F + 150 ms
// (550 ms …); guard 70 ms; T' = T(1+ρ)/(1−ρ) + guard, rounded up to 50 ms
// (1.65 s …)"; S: "B = (T + D)(1+ρ) = 2.07 s for two data nodes and a witness,
// T(1+ρ) for odd n, (T + D + F)(1+ρ) = 2.47 s otherwise".
func TestTimingFollowsTheFormulas(t *testing.T) {
	d := DefaultTiming()
	want := Timing{
		Beat: 150 * time.Millisecond, Lease: 1500 * time.Millisecond, Fresh: 400 * time.Millisecond,
		Exchange: 550 * time.Millisecond, Promise: 1650 * time.Millisecond,
	}
	if d != want {
		t.Errorf("%+v, want %+v", d, want)
	}
	if err := d.Check(); err != nil {
		t.Error(err)
	}
	for _, c := range []struct {
		r    Roster
		want time.Duration
	}{
		{roster(2, "w"), 2070 * time.Millisecond},
		{roster(3, "w"), 1510 * time.Millisecond},
		{roster(3, ""), 1510 * time.Millisecond},
		{roster(2, ""), 1510 * time.Millisecond}, // two majorities of data nodes share one
		{roster(4, "w"), 2470 * time.Millisecond},
		{roster(6, "w"), 2470 * time.Millisecond},
	} {
		if got := d.Bound(c.r); got.Truncate(10*time.Millisecond) != c.want {
			t.Errorf("%d data nodes, witness %q: bound %v, want %v", len(c.r.Data), c.r.Witness, got, c.want)
		}
	}
	for beat := MinBeat; beat < time.Second; beat += 7 * time.Millisecond {
		for lease := beat; lease < MaxLease; lease += 1700 * time.Millisecond {
			x := TimingOf(beat, lease)
			// A promise outlasts a lease on the slowest clock, by the guard.
			if slow := lease * 101 / 99; x.Promise < slow+Guard || x.Promise > slow+Guard+promiseStep {
				t.Fatalf("lease %v: promise %v", lease, x.Promise)
			}
		}
	}
}

// PROTOCOL part 2: "Refused at the start, with these formulas: T ≤ D + F + 2
// beat + 2 × 100 ms."
func TestTimingThatMakesNoSense(t *testing.T) {
	for _, c := range []struct {
		timing Timing
		says   string
	}{
		{TimingOf(150*time.Millisecond, 1450*time.Millisecond), "more than 1.45s"},
		{TimingOf(300*time.Millisecond, 1500*time.Millisecond), "lower timing.beat"},
		{TimingOf(time.Millisecond, 1500*time.Millisecond), "at least 10ms"},
		{TimingOf(-time.Second, 1500*time.Millisecond), "at least 10ms"},
		{TimingOf(150*time.Millisecond, time.Hour), "at most 1m0s"},
		{Timing{Beat: DefaultBeat, Lease: DefaultLease}, "what follows from"},
	} {
		if err := c.timing.Check(); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: %v, want %q", c.timing, err, c.says)
		}
	}
	if err := TimingOf(150*time.Millisecond, 1451*time.Millisecond).Check(); err != nil {
		t.Error(err)
	}
}

// PROTOCOL part 2: "the witness W has a vote only when n is even … M = (n +
// (n even and W in the roster ? 1 : 0)) / 2 + 1".
func TestMajority(t *testing.T) {
	for n := 1; n <= 9; n++ {
		for _, w := range []string{"", "w"} {
			r := roster(n, w)
			votes := n
			if n%2 == 0 && w != "" {
				votes++
			}
			if r.Votes() != votes || r.Majority() != votes/2+1 || 2*r.Majority() <= votes {
				t.Errorf("%d data nodes, witness %q: %d of %d votes", n, w, r.Majority(), r.Votes())
			}
		}
	}
}

func TestRosterCheck(t *testing.T) {
	good := roster(2, "w")
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]Roster{
		"no cluster":  {Data: good.Data},
		"no data":     {Cluster: "shop", Witness: "w"},
		"too many":    roster(MaxData+1, ""),
		"twice":       {Cluster: "shop", Data: []Voter{{Name: "a"}, {Name: "a"}}},
		"same as w":   {Cluster: "shop", Data: []Voter{{Name: "a"}}, Witness: "a"},
		"strange one": {Cluster: "shop", Data: []Voter{{Name: "A b"}}},
	} {
		if r.Check() == nil {
			t.Errorf("%s passed", name)
		}
	}
	r := Roster{Cluster: "shop", Data: []Voter{{Name: "b"}, {Name: "a", Priority: 2}}}
	if s := r.Sorted(); s.Index("a") != 0 || s.Data[0].Priority != 2 || r.Data[0].Name != "b" {
		t.Errorf("sorted %+v out of %+v", s, r)
	}
}
