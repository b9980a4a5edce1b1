package script

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Issue 4, point 4: "same, changed, failed, with both results and a diff".
func TestDiff(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ before, after, want string }{
		{`{"a":1}`, `{"a":1}`, ""},
		{`{"a":1,"b":2}`, ` { "b" : 2.0, "a" : 10e-1 } `, ""},
		{`{"a":"\u00e9"}`, `{"a":"é"}`, ""},
		{`{"balance":20}`, `{"balance":-30}`, "/balance: 20 -> -30"},
		{`{"a":1}`, `{"b":1}`, "/a: 1 -> ; /b:  -> 1"},
		{`{"a":{"b":{"c":1}}}`, `{"a":{"b":{"c":2}}}`, "/a/b/c: 1 -> 2"},
		{`{"a/b":{"~":1}}`, `{"a/b":{"~":2}}`, "/a~1b/~0: 1 -> 2"},
		{`{"a":[1,2,3]}`, `{"a":[1,5]}`, "/a/1: 2 -> 5; /a/2: 3 -> "},
		{`{"a":[]}`, `{"a":{}}`, "/a: [] -> {}"},
		{`{"a":null}`, `{}`, "/a: null -> "},
		{`{"a":1}`, `{"a":"1"}`, `/a: 1 -> "1"`},
		{`{"a":true}`, `{"a":false}`, "/a: true -> false"},
		{`{"a":0.1}`, `{"a":0.1000000000000000055}`, "/a: 0.1 -> 0.1000000000000000055"},
		{``, `{"a":1}`, `:  -> {"a":1}`},
		{`{"a":1}`, ``, `: {"a":1} -> `},
		{``, ``, ""},
	} {
		changes, more, err := Diff([]byte(c.before), []byte(c.after))
		var got []string
		for _, ch := range changes {
			got = append(got, fmt.Sprintf("%s: %s -> %s", ch.Path, ch.Before, ch.After))
		}
		if err != nil || more || strings.Join(got, "; ") != c.want {
			t.Errorf("%s to %s: %q %v %v, want %q", c.before, c.after, got, more, err, c.want)
		}
	}
}

func TestDiffLimits(t *testing.T) {
	t.Parallel()
	list := func(n int, v string) []byte {
		return []byte(`{"a":[` + strings.Repeat(v+",", n-1) + v + `]}`)
	}
	changes, more, err := Diff(list(MaxChanges, "1"), list(MaxChanges, "2"))
	if err != nil || more || len(changes) != MaxChanges {
		t.Errorf("%d changes, more %v: %v", len(changes), more, err)
	}
	changes, more, err = Diff(list(MaxChanges+1, "1"), list(MaxChanges+1, "2"))
	if err != nil || !more || len(changes) != MaxChanges {
		t.Errorf("%d changes, more %v: %v", len(changes), more, err)
	}
	deep := func(v string) []byte {
		return []byte(strings.Repeat(`{"a":`, MaxDepth+2) + v + strings.Repeat("}", MaxDepth+2))
	}
	if _, _, err := Diff(deep("1"), deep("2")); err == nil {
		t.Error("no limit of depth")
	}
	for _, bad := range []string{`{"a":`, `{"a":[1,}`, `{"a":"\x"}`} {
		if _, _, err := Diff([]byte(bad), []byte(bad+" ")); err != nil {
			t.Errorf("%s is equal to itself: %v", bad, err)
		}
		if _, _, err := Diff([]byte(`{"a":"x"}`), []byte(bad)); err == nil {
			t.Errorf("%s is taken for JSON", bad)
		}
	}
}

// A diff is empty for one value in two spellings only, and turns round when its
// arguments are exchanged.
func TestDiffLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := []byte(drawObject(t, 0)), []byte(drawObject(t, 0))
		there, _, err := Diff(a, b)
		if err != nil {
			t.Fatal(err)
		}
		back, _, err := Diff(b, a)
		if err != nil {
			t.Fatal(err)
		}
		turnedRound := func(x, y Change) bool {
			return x.Path == y.Path && string(x.Before) == string(y.After) && string(x.After) == string(y.Before)
		}
		if !slices.EqualFunc(there, back, turnedRound) {
			t.Fatalf("%s and %s: %+v, %+v", a, b, there, back)
		}
		c, err := turned(&Conflict{Siblings: []Sibling{{Doc: a}}})
		if err != nil {
			t.Fatal(err)
		}
		for _, change := range must(Diff(a, c.Siblings[0].Doc)) {
			if !sameDouble(change.Before, change.After) {
				t.Fatalf("%s and %s: %+v", a, c.Siblings[0].Doc, change)
			}
		}
	})
}

func must(changes []Change, _ bool, err error) []Change {
	if err != nil {
		panic(err)
	}
	return changes
}
