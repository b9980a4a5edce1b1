package script

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// through runs a script's expression over one document and returns what leaves.
func through(t testing.TB, e *Inline, expression string, c *Conflict) *Result {
	t.Helper()
	r, err := e.Resolve(context.Background(), compile(t, "def resolve(c):\n    doc = c.siblings[0].doc\n    return "+expression+"\n"), c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// doc.go: "A number that a script does not compute keeps its spelling".
func TestNumbers(t *testing.T) {
	t.Parallel()
	e := NewInline()
	huge := "1" + strings.Repeat("0", 308)
	for _, c := range []struct{ doc, expression, want string }{
		{`{"n":123456789012345678901234567890}`, `{"n": doc["n"]}`, `{"n":123456789012345678901234567890}`},
		{`{"n":123456789012345678901234567890}`, `{"n": doc["n"] + 1}`, `{"n":123456789012345678901234567891}`},
		{`{"n":` + huge + `}`, `{"n": doc["n"]}`, `{"n":` + huge + `}`},
		{`{"n":1.50}`, `{"n": doc["n"]}`, `{"n":1.50}`},
		{`{"n":1.50}`, `{"m": doc["n"] + 1}`, `{"m":2.5}`},
		{`{"n":1.50}`, `{"m": doc["n"] * 2}`, `{"m":3}`},
		{`{"n":0.1000000000000000055}`, `{"n": doc["n"]}`, `{"n":0.1000000000000000055}`},
		{`{"n":0.1000000000000000055,"m":0.1}`, `{"n": doc["n"], "m": doc["m"]}`, `{"n":0.1,"m":0.1}`}, // two decimals, one double
		{`{"n":1.50,"m":1.5}`, `{"n": doc["m"]}`, `{"n":1.50}`},                                        // two spellings, one decimal
		{`{"n":1e2}`, `{"n": doc["n"]}`, `{"n":1e2}`},
		{`{"n":-0}`, `{"n": doc["n"]}`, `{"n":0}`},
		{`{"n":-0.0}`, `{"n": doc["n"]}`, `{"n":0}`},
		{`{"n":0}`, `{"n": 7 / 2, "m": 8 / 2, "k": 1e21, "j": 1.0 / 3}`, `{"n":3.5,"m":4,"k":1e+21,"j":0.3333333333333333}`},
		{`{"a": { "n" : 1.50, "n2":[ 1 ] }}`, `{"b": doc["a"]}`, `{"b":{ "n" : 1.50, "n2":[ 1 ] }}`},
		{` {"a": 1.50 } `, `doc`, `{"a": 1.50 }`},
		{`{"s":"\u00e9\n<&>\u001f"}`, `{"s": doc["s"]}`, `{"s":"é\n<&>\u001f"}`},
	} {
		r := through(t, e, c.expression, &Conflict{Siblings: []Sibling{sib("a", 1, c.doc)}})
		if string(r.Doc) != c.want {
			t.Errorf("%s of %s: %s (%v), want %s", c.expression, c.doc, r.Doc, r.Failure, c.want)
		}
	}
}

// doc.go: "A sum is an integer where its exact decimal is one, else a double
// that leaves with the exact decimal's digits."
func TestSums(t *testing.T) {
	t.Parallel()
	e := NewInline()
	for sum, want := range map[string]string{
		"-30":                            `{"n":-30,"t":"int"}`,
		"12345678901234567890123":        `{"n":12345678901234567890123,"t":"int"}`,
		"2.00":                           `{"n":2,"t":"int"}`,
		"1e3":                            `{"n":1000,"t":"int"}`,
		"-1.5e1":                         `{"n":-15,"t":"int"}`,
		"0.30":                           `{"n":0.30,"t":"float"}`,
		"0.1234567890123456789012345":    `{"n":0.1234567890123456789012345,"t":"float"}`,
		"0.0":                            `{"n":0,"t":"int"}`,
		"1e99999999999999999999":         "input",
		"1e400":                          "input",
		"x":                              "input",
		"":                               "input",
		" 1":                             "input",
		"1-1":                            "input",
		"9" + strings.Repeat("9", 400):   "input",
		"1e-99999999999999999999":        `{"n":0,"t":"float"}`,
		"0." + strings.Repeat("0", 5000): `{"n":0,"t":"int"}`,
	} {
		c := &Conflict{Siblings: []Sibling{sib("a", 1, `{}`)}, Sums: map[string]string{"/n": sum}}
		r := through(t, e, `{"n": c.sum("/n"), "t": type(c.sum("/n"))}`, c)
		got := string(r.Doc)
		if r.Failure != nil {
			got = string(r.Failure.Kind)
		}
		if got != want {
			t.Errorf("%.40q: %s (%v), want %s", sum, got, r.Failure, want)
		}
	}
}

// A document that the store would have refused is refused here too; the
// limits are the same on every node.
func TestBadDocuments(t *testing.T) {
	t.Parallel()
	e := NewInline()
	deep := func(n int) string { return strings.Repeat(`{"a":`, n-1) + "{}" + strings.Repeat("}", n-1) }
	for _, c := range []struct{ doc, want string }{
		{`{"a":1,"a":2}`, "stands twice"},
		{`{"a":1,"\u0061":2}`, "stands twice"},
		{`[1]`, "not a JSON object"},
		{`{"a":1} x`, "not JSON"},
		{"{\"a\":\"\xff\"}", "not JSON"},
		{`{"a":1e999}`, "outside the range"},
		{`{"a":` + strings.Repeat("9", 310) + `}`, "outside the range"},
		{deep(MaxDepth + 1), "levels"},
		{`{"a":[` + strings.Repeat("0,", MaxValues) + `0]}`, "JSON values"},
	} {
		r := through(t, e, "{}", &Conflict{Siblings: []Sibling{sib("a", 1, c.doc)}})
		if r.Verdict != Failed || r.Failure.Kind != KindInput || !strings.Contains(r.Failure.Msg, c.want) {
			t.Errorf("%.40s: %s %v, want %q", c.doc, r.Verdict, r.Failure, c.want)
		}
	}
	r := through(t, e, "doc", &Conflict{Siblings: []Sibling{sib("a", 1, deep(MaxDepth))}})
	if r.Verdict != Value {
		t.Errorf("a document of %d levels: %v", MaxDepth, r.Failure)
	}
	r = through(t, e, `{"a": doc}`, &Conflict{Siblings: []Sibling{sib("a", 1, deep(MaxDepth))}})
	if r.Failure == nil || r.Failure.Kind != KindBadResult {
		t.Errorf("a result of %d levels: %s", MaxDepth+1, r.Verdict)
	}
}

// drawJSON draws a JSON value with odd spellings.
func drawJSON(t *rapid.T, level int) string {
	blank := rapid.SampledFrom([]string{"", " ", "\n", "\t "}).Draw(t, "blank")
	kinds := 6
	if level > 3 {
		kinds = 4
	}
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 0:
		return rapid.SampledFrom([]string{"null", "true", "false"}).Draw(t, "word")
	case 1:
		return rapid.StringMatching(`-?(0|[1-9][0-9]{0,30})`).Draw(t, "integer")
	case 2:
		return rapid.StringMatching(`-?(0|[1-9][0-9]{0,10})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?`).Draw(t, "number")
	case 3:
		return rapid.StringMatching(`"([a-zé ]|\\n|\\u00e9|\\\\|\\"|\\ud83d\\ude00){0,8}"`).Draw(t, "text")
	case 4:
		var parts []string
		for range rapid.IntRange(0, 4).Draw(t, "elements") {
			parts = append(parts, drawJSON(t, level+1))
		}
		return "[" + blank + strings.Join(parts, ","+blank) + "]"
	default:
		return drawObject(t, level)
	}
}

func drawObject(t *rapid.T, level int) string {
	blank := rapid.SampledFrom([]string{"", " "}).Draw(t, "blank")
	var parts []string
	for i := range rapid.IntRange(0, 4).Draw(t, "members") {
		parts = append(parts, fmt.Sprintf(`"m%d"%s:%s`, i, blank, drawJSON(t, level+1)))
	}
	return "{" + strings.Join(parts, blank+","+blank) + "}"
}

// doc.go: "an object or array of the input leaves with its own bytes", and
// taking a document apart and putting it together changes no value but those
// of doubles with two decimals.
func TestHandThrough(t *testing.T) {
	t.Parallel()
	e := NewInline()
	whole := compile(t, "def resolve(c):\n    return c.siblings[0].doc\n")
	parts := compile(t, `
def copy(v):  # to four levels, since functions do not recurse
    return {k: list(x) if type(x) == "list" else dict(x) if type(x) == "dict" else x for k, x in v.items()}

def resolve(c):
    return copy(c.siblings[0].doc)
`)
	rapid.Check(t, func(t *rapid.T) {
		doc := drawObject(t, 0)
		c := &Conflict{Siblings: []Sibling{{Dot: bank().Siblings[0].Dot, Doc: []byte(doc)}}}
		r, err := e.Resolve(context.Background(), whole, c)
		if err != nil || string(r.Doc) != doc {
			t.Fatalf("%s became %s: %v %v", doc, r.Doc, r.Failure, err)
		}
		r, err = e.Resolve(context.Background(), parts, c)
		if err != nil || r.Verdict != Value {
			t.Fatalf("%v %v", r.Failure, err)
		}
		changes, _, err := Diff([]byte(doc), r.Doc)
		if err != nil {
			t.Fatal(err)
		}
		for _, change := range changes {
			// Only a double that stands there in two decimals may change.
			if decimalOf(string(change.Before)) == decimalOf(string(change.After)) || !sameDouble(change.Before, change.After) {
				t.Fatalf("%s became %s: %+v", doc, r.Doc, change)
			}
		}
	})
}

func sameDouble(a, b []byte) bool {
	if !isNumber(string(a)) || !isNumber(string(b)) {
		return false
	}
	in := newInputs()
	x, err := in.float(string(a))
	if err != nil {
		return false
	}
	y, err := in.float(string(b))
	return err == nil && x == y
}

// Two nodes decode alike, and the decoder meets no text that makes it panic.
func FuzzDocument(f *testing.F) {
	f.Add(`{"a": [1, -2.50e3, "x\u00e9", null, {"b": {}}]}`)
	f.Add(`{"a":1,"a":2}`)
	f.Fuzz(func(t *testing.T, doc string) {
		in := newInputs()
		v, err := in.document([]byte(doc))
		if err != nil {
			return
		}
		out, err := in.encode(v, len(doc))
		if err != nil || string(out) != strings.Trim(doc, " \n\t\r") {
			t.Fatalf("%q became %q: %v", doc, out, err)
		}
	})
}
