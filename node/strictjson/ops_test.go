package strictjson_test

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/syncline/syncline/node/strictjson"
)

// "{"inc":{"/balance":-100},"append":…,"add_to_set":…,"remove":…}" (API, ops).
// Members that are not touched keep their bytes.
func TestOps(t *testing.T) {
	for _, c := range []struct{ doc, ops, want string }{
		{`{ "balance": 120 , "x":1.0}`, `{"inc":{"/balance":-100}}`, `{ "balance": 20 , "x":1.0}`},
		{`{"n":0.1}`, `{"inc":{"/n":0.2}}`, `{"n":0.3}`},
		{`{"n":9007199254740993}`, `{"inc":{"/n":1}}`, `{"n":9007199254740994}`},
		{`{"n":1.50}`, `{"inc":{"/n":0.25}}`, `{"n":1.75}`},
		{`{"n":1.50}`, `{"inc":{"/n":0.50}}`, `{"n":2}`},
		{`{"n":5}`, `{"inc":{"/n":-5.0}}`, `{"n":0}`},
		{`{"n":1e3}`, `{"inc":{"/n":1e-2}}`, `{"n":1000.01}`},
		{`{"n":-7}`, `{"inc":{"/n":0}}`, `{"n":-7}`},
		{`{"n":1e50}`, `{"inc":{"/n":1e50}}`, `{"n":2e50}`},
		{`{"n":1e-50}`, `{"inc":{"/n":1e-50}}`, `{"n":2e-50}`},
		{`{}`, `{"inc":{"/n":3}}`, `{"n":3}`},
		{`{"a":{"b":[1,2]}}`, `{"inc":{"/a/b/1":5}}`, `{"a":{"b":[1,7]}}`},
		{`{"log":[ 1 ]}`, `{"append":{"/log":[2,[3]]}}`, `{"log":[ 1,2,[3] ]}`},
		{`{}`, `{"append":{"/log":["a"]},"add_to_set":{"/tags":["x","x"]}}`, `{"log":["a"],"tags":["x"]}`},
		{`{"tags":["x",1.0]}`, `{"add_to_set":{"/tags":["y","x",1]}}`, `{"tags":["x",1.0,"y"]}`},
		{`{"tags":["x","y","x",1.0]}`, `{"remove":{"/tags":["x",1,"z"]}}`, `{"tags":["y"]}`},
		{`{"tags":[{"a":1,"b":2}]}`, `{"remove":{"/tags":[{"b":2,"a":1.0}]}}`, `{"tags":[]}`},
		{`{"n":1,"a/b":[]}`, `{"remove":{"/a~1b":["q"]},"inc":{"/n":1}}`, `{"n":2,"a/b":[]}`},
	} {
		got, err := strictjson.Ops([]byte(c.doc), []byte(c.ops))
		if err != nil || string(got) != c.want {
			t.Errorf("%s on %s: %s, %v, want %s", c.ops, c.doc, got, err, c.want)
		}
	}
}

// What is wrong is said, with where, and nothing is carried out.
func TestOpsErrors(t *testing.T) {
	for _, c := range []struct {
		doc, ops string
		kind     error
		words    string
	}{
		{`{}`, `[]`, strictjson.ErrPatchInvalid, "must be an object"},
		{`{}`, `{}`, strictjson.ErrPatchInvalid, "0 operations"},
		{`{}`, `{"inc":{}}`, strictjson.ErrPatchInvalid, "0 operations"},
		{`{}`, `{"inc":{"/n":1},"dec":{"/n":1}}`, strictjson.ErrPatchInvalid, `unknown operation "dec"`},
		{`{}`, `{"inc":["/n"]}`, strictjson.ErrPatchInvalid, "JSON pointers"},
		{`{}`, `{"inc":{"n":1}}`, strictjson.ErrPatchInvalid, "begins with '/'"},
		{`{}`, `{"inc":{"":1}}`, strictjson.ErrPatchInvalid, "whole document"},
		{`{}`, `{"inc":{"/n":"1"}}`, strictjson.ErrPatchInvalid, "wants a number"},
		{`{}`, `{"append":{"/n":"1"}}`, strictjson.ErrPatchInvalid, "wants an array"},
		{`{"n":"7"}`, `{"inc":{"/n":1}}`, strictjson.ErrPatchFailed, "a number there"},
		{`{"n":7}`, `{"append":{"/n":[1]}}`, strictjson.ErrPatchFailed, "an array there"},
		{`{}`, `{"inc":{"/a/b":1}}`, strictjson.ErrPatchFailed, `no member "a"`},
		{`{"n":[]}`, `{"inc":{"/n/-":1}}`, strictjson.ErrPatchFailed, "not an index"},
		{`{"n":1e308}`, `{"inc":{"/n":1e308}}`, strictjson.ErrPatchFailed, "range of a double"},
		{`{"n":1e308}`, `{"inc":{"/n":1e-308}}`, strictjson.ErrPatchFailed, "digits"},
		{`{"n":0e999999999}`, `{"inc":{"/n":1}}`, nil, ""},
	} {
		got, err := strictjson.Ops([]byte(c.doc), []byte(c.ops))
		if !errors.Is(err, c.kind) || err != nil && !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s on %s: %s, %v, want %v with %q", c.ops, c.doc, got, err, c.kind, c.words)
		}
	}
	many := `{"inc":{"/n0":1`
	for i := range strictjson.MaxOperations {
		many += fmt.Sprintf(`,"/n%d":1`, i+1)
	}
	if _, err := strictjson.Ops([]byte(`{}`), []byte(many+`}}`)); !errors.Is(err, strictjson.ErrPatchInvalid) {
		t.Errorf("too many: %v", err)
	}
	var syntax *strictjson.Error
	if _, err := strictjson.Ops([]byte(`{}`), []byte(`{"inc":{"/n":01}}`)); !errors.As(err, &syntax) {
		t.Errorf("%v", err)
	}
}

// "Exact decimals (no float drift)" (issue 4): against a naive twin, and back.
func TestIncIsExact(t *testing.T) {
	number := rapid.StringMatching(`-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,10})?([eE][+-]?[0-9]{1,2})?`)
	rapid.Check(t, func(t *rapid.T) {
		have, by := number.Draw(t, "have"), number.Draw(t, "by")
		doc, err := strictjson.Ops(fmt.Appendf(nil, `{"n":%s}`, have), fmt.Appendf(nil, `{"inc":{"/n":%s}}`, by))
		if err != nil {
			t.Fatal(err)
		}
		text := strings.TrimSuffix(strings.TrimPrefix(string(doc), `{"n":`), "}")
		if err := strictjson.Check(doc, strictjson.Limits{Depth: 4}); err != nil {
			t.Fatalf("%s: %v", doc, err)
		}
		x, _ := new(big.Rat).SetString(have)
		y, _ := new(big.Rat).SetString(by)
		sum, ok := new(big.Rat).SetString(text)
		if !ok || sum.Cmp(x.Add(x, y)) != 0 {
			t.Fatalf("%s and %s are %s", have, by, text)
		}
		// One number has one form, whichever way it was reached.
		minus := "-" + by
		if strings.HasPrefix(by, "-") {
			minus = by[1:]
		}
		back, err := strictjson.Ops(doc, fmt.Appendf(nil, `{"inc":{"/n":%s}}`, minus))
		if err != nil {
			t.Fatal(err)
		}
		same, err := strictjson.Ops(fmt.Appendf(nil, `{"n":%s}`, have), []byte(`{"inc":{"/n":0}}`))
		if err != nil || string(same) != string(back) {
			t.Fatalf("%s and %s", back, same)
		}
	})
}

// add_to_set is idempotent, and remove takes back what it did.
func TestSetOps(t *testing.T) {
	some := rapid.SliceOfN(rapid.SampledFrom([]string{"1", "1.0", `"a"`, "null", `{"x":1}`}), 0, 4)
	rapid.Check(t, func(t *rapid.T) {
		list := "[" + strings.Join(some.Draw(t, "elements"), ",") + "]"
		doc := []byte(`{"tags":["z"]}`)
		apply := func(doc []byte, op string) []byte {
			out, err := strictjson.Ops(doc, fmt.Appendf(nil, `{%q:{"/tags":%s}}`, op, list))
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		once := apply(doc, "add_to_set")
		if twice := apply(once, "add_to_set"); string(twice) != string(once) {
			t.Fatalf("%s, then %s", once, twice)
		}
		if back := apply(once, "remove"); string(back) != string(doc) {
			t.Fatalf("%s, then %s", once, back)
		}
	})
}
