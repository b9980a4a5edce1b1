package client

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// API: "detail says which; clients try both in this order": writable_nodes,
// then candidates, and here then the others that the client knows.
func TestReadOnlyLeadsToTheWritableNode(t *testing.T) {
	t.Parallel()
	var order []string
	note := func(name string, next func(http.ResponseWriter, *http.Request, string)) func(http.ResponseWriter, *http.Request, string) {
		return func(w http.ResponseWriter, r *http.Request, body string) {
			order = append(order, name) // requests come one after the other
			next(w, r, body)
		}
	}
	known := newFake(t, "d", note("known", written))
	candidate := newFake(t, "c", note("candidate", said(503, refusal(nil, nil))))
	writable := newFake(t, "a", note("writable", said(503, refusal(nil, nil))))
	refusing := newFake(t, "b", note("refusing", said(503, refusal([]string{writable.URL}, []string{candidate.URL}))))
	c := newTestClient(t, Config{}, refusing, known)
	w, err := put(t, c)
	if err != nil || w.Node != "d" || w.URL != known.URL {
		t.Fatalf("got %+v, %v", w, err)
	}
	if want := []string{"refusing", "writable", "candidate", "known"}; !slices.Equal(order, want) {
		t.Errorf("asked %v, want %v", order, want)
	}
	// It stays where it was answered.
	if _, err := put(t, c); err != nil || order[len(order)-1] != "known" || len(order) != 5 {
		t.Errorf("asked %v, %v", order, err)
	}
}

// API: the 503 says who may write, which is of use when nobody of them answers.
func TestReadOnlyEverywhere(t *testing.T) {
	t.Parallel()
	gone := nobody(t)
	n := newFake(t, "b", func(w http.ResponseWriter, _ *http.Request, _ string) {
		w.Header().Set("Retry-After", "2")
		answerWith(w, 503, refusal([]string{gone}, nil))
	})
	_, err := put(t, newTestClient(t, Config{}, n))
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Code != ReadOnly || e.Status != 503 || e.Cause != "no_majority" || e.Votes != (Votes{1, 2, 3}) || e.Since.IsZero() ||
		!slices.Equal(e.WritableNodes, []string{gone}) || e.RetryAfter.Seconds() != 2 || e.Node != "b" || e.TraceID != "t1" || !NotApplied(err) {
		t.Errorf("got %+v", e)
	}
	if want := "PUT /v1/docs/accounts/alice at node b: b lost a and the witness and has 1 of 3 votes. (503 read_only)"; err.Error() != want {
		t.Errorf("got %q\nwant %q", err, want)
	}
}

// Nothing was sent to a node that cannot be reached, so even a write goes on.
func TestUnreachableNodesAreSkipped(t *testing.T) {
	t.Parallel()
	n := newFake(t, "b", written)
	c := newTestClient(t, Config{Nodes: []string{nobody(t)}}, n)
	if w, err := put(t, c); err != nil || w.Node != "b" {
		t.Errorf("got %+v, %v", w, err)
	}
	none := newTestClient(t, Config{Nodes: []string{nobody(t), nobody(t)}})
	_, err := put(t, none)
	if !errors.Is(err, Unreachable) || !NotApplied(err) || strings.Count(err.Error(), "connection refused") != 2 {
		t.Errorf("got %v", err)
	}
}

// API: 503 "nothing was applied"; 421 "a witness was asked for documents; lists
// the data nodes".
func TestAnswersThatAppliedNothingLeadOn(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		code   string
		status int
	}{{"draining", 503}, {"busy", 503}, {"behind", 503}, {"misdirected", 421}} {
		n := newFake(t, "b", written)
		first := newFake(t, "a", said(tc.status, problemOf(tc.status, tc.code)))
		if w, err := put(t, newTestClient(t, Config{}, first, n)); err != nil || w.Node != "b" {
			t.Errorf("%s: got %+v, %v", tc.code, w, err)
		}
	}
	fresh := newFake(t, "c", written)
	second := newFake(t, "b", written)
	behind := newFake(t, "a", said(503, `{"title":"x","code":"behind","fresh_nodes":["`+fresh.URL+`"]}`))
	if w, err := put(t, newTestClient(t, Config{}, behind, second)); err != nil || w.Node != "c" {
		t.Errorf("fresh_nodes: got %+v, %v", w, err)
	}
}

// An answer that concerns the request itself is final.
func TestOtherErrorsAreFinal(t *testing.T) {
	t.Parallel()
	for status, code := range map[int]string{
		400: "bad_json", 403: "system_collection", 404: "not_found", 409: "stale_context", 412: "precondition_failed",
		413: "too_large", 415: "unsupported_type", 422: "invalid", 500: "bug", 501: "not_built", 507: "disk_full", 504: "lease_lost",
	} {
		second := newFake(t, "b", written)
		first := newFake(t, "a", said(status, problemOf(status, code)))
		_, err := put(t, newTestClient(t, Config{RetryUnknown: true}, first, second))
		e, ok := errors.AsType[*Error](err)
		if !ok || !errors.Is(err, Code(code)) || e.Status != status || e.Title != "A title" || e.Detail != "some words" || len(second.requests()) > 0 {
			t.Errorf("%d %s: got %+v", status, code, err)
		}
		if applied := code == "lease_lost" || code == "bug"; NotApplied(err) == applied {
			t.Errorf("%d %s: NotApplied is %v", status, code, !applied)
		}
	}
}

// API: "A 504 without our code is unknown", and so is a write whose connection
// broke after it was sent: it is not sent again in silence.
func TestBrokenWritesAreUnknown(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]func(http.ResponseWriter, *http.Request, string){
		"connection": hangUp, "gateway": said(504, "<h1>Gateway Timeout</h1>"), "bad gateway": said(502, ""), "said so": said(504, problemOf(504, "unknown")),
		"half an answer": func(w http.ResponseWriter, _ *http.Request, _ string) {
			w.Header().Set("Content-Length", "100")
			answerWith(w, 200, `{"id"`)
		},
	} {
		second := newFake(t, "b", written)
		first := newFake(t, "a", broken)
		_, err := put(t, newTestClient(t, Config{}, first, second))
		if !errors.Is(err, Unknown) || NotApplied(err) || len(second.requests()) > 0 || len(first.requests()) != 1 {
			t.Errorf("%s: got %v; %d and %d requests", name, err, len(first.requests()), len(second.requests()))
		}
		if w, err := put(t, newTestClient(t, Config{RetryUnknown: true}, first, second)); err != nil || w.Node != "b" {
			t.Errorf("%s, with RetryUnknown: got %+v, %v", name, w, err)
		}
	}
}

// A read that broke can be asked again, anywhere.
func TestBrokenReadsGoOn(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]func(http.ResponseWriter, *http.Request, string){
		"connection": hangUp, "gateway": said(502, ""),
	} {
		second := newFake(t, "b", said(200, `{}`))
		d, err := newTestClient(t, Config{}, newFake(t, "a", broken), second).Get(t.Context(), alice(), Options{})
		if err != nil || d.Node != "b" {
			t.Errorf("%s: got %+v, %v", name, d, err)
		}
		_, err = newTestClient(t, Config{}, newFake(t, "a", broken)).Get(t.Context(), alice(), Options{})
		if !errors.Is(err, Unreachable) {
			t.Errorf("%s, nobody else: got %v", name, err)
		}
	}
}

// Once an attempt had no known outcome, a later refusal proves nothing: the 412
// may come from one's own write.
func TestARetryDoesNotHideWhatIsUnknown(t *testing.T) {
	t.Parallel()
	second := newFake(t, "b", said(412, problemOf(412, "precondition_failed")))
	c := newTestClient(t, Config{RetryUnknown: true}, newFake(t, "a", hangUp), second)
	_, err := c.Put(t.Context(), alice(), []byte(`{}`), PutOptions{IfMatch: `"x:1"`})
	if !errors.Is(err, Unknown) || !errors.Is(err, Precondition) || NotApplied(err) {
		t.Errorf("got %v", err)
	}
}

// A pinned client tells what its node says, and nobody else's word.
func TestAtFailsOverToNobody(t *testing.T) {
	t.Parallel()
	other := newFake(t, "a", written)
	n := newFake(t, "b", said(503, refusal([]string{other.URL}, []string{other.URL})))
	c, err := newTestClient(t, Config{}, other, n).At(n.URL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := put(t, c); !errors.Is(err, ReadOnly) || len(other.requests()) > 0 {
		t.Errorf("got %v; the other had %v", err, other.requests())
	}
}

// HOUSE habit 7: every retry has a limit: nodes that name each other are asked
// once each.
func TestFailoverEnds(t *testing.T) {
	t.Parallel()
	var named []string
	count := 0
	for range MaxAttempts + 3 {
		n := newFake(t, "x", func(w http.ResponseWriter, _ *http.Request, _ string) {
			count++
			answerWith(w, 503, refusal(named, nil))
		})
		named = append(named, n.URL)
	}
	c := newTestClient(t, Config{Nodes: named[:1]})
	if _, err := put(t, c); !errors.Is(err, ReadOnly) || count != MaxAttempts {
		t.Errorf("%d requests, want %d; %v", count, MaxAttempts, err)
	}
}

// HOUSE: context everywhere. A call ends with its context, and a write that was
// under way is unknown.
func TestContextEndsCalls(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	arrived := make(chan struct{}, 2)
	second := newFake(t, "b", written)
	n := newFake(t, "a", func(http.ResponseWriter, *http.Request, string) {
		arrived <- struct{}{}
		<-release
	})
	defer close(release)
	c := newTestClient(t, Config{}, n, second)
	for write, want := range map[bool]error{true: Unknown, false: Unreachable} {
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-arrived
			cancel()
		}()
		var err error
		if write {
			_, err = c.Put(ctx, alice(), []byte(`{}`), PutOptions{})
		} else {
			_, err = c.Get(ctx, alice(), Options{})
		}
		if !errors.Is(err, want) || !errors.Is(err, context.Canceled) || len(second.requests()) > 0 {
			t.Errorf("write %v: got %v", write, err)
		}
		cancel()
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Put(ended, alice(), []byte(`{}`), PutOptions{}); !errors.Is(err, Unreachable) || !NotApplied(err) {
		t.Errorf("ended before it began: %v", err)
	}
}

// Redirects are not followed: they would carry a token to whoever asks.
func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	other := newFake(t, "b", said(200, `{}`))
	n := newFake(t, "a", func(w http.ResponseWriter, _ *http.Request, _ string) {
		w.Header().Set("Location", other.URL)
		answerWith(w, 307, "")
	})
	_, err := newTestClient(t, Config{Token: "secret"}, n).Get(t.Context(), alice(), Options{})
	if !errors.Is(err, BadReply) || len(other.requests()) > 0 {
		t.Errorf("got %v; the other had %v", err, other.requests())
	}
}

// HOUSE habit 7: "Every queue, page, body … has a named limit".
func TestRepliesAreBounded(t *testing.T) {
	t.Parallel()
	if text, err := readBounded(strings.NewReader("12345"), 5); err != nil || string(text) != "12345" {
		t.Errorf("got %q, %v", text, err)
	}
	if _, err := readBounded(io.MultiReader(strings.NewReader("12345"), strings.NewReader("6")), 5); err == nil {
		t.Error("6 bytes pass a limit of 5")
	}
	n := newFake(t, "a", func(w http.ResponseWriter, r *http.Request, _ string) {
		for chunk := make([]byte, 1<<20); ; {
			if _, err := w.Write(chunk); err != nil || r.Context().Err() != nil {
				return // the client has hung up
			}
		}
	})
	if _, err := newTestClient(t, Config{}, n).Get(t.Context(), alice(), Options{}); err == nil || !strings.Contains(err.Error(), "longer than 64 MiB") {
		t.Errorf("got %v", err)
	}
}

func TestNewChecksAddresses(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "ftp://x", "http://", "http://u:p@x", "http://x?y=1", "http://x:port"} {
		if _, err := New(Config{Nodes: []string{bad}}); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	if _, err := New(Config{}); err == nil {
		t.Error("no node is taken")
	}
	c, err := New(Config{Nodes: []string{"127.0.0.1:7401", "http://127.0.0.1:7401/", "https://x/base/"}})
	if err != nil || !slices.Equal(c.Nodes(), []string{"http://127.0.0.1:7401", "https://x/base"}) {
		t.Errorf("got %v, %v", c.Nodes(), err)
	}
}
