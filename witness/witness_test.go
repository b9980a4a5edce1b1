package witness

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/syncline/syncline/vclock"
)

const (
	begin = time.Hour // an instant on the witness's clock
	boot  = 7
)

// bench is a witness with a clock, and data nodes that always have its newest
// stamp.
type bench struct {
	t   *testing.T
	w   *Witness
	now time.Duration
	seq uint64
}

// newBench makes a witness that has granted for a long time.
func newBench(t *testing.T, r Roster) *bench {
	t.Helper()
	timing := DefaultTiming()
	w, err := New(Config{Roster: r, Timing: timing, Boot: boot, Started: begin - 2*timing.Promise})
	if err != nil {
		t.Fatal(err)
	}
	return &bench{t: t, w: w, now: begin}
}

// ballot is a fresh ballot of a healthy node.
func (b *bench) ballot(from string, view ...string) Ballot {
	b.seq++
	out := Ballot{
		Cluster: "shop", Epoch: 1, From: from, Life: Life{Incarnation: 1, Starts: 1, Boot: 1}, Seq: b.seq,
		Lease: DefaultLease, Want: true, Held: -1, Stamp: Stamp{boot, b.now},
	}
	for _, v := range view {
		out.View = append(out.View, Seen{Name: v})
	}
	return out
}

// ask asks a moment later, and expects a grant ("") or a reason.
func (b *bench) ask(want Reason, q Ballot) Answer {
	b.t.Helper()
	b.now += time.Millisecond
	a := b.w.Ask(b.now, q)
	if a.Reason != want || a.Granted != (want == "") {
		b.t.Errorf("%s with view %v: %+v, want %q", q.From, q.View, a, want)
	}
	if a.Stamp != (Stamp{boot, b.now}) {
		b.t.Errorf("stamp %+v at %v", a.Stamp, b.now)
	}
	return a
}

func (b *bench) pass(d time.Duration) { b.now += d }

// W1: "Wrong cluster, incarnation, epoch, or T too long: refuse `epoch`."
func TestW1WrongBallots(t *testing.T) {
	for name, change := range map[string]func(*Ballot){
		"cluster":      func(q *Ballot) { q.Cluster = "other" },
		"epoch":        func(q *Ballot) { q.Epoch = 2 },
		"name":         func(q *Ballot) { q.From = "z" },
		"the witness":  func(q *Ballot) { q.From = "w" },
		"lease":        func(q *Ballot) { q.Lease++ },
		"incarnation":  func(q *Ballot) { q.Life.Incarnation = 0 },
		"older start":  func(q *Ballot) { q.Life.Starts = 0 },
		"another boot": func(q *Ballot) { q.Life.Boot = 2 },
	} {
		b := newBench(t, roster(2, "w"))
		b.ask("", b.ballot("a", "b"))
		before := *b.w
		q := b.ballot("a")
		change(&q)
		b.ask(Epoch, q)
		if !reflect.DeepEqual(*b.w, before) {
			t.Errorf("%s: the refusal left a trace", name)
		}
	}
	b := newBench(t, roster(2, "w"))
	b.ask("", b.ballot("a", "b"))
	q := b.ballot("a", "b")
	q.Life.Thaws, q.Life.Boot = 1, 2
	b.ask("", q) // a newer life
}

// W2: "Stamp missing, of another boot, older than F, or (stamp, seq) not above
// the last accepted one of X: refuse `stale`, record nothing."
func TestW2StaleBallots(t *testing.T) {
	for name, change := range map[string]func(*bench, *Ballot){
		"missing":   func(_ *bench, q *Ballot) { q.Stamp = Stamp{} },
		"boot":      func(_ *bench, q *Ballot) { q.Stamp.Boot++ },
		"old":       func(b *bench, q *Ballot) { q.Stamp.At = b.now + time.Millisecond - b.w.timing.Fresh - 1 },
		"to come":   func(b *bench, q *Ballot) { q.Stamp.At = b.now + 2*time.Millisecond },
		"overtaken": func(b *bench, q *Ballot) { q.Stamp.At = b.w.views[0].stamp - 1 },
		"twice":     func(b *bench, q *Ballot) { q.Stamp.At, q.Seq = b.w.views[0].stamp, b.w.views[0].seq },
	} {
		b := newBench(t, roster(2, "w"))
		b.ask("", b.ballot("a", "b"))
		before := *b.w
		q := b.ballot("a")
		change(b, &q)
		b.ask(Stale, q)
		if !reflect.DeepEqual(*b.w, before) {
			t.Errorf("%s: the refusal left a trace", name)
		}
	}
	b := newBench(t, roster(2, "w"))
	first, second := b.ballot("a", "b"), b.ballot("a", "b") // one stamp
	b.ask("", first)
	b.ask("", second)
	b.ask(Stale, first)
}

// W4: "now < boot + the largest T' ever set: refuse `boot` (the view was
// recorded)."
func TestW4BootWait(t *testing.T) {
	timing := DefaultTiming()
	for _, longest := range []time.Duration{0, 10 * time.Second} {
		w, err := New(Config{Roster: roster(2, "w"), Timing: timing, Boot: boot, Started: begin, Longest: longest})
		if err != nil {
			t.Fatal(err)
		}
		wait := max(longest, timing.Promise)
		b := &bench{t: t, w: w, now: begin + wait - 2*time.Millisecond}
		b.ask(Boot, b.ballot("a", "b"))
		if !w.views[0].known || w.State(b.now).Opens != time.Millisecond {
			t.Errorf("the view was not recorded, or it opens in %v", w.State(b.now).Opens)
		}
		b.ask("", b.ballot("b", "a"))
	}
}

// W5: "Edge Y–Z = one lists the other, and the other lists it back or is not
// live."
func TestW5Edges(t *testing.T) {
	b := newBench(t, roster(4, "w"))
	b.ask("", b.ballot("a", "b", "c"))
	b.ask("", b.ballot("b", "a"))
	b.ask(Other, b.ballot("c", "d")) // c is live and does not list a back
	s := b.w.State(b.now)
	for i, want := range [][]string{{"a", "b"}, {"a", "b"}, {"c", "d"}, {"c", "d"}} {
		if !reflect.DeepEqual(s.Nodes[i].Component, want) {
			t.Errorf("%s reaches %v, want %v", s.Nodes[i].Name, s.Nodes[i].Component, want)
		}
	}
	b.pass(b.w.timing.Fresh)
	b.ask("", b.ballot("a", "b", "c")) // c is silent now: one end is enough
	if got := b.w.State(b.now).Nodes[0].Component; !reflect.DeepEqual(got, []string{"a", "b", "c"}) {
		t.Errorf("a reaches %v", got)
	}
}

// W5(b): "chosen lies in several components: keep the part in the best one:
// eligible first, then more of chosen, then the highest priority, then the
// smallest name; the dropped keep their until."
func TestW5Split(t *testing.T) {
	all := []string{"a", "b", "c", "d"}
	without := func(x string) []string {
		var out []string
		for _, y := range all {
			if y != x {
				out = append(out, y)
			}
		}
		return out
	}
	for name, c := range map[string]struct {
		priority string // of this node
		granted  []string
		views    map[string][]string // after the split; the others are silent
		first    string              // who asks first
		keeps    string
	}{
		"name":           {"", all, map[string][]string{"a": {"b"}, "b": {"a"}, "c": {"d"}, "d": {"c"}}, "c", "a"},
		"priority":       {"d", all, map[string][]string{"a": {"b"}, "b": {"a"}, "c": {"d"}, "d": {"c"}}, "a", "c"},
		"more of chosen": {"", []string{"a", "c", "d"}, map[string][]string{"a": {"b"}, "b": {"a"}, "c": {"d"}, "d": {"c"}}, "a", "c"},
		"eligible":       {"", all, map[string][]string{"a": nil, "b": {"c"}, "c": {"b"}}, "a", "b"},
		"live":           {"", all, map[string][]string{"c": {"d"}, "d": {"c"}}, "c", "c"},
	} {
		r := roster(4, "w")
		if i := r.Index(c.priority); i >= 0 {
			r.Data[i].Priority = 1
		}
		b := newBench(t, r)
		for _, x := range all {
			q := b.ballot(x, without(x)...)
			if q.Want = slices.Contains(c.granted, x); q.Want {
				b.ask("", q)
			} else {
				b.ask(Behind, q)
			}
		}
		b.pass(b.w.timing.Fresh + time.Millisecond) // what was said before is old
		until := b.w.until
		b.w.opens = b.now + time.Hour // the views come in before it decides
		for x, view := range c.views {
			b.ask(Boot, b.ballot(x, view...))
		}
		b.w.opens = never
		b.now += time.Millisecond
		b.w.Ask(b.now, b.ballot(c.first, c.views[c.first]...))
		i := b.w.roster.Index(c.keeps)
		if !b.w.chosen.has(i) || !b.w.chosen.within(b.w.components(b.now)[i]) {
			t.Errorf("%s: chosen %b, want the part of %s", name, b.w.chosen, c.keeps)
		}
		for y := range r.Data {
			if b.w.until[y] < until[y] {
				t.Errorf("%s: %s lost its promise", name, r.Data[y].Name)
			}
		}
	}
}

// W6: "Else refuse `behind`, `ineligible` or `other` (with who has it), and
// leave the state as W5 left it."
func TestW6RefusalsChangeNothing(t *testing.T) {
	b := newBench(t, roster(4, "w"))
	b.ask("", b.ballot("a", "b"))
	b.ask("", b.ballot("b", "a"))
	chosen, until := b.w.chosen, b.w.until
	sick := b.ballot("a", "b")
	sick.Want = false
	b.ask(Behind, sick)
	b.ask(Ineligible, b.ballot("d"))
	b.ask("", b.ballot("a", "b"))
	until[0] = b.w.until[0]
	b.ask(Other, b.ballot("d", "c"))
	a := b.ask(Other, b.ballot("c", "d"))
	if b.w.chosen != chosen || b.w.until != until {
		t.Errorf("chosen %b until %v, want %b %v", b.w.chosen, b.w.until, chosen, until)
	}
	if len(a.Have) != 2 || a.Have[0].Name != "a" || a.Have[0].Left > b.w.timing.Promise || a.Have[1].Name != "b" {
		t.Errorf("it names %+v", a.Have)
	}
	if a := b.ask(Other, b.ballot("c", "d")); a.Knows != 0 {
		t.Errorf("it knows %d of no actor", a.Knows)
	}
}

// W6: "no Z outside K(X) has until[Z] > now": the vote moves on only when every
// promise outside the new component has run out; W7: "if chosen is not within
// K(X), chosen = {}".
func TestW6TakeoverWaits(t *testing.T) {
	b := newBench(t, roster(2, "w"))
	b.ask("", b.ballot("a"))
	end := b.w.until[0]
	b.pass(b.w.timing.Fresh + 1)
	for b.now < end-2*time.Millisecond {
		b.ask(Other, b.ballot("b"))
		b.pass(100 * time.Millisecond)
		b.now = min(b.now, end-2*time.Millisecond)
	}
	b.ask(Other, b.ballot("b"))
	b.ask("", b.ballot("b"))
	if b.w.chosen != only(1) || b.w.until[1] != b.now+b.w.timing.Promise {
		t.Errorf("chosen %b until %v", b.w.chosen, b.w.until)
	}
}

// W5: "Eligible: 2·|K| ≥ n, not counting members that are catching up (they
// are a path but give no vote)". Counted, the vote sticks to a side that it
// does not make writable.
func TestW5CatchingUpMembersGiveNoVote(t *testing.T) {
	b := newBench(t, roster(4, "w"))
	q := b.ballot("a", "b")
	q.View[0].CatchingUp = true // b is silent towards the witness
	b.ask(Ineligible, q)
	raw := b.ballot("b", "a")
	raw.CatchingUp, raw.Want = true, false
	b.ask(Behind, raw)
	b.ask(Ineligible, b.ballot("a", "b")) // by its own word now
	b.ask("", b.ballot("c", "d"))
	q = b.ballot("a", "b", "d")
	b.pass(2 * b.w.timing.Promise)
	q.Stamp.At = b.now
	q.View[0].CatchingUp = true
	b.ask("", q) // a path through b, and a and d are two of four
}

// W6: "no other eligible component is preferred (youngest `held`, when it
// differs by more than F; then priority; then name)".
func TestW6Preference(t *testing.T) {
	r := roster(2, "w")
	for name, c := range map[string]struct {
		priority     int // of b
		heldA, heldB time.Duration
		prefers      string
	}{
		"name":          {0, -1, -1, "a"},
		"priority":      {1, -1, -1, "b"},
		"held":          {0, time.Minute, time.Second, "b"},
		"held at all":   {0, -1, time.Hour, "b"},
		"nearly as old": {0, time.Minute, time.Minute - DefaultTiming().Fresh + 5*time.Millisecond, "a"},
		"both reasons":  {1, time.Second, time.Minute, "a"},
	} {
		r.Data[1].Priority = c.priority
		for _, order := range [][]string{{"a", "b"}, {"b", "a"}} { // whoever asks first
			b := newBench(t, r)
			tell := map[string]time.Duration{"a": c.heldA, "b": c.heldB}
			b.w.opens = b.now + 10*time.Millisecond // both tell their views before
			for _, x := range order {
				q := b.ballot(x)
				q.Held = tell[x]
				b.ask(Boot, q)
			}
			b.pass(10 * time.Millisecond)
			for _, x := range order {
				q := b.ballot(x)
				if q.Held = tell[x]; q.Held >= 0 {
					q.Held += 12 * time.Millisecond
				}
				want := Other
				if x == c.prefers {
					want = ""
				}
				t.Run(name, func(t *testing.T) { b.t = t; b.ask(want, q) })
			}
		}
	}
}

// PROTOCOL, mutants: "preference without covers (stuck)": a component in which
// nobody asks or can use the vote is not preferred to one that does.
func TestW6NobodyWaitsForThoseWhoCannot(t *testing.T) {
	b := newBench(t, roster(2, "w"))
	sick := b.ballot("a")
	sick.Want = false
	b.ask(Behind, sick)
	b.ask("", b.ballot("b"))
}

// D14: "more of my actor than the last sequence that I assigned … in a ballot";
// DESIGN section 6: "voters remember the highest heard".
func TestWitnessRemembersTheHighestHeard(t *testing.T) {
	b := newBench(t, roster(2, "w"))
	actor := vclock.Actor("a~00000000")
	q := b.ballot("b", "a")
	q.Frontier = vclock.VectorOf(vclock.Dot{Actor: actor, Seq: 9})
	b.ask("", q)
	q = b.ballot("b", "a") // b's file went back
	b.ask("", q)
	q = b.ballot("a", "b")
	q.Actor = actor
	if a := b.ask("", q); a.Knows != 9 {
		t.Errorf("it knows %d, want 9", a.Knows)
	}
	q = b.ballot("a", "b")
	q.Actor, q.Stamp = actor, Stamp{}
	if a := b.ask(Stale, q); a.Knows != 9 {
		t.Errorf("a refusal as stale knows %d, want 9", a.Knows)
	}
}

func TestNewRefuses(t *testing.T) {
	for name, c := range map[string]Config{
		"roster":  {Roster: Roster{}, Timing: DefaultTiming(), Boot: 1},
		"witness": {Roster: roster(2, ""), Timing: DefaultTiming(), Boot: 1},
		"boot":    {Roster: roster(2, "w"), Timing: DefaultTiming()},
	} {
		if _, err := New(c); err == nil {
			t.Errorf("%s passed", name)
		}
	}
}
