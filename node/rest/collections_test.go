package rest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/syncline/syncline/node"
)

// The shape `collection` of API.md, with what the collection has beside it.
func TestCollection(t *testing.T) {
	s := newStand(t, nil)
	const target = "/v1/collections/accounts"
	show := func(dot, tail string) string {
		tag := "null"
		if dot != "null" {
			dot, tag = `"`+dot+`"`, `"\"`+dot+`\""`
		}
		return fmt.Sprintf(`{"name":"accounts","policy":{"kind":"lww"},"ack":"local","minority":"refuse","delete":"lww","history":"0s","records":"720h",
			"dot":%s,"etag":%s,%s}`, dot, tag, tail)
	}
	const limits = `"limits":{"body":1048576}`
	a := s.must(200, "GET", target, "")
	sameJSON(t, a.body, show("null", limits+`,"require_context":false,"documents":0,"tombstones":0,"conflicts":0`))
	s.split("alice")
	s.must(201, "PUT", "/v1/docs/accounts/gone", `{}`)
	s.must(200, "DELETE", "/v1/docs/accounts/gone", "")

	a = s.must(201, "PATCH", target, `{"limits":{"body":2000000}}`, "Content-Type: application/merge-patch+json")
	dot := strings.Trim(a.header.Get("ETag"), `"`)
	sameJSON(t, a.body, show(dot, `"limits":{"body":2000000},"require_context":false,"documents":1,"tombstones":1,"conflicts":1`))
	if a.header.Get("Location") != target || a.header.Get("Causal-Context") == "" || a.header.Get("Conflict-Count") != "0" {
		t.Errorf("headers %v", a.header)
	}
	if b := s.must(200, "GET", target, ""); string(b.body) != string(a.body) || b.header.Get("ETag") != a.header.Get("ETag") {
		t.Errorf("answered %s, and now %s", a.body, b.body)
	}
	// What a PUT does not say has its default; a patch leaves it as it was.
	s.must(412, "PUT", target, `{"require_context":true}`, `If-Match: "other"`)
	a = s.must(200, "PATCH", target, `[{"op":"replace","path":"/require_context","value":true}]`, asPatch, "If-Match: "+a.header.Get("ETag"))
	sameJSON(t, a.body, show(strings.Trim(a.header.Get("ETag"), `"`), `"limits":{"body":2000000},"require_context":true,"documents":1,"tombstones":1,"conflicts":1`))
	a = s.must(200, "PUT", target, ` {"require_context":true} `)
	sameJSON(t, a.body, show(strings.Trim(a.header.Get("ETag"), `"`), limits+`,"require_context":true,"documents":1,"tombstones":1,"conflicts":1`))
	s.must(409, "DELETE", target, "")
	s.must(200, "DELETE", "/v1/docs/accounts/alice", "", "If-Match: *")
	if b := s.must(200, "DELETE", target, "").object(t); b["id"] != "accounts" || b["ack"] != "local" || b["dot"] == nil {
		t.Errorf("DELETE answered %v", b)
	}
	if m := s.must(200, "GET", target, "").object(t); m["dot"] != nil || m["require_context"] != false {
		t.Errorf("after DELETE: %v", m)
	}
	s.must(404, "DELETE", target, "")
	s.must(201, "PUT", target, `{}`, "If-None-Match: *")
}

// "lists: ?limit=&cursor=&prefix=, next in the body".
func TestCollections(t *testing.T) {
	s := newStand(t, nil)
	sameJSON(t, s.must(200, "GET", "/v1/collections", "").body, `{"collections":[],"next":null}`)
	for _, name := range []string{"b", "a", "c1"} {
		s.must(201, "PUT", "/v1/docs/"+name+"/x", `{}`)
	}
	s.must(201, "PUT", "/v1/collections/c2", `{}`)
	s.must(201, "PUT", "/v1/collections/a", `{}`)
	for query, want := range map[string]string{
		"":                  "a b c1 c2 ",
		"limit=4":           "a b c1 c2 ",
		"limit=2":           "a b >b",
		"limit=2&cursor=b":  "c1 c2 ",
		"limit=1&cursor=b":  "c1 >c1",
		"prefix=c":          "c1 c2 ",
		"prefix=c&limit=1":  "c1 >c1",
		"cursor=c2":         "",
		"prefix=a&cursor=a": "",
	} {
		m := s.must(200, "GET", "/v1/collections?"+query, "").object(t)
		got := ""
		for _, e := range m["collections"].([]any) {
			got += e.(map[string]any)["name"].(string) + " "
		}
		if next, ok := m["next"].(string); ok {
			got += ">" + next
		}
		if got != want {
			t.Errorf("%q: %q, want %q", query, got, want)
		}
	}
}

// "limits": what a collection takes is what its configuration says, at every
// door; "413 too big (limit stated)".
func TestBodyLimitOfACollection(t *testing.T) {
	s := newStand(t, nil)
	s.must(201, "PUT", "/v1/collections/large", fmt.Sprintf(`{"limits":{"body":%d}}`, 2*node.DefaultBody))
	s.must(201, "PUT", "/v1/collections/small", `{"limits":{"body":20}}`)
	text := func(n int) string { return `{"a":"` + strings.Repeat("x", n-8) + `"}` }
	s.must(201, "PUT", "/v1/docs/large/x", text(2*node.DefaultBody))
	s.must(201, "PUT", "/v1/docs/small/x", text(20))
	for name, limit := range map[string]int{"large": 2 * node.DefaultBody, "small": 20, "other": node.DefaultBody} {
		a := s.must(413, "PUT", "/v1/docs/"+name+"/x", text(limit+1))
		if a.code(t) != "too_large" || a.object(t)["limit"] != float64(limit) {
			t.Errorf("%s: %s", name, a.body)
		}
		s.must(413, "POST", "/v1/docs/"+name, text(limit+1))
	}
	// A patch that makes a document too large.
	s.must(413, "PATCH", "/v1/docs/small/x", `{"b":1}`)
}

// "a policy change alters what is shown", and the ETag of what is in conflict.
func TestPolicyChangeShows(t *testing.T) {
	s := newStand(t, nil)
	s.meet("alice", `{"balance":20}`, `{"balance":70}`, 1, early)
	before := s.must(200, "GET", doc, "")
	s.must(201, "PUT", "/v1/collections/accounts", `{"policy":{"kind":"lww","path":"/balance"}}`)
	after := s.must(200, "GET", doc, "")
	if string(before.body) != `{"balance":20}` || string(after.body) != `{"balance":70}` || before.header.Get("ETag") == after.header.Get("ETag") {
		t.Errorf("%s %s, then %s %s", before.body, before.header.Get("ETag"), after.body, after.header.Get("ETag"))
	}
}
