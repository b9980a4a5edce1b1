package script

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// DESIGN section 7: "`conflict` has `collection`, `id`, `siblings` (sorted by
// time, actor; each with `doc`, `deleted`, `node`, `time`, `dot`) and `base`".
// PROTOCOL D10c: "Scripts get conflict.sum(path) as well."
func TestConflictAsSeen(t *testing.T) {
	t.Parallel()
	s := compile(t, `
def resolve(conflict):
    return {
        "head": [conflict.collection, conflict.id, conflict.base, conflict.base_exact, conflict.sums, conflict.sum("/balance")],
        "siblings": [[s.doc, s.deleted, s.node, s.time, s.dot] for s in conflict.siblings],
        "text": [str(conflict), str(conflict.siblings[0]), type(conflict), type(conflict.siblings[0])],
    }
`)
	c := bank()
	c.Siblings = append(c.Siblings, sib("b", 1, ""))
	want := `{"head":["accounts","alice",{"balance": 120, "tags": ["x"]},true,["/balance"],-30],` +
		`"siblings":[[{"balance": 20, "tags": ["x"]},false,"a","1970-01-01T00:00:00.00100000Z","a~00000000:1"],` +
		`[null,true,"b","1970-01-01T00:00:00.00100000Z","b~00000000:1"],` +
		`[{"balance": 70, "tags": ["x"]},false,"b","1970-01-01T00:00:00.00200000Z","b~00000000:2"]],` +
		`"text":["conflict(\"accounts\", \"alice\", 3 siblings)","sibling(\"a~00000000:1\")","conflict","sibling"]}`
	for range 3 {
		slices.Reverse(c.Siblings)
		r, err := NewInline().Resolve(t.Context(), s, c)
		if err != nil || string(r.Doc) != want {
			t.Fatalf("%s, want %s: %v %v", r.Doc, want, r.Failure, err)
		}
	}
	c.Base, c.BaseExact = nil, false
	r, err := NewInline().Resolve(t.Context(), compile(t, "def resolve(c):\n    return {\"b\": [c.base, c.base_exact]}\n"), c)
	if err != nil || string(r.Doc) != `{"b":[null,false]}` {
		t.Errorf("%s: %v %v", r.Doc, r.Failure, err)
	}
}

// DESIGN section 7: "A script returns a value, DELETE, or DEFER (as manual),
// may add notes and events for the record".
func TestVerdicts(t *testing.T) {
	t.Parallel()
	e := NewInline()
	for _, c := range []struct {
		body    string
		verdict Verdict
		doc     string
	}{
		{"return {\"a\": (1, 2)}", Value, `{"a":[1,2]}`},
		{"return {}", Value, `{}`},
		{"return DELETE", Delete, ""},
		{"return DEFER", Defer, ""},
		{"return DELETE if DELETE != DEFER and DELETE == DELETE else {}", Delete, ""},
		{"return {\"DELETE\": str(DELETE), \"n\": {DELETE: 1}[DELETE]}", Value, `{"DELETE":"DELETE","n":1}`},
		{"return json.decode('{\"a\": [1, 2.5]}')", Value, `{"a":[1,2.5]}`},
		{"return \"DELETE\"", Failed, ""},
		{"return conflict(siblings = [])", Failed, ""},
	} {
		r, err := e.Resolve(t.Context(), compile(t, "def resolve(c):\n    "+c.body+"\n"), bank())
		if err != nil || r.Verdict != c.verdict || string(r.Doc) != c.doc {
			t.Errorf("%s: %s %s %v %v", c.body, r.Verdict, r.Doc, r.Failure, err)
		}
	}
}

func TestRecord(t *testing.T) {
	t.Parallel()
	s := compile(t, `
print("loading")

def resolve(c):
    note("first")
    data = {"n": [1]}
    event("e1", data)
    data["n"].append(2)  # does not change the record
    event("e2")
    note("second")
    print("seen", len(c.siblings), "é"[0])
    return DEFER
`)
	r, err := NewInline().Resolve(t.Context(), s, bank())
	if err != nil || r.Verdict != Defer {
		t.Fatalf("%v %v", r, err)
	}
	if !slices.Equal(r.Notes, []string{"first", "second"}) || len(r.Events) != 2 ||
		r.Events[0].Name != "e1" || string(r.Events[0].Data) != `{"n":[1]}` || string(r.Events[1].Data) != "null" {
		t.Errorf("notes %q, events %q", r.Notes, r.Events)
	}
	if r.Output != "seen 2 ?\n" {
		t.Errorf("output %q", r.Output)
	}
}

// Issue 4, point 3: "compile and run-time errors with line and column".
func TestFailurePlace(t *testing.T) {
	t.Parallel()
	s := compile(t, `
def inner(x):
    return x["nothing"]

def resolve(c):
    print("before")
    return inner(c.siblings[0].doc)
`)
	r, err := NewInline().Resolve(t.Context(), s, bank())
	if err != nil {
		t.Fatal(err)
	}
	f := r.Failure
	want := []Frame{{"resolve", 7, 17}, {"inner", 3, 13}}
	if f.Kind != KindError || f.Line != 3 || f.Column != 13 || !slices.Equal(f.Backtrace, want) {
		t.Errorf("%v at %v, want %v", f, f.Backtrace, want)
	}
	if r.Output != "before\n" {
		t.Errorf("output %q is lost", r.Output)
	}
	if got := f.String(); got != `error at 3:13: key "nothing" not in dict` {
		t.Error(got)
	}
}

// DESIGN section 7: "Limits are steps, exact and the same on every node".
func TestStepsAreExact(t *testing.T) {
	t.Parallel()
	one, other := NewInline(), NewInline()
	s := compile(t, "X = [i for i in range(1000)]\n\ndef resolve(c):\n    return {\"n\": len([x for x in X])}\n")
	first := mustResolve(t, one, s)
	for _, e := range []*Inline{one, other} { // warm, and freshly loaded
		if again := mustResolve(t, e, s); again.Steps != first.Steps || first.Steps == 0 {
			t.Errorf("%d and %d steps", first.Steps, again.Steps)
		}
	}
	// A script that takes n steps more than another takes them always.
	steps := func(n string) *Result {
		r, err := one.Resolve(t.Context(), compile(t, "def resolve(c):\n    for i in range("+n+"):\n        pass\n    return {}\n"), bank())
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	each := steps("2").Steps - steps("1").Steps
	most := (MaxSteps - 1 - steps("0").Steps) / each
	if r := steps(strconv.FormatUint(most, 10)); r.Verdict != Value || r.Steps >= MaxSteps {
		t.Errorf("%d rounds of %d steps: %v", most, each, r.Failure)
	}
	if r := steps(strconv.FormatUint(most+1, 10)); r.Verdict != Failed || r.Failure.Kind != KindSteps {
		t.Errorf("%d rounds of %d steps: %s", most+1, each, r.Verdict)
	}
}

// The limits of a conflict are checked before anything runs, alike everywhere.
func TestConflictLimits(t *testing.T) {
	t.Parallel()
	s := compile(t, goodSource)
	many := make([]Sibling, MaxSiblings+1)
	for i := range many {
		many[i] = sib("a", int64(i+1), "{}")
	}
	sums := map[string]string{}
	for i := range MaxSums + 1 {
		sums["/"+strconv.Itoa(i)] = "1"
	}
	for name, c := range map[string]*Conflict{
		"no siblings":             {},
		"too many siblings":       {Siblings: many},
		"too many sums":           {Siblings: many[:1], Sums: sums},
		"too many bytes":          {Siblings: many[:1], Base: []byte(`{"a":"` + strings.Repeat("x", MaxInput) + `"}`)},
		"one version twice":       {Siblings: []Sibling{many[0], many[0]}},
		"tombstone with document": {Siblings: []Sibling{{Dot: many[0].Dot, Deleted: true, Doc: []byte("{}")}}},
		"neither":                 {Siblings: []Sibling{{Dot: many[0].Dot}}},
		"long id":                 {Siblings: many[:1], ID: strings.Repeat("x", maxName+1)},
		"id not UTF-8":            {Siblings: many[:1], ID: "\xff"},
		"path not UTF-8":          {Siblings: many[:1], Sums: map[string]string{"/\xff": "1"}},
		"base no object":          {Siblings: many[:1], Base: []byte("1")},
		"base empty":              {Siblings: many[:1], Base: []byte{}},
	} {
		r, err := NewInline().Resolve(t.Context(), s, c)
		if err != nil || r.Verdict != Failed || r.Failure.Kind != KindInput || r.Failure.Kind.Local() {
			t.Errorf("%s: %+v %v", name, r, err)
		}
	}
}

// A Conflict's MaxBody is the limit of the result.
func TestMaxBody(t *testing.T) {
	t.Parallel()
	c := bank()
	for _, most := range []int{21, 22} {
		c.MaxBody = most
		r := through(t, NewInline(), `{"s": "x" * 14}`, c) // 22 bytes
		if want := map[int]Verdict{21: Failed, 22: Value}[most]; r.Verdict != want {
			t.Errorf("22 bytes with %d allowed: %s %s", most, r.Verdict, r.Doc)
		}
	}
}

// The end of the context ends a script, and is no failure of it.
func TestContextEnds(t *testing.T) {
	t.Parallel()
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	e := NewInline()
	if _, err := e.Resolve(ctx, compile(t, goodSource), bank()); !errors.Is(err, cause) {
		t.Errorf("loading: %v", err)
	}
	mustResolve(t, e, compile(t, goodSource))
	if _, err := e.Resolve(ctx, compile(t, goodSource), bank()); !errors.Is(err, cause) {
		t.Errorf("calling: %v", err)
	}
}

// Issue 4, point 3: "`test_*` functions".
func TestSuite(t *testing.T) {
	t.Parallel()
	s := compile(t, `
def resolve(c):
    note("n")
    return {"sum": c.sum("/n"), "nodes": [s.node for s in c.siblings], "base": c.base}

def test_passes():
    c = conflict(base = {"n": 1}, siblings = [{"n": 2}, sibling({"n": 3}, node = "z", time = 1), None], sums = {"/n": 4})
    assert_eq(resolve(c), {"sum": 4, "nodes": ["a", "z", "c"], "base": {"n": 1}})
    assert_eq(notes(), ["n"])
    assert_eq(events(), [])
    print("done")

def test_differs():
    assert_eq(1, 2, "numbers")

def test_fails():
    fail("by itself")

def test_deep():
    conflict(siblings = [{"n": 1}], base = 5)

def test_bad_node():
    conflict(siblings = [sibling({}, node = "NOT A NAME")])

def test_frozen():
    conflict(siblings = [{"n": []}]).siblings[0].doc["n"].append(1)
`)
	results, err := RunTests(t.Context(), NewInline(), s)
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		name, msg string
		line      int
	}{
		{"test_passes", "", 0},
		{"test_differs", "numbers: got 1, want 2", 14},
		{"test_fails", "by itself", 17},
		{"test_deep", "want an object, not a int", 20},
		{"test_bad_node", "small letter", 23},
		{"test_frozen", "frozen", 26},
	}
	if len(results) != len(want) {
		t.Fatalf("%d results", len(results))
	}
	for i, r := range results {
		if r.Name != want[i].name || r.Passed() != (want[i].msg == "") {
			t.Errorf("%s: %v", r.Name, r.Failure)
			continue
		}
		if !r.Passed() && (r.Failure.Line != want[i].line || !strings.Contains(r.Failure.Msg, want[i].msg)) {
			t.Errorf("%s: %v, want line %d and %q", r.Name, r.Failure, want[i].line, want[i].msg)
		}
	}
	first := results[0]
	if first.Output != "done\n" || first.Steps == 0 || len(first.Samples) != 1 || len(first.Samples[0].Siblings) != 3 {
		t.Errorf("%+v", first)
	}
	for _, name := range []string{"resolve", "test_other", ""} {
		if _, err := NewInline().Test(t.Context(), s, name); err == nil {
			t.Errorf("%q was called as a test", name)
		}
	}
}

// Kinds that are of one node only.
func TestLocal(t *testing.T) {
	t.Parallel()
	for kind, want := range map[Kind]bool{
		KindError: false, KindSteps: false, KindOutput: false, KindBadResult: false, KindInput: false,
		KindMemory: true, KindTime: true, KindKilled: true,
	} {
		if kind.Local() != want {
			t.Errorf("%s: local %v", kind, !want)
		}
	}
}

// A tie in time is decided by the actor, on every node alike.
func TestTies(t *testing.T) {
	t.Parallel()
	c := &Conflict{Siblings: []Sibling{sib("b", 1, `{"n":"b"}`), sib("a", 1, `{"n":"a"}`)}}
	if r := through(t, NewInline(), `c.siblings[-1].doc`, c); string(r.Doc) != `{"n":"b"}` {
		t.Errorf("%s", r.Doc)
	}
	c.Siblings[1].Time = c.Siblings[1].Time.Above()
	if c.Siblings[1].Time.Wall() != time.UnixMilli(1).UTC() {
		t.Fatal("the counter is not the smallest step")
	}
	if r := through(t, NewInline(), `c.siblings[-1].doc`, c); string(r.Doc) != `{"n":"a"}` {
		t.Errorf("%s", r.Doc)
	}
}
