package rest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/syncline/syncline/conflict"
)

// "`?dot=a~k3f9x2mz:42` reads an old version": its bytes, its ETag and a context
// that names no more than its reader has seen; the rest is of the document.
func TestOldVersion(t *testing.T) {
	s := newStand(t, nil)
	p := s.withPast()
	a := s.must(200, "GET", keptDoc+"?dot="+p.old, "")
	if string(a.body) != `{"n": 1, "tags":["x"]}` || a.header.Get("ETag") != `"`+p.old+`"` || a.header.Get("Conflict-Count") != "0" {
		t.Errorf("%s %v", a.body, a.header)
	}
	if live := s.must(200, "GET", keptDoc+"?dot="+p.live, ""); string(live.body) != `{"n":2,"tags":["x"]}` || live.header.Get("ETag") != s.must(200, "GET", keptDoc, "").header.Get("ETag") {
		t.Errorf("%s %v", live.body, live.header)
	}
	w := s.must(200, "PUT", keptDoc, `{"n":3}`, "Causal-Context: "+a.header.Get("Causal-Context"))
	if w.header.Get("Conflict-Count") != "2" {
		t.Errorf("written by who saw only the old version: %v", w.header)
	}
	if a := s.must(200, "GET", keptDoc+"?dot="+p.old, ""); a.header.Get("Conflict-Count") != "2" || a.header.Get("Link") == "" {
		t.Errorf("a conflict is hidden: %v", a.header)
	}
	if gone := s.must(404, "GET", "/v1/docs/kept/gone?dot="+p.grave, ""); gone.header.Get("ETag") != `"`+p.grave+`"` || !strings.Contains(string(gone.body), "is a deletion") {
		t.Errorf("%s", gone.body)
	}
	problem := s.must(404, "GET", "/v1/docs/accounts/nobody?dot="+p.old, "")
	if !strings.Contains(string(problem.body), "keeps no old versions") || problem.header.Get("Causal-Context") == "" {
		t.Errorf("%s %v", problem.body, problem.header)
	}
}

// "`/history`: versions that this node has seen (`complete: false` where clocks
// name dots that it never had)".
func TestHistoryRoute(t *testing.T) {
	s := newStand(t, nil)
	p := s.withPast()
	s.arrive(conflict.Key{Collection: "kept", ID: "x"}, `{"n":9}`, 1, early)
	type history struct {
		Complete bool
		Versions []map[string]any
		Missing  []string
		Next     *string
	}
	read := func(query string) (out history) {
		t.Helper()
		if err := json.Unmarshal(s.must(200, "GET", keptDoc+"/history"+query, "").body, &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	h := read("")
	var dots []any
	for _, v := range h.Versions {
		dots = append(dots, v["dot"], v["live"])
	}
	if want := fmt.Sprint([]any{p.live, true, "a~k3f9x2mz:1", true, p.old, false}); fmt.Sprint(dots) != want || !h.Complete || h.Next != nil || len(h.Missing) != 0 {
		t.Fatalf("%v, want %s: %+v", dots, want, h)
	}
	if old := h.Versions[2]; old["covered_by"] != p.live || old["covered_at"] == nil || old["size"] != 22.0 || old["node"] != "b" || old["deleted"] != false || old["clock"] == nil {
		t.Errorf("%v", old)
	}
	s.must(200, "PUT", keptDoc, `{"n":10}`) // ends the conflict, which goes on record
	s.must(200, "PUT", keptDoc, `{"n":11}`)
	first := read("?limit=2")
	if first.Next == nil || len(first.Versions) != 3 {
		t.Fatalf("%+v", first)
	}
	second := read("?limit=2&cursor=" + *first.Next)
	if len(second.Versions) != 2 || second.Versions[0]["record"] == nil || second.Versions[0]["record"] != first.Versions[2]["record"] || first.Versions[1]["record"] != nil || second.Next != nil {
		t.Errorf("%+v\n%+v", first, second)
	}
	// Without history only names are left of what was covered.
	s.must(201, "PUT", "/v1/docs/plain/x", `{}`)
	gone := s.must(200, "GET", "/v1/docs/plain/x", "").header.Get("ETag")
	s.must(200, "PUT", "/v1/docs/plain/x", `{"n":1}`)
	sameJSON(t, []byte(mustField(t, s.must(200, "GET", "/v1/docs/plain/x/history", "").body, "missing")), "["+gone+"]")
}

// mustField is one member of an answer.
func mustField(t *testing.T, body []byte, name string) string {
	t.Helper()
	var m map[string]json.RawMessage
	if err := json.Unmarshal(body, &m); err != nil {
		t.Fatal(err)
	}
	return string(m[name])
}

// "diff by JSON pointer" (issue 4, History).
func TestDiffRoute(t *testing.T) {
	s := newStand(t, nil)
	p := s.withPast()
	want := `{"from":"` + p.old + `","to":"` + p.live + `","changes":[{"path":"/n","before":1,"after":2}],"more":false}`
	for _, to := range []string{p.live, ""} {
		sameJSON(t, s.must(200, "GET", keptDoc+"/history?diff="+p.old+".."+to, "").body, want)
	}
	sameJSON(t, s.must(200, "GET", keptDoc+"/history?diff="+p.old+".."+p.old, "").body, `{"from":"`+p.old+`","to":"`+p.old+`","changes":[],"more":false}`)
	grave := s.must(200, "DELETE", keptDoc, "").object(t)["dot"].(string)
	sameJSON(t, s.must(200, "GET", keptDoc+"/history?diff="+p.live+"..", "").body,
		`{"from":"`+p.live+`","to":"`+grave+`","changes":[{"path":"","before":{"n":2,"tags":["x"]}}],"more":false}`)
}

// "`/restore` `{"dot":…}`: a new version equal to an old one", to the byte, with
// the preconditions of PUT; a sibling that lost comes back from the record.
func TestRestoreRoute(t *testing.T) {
	s := newStand(t, nil)
	p := s.withPast()
	tag := s.must(200, "GET", keptDoc, "").header.Get("ETag")
	a := s.must(200, "POST", keptDoc+"/restore", `{"dot":"`+p.old+`"}`, "If-Match: "+tag)
	m := a.object(t)
	now := s.must(200, "GET", keptDoc, "")
	if string(now.body) != `{"n": 1, "tags":["x"]}` || m["dot"] == p.old || now.header.Get("ETag") != `"`+m["dot"].(string)+`"` || a.header.Get("Causal-Context") != now.header.Get("Causal-Context") {
		t.Errorf("%s %v", now.body, m)
	}
	s.must(412, "POST", keptDoc+"/restore", `{"dot":"`+p.old+`"}`, "If-Match: "+tag)
	s.split("alice")
	siblings := s.must(200, "GET", doc+"/siblings", "").object(t)["siblings"].([]any)
	loser := siblings[0].(map[string]any)["dot"].(string)
	s.must(200, "PUT", doc, `{"balance":0}`)
	s.must(200, "DELETE", doc, "")
	back := s.must(201, "POST", doc+"/restore", `{"dot":"`+loser+`"}`)
	if got := s.must(200, "GET", doc, ""); string(got.body) != `{"balance":20}` || back.header.Get("Location") == "" {
		t.Errorf("%s %v", got.body, back.header)
	}
}

// "**ops** read and write in one transaction of this node's writer, on the value
// shown, and cover all siblings. Members that are not touched keep their bytes."
func TestOps(t *testing.T) {
	s := newStand(t, nil)
	s.split("alice")
	shown := s.must(200, "GET", doc, "")
	if shown.header.Get("Conflict-Count") != "2" {
		t.Fatalf("%v", shown.header)
	}
	s.must(200, "PUT", "/v1/docs/accounts/alice", `{"balance": 1.10, "tags": [1, "x"], "né":  "<a>"}`)
	a := s.must(200, "POST", doc+"/ops", `{"inc":{"/balance":-0.2,"/visits":1},"append":{"/log":["in"]},"add_to_set":{"/tags":["x","y"]},"remove":{"/tags":[1.0]}}`)
	if got := s.must(200, "GET", doc, ""); string(got.body) != `{"balance": 0.9, "tags": [ "x","y"], "né":  "<a>","visits":1,"log":["in"]}` || got.header.Get("ETag") != a.header.Get("ETag") {
		t.Errorf("%s", got.body)
	}
	s.split("bob")
	s.must(200, "POST", "/v1/docs/accounts/bob/ops", `{"inc":{"/balance":1}}`)
	if got := s.must(200, "GET", "/v1/docs/accounts/bob", ""); got.header.Get("Conflict-Count") != "0" {
		t.Errorf("not all siblings are covered: %v", got.header)
	}
	problem := s.must(409, "POST", doc+"/ops", `{"inc":{"/tags":1}}`)
	if m := problem.object(t); !strings.Contains(m["detail"].(string), "/tags") || m["etag"] != a.header.Get("ETag") {
		t.Errorf("%s", problem.body)
	}
	made := s.must(201, "POST", "/v1/docs/accounts/new/ops", `{"append":{"/log":[1]}}`, "If-None-Match: *")
	if got := s.must(200, "GET", made.header.Get("Location"), ""); string(got.body) != `{"log":[1]}` {
		t.Errorf("%s", got.body)
	}
}

// "`/explain`: why this value is shown", and what it waits for.
func TestExplainRoute(t *testing.T) {
	s := newStand(t, nil)
	id, own, other := s.meet("alice", `{"balance":25}`, `{"balance":70.5}`, 1, early)
	s.cluster.lacks = map[string][]string{own: {"a", "c"}, other: {"c"}}
	a := s.must(200, "GET", doc+"/explain", "")
	m := a.object(t)
	times := m["siblings"].([]any)[1].(map[string]any)["time"]
	reason := m["reason"].(string)
	if !strings.HasPrefix(reason, own+" is later than "+other+" by ") {
		t.Errorf("reason: %s", reason)
	}
	sameJSON(t, a.body, fmt.Sprintf(`{"collection":"accounts","id":"alice","etag":%q,"context":"%s","conflicts":2,"conflict":"%s",
		"policy":{"kind":"lww","version":null,"resolver":null,"resolver_version":null},"shown":{"dot":"%s","deleted":false},"reason":"%s",
		"waits":"it waits until every data node has all siblings, and the policy's value is shown meanwhile","stable":false,"lost_more":0,
		"waits_for":[{"node":"a","lacks":["%s"]},{"node":"c","lacks":["%s","%s"]}],
		"siblings":[{"dot":"%s","node":"a","time":"%s","deleted":false,"hidden":false,"size":16,"clock":{},"stable":false,
				"lost":[{"dot":"%s","path":"/balance","value":70.5,"change":null,"delta":"45.5"}]},
			{"dot":"%s","node":"b","time":"%s","deleted":false,"hidden":false,"size":14,"clock":{},"stable":false,"lost":[]}]}`,
		a.header.Get("ETag"), a.header.Get("Causal-Context"), id, own, reason, own, other, own, other, early, other, own, times))
	s.must(201, "PUT", "/v1/docs/accounts/bob", `{}`)
	one := s.must(200, "GET", "/v1/docs/accounts/bob/explain", "").object(t)
	if one["conflict"] != nil || one["waits"] != nil || len(one["waits_for"].([]any)) != 0 || one["stable"] != true {
		t.Errorf("%v", one)
	}
}
