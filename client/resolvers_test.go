package client

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

const someResolver = `{"name":"rule","hash":"0123456789abcdef","who":"eve","at":"2026-11-21T14:02:14.00000000Z","used_by":["accounts"],"etag":"\"a~k3f9x2mz:5\""`

// Routes: GET/PUT/DELETE /v1/resolvers/{name}, /versions, /rollback.
func TestResolvers(t *testing.T) {
	t.Parallel()
	n := newFake(t, "a", func(w http.ResponseWriter, r *http.Request, _ string) {
		switch r.Method + " " + r.URL.Path {
		case "GET /v1/resolvers":
			answerWith(w, 200, `{"resolvers":[`+someResolver+`}]}`)
		case "GET /v1/resolvers/rule":
			answerWith(w, 200, someResolver+`,"source":"x"}`)
		case "GET /v1/resolvers/rule/versions":
			answerWith(w, 200, `{"name":"rule","versions":[{"hash":"0123456789abcdef","who":"eve","at":"t","present":true,"source":"x"}]}`)
		case "DELETE /v1/resolvers/rule":
			answerWith(w, 409, problemOf(409, "resolver_in_use"))
		default:
			answerWith(w, 200, someResolver+`,"tests":[{"name":"test_a","passed":true}],"gate":{"passed":true,"resolved":3,"warnings":[{"check":"grouping"}]}}`)
		}
	})
	c, ctx := newTestClient(t, Config{}, n), t.Context()
	all, err := c.Resolvers(ctx, Options{})
	if err != nil || len(all) != 1 || all[0].UsedBy[0] != "accounts" || all[0].Node != "a" {
		t.Errorf("got %+v, %v", all, err)
	}
	one, err := c.Resolver(ctx, "rule", Options{})
	if err != nil || one.Source != "x" || one.ETag != `"a~k3f9x2mz:5"` || one.Node != "a" {
		t.Errorf("got %+v, %v", one, err)
	}
	versions, err := c.ResolverVersions(ctx, "rule", Options{})
	if err != nil || len(versions) != 1 || !versions[0].Present {
		t.Errorf("got %+v, %v", versions, err)
	}
	one, err = c.PutResolver(ctx, "rule", []byte("def resolve(c): pass"), PutOptions{IfMatch: `"x"`})
	if err != nil || !one.Tests[0].Passed || one.Gate.Resolved != 3 || one.Gate.Warnings[0].Check != "grouping" {
		t.Errorf("got %+v, %v", one, err)
	}
	if one, err = c.RollbackResolver(ctx, "rule", `0123"`, PutOptions{}); err != nil || one.Hash != "0123456789abcdef" {
		t.Errorf("got %+v, %v", one, err)
	}
	if err := c.DeleteResolver(ctx, "rule", PutOptions{}); !errors.Is(err, ResolverInUse) {
		t.Errorf("got %v", err)
	}
	var got []string
	for _, r := range n.requests()[3:] {
		got = append(got, fmt.Sprint(r.method, " ", r.path, " ", r.header.Get("Content-Type"), " ", r.header.Get("If-Match"), " ", r.body))
	}
	expect(t, got,
		`PUT /v1/resolvers/rule application/vnd.starlark "x" def resolve(c): pass`,
		`POST /v1/resolvers/rule/rollback application/json  {"hash":"0123\""}`,
		`DELETE /v1/resolvers/rule   `)
	for _, err := range []error{
		second(c.Resolver(ctx, "", Options{})), second(c.ResolverVersions(ctx, "", Options{})), second(c.PutResolver(ctx, "", nil, PutOptions{})),
		second(c.RollbackResolver(ctx, "", "x", PutOptions{})), c.DeleteResolver(ctx, "", PutOptions{}),
	} {
		if !errors.Is(err, Invalid) {
			t.Errorf("got %v", err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// "422 … resolver (line:column)".
func TestInvalidResolver(t *testing.T) {
	t.Parallel()
	n := newFake(t, "a", said(422, `{"title":"T","status":422,"code":"invalid_resolver","detail":"d","node":"a","trace_id":"t",
		"problems":[{"line":3,"column":1,"msg":"got end of file"}],"tests":[{"name":"test_a","passed":false,"failure":{"kind":"error","msg":"no","line":4,"column":5}}],
		"gate":{"passed":false,"diverged":[{"check":"order","how":"h"}]}}`))
	_, err := newTestClient(t, Config{}, n).PutResolver(t.Context(), "rule", []byte("x"), PutOptions{})
	e, ok := errors.AsType[*Error](err)
	if !ok || !errors.Is(err, InvalidResolver) || !NotApplied(err) || e.Problems[0].Line != 3 || e.Tests[0].Failure.String() != "error at 4:5: no" || e.Gate.Diverged[0].Check != "order" {
		t.Errorf("got %+v", err)
	}
	if text := (&ScriptFailure{Kind: "memory", Msg: "gone"}).String(); text != "memory: gone" {
		t.Errorf("got %q", text)
	}
}

// "Replay over records as NDJSON: same, changed, failed".
func TestDryRun(t *testing.T) {
	t.Parallel()
	const line = `{"id":"abc","collection":"accounts","doc_id":"alice","by":"policy","outcome":"changed","recorded":{"deleted":false,"doc":{"n":1}},
		"candidate":{"deleted":true,"doc":null},"diff":[{"path":"/n","before":1}],"diff_more":false,"notes":["x"],"failure":null}`
	flat := strings.ReplaceAll(line, "\n", "") + "\n"
	broken := false
	n := newFake(t, "a", func(w http.ResponseWriter, _ *http.Request, _ string) {
		if broken {
			answerWith(w, 200, flat)
			return
		}
		answerWith(w, 200, flat+`{"done":true,"hash":"h","records":1,"same":0,"changed":1,"failed":0,"deferred":0,"unknown":0,"more":true}`+"\n")
	})
	c := newTestClient(t, Config{}, n)
	run := DryRun{Source: `def "x"`, Collection: "accounts", By: "policy", State: "settled", Limit: 5}
	var got []DryRunResult
	for one, err := range c.DryRunResolver(t.Context(), "rule", run) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, one)
	}
	if len(got) != 2 || got[0].Outcome != "changed" || !got[0].Candidate.Deleted || string(got[0].Diff[0].Before) != "1" || got[1].Totals == nil || got[1].Totals.Changed != 1 || !got[1].Totals.More {
		t.Errorf("got %+v", got)
	}
	if body := n.requests()[0].body; body != `{"source":"def \"x\"","filter":{"c":"accounts","by":"policy","state":"settled"},"limit":5}` {
		t.Errorf("asked %s", body)
	}
	for _, err := range c.DryRunResolver(t.Context(), "rule", DryRun{}) {
		if err != nil {
			t.Error(err)
		}
		break // who has enough hears no more
	}
	broken = true
	var last error
	for _, err := range c.DryRunResolver(t.Context(), "rule", DryRun{}) {
		last = err
	}
	if last == nil || !strings.Contains(last.Error(), "broke off") {
		t.Errorf("an answer without its last line is no error: %v", last)
	}
	for _, err := range c.DryRunResolver(t.Context(), "", DryRun{}) {
		if !errors.Is(err, Invalid) {
			t.Errorf("got %v", err)
		}
	}
}

// "{"resolver":name} for an open one", alone and for many.
func TestResolveByResolver(t *testing.T) {
	t.Parallel()
	n := newFake(t, "a", func(w http.ResponseWriter, r *http.Request, _ string) {
		if strings.HasSuffix(r.URL.Path, someConflict+"/resolve") {
			answerWith(w, 422, problemOf(422, "resolver_failed"))
			return
		}
		answerWith(w, 200, `{"conflict":"c","collection":"accounts","id":"x","pick":null,"shown":null,"same":false,"status":200,"dot":null,"verdict":"value","doc":{"n":1}}
{"done":true,"dry_run":true,"ok":1,"failed":0,"skipped":0,"more":false}
`)
	})
	c := newTestClient(t, Config{}, n)
	if _, err := c.Resolve(t.Context(), someConflict, Resolution{Resolver: "rule"}); !errors.Is(err, ResolverFailed) {
		t.Errorf("got %v", err)
	}
	for one, err := range c.ResolveMany(t.Context(), ResolveRule{Resolver: "rule", DryRun: true}) {
		if err != nil || one.Totals == nil && (one.Verdict != "value" || string(one.Doc) != `{"n":1}`) {
			t.Errorf("got %+v, %v", one, err)
		}
	}
	expect(t, []string{n.requests()[0].body, n.requests()[1].body},
		`{"resolver":"rule","reason":""}`, `{"filter":{},"resolver":"rule","dry_run":true}`)
}
