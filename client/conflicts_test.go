package client

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

const (
	someConflict  = "abcdefghijklmnopqrstuvwx23"
	otherConflict = "zbcdefghijklmnopqrstuvwx23"
)

// Shapes: conflict → {"id","state","by","collection","doc_id","siblings":[…],
// "base","shown","policy":{"kind","version","resolver"},"reason","lost":[…],"episode"}.
const wholeConflict = `{"id":"` + someConflict + `","state":"settled","by":"policy","collection":"accounts","doc_id":"alice",
	"policy":{"kind":"lww","version":"a~k3f9x2mz:1","resolver":null},"reason":"later by 2.4 s","who":"a","at":"2026-11-21T14:02:14.00000000Z",
	"lost_count":1,"lost":[{"dot":"a~k3f9x2mz:4","path":"/balance","value":20,"delta":"-50"}],"trace":[{"action":"review","dot":null,"who":"eve","at":"2026-11-21T15:00:00.00000000Z"}],
	"base":null,"base_exact":false,"episode":null,
	"siblings":[{"dot":"a~k3f9x2mz:4","node":"a","time":"2026-11-21T14:02:11.00000000Z","deleted":false,"hidden":false,"size":14,"clock":null,"doc":{"balance":20}},
		{"dot":"b~77xq01ab:9","node":"b","time":"2026-11-21T14:02:13.40000000Z","deleted":true,"hidden":true,"size":0,"clock":{"b~77xq01ab":8},"loose":["a~k3f9x2mz:3"],"doc":null}],
	"shown":{"dot":"b~77xq01ab:9","deleted":true,"doc":null},"result":{"dot":"a~k3f9x2mz:5","deleted":true,"doc":null}}`

func TestConflict(t *testing.T) {
	t.Parallel()
	n := newFake(t, "a", func(w http.ResponseWriter, r *http.Request, _ string) {
		w.Header().Set("ETag", `"a~k3f9x2mz:5"`)
		if strings.HasSuffix(r.URL.Path, otherConflict) {
			answerWith(w, 409, `{"title":"T","status":409,"code":"conflict_changed","detail":"d","node":"a","trace_id":"t","conflict":"`+someConflict+`",
				"etag":"\"s:1\"","conflicts":3,"siblings":[{"dot":"a~k3f9x2mz:4"}]}`)
			return
		}
		answerWith(w, 200, wholeConflict)
	})
	c := newTestClient(t, Config{}, n)
	got, err := c.Conflict(t.Context(), someConflict, Options{})
	if err != nil || got.ETag != `"a~k3f9x2mz:5"` || got.Node != "a" || got.By != "policy" || got.Policy.Version != "a~k3f9x2mz:1" || len(got.Siblings) != 2 {
		t.Fatalf("got %+v, %v", got, err)
	}
	if first, second := got.Siblings[0], got.Siblings[1]; first.Clock != nil || string(first.Doc) != `{"balance":20}` || second.Clock["b~77xq01ab"] != 8 || !second.Hidden || second.Loose[0] != "a~k3f9x2mz:3" {
		t.Errorf("siblings %+v", got.Siblings)
	}
	if got.Lost[0].Delta != "-50" || got.Trace[0].Who != "eve" || !got.Shown.Deleted || got.Result.Dot != "a~k3f9x2mz:5" {
		t.Errorf("got %+v", got)
	}
	// "the old one answers 409 conflict_changed with the new".
	_, err = c.Conflict(t.Context(), otherConflict, Options{})
	if e, ok := errors.AsType[*Error](err); !ok || !errors.Is(err, ConflictChanged) || e.Conflict != someConflict || len(e.Siblings) != 1 || e.Conflicts != 3 {
		t.Errorf("got %+v", err)
	}
}

func TestConflicts(t *testing.T) {
	t.Parallel()
	n := newFake(t, "a", func(w http.ResponseWriter, r *http.Request, _ string) {
		item := func(id string) string { return `{"id":"` + id + `","state":"settled","by":"person"}` }
		switch r.URL.Query().Get("cursor") {
		case "":
			answerWith(w, 200, `{"conflicts":[`+item("one")+`,`+item("two")+`],"next":"more","meta":{"open":4,"records":3}}`)
		case "more":
			answerWith(w, 200, `{"conflicts":[`+item("three")+`],"next":null,"meta":{"open":4,"records":3}}`)
		}
	})
	c := newTestClient(t, Config{}, n)
	var got []string
	for one, err := range c.Conflicts(t.Context(), ConflictsOptions{State: ConflictSettled, By: "person", Collection: "accounts", Page: 2}) {
		if err != nil || one.State != ConflictSettled || one.Node != "a" {
			t.Fatalf("got %+v, %v", one, err)
		}
		got = append(got, one.ID)
	}
	expect(t, got, "one", "two", "three")
	if q := n.requests()[1].query; q != "by=person&c=accounts&cursor=more&limit=2&state=settled" {
		t.Errorf("asked %q", q)
	}
	for _, err := range c.Conflicts(t.Context(), ConflictsOptions{}) {
		if err != nil {
			t.Error(err)
		}
		break // who has enough asks for no further page
	}
	counts, err := c.ConflictCounts(t.Context(), Options{})
	if err != nil || counts != (ConflictCounts{4, 3}) || len(n.requests()) != 4 || n.requests()[3].query != "limit=1" {
		t.Errorf("got %+v, %v", counts, err)
	}
}

// Routes: /resolve, /restore, /revert, /review. A document goes out as it came.
func TestDecisions(t *testing.T) {
	t.Parallel()
	n := newFake(t, "a", func(w http.ResponseWriter, r *http.Request, _ string) {
		if r.Header.Get("If-Match") == `"old"` {
			answerWith(w, 412, problemOf(412, "precondition_failed"))
			return
		}
		w.Header().Set("ETag", `"a~k3f9x2mz:6"`)
		w.Header().Set("Causal-Context", "ctx-6")
		w.Header().Set("Conflict-Count", "2")
		answerWith(w, 200, `{"conflict":"`+someConflict+`","collection":"accounts","id":"alice","dot":"a~k3f9x2mz:6","ack":"local"}`)
	})
	c, ctx := newTestClient(t, Config{}, n), t.Context()
	guard := Guard{IfMatch: `"s:1"`}
	var all []*Decided
	for _, act := range []func() (*Decided, error){
		func() (*Decided, error) {
			return c.Resolve(ctx, someConflict, Resolution{Guard: guard, Pick: "a~k3f9x2mz:4", Reason: `so "be" it`})
		},
		func() (*Decided, error) {
			return c.Resolve(ctx, someConflict, Resolution{Doc: []byte(`{ "n": 1.50, "x":"<&>" }`)})
		},
		func() (*Decided, error) { return c.Resolve(ctx, someConflict, Resolution{Delete: true}) },
		func() (*Decided, error) { return c.Restore(ctx, someConflict, "a~k3f9x2mz:4", guard) },
		func() (*Decided, error) { return c.Revert(ctx, someConflict, guard) },
		func() (*Decided, error) { return c.Review(ctx, someConflict, guard) },
	} {
		d, err := act()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, d)
	}
	for _, d := range all {
		if d.Conflict != someConflict || d.ID != "alice" || d.Dot != "a~k3f9x2mz:6" || d.ETag != `"a~k3f9x2mz:6"` || d.Context != "ctx-6" || d.Conflicts != 2 || d.WriteState != "writable" {
			t.Errorf("got %+v", d)
		}
	}
	for i, want := range []string{
		`/resolve {"pick":"a~k3f9x2mz:4","reason":"so \"be\" it"} "s:1"`,
		`/resolve {"doc":{ "n": 1.50, "x":"<&>" },"reason":""} `,
		`/resolve {"delete":true,"reason":""} `,
		`/restore {"dot":"a~k3f9x2mz:4"} "s:1"`, `/revert  "s:1"`, `/review  "s:1"`,
	} {
		r := n.requests()[i]
		if got := strings.TrimPrefix(r.path, "/v1/conflicts/"+someConflict) + " " + r.body + " " + r.header.Get("If-Match"); got != want {
			t.Errorf("sent %s, want %s", got, want)
		}
	}
	if _, err := c.Revert(ctx, someConflict, Guard{IfMatch: `"old"`}); !errors.Is(err, Precondition) {
		t.Errorf("got %v", err)
	}
	before := len(n.requests())
	_, getErr := c.Conflict(ctx, "", Options{})
	_, reviewErr := c.Review(ctx, "", Guard{})
	if !errors.Is(getErr, Invalid) || !errors.Is(reviewErr, Invalid) || len(n.requests()) != before {
		t.Errorf("without an id: %v, %v", getErr, reviewErr)
	}
}

const resolvedLine = `{"conflict":"` + someConflict + `","collection":"accounts","id":"alice","pick":"a~k3f9x2mz:4","shown":"b~77xq01ab:9","same":false,"status":200,"dot":"a~k3f9x2mz:7"}` + "\n"

func TestResolveMany(t *testing.T) {
	t.Parallel()
	n := newFake(t, "a", said(200, resolvedLine+
		`{"conflict":"x","collection":"accounts","id":"bob","pick":null,"shown":null,"same":false,"status":200,"dot":null}`+"\n"+
		`{"conflict":"y","collection":"accounts","id":"eve","pick":"a~k3f9x2mz:5","shown":null,"same":false,"status":503,"dot":null,"problem":`+strings.ReplaceAll(refusal(nil, nil), "\n", "")+"}\n"+
		`{"done":true,"dry_run":false,"ok":1,"failed":1,"skipped":1,"more":true}`+"\n"))
	c := newTestClient(t, Config{}, n)
	var got []string
	var totals ResolveTotals
	for one, err := range c.ResolveMany(t.Context(), ResolveRule{Collection: "accounts", Policy: PolicyLWW, Node: "a", Limit: 3, Reason: "r"}) {
		switch {
		case err != nil:
			t.Fatal(err)
		case one.Totals != nil:
			totals = *one.Totals
		default:
			got = append(got, fmt.Sprintf("%s %q %q %v", one.ID, one.Pick, one.Dot, one.Err != nil && one.Err.Code == ReadOnly))
		}
	}
	expect(t, got, `alice "a~k3f9x2mz:4" "a~k3f9x2mz:7" false`, `bob "" "" false`, `eve "a~k3f9x2mz:5" "" true`)
	if totals != (ResolveTotals{OK: 1, Failed: 1, Skipped: 1, More: true}) {
		t.Errorf("totals %+v", totals)
	}
	if body := n.requests()[0].body; body != `{"filter":{"c":"accounts","policy":"lww"},"pick":{"node":"a"},"dry_run":false,"limit":3,"reason":"r"}` {
		t.Errorf("sent %s", body)
	}
	for _, err := range c.ResolveMany(t.Context(), ResolveRule{Pick: "newest", Conflicts: []string{}}) { // none is not all
		if err != nil {
			t.Error(err)
		}
	}
	if body := n.requests()[1].body; body != `{"filter":{"conflicts":[]},"pick":"newest","dry_run":false}` {
		t.Errorf("sent %s", body)
	}
	for _, err := range c.ResolveMany(t.Context(), ResolveRule{Pick: "newest", DryRun: true}) {
		if err != nil {
			t.Error(err)
		}
		break // what is left of the answer is nobody's
	}
	if body := n.requests()[2].body; body != `{"filter":{},"pick":"newest","dry_run":true}` {
		t.Errorf("sent %s", body)
	}
}

// "without it the rest is unknown": what came stands, and nothing is sent again.
func TestResolveManyBreaksOff(t *testing.T) {
	t.Parallel()
	broken := newFake(t, "a", said(200, resolvedLine))
	second := newFake(t, "b", said(200, `{"done":true}`))
	results, last := 0, error(nil)
	for one, err := range newTestClient(t, Config{}, broken, second).ResolveMany(t.Context(), ResolveRule{Pick: "newest", DryRun: true}) {
		if last = err; err == nil && one.ID == "alice" {
			results++
		}
	}
	if results != 1 || !errors.Is(last, Unknown) || len(second.requests()) != 0 {
		t.Errorf("%d results, %v, and %d requests elsewhere", results, last, len(second.requests()))
	}
}

// Shapes: collection → {"policy":{…},"ack","minority","require_context","delete","history","limits"}.
func TestCollections(t *testing.T) {
	t.Parallel()
	shape := func(name string) string {
		return `{"name":"` + name + `","policy":{"kind":"lww","path":"/n"},"ack":"local","minority":"refuse","require_context":true,"delete":"lww","history":"0s",
			"records":"720h","limits":{"body":1048576},"dot":null,"etag":null,"documents":10,"tombstones":2,"conflicts":1}`
	}
	n := newFake(t, "a", func(w http.ResponseWriter, r *http.Request, _ string) {
		switch {
		case r.Method == http.MethodDelete && strings.HasSuffix(r.URL.Path, "full"):
			answerWith(w, 409, problemOf(409, "not_empty"))
		case r.Method == http.MethodDelete:
			answerWith(w, 200, `{"id":"accounts","dot":"a~k3f9x2mz:9","ack":"local"}`)
		case r.URL.Path == "/v1/collections" && !r.URL.Query().Has("cursor"):
			answerWith(w, 200, `{"collections":[`+shape("a")+`],"next":"a"}`)
		case r.URL.Path == "/v1/collections":
			answerWith(w, 200, `{"collections":[`+shape("b")+`],"next":null}`)
		default:
			answerWith(w, 200, shape("accounts"))
		}
	})
	c, ctx := newTestClient(t, Config{}, n), t.Context()
	var names []string
	for one, err := range c.Collections(ctx, ListOptions{Page: 1, Prefix: "p"}) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, one.Name)
	}
	expect(t, names, "a", "b")
	one, err := c.Collection(ctx, "accounts", Options{})
	if err != nil || one.Policy.Kind != PolicyLWW || one.Policy.Path != "/n" || !one.RequireContext || one.Limits.Body != 1<<20 || one.Dot != "" || one.Documents != 10 || one.Node != "a" {
		t.Errorf("got %+v, %v", one, err)
	}
	whole, err := c.Configure(ctx, "accounts", Configuration{Whole: []byte(`{"ack":"local"}`), PutOptions: PutOptions{IfNoneMatch: true}})
	if err != nil || whole.Name != "accounts" {
		t.Errorf("got %+v, %v", whole, err)
	}
	if _, err := c.Configure(ctx, "accounts", Configuration{Patch: Patch{Body: []byte(`{}`)}, PutOptions: PutOptions{IfMatch: `"x"`}}); err != nil {
		t.Error(err)
	}
	if err := c.Unconfigure(ctx, "accounts", PutOptions{}); err != nil {
		t.Error(err)
	}
	if err := c.Unconfigure(ctx, "full", PutOptions{}); !errors.Is(err, NotEmpty) || !NotApplied(err) {
		t.Errorf("got %v", err)
	}
	var sent []string
	for _, r := range n.requests() {
		sent = append(sent, strings.Join([]string{r.method, r.path, r.query, r.body, r.header.Get("Content-Type"), r.header.Get("If-Match"), r.header.Get("If-None-Match")}, "|"))
	}
	expect(t, sent,
		"GET|/v1/collections|limit=1&prefix=p||||", "GET|/v1/collections|cursor=a&limit=1&prefix=p||||", "GET|/v1/collections/accounts|||||",
		`PUT|/v1/collections/accounts||{"ack":"local"}|application/json||*`, `PATCH|/v1/collections/accounts||{}|application/merge-patch+json|"x"|`,
		"DELETE|/v1/collections/accounts|||||", "DELETE|/v1/collections/full|||||")
	_, getErr := c.Collection(ctx, "", Options{})
	_, putErr := c.Configure(ctx, "", Configuration{Whole: []byte("{}")})
	if deleteErr := c.Unconfigure(ctx, "", PutOptions{}); !errors.Is(getErr, Invalid) || !errors.Is(putErr, Invalid) || !errors.Is(deleteErr, Invalid) || len(n.requests()) != len(sent) {
		t.Errorf("without a name: %v, %v, %v", getErr, putErr, deleteErr)
	}
}
