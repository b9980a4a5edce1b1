package conflict_test

import (
	"bytes"
	"regexp"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/vclock"
)

// "The value shown is a pure function of the siblings … whatever the order in
// which they came" (DESIGN 7).
func TestShownIsAFunctionOfTheSet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := versions(t)
		one := join(nil, vclock.Vector{}, rapid.Permutation(all).Draw(t, "one")...)
		other := join(nil, vclock.Vector{}, rapid.Permutation(all).Draw(t, "other")...)
		a, b := conflict.LWW{}.Show(one), conflict.LWW{}.Show(other)
		if a.Winner != b.Winner || a.Deleted != b.Deleted || !bytes.Equal(a.Body, b.Body) {
			t.Fatalf("%s is shown for one order, %s for another", a.Winner.Dot, b.Winner.Dot)
		}
		if one.Tag(conflict.LWW{}) != other.Tag(conflict.LWW{}) || one.Digest() != other.Digest() {
			t.Fatalf("tags %s and %s", one.Tag(conflict.LWW{}), other.Tag(conflict.LWW{}))
		}
		if a.Deleted != a.Winner.Deleted || !bytes.Equal(a.Body, a.Winner.Body) || one.Find(a.Winner.Dot) == nil {
			t.Fatalf("what is shown is not the winner's: %+v", a)
		}
		for _, v := range one {
			if v != a.Winner && (conflict.Newer(v, a.Winner) || v.Time > a.Winner.Time) {
				t.Fatalf("%s wins, and %s is newer", a.Winner.Dot, v.Dot)
			}
		}
	})
}

// "Decide by pure functions, and test both directions" (HOUSE habit 4);
// "by (time, actor): total" (DESIGN 3, Time).
func TestNewerIsATotalOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(label string) *conflict.Version {
			d := dot(rapid.SampledFrom(someActors).Draw(t, label), rapid.Uint64Range(1, 3).Draw(t, label))
			return version(d, vclock.Time(rapid.Uint64Range(1, 3).Draw(t, label)), vclock.Context{})
		}
		a, b, c := draw("a"), draw("b"), draw("c")
		same := a.Dot == b.Dot && a.Time == b.Time
		if conflict.Newer(a, b) && conflict.Newer(b, a) || !same && !conflict.Newer(a, b) && !conflict.Newer(b, a) || conflict.Newer(a, a) {
			t.Fatalf("%s@%d and %s@%d: exactly one must be newer", a.Dot, a.Time, b.Dot, b.Time)
		}
		if conflict.Newer(a, b) && conflict.Newer(b, c) && !conflict.Newer(a, c) {
			t.Fatalf("%s, %s, %s go round in a circle", a.Dot, b.Dot, c.Dot)
		}
		switch {
		case a.Time != b.Time:
			if conflict.Newer(a, b) != (a.Time > b.Time) {
				t.Fatalf("the time does not come first: %d, %d", a.Time, b.Time)
			}
		case a.Dot.Actor != b.Dot.Actor:
			if conflict.Newer(a, b) != (a.Dot.Actor > b.Dot.Actor) {
				t.Fatalf("the actor does not come second: %s, %s", a.Dot, b.Dot)
			}
		}
	})
}

// otherPolicy shows the same as LWW under another name.
type otherPolicy struct{ conflict.LWW }

func (otherPolicy) Name() string { return "merge 7" }

// "ETag: the dot of the version shown; with siblings "s: and 32 hex digits: a
// hash of their dots, of the policy's and the resolver's version" (API).
func TestTag(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		live, more := naive(versions(t)), naive(versions(t))
		tag := live.Tag(conflict.LWW{})
		if len(live) == 1 {
			if tag != live[0].Dot.String() || live.Tag(otherPolicy{}) != tag {
				t.Fatalf("the tag of %s is %s", live[0].Dot, tag)
			}
			return
		}
		if !regexp.MustCompile(`^s:[0-9a-f]{32}$`).MatchString(tag) || live.Tag(otherPolicy{}) == tag {
			t.Fatalf("the tags of %s are %s and %s", dotsOf(live), tag, live.Tag(otherPolicy{}))
		}
		if (dotsOf(live) == dotsOf(more)) != (tag == more.Tag(conflict.LWW{})) {
			t.Fatalf("%s has the tag %s, %s has %s", dotsOf(live), tag, dotsOf(more), more.Tag(conflict.LWW{}))
		}
	})
	if tag := (conflict.Siblings{}).Tag(conflict.LWW{}); tag != "" {
		t.Fatalf("nothing has the tag %s", tag)
	}
}

// A change of any part of a version breaks its checksum: it is "over everything
// that it is" (DESIGN 3, Integrity).
func TestSumIsOverEverything(t *testing.T) {
	base := version(dot(actorA, 7), 5, clockOf("b~bbbbbbbb:3+c~cccccccc:9"))
	if err := base.Check(); err != nil {
		t.Fatal(err)
	}
	for what, alter := range map[string]func(*conflict.Version){
		"collection": func(v *conflict.Version) { v.Key.Collection = "account" },
		"id":         func(v *conflict.Version) { v.Key.ID = "alicf" },
		"boundary":   func(v *conflict.Version) { v.Key = conflict.Key{Collection: "accountsa", ID: "lice"} },
		"actor":      func(v *conflict.Version) { v.Dot.Actor = actorB },
		"sequence":   func(v *conflict.Version) { v.Dot.Seq++ },
		"time":       func(v *conflict.Version) { v.Time++ },
		"deleted":    func(v *conflict.Version) { v.Deleted = true },
		"clock":      func(v *conflict.Version) { v.Clock = clockOf("b~bbbbbbbb:4+c~cccccccc:9") },
		"cloud":      func(v *conflict.Version) { v.Clock = clockOf("b~bbbbbbbb:3+c~cccccccc:10") },
		"body":       func(v *conflict.Version) { v.Body = append(slices.Clone(v.Body), ' ') },
		"no body":    func(v *conflict.Version) { v.Body = nil },
		"sum":        func(v *conflict.Version) { v.Sum[15] ^= 1 },
	} {
		v := *base
		alter(&v)
		if err := v.Check(); err == nil {
			t.Errorf("another %s, and the checksum holds", what)
		}
	}
}

func TestCheckRefusesUnsoundVersions(t *testing.T) {
	for what, v := range map[string]*conflict.Version{
		"a clock that covers its own dot":  version(dot(actorA, 7), 5, clockOf("a~aaaaaaaa:7")),
		"a cloud that holds its own dot":   version(dot(actorA, 7), 5, clockOf("+a~aaaaaaaa:7")),
		"a tombstone that carries a body ": {Key: theKey, Dot: dot(actorA, 7), Deleted: true, Body: []byte("{}")},
	} {
		v.Sum = v.ComputeSum()
		if err := v.Check(); err == nil {
			t.Errorf("%s passes", what)
		}
	}
	grave := &conflict.Version{Key: theKey, Dot: dot(actorA, 7), Deleted: true, Clock: clockOf("a~aaaaaaaa:6")}
	grave.Sum = grave.ComputeSum()
	if err := grave.Check(); err != nil {
		t.Error(err)
	}
}

func TestSumText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := conflict.Sum(rapid.SliceOfN(rapid.Byte(), conflict.SumSize, conflict.SumSize).Draw(t, "sum"))
		o := conflict.Sum(rapid.SliceOfN(rapid.Byte(), conflict.SumSize, conflict.SumSize).Draw(t, "other"))
		b, err := s.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var got conflict.Sum
		if err := got.UnmarshalText(b); err != nil || got != s {
			t.Fatalf("%s was read as %s, %v", s, got, err)
		}
		if s.XOR(o) != o.XOR(s) || s.XOR(o).XOR(o) != s || s.XOR(s) != (conflict.Sum{}) {
			t.Fatalf("%s and %s: the digest depends on the order", s, o)
		}
	})
	var s conflict.Sum
	for _, bad := range []string{"", "00", "zz", "0000000000000000000000000000000", "000000000000000000000000000000000000", "0000000000000000000000000000000g"} {
		if err := s.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q was read as %s", bad, s)
		}
	}
}
