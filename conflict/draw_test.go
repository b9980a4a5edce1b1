package conflict_test

import (
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/vclock"
)

const (
	actorA = vclock.Actor("a~aaaaaaaa")
	actorB = vclock.Actor("b~bbbbbbbb")
	actorC = vclock.Actor("c~cccccccc")
	actorD = vclock.Actor("d~dddddddd")
)

var (
	someActors = []vclock.Actor{actorA, actorB, actorC, actorD}
	theKey     = conflict.Key{Collection: "accounts", ID: "alice"}
)

func dot(a vclock.Actor, seq uint64) vclock.Dot { return vclock.Dot{Actor: a, Seq: seq} }

// version makes a version of theKey.
func version(d vclock.Dot, at vclock.Time, clock vclock.Context) *conflict.Version {
	v := &conflict.Version{Key: theKey, Dot: d, Time: at, Clock: clock, Body: fmt.Appendf(nil, `{"dot":%q}`, d)}
	v.Sum = v.ComputeSum()
	return v
}

func clockOf(text string) vclock.Context {
	c, err := vclock.ParseContext(text)
	if err != nil {
		panic(err) // a test's own literal
	}
	return c
}

// join adds versions one by one.
func join(s conflict.Siblings, frontier vclock.Vector, versions ...*conflict.Version) conflict.Siblings {
	for _, v := range versions {
		s = s.Add(v, frontier).Live
	}
	return s
}

func dotsOf(s conflict.Siblings) string {
	var out []string
	for _, v := range s {
		out = append(out, v.Dot.String())
	}
	return strings.Join(out, " ")
}

// versions draws a set of versions of one document, each with a dot of its
// own, whose clocks follow causality: a later one has seen some of the earlier
// ones with all that those had seen. Their times and bodies mean nothing.
func versions(t *rapid.T) []*conflict.Version {
	var all []*conflict.Version
	next := map[vclock.Actor]uint64{}
	for range rapid.IntRange(1, 7).Draw(t, "versions") {
		a := rapid.SampledFrom(someActors[:3]).Draw(t, "actor")
		next[a] += rapid.Uint64Range(1, 2).Draw(t, "gap") // gaps: writes of other documents
		var clock vclock.Context
		for _, u := range all {
			if rapid.IntRange(0, 2).Draw(t, "saw") == 0 {
				clock = clock.Join(u.Clock).WithLoose(u.Dot)
			}
		}
		v := version(dot(a, next[a]), vclock.Time(rapid.Uint64Range(1, 4).Draw(t, "time")), clock)
		if rapid.IntRange(0, 3).Draw(t, "deletes") == 0 {
			v.Deleted, v.Body = true, nil
		} else if rapid.IntRange(0, 2).Draw(t, "same") == 0 {
			v.Body = []byte(`{"balance":70}`)
		}
		v.Sum = v.ComputeSum()
		all = append(all, v)
	}
	return all
}

// naive is the union of versions without those that another one covers.
func naive(all []*conflict.Version) conflict.Siblings {
	var out conflict.Siblings
	for _, v := range all {
		covered := slices.ContainsFunc(all, func(u *conflict.Version) bool { return u.Clock.Covers(v.Dot) })
		if !covered && out.Find(v.Dot) == nil {
			out = append(out, v)
		}
	}
	slices.SortFunc(out, func(a, b *conflict.Version) int { return a.Dot.Compare(b.Dot) })
	return out
}
