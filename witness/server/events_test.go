package server

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/syncline/syncline/node/stream"
)

// lines is a ResponseWriter of which each line can be waited for. It stands in
// for a connection that is read at once.
type lines struct {
	*io.PipeWriter
	header http.Header
	status int
}

func (l *lines) Header() http.Header    { return l.header }
func (l *lines) WriteHeader(status int) { l.status = status }

// listen opens the events, until leave.
func (h *hall) listen(accept string) (next func(kind string) string, leave func()) {
	h.t.Helper()
	in, out := io.Pipe()
	w := &lines{PipeWriter: out, header: http.Header{}}
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:7409/v1/events", nil)
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Accept", accept)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		h.s.ServeHTTP(w, r)
		_ = out.Close()
	}()
	text := bufio.NewReader(in)
	next = func(kind string) string {
		h.t.Helper()
		for range 1000 {
			line, err := text.ReadString('\n')
			if err != nil {
				h.t.Fatalf("waiting for %s: %v", kind, err)
			}
			if strings.Contains(line, `"event":"`+kind+`"`) || strings.Contains(line, `{"`+kind+`"`) {
				return line
			}
		}
		h.t.Fatalf("no %s comes", kind)
		return ""
	}
	return next, func() {
		cancel()
		_, _ = io.Copy(io.Discard, text)
		<-ended
		if w.status != http.StatusOK || w.header.Get("Content-Type") != accept {
			h.t.Errorf("%d %v", w.status, w.header)
		}
	}
}

// API: "the witness's API: … /events"; "votes, views, refusals, chaos" with the
// framing of a node's: first the whole state, then what changes.
func TestEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		h := newHall(t, func(c *Config) {
			c.Chaos, c.Wall = &fakeChaos{}, time.Now
			c.Clock = func() time.Duration { return time.Hour + time.Since(begun) }
		})
		h.send(h.ballot("a"))
		time.Sleep(h.s.cfg.Timing.Promise)
		h.send(h.ballot("a")) // its stamp is old: a fresh one comes back
		ctx, cancel := context.WithCancel(context.Background())
		watching := make(chan error, 1)
		go func() { watching <- h.s.Watch(ctx) }()
		next, leave := h.listen(stream.TypeNDJSON)
		var state struct {
			Data struct {
				Cluster, Votes map[string]any
				Chaos          bool
			}
		}
		if err := json.Unmarshal([]byte(next("state")), &state); err != nil || state.Data.Cluster["role"] != "witness" || state.Data.Votes["voters"] == nil || !state.Data.Chaos {
			t.Errorf("%+v, %v", state, err)
		}
		synctest.Wait()
		h.send(h.ballot("a", "b"))
		if got := next("vote"); !strings.Contains(got, `"kind":"grant"`) || !strings.Contains(got, `"to":"a"`) {
			t.Error(got)
		}
		if got := next("holders"); !strings.Contains(got, `"name":"a"`) {
			t.Error(got)
		}
		if got := next("view"); !strings.Contains(got, `"lists":["b"]`) {
			t.Error(got)
		}
		h.send(h.ballot("b")) // its stamp is that of a: another node has the vote
		if got := next("vote"); !strings.Contains(got, `"kind":"refusal"`) || !strings.Contains(got, `"to":"b"`) {
			t.Error(got)
		}
		if got := next("peer"); !strings.Contains(got, `"name":"b"`) || !strings.Contains(got, `"reachable":true`) {
			t.Error(got)
		}
		time.Sleep(time.Minute)
		for !strings.Contains(next("peer"), `"reachable":false`) {
			continue // b was heard before
		}
		if got := next("holders"); !strings.Contains(got, `"holders":[]`) {
			t.Error(got)
		}
		next("votes")
		h.s.stopNow()
		if got := next("end"); !strings.Contains(got, `"draining"`) {
			t.Error(got)
		}
		leave()
		cancel()
		if err := <-watching; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// A browser asks for server-sent events; and there is an end to how many
// streams there are.
func TestEventStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, nil)
		next, leave := h.listen(stream.TypeSSE)
		if got := next("state"); !strings.HasPrefix(got, "data: {") {
			t.Error(got)
		}
		leave()
		for range stream.MaxStreams {
			if _, ok := h.s.places.Take(); !ok {
				t.Fatal("a stream that has ended has a place")
			}
		}
		var p anyProblem
		if resp := h.do("GET", "/v1/events", "", &p); resp.Code != 503 || p.Code != "busy" || resp.Header().Get("Retry-After") != "1" {
			t.Errorf("%d %+v", resp.Code, p)
		}
	})
}
