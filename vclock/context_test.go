package vclock_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/syncline/syncline/vclock"
)

// "A dot is in a context when the vector covers it or the cloud holds it. It
// is compacted only where the vector reaches the dot." (PROTOCOL part 1)
func TestContextCovers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := vectors.Draw(t, "vector")
		loose := rapid.SliceOfN(dots, 0, 5).Draw(t, "loose")
		c := vclock.ContextOf(v, loose...)
		sound(t, c)
		held := map[vclock.Dot]bool{}
		for _, d := range loose {
			held[d] = true
		}
		kept := 0
		for _, d := range everyDot() {
			if want := v.Covers(d) || held[d]; c.Covers(d) != want {
				t.Fatalf("%s covers %s: %v, want %v", c, d, !want, want)
			}
			if held[d] && !v.Covers(d) {
				kept++
			}
		}
		if !c.Vector().Equal(v) || c.LooseLen() != kept {
			t.Fatalf("%s: the vector was %s, and %d loose dots lie beyond it", c, v, kept)
		}
	})
}

// A dot next to the vector stays loose: that a:3 was seen after a:1 and a:2 by
// chance says nothing of what an actor's frontier holds.
func TestContextKeepsTheNextDotLoose(t *testing.T) {
	c := vclock.ContextOf(vclock.VectorOf(dot(actorA, 2)), dot(actorA, 3), dot(actorA, 5))
	if c.LooseLen() != 2 || c.Vector().Get(actorA) != 2 {
		t.Fatalf("%s: the cloud was folded into the vector", c)
	}
	if got := c.Join(vclock.ContextOf(vclock.VectorOf(dot(actorA, 4)))); got.String() != "a~aaaaaaaa:4+a~aaaaaaaa:5" {
		t.Fatalf("the vector reaches 3 and not 5: %s", got)
	}
}

// Join is the union of what both cover, and a join of a semilattice.
func TestContextJoin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, y, z := contexts.Draw(t, "x"), contexts.Draw(t, "y"), contexts.Draw(t, "z")
		join := x.Join(y)
		sound(t, join)
		want := past(x)
		maps.Copy(want, past(y))
		if got := past(join); !maps.Equal(got, want) {
			t.Fatalf("%s joined with %s is %s", x, y, join)
		}
		if !join.Equal(y.Join(x)) || !join.Join(z).Equal(x.Join(y.Join(z))) || !x.Join(x).Equal(x) || !x.Join(vclock.Context{}).Equal(x) {
			t.Fatalf("the join of %s, %s, %s depends on the order", x, y, z)
		}
		d := dots.Draw(t, "d")
		more := x.WithLoose(d)
		sound(t, more)
		want = past(x)
		want[d] = true
		if !maps.Equal(past(more), want) || !more.Vector().Equal(x.Vector()) {
			t.Fatalf("%s with loose %s is %s", x, d, more)
		}
		if more := x.WithLoose(vclock.Dot{Actor: actorA}); !more.Equal(x) {
			t.Fatalf("a dot that names nothing made %s of %s", more, x)
		}
	})
}

func TestContextWithin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, v := contexts.Draw(t, "c"), vectors.Draw(t, "v")
		want := true
		for d := range past(c) {
			want = want && v.Covers(d)
		}
		if c.Within(v) != want {
			t.Fatalf("%s within %s: %v, want %v", c, v, !want, want)
		}
		if c.IsZero() != (len(past(c)) == 0) {
			t.Fatalf("%s: IsZero is %v", c, c.IsZero())
		}
	})
}

// "Text and binary forms are canonical: equal values have equal bytes" (doc.go).
func TestContextForms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := rapid.OneOf(contexts, wideContexts).Draw(t, "c")
		text, err := vclock.ParseContext(c.String())
		if err != nil || !text.Equal(c) {
			t.Fatalf("%s was read as %s, %v", c, text, err)
		}
		bin, err := c.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		var read vclock.Context
		if err := read.UnmarshalBinary(bin); err != nil || !read.Equal(c) {
			t.Fatalf("%s came back as %s, %v", c, read, err)
		}
		sound(t, read)
		// The same value made another way has the same bytes.
		other := vclock.ContextOf(vclock.Vector{})
		for d := range c.Loose() {
			other = other.WithLoose(d)
		}
		other = other.Join(vclock.ContextOf(c.Vector()))
		again, err := other.AppendBinary([]byte("head"))
		if err != nil || string(again) != "head"+string(bin) || other.String() != c.String() {
			t.Fatalf("%s and %s are equal and have other bytes", c, other)
		}
	})
}

func TestParseContextRefuses(t *testing.T) {
	refuses(
		t, vclock.ParseContext,
		"+", "a~aaaaaaaa:1+", "++a~aaaaaaaa:1", "a~aaaaaaaa:1+a~aaaaaaaa:1", "a~aaaaaaaa:2+a~aaaaaaaa:1",
		"a~aaaaaaaa:1+a~aaaaaaaa:4,a~aaaaaaaa:3", "+a~aaaaaaaa:3,a~aaaaaaaa:3", "+a~aaaaaaaa:3+a~aaaaaaaa:4", "x", "+x",
	)
}

// "Every queue, page, body … has a named limit" (HOUSE habit 7).
func TestEntryLimits(t *testing.T) {
	list := func(n int) string {
		var b strings.Builder
		for i := range n {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, "a~aaaaaaaa:%d", i+1)
		}
		return b.String()
	}
	if c, err := vclock.ParseContext("+" + list(vclock.MaxEntries)); err != nil || c.LooseLen() != vclock.MaxEntries {
		t.Fatalf("a cloud of %d dots: %v", vclock.MaxEntries, err)
	}
	if _, err := vclock.ParseContext("+" + list(vclock.MaxEntries+1)); err == nil {
		t.Fatalf("a cloud of %d dots was read", vclock.MaxEntries+1)
	}
	var v vclock.Vector
	b := []byte{0x80, 0x80, 0x04} // 65536 entries, and not a byte of them
	if err := v.UnmarshalBinary(b); err == nil {
		t.Fatal("a vector that lies about its length was read")
	}
	if got := testing.AllocsPerRun(10, func() { _ = v.UnmarshalBinary(b) }); got > 10 {
		t.Fatalf("a lie about the length cost %v allocations", got)
	}
}
