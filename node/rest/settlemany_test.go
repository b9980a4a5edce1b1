package rest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/syncline/syncline/conflict"
)

// resolveAll sends a request about many conflicts, and returns its lines.
func (s *stand) resolveAll(body string) (lines []resolveLine, last map[string]any) {
	s.t.Helper()
	a := s.must(200, "POST", "/v1/conflicts/resolve", body)
	if got := a.header.Get("Content-Type"); got != "application/x-ndjson" {
		s.t.Errorf("Content-Type %s", got)
	}
	texts := strings.Split(strings.TrimSpace(string(a.body)), "\n")
	for _, text := range texts[:len(texts)-1] {
		var line resolveLine
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			s.t.Fatalf("%s: %v", text, err)
		}
		lines = append(lines, line)
	}
	if err := json.Unmarshal([]byte(texts[len(texts)-1]), &last); err != nil {
		s.t.Fatal(err)
	}
	return lines, last
}

// "resolve … bulk with a filter and dry_run": which is what would happen, and
// changes nothing.
func TestResolveMany(t *testing.T) {
	for _, c := range []struct{ pick, want string }{
		{`"newest"`, "x:own y:own z:own"},
		{`"oldest"`, "x:other y:other z:other"},
		{`{"node":"a"}`, "x:other y:other z:other"},
		{`{"node":"b"}`, "x:own y:own z:own"},
	} {
		s := newStand(t, nil)
		who := map[string]string{}
		for i, id := range []string{"x", "y", "z"} {
			_, own, other := s.meet(id, `{"n":1}`, `{"n":2}`, uint64(i+1), early)
			who[own], who[other] = "own", "other"
		}
		before := s.state()
		planned, last := s.resolveAll(`{"pick":` + c.pick + `,"dry_run":true}`)
		if s.state() != before || last["dry_run"] != true || last["ok"] != 3.0 {
			t.Errorf("%s: a dry run changed something, or says %v", c.pick, last)
		}
		lines, last := s.resolveAll(`{"pick":` + c.pick + `,"reason":"a rule of ours"}`)
		var got []string
		for i, line := range lines {
			got = append(got, fmt.Sprintf("%s:%s", line.ID, who[*line.Pick]))
			if *planned[i].Pick != *line.Pick || planned[i].Dot != nil || line.Dot == nil || line.Status != 200 || line.Same != (who[*line.Pick] == "own") {
				t.Errorf("%s: planned %+v, done %+v", c.pick, planned[i], line)
			}
			if m := s.must(200, "GET", "/v1/conflicts/"+line.Conflict, "").object(t); m["by"] != "person" || m["reason"] != "a rule of ours" {
				t.Errorf("on record: %v", m)
			}
		}
		if strings.Join(got, " ") != c.want || fmt.Sprint(last) != "map[done:true dry_run:false failed:0 more:false ok:3 skipped:0]" {
			t.Errorf("%s: %v %v", c.pick, got, last)
		}
		if _, _, meta := s.inbox(""); fmt.Sprint(meta) != "map[open:0 records:3]" {
			t.Errorf("afterwards: %v", meta)
		}
	}
}

// Filters leave out, a limit ends, and what no sibling fits stays open.
func TestResolveSome(t *testing.T) {
	s := newStand(t, nil)
	s.must(201, "PUT", "/v1/collections/others", `{"policy":{"kind":"manual"}}`)
	for i, id := range []string{"x", "y"} {
		s.meet(id, `{"n":1}`, `{"n":2}`, uint64(2*i+1), early)
		s.must(201, "PUT", "/v1/docs/others/"+id, `{"n":1}`)
		s.arrive(conflict.Key{Collection: "others", ID: conflict.DocID(id)}, "", uint64(2*i+2), early)
	}
	for body, want := range map[string]string{
		`{"pick":"newest","dry_run":true,"filter":{"c":"others"}}`:                    "[others/x others/y] 2 0 false",
		`{"pick":"newest","dry_run":true,"filter":{"policy":"lww"}}`:                  "[accounts/x accounts/y] 2 0 false",
		`{"pick":"newest","dry_run":true,"filter":{"policy":"script"}}`:               "[] 0 0 false",
		`{"pick":"newest","dry_run":true,"limit":3}`:                                  "[accounts/x accounts/y others/x] 3 0 true",
		`{"pick":"newest","dry_run":true,"limit":4,"filter":{}}`:                      "[accounts/x accounts/y others/x others/y] 4 0 false",
		`{"pick":{"node":"c"},"filter":{"c":"others"}}`:                               "[others/x others/y] 0 2 false",
		`{"pick":{"node":"c"},"dry_run":true,"limit":1,"filter":{"policy":"manual"}}`: "[others/x] 0 1 true",
	} {
		lines, last := s.resolveAll(body)
		got := []string{}
		for _, line := range lines {
			got = append(got, fmt.Sprintf("%s/%s", line.Collection, line.ID))
		}
		if got := fmt.Sprintf("%v %v %v %v", got, last["ok"], last["skipped"], last["more"]); got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
	// A tombstone is a value like any other.
	s.resolveAll(`{"pick":"oldest","filter":{"c":"others"}}`)
	if a := s.must(404, "GET", "/v1/docs/others/x", ""); a.code(t) != "deleted" {
		t.Errorf("others/x: %s", a.body)
	}
}

// "A node that turns read-only answers the remaining lines 503".
func TestResolveManyOnANodeThatTurns(t *testing.T) {
	s := newStand(t, nil)
	for i := range 3 {
		s.meet(fmt.Sprint("d", i), `{"n":1}`, `{"n":2}`, uint64(i+1), early)
	}
	s.vote.set(cut(), 4) // the headers, the look before the first line, and both of its write
	lines, last := s.resolveAll(`{"pick":"newest"}`)
	if len(lines) != 3 || lines[0].Status != 200 || lines[1].Status != 503 || string(lines[2].Problem.Code) != "read_only" || last["failed"] != 2.0 || last["ok"] != 1.0 {
		t.Errorf("%+v %v", lines, last)
	}
}
