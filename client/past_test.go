package client

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
)

// "`?dot=a~k3f9x2mz:42` reads an old version" (API); "context with each document
// that it handed out" (Go client): it is the version's.
func TestGetVersion(t *testing.T) {
	t.Parallel()
	n := newFake(t, "a", func(w http.ResponseWriter, r *http.Request, _ string) {
		if r.URL.Query().Get("dot") == "a~k3f9x2mz:9" {
			answerWith(w, 404, problemOf(404, "not_found"))
			return
		}
		w.Header().Set("ETag", `"a~k3f9x2mz:42"`)
		w.Header().Set("Causal-Context", "ctx-42")
		w.Header().Set("Conflict-Count", "2")
		answerWith(w, 200, `{"n": 1}`)
	})
	c := newTestClient(t, Config{}, n)
	d, err := c.GetVersion(t.Context(), alice(), "a~k3f9x2mz:42", Options{})
	if err != nil || string(d.Doc) != `{"n": 1}` || d.Dot != "a~k3f9x2mz:42" || d.ETag != `"a~k3f9x2mz:42"` || d.Context != "ctx-42" || d.Conflicts != 2 || d.Node != "a" {
		t.Errorf("%+v, %v", d, err)
	}
	if _, err := c.GetVersion(t.Context(), alice(), "a~k3f9x2mz:9", Options{}); !errors.Is(err, NotFound) {
		t.Error(err)
	}
	if q := n.requests()[0].query; q != "dot=a~k3f9x2mz%3A42" {
		t.Errorf("query %q", q)
	}
}

// "`/history`: versions that this node has seen", page by page.
func TestHistory(t *testing.T) {
	t.Parallel()
	n := newFake(t, "a", func(w http.ResponseWriter, r *http.Request, _ string) {
		switch {
		case r.URL.Query().Has("diff"):
			answerWith(w, 200, `{"from":"a~k3f9x2mz:1","to":null,"changes":[{"path":"/n","before":1},{"path":"/m","after":null}],"more":true}`)
		case r.URL.Query().Has("cursor"):
			answerWith(w, 200, `{"complete":false,"versions":[{"dot":"a~k3f9x2mz:1","live":false,"covered_by":"a~k3f9x2mz:2","covered_at":"2026-11-21T14:02:11Z","record":"r"}],"missing":["b~77xq01ab:3"],"next":null}`)
		default:
			answerWith(w, 200, `{"complete":true,"versions":[{"dot":"a~k3f9x2mz:2","node":"a","time":"2026-11-21T14:02:11.00000009Z","deleted":true,"size":0,"clock":{"a~k3f9x2mz":1},"live":true}],"missing":[],"next":"more"}`)
		}
	})
	c := newTestClient(t, Config{}, n)
	var pages []*HistoryPage
	for p, err := range c.History(t.Context(), alice(), HistoryOptions{Page: 1}) {
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, p)
	}
	if len(pages) != 2 || !pages[0].Complete || !pages[0].Versions[0].Live || !pages[0].Versions[0].Deleted || pages[0].Node != "a" || pages[0].Versions[0].Clock["a~k3f9x2mz"] != 1 ||
		pages[1].Complete || pages[1].Missing[0] != "b~77xq01ab:3" || pages[1].Versions[0].CoveredBy != "a~k3f9x2mz:2" || pages[1].Versions[0].Record != "r" {
		t.Errorf("%+v", pages)
	}
	d, err := c.Diff(t.Context(), alice(), Versions{From: "a~k3f9x2mz:1"}, Options{})
	if err != nil || d.From != "a~k3f9x2mz:1" || d.To != "" || !d.More || len(d.Changes) != 2 || string(d.Changes[0].Before) != "1" || d.Changes[0].After != nil || string(d.Changes[1].After) != "null" {
		t.Errorf("%+v, %v", d, err)
	}
	for _, err := range c.History(t.Context(), alice(), HistoryOptions{}) {
		if err != nil {
			t.Error(err)
		}
		break // and no further page is asked for
	}
	var sent []string
	for _, r := range n.requests() {
		sent = append(sent, r.path+"?"+r.query)
	}
	const path = "/v1/docs/accounts/alice/history?"
	expect(t, sent, path+"limit=1", path+"cursor=more&limit=1", path+"diff=a~k3f9x2mz%3A1..", path)
	broken := newFake(t, "a", said(400, problemOf(400, "bad_cursor")))
	for _, err := range newTestClient(t, Config{}, broken).History(t.Context(), alice(), HistoryOptions{}) {
		if e, ok := errors.AsType[*Error](err); !ok || e.Code != "bad_cursor" {
			t.Errorf("%v", err)
		}
	}
}

// "`/explain`: why this value is shown".
func TestExplain(t *testing.T) {
	t.Parallel()
	n := newFake(t, "a", said(200, `{"collection":"accounts","id":"alice","etag":"\"s:1\"","context":"ctx","conflicts":2,"conflict":"c","policy":{"kind":"lww","version":null,"resolver":null},
		"shown":{"dot":"a~k3f9x2mz:2","deleted":false},"reason":"later","waits":"it waits","stable":false,"lost_more":0,"waits_for":[{"node":"b","lacks":["a~k3f9x2mz:2"]}],
		"siblings":[{"dot":"b~77xq01ab:3","node":"b","clock":{},"stable":true,"lost":[{"dot":"b~77xq01ab:3","path":"/n","value":1,"delta":"-1"}]}]}`))
	x, err := newTestClient(t, Config{}, n).Explain(t.Context(), alice(), Options{})
	if err != nil || x.Reason != "later" || x.Waits != "it waits" || x.WaitsFor[0].Node != "b" || x.WaitsFor[0].Lacks[0] != "a~k3f9x2mz:2" || x.Shown.Dot != "a~k3f9x2mz:2" ||
		x.Siblings[0].Lost[0].Delta != "-1" || !x.Siblings[0].Stable || x.Policy.Kind != "lww" || x.Conflict != "c" || x.Node != "a" || n.requests()[0].path != "/v1/docs/accounts/alice/explain" {
		t.Errorf("%+v, %v", x, err)
	}
}

// "`POST /v1/docs/{c}/{id}/ops` · `/restore`", answered as a write of a document.
func TestOpsAndRestore(t *testing.T) {
	t.Parallel()
	n := newFake(t, "a", written)
	c := newTestClient(t, Config{}, n)
	w, err := c.RestoreVersion(t.Context(), alice(), "a~k3f9x2mz:1", PutOptions{IfMatch: `"x"`})
	if err != nil || w.Dot != "a~k3f9x2mz:43" || w.Context != "ctx-43" {
		t.Errorf("%+v, %v", w, err)
	}
	ops := Ops{Inc: map[string]json.Number{"/n": "-0.10"}, AddToSet: map[string][]json.RawMessage{"/tags": {json.RawMessage(`"<x>"`)}}}
	if w, err = c.Ops(t.Context(), alice(), ops, PutOptions{IfNoneMatch: true, Context: "ctx"}); err != nil || w.Dot != "a~k3f9x2mz:43" {
		t.Errorf("%+v, %v", w, err)
	}
	var sent []string
	for _, r := range n.requests() {
		sent = append(sent, strings.Join([]string{r.method, r.path, r.body, r.header.Get("Content-Type"), r.header.Get("If-Match") + r.header.Get("If-None-Match") + r.header.Get("Causal-Context")}, "|"))
	}
	expect(t, sent, `POST|/v1/docs/accounts/alice/restore|{"dot":"a~k3f9x2mz:1"}|application/json|"x"`,
		`POST|/v1/docs/accounts/alice/ops|{"inc":{"/n":-0.10},"add_to_set":{"/tags":["\u003cx\u003e"]}}|application/json|*ctx`)
}

// A call that names nothing is not sent.
func TestPastOfNothing(t *testing.T) {
	t.Parallel()
	n := newFake(t, "a", written)
	c, nobody := newTestClient(t, Config{}, n), Key{Collection: "accounts"}
	_, one := c.GetVersion(t.Context(), nobody, "a~k3f9x2mz:1", Options{})
	_, two := c.GetVersion(t.Context(), alice(), "", Options{})
	_, three := c.Explain(t.Context(), nobody, Options{})
	_, four := c.RestoreVersion(t.Context(), nobody, "a~k3f9x2mz:1", PutOptions{})
	_, five := c.RestoreVersion(t.Context(), alice(), "", PutOptions{})
	_, six := c.Ops(t.Context(), nobody, Ops{}, PutOptions{})
	_, seven := c.Ops(t.Context(), alice(), Ops{Inc: map[string]json.Number{"/n": "x"}}, PutOptions{})
	_, eight := c.Diff(t.Context(), nobody, Versions{From: "a~k3f9x2mz:1"}, Options{})
	_, nine := c.Diff(t.Context(), alice(), Versions{}, Options{})
	errs := []error{one, two, three, four, five, six, seven, eight, nine}
	for _, err := range c.History(t.Context(), nobody, HistoryOptions{}) {
		errs = append(errs, err)
	}
	for i, err := range errs {
		if !errors.Is(err, Invalid) {
			t.Errorf("call %d: %v", i, err)
		}
	}
	if len(errs) != 10 || len(n.requests()) != 0 {
		t.Errorf("%d errors, %d requests", len(errs), len(n.requests()))
	}
}
