package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// streamed sends lines, flushed, and then ends the answer.
func streamed(w http.ResponseWriter, lines ...string) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.WriteHeader(http.StatusOK)
	for _, line := range lines {
		_, _ = io.WriteString(w, line+"\n")
	}
	_ = http.NewResponseController(w).Flush()
}

// take reads a stream of changes until limit items came, written as follow
// writes them.
func take(ctx context.Context, c *Client, options ChangesOptions, limit int) (got []string, last error) {
	for change, err := range c.Stream(ctx, options) {
		switch {
		case err != nil:
			last = err
			continue
		case change.Checkpoint != "":
			got = append(got, "="+change.Checkpoint)
		default:
			got = append(got, change.ID)
		}
		if len(got) == limit {
			break
		}
	}
	return got, last
}

// API: "A checkpoint is a frontier and valid on any node"; "NDJSON lines of
// events and {"checkpoint":…}". A stream that breaks goes on at another node
// behind what has come; a checkpoint that is sent again is only a sign of life.
func TestStreamGoesOnElsewhere(t *testing.T) {
	t.Parallel()
	second := newFake(t, "b", func(w http.ResponseWriter, r *http.Request, _ string) {
		if since := r.URL.Query().Get("since"); since != "at-2" {
			t.Errorf("goes on behind %q", since)
		}
		streamed(w, event("3"), `{"checkpoint":"cp2"}`)
		<-r.Context().Done()
	})
	var calls atomic.Int32
	first := newFake(t, "a", func(w http.ResponseWriter, r *http.Request, _ string) {
		if calls.Add(1) > 1 {
			hangUp(w, r, "")
		}
		streamed(w, event("1"), `{"checkpoint":"cp1"}`, `{"checkpoint":"cp1"}`, "", event("2"))
		hangUp(w, r, "")
	})
	got, err := take(t.Context(), newTestClient(t, Config{}, first, second), ChangesOptions{Collection: "accounts"}, 5)
	expect(t, got, "1", "=cp1", "2", "3", "=cp2")
	if err != nil {
		t.Error(err)
	}
	if q := first.requests()[0]; q.query != "c=accounts&feed=ndjson" || q.header.Get("Session") != "" {
		t.Errorf("asked %q, session %q", q.query, q.header.Get("Session"))
	}
}

// "ends with the server's drain (last line says so)": the stream goes on where
// it ended. A last line with another code is the end.
func TestStreamEnds(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	n := newFake(t, "a", func(w http.ResponseWriter, _ *http.Request, _ string) {
		switch calls.Add(1) {
		case 1:
			streamed(w, `{"checkpoint":"cp1"}`, `{"end":"draining","detail":"this node is stopping"}`)
		case 2:
			answerWith(w, 503, problemOf(503, "draining"))
		case 3:
			streamed(w, event("1"), `{"end":"cursor_expired","detail":"list again"}`)
		}
	})
	got, err := take(t.Context(), newTestClient(t, Config{}, n), ChangesOptions{}, 0)
	expect(t, got, "=cp1", "1")
	if e, ok := errors.AsType[*Error](err); !ok || e.Code != "cursor_expired" || e.Detail != "list again" || calls.Load() != 3 {
		t.Errorf("after %d calls: %v", calls.Load(), err)
	}
	for _, wrong := range []string{"no json", `{"id":7}`} {
		n := newFake(t, "a", func(w http.ResponseWriter, _ *http.Request, _ string) { streamed(w, wrong) })
		if _, err := take(t.Context(), newTestClient(t, Config{}, n), ChangesOptions{}, 0); !errors.Is(err, BadReply) {
			t.Errorf("%s: %v", wrong, err)
		}
	}
	refused := newFake(t, "a", said(400, problemOf(400, "bad_cursor")))
	if _, err := take(t.Context(), newTestClient(t, Config{}, refused), ChangesOptions{Since: "x"}, 0); !errors.Is(err, Code("bad_cursor")) {
		t.Errorf("%v", err)
	}
	none := newTestClient(t, Config{Nodes: []string{nobody(t)}})
	if _, err := take(t.Context(), none, ChangesOptions{}, 0); !errors.Is(err, Unreachable) {
		t.Errorf("%v", err)
	}
}

// A stream ends with its context, and with its reader.
func TestStreamIsLeft(t *testing.T) {
	t.Parallel()
	n := newFake(t, "a", func(w http.ResponseWriter, r *http.Request, _ string) {
		streamed(w, event("1"), event("2"))
		<-r.Context().Done()
	})
	c := newTestClient(t, Config{}, n)
	got, err := take(t.Context(), c, ChangesOptions{}, 1)
	expect(t, got, "1")
	if err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	if _, err := take(ctx, c, ChangesOptions{}, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// API: "Last-Event-ID resumes". Gauges have no id, and signs of life are none of
// the events.
func TestEvents(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	n := newFake(t, "a", func(w http.ResponseWriter, r *http.Request, _ string) {
		last := r.Header.Get("Last-Event-ID")
		switch call := calls.Add(1); {
		case call == 1 && last == "":
			streamed(w, `{"id":"x-0","event":"state","time":"2026-11-21T14:00:00Z","data":{}}`, `{"event":"alive","data":null}`, `{"id":"x-1","event":"write","data":{"state":"read-only"}}`, `{"event":"lag","data":{}}`)
		case call == 2 && last == "x-1":
			streamed(w, `{"event":"gap","data":{}}`, `{"id":"y-0","event":"state","data":{}}`)
		default:
			t.Errorf("call %d goes on behind %q", call, last)
		}
		<-r.Context().Done()
	})
	c := newTestClient(t, Config{}, n)
	at, err := c.At(n.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer at.Close()
	var got []string
	for e, err := range at.Events(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if got = append(got, fmt.Sprint(e.Event, e.ID)); len(got) == 3 {
			n.CloseClientConnections()
		}
		if len(got) == 5 {
			break
		}
	}
	if text := strings.Join(got, " "); text != "statex-0 writex-1 lag gap statey-0" {
		t.Errorf("%s", text)
	}
	for _, err := range c.Events(t.Context(), "") {
		if !errors.Is(err, Invalid) {
			t.Errorf("of no certain node: %v", err)
		}
	}
}

// The pages of a timeline are one timeline, and those of differences one list.
func TestTimelineAndDifferences(t *testing.T) {
	t.Parallel()
	n := newFake(t, "a", func(w http.ResponseWriter, r *http.Request, _ string) {
		q := r.URL.Query()
		switch {
		case r.URL.Path == "/v1/timeline" && q.Get("cursor") == "":
			answerWith(w, 200, `{"node":"a","before":[{"kind":"write","state":"writable"}],"entries":[{"kind":"write","state":"read-only","cause":"no_majority"}],`+
				`"unknown":[{"from":"2026-11-21T14:00:00Z","to":"2026-11-21T14:00:07Z","cause":"it was down"}],"next":"n"}`)
		case r.URL.Path == "/v1/timeline":
			answerWith(w, 200, `{"node":"a","before":[],"entries":[{"kind":"write","state":"writable"}],"unknown":[],"next":null}`)
		case q.Get("cursor") == "":
			answerWith(w, 200, `{"documents":[{"collection":"accounts","id":"alice","here":null,"there":{"etag":"e","dots":["a~k3f9x2mz:1"],"deleted":false}}],"next":"n"}`)
		case q.Get("node") == "b" && q.Get("limit") == "1":
			answerWith(w, 200, `{"documents":[{"collection":"accounts","id":"bob","here":null,"there":null}],"next":null}`)
		}
	})
	c := newTestClient(t, Config{}, n)
	line, err := c.Timeline(t.Context(), time.Now().Add(-time.Hour), time.Now())
	if err != nil || len(line.Before) != 1 || len(line.Entries) != 2 || line.Entries[1].State != "writable" || len(line.Unknown) != 1 || line.Node != "a" {
		t.Errorf("%+v, %v", line, err)
	}
	var ids []string
	for d, err := range c.Differences(t.Context(), DifferencesOptions{With: "b", Page: 1}) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, d.ID)
	}
	expect(t, ids, "alice", "bob")
}
