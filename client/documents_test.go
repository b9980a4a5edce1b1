package client

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"testing"
)

// API: "A GET of a document answers the stored bytes and nothing else; all about
// it is in headers."
func TestGet(t *testing.T) {
	t.Parallel()
	const doc = "{ \"balance\": 1.50,\n \"x\": \"\\u00e9\" }"
	n := newFake(t, "a", func(w http.ResponseWriter, r *http.Request, _ string) {
		w.Header().Set("Causal-Context", "ctx-42")
		w.Header().Set("ETag", `"a~k3f9x2mz:42"`)
		w.Header().Set("Conflict-Count", "0")
		if r.URL.Path == "/v1/docs/accounts/two" {
			w.Header().Set("ETag", `"s:00112233445566778899aabbccddeeff"`)
			w.Header().Set("Conflict-Count", "2")
		}
		answerWith(w, 200, doc)
	})
	c := newTestClient(t, Config{}, n)
	d, err := c.Get(t.Context(), alice(), Options{})
	want := &Document{
		Reply:      Reply{URL: n.URL, Node: "a", Status: 200, WriteState: "writable", Lag: "versions=0, seconds=0.0", Session: "session-a"},
		Collection: "accounts", ID: "alice", Doc: []byte(doc), Dot: "a~k3f9x2mz:42", ETag: `"a~k3f9x2mz:42"`, Context: "ctx-42",
	}
	if err != nil || !reflect.DeepEqual(d, want) {
		t.Errorf("got %+v, %v\nwant %+v", d, err, want)
	}
	// "Never hidden: Conflict-Count on every document reply".
	d, err = c.Get(t.Context(), Key{"accounts", "two"}, Options{})
	if err != nil || d.Conflicts != 2 || d.Dot != "" {
		t.Errorf("a document with siblings: %+v, %v", d, err)
	}
}

// API: "404 not_found or deleted (with the tombstone's ETag and context while
// it is known)", "Causal-Context … on every reply about one document (404 too)".
func TestGetOfWhatIsNotThere(t *testing.T) {
	t.Parallel()
	n := newFake(t, "a", func(w http.ResponseWriter, _ *http.Request, _ string) {
		w.Header().Set("Causal-Context", "ctx-9")
		w.Header().Set("ETag", `"a~k3f9x2mz:9"`)
		answerWith(w, 404, problemOf(404, "deleted"))
	})
	_, err := newTestClient(t, Config{}, n).Get(t.Context(), alice(), Options{})
	e, ok := errors.AsType[*Error](err)
	if !ok || !Absent(err) || !errors.Is(err, Deleted) || errors.Is(err, NotFound) || e.Context != "ctx-9" || e.ETag != `"a~k3f9x2mz:9"` {
		t.Errorf("got %+v", err)
	}
	// A page of somebody else's is no answer about a document.
	other := newFake(t, "", said(404, "<h1>nothing here</h1>"))
	_, err = newTestClient(t, Config{}, other).Get(t.Context(), alice(), Options{})
	if err == nil || Absent(err) || !errors.Is(err, BadReply) {
		t.Errorf("got %v, want bad_reply", err)
	}
}

// API: the headers and paths of writes.
func TestWrites(t *testing.T) {
	t.Parallel()
	n := newFake(t, "a", written)
	c := newTestClient(t, Config{NoSession: true, Token: "secret"}, n)
	ctx := t.Context()
	key := Key{"accounts", "a/b c?é"}
	call := func(w *Written, err error) {
		t.Helper()
		if err != nil || w.Dot != "a~k3f9x2mz:43" || w.Ack != "local" || w.ETag != `"a~k3f9x2mz:43"` || w.Context != "ctx-43" || w.Node != "a" {
			t.Errorf("got %+v, %v", w, err)
		}
	}
	call(c.Put(ctx, key, []byte(`{"a": 1}`), PutOptions{IfMatch: `"x:1"`, Context: "ctx-1"}))
	call(c.Put(ctx, key, []byte(`{}`), PutOptions{IfNoneMatch: true}))
	call(c.Delete(ctx, key, PutOptions{IfMatch: `"x:1"`}))
	call(c.Patch(ctx, key, Patch{Body: []byte(`{"a":2}`)}, PutOptions{}))
	call(c.Patch(ctx, key, Patch{Kind: JSONPatch, Body: []byte(`[]`)}, PutOptions{Context: "ctx-2"}))
	call(c.Create(ctx, "accounts", []byte(`{"new":true}`), Options{}))

	const path = "/v1/docs/accounts/a%2Fb%20c%3F%C3%A9"
	for i, want := range []struct{ method, path, body, match, none, context, kind string }{
		{"PUT", path, `{"a": 1}`, `"x:1"`, "", "ctx-1", "application/json"},
		{"PUT", path, `{}`, "", "*", "", "application/json"},
		{"DELETE", path, "", `"x:1"`, "", "", ""},
		{"PATCH", path, `{"a":2}`, "", "", "", "application/merge-patch+json"},
		{"PATCH", path, `[]`, "", "", "ctx-2", "application/json-patch+json"},
		{"POST", "/v1/docs/accounts", `{"new":true}`, "", "", "", "application/json"},
	} {
		got := n.requests()[i]
		h := got.header
		if got.method != want.method || got.path != want.path || got.body != want.body || h.Get("If-Match") != want.match ||
			h.Get("If-None-Match") != want.none || h.Get("Causal-Context") != want.context || h.Get("Content-Type") != want.kind ||
			h.Get("Authorization") != "Bearer secret" || h.Get("Idempotency-Key") != "" || h.Get("Session") != "" {
			t.Errorf("request %d: got %+v, want %+v", i, got, want)
		}
	}
}

// An id that would name the collection instead is refused before it is sent.
func TestEmptyIDIsNotSent(t *testing.T) {
	t.Parallel()
	n := newFake(t, "a", written)
	c := newTestClient(t, Config{}, n)
	key := Key{Collection: "accounts"}
	_, getErr := c.Get(t.Context(), key, Options{})
	_, putErr := c.Put(t.Context(), key, []byte(`{}`), PutOptions{})
	_, deleteErr := c.Delete(t.Context(), key, PutOptions{})
	for _, err := range []error{getErr, putErr, deleteErr} {
		if !errors.Is(err, Invalid) || !NotApplied(err) {
			t.Errorf("got %v", err)
		}
	}
	if len(n.requests()) > 0 {
		t.Errorf("sent %v", n.requests())
	}
}

// API: "PUT is 201 when nothing was live, else 200".
func TestCreated(t *testing.T) {
	t.Parallel()
	n := newFake(t, "a", func(w http.ResponseWriter, _ *http.Request, _ string) {
		w.Header().Set("Conflict-Count", "3")
		answerWith(w, 201, `{"id":"alice","dot":"a~k3f9x2mz:1","ack":"local"}`)
	})
	w, err := put(t, newTestClient(t, Config{}, n))
	if err != nil || !w.Created || w.Conflicts != 3 {
		t.Errorf("got %+v, %v", w, err)
	}
}

// Shapes: list → {"documents":[…],"next":null}; the cursor leads on.
func TestList(t *testing.T) {
	t.Parallel()
	n := newFake(t, "a", func(w http.ResponseWriter, r *http.Request, _ string) {
		item := func(id string) string {
			return fmt.Sprintf(`{"id":%q,"dot":"a~k3f9x2mz:1","etag":"\"a~k3f9x2mz:1\"","context":"c-%s","conflicts":0,"doc":{ "n": 1.0 }}`, id, id)
		}
		switch r.URL.Query().Get("cursor") {
		case "":
			answerWith(w, 200, `{"documents":[`+item("p1")+`,`+item("p2")+`],"next":"more"}`)
		case "more":
			answerWith(w, 200, `{"documents":[`+item("p3")+`],"next":null}`)
		default:
			answerWith(w, 400, problemOf(400, "bad_cursor"))
		}
	})
	c := newTestClient(t, Config{}, n)
	var ids []string
	for d, err := range c.List(t.Context(), "accounts", ListOptions{Prefix: "p", Conflicted: true, Page: 2}) {
		if err != nil {
			t.Fatal(err)
		}
		if d.Collection != "accounts" || d.Context != "c-"+d.ID || string(d.Doc) != `{ "n": 1.0 }` || d.Node != "a" {
			t.Errorf("got %+v", d)
		}
		ids = append(ids, d.ID)
	}
	if fmt.Sprint(ids) != "[p1 p2 p3]" {
		t.Errorf("got %v", ids)
	}
	if q := n.requests()[0].query; q != "conflicted=true&limit=2&prefix=p" {
		t.Errorf("asked %q", q)
	}
	if q := n.requests()[1].query; q != "conflicted=true&cursor=more&limit=2&prefix=p" {
		t.Errorf("asked %q", q)
	}
	for _, err := range c.List(t.Context(), "accounts", ListOptions{}) {
		if err != nil {
			t.Error(err)
		}
		break // a reader that has enough asks for no further page
	}
	if got := len(n.requests()); got != 3 {
		t.Errorf("%d requests, want 3", got)
	}
}

// An error in the middle of a list is handed out, and ends it.
func TestListEndsWithAnError(t *testing.T) {
	t.Parallel()
	n := newFake(t, "a", func(w http.ResponseWriter, r *http.Request, _ string) {
		if r.URL.Query().Has("cursor") {
			answerWith(w, 410, problemOf(410, "cursor_expired"))
			return
		}
		answerWith(w, 200, `{"documents":[{"id":"p1"}],"next":"old"}`)
	})
	var got []string
	for d, err := range newTestClient(t, Config{}, n).List(t.Context(), "accounts", ListOptions{}) {
		if err != nil {
			got = append(got, fmt.Sprint(errors.Is(err, Code("cursor_expired"))))
			continue
		}
		got = append(got, d.ID)
	}
	if fmt.Sprint(got) != "[p1 true]" {
		t.Errorf("got %v", got)
	}
}

// Shapes: siblings → {"etag","context","siblings":[…]}.
func TestSiblings(t *testing.T) {
	t.Parallel()
	n := newFake(t, "a", said(200, `{"etag":"\"s:00\"","context":"c","siblings":[
		{"dot":"a~k3f9x2mz:1","node":"a","time":"2026-03-01T14:02:11.000000001Z","deleted":false,"clock":{"a~k3f9x2mz":0},"doc":{"n":1}},
		{"dot":"b~77xq01ab:7","node":"b","time":"2026-03-01T14:02:12Z","deleted":true,"clock":{},"loose":["a~k3f9x2mz:9"],"doc":null}]}`))
	s, err := newTestClient(t, Config{}, n).Siblings(t.Context(), alice(), Options{})
	if err != nil || len(s.Siblings) != 2 || s.ETag != `"s:00"` || s.Context != "c" || s.Node != "a" {
		t.Fatalf("got %+v, %v", s, err)
	}
	if first := s.Siblings[0]; first.Dot != "a~k3f9x2mz:1" || string(first.Doc) != `{"n":1}` || first.Deleted || first.Clock == nil {
		t.Errorf("got %+v", first)
	}
	if second := s.Siblings[1]; !second.Deleted || second.Node != "b" || len(second.Loose) != 1 || string(second.Doc) != "null" {
		t.Errorf("got %+v", second)
	}
	if path := n.requests()[0].path; path != "/v1/docs/accounts/alice/siblings" {
		t.Errorf("asked %s", path)
	}
}
