package strictjson

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// DESIGN 3: "duplicate keys, invalid UTF-8, lone surrogates, numbers outside a
// double's range, and more than 64 levels are refused with a clear error". API:
// "not strict JSON (syntax with line:column, duplicate key, UTF-8, number
// range, depth)".
func TestCheckSaysWhereAndWhat(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ body, want string }{
		{``, `line 1, column 1: expected a value, found the end of the body`},
		{" \n ", `line 2, column 2: expected a value, found the end of the body`},
		{`{`, `line 1, column 2: expected a key in double quotes, found the end of the body`},
		{`{"a"`, `line 1, column 5: expected ':' after a key, found the end of the body`},
		{`{"a":`, `line 1, column 6: expected a value, found the end of the body`},
		{`{"a":1`, `line 1, column 7: expected ',' or '}' after a member, found the end of the body`},
		{`{"a":1,}`, `line 1, column 8: expected a key in double quotes, found '}'`},
		{`{'a':1}`, `line 1, column 2: expected a key in double quotes, found '\''`},
		{`{"a" 1}`, `line 1, column 6: expected ':' after a key, found '1'`},
		{`{"a":1 "b":2}`, `line 1, column 8: expected ',' or '}' after a member, found '"'`},
		{`{"a":[1 2]}`, `line 1, column 9: expected ',' or ']' after an element, found '2'`},
		{`{"a":[1,]}`, `line 1, column 9: expected a value, found ']'`},
		{"{\n  \"ключ\": flase\n}", `line 2, column 12: expected "false", found 'l'`},
		{`{"a":nul}`, `line 1, column 9: expected "null", found '}'`},
		{`{"a":NaN}`, `line 1, column 6: expected a value, found 'N'`},
		{`{"a":01}`, `line 1, column 6: a number with a leading zero`},
		{`{"a":-}`, `line 1, column 7: expected a digit, found '}'`},
		{`{"a":1.}`, `line 1, column 8: expected a digit after '.', found '}'`},
		{`{"a":1e+}`, `line 1, column 9: expected a digit of the exponent, found '}'`},
		{`{"a":"`, `line 1, column 7: expected '"' to end a string, found the end of the body`},
		{"{\"a\":\"x\ty\"}", `line 1, column 8: a control character in a string: write it as \u0009`},
		{`{"a":"\x"}`, `line 1, column 8: expected one of "\/bfnrtu after a backslash, found 'x'`},
		{`{"a":"\u12g4"}`, `line 1, column 11: expected four hexadecimal digits after \u, found 'g'`},
		{`{"a":"\`, `line 1, column 8: expected the rest of an escape, found the end of the body`},
		{`{} x`, `line 1, column 4: expected the end of the body, found 'x'`},
		{`{}{}`, `line 1, column 3: expected the end of the body, found '{'`},
		{"\ufeff{}", `line 1, column 1: a byte order mark: send UTF-8 without one`},
		{"{\"a\":\n\"é\xff\"}", `line 2, column 3: invalid UTF-8`},
		{"{\"a\":\"\xed\xa0\x80\"}", `line 1, column 7: invalid UTF-8`}, // a surrogate as bytes
		{`{"a":"\ud800"}`, `line 1, column 7: a lone surrogate \ud800: surrogates come in pairs, high then low`},
		{`{"a":"\udc00\ud800"}`, `line 1, column 7: a lone surrogate \udc00: surrogates come in pairs, high then low`},
		{`{"a":"\ud800A"}`, `line 1, column 7: a lone surrogate \ud800: surrogates come in pairs, high then low`},
		{`{"\ud800":1}`, `line 1, column 3: a lone surrogate \ud800: surrogates come in pairs, high then low`},
		{`{"a":1e400}`, `line 1, column 6: a number outside the range of a double: send it as a string`},
		{`{"a":[0,-1E309]}`, `line 1, column 9: a number outside the range of a double: send it as a string`},
		{`{"a":1,"b":2,"a":3}`, `line 1, column 14: duplicate key "a", first at line 1, column 2`},
		{"{\"a\":1,\n \"\\u0061\":3}", `line 2, column 2: duplicate key "a", first at line 1, column 2`},
		{`{"x":[{"k":1,"k":1}]}`, `line 1, column 14: duplicate key "k", first at line 1, column 8`},
		{`{"":1,"":2}`, `line 1, column 7: duplicate key "", first at line 1, column 2`},
	} {
		err := Check([]byte(tc.body), Limits{})
		if _, ok := errors.AsType[*Error](err); !ok || err.Error() != tc.want {
			t.Errorf("%q:\n got %v\nwant %s", tc.body, err, tc.want)
		}
	}
}

// API: "422: well-formed but wrong: not an object".
func TestCheckTellsNotAnObjectFromBadJSON(t *testing.T) {
	t.Parallel()
	for body, kind := range map[string]string{
		`[1]`: "an array", ` "x"`: "a string", `0`: "a number", `-1.5e3`: "a number",
		`true`: "a boolean", `false`: "a boolean", `null`: "null",
	} {
		err := Check([]byte(body), Limits{})
		if !errors.Is(err, ErrNotObject) || !strings.HasSuffix(err.Error(), "found "+kind) {
			t.Errorf("%s: got %v, want ErrNotObject with %q", body, err, kind)
		}
	}
	for _, body := range []string{`[1e400]`, `[{"a":1,"a":2}]`, `[1`, `nul`, `"\ud800"`} {
		if err := Check([]byte(body), Limits{}); err == nil || errors.Is(err, ErrNotObject) {
			t.Errorf("%s: got %v, want an *Error: it is not JSON to begin with", body, err)
		}
	}
}

// DESIGN 3: "more than 64 levels are refused". The document's own object is
// the first level; arrays count like objects.
func TestCheckCountsLevels(t *testing.T) {
	t.Parallel()
	nested := func(levels int, open, shut string) []byte {
		return []byte(`{"a":` + strings.Repeat(open, levels-1) + "1" + strings.Repeat(shut, levels-1) + "}")
	}
	for _, pair := range [][2]string{{`{"a":`, "}"}, {"[", "]"}} {
		if err := Check(nested(MaxDepth, pair[0], pair[1]), Limits{}); err != nil {
			t.Errorf("64 levels of %s: %v", pair[0], err)
		}
		err := Check(nested(MaxDepth+1, pair[0], pair[1]), Limits{})
		if e, ok := errors.AsType[*Error](err); !ok || e.Reason != "more than 64 levels of objects and arrays" {
			t.Errorf("65 levels of %s: %v", pair[0], err)
		}
		if err := Check(nested(3, pair[0], pair[1]), Limits{Depth: 2}); err == nil {
			t.Errorf("3 levels of %s pass a limit of 2", pair[0])
		}
	}
	// Levels are counted where they are open: many side by side are no depth.
	if err := Check([]byte(`{"a":[`+strings.Repeat("[],", 1000)+`{}]}`), Limits{Depth: 3}); err != nil {
		t.Error(err)
	}
	// FAILURES 3: "bombs: depth". A refused body is not walked to its end.
	if err := Check([]byte(strings.Repeat("[", 1<<20)), Limits{}); err == nil {
		t.Error("a million open brackets pass")
	}
}

// DESIGN 3: "duplicate keys … are refused", wherever they stand and however
// many keys an object has: few are compared each with each, many by a map, and
// objects inside one another share the room for the few.
func TestCheckFindsEveryDuplicate(t *testing.T) {
	t.Parallel()
	for _, n := range []int{2, linearKeys - 1, linearKeys, linearKeys + 1, openKeys, openKeys + 1, 300} {
		for _, outer := range []int{0, 1, linearKeys - 1, openKeys - linearKeys, openKeys} {
			for _, twice := range []int{0, (n - 2) / 2, n - 2} {
				body := keysWithDuplicate(outer, n, twice)
				err := Check([]byte(body), Limits{})
				want := fmt.Sprintf("duplicate key %q, first at line %d, column 1", fmt.Sprint("key", twice), twice+2)
				if e, ok := errors.AsType[*Error](err); !ok || e.Reason != want || e.Line != n+1 {
					t.Errorf("%d keys in %d: got %v, want line %d: %s", n, outer, err, n+1, want)
				}
				sound := strings.Replace(body, fmt.Sprintf("\n\"key%d\"", twice), "\n\"other\"", 1)
				if err := Check([]byte(sound), Limits{}); err != nil {
					t.Errorf("%d keys in %d: %v", n, outer, err)
				}
			}
		}
	}
}

// A key keeps its meaning when it comes to stand in a map, whether it was
// written with escapes or not, and whichever spelling came first.
func TestCheckFindsDuplicatesInEverySpelling(t *testing.T) {
	t.Parallel()
	for _, at := range []int{0, 1, linearKeys, 200} {
		for _, twice := range [][2]string{{`k\u0061`, `ka`}, {`ka`, `k\u0061`}, {`k\n`, `k\u000A`}, {`k\"\\`, `\u006b\u0022\u005C`}} {
			var b strings.Builder
			for i := range 300 {
				if i == at {
					fmt.Fprintf(&b, "\"%s\":0,", twice[0])
				}
				fmt.Fprintf(&b, "\"%d\":0,", i)
			}
			if err := Check([]byte("{"+b.String()+"\"end\":0}"), Limits{}); err != nil {
				t.Errorf("%q at %d, once: %v", twice[0], at, err)
			}
			err := Check([]byte("{"+b.String()+"\""+twice[1]+"\":0}"), Limits{})
			if e, ok := errors.AsType[*Error](err); !ok || !strings.HasPrefix(e.Reason, "duplicate key") {
				t.Errorf("%q at %d, then %q: %v", twice[0], at, twice[1], err)
			}
		}
	}
}

// keysWithDuplicate puts an object of n keys, one a line, into one with outer
// keys; the last of the n repeats one of the others, in another spelling.
func keysWithDuplicate(outer, n, twice int) string {
	var b strings.Builder
	b.WriteString("{")
	for i := range outer {
		fmt.Fprintf(&b, `"key%d":0,`, i) // the same names one level up are no duplicates
	}
	b.WriteString(`"inner":{`)
	for i := range n - 1 {
		fmt.Fprintf(&b, "\n\"key%d\":{\"key0\":%d},", i, i)
	}
	fmt.Fprintf(&b, "\n\"\\u006bey%d\":0}}", twice)
	return b.String()
}

// HOUSE: the check is on the path of every write; a document of ordinary shape
// must not cost garbage.
func TestCheckDoesNotAllocate(t *testing.T) {
	body := smallDocument()
	if n := testing.AllocsPerRun(100, func() {
		if err := Check(body, Limits{}); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations for a sound document of %d bytes, want none", n, len(body))
	}
}

// FAILURES 3: "bombs: depth, keys": keys made to look alike to a cheap
// fingerprint are still told apart. (20,000 of them, each compared with each,
// would take this test seconds.)
func TestCheckToldApartByMoreThanTheFingerprint(t *testing.T) {
	t.Parallel()
	middle := func(i int) string { return fmt.Sprintf("aaaaaaaa%06dzzzzzzzz", i) }
	if fingerprint([]byte(middle(1))) != fingerprint([]byte(middle(2))) {
		t.Fatal("the keys of this test must share their fingerprint")
	}
	for _, n := range []int{20, 20_000} {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `%q:0,`, middle(i))
		}
		if err := Check([]byte("{"+b.String()+`"end":0}`), Limits{}); err != nil {
			t.Error(err)
		}
		if err := Check([]byte("{"+b.String()+`"`+middle(n/2)+`":0}`), Limits{}); err == nil {
			t.Errorf("%d keys: a duplicate passes", n)
		}
	}
}

// An error repeats what a client sent; a long key does not make it long.
func TestErrorsQuoteLongKeysInPart(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 10_000)
	err := Check([]byte(`{"`+long+`":1,"`+long+`":2}`), Limits{})
	if err == nil || len(err.Error()) > 300 || !strings.Contains(err.Error(), `é"…`) {
		t.Errorf("got %v", err)
	}
}
