package vclock_test

import (
	"encoding"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/syncline/syncline/vclock"
)

// "Actor: … node name and 8 random base32 characters" (DESIGN 2); "actors are
// Crockford base32" (API, Shapes). All 40 random bits must count.
func TestNewActor(t *testing.T) {
	for _, c := range []struct {
		random [5]byte
		want   string
	}{
		{[5]byte{}, "a~00000000"},
		{[5]byte{0xff, 0xff, 0xff, 0xff, 0xff}, "a~zzzzzzzz"},
		{[5]byte{0x08, 0x64, 0x29, 0x8e, 0x84}, "a~11j2k3m4"},
		{[5]byte{0x00, 0x00, 0x00, 0x00, 0x01}, "a~00000001"},
		{[5]byte{0x80, 0x00, 0x00, 0x00, 0x00}, "a~g0000000"},
	} {
		got, err := vclock.NewActor("a", c.random)
		if err != nil || string(got) != c.want {
			t.Errorf("NewActor(a, %x) = %s, %v; want %s", c.random, got, err, c.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		bytes := rapid.SliceOfN(rapid.Byte(), 5, 5)
		x, y := [5]byte(bytes.Draw(t, "x")), [5]byte(bytes.Draw(t, "y"))
		node := rapid.StringMatching(`[a-z][a-z0-9-]{0,31}`).Draw(t, "node")
		a, err := vclock.NewActor(node, x)
		if err != nil {
			t.Fatal(err)
		}
		b, err := vclock.NewActor(node, y)
		if err != nil {
			t.Fatal(err)
		}
		if (a == b) != (x == y) {
			t.Fatalf("%x and %x make %s and %s", x, y, a, b)
		}
		if p, err := vclock.ParseActor(string(a)); err != nil || p != a || a.Node() != node || len(a) > vclock.MaxActor {
			t.Fatalf("%s of node %s: %s, %v", a, node, p, err)
		}
	})
	refuses(t, func(s string) (vclock.Actor, error) { return vclock.NewActor(s, [5]byte{}) }, badNames...)
}

// "names: [a-z][a-z0-9-]{0,31}" (API, Starting a cluster)
var badNames = []string{"", "A", "1a", "-a", "a_b", "a b", "ä", "a~b", "a:b", "a.b", "a\x00", strings.Repeat("a", vclock.MaxNodeName+1)}

func TestCheckNodeName(t *testing.T) {
	for _, name := range []string{"a", "a1", "a-", "node-1", strings.Repeat("a", vclock.MaxNodeName)} {
		if err := vclock.CheckNodeName(name); err != nil {
			t.Error(err)
		}
	}
	refuses(t, func(s string) (string, error) { return s, vclock.CheckNodeName(s) }, badNames...)
}

func TestParseActorRefuses(t *testing.T) {
	bad := []string{
		"", "a", "a~", "~aaaaaaaa", "a~aaaaaaa", "a~aaaaaaaaa", "a~aaaaaaaa~", "a~aaaa~aaa", "a~AAAAAAAA",
		"a~iiiiiiii", "a~llllllll", "a~oooooooo", "a~uuuuuuuu", "a~aaaaaaa ", " a~aaaaaaaa", "a~aaaaaaa\u00e9", "a~aaaaaaaa\n",
	}
	for _, name := range badNames {
		bad = append(bad, name+"~aaaaaaaa")
	}
	refuses(t, vclock.ParseActor, bad...)
	refuses(t, func(s string) (a vclock.Actor, err error) { return a, a.UnmarshalText([]byte(s)) }, bad...)
}

// "dot: printed a~k3f9x2mz:42" (DESIGN 2)
func TestDotText(t *testing.T) {
	if got := dot("a~k3f9x2mz", 42).String(); got != "a~k3f9x2mz:42" {
		t.Fatal(got)
	}
	rapid.Check(t, func(t *rapid.T) {
		d := wideDots.Draw(t, "d")
		got, err := vclock.ParseDot(d.String())
		if err != nil || got != d {
			t.Fatalf("%s was read as %s, %v", d, got, err)
		}
		b, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, &got); err != nil || got != d {
			t.Fatalf("%s was read as %s, %v", b, got, err)
		}
	})
	const a = "a~aaaaaaaa"
	refuses(
		t, vclock.ParseDot,
		"", a, a+":", a+":0", a+":01", a+":+1", a+":-1", a+": 1", a+":1 ", a+":1_0", a+":0x1", a+":1.0", a+":1:1", ":1",
		a+":9223372036854775808", a+":18446744073709551616", "A~aaaaaaaa:1", a+":\u0661",
	)
	if got, err := vclock.ParseDot(a + ":9223372036854775807"); err != nil || got.Seq != vclock.MaxSeq {
		t.Fatalf("the highest sequence was read as %s, %v", got, err)
	}
}

// The zero dot is empty text, and nothing else is.
func TestZeroDotText(t *testing.T) {
	var zero vclock.Dot
	var _ encoding.TextMarshaler = zero
	b, err := json.Marshal(zero)
	if err != nil || string(b) != `""` || !zero.IsZero() || dot(actorA, 1).IsZero() {
		t.Fatalf("%s, %v", b, err)
	}
	d := dot(actorA, 1)
	if err := d.UnmarshalText(nil); err != nil || !d.IsZero() {
		t.Fatalf("empty text was read as %s, %v", d, err)
	}
}

// Compare is a total order in both directions.
func TestDotOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, y, z := dots.Draw(t, "x"), dots.Draw(t, "y"), dots.Draw(t, "z")
		if x.Compare(y) != -y.Compare(x) || (x.Compare(y) == 0) != (x == y) {
			t.Fatalf("%s against %s: %d and %d", x, y, x.Compare(y), y.Compare(x))
		}
		s := []vclock.Dot{x, y, z}
		slices.SortFunc(s, vclock.Dot.Compare)
		if s[0].Compare(s[1]) > 0 || s[1].Compare(s[2]) > 0 || s[0].Compare(s[2]) > 0 {
			t.Fatalf("%v is not in order", s)
		}
		if x.Actor != y.Actor && (x.Compare(y) < 0) != (x.Actor < y.Actor) {
			t.Fatalf("%s and %s are not in the order of their actors", x, y)
		}
	})
}
