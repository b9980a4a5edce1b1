package conflict_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/vclock"
)

// "live(S1 ∪ S2) = every version that no version of the other side covers.
// Commutative, associative, idempotent, and property-tested so against a naive
// twin." (DESIGN 3, Joining)
func TestJoinAgainstTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := versions(t)
		want := naive(all)
		once := rapid.Permutation(all).Draw(t, "order")
		again := rapid.SliceOfN(rapid.SampledFrom(all), 0, 5).Draw(t, "duplicates")
		got := join(nil, vclock.Vector{}, slices.Concat(once, again)...)
		if !slices.Equal(got, want) {
			t.Fatalf("in this order %s is live, the twin has %s", dotsOf(got), dotsOf(want))
		}
		// Two sides, joined in both directions.
		cut := rapid.IntRange(0, len(once)).Draw(t, "cut")
		left, right := join(nil, vclock.Vector{}, once[:cut]...), join(nil, vclock.Vector{}, once[cut:]...)
		if lr, rl := join(left, vclock.Vector{}, right...), join(right, vclock.Vector{}, left...); !slices.Equal(lr, want) || !slices.Equal(rl, want) {
			t.Fatalf("%s with %s is %s one way and %s the other, want %s", dotsOf(left), dotsOf(right), dotsOf(lr), dotsOf(rl), dotsOf(want))
		}
	})
}

// What Add reports is what it did, and it alters nothing that was handed in.
func TestAddReports(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.Permutation(versions(t)).Draw(t, "order")
		var live conflict.Siblings
		for _, v := range all {
			before := slices.Clone(live)
			got := live.Add(v, vclock.Vector{})
			if !slices.Equal(live, before) {
				t.Fatalf("Add altered %s to %s", dotsOf(before), dotsOf(live))
			}
			known := before.Find(v.Dot) != nil || slices.ContainsFunc(before, func(u *conflict.Version) bool { return u.Covers(v) })
			if (got.New == nil) != known || got.New != nil && got.New != v {
				t.Fatalf("%s added to %s: new is %v", v.Dot, dotsOf(before), got.New)
			}
			for _, u := range before {
				if covered := !known && v.Covers(u); covered != (got.Covered.Find(u.Dot) != nil) || covered == (got.Live.Find(u.Dot) != nil) {
					t.Fatalf("%s added to %s: live %s, covered %s", v.Dot, dotsOf(before), dotsOf(got.Live), dotsOf(got.Covered))
				}
			}
			if !slices.IsSortedFunc(got.Live, func(a, b *conflict.Version) int { return a.Dot.Compare(b.Dot) }) {
				t.Fatalf("%s is not sorted by dot", dotsOf(got.Live))
			}
			live = got.Live
		}
		for _, v := range live {
			for _, u := range live {
				if v.Covers(u) {
					t.Fatalf("%s is live, and its sibling %s covers it", u.Dot, v.Dot)
				}
			}
		}
	})
}

// "An incoming dot that is in the frontier and not live here is dropped."
// (PROTOCOL D3)
func TestAddDropsWhatTheFrontierHas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := versions(t)
		frontier := vclock.VectorOf(rapid.SliceOfN(rapid.Custom(func(t *rapid.T) vclock.Dot {
			return dot(rapid.SampledFrom(someActors[:3]).Draw(t, "actor"), rapid.Uint64Range(1, 6).Draw(t, "seq"))
		}), 0, 3).Draw(t, "frontier")...)
		var beyond []*conflict.Version
		for _, v := range all {
			if !frontier.Covers(v.Dot) {
				beyond = append(beyond, v)
			}
		}
		if got, want := join(nil, frontier, all...), naive(beyond); !slices.Equal(got, want) {
			t.Fatalf("with frontier %s: %s is live, want %s", frontier, dotsOf(got), dotsOf(want))
		}
	})
}

// "Causality decides, not arrival": a version of an earlier time that saw a
// later one covers it, whichever comes first, and never the other way round.
func TestCausalityBeatsTime(t *testing.T) {
	seen := version(dot(actorA, 1), 900, vclock.Context{})
	saw := version(dot(actorB, 1), 5, clockOf("a~aaaaaaaa:1"))
	if !saw.Covers(seen) || seen.Covers(saw) {
		t.Fatal("who covers whom is wrong")
	}
	for _, order := range [][]*conflict.Version{{seen, saw}, {saw, seen}} {
		live := join(nil, vclock.Vector{}, order...)
		if !slices.Equal(live, conflict.Siblings{saw}) {
			t.Errorf("%s then %s: %s is live, want the one that saw the other", order[0].Dot, order[1].Dot, dotsOf(live))
		}
		if shown := (conflict.LWW{}).Show(live); shown.Winner != saw {
			t.Errorf("%s is shown", shown.Winner.Dot)
		}
	}
}

// "Equal content without a common id is not a twin: two clients that each
// deduct 50 from 120 write equal bodies, and both happened." (PROTOCOL D5)
func TestEqualContentStaysTwoWrites(t *testing.T) {
	a, b := version(dot(actorA, 1), 7, vclock.Context{}), version(dot(actorB, 1), 7, vclock.Context{})
	for _, v := range []*conflict.Version{a, b} {
		v.Body = []byte(`{"balance":70}`)
		v.Sum = v.ComputeSum()
	}
	if live := join(nil, vclock.Vector{}, a, b); live.Conflicts() != 2 || a.Sum == b.Sum {
		t.Fatalf("%s is live; the checksums are %s and %s", dotsOf(live), a.Sum, b.Sum)
	}
}

// "Context: what a reader had seen of one document: the join of the dots and
// clocks of its live versions" (DESIGN 2). A dot in the frontier stands for all
// before it; a loose one for itself.
func TestSeen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		live := naive(versions(t))
		frontier := vclock.VectorOf(dot(actorA, rapid.Uint64Range(0, 6).Draw(t, "frontier")))
		seen := live.Seen(frontier)
		var loose int
		var want vclock.Context
		for _, v := range live {
			if !seen.Covers(v.Dot) {
				t.Fatalf("the reader was shown %s, and its context is %s", v.Dot, seen)
			}
			want = want.Join(v.Clock)
			if frontier.Covers(v.Dot) {
				want = want.Join(vclock.ContextOf(vclock.VectorOf(v.Dot)))
			} else {
				want = want.WithLoose(v.Dot)
				loose++
			}
		}
		if !seen.Equal(want) {
			t.Fatalf("with frontier %s: %s was seen, want %s (%d loose)", frontier, seen, want, loose)
		}
	})
	one := conflict.Siblings{version(dot(actorA, 42), 1, vclock.Context{})}
	if seen := one.Seen(vclock.VectorOf(dot(actorA, 41))); seen.Covers(dot(actorA, 10)) || !seen.Covers(dot(actorA, 42)) {
		t.Fatalf("a loose a:42 says nothing of a:10: %s", seen)
	}
}

// "Digest of a collection: XOR of the checksums of the live versions of
// documents that have at least one live version that is no tombstone."
// (PROTOCOL D12)
func TestDigest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		live := naive(versions(t))
		alive, conflicts := false, len(live)
		var want conflict.Sum
		for _, v := range live {
			alive = alive || !v.Deleted
			for i := range want {
				want[i] ^= v.Sum[i]
			}
		}
		if !alive {
			want = conflict.Sum{}
		}
		if conflicts < 2 {
			conflicts = 0
		}
		if live.Digest() != want || live.Alive() != alive || live.Conflicts() != conflicts {
			t.Fatalf("%s: digest %s, alive %v, %d conflicts", dotsOf(live), live.Digest(), live.Alive(), live.Conflicts())
		}
	})
	if (conflict.Siblings{}).Digest() != (conflict.Sum{}) || (conflict.Siblings{}).Alive() {
		t.Fatal("nothing has a digest")
	}
}
