package witness

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// anyWitness is a witness of n data nodes after some ballots of theirs.
func anyWitness(t *rapid.T) (*Witness, time.Duration) {
	n := rapid.SampledFrom([]int{2, 3, 4, 6}).Draw(t, "n")
	r := roster(n, "w")
	for i := range r.Data {
		r.Data[i].Priority = rapid.IntRange(0, 1).Draw(t, "priority")
	}
	w, err := New(Config{Roster: r, Timing: DefaultTiming(), Boot: boot, Started: 0})
	if err != nil {
		t.Fatal(err)
	}
	now := begin
	for range rapid.IntRange(0, 30).Draw(t, "ballots") {
		now += time.Duration(rapid.IntRange(0, 600).Draw(t, "pass")) * time.Millisecond
		w.Ask(now, anyBallot(t, w, now))
	}
	return w, now
}

func anyBallot(t *rapid.T, w *Witness, now time.Duration) Ballot {
	n := len(w.roster.Data)
	x := rapid.IntRange(0, n-1).Draw(t, "from")
	b := Ballot{
		Cluster: "shop", Epoch: 1, From: w.roster.Data[x].Name, Life: Life{Incarnation: 1}, Lease: DefaultLease,
		Seq: w.views[x].seq + 1, Want: rapid.IntRange(0, 4).Draw(t, "want") > 0, Held: -1,
		CatchingUp: rapid.IntRange(0, 4).Draw(t, "raw") == 0,
		Stamp:      Stamp{boot, now - time.Duration(rapid.IntRange(0, 500).Draw(t, "age"))*time.Millisecond},
	}
	if rapid.Bool().Draw(t, "held") {
		b.Held = time.Duration(rapid.IntRange(0, 9000).Draw(t, "since")) * time.Millisecond
	}
	for y := range n {
		if y != x && rapid.Bool().Draw(t, "lists") {
			b.View = append(b.View, Seen{w.roster.Data[y].Name, rapid.IntRange(0, 4).Draw(t, "refuses") == 0})
		}
	}
	return b
}

// PROTOCOL part 2: "Its vote … is exclusive per component"; W7; claim E of the
// model: a grant is only given inside chosen's component. W6: a refusal leaves
// every promise as it is.
func TestLawsOfAStep(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, now := anyWitness(t)
		now += time.Duration(rapid.IntRange(0, 2000).Draw(t, "pass")) * time.Millisecond
		b := anyBallot(t, w, now)
		before := *w
		a := w.Ask(now, b)
		x := w.roster.Index(b.From)
		for y := range w.roster.Data {
			if y != x && w.until[y] != before.until[y] {
				t.Fatalf("a ballot of %d changed the promise to %d", x, y)
			}
		}
		if !a.Granted {
			if w.until[x] != before.until[x] || !w.chosen.within(before.chosen) {
				t.Fatalf("a refusal gave something: until %v, chosen %b after %b", w.until[x], w.chosen, before.chosen)
			}
			return
		}
		k := w.components(now)[x]
		if w.until[x] != now+w.timing.Promise || !w.chosen.has(x) || !w.chosen.within(k) || !w.fit(x) || !w.eligible(now, k) {
			t.Fatalf("granted: until %v, chosen %b, component %b", w.until[x]-now, w.chosen, k)
		}
	})
}

// HOUSE, habits: "Decide by pure functions, and test both directions: if a
// beats b, b must not beat a."
func TestLawsOfPreference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, now := anyWitness(t)
		k := w.components(now)
		parts := map[group]bool{}
		sum := 0
		for y := range w.roster.Data {
			if !k[y].has(y) || k[k[y].first()] != k[y] {
				t.Fatalf("components %b are no partition", k)
			}
			if !parts[k[y]] {
				parts[k[y]] = true
				sum += k[y].size()
			}
		}
		if sum != len(w.roster.Data) {
			t.Fatalf("components %b are no partition", k)
		}
		for a := range parts {
			for b := range parts {
				if a == b {
					continue
				}
				if w.preferred(now, a, b) == w.preferred(now, b, a) {
					t.Fatalf("%b and %b: neither or both preferred", a, b)
				}
				if w.keeps(now, a, b) == w.keeps(now, b, a) {
					t.Fatalf("%b and %b: neither or both keep", a, b)
				}
			}
		}
	})
}

// Life.Follows decides between two processes of one name: never each after the
// other, unless they are one.
func TestLawsOfLives(t *testing.T) {
	lives := rapid.Custom(func(t *rapid.T) Life {
		small := rapid.Uint64Range(0, 2)
		return Life{small.Draw(t, "i"), small.Draw(t, "s"), small.Draw(t, "t"), 1 + small.Draw(t, "b")}
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := lives.Draw(t, "a"), lives.Draw(t, "b")
		if both := a.Follows(b) && b.Follows(a); both != (a == b) {
			t.Fatalf("%+v and %+v: both %v", a, b, both)
		}
		if a.Compare(b) != -b.Compare(a) || !a.Follows(Life{}) {
			t.Fatalf("%+v and %+v", a, b)
		}
	})
}

// API: "votes held, leases, log of grants, refusals, expiries with reasons".
func TestLogIsBoundedAndCoalesces(t *testing.T) {
	var l Log
	wall := time.Unix(1000, 0)
	a := Event{Voter: "w", Node: "a", Verdict: Granted}
	b := Event{Voter: "w", Node: "b", Verdict: Granted}
	refused := Event{Voter: "w", Node: "a", Verdict: Refused, Reason: Other}
	for i := range 100 {
		l.Add(wall.Add(time.Duration(i)*time.Second), a)
		l.Add(wall.Add(time.Duration(i)*time.Second), b)
	}
	l.Add(wall.Add(time.Hour), refused)
	l.Add(wall.Add(time.Hour), a)
	got := l.Entries()
	if len(got) != 4 || got[0].Event != a || got[0].Count != 100 || !got[0].First.Equal(wall) ||
		!got[0].Last.Equal(wall.Add(99*time.Second)) || got[1].Event != b || got[2].Event != refused || got[3].Count != 1 {
		t.Fatalf("%+v", got)
	}
	for i := range 2 * MaxLog {
		l.Add(wall, Event{Voter: "w", Node: fmt.Sprint(i), Verdict: Granted})
	}
	if got := l.Entries(); len(got) != MaxLog || got[MaxLog-1].Node != fmt.Sprint(2*MaxLog-1) || got[0].Node != fmt.Sprint(MaxLog) {
		t.Fatalf("%d entries, from %+v to %+v", len(got), got[0], got[len(got)-1])
	}
}
