package rest

import (
	"fmt"
	"strings"
	"testing"
)

// "bulk with a filter and dry_run": the filter may name conflicts, and then no
// other is touched. What is not open any more gets its line.
func TestResolveNamed(t *testing.T) {
	s := newStand(t, nil)
	for i, id := range []string{"x", "y", "z"} {
		s.meet(id, `{"n":1}`, `{"n":2}`, uint64(i+1), early)
	}
	ids := map[string]string{}
	planned, _ := s.resolveAll(`{"pick":"newest","dry_run":true}`)
	for _, line := range planned {
		ids[string(line.ID)] = line.Conflict
	}
	named := func(names ...string) string {
		var out []string
		for _, name := range names {
			id, ok := ids[name]
			if !ok {
				id = name
			}
			out = append(out, `"`+id+`"`)
		}
		return `"conflicts":[` + strings.Join(out, ",") + "]"
	}
	for _, c := range []struct{ body, want string }{
		{`{"pick":"oldest","dry_run":true,"filter":{` + named("z", "x") + `}}`, "z:200 x:200 ok 2 failed 0 more false"},
		{`{"pick":"oldest","dry_run":true,"filter":{` + named() + `}}`, "ok 0 failed 0 more false"},
		{`{"pick":"oldest","dry_run":true,"limit":1,"filter":{` + named("z", "x") + `}}`, "z:200 ok 1 failed 0 more true"},
		{`{"pick":"oldest","dry_run":true,"filter":{"c":"others",` + named("z") + `}}`, "ok 0 failed 0 more false"},
		{`{"pick":"oldest","dry_run":true,"filter":{"policy":"manual",` + named("z") + `}}`, "ok 0 failed 0 more false"},
		{`{"pick":"oldest","filter":{` + named("y") + `}}`, "y:200 ok 1 failed 0 more false"},
		{`{"pick":"oldest","filter":{` + named("y", nobodys, "x") + `}}`, "y:409 :404 x:200 ok 1 failed 2 more false"},
	} {
		lines, last := s.resolveAll(c.body)
		got := ""
		for _, line := range lines {
			got += fmt.Sprintf("%s:%d ", line.ID, line.Status)
		}
		if got += fmt.Sprintf("ok %v failed %v more %v", last["ok"], last["failed"], last["more"]); got != c.want {
			t.Errorf("%s: %s, want %s", c.body, got, c.want)
		}
	}
	if _, _, meta := s.inbox(""); fmt.Sprint(meta) != "map[open:1 records:2]" {
		t.Errorf("afterwards: %v", meta)
	}
	many := strings.TrimSuffix(strings.Repeat(`"`+nobodys+`",`, MaxResolve+1), ",")
	for _, bad := range []string{`"x"`, `null`, `["x"]`, `[1]`, `["` + nobodys + `","` + nobodys + `"]`, "[" + many + "]"} {
		if a := s.must(422, "POST", "/v1/conflicts/resolve", `{"pick":"newest","filter":{"conflicts":`+bad+`}}`); a.code(t) != "invalid" {
			t.Errorf("%.60s: %s", bad, a.body)
		}
	}
}
