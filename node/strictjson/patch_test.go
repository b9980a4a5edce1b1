package strictjson

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// RFC 6902, appendix A: every example, with the bytes that this package gives.
// An empty want stands for an operation that does not apply.
func TestJSONPatchRFCExamples(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, doc, patch, want string }{
		{"A.1 add a member", `{"foo":"bar"}`, `[{"op":"add","path":"/baz","value":"qux"}]`, `{"foo":"bar","baz":"qux"}`},
		{"A.2 add an element", `{"foo":["bar","baz"]}`, `[{"op":"add","path":"/foo/1","value":"qux"}]`, `{"foo":["bar","qux","baz"]}`},
		{"A.3 remove a member", `{"baz":"qux","foo":"bar"}`, `[{"op":"remove","path":"/baz"}]`, `{"foo":"bar"}`},
		{"A.4 remove an element", `{"foo":["bar","qux","baz"]}`, `[{"op":"remove","path":"/foo/1"}]`, `{"foo":["bar","baz"]}`},
		{"A.5 replace", `{"baz":"qux","foo":"bar"}`, `[{"op":"replace","path":"/baz","value":"boo"}]`, `{"baz":"boo","foo":"bar"}`},
		{
			"A.6 move a value", `{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}`,
			`[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]`, `{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}`,
		},
		{
			"A.7 move an element", `{"foo":["all","grass","cows","eat"]}`, `[{"op":"move","from":"/foo/1","path":"/foo/3"}]`,
			`{"foo":["all","cows","eat","grass"]}`,
		},
		{
			"A.8 test, success", `{"baz":"qux","foo":["a",2,"c"]}`,
			`[{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}]`, `{"baz":"qux","foo":["a",2,"c"]}`,
		},
		{"A.9 test, error", `{"baz":"qux"}`, `[{"op":"test","path":"/baz","value":"bar"}]`, ``},
		{"A.10 add a nested object", `{"foo":"bar"}`, `[{"op":"add","path":"/child","value":{"grandchild":{}}}]`, `{"foo":"bar","child":{"grandchild":{}}}`},
		{"A.11 ignore what is not known", `{"foo":"bar"}`, `[{"op":"add","path":"/baz","value":"qux","xyz":123}]`, `{"foo":"bar","baz":"qux"}`},
		{"A.12 add to what is not there", `{"foo":"bar"}`, `[{"op":"add","path":"/baz/bat","value":"qux"}]`, ``},
		{"A.14 ~ escapes", `{"/":9,"~1":10}`, `[{"op":"test","path":"/~01","value":10}]`, `{"/":9,"~1":10}`},
		{"A.15 strings are no numbers", `{"/":9,"~1":10}`, `[{"op":"test","path":"/~01","value":"10"}]`, ``},
		{"A.16 add an array", `{"foo":["bar"]}`, `[{"op":"add","path":"/foo/-","value":["abc","def"]}]`, `{"foo":["bar",["abc","def"]]}`},
	} {
		got, err := JSONPatch([]byte(tc.doc), []byte(tc.patch))
		if tc.want == "" && !errors.Is(err, ErrPatchFailed) || tc.want != "" && (err != nil || string(got) != tc.want) {
			t.Errorf("%s: got %s, %v; want %s", tc.name, got, err, tc.want)
		}
	}
	// A.13: a key twice in an operation is no strict JSON.
	_, err := JSONPatch([]byte(`{}`), []byte(`[{"op":"add","path":"/baz","value":"qux","op":"remove"}]`))
	if _, ok := errors.AsType[*Error](err); !ok {
		t.Errorf("A.13: %v", err)
	}
}

// API: "Members that are not touched keep their bytes."
func TestJSONPatchKeepsBytes(t *testing.T) {
	t.Parallel()
	const doc = " {\n  \"n\" : 1.50,\n  \"\\u0061\": \"\\u00e9<&>\",\n  \"list\": [ 1.0 , 2e0,\n3 ],\n  \"deep\": { \"x\":1 ,\"y\": { } }\n}\n"
	for _, tc := range []struct{ name, patch, old, with string }{
		{"nothing", `[]`, "", ""},
		{"test", `[{"op":"test","path":"/deep/y","value":{}},{"op":"test","path":"/list/1","value":2}]`, "", ""},
		{"replace", `[{"op":"replace","path":"/n","value": 2.0 }]`, "1.50", "2.0"},
		{"replace by another spelling of the key", `[{"op":"replace","path":"/a","value":null}]`, `"\u00e9<&>"`, "null"},
		{"add what is there", `[{"op":"add","path":"/n","value":"x"}]`, "1.50", `"x"`},
		{"add an element", `[{"op":"add","path":"/list/1","value":{"k" : 0}}]`, "1.0 ,", `1.0 ,{"k" : 0},`},
		{"add at the end", `[{"op":"add","path":"/list/-","value":4}]`, "\n3 ]", "\n3,4 ]"},
		{"add to nothing", `[{"op":"add","path":"/deep/y/<\"","value":4}]`, "{ }", `{"<\"":4 }`},
		{"replace an element", `[{"op":"replace","path":"/list/0","value":[]}]`, " 1.0 ", " [] "},
		{"remove an element", `[{"op":"remove","path":"/list/2"}]`, ",\n3", ""},
		{"remove below", `[{"op":"remove","path":"/deep/x"}]`, " \"x\":1 ,", ""},
		{"copy", `[{"op":"copy","from":"/list","path":"/deep/x"}]`, `"x":1`, "\"x\":[ 1.0 , 2e0,\n3 ]"},
		{"move", `[{"op":"move","from":"/deep/y","path":"/n"}]`, "", ""},
		{"move nowhere", `[{"op":"move","from":"/deep/y","path":"/deep/y"}]`, "", ""},
		{"the whole", `[{"op":"replace","path":"","value":{"w":1.0}}]`, strings.TrimSpace(doc), `{"w":1.0}`},
	} {
		want := strings.Replace(doc, tc.old, tc.with, 1)
		if tc.name == "move" {
			want = strings.Replace(strings.Replace(doc, "1.50", "{ }", 1), ",\"y\": { }", "", 1)
		}
		got, err := JSONPatch([]byte(doc), []byte(tc.patch))
		if err != nil || string(got) != want {
			t.Errorf("%s:\n got %q, %v\nwant %q", tc.name, got, err, want)
		}
	}
}

// API: "numbers compared as numbers": as decimals, not as doubles.
func TestJSONPatchComparesNumbersAsDecimals(t *testing.T) {
	t.Parallel()
	equal := [][]string{
		{"1", "1.0", "1e0", "10e-1", "0.1E+1", "100e-2", "1.000"},
		{"0", "-0", "0.0", "0e5", "-0e-99999999999999999999", "0e99999999999999999999"},
		{"-120", "-1.2e2", "-120.00", "-12e1"},
		{"9007199254740993", "9007199254740993.0", "9.007199254740993e15"},
		{"9007199254740992"},
		{"0.1"},
		{"0.10000000000000001"},
		{"1e-400", "10e-401"},
		{"1e-401"},
		{"-1"},
		{"1e2", "100"},
		{"1e-99999999999"},
		{`"1"`},
		{"true"},
		{"null"},
		{"[1]", "[ 1.0 ]"},
		{`{"a":1,"b":2}`, `{ "b":2.0, "\u0061":1 }`},
		{`"\u00e9"`, `"é"`},
		{"[1,2]"},
		{"[2,1]"},
		{"{}"},
		{`{"a":1}`},
		{`{"a":1,"c":2}`},
	}
	for i, left := range equal {
		for j, right := range equal {
			for _, a := range left {
				for _, b := range right {
					doc := []byte(`{"v":` + a + `}`)
					_, err := JSONPatch(doc, []byte(`[{"op":"test","path":"/v","value":`+b+`}]`))
					if same := err == nil; same != (i == j) {
						t.Errorf("%s and %s: equal %v, want %v", a, b, same, i == j)
					}
				}
			}
		}
	}
}

// The error says which operation it was, from 0, on what path, and whether the
// patch is wrong for every document (422) or does not apply to this one (409).
func TestJSONPatchErrors(t *testing.T) {
	t.Parallel()
	const doc = `{"a":{"b":[1,2]},"n":1}`
	for _, tc := range []struct {
		patch string
		kind  error
		want  string
	}{
		{`{"op":"add"}`, ErrPatchInvalid, `the JSON patch is not valid: it must be an array of operations, found an object`},
		{`[1]`, ErrPatchInvalid, `the JSON patch is not valid: operation 0: an operation must be an object, found a number`},
		{`[{}]`, ErrPatchInvalid, `the JSON patch is not valid: operation 0: "op" is missing`},
		{`[{"op":1}]`, ErrPatchInvalid, `the JSON patch is not valid: operation 0: "op" must be a string, found a number`},
		{`[{"op":"add"}]`, ErrPatchInvalid, `the JSON patch is not valid: operation 0 (add ""): "path" is missing`},
		{
			`[{"op":"inc","path":"/n","value":1}]`, ErrPatchInvalid,
			`the JSON patch is not valid: operation 0 (inc "/n"): unknown operation "inc": there are add, remove, replace, move, copy, test`,
		},
		{`[{"op":"add","path":"/x"}]`, ErrPatchInvalid, `the JSON patch is not valid: operation 0 (add "/x"): "value" is missing`},
		{`[{"op":"copy","path":"/x"}]`, ErrPatchInvalid, `the JSON patch is not valid: operation 0 (copy "/x"): "from" is missing`},
		{
			`[{"op":"add","path":"x","value":1}]`, ErrPatchInvalid,
			`the JSON patch is not valid: operation 0 (add ""): "path": a JSON pointer is empty or begins with '/', found "x"`,
		},
		{
			`[{"op":"remove","path":"/a~2"}]`, ErrPatchInvalid,
			`the JSON patch is not valid: operation 0 (remove ""): "path": '~' in a JSON pointer must be written ~0, and '/' in a key ~1, found "a~2"`,
		},
		{`[{"op":"remove","path":""}]`, ErrPatchInvalid, `the JSON patch is not valid: operation 0 (remove ""): the whole document cannot be removed by a patch: delete it`},
		{
			`[{"op":"move","from":"/a","path":"/a/b"}]`, ErrPatchInvalid,
			`the JSON patch is not valid: operation 0 (move "/a/b"): a value cannot be moved into itself`,
		},
		{`[{"op":"remove","path":"/n"},{"op":"remove","path":"/n"}]`, ErrPatchFailed, `the JSON patch does not apply: operation 1 (remove "/n"): there is no member "n"`},
		{`[{"op":"replace","path":"/x","value":1}]`, ErrPatchFailed, `the JSON patch does not apply: operation 0 (replace "/x"): there is no member "x"`},
		{`[{"op":"add","path":"/n/x","value":1}]`, ErrPatchFailed, `the JSON patch does not apply: operation 0 (add "/n/x"): "x" is looked for inside a number`},
		{`[{"op":"copy","from":"/n/x/y","path":"/z"}]`, ErrPatchFailed, `the JSON patch does not apply: operation 0 (copy "/z"): "x" is looked for inside a number`},
		{`[{"op":"add","path":"/a/b/3","value":1}]`, ErrPatchFailed, `the JSON patch does not apply: operation 0 (add "/a/b/3"): index "3" is beyond the end of the array`},
		{`[{"op":"remove","path":"/a/b/2"}]`, ErrPatchFailed, `the JSON patch does not apply: operation 0 (remove "/a/b/2"): index "2" is beyond the end of the array`},
		{`[{"op":"remove","path":"/a/b/-"}]`, ErrPatchFailed, `the JSON patch does not apply: operation 0 (remove "/a/b/-"): "-" is not an index of an array`},
		{`[{"op":"test","path":"/a/b/01","value":2}]`, ErrPatchFailed, `the JSON patch does not apply: operation 0 (test "/a/b/01"): "01" is not an index of an array`},
		{`[{"op":"test","path":"/a/b/-1","value":2}]`, ErrPatchFailed, `the JSON patch does not apply: operation 0 (test "/a/b/-1"): "-1" is not an index of an array`},
		{
			`[{"op":"test","path":"/a/b/99999999999999999999","value":2}]`, ErrPatchFailed,
			`the JSON patch does not apply: operation 0 (test "/a/b/99999999999999999999"): index "99999999999999999999" is beyond the end of the array`,
		},
		{`[{"op":"test","path":"/n","value":"1"}]`, ErrPatchFailed, `the JSON patch does not apply: operation 0 (test "/n"): the value is 1, not "1"`},
	} {
		_, err := JSONPatch([]byte(doc), []byte(tc.patch))
		if _, ok := errors.AsType[*PatchError](err); !ok || !errors.Is(err, tc.kind) || err.Error() != tc.want {
			t.Errorf("%s:\n got %v\nwant %s", tc.patch, err, tc.want)
		}
	}
	if _, err := JSONPatch([]byte(`[}`), []byte(`[]`)); !errors.Is(err, ErrBadDocument) {
		t.Errorf("a damaged document: %v", err)
	}
}

// HOUSE habit 7: "Every queue, page, body, script and retry has a named limit".
func TestJSONPatchLimits(t *testing.T) {
	t.Parallel()
	times := func(n int, operation string) []byte { return list(slices.Repeat([]string{operation}, n)) }
	test := `{"op":"test","path":"/a","value":1}`
	if _, err := JSONPatch([]byte(`{"a":1}`), times(MaxOperations, test)); err != nil {
		t.Errorf("%d operations: %v", MaxOperations, err)
	}
	_, err := JSONPatch([]byte(`{"a":1}`), times(MaxOperations+1, test))
	if !errors.Is(err, ErrPatchTooBig) {
		t.Errorf("%d operations: %v", MaxOperations+1, err)
	}
	// FAILURES 3: "bombs": each copy doubles the document; unbounded, forty of
	// them would make a terabyte.
	_, err = JSONPatch([]byte(`{"a":{"x":"0123456789"}}`), []byte(doublings(40)))
	if e, ok := errors.AsType[*PatchError](err); !ok || !errors.Is(e, ErrPatchTooBig) || e.Operation < 15 {
		t.Errorf("doublings: %v", err)
	}
	// Insertions at the front of a long array move all that is behind.
	long := `{"a":[` + strings.Repeat("0,", 500_000) + `0]}`
	_, err = JSONPatch([]byte(long), times(MaxOperations, `{"op":"add","path":"/a/0","value":1}`))
	if !errors.Is(err, ErrPatchTooBig) {
		t.Errorf("insertions at the front: %v", err)
	}
	if _, err = JSONPatch([]byte(long), times(MaxOperations, `{"op":"add","path":"/a/-","value":1}`)); err != nil {
		t.Errorf("insertions at the end: %v", err)
	}
	// A value may be as deep as a document may.
	deep := strings.Repeat(`{"a":`, MaxDepth) + "1" + strings.Repeat("}", MaxDepth)
	got, err := JSONPatch([]byte(`{}`), []byte(`[{"op":"add","path":"","value":`+deep+`}]`))
	if err != nil || string(got) != deep {
		t.Errorf("a value of %d levels: %v", MaxDepth, err)
	}
}

// A big object is searched by an index after some operations. Members that come
// and go are found in it, or not, as in a small one.
func TestJSONPatchOfBigObjects(t *testing.T) {
	t.Parallel()
	for _, n := range []int{2, linearKeys, 10 * linearKeys} {
		for _, looks := range []int{0, linearFinds - 1, linearFinds, 3 * linearFinds} {
			var doc strings.Builder
			for i := range n {
				fmt.Fprintf(&doc, `"k%d":%d,`, i, i)
			}
			body := []byte("{" + doc.String() + `"end":0}`)
			look := slices.Repeat([]string{step("test", "k1", 1)}, looks)
			steps := slices.Concat(look, []string{
				step("remove", "k1", 0), step("add", "new", 1), step("replace", "new", 2), step("add", "k1", 3),
				step("add", "k1", 4), step("remove", "new", 0), step("test", "k1", 4),
			})
			got, err := JSONPatch(body, list(steps))
			want := "{" + strings.Replace(doc.String(), `"k1":1,`, "", 1) + `"end":0,"k1":4}`
			if err != nil || string(got) != want {
				t.Errorf("%d members, %d looks before: %v; got\n%.200s\nwant\n%.200s", n, looks, err, got, want)
			}
			for _, gone := range []string{"k1", "new"} {
				after := slices.Repeat([]string{step("test", "k0", 0)}, looks)
				_, err := JSONPatch(body, list(slices.Concat(
					look, []string{step("add", "new", 0), step("remove", gone, 0)}, after, []string{step("test", gone, 0)})))
				if !errors.Is(err, ErrPatchFailed) || !strings.Contains(err.Error(), "there is no member") {
					t.Errorf("%d members, %d looks: %s is found after it went: %v", n, looks, gone, err)
				}
			}
		}
	}
}

func step(op, member string, value int) string {
	return fmt.Sprintf(`{"op":%q,"path":"/%s","value":%d}`, op, member, value)
}

func list(operations []string) []byte { return []byte("[" + strings.Join(operations, ",") + "]") }

// doublings copies the member a into itself, again and again.
func doublings(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,{"op":"copy","from":"/a","path":"/a/k%d"}`, i)
	}
	return "[" + b.String()[1:] + "]"
}
