package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/syncline/syncline/client"
)

// Issue 4, "Figures": "a heal with 10,000 conflicting documents settled in under
// 10 s with LWW and under 20 s with a script".
func TestHealings(t *testing.T) {
	t.Parallel()
	b := &bench{opts: options{resolver: "some/where/lowest.star"}}
	want := map[string]time.Duration{"lww": 10 * time.Second, "script": 20 * time.Second, "merge": 0}
	for _, h := range b.healings() {
		if limit, ok := want[h.name]; !ok || limit != h.target || !strings.Contains(h.policy, h.name) {
			t.Errorf("%+v, want a target of %v", h, limit)
		}
		delete(want, h.name)
		if h.name == "script" && !strings.Contains(h.policy, `"resolver":"lowest"`) {
			t.Errorf("the script is stored under its file's name: %s", h.policy)
		}
	}
	if len(want) > 0 {
		t.Errorf("not measured: %v", want)
	}
	if opts, err := parse(nil, io.Discard); err != nil || opts.conflicts != 10_000 {
		t.Errorf("by default %d conflicts, %v", opts.conflicts, err)
	} else if _, err := os.Stat(filepath.Join("..", opts.resolver)); err != nil {
		t.Error(err)
	}
}

// A part in which one request failed is an error and prints no figure: a bulk
// whose last line does not say that all is done has failed.
func TestWriteAll(t *testing.T) {
	t.Parallel()
	lines := 0
	last := `{"done":true,"ok":3,"failed":0}`
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err != nil || r.URL.Path != "/v1/bulk/heal" || r.Header.Get("Content-Type") != "application/x-ndjson" {
			t.Errorf("%s %s: %v", r.URL.Path, r.Header, err)
		}
		lines = strings.Count(string(text), "\n")
		fmt.Fprint(w, `{"id":"d0","status":201}`+"\n"+last+"\n")
	}))
	t.Cleanup(s.Close)
	c := cluster{client: http.DefaultClient}
	m := member{name: "a", api: strings.TrimPrefix(s.URL, "http://")}
	if err := c.writeAll(t.Context(), m, "heal", 3, "{}"); err != nil || lines != 3 {
		t.Errorf("%d lines, %v", lines, err)
	}
	for _, last = range []string{`{"done":true,"ok":2,"failed":1}`, `{"id":"d2","status":201}`} {
		if err := c.writeAll(t.Context(), m, "heal", 3, "{}"); err == nil {
			t.Errorf("%s was taken for the end", last)
		}
	}
}

// "digests equal": a heal ends with them, or with an error.
func TestSameDigests(t *testing.T) {
	t.Parallel()
	node := func(digest string, documents int) *client.Client {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"node":"x","collections":{"heal":{"digest":%q,"documents":%d}}}`, digest, documents)
		}))
		t.Cleanup(s.Close)
		one, err := client.New(client.Config{Nodes: []string{s.URL}, Pinned: true, NoSession: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(one.Close)
		return one
	}
	first := node("x", 7)
	if err := sameDigests(t.Context(), []*client.Client{first, node("x", 7)}, "heal", 7); err != nil {
		t.Error(err)
	}
	for _, other := range []*client.Client{node("y", 7), node("x", 6)} {
		if err := sameDigests(t.Context(), []*client.Client{first, other}, "heal", 7); err == nil {
			t.Error("unequal nodes were taken for equal")
		}
	}
}

// Without an earlier build that part is left out, and says so; it starts nothing.
func TestEarlierIsLeftOut(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	b := &bench{out: &out}
	if err := b.earlier(t.Context()); err != nil || !strings.Contains(out.String(), "BASELINE") || len(b.report.figures) > 0 {
		t.Errorf("%q, %v", out.String(), err)
	}
}
