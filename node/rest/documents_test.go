package rest

import (
	"strings"
	"testing"
)

// "A GET of a document answers the stored bytes and nothing else; all about it
// is in headers."
func TestGetAnswersStoredBytes(t *testing.T) {
	s := newStand(t, nil)
	body := "{ \"balance\" : 1.20e2,\n\t\"näme\":\"<b>&amp;\" }"
	put := s.must(201, "PUT", "/v1/docs/accounts/alice", body)
	get := s.must(200, "GET", "/v1/docs/accounts/alice", "")
	if string(get.body) != body {
		t.Errorf("GET answered %q, stored was %q", get.body, body)
	}
	if got := put.object(t); got["id"] != "alice" || got["ack"] != "local" || `"`+got["dot"].(string)+`"` != get.header.Get("ETag") {
		t.Errorf("PUT answered %v, and GET has ETag %s", got, get.header.Get("ETag"))
	}
	if got := put.header.Get("Location"); got != "/v1/docs/accounts/alice" {
		t.Errorf("Location %q", got)
	}
	if get.header.Get("Causal-Context") != put.header.Get("Causal-Context") {
		t.Error("PUT and GET of one version have different contexts")
	}
	if get.header.Get("Cache-Control") != "no-cache" || get.header.Get("Content-Type") != "application/json" {
		t.Errorf("headers %v", get.header)
	}
}

// "PUT is 201 when nothing was live, else 200"; "DELETE: 200 {id, dot, ack};
// nothing there: 404, and nothing is written"; "404 not_found or deleted (with
// the tombstone's ETag and context while it is known)".
func TestLifeOfADocument(t *testing.T) {
	s := newStand(t, nil)
	const target = "/v1/docs/accounts/alice"
	before := s.state()
	a := s.must(404, "DELETE", target, "")
	if a.code(t) != "not_found" || s.state() != before {
		t.Errorf("DELETE of nothing: %s", a.body)
	}
	a = s.must(404, "GET", target, "")
	if a.code(t) != "not_found" || a.header.Get("Causal-Context") == "" || a.header.Get("Conflict-Count") != "0" {
		t.Errorf("GET of nothing: %v", a.header)
	}
	s.must(201, "PUT", target, `{"n":1}`)
	s.must(200, "PUT", target, `{"n":2}`)
	a = s.must(200, "DELETE", target, "")
	if got := a.object(t); got["id"] != "alice" || got["ack"] != "local" || got["dot"] == "" {
		t.Errorf("DELETE answered %s", a.body)
	}
	gone := s.must(404, "GET", target, "")
	if gone.code(t) != "deleted" || gone.header.Get("ETag") != a.header.Get("ETag") || gone.header.Get("Causal-Context") == "" {
		t.Errorf("GET of a tombstone: %v %s", gone.header, gone.body)
	}
	if a := s.must(404, "DELETE", target, ""); a.code(t) != "deleted" {
		t.Errorf("DELETE of a tombstone: %s", a.body)
	}
	s.must(201, "PUT", target, `{"n":3}`)
}

// "POST /v1/docs/{c}: create with a server id (UUIDv7)".
func TestCreate(t *testing.T) {
	s := newStand(t, nil)
	a := s.must(201, "POST", "/v1/docs/accounts", `{"n":1}`)
	id := a.object(t)["id"].(string)
	if len(id) != 36 || id[14] != '7' {
		t.Errorf("id %q is no UUIDv7", id)
	}
	if got := a.header.Get("Location"); got != "/v1/docs/accounts/"+id {
		t.Errorf("Location %q", got)
	}
	if b := s.must(200, "GET", "/v1/docs/accounts/"+id, ""); string(b.body) != `{"n":1}` {
		t.Errorf("stored %s", b.body)
	}
}

// "Failed If-Match is always 412 with the current ETag"; "PUT takes
// If-None-Match: *"; "A W/ put on by a proxy is ignored"; "304 … If-None-Match
// hit".
func TestConditionalRequests(t *testing.T) {
	s := newStand(t, nil)
	const target = "/v1/docs/accounts/alice"
	s.must(412, "PUT", target, `{"n":1}`, "If-Match: *")
	s.must(201, "PUT", target, `{"n":1}`, "If-None-Match: *")
	a := s.must(412, "PUT", target, `{"n":2}`, "If-None-Match: *")
	tag := s.must(200, "GET", target, "").header.Get("ETag")
	if a.header.Get("ETag") != tag || a.object(t)["etag"] != tag || a.code(t) != "precondition_failed" {
		t.Errorf("412 without the current ETag %s: %v %s", tag, a.header, a.body)
	}
	for _, h := range []string{tag, "W/" + tag, `"other", ` + tag, "*"} {
		if a := s.must(304, "GET", target, "", "If-None-Match: "+h); len(a.body) > 0 || a.header.Get("ETag") != tag {
			t.Errorf("304 of %s: %v %q", h, a.header, a.body)
		}
	}
	s.must(200, "GET", target, "", `If-None-Match: "other"`)
	s.must(200, "GET", target, "", "If-Match: "+tag)
	s.must(412, "GET", target, "", `If-Match: "other"`)
	a = s.must(412, "PUT", target, `{"n":3}`, `If-Match: "other"`)
	if a.header.Get("ETag") != tag || !strings.Contains(string(a.body), `"doc":{"n":1}`) {
		t.Errorf("412 without what is there: %s", a.body)
	}
	s.must(200, "PUT", target, `{"n":3}`, `If-Match: "x"`, "If-Match: W/"+tag)
	s.must(412, "DELETE", target, "", "If-Match: "+tag)
	s.must(412, "PATCH", target, `{"n":4}`, "If-Match: "+tag)
	if a := s.must(200, "GET", target, ""); string(a.body) != `{"n":3}` {
		t.Errorf("a failed precondition changed the document to %s", a.body)
	}
}

// "Never hidden: Conflict-Count on every document reply, and with siblings
// Link"; "with siblings ETag is s: and 32 hex digits"; "The read is 200 with
// the policy's value".
func TestConflictIsNeverHidden(t *testing.T) {
	s := newStand(t, nil)
	s.split("odd id")
	const target = "/v1/docs/accounts/odd%20id"
	a := s.must(200, "GET", target, "")
	if string(a.body) != `{"balance":70}` || a.header.Get("Conflict-Count") != "2" {
		t.Errorf("GET shows %s with count %s", a.body, a.header.Get("Conflict-Count"))
	}
	if got := a.header.Get("Link"); got != "<"+target+`/siblings>; rel="siblings"` {
		t.Errorf("Link %q", got)
	}
	tag := a.header.Get("ETag")
	if len(tag) != len(`"s:"`)+32 || !strings.HasPrefix(tag, `"s:`) {
		t.Errorf("ETag of siblings %s", tag)
	}
	list := s.must(200, "GET", target+"/siblings", "").object(t)
	if list["etag"] != tag || len(list["siblings"].([]any)) != 2 {
		t.Errorf("siblings: %v", list)
	}
	for _, e := range list["siblings"].([]any) {
		m := e.(map[string]any)
		if m["node"] != "b" || m["deleted"] != false || m["doc"] == nil || m["clock"] == nil || m["dot"] == "" {
			t.Errorf("sibling %v", m)
		}
	}
	// A plain write sees all that is shown, so it ends the conflict.
	if a := s.must(200, "PUT", target, `{"balance":20}`); a.header.Get("Conflict-Count") != "0" {
		t.Errorf("after the write: %v", a.header)
	}
}

// "Without the setting an old context makes a sibling (Conflict-Count 2)";
// "another one's is 400 wrong_context".
func TestContexts(t *testing.T) {
	s := newStand(t, nil)
	const target = "/v1/docs/accounts/alice"
	first := s.must(201, "PUT", target, `{"n":1}`).header.Get("Causal-Context")
	s.must(200, "PUT", target, `{"n":2}`)
	if a := s.must(200, "PUT", target, `{"n":3}`, "Causal-Context: "+first); a.header.Get("Conflict-Count") != "2" {
		t.Errorf("an old context made no sibling: %v", a.header)
	}
	before := s.state()
	if a := s.must(400, "PUT", "/v1/docs/accounts/bob", `{"n":1}`, "Causal-Context: "+first); a.code(t) != "wrong_context" {
		t.Errorf("context of another document: %s", a.body)
	}
	flipped := "A"
	if first[10] == 'A' {
		flipped = "B"
	}
	if a := s.must(400, "PUT", target, `{"n":1}`, "Causal-Context: "+first[:10]+flipped+first[11:]); a.code(t) != "bad_context" {
		t.Errorf("tampered context: %s", a.body)
	}
	// "With a context that does not cover every live version: 409
	// stale_context with the siblings (a patch needs its base)."
	a := s.must(409, "PATCH", target, `{"m":1}`, "Causal-Context: "+first)
	if a.code(t) != "stale_context" || len(a.object(t)["siblings"].([]any)) != 2 {
		t.Errorf("patch with an old context: %s", a.body)
	}
	if s.state() != before {
		t.Error("a refused write changed something")
	}
}

// "PATCH (merge-patch default; json-patch, numbers compared as numbers)";
// "Members that are not touched keep their bytes"; "Absent document: 404; merge
// patch with If-None-Match: * creates".
func TestPatch(t *testing.T) {
	s := newStand(t, nil)
	const target = "/v1/docs/accounts/alice"
	const asJSONPatch = "Content-Type: application/json-patch+json"
	s.must(404, "PATCH", target, `{"n":1}`)
	s.must(404, "PATCH", target, `[{"op":"add","path":"/n","value":1}]`, asJSONPatch, "If-None-Match: *")
	if a := s.must(201, "PATCH", target, `{"n":1.50,"gone":null}`, "If-None-Match: *"); a.header.Get("Location") != target {
		t.Errorf("no Location: %v", a.header)
	}
	s.must(412, "PATCH", target, `{"n":2}`, "If-None-Match: *")
	s.must(200, "PATCH", target, `{"m": [1 , 2]}`, "Content-Type: application/merge-patch+json; charset=utf-8")
	s.must(200, "PATCH", target, `[{"op":"test","path":"/n","value":1.5},{"op":"add","path":"/m/-","value":3}]`, asJSONPatch)
	got := string(s.must(200, "GET", target, "").body)
	if !strings.Contains(got, `"n":1.50`) || !strings.Contains(got, `1 , 2`) || !strings.Contains(got, "3") {
		t.Errorf("patched to %s", got)
	}
	a := s.must(409, "PATCH", target, `[{"op":"test","path":"/n","value":7}]`, asJSONPatch)
	if a.code(t) != "patch_failed" || !strings.Contains(string(a.body), `"n":1.50`) {
		t.Errorf("a test that fails: %s", a.body)
	}
	a = s.must(415, "PATCH", target, `{"n":1}`, "Content-Type: text/plain")
	if a.code(t) != "unsupported_type" || a.header.Get("Accept-Patch") != "application/merge-patch+json, application/json-patch+json" {
		t.Errorf("415: %v %s", a.header, a.body)
	}
	// It covers all siblings.
	s.split("bob")
	if a := s.must(200, "PATCH", "/v1/docs/accounts/bob", `{"n":1}`); a.header.Get("Conflict-Count") != "0" {
		t.Errorf("a patch left siblings: %v", a.header)
	}
}

// "Prefer: return=minimal"; "Preference-Applied says what held".
func TestMinimal(t *testing.T) {
	s := newStand(t, nil)
	a := s.must(204, "PUT", "/v1/docs/accounts/alice", `{"n":1}`, "Prefer: return=minimal, wait=70")
	if len(a.body) > 0 || a.header.Get("Preference-Applied") != "return=minimal, wait=60" || a.header.Get("ETag") == "" || a.header.Get("Location") == "" {
		t.Errorf("minimal: %v %q", a.header, a.body)
	}
}

// "Ids are one percent-encoded path segment, unescaped in ONE helper".
func TestIDs(t *testing.T) {
	s := newStand(t, nil)
	for wire, id := range map[string]string{
		"a%2Fb%20c": "a/b c", "a%20b": "a b", "a+b": "a+b", "%C3%A9": "é", "%25": "%", "a%252F": "a%2F",
		"name:arch": "name:arch", "...": "...", "%2E%2E%2E": "...", "a%3Fb%23c": "a?b#c", "%7Euser": "~user",
		"siblings": "siblings", "%F0%9F%8C%8A": "🌊", "a;b,c=d@e": "a;b,c=d@e", `%22quoted%5C`: `"quoted\`,
	} {
		a := s.must(201, "PUT", "/v1/docs/ids/"+wire, `{"wire":true}`)
		if got := a.object(t)["id"]; got != id {
			t.Errorf("%s was taken for %q, want %q", wire, got, id)
		}
		location := a.header.Get("Location")
		s.must(200, "GET", location, "")
		s.must(200, "GET", "/v1/docs/ids/"+wire+"/siblings", "")
		s.must(200, "DELETE", location, "")
	}
	for wire, status := range map[string]int{
		"..": 422, ".": 422, "%2E%2E": 422, "%2e": 422, "a%00b": 422, "a%0Ab": 422, "%C2%85": 422, "%FF": 422,
		strings.Repeat("x", 513): 422, "": 404, "a/b": 404, "a/": 404,
	} {
		a := s.send("PUT", "/v1/docs/ids/"+wire, `{}`)
		if a.status != status {
			t.Errorf("id %.20q: status %d, want %d: %s", wire, a.status, status, a.body)
		}
		a.code(t)
	}
	s.must(201, "PUT", "/v1/docs/ids/"+strings.Repeat("x", 512), `{}`)
}

// "GET routes answer HEAD (echo does not by itself)."
func TestHead(t *testing.T) {
	s := newStand(t, func(c *Config) { c.Chaos = &faults{} })
	s.must(201, "PUT", "/v1/docs/accounts/alice", `{"n":1}`)
	s.server.stopNow() // so that streams end
	for _, p := range s.server.built() {
		if p.method != "GET" {
			continue
		}
		target := strings.NewReplacer(":c", "accounts", ":id", "alice", ":code", "behind", "*", "").Replace(p.path)
		get, head := s.send("GET", target, ""), s.send("HEAD", target, "")
		if get.status != head.status || get.header.Get("Content-Type") != head.header.Get("Content-Type") {
			t.Errorf("%s: GET is %d, HEAD %d", target, get.status, head.status)
		}
	}
}
