package merge_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/syncline/syncline/conflict/merge"
	"github.com/syncline/syncline/vclock"
)

// table is a document that a few people write: "base", then sides that have seen
// nothing but the base, or what they name.
type table struct {
	t     *testing.T
	rules *merge.Rules
	made  map[string]*merge.Version
	time  vclock.Time
}

func newTable(t *testing.T, rules string) *table {
	t.Helper()
	r, err := merge.ParseRules(json.RawMessage(rules), "")
	if err != nil {
		t.Fatal(err)
	}
	return &table{t: t, rules: r, made: map[string]*merge.Version{}}
}

// write stamps a version by somebody who was shown others; "" is a tombstone.
func (b *table) write(name, body string, shown ...string) *merge.Version {
	b.t.Helper()
	b.time++
	v := &merge.Version{Dot: vclock.Dot{Actor: vclock.Actor(name + "~aaaaaaaa"), Seq: 1}, Time: b.time, Deleted: body == "", Body: []byte(body)}
	if v.Deleted {
		v.Body = nil
	}
	var saw []*merge.Version
	for _, s := range shown {
		u := b.made[s]
		saw = append(saw, u)
		v.Clock = v.Clock.Join(u.Clock).Join(vclock.ContextOf(vclock.VectorOf(u.Dot)))
	}
	lineage, err := b.rules.Stamp(merge.Stamping{New: *v, Named: saw, Visible: saw, Covered: saw, Merged: true, Deleted: len(saw) == 0})
	if err != nil {
		b.t.Fatal(err)
	}
	v.Lineage = lineage
	b.made[name] = v
	return v
}

func (b *table) versions(names ...string) []*merge.Version {
	var out []*merge.Version
	for _, n := range names {
		out = append(out, b.made[n])
	}
	return out
}

// DESIGN 7: "what each side changed stays (different fields both; numbers with
// rule sum add up); the same field changed by both by its rule".
func TestRules(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, rules, base, a, b, want string }{
		{"different members", `{}`, `{"x":1,"y":1}`, `{"x":2,"y":1}`, `{"x":1,"y":3}`, `{"x":2,"y":3}`},
		{"the same member: the newest", `{}`, `{"x":1}`, `{"x":2}`, `{"x":3}`, `{"x":3}`},
		{"one adds, one removes", `{}`, `{"x":1,"y":1}`, `{"y":1}`, `{"x":1,"y":1,"z":1}`, `{"y":1,"z":1}`},
		{"a change beats a removal", `{}`, `{"x":1,"y":1}`, `{"y":1}`, `{"x":2,"y":1}`, `{"x":2,"y":1}`},
		{"numbers add up", `{"/n":"sum"}`, `{"n":120}`, `{"n":20}`, `{"n":70}`, `{"n":-30}`},
		{"without drift", `{"/n":"sum"}`, `{"n":0.1}`, `{"n":0.3}`, `{"n":1e-1}`, `{"n":0.3}`},
		{"decimals", `{"/n":"sum"}`, `{"n":1.50}`, `{"n":1.75}`, `{"n":2.50}`, `{"n":2.75}`},
		{"large numbers", `{"/n":"sum"}`, `{"n":9007199254740993}`, `{"n":9007199254740994}`, `{"n":9007199254740995}`, `{"n":9007199254740996}`},
		{"a text is not added", `{"/n":"sum"}`, `{"n":1}`, `{"n":"many"}`, `{"n":3}`, `{"n":3}`},
		{"the largest", `{"/n":"max"}`, `{"n":1}`, `{"n":10}`, `{"n":9.5}`, `{"n":10}`},
		{"the smallest", `{"/n":"min"}`, `{"n":1}`, `{"n":-10}`, `{"n":9.5}`, `{"n":-10}`},
		{"sets", `{"/s":"union"}`, `{"s":["a","b"]}`, `{"s":["b","c"]}`, `{"s":["a","b","c","d"]}`, `{"s":["b","c","d"]}`},
		{"logs keep equal entries", `{"/l":"concat"}`, `{"l":["a"]}`, `{"l":["a","x"]}`, `{"l":["a","x"]}`, `{"l":["a","x","x"]}`},
		{"no array is no log", `{"/l":"concat"}`, `{"l":["a"]}`, `{"l":"b"}`, `{"l":["a","c"]}`, `{"l":["a","c"]}`},
		{"both are kept", `{"/x":"keep_both"}`, `{"x":1}`, `{"x":2}`, `{"x":[3]}`, `{"x":[2,[3]]}`},
		{"both are one", `{"/x":"keep_both"}`, `{"x":1}`, `{"x":2}`, `{"x":2.0}`, `{"x":2}`},
		{"whole objects", `{}`, `{"o":{"p":1,"q":1}}`, `{"o":{"p":2,"q":1}}`, `{"o":{"p":1,"q":2}}`, `{"o":{"p":1,"q":2}}`},
		{"objects that rules look into", `{"/o/p":"lww"}`, `{"o":{"p":1,"q":1}}`, `{"o":{"p":2,"q":1}}`, `{"o":{"p":1,"q":2}}`, `{"o":{"p":2,"q":2}}`},
		{"a value in an object's place", `{"/o/p":"lww"}`, `{"o":{"p":1}}`, `{"o":{"p":1,"q":2}}`, `{"o":5}`, `{"o":5}`},
		{"an object in a value's place", `{"/o/p":"lww"}`, `{"o":{"p":1}}`, `{"o":5}`, `{"o":{"p":1,"q":2}}`, `{"o":{"q":2}}`},
		{"an object that is empty", `{"/o/p":"lww"}`, `{"o":{"p":1}}`, `{"o":{}}`, `{"o":{"p":1,"q":2}}`, `{"o":{"q":2}}`},
		{"names with signs", `{"/a~1b":"sum","/m~0n":"max"}`, `{"a/b":1,"m~n":1}`, `{"a/b":2,"m~n":7}`, `{"a/b":3,"m~n":5}`, `{"a/b":4,"m~n":7}`},
		{"spelling stays", `{}`, `{"x": 1.0, "y":"\u00e4"}`, `{"x": 1, "y":"ä", "z": [ 1 ]}`, `{"x": 1.0, "y":"\u00e4", "w":"<&>"}`, `{"x":1.0,"y":"\u00e4","w":"<&>","z":[ 1 ]}`},
	} {
		b := newTable(t, c.rules)
		b.write("base", c.base)
		b.write("a", c.a, "base")
		b.write("b", c.b, "base")
		for _, order := range [][]string{{"a", "b"}, {"b", "a"}} {
			m, err := b.rules.Merge(b.versions(order...))
			if err != nil || string(m.Body) != c.want {
				t.Errorf("%s: got %v, %v, want %s", c.name, m, err, c.want)
			}
		}
	}
}

// PROTOCOL D10: "a single base cannot be exact": three siblings, of which two
// share a write that the third has not.
func TestThreeOfUnequalPast(t *testing.T) {
	t.Parallel()
	b := newTable(t, `{"/n":"sum"}`)
	b.write("base", `{"n":100}`)
	b.write("x", `{"n":90}`, "base")
	b.write("a", `{"n":85}`, "x") // -10 is in both a and b
	b.write("b", `{"n":88}`, "x")
	b.write("c", `{"n":101}`, "base")
	m, err := b.rules.Merge(b.versions("c", "a", "b"))
	if err != nil || string(m.Body) != `{"n":84}` { // 100 - 10 - 5 - 2 + 1
		t.Errorf("got %v, %v", m, err)
	}
	base, err := b.rules.Base(b.versions("c", "a", "b"))
	if err != nil || !base.Exact || string(base.Body) != `{"n":100}` {
		t.Errorf("the base is %s (exact: %v), %v", base.Body, base.Exact, err)
	}
	sums, err := b.rules.Sums(b.versions("c", "a", "b"))
	if err != nil || sums["/n"] != "84" {
		t.Errorf("the sums are %v, %v", sums, err)
	}
}

// PROTOCOL D10b: "a conflict with a blind sibling, or with one stamped before the
// policy was in force, defers".
func TestWhatCannotBeMerged(t *testing.T) {
	t.Parallel()
	b := newTable(t, `{"/n":"sum"}`)
	b.write("base", `{"n":1}`)
	b.write("a", `{"n":2}`, "base")
	blind := *b.write("b", `{"n":3}`, "base")
	var err error
	if blind.Lineage, err = b.rules.Stamp(merge.Stamping{New: blind, Blind: true}); err != nil {
		t.Fatal(err)
	}
	b.made["blind"] = &blind
	late := *b.made["b"]
	late.Lineage = nil
	b.made["late"] = &late
	for name, want := range map[string]error{"blind": merge.ErrBlind, "late": merge.ErrBeforePolicy} {
		if _, err := b.rules.Merge(b.versions("a", name)); !errors.Is(err, want) {
			t.Errorf("%s: got %v", name, err)
		}
		// Who writes over it alone begins anew; that does not fit what began before.
		next := b.write("over-"+name, `{"n":4}`, name)
		if _, err := b.rules.Merge(append(b.versions("a"), next)); !errors.Is(err, merge.ErrOrigins) {
			t.Errorf("over %s: got %v", name, err)
		}
		b.write("p-"+name, `{"n":5}`, name)
		m, err := b.rules.Merge(b.versions("over-"+name, "p-"+name))
		if err != nil || string(m.Body) != `{"n":6}` {
			t.Errorf("two over %s: got %v, %v", name, m, err)
		}
	}
	other, err := merge.ParseRules(json.RawMessage(`{"/n":"sum","/m":"sum"}`), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Merge(b.versions("a", "b")); !errors.Is(err, merge.ErrBeforePolicy) {
		t.Errorf("by other rules: got %v", err)
	}
}

// "bad input … nothing is lost": a sum that no document can have falls back, and
// says so.
func TestSumsOutOfRange(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ base, a, b, want, why string }{
		{`{"n":0}`, `{"n":1.7e308}`, `{"n":1.6e308}`, `{"n":1.6e308}`, "the result is outside the range of a double"},
		{`{"n":0}`, `{"n":1e308}`, `{"n":1e-5000}`, `{"n":1e-5000}`, "not all values are numbers that can be counted exactly"},
		{`{"n":0}`, `{"n":1e300}`, `{"n":-1e300}`, `{"n":0}`, ""},
	} {
		b := newTable(t, `{"/n":"sum"}`)
		b.write("base", c.base)
		b.write("a", c.a, "base")
		b.write("b", c.b, "base")
		m, err := b.rules.Merge(b.versions("a", "b"))
		if err != nil || string(m.Body) != c.want || len(m.Decided) != 1 || m.Decided[0].Instead != c.why {
			t.Errorf("%s and %s: got %+v, %v", c.a, c.b, m, err)
		}
	}
}

// HOUSE: a decoder takes only what its encoder writes, and nothing makes it panic.
func FuzzLineage(f *testing.F) {
	t := &testing.T{}
	b := newTable(t, `{"/n":"sum","/s":"union"}`)
	b.write("base", `{"n":1,"s":["a"],"x":"y"}`)
	b.write("a", `{"n":2.5,"s":["a","b"],"x":"z"}`, "base")
	b.write("b", `{"n":-3,"s":[]}`, "base")
	b.write("c", `{"n":7,"s":["b"],"x":1}`, "a", "b")
	b.write("d", "", "c")
	for _, v := range b.made {
		f.Add(v.Lineage)
	}
	f.Add([]byte{1, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		if merge.Check(data) != nil {
			return
		}
		// A lineage that is sound in itself may still be of another document.
		v := &merge.Version{Dot: vclock.Dot{Actor: "a~aaaaaaaa", Seq: 9}, Body: []byte(`{"n":1}`), Lineage: data}
		w := &merge.Version{Dot: vclock.Dot{Actor: "b~aaaaaaaa", Seq: 9}, Body: []byte(`{"n":2}`), Lineage: data}
		if m, err := b.rules.Merge([]*merge.Version{v, w}); err == nil && !json.Valid(m.Body) {
			t.Errorf("merged into %s", m.Body)
		}
		if _, err := b.rules.Base([]*merge.Version{v, w}); err != nil {
			t.Errorf("no base: %v", err)
		}
	})
}

// DESIGN 7: "in the common case a write costs a few bytes": the lineage of a
// document that is written again and again does not grow.
func TestLineageStaysSmall(t *testing.T) {
	t.Parallel()
	b := newTable(t, `{"/n":"sum"}`)
	b.write("v0", `{"n":0,"who":"x","a":1,"b":2}`)
	var sizes []int
	for i := 1; i < 50; i++ {
		v := b.write(fmt.Sprintf("v%d", i), fmt.Sprintf(`{"n":%d,"who":"y","a":1,"b":2}`, i), fmt.Sprintf("v%d", i-1))
		sizes = append(sizes, len(v.Lineage))
	}
	// Each version here has an actor of its own, which a tally remembers: a
	// dozen bytes an actor and life, as in any version vector.
	if last := slices.Max(sizes); last > 49*24+160 {
		t.Errorf("lineages grew to %d bytes: %v", last, sizes)
	}
}
