package merge_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/syncline/syncline/conflict/merge"
)

// API, errors: "422 well-formed but wrong: … configuration": each says what is
// wrong, and where.
func TestRulesThatAreWrong(t *testing.T) {
	t.Parallel()
	many := map[string]string{}
	for i := range merge.MaxRules + 1 {
		many["/"+strings.Repeat("x", i+1)] = "lww"
	}
	tooMany, err := json.Marshal(many)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ rules, rest, want string }{
		{`{"/a": "sums"}`, "", `"/a": "sums" is none of lww`},
		{`{"a": "sum"}`, "", `"a" is no JSON pointer`},
		{`{"": "lww"}`, "", `"" is no JSON pointer`},
		{`{"/a~2": "lww"}`, "", `~ only in ~0 and ~1`},
		{`{"/a": "lww", "/a/b": "sum"}`, "", `"/a" is taken apart by a rule for a path inside of it`},
		{`["/a"]`, "", `want an object of JSON pointers and rules`},
		{`{"/a": 1}`, "", `want an object of JSON pointers and rules`},
		{`{}`, "sum", `default: "sum" is none of`},
		{`{}`, "newest", `default: "newest" is none of`},
		{`{"` + strings.Repeat("/x", merge.MaxSteps+1) + `": "lww"}`, "", `steps: at most 16`},
		{string(tooMany), "", `65 paths: at most 64`},
	} {
		if _, err := merge.ParseRules(json.RawMessage(c.rules), c.rest); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.60s %q: got %v, want %q", c.rules, c.rest, err, c.want)
		}
	}
}
