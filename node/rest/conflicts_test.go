package rest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// arrive brings the n-th write of node a, which had seen nothing, at a time.
func (s *stand) arrive(key conflict.Key, body string, n uint64, at vclock.Time) {
	s.t.Helper()
	v := &conflict.Version{Key: key, Dot: vclock.Dot{Actor: "a~k3f9x2mz", Seq: n}, Time: at, Body: []byte(body)}
	if body == "" {
		v.Deleted, v.Body = true, nil
	}
	v.Sum = v.ComputeSum()
	_, err := s.engine.Apply(s.t.Context(), node.Apply{
		Sender: v.Dot.Actor, Versions: []*conflict.Version{v}, Close: &node.Closing{Frontier: vclock.VectorOf(v.Dot), Standing: node.StandingGood},
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// early is a time before all that a test writes, and late one after it.
const (
	early vclock.Time = 1_700_000_000_000 << 16
	late  vclock.Time = 4_000_000_000_000 << 16
)

// meet makes a conflict of accounts/id: what was written here, and what came
// from node a. It returns the conflict's id and the dots of both.
func (s *stand) meet(id, here, there string, n uint64, at vclock.Time) (conflictID, own, other string) {
	s.t.Helper()
	own = s.must(201, "PUT", "/v1/docs/accounts/"+id, here).object(s.t)["dot"].(string)
	s.arrive(conflict.Key{Collection: "accounts", ID: conflict.DocID(id)}, there, n, at)
	page := s.must(200, "GET", "/v1/conflicts?c=accounts", "").object(s.t)
	for _, e := range page["conflicts"].([]any) {
		if c := e.(map[string]any); c["doc_id"] == id {
			return c["id"].(string), own, fmt.Sprintf("a~k3f9x2mz:%d", n)
		}
	}
	s.t.Fatalf("accounts/%s is in no conflict: %v", id, page)
	return "", "", ""
}

// The shape `conflict` of API.md, of an open one: "GET … /{id}: one, with all
// that explains it"; "bodies are answered as they were stored".
func TestOpenConflict(t *testing.T) {
	s := newStand(t, nil)
	id, own, other := s.meet("alice", `{"balance": 2.50e1, "näme":"<a>"}`, `{ "balance":70 }`, 1, early)
	a := s.must(200, "GET", "/v1/conflicts/"+id, "")
	times := a.object(t)["siblings"].([]any)
	sameJSON(t, a.body, fmt.Sprintf(`{"id":"%s","state":"open","by":null,"collection":"accounts","doc_id":"alice",
		"policy":{"kind":"lww","version":null,"resolver":null,"resolver_version":null},"open_reason":null,"run":null,"who":null,"at":null,"lost_count":0,"lost":[],"trace":[],"base":null,"base_exact":false,"episode":null,
		"reason":"it waits until every data node has all siblings, and the policy's value is shown meanwhile",
		"siblings":[{"dot":"%s","node":"a","time":"%s","deleted":false,"hidden":false,"size":16,"clock":{},"doc":{"balance":70}},
			{"dot":"%s","node":"b","time":"%s","deleted":false,"hidden":false,"size":%d,"clock":{},"doc":{"balance":25,"näme":"<a>"}}],
		"shown":{"dot":"%s","deleted":false,"doc":{"balance":25,"näme":"<a>"}},"result":null}`,
		id, other, early, own, times[1].(map[string]any)["time"], len(`{"balance": 2.50e1, "näme":"<a>"}`), own))
	for _, stored := range []string{`"doc":{"balance": 2.50e1, "näme":"<a>"}`, `"doc":{ "balance":70 }`} {
		if !bytes.Contains(a.body, []byte(stored)) {
			t.Errorf("the bytes were changed: %s", a.body)
		}
	}
	document := s.must(200, "GET", "/v1/docs/accounts/alice", "").header
	for _, name := range []string{"ETag", "Causal-Context", "Conflict-Count", "Link"} {
		if a.header.Get(name) != document.Get(name) || document.Get(name) == "" {
			t.Errorf("%s is %q, and of the document %q", name, a.header.Get(name), document.Get(name))
		}
	}
	s.must(201, "PUT", "/v1/collections/accounts", `{"policy":{"kind":"manual"}}`)
	m := s.must(200, "GET", "/v1/conflicts/"+id, "").object(t)
	if m["reason"] != "it waits for a person, and the value shown stands in meanwhile" || m["policy"].(map[string]any)["version"] == nil {
		t.Errorf("under manual: %v", m)
	}
}

// "settled and reviewed: records"; "what was lost by path with numeric deltas";
// "resolve, restore, revert, review … each leaving a trace of who and when".
func TestLifeOfAConflict(t *testing.T) {
	s := newStand(t, nil)
	id, own, other := s.meet("alice", `{"balance":25,"name":"Alice"}`, `{"balance":70.5,"name":"Alice"}`, 1, early)
	a := s.must(200, "POST", "/v1/conflicts/"+id+"/resolve", `{"pick":"`+own+`","reason":"she says so"}`)
	done := a.object(t)
	if done["conflict"] != id || done["collection"] != "accounts" || done["id"] != "alice" || done["ack"] != "local" || a.header.Get("Conflict-Count") != "0" ||
		a.header.Get("ETag") != `"`+done["dot"].(string)+`"` {
		t.Errorf("resolved: %v %v", done, a.header)
	}
	m := s.must(200, "GET", "/v1/conflicts/"+id, "").object(t)
	for name, want := range map[string]any{
		"id": id, "state": "settled", "by": "person", "who": "anonymous", "reason": "she says so", "lost_count": 1.0, "trace": []any{},
		"lost":   []any{map[string]any{"dot": other, "path": "/balance", "value": 70.5, "delta": "45.5", "change": nil}},
		"shown":  map[string]any{"dot": own, "deleted": false, "doc": map[string]any{"balance": 25.0, "name": "Alice"}},
		"result": map[string]any{"dot": done["dot"], "deleted": false, "doc": map[string]any{"balance": 25.0, "name": "Alice"}},
	} {
		if got, err := json.Marshal(m[name]); err != nil || string(got) != string(mustJSON(want)) {
			t.Errorf("%s is %s, want %s", name, got, mustJSON(want))
		}
	}
	first := m["siblings"].([]any)[0].(map[string]any)
	if first["dot"] != other || first["clock"] == nil || first["size"] != 31.0 || first["doc"].(map[string]any)["balance"] != 70.5 {
		t.Errorf("a sibling on record: %v", first)
	}

	tag := a.header.Get("ETag")
	back := s.must(200, "POST", "/v1/conflicts/"+id+"/restore", `{"dot":"`+other+`"}`, "If-Match: "+tag)
	if got := s.must(200, "GET", doc, ""); string(got.body) != `{"balance":70.5,"name":"Alice"}` || got.header.Get("ETag") != back.header.Get("ETag") {
		t.Errorf("restored: %s", got.body)
	}
	s.must(412, "POST", "/v1/conflicts/"+id+"/restore", `{"dot":"`+own+`"}`, "If-Match: "+tag)
	review := s.must(200, "POST", "/v1/conflicts/"+id+"/review", "", "If-Match: *")
	if review.header.Get("ETag") != back.header.Get("ETag") {
		t.Errorf("a review speaks of %s, the document shows %s", review.header.Get("ETag"), back.header.Get("ETag"))
	}
	m = s.must(200, "GET", "/v1/conflicts/"+id, "").object(t)
	trace := m["trace"].([]any)
	if len(trace) != 2 || m["state"] != "reviewed" || !reflect.DeepEqual(m["result"].(map[string]any)["doc"], map[string]any{"balance": 25.0, "name": "Alice"}) {
		t.Fatalf("afterwards: %v", m)
	}
	step := trace[0].(map[string]any)
	if step["action"] != "restore" || step["dot"] != other || step["who"] != "anonymous" || step["at"] == nil || trace[1].(map[string]any)["dot"] != nil {
		t.Errorf("trace: %v", trace)
	}
}

// "automatic results reverted": what came last by time and actor comes back.
func TestRevert(t *testing.T) {
	s := newStand(t, nil)
	s.must(201, "PUT", "/v1/collections/accounts", `{"policy":{"kind":"lww","path":"/balance"}}`)
	id, own, other := s.meet("alice", `{"balance":70}`, `{"balance":20}`, 1, late)
	s.settle()
	m := s.must(200, "GET", "/v1/conflicts/"+id, "").object(t)
	if m["by"] != "policy" || m["shown"].(map[string]any)["dot"] != own || !strings.Contains(m["reason"].(string), other+" is later") {
		t.Errorf("settled: %v", m)
	}
	s.must(200, "POST", "/v1/conflicts/"+id+"/revert", "{}")
	if got := s.must(200, "GET", doc, ""); string(got.body) != `{"balance":20}` {
		t.Errorf("reverted to %s", got.body)
	}
	if got := s.must(200, "GET", "/v1/cluster", "").object(t)["conflicts"]; fmt.Sprint(got) != "map[open:0 settled:1]" {
		t.Errorf("the cluster counts %v", got)
	}
}

// "One sibling more makes another id; the old one answers 409 conflict_changed
// with the new"; "409 …: with what is there now, so no second GET is needed".
func TestConflictChanged(t *testing.T) {
	s := newStand(t, nil)
	id, own, other := s.meet("alice", `{"n":1}`, `{"n":2}`, 1, early)
	s.arrive(conflict.Key{Collection: "accounts", ID: "alice"}, `{"n":3}`, 2, early+1)
	before := s.state()
	a := s.must(409, "POST", "/v1/conflicts/"+id+"/resolve", `{"pick":"`+other+`"}`)
	m := a.object(t)
	if a.code(t) != "conflict_changed" || len(m["siblings"].([]any)) != 3 || m["conflict"] == id || m["conflicts"] != 3.0 || s.state() != before {
		t.Fatalf("with one sibling more: %s", a.body)
	}
	fresh := m["conflict"].(string)
	if m := s.must(409, "GET", "/v1/conflicts/"+id, "").object(t); m["conflict"] != fresh {
		t.Errorf("GET of the old id leads to %v, not to %s", m["conflict"], fresh)
	}
	s.must(200, "POST", "/v1/conflicts/"+fresh+"/resolve", `{"delete":true}`, "If-Match: "+a.header.Get("ETag"))
	a = s.must(409, "POST", "/v1/conflicts/"+fresh+"/resolve", `{"pick":"`+own+`"}`)
	if a.code(t) != "conflict_changed" || a.object(t)["conflict"] != nil {
		t.Errorf("resolved twice: %s", a.body)
	}
	if got := s.must(404, "GET", doc, ""); got.code(t) != "deleted" {
		t.Errorf("after a delete: %s", got.body)
	}
}

// "Under policy manual … a write to a conflicted document with neither is 409
// open_conflict": with the siblings, and with their ETag it is taken.
func TestOpenConflictIsRefusedAndTold(t *testing.T) {
	s := newStand(t, nil)
	s.must(201, "PUT", "/v1/collections/accounts", `{"policy":{"kind":"manual"}}`)
	id, _, _ := s.meet("alice", `{"n":1}`, `{"n":2}`, 1, early)
	a := s.must(409, "PUT", doc, `{"n":3}`)
	m := a.object(t)
	if a.code(t) != "open_conflict" || m["conflict"] != id || len(m["siblings"].([]any)) != 2 || m["etag"] != a.header.Get("ETag") {
		t.Fatalf("refused with %s", a.body)
	}
	s.must(200, "PUT", doc, `{"n":3}`, "If-Match: "+a.header.Get("ETag"))
	if by := s.must(200, "GET", "/v1/conflicts/"+id, "").object(t)["by"]; by != "overwritten" {
		t.Errorf("ended by %v", by)
	}
}

// inbox lists the documents of a page of conflicts.
func (s *stand) inbox(query string) (ids []string, next string, meta any) {
	s.t.Helper()
	m := s.must(200, "GET", "/v1/conflicts?"+query, "").object(s.t)
	for _, e := range m["conflicts"].([]any) {
		c := e.(map[string]any)
		ids = append(ids, fmt.Sprintf("%s/%s %s", c["collection"], c["doc_id"], c["state"]))
	}
	next, _ = m["next"].(string)
	return ids, next, m["meta"]
}

// "GET /v1/conflicts?state=…&by=…&c=…: the inbox, counts in meta"; lists have
// limit, cursor and next.
func TestInbox(t *testing.T) {
	s := newStand(t, nil)
	for i, id := range []string{"u", "v", "w", "x"} {
		s.meet(id, `{"n":1}`, `{"n":2}`, uint64(i+1), early)
	}
	s.must(200, "PUT", "/v1/docs/accounts/u", `{}`)
	s.must(201, "PUT", "/v1/docs/accounts2/y", `{}`)
	s.arrive(conflict.Key{Collection: "accounts2", ID: "y"}, `{"n":2}`, 5, early)
	want := []string{"accounts/v open", "accounts/w open", "accounts/x open", "accounts2/y open"}
	for limit := 1; limit <= 5; limit++ {
		var all []string
		cursor := ""
		for {
			ids, next, meta := s.inbox(fmt.Sprintf("limit=%d&cursor=%s", limit, url.QueryEscape(cursor)))
			if all = append(all, ids...); len(ids) > limit || fmt.Sprint(meta) != "map[open:4 records:1]" {
				t.Fatalf("limit %d: %v %v", limit, ids, meta)
			}
			if cursor = next; cursor == "" {
				break
			}
		}
		if !slices.Equal(all, want) {
			t.Errorf("in pages of %d: %v", limit, all)
		}
	}
	for query, want := range map[string]string{
		"c=accounts2":                         "[accounts2/y open]",
		"c=none":                              "[]",
		"state=settled":                       "[accounts/u settled]",
		"by=overwritten":                      "[accounts/u settled]",
		"by=person":                           "[]",
		"state=settled&c=accounts2":           "[]",
		"state=reviewed":                      "[]",
		"state=settled&by=overwritten&limit=": "",
	} {
		if want == "" {
			s.must(400, "GET", "/v1/conflicts?"+query, "")
			continue
		}
		if ids, _, _ := s.inbox(query); fmt.Sprint(ids) != want {
			t.Errorf("%s: %v, want %s", query, ids, want)
		}
	}
	// A list leaves the bodies out: a page of a thousand would have no limit.
	a := s.must(200, "GET", "/v1/conflicts?limit=1", "")
	c := a.object(t)["conflicts"].([]any)[0].(map[string]any)
	if strings.Contains(string(a.body), `"doc":`) || len(c["siblings"].([]any)) != 2 || c["lost"] != nil || c["reason"] == "" {
		t.Errorf("a list has %s", a.body)
	}
}

// A conflict is shown with the bodies of its siblings up to a limit, and what is
// beyond it is null.
func TestSidesHaveALimit(t *testing.T) {
	dot := vclock.Dot{Actor: "a~k3f9x2mz", Seq: 1}
	sides := []side{{dot: dot, body: []byte(`{"n":1}`)}, {dot: dot, body: []byte(`{"n":2}`)}, {dot: dot, deleted: true}}
	if got := string(appendSides(nil, sides, 13)); strings.Count(got, `"doc":{"n":1}`) != 1 || strings.Count(got, `"doc":null`) != 2 {
		t.Errorf("shown with 13 bytes: %s", got)
	}
	if got := string(appendSides(nil, sides, 14)); strings.Count(got, `"doc":null`) != 1 {
		t.Errorf("with 14: %s", got)
	}
}
