package vclock_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/syncline/syncline/vclock"
)

// Few actors and low sequences, so that random values meet.
const (
	actorA = vclock.Actor("a~aaaaaaaa")
	actorB = vclock.Actor("a~bbbbbbbb") // another life of the same node
	actorC = vclock.Actor("c-1~00000000")
	actorD = vclock.Actor("d~zzzzzzzz")

	topSeq = 6
)

// someActors are in the order of their text.
var someActors = []vclock.Actor{actorA, actorB, actorC, actorD}

func dot(a vclock.Actor, seq uint64) vclock.Dot { return vclock.Dot{Actor: a, Seq: seq} }

// everyDot lists all dots that a draw can name, and one beyond.
func everyDot() []vclock.Dot {
	var out []vclock.Dot
	for _, a := range someActors {
		for seq := range uint64(topSeq + 2) {
			out = append(out, dot(a, seq+1))
		}
	}
	return out
}

var (
	dots = rapid.Custom(func(t *rapid.T) vclock.Dot {
		return dot(rapid.SampledFrom(someActors).Draw(t, "actor"), rapid.Uint64Range(1, topSeq).Draw(t, "seq"))
	})
	vectors = rapid.Custom(func(t *rapid.T) vclock.Vector {
		return vclock.VectorOf(rapid.SliceOfN(dots, 0, 5).Draw(t, "entries")...)
	})
	contexts = rapid.Custom(func(t *rapid.T) vclock.Context {
		return vclock.ContextOf(vectors.Draw(t, "vector"), rapid.SliceOfN(dots, 0, 4).Draw(t, "loose")...)
	})
	// wideDots are any dots that there may be: long names, high sequences.
	wideDots = rapid.Custom(func(t *rapid.T) vclock.Dot {
		node := rapid.StringMatching(`[a-z][a-z0-9-]{0,31}`).Draw(t, "node")
		random := [5]byte(rapid.SliceOfN(rapid.Byte(), 5, 5).Draw(t, "random"))
		actor, err := vclock.NewActor(node, random)
		if err != nil {
			t.Fatal(err)
		}
		return dot(actor, rapid.Uint64Range(1, vclock.MaxSeq).Draw(t, "seq"))
	})
	wideContexts = rapid.Custom(func(t *rapid.T) vclock.Context {
		v := vclock.VectorOf(rapid.SliceOfN(wideDots, 0, 6).Draw(t, "vector")...)
		return vclock.ContextOf(v, rapid.SliceOfN(wideDots, 0, 6).Draw(t, "loose")...)
	})
	times = rapid.Custom(func(t *rapid.T) vclock.Time {
		return vclock.Time(rapid.Uint64Range(0, uint64(vclock.MaxTime)).Draw(t, "time"))
	})
	walls = rapid.Custom(func(t *rapid.T) time.Time {
		return time.UnixMilli(rapid.Int64Range(-1000, vclock.MaxMillis+1000).Draw(t, "wall"))
	})
)

// twin is the naive vector: a map.
type twin map[vclock.Actor]uint64

func twinOf(v vclock.Vector) twin {
	out := twin{}
	for d := range v.All() {
		out[d.Actor] = d.Seq
	}
	return out
}

func (m twin) vector() vclock.Vector {
	var v vclock.Vector
	for _, a := range slices.Backward(slices.Sorted(maps.Keys(m))) {
		v = v.With(dot(a, m[a]))
	}
	return v
}

// past is the set of dots that a context covers, among those of everyDot.
func past(c vclock.Context) map[vclock.Dot]bool {
	out := map[vclock.Dot]bool{}
	for _, d := range everyDot() {
		if c.Covers(d) {
			out[d] = true
		}
	}
	return out
}

// sound checks the invariants of doc.go on a context.
func sound(t *rapid.T, c vclock.Context) {
	t.Helper()
	entries := slices.Collect(c.Vector().All())
	for i, d := range entries {
		if d.Seq == 0 || i > 0 && entries[i-1].Actor >= d.Actor {
			t.Fatalf("vector %v: entries are not sorted by actor, each once, above 0", entries)
		}
	}
	loose := slices.Collect(c.Loose())
	for i, d := range loose {
		if d.Seq == 0 || i > 0 && loose[i-1].Compare(d) >= 0 || c.Vector().Covers(d) {
			t.Fatalf("context %s: the cloud is not sorted, repeats or holds what the vector covers", c)
		}
	}
	if len(loose) != c.LooseLen() || len(entries) != c.Vector().Len() {
		t.Fatalf("context %s: the lengths are wrong", c)
	}
}

// refuses runs a parser over texts that it must refuse.
func refuses[V any](t *testing.T, parse func(string) (V, error), texts ...string) {
	t.Helper()
	for _, s := range texts {
		v, err := parse(s)
		if err == nil {
			t.Errorf("%.80q was read as %v", s, v)
			continue
		}
		if err.Error() == "" {
			t.Errorf("%.80q: an error without words", s)
		}
	}
}
