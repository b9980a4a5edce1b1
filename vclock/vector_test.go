package vclock_test

import (
	"encoding/json"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/syncline/syncline/vclock"
)

// "Causality is compared in one place" (HOUSE habit 3): the fast vector must
// say the same as a naive map.
func TestVectorAgainstTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v, o := vectors.Draw(t, "v"), vectors.Draw(t, "o")
		a, b := twinOf(v), twinOf(o)
		join, meet, dominates, beyond := twin{}, twin{}, true, uint64(0)
		for _, x := range someActors {
			join[x], meet[x] = max(a[x], b[x]), min(a[x], b[x])
			dominates = dominates && a[x] >= b[x]
			beyond += a[x] - meet[x]
			if v.Get(x) != a[x] {
				t.Fatalf("Get(%s) = %d, want %d", x, v.Get(x), a[x])
			}
		}
		for _, d := range everyDot() {
			if got, want := v.Covers(d), d.Seq <= a[d.Actor]; got != want {
				t.Fatalf("%s covers %s: %v, want %v", v, d, got, want)
			}
		}
		if !v.Join(o).Equal(join.vector()) || !v.Meet(o).Equal(meet.vector()) {
			t.Fatalf("%s and %s: join %s, meet %s", v, o, v.Join(o), v.Meet(o))
		}
		if v.Dominates(o) != dominates || v.Beyond(o) != beyond {
			t.Fatalf("%s and %s: dominates %v, beyond %d; want %v, %d", v, o, v.Dominates(o), v.Beyond(o), dominates, beyond)
		}
		sound(t, vclock.ContextOf(v.Join(o)))
		sound(t, vclock.ContextOf(v.Meet(o)))
	})
}

// Join and meet are those of a lattice: commutative, associative, idempotent,
// absorbing; Dominates is its order (in both directions).
func TestVectorLattice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, y, z := vectors.Draw(t, "x"), vectors.Draw(t, "y"), vectors.Draw(t, "z")
		for name, pair := range map[string][2]vclock.Vector{
			"join commutes":      {x.Join(y), y.Join(x)},
			"meet commutes":      {x.Meet(y), y.Meet(x)},
			"join associates":    {x.Join(y).Join(z), x.Join(y.Join(z))},
			"meet associates":    {x.Meet(y).Meet(z), x.Meet(y.Meet(z))},
			"join is idempotent": {x.Join(x), x},
			"meet is idempotent": {x.Meet(x), x},
			"join absorbs meet":  {x.Join(x.Meet(y)), x},
			"meet absorbs join":  {x.Meet(x.Join(y)), x},
			"nothing is neutral": {x.Join(vclock.Vector{}), x},
			"nothing is least":   {x.Meet(vclock.Vector{}), {}},
			"meet distributes":   {x.Meet(y.Join(z)), x.Meet(y).Join(x.Meet(z))},
		} {
			if !pair[0].Equal(pair[1]) {
				t.Fatalf("%s: %s is not %s (x=%s y=%s z=%s)", name, pair[0], pair[1], x, y, z)
			}
		}
		if x.Dominates(y) != x.Join(y).Equal(x) || x.Dominates(y) != x.Meet(y).Equal(y) {
			t.Fatalf("Dominates(%s, %s) is not the order of the lattice", x, y)
		}
		if x.Dominates(y) && y.Dominates(x) != x.Equal(y) {
			t.Fatalf("%s and %s dominate each other and differ", x, y)
		}
		if x.Dominates(y) != (y.Beyond(x) == 0) {
			t.Fatalf("%s dominates %s, but %d dots are beyond", x, y, y.Beyond(x))
		}
	})
}

// With is the least vector that covers the old one and the dot.
func TestVectorWith(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v, d := vectors.Draw(t, "v"), dots.Draw(t, "d")
		got, want := v.With(d), twinOf(v)
		want[d.Actor] = max(want[d.Actor], d.Seq)
		if !got.Equal(want.vector()) || !got.Covers(d) || !got.Dominates(v) {
			t.Fatalf("%s with %s is %s", v, d, got)
		}
		if none := v.With(vclock.Dot{Actor: d.Actor}); !none.Equal(v) {
			t.Fatalf("a dot that names nothing made %s of %s", none, v)
		}
	})
}

// "Values are immutable: an update returns a fresh copy, nothing aliases"
// (HOUSE habit 3).
func TestImmutable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, o := contexts.Draw(t, "c"), contexts.Draw(t, "o")
		before, other := c.String(), o.String()
		v := c.Vector()
		for range 8 {
			d := dots.Draw(t, "d")
			raised := v.With(d)
			was := raised.String()
			// Both go on from one value; neither may see the other's update.
			_ = raised.With(dots.Draw(t, "left"))
			_ = v.With(dots.Draw(t, "right"))
			_ = v.Join(o.Vector())
			_ = v.Meet(o.Vector())
			_ = c.Join(o)
			_ = c.WithLoose(d)
			if raised.String() != was {
				t.Fatalf("%s became %s", was, raised)
			}
			v = raised
		}
		if c.String() != before || o.String() != other {
			t.Fatalf("%s became %s, %s became %s", before, c, other, o)
		}
	})
}

// What is handed in stays the caller's, and what is handed out is a copy.
func TestNoAliasOfArguments(t *testing.T) {
	given := []vclock.Dot{dot(actorC, 3), dot(actorA, 2), dot(actorC, 1)}
	keep := slices.Clone(given)
	v, c := vclock.VectorOf(given...), vclock.ContextOf(vclock.Vector{}, given...)
	if !slices.Equal(given, keep) {
		t.Fatalf("the arguments were sorted in place: %v", given)
	}
	for i := range given {
		given[i] = dot(actorD, 9)
	}
	if v.Covers(dot(actorD, 9)) || c.Covers(dot(actorD, 9)) {
		t.Fatalf("%s and %s follow the caller's slice", v, c)
	}
	bin, err := c.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	var read vclock.Context
	if err := read.UnmarshalBinary(bin); err != nil {
		t.Fatal(err)
	}
	clear(bin)
	if !read.Equal(c) {
		t.Fatalf("the decoded context %s follows the buffer", read)
	}
}

func TestVectorText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := wideContexts.Draw(t, "c").Vector()
		got, err := vclock.ParseVector(v.String())
		if err != nil || !got.Equal(v) {
			t.Fatalf("%s was read as %s, %v", v, got, err)
		}
		var bin vclock.Vector
		b, err := v.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if err := bin.UnmarshalBinary(b); err != nil || !bin.Equal(v) {
			t.Fatalf("%s came back as %s, %v", v, bin, err)
		}
	})
}

// A vector is an object in JSON, `"frontier":{"a~k3f9x2mz":42}` (API, Shapes).
func TestVectorJSON(t *testing.T) {
	v := vclock.VectorOf(dot(actorC, 17), dot(actorA, 42))
	b, err := json.Marshal(v)
	if want := `{"a~aaaaaaaa":42,"c-1~00000000":17}`; err != nil || string(b) != want {
		t.Fatalf("%s, %v; want %s", b, err, want)
	}
	rapid.Check(t, func(t *rapid.T) {
		v := wideContexts.Draw(t, "c").Vector()
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var got vclock.Vector
		if err := json.Unmarshal(b, &got); err != nil || !got.Equal(v) {
			t.Fatalf("%s was read as %s, %v", b, got, err)
		}
		sound(t, vclock.ContextOf(got))
	})
	refuses(t, func(s string) (v vclock.Vector, err error) { return v, json.Unmarshal([]byte(s), &v) },
		`[]`, `{"a~aaaaaaaa":0}`, `{"a~aaaaaaaa":-1}`, `{"a~aaaaaaaa":1.5}`, `{"a~aaaaaaaa":"1"}`, `{"A~aaaaaaaa":1}`,
		`{"a~aaaaaaaa":9223372036854775808}`, `{"a":1}`, `{"a~aaaaaaaa":1`, `"a~aaaaaaaa:1"`)
}

func TestParseVectorRefuses(t *testing.T) {
	refuses(
		t, vclock.ParseVector,
		",", "a~aaaaaaaa", "a~aaaaaaaa:0", "a~aaaaaaaa:1,", ",a~aaaaaaaa:1", "a~aaaaaaaa:1,,c~aaaaaaaa:1",
		"a~aaaaaaaa:1,a~aaaaaaaa:2", "c~aaaaaaaa:1,a~aaaaaaaa:1", "a~aaaaaaaa:1 ,c~aaaaaaaa:1", "a~aaaaaaaa:1;c~aaaaaaaa:1",
	)
	if v, err := vclock.ParseVector(""); err != nil || v.Len() != 0 {
		t.Fatalf("nothing is the empty vector, not %s, %v", v, err)
	}
}
