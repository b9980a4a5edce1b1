package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// bulkFake answers a bulk line by line, as API.md's Shapes has it. The test says
// what becomes of an id: the status, or 0 to break off before its result.
func bulkFake(t *testing.T, name string, outcome func(id string) (status int, problem string)) *fake {
	return newFake(t, name, func(w http.ResponseWriter, _ *http.Request, body string) {
		ok, failed := 0, 0
		for line := range strings.Lines(body) {
			var in struct{ ID string }
			if err := json.Unmarshal([]byte(line), &in); err != nil {
				t.Error(err)
			}
			status, problem := outcome(in.ID)
			switch {
			case status == 0:
				panic(http.ErrAbortHandler)
			case status/100 == 2:
				ok++
				fmt.Fprintf(w, `{"id":%q,"status":%d,"dot":"%s~k3f9x2mz:%d","etag":"e","context":"c","conflicts":0}`+"\n", in.ID, status, name, ok)
			default:
				failed++
				fmt.Fprintf(w, `{"id":%q,"status":%d,"problem":%s}`+"\n", in.ID, status, problem)
			}
			w.(http.Flusher).Flush()
		}
		fmt.Fprintf(w, `{"done":true,"ok":%d,"failed":%d}`+"\n", ok, failed)
	})
}

func applied(string) (int, string) { return 200, "" }

func ids(n int) iter.Seq[BulkLine] {
	return func(yield func(BulkLine) bool) {
		for i := range n {
			if !yield(BulkLine{ID: fmt.Sprint(i + 1), Doc: json.RawMessage(`{}`)}) {
				return
			}
		}
	}
}

// collect runs a bulk to its end. Results are written "line:id:status:code".
func collect(t *testing.T, c *Client, lines iter.Seq[BulkLine], options BulkOptions) (results []string, last error) {
	t.Helper()
	for r, err := range c.Bulk(t.Context(), "accounts", lines, options) {
		if last != nil {
			t.Error("the iteration went on after an error")
		}
		if err != nil {
			last = err
			continue
		}
		code := "ok"
		if r.Err != nil {
			code = string(r.Err.Code)
		}
		results = append(results, fmt.Sprintf("%d:%s:%d:%s", r.Line, r.ID, r.Status, code))
	}
	return results, last
}

func expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}

// API: "lines {"id","doc"} or {"id","delete":true}, with if_match, context where
// wanted"; "results in order".
func TestBulkLines(t *testing.T) {
	t.Parallel()
	n := bulkFake(t, "a", func(id string) (int, string) {
		if id == "<2>" {
			return 412, problemOf(412, "precondition_failed")
		}
		return 201, ""
	})
	c := newTestClient(t, Config{}, n)
	lines := slices.Values([]BulkLine{
		{ID: "1", Doc: json.RawMessage("{\n \"n\" : 1.50,\r\n \"s\":\"<\" }")},
		{ID: "<2>", IfMatch: `"a~k3f9x2mz:1"`, Context: "ctx"},
		{ID: "3", Doc: json.RawMessage(`{"a":1},"id":"x"`)},
		{ID: "4", Doc: json.RawMessage(`{}`), IfMatch: "*"},
	})
	got, err := collect(t, c, lines, BulkOptions{})
	if err != nil {
		t.Error(err)
	}
	// The third is no JSON, and would have passed for two members of its line.
	expect(t, got, "3:3:0:bad_json", "1:1:201:ok", "2:<2>:412:precondition_failed", "4:4:201:ok")
	r := n.requests()[0]
	const body = `{"id":"1","doc":{  "n" : 1.50,   "s":"<" }}` + "\n" +
		`{"id":"<2>","delete":true,"if_match":"\"a~k3f9x2mz:1\"","context":"ctx"}` + "\n" +
		`{"id":"4","doc":{},"if_match":"*"}` + "\n"
	if r.method != "POST" || r.path != "/v1/bulk/accounts" || r.query != "" || r.header.Get("Content-Type") != "application/x-ndjson" || r.body != body {
		t.Errorf("got %+v\nwant body %s", r, body)
	}
}

// A long bulk goes in several requests, and its lines keep their numbers.
func TestBulkGoesInSeveralRequests(t *testing.T) {
	t.Parallel()
	n := bulkFake(t, "a", applied)
	c := newTestClient(t, Config{}, n)
	got, err := collect(t, c, ids(2*bulkLines+1), BulkOptions{})
	if err != nil || len(got) != 2*bulkLines+1 || got[2*bulkLines] != "2001:2001:200:ok" || len(n.requests()) != 3 {
		t.Errorf("%d results in %d requests, %v", len(got), len(n.requests()), err)
	}
	big := json.RawMessage(`{"s":"` + strings.Repeat("x", bulkBytes/2) + `"}`)
	lines := slices.Repeat([]BulkLine{{ID: "big", Doc: big}}, 5)
	if got, err := collect(t, c, slices.Values(lines), BulkOptions{}); err != nil || len(got) != 5 || len(n.requests()) != 3+3 {
		t.Errorf("%d results in %d requests, %v", len(got), len(n.requests())-3, err)
	}
	if got, err := collect(t, c, ids(0), BulkOptions{}); err != nil || len(got) != 0 || len(n.requests()) != 6 {
		t.Errorf("no lines: %v, %v", got, err)
	}
}

// API: `last line {"done":true,"ok":n,"failed":m}: without it the rest is
// unknown`.
func TestBulkThatBreaksIsUnknown(t *testing.T) {
	t.Parallel()
	breaking := func(id string) (int, string) {
		if id == "3" {
			return 0, ""
		}
		return 200, ""
	}
	n, other := bulkFake(t, "a", breaking), bulkFake(t, "b", applied)
	got, err := collect(t, newTestClient(t, Config{}, n, other), ids(4), BulkOptions{})
	expect(t, got, "1:1:200:ok", "2:2:200:ok", "3:3:0:unknown", "4:4:0:unknown")
	if !errors.Is(err, Unknown) || !strings.Contains(err.Error(), "broke off after 2 of 4 results") || len(other.requests()) > 0 {
		t.Errorf("got %v; the other had %v", err, other.requests())
	}
	// All results and no last line: each of them stands.
	cut := newFake(t, "a", said(200, `{"id":"1","status":200,"dot":"a~k3f9x2mz:1"}`+"\n"))
	got, err = collect(t, newTestClient(t, Config{}, cut), ids(1), BulkOptions{})
	expect(t, got, "1:1:200:ok")
	if !errors.Is(err, Unknown) {
		t.Errorf("got %v", err)
	}
	// Who wants it gets the rest, and only the rest, sent again.
	got, err = collect(t, newTestClient(t, Config{RetryUnknown: true}, n, other), ids(4), BulkOptions{})
	expect(t, got, "1:1:200:ok", "2:2:200:ok", "3:3:200:ok", "4:4:200:ok")
	if again := other.requests(); err != nil || len(again) != 1 || again[0].body != `{"id":"3","doc":{}}`+"\n"+`{"id":"4","doc":{}}`+"\n" {
		t.Errorf("got %v; the other had %v", err, again)
	}
}

// Of a request that broke, what was refused and what is unknown go on together.
func TestBulkThatBreaksAfterARefusal(t *testing.T) {
	t.Parallel()
	other := bulkFake(t, "b", applied)
	n := bulkFake(t, "a", func(id string) (int, string) {
		switch id {
		case "1":
			return 200, ""
		case "2":
			return 503, refusal(nil, nil)
		}
		return 0, ""
	})
	got, err := collect(t, newTestClient(t, Config{}, n, other), ids(3), BulkOptions{})
	expect(t, got, "1:1:200:ok", "2:2:503:read_only", "3:3:0:unknown")
	if !errors.Is(err, Unknown) {
		t.Errorf("got %v", err)
	}
	got, err = collect(t, newTestClient(t, Config{RetryUnknown: true}, n, other), ids(3), BulkOptions{})
	expect(t, got, "1:1:200:ok", "2:2:200:ok", "3:3:200:ok")
	if err != nil {
		t.Error(err)
	}
}

// Results that are not of the lines that were sent prove nothing.
func TestBulkChecksItsResults(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"another line": `{"id":"9","status":200}` + "\n" + `{"done":true,"ok":1,"failed":0}`,
		"too few":      `{"done":true,"ok":0,"failed":0}`,
		"too many":     `{"id":"1","status":200}` + "\n" + `{"id":"1","status":200}` + "\n" + `{"done":true,"ok":2,"failed":0}`,
		"no JSON":      `<html>`,
	} {
		_, err := collect(t, newTestClient(t, Config{}, newFake(t, "a", said(200, body))), ids(1), BulkOptions{})
		if !errors.Is(err, Unknown) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// API: "A node that turns read-only answers the remaining lines 503": they were
// not applied, so they go on where writes are taken.
func TestBulkGoesOnAtTheWritableNode(t *testing.T) {
	t.Parallel()
	writable := bulkFake(t, "a", func(id string) (int, string) {
		if id == "4" {
			return 422, problemOf(422, "invalid")
		}
		return 200, ""
	})
	turning := bulkFake(t, "b", func(id string) (int, string) {
		if id == "1" {
			return 200, ""
		}
		return 503, refusal([]string{writable.URL}, nil)
	})
	c := newTestClient(t, Config{NoSession: true}, turning)
	got, err := collect(t, c, ids(bulkLines+2), BulkOptions{})
	if err != nil || len(got) != bulkLines+2 {
		t.Fatalf("%d results, %v", len(got), err)
	}
	expect(t, got[:5], "1:1:200:ok", "2:2:200:ok", "3:3:200:ok", "4:4:422:invalid", "5:5:200:ok")
	for r, err := range c.Bulk(t.Context(), "accounts", ids(1), BulkOptions{}) {
		if err != nil || r.URL != writable.URL || r.Dot != "a~k3f9x2mz:1" || r.ETag != "e" || r.Context != "c" {
			t.Errorf("got %+v, %v: a result says where it came from", r, err)
		}
	}
	if len(turning.requests()) != 1 || len(writable.requests()) != 3 {
		t.Errorf("%d and %d requests: the next one goes to the writable node at once", len(turning.requests()), len(writable.requests()))
	}
}

// With nobody to go on at, the refusals stand, and the bulk ends.
func TestBulkEndsWhereNobodyTakesIt(t *testing.T) {
	t.Parallel()
	gone := nobody(t)
	n := bulkFake(t, "b", func(id string) (int, string) {
		if id == "1" {
			return 200, ""
		}
		return 503, refusal([]string{gone}, nil)
	})
	got, err := collect(t, newTestClient(t, Config{}, n), ids(3), BulkOptions{})
	expect(t, got, "1:1:200:ok", "2:2:503:read_only", "3:3:503:read_only")
	if !errors.Is(err, ReadOnly) || !NotApplied(err) {
		t.Errorf("got %v", err)
	}
	// Refused lines that broke at the next node are unknown, whatever was said of
	// them before.
	breaking := bulkFake(t, "a", func(string) (int, string) { return 0, "" })
	got, err = collect(t, newTestClient(t, Config{}, n, breaking), ids(3), BulkOptions{})
	expect(t, got, "1:1:200:ok", "2:2:0:unknown", "3:3:0:unknown")
	if !errors.Is(err, Unknown) {
		t.Errorf("got %v", err)
	}
	// A request that is refused as a whole.
	closed := newFake(t, "b", said(503, refusal(nil, nil)))
	got, err = collect(t, newTestClient(t, Config{}, closed), ids(2), BulkOptions{})
	expect(t, got, "1:1:503:read_only", "2:2:503:read_only")
	if !errors.Is(err, ReadOnly) {
		t.Errorf("got %v", err)
	}
}

// API: "?atomic=true: read whole, one transaction …; 200 with all results, or
// 409 atomic_failed with failed and nothing applied".
func TestBulkAtomic(t *testing.T) {
	t.Parallel()
	n := bulkFake(t, "a", applied)
	c := newTestClient(t, Config{}, n)
	got, err := collect(t, c, ids(MaxAtomicLines), BulkOptions{Atomic: true})
	if err != nil || len(got) != MaxAtomicLines || len(n.requests()) != 1 || n.requests()[0].query != "atomic=true" {
		t.Errorf("%d results, %v", len(got), err)
	}
	got, err = collect(t, c, ids(MaxAtomicLines+1), BulkOptions{Atomic: true})
	if !errors.Is(err, TooLarge) || !NotApplied(err) || len(got) != MaxAtomicLines+1 || len(n.requests()) != 1 {
		t.Errorf("too many: %d results, %v", len(got), err)
	}
	bad := slices.Values([]BulkLine{{ID: "1"}, {ID: "2", Doc: json.RawMessage(`{`)}})
	got, err = collect(t, c, bad, BulkOptions{Atomic: true})
	expect(t, got, "1:1:0:bad_json", "2:2:0:bad_json")
	if !errors.Is(err, BadJSON) || len(n.requests()) != 1 {
		t.Errorf("got %v", err)
	}
	failing := newFake(t, "a", said(409, `{"title":"x","code":"atomic_failed","failed":[{"line":2,"id":"2","status":412,"problem":`+problemOf(412, "precondition_failed")+`}]}`))
	got, err = collect(t, newTestClient(t, Config{}, failing), ids(2), BulkOptions{Atomic: true})
	expect(t, got, "1:1:409:atomic_failed", "2:2:409:atomic_failed")
	e, ok := errors.AsType[*Error](err)
	if !ok || !NotApplied(err) || len(e.Failed) != 1 || e.Failed[0].Line != 2 || !errors.Is(e.Failed[0].Problem, Precondition) {
		t.Errorf("got %+v", e)
	}
}

// A reader that stops gets nothing more, wherever it stops.
func TestBulkStopsWithItsReader(t *testing.T) {
	t.Parallel()
	for stopAt := 1; stopAt <= 5; stopAt++ {
		n := bulkFake(t, "b", func(id string) (int, string) {
			switch id {
			case "1":
				return 200, ""
			case "2":
				return 503, refusal(nil, nil)
			}
			return 0, ""
		})
		count := 0
		bad := slices.Values([]BulkLine{{ID: "0", Doc: json.RawMessage(`{`)}, {ID: "1"}, {ID: "2"}, {ID: "3"}})
		for _, err := range newTestClient(t, Config{}, n).Bulk(t.Context(), "accounts", bad, BulkOptions{}) {
			if count++; count == stopAt {
				break
			}
			if err != nil && count < 5 {
				t.Errorf("item %d: %v", count, err)
			}
		}
		if count != stopAt {
			t.Errorf("%d results before stopping at %d", count, stopAt)
		}
	}
}
