package strictjson

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// RFC 7396, appendix A: every line of its table, with the bytes that this
// package gives.
func TestMergePatchRFCTable(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ doc, patch, want string }{
		{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
		{`{"a":"b"}`, `{"a":null}`, `{}`},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
		{`["a","b"]`, `["c","d"]`, `["c","d"]`},
		{`{"a":"b"}`, `["c"]`, `["c"]`},
		{`{"a":"foo"}`, `null`, `null`},
		{`{"a":"foo"}`, `"bar"`, `"bar"`},
		{`{"e":null}`, `{"a":1}`, `{"e":null,"a":1}`},
		{`[1,2]`, `{"a":"b","c":null}`, `{"a":"b"}`},
		{`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
	} {
		got, err := MergePatch([]byte(tc.doc), []byte(tc.patch))
		if err != nil || string(got) != tc.want {
			t.Errorf("%s with %s: got %s, %v; want %s", tc.doc, tc.patch, got, err, tc.want)
		}
	}
}

// API: "Members that are not touched keep their bytes."
func TestMergePatchKeepsBytes(t *testing.T) {
	t.Parallel()
	const doc = "{\n  \"n\" : 1.50,\n  \"big\": 9007199254740993,\n  \"\\u0061\": \"\\u00e9<&>\",\n  \"deep\": { \"x\":1 ,\"y\": [ 1,2 ] }\n}\n"
	for _, tc := range []struct{ name, patch, want string }{
		{"nothing", `{}`, doc},
		{"nothing below", `{"deep":{}}`, doc},
		{"absent", `{"zzz":null,"deep":{"q":null}}`, doc},
		{"replace", `{"n":2}`, strings.Replace(doc, "1.50", "2", 1)},
		{"replace, key by another spelling", `{"a":0}`, strings.Replace(doc, `"\u00e9<&>"`, "0", 1)},
		{"remove first", `{"n":null}`, strings.Replace(doc, "\n  \"n\" : 1.50,", "", 1)},
		{"remove last", `{"deep":null}`, strings.Replace(doc, ",\n  \"deep\": { \"x\":1 ,\"y\": [ 1,2 ] }", "", 1)},
		{"remove below", `{"deep":{"x":null}}`, strings.Replace(doc, " \"x\":1 ,", "", 1)},
		{"append", `{"new" : 1.0}`, strings.Replace(doc, "}\n}\n", "},\"new\":1.0\n}\n", 1)},
		{"append below", `{"deep":{"<":1e2}}`, strings.Replace(doc, "[ 1,2 ]", `[ 1,2 ],"<":1e2`, 1)},
		{"array as a whole", `{"deep":{"y":[ null, {"k":null} ]}}`, strings.Replace(doc, "[ 1,2 ]", `[ null, {"k":null} ]`, 1)},
		{"object for a scalar", `{"n":{"k" : 1, "gone":null}}`, strings.Replace(doc, "1.50", `{"k" : 1}`, 1)},
		{"all away", `{"n":null,"big":null,"a":null,"deep":null}`, "{\n}\n"},
	} {
		got, err := MergePatch([]byte(doc), []byte(tc.patch))
		if err != nil || string(got) != tc.want {
			t.Errorf("%s:\n got %q, %v\nwant %q", tc.name, got, err, tc.want)
		}
	}
}

// API: 400 for a body that is not strict JSON. A damaged stored document is
// not the client's mistake, so it is told apart.
func TestMergePatchErrors(t *testing.T) {
	t.Parallel()
	_, err := MergePatch([]byte(`{}`), []byte(`{"a":1,"a":2}`))
	if e, ok := errors.AsType[*Error](err); !ok || e.Column != 8 {
		t.Errorf("a patch with a key twice: %v", err)
	}
	_, err = MergePatch([]byte(`{`), []byte(`{}`))
	if _, ok := errors.AsType[*Error](err); ok || !errors.Is(err, ErrBadDocument) {
		t.Errorf("a damaged document: %v", err)
	}
	deep := strings.Repeat(`{"a":`, MaxDepth) + "1" + strings.Repeat("}", MaxDepth)
	if got, err := MergePatch([]byte(`{}`), []byte(deep)); err != nil || string(got) != deep {
		t.Errorf("a patch of %d levels: %v", MaxDepth, err)
	}
	if _, err = MergePatch([]byte(`{}`), []byte(`{"a":`+deep+`}`)); err == nil {
		t.Errorf("a patch of %d levels passes", MaxDepth+1)
	}
}

// A big object is found by an index after a few searches; the result is the
// same as of one patch a member.
func TestMergePatchOfBigObjects(t *testing.T) {
	t.Parallel()
	const n = 500
	var doc, patch, want strings.Builder
	for i := range n {
		fmt.Fprintf(&doc, ` "k%d": %d,`, i, i)
		switch i % 3 {
		case 0:
			fmt.Fprintf(&patch, `"k%d":null,"new%d":[%d],`, i, i, i)
		case 1:
			fmt.Fprintf(&patch, `"k%d":"x",`, i)
			fmt.Fprintf(&want, ` "k%d": "x",`, i)
		case 2:
			fmt.Fprintf(&want, ` "k%d": %d,`, i, i)
		}
	}
	want.WriteString(`"end":0`)
	for i := 0; i < n; i += 3 {
		fmt.Fprintf(&want, `,"new%d":[%d]`, i, i)
	}
	got, err := MergePatch([]byte("{"+doc.String()+`"end":0}`), []byte("{"+patch.String()+`"end":0}`))
	if err != nil || string(got) != "{"+want.String()+"}" {
		t.Errorf("%v; got\n%.300s\nwant\n{%.300s", err, got, want.String())
	}
}

// naiveMerge is the pseudo-code of RFC 7396, section 2, on decoded values.
func naiveMerge(target, patch any) any {
	change, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	object, ok := target.(map[string]any)
	if !ok {
		object = map[string]any{}
	}
	object = maps.Clone(object)
	for key, value := range change {
		if value == nil {
			delete(object, key)
		} else {
			object[key] = naiveMerge(object[key], value)
		}
	}
	return object
}

// The laws of a merge patch: it means what the RFC's pseudo-code means, doing
// it twice is doing it once, an empty one changes no byte, the result is strict
// JSON, and members that it does not name keep their bytes and their order.
func TestMergePatchLaws(t *testing.T) {
	t.Parallel()
	merge := func(t *rapid.T, doc, patch string) string {
		out, err := MergePatch([]byte(doc), []byte(patch))
		if err != nil {
			t.Fatalf("%q with %q: %v", doc, patch, err)
		}
		if err := Check(out, Limits{}); err != nil {
			t.Fatalf("%q with %q gives %q: %v", doc, patch, out, err)
		}
		return string(out)
	}
	rapid.Check(t, func(rt *rapid.T) {
		doc, patch := drawDocument(rt), drawDocument(rt)
		got := merge(rt, doc, patch)
		want := naiveMerge(plainValue(t, doc), plainValue(t, patch))
		if !reflect.DeepEqual(plainValue(t, got), want) {
			rt.Fatalf("%q with %q gives %q", doc, patch, got)
		}
		if again := merge(rt, got, patch); again != got {
			rt.Fatalf("%q with %q gives %q, then %q", doc, patch, got, again)
		}
		if same := merge(rt, doc, "{}"); same != doc {
			rt.Fatalf("%q became %q by nothing", doc, same)
		}
		keptBytes(rt, t, doc, patch, got)
	})
}

// keptBytes checks the members of a document that a patch does not name.
func keptBytes(rt *rapid.T, t *testing.T, doc, patch, got string) {
	before, rawBefore := rawMembers(t, doc)
	after, rawAfter := rawMembers(t, got)
	_, named := rawMembers(t, patch)
	untouched := func(keys []string) []string {
		return slices.DeleteFunc(slices.Clone(keys), func(k string) bool { _, ok := named[k]; return ok })
	}
	if !slices.Equal(untouched(before), untouched(after)) {
		rt.Fatalf("%q with %q gives %q: members came, went or moved", doc, patch, got)
	}
	for _, key := range untouched(before) {
		if rawBefore[key] != rawAfter[key] {
			rt.Fatalf("%q with %q gives %q: %q lost its bytes", doc, patch, got, key)
		}
	}
}

// encoding/json would not do: it is shown here why the bytes are edited.
func TestDecodingAndEncodingLosesBytes(t *testing.T) {
	t.Parallel()
	const doc = `{"z":1.0,"a":9007199254740993,"h":"<"}`
	var v map[string]any
	if err := json.Unmarshal([]byte(doc), &v); err != nil {
		t.Fatal(err)
	}
	if out, err := json.Marshal(v); err != nil || string(out) == doc {
		t.Errorf("got %s, %v: if this holds, MergePatch could be simpler", out, err)
	}
}
