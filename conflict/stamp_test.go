package conflict_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/vclock"
)

// The oracle of true pasts, as the model of the data rules has it: beside each
// version stands the set of writes that its writer had really seen. Clocks are
// the product's; the oracle never reads them.
type history struct {
	*rapid.T
	replicas []*replica
	past     map[vclock.Dot]map[vclock.Dot]bool // true causal past, closed
	versions map[vclock.Dot]*conflict.Version
	kept     []reading
	clock    vclock.Time
}

// replica is one node's share of one document, with transfers that stay open.
type replica struct {
	actor    vclock.Actor
	next     uint64
	frontier vclock.Vector
	live     conflict.Siblings
	open     *transfer
}

// transfer is a snapshot of another replica on its way.
type transfer struct {
	rows     []*conflict.Version
	frontier vclock.Vector
}

// reading is what a client was shown, and the context that it keeps.
type reading struct {
	seen vclock.Context
	true map[vclock.Dot]bool // with the pasts of what was shown
}

func newHistory(t *rapid.T) *history {
	h := &history{T: t, past: map[vclock.Dot]map[vclock.Dot]bool{}, versions: map[vclock.Dot]*conflict.Version{}}
	for _, a := range someActors[:rapid.IntRange(2, 4).Draw(t, "replicas")] {
		h.replicas = append(h.replicas, &replica{actor: a})
	}
	return h
}

func (h *history) pick(label string) *replica { return rapid.SampledFrom(h.replicas).Draw(h.T, label) }

// shown is the true past of a reader of the live versions.
func (h *history) shown(live conflict.Siblings) map[vclock.Dot]bool {
	out := map[vclock.Dot]bool{}
	for _, v := range live {
		out[v.Dot] = true
		maps.Copy(out, h.past[v.Dot])
	}
	return out
}

// write stamps one version, and checks every law of D1 on it.
func (h *history) write(r *replica, from reading, plain bool) {
	by := conflict.Stamp(r.live, from.seen, r.frontier)
	r.next += rapid.Uint64Range(1, 3).Draw(h.T, "gap") // the gaps are writes of other documents
	d := dot(r.actor, r.next)
	h.clock = vclock.Time(rapid.Uint64Range(0, 3).Draw(h.T, "clock"))
	v := version(d, max(h.clock, by.After+1), by.Clock)
	h.past[d], h.versions[d] = from.true, v
	h.claims(v)
	for _, u := range r.live {
		knew := from.true[u.Dot]
		if knew != (by.Covered.Find(u.Dot) != nil) || knew == (by.Rest.Find(u.Dot) != nil) {
			h.Fatalf("%s on %s: covered %s, left %s; its writer had seen %v", d, dotsOf(r.live), dotsOf(by.Covered), dotsOf(by.Rest), from.true)
		}
		if knew && v.Time <= u.Time {
			h.Fatalf("%s has time %d, and covers %s of time %d", d, v.Time, u.Dot, u.Time)
		}
	}
	before := slices.Clone(r.live)
	got := r.live.Stamped(v, by)
	if !slices.Equal(r.live, before) {
		h.Fatalf("Stamped altered %s to %s", dotsOf(before), dotsOf(r.live))
	}
	// A peer that gets the version by Add must come to the same.
	if peer := before.Add(v, vclock.Vector{}); !slices.Equal(peer.Live, got.Live) || got.New != v {
		h.Fatalf("%s: here %s is live, a peer has %s", d, dotsOf(got.Live), dotsOf(peer.Live))
	}
	r.live, r.frontier = got.Live, r.frontier.With(d)
	if plain && !slices.Equal(r.live, conflict.Siblings{v}) {
		h.Fatalf("a plain write left %s", dotsOf(r.live))
	}
}

// claims checks that a clock names no write that its writer had not seen, and
// every write that it had: "its point is never to claim a dot that nobody saw".
func (h *history) claims(v *conflict.Version) {
	for d := range h.versions {
		if d == v.Dot {
			continue
		}
		switch claimed, saw := v.Clock.Covers(d), h.past[v.Dot][d]; {
		case claimed && !saw:
			h.Fatalf("%s claims %s, which its writer had not seen: clock %s", v.Dot, d, v.Clock)
		case saw && !claimed:
			h.Fatalf("%s does not claim %s, which its writer had seen: clock %s", v.Dot, d, v.Clock)
		}
	}
}

func (h *history) plain(t *rapid.T) {
	h.T = t
	r := h.pick("at")
	h.write(r, reading{r.live.Seen(r.frontier), h.shown(r.live)}, true)
}

func (h *history) read(t *rapid.T) {
	h.T = t
	r := h.pick("at")
	h.kept = append(h.kept, reading{r.live.Seen(r.frontier), h.shown(r.live)})
}

// old writes with a context that was handed out some time ago, anywhere.
func (h *history) old(t *rapid.T) {
	h.T = t
	if len(h.kept) == 0 {
		t.Skip("nobody has read")
	}
	h.write(h.pick("at"), rapid.SampledFrom(h.kept).Draw(t, "context"), false)
}

// begin takes a snapshot of another replica (D4).
func (h *history) begin(t *rapid.T) {
	h.T = t
	to, from := h.pick("to"), h.pick("from")
	if to == from {
		t.Skip("nothing to transfer")
	}
	x := &transfer{frontier: from.frontier}
	for _, v := range from.live {
		if !to.frontier.Covers(v.Dot) {
			x.rows = append(x.rows, v)
		}
	}
	to.open = x // the one before breaks off: its rows stay loose
}

// page applies one row of an open transfer, or its closing frame.
func (h *history) page(t *rapid.T) {
	h.T = t
	r := h.pick("at")
	switch x := r.open; {
	case x == nil:
		t.Skip("no transfer is open")
	case len(x.rows) > 0:
		r.live, x.rows = r.live.Add(x.rows[0], r.frontier).Live, x.rows[1:]
	default:
		r.frontier, r.open = r.frontier.Join(x.frontier), nil
	}
}

// whole carries a transfer through, with its closing frame.
func (h *history) whole(t *rapid.T) {
	h.begin(t)
	for _, r := range h.replicas {
		if r.open != nil {
			r.live, r.frontier = join(r.live, r.frontier, r.open.rows...), r.frontier.Join(r.open.frontier)
			r.open = nil
		}
	}
}

// accounted checks that at each replica every write in its frontier is live or
// in the true past of a live version: nothing was lost in silence.
func (h *history) accounted(t *rapid.T) {
	h.T = t
	for _, r := range h.replicas {
		known := h.shown(r.live)
		for d := range h.versions {
			if r.frontier.Covers(d) && !known[d] {
				t.Fatalf("%s has %s in its frontier %s, but only %s is live there", r.actor, d, r.frontier, dotsOf(r.live))
			}
		}
		for _, v := range r.live {
			for _, u := range r.live {
				if h.past[v.Dot][u.Dot] {
					t.Fatalf("%s and %s are both live at %s, although the second was seen by the first", v.Dot, u.Dot, r.actor)
				}
			}
		}
	}
}

// "Never to claim a dot that nobody saw" (DESIGN 3, Stamping); "a:42 also claims
// a:10 to a:41, which nobody saw: acknowledged writes lost" (PROTOCOL D1).
func TestStampAgainstOracle(t *testing.T) {
	const rounds = 20 // of 100 histories each: the bad ones are rare
	for range rounds {
		rapid.Check(t, func(t *rapid.T) {
			h := newHistory(t)
			t.Repeat(map[string]func(*rapid.T){
				"plain": h.plain, "read": h.read, "old context": h.old, "begin": h.begin, "page": h.page, "whole": h.whole, "": h.accounted,
			})
		})
	}
}

// "A plain PUT overwrites what is visible, all siblings included, so that plain
// curl never makes a conflict by itself" (DESIGN 3).
func TestPlainWriteLeavesOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		live := naive(versions(t))
		frontier := vclock.VectorOf(dot(actorA, rapid.Uint64Range(0, 9).Draw(t, "frontier")))
		by := conflict.Stamp(live, live.Seen(frontier), frontier)
		v := version(dot(actorD, 1), by.After+1, by.Clock)
		if got := live.Stamped(v, by); !slices.Equal(got.Live, conflict.Siblings{v}) || len(got.Covered) != len(live) || len(by.Rest) != 0 {
			t.Fatalf("a plain write over %s left %s", dotsOf(live), dotsOf(got.Live))
		}
		for _, u := range live {
			if !v.Covers(u) || v.Time <= u.Time {
				t.Fatalf("%s at %d does not stand above %s at %d", v.Dot, v.Time, u.Dot, u.Time)
			}
		}
	})
}

// "A write sees … the client's (Causal-Context)": an old context leaves exactly
// what it had not seen.
func TestOldContextLeavesTheRest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		live := naive(versions(t))
		var seen vclock.Context
		var want conflict.Siblings
		for _, v := range live {
			if rapid.Bool().Draw(t, "seen") {
				seen = seen.Join(v.Clock).WithLoose(v.Dot)
			} else {
				want = append(want, v)
			}
		}
		by := conflict.Stamp(live, seen, vclock.VectorOf(dot(actorA, 9), dot(actorB, 9), dot(actorC, 9)))
		if !slices.Equal(by.Rest, want) || len(by.Covered)+len(by.Rest) != len(live) {
			t.Fatalf("a context %s of %s leaves %s, want %s", seen, dotsOf(live), dotsOf(by.Rest), dotsOf(want))
		}
	})
}

// The parts of D1, each where the next simpler rule would be wrong.
func TestStampByRule(t *testing.T) {
	a42 := version(dot(actorA, 42), 7, vclock.Context{})
	for _, c := range []struct {
		rule           string
		live           conflict.Siblings
		seen, frontier string
		want           string
	}{
		{"nothing is live, nothing was seen", nil, "", "a~aaaaaaaa:3", ""},
		{"a dot enters the vector only where the context's vector covers it", conflict.Siblings{a42}, "a~aaaaaaaa:42", "a~aaaaaaaa:42", "a~aaaaaaaa:42"},
		{"else the cloud", conflict.Siblings{a42}, "+a~aaaaaaaa:42", "", "+a~aaaaaaaa:42"},
		{"the smaller of that entry and the context's", conflict.Siblings{a42}, "a~aaaaaaaa:17", "a~aaaaaaaa:42", "a~aaaaaaaa:17"},
		{"of an actor that no live version names, nothing", conflict.Siblings{a42}, "b~bbbbbbbb:5", "a~aaaaaaaa:42,b~bbbbbbbb:9", ""},
		{"what the context holds beyond this node's frontier", nil, "b~bbbbbbbb:5", "b~bbbbbbbb:4", "b~bbbbbbbb:5"},
		{"beyond, as a loose dot", nil, "+b~bbbbbbbb:5", "", "+b~bbbbbbbb:5"},
		{
			"the clocks of what is covered come along",
			conflict.Siblings{version(dot(actorA, 5), 1, clockOf("b~bbbbbbbb:3+c~cccccccc:8"))},
			"a~aaaaaaaa:5", "a~aaaaaaaa:5,b~bbbbbbbb:3", "a~aaaaaaaa:5,b~bbbbbbbb:3+c~cccccccc:8",
		},
		{
			"and of what is not covered, nothing",
			conflict.Siblings{version(dot(actorA, 5), 1, clockOf("b~bbbbbbbb:3"))},
			"c~cccccccc:1", "a~aaaaaaaa:5,b~bbbbbbbb:3,c~cccccccc:1", "",
		},
	} {
		t.Run(strings.ReplaceAll(c.rule, " ", "_"), func(t *testing.T) {
			frontier := clockOf(c.frontier).Vector()
			if got := conflict.Stamp(c.live, clockOf(c.seen), frontier).Clock.String(); got != c.want {
				t.Errorf("live %s, seen %q, frontier %s: clock %q, want %q", dotsOf(c.live), c.seen, frontier, got, c.want)
			}
		})
	}
}

// "A clock holds one entry for each actor that ever wrote the document: a
// handful, however often it is written." (DESIGN 3)
func TestClocksStaySmall(t *testing.T) {
	var live conflict.Siblings
	var frontier vclock.Vector
	for i := range 1000 {
		d := dot(someActors[i%3], uint64(i/3*7+1))
		by := conflict.Stamp(live, live.Seen(frontier), frontier)
		v := version(d, by.After+1, by.Clock)
		live, frontier = live.Stamped(v, by).Live, frontier.With(d)
		if n := v.Clock.Vector().Len() + v.Clock.LooseLen(); n > 3 {
			t.Fatalf("after %d writes by 3 actors a clock has %d entries: %s", i+1, n, v.Clock)
		}
	}
	if got := fmt.Sprint(len(live)); got != "1" {
		t.Fatalf("%s live versions", got)
	}
}
