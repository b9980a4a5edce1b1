package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// script writes a program that stands for one under test.
func script(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPercentile(t *testing.T) {
	t.Parallel()
	values := []int{5, 1, 4, 2, 3}
	for p, want := range map[float64]int{0: 1, 50: 3, 99: 5, 100: 5} {
		if got := percentile(values, p); got != want {
			t.Errorf("p%v is %d, want %d", p, got, want)
		}
	}
	if !slices.Equal(values, []int{5, 1, 4, 2, 3}) || percentile([]int{}, 50) != 0 {
		t.Error("the values were changed, or nothing has a median")
	}
}

// TestReport: "A figure that cannot be reached is reported with the
// measurement, not lowered."
func TestReport(t *testing.T) {
	t.Parallel()
	var r report
	// Median of the ratios 0.5, 0.6, 0.7; not the ratio of the medians.
	r.addRates("rate", []float64{100, 200, 1000}, []float64{50, 120, 700}, 0.65)
	addBelow(&r, "time", 3*time.Millisecond, 20*time.Millisecond, showDuration)
	addBelow(&r, "memory", 300_000_000, int64(200_000_000), showMegabytes)
	r.addRates("no target", []float64{100}, []float64{10}, 0)
	var out strings.Builder
	if err := r.write(&out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	for i, want := range [][]string{
		1: {"rate", "200/s", "120/s", "0.60", ">= 0.65", "MISSED"},
		2: {"time", "3ms", "< 20ms", "reached"},
		3: {"memory", "300 MB", "< 200 MB", "MISSED"},
		4: {"no target", "100/s", "10/s", "0.10"},
		5: {"4 figures, 2 missed"},
	} {
		for _, word := range want {
			if !strings.Contains(lines[i], word) {
				t.Errorf("line %d lacks %q: %s", i, word, lines[i])
			}
		}
	}
}

func TestProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, err := startProcess(t.Context(), dir, "good", script(t, "echo bound=2.1s >&2\necho hello\necho ready name=a api=127.0.0.1:7401\nexec sleep 60\n"))
	if err != nil {
		t.Fatal(err)
	}
	if p.ready["name"] != "a" || p.ready["api"] != "127.0.0.1:7401" {
		t.Errorf("ready: %v", p.ready)
	}
	if bytes, err := p.residentBytes(); err != nil || bytes < 1<<12 {
		t.Errorf("memory: %d bytes, %v", bytes, err)
	}
	c := cluster{running: map[string]*process{"a": p}}
	if bound, err := c.bound(); err != nil || bound != 2100*time.Millisecond {
		t.Errorf("bound: %v, %v", bound, err)
	}
	if err := p.stop(); err != nil {
		t.Error(err)
	}
	if _, err := startProcess(t.Context(), dir, "bad", script(t, "echo no such folder >&2\nexit 3\n")); err == nil || !strings.Contains(err.Error(), "no such folder") {
		t.Errorf("a program that ends at once: %v", err)
	}
}

// TestRefusalsCounted: an answer of 504 is neither an ack nor a refusal, and
// what is none of the three is an error.
func TestRefusalsCounted(t *testing.T) {
	t.Parallel()
	var r refusals
	for _, status := range []int{200, 504, 503, 503, 201} {
		r.note(answer{status: status}, nil)
	}
	if r.count != 2 || r.first.IsZero() || r.lastAck.Before(r.first) || r.err != nil {
		t.Errorf("refusals: %+v", r)
	}
	r.note(answer{status: 500, body: []byte("bug")}, nil)
	if r.err == nil || r.count != 2 {
		t.Errorf("a 500 went unnoticed: %+v", r)
	}
}

func TestAwait(t *testing.T) {
	t.Parallel()
	tries := 0
	if err := await(t.Context(), time.Minute, func() (bool, string, error) { tries++; return tries == 3, "", nil }); err != nil || tries != 3 {
		t.Errorf("%d tries, %v", tries, err)
	}
	if err := await(t.Context(), time.Millisecond, func() (bool, string, error) { return false, "b lags", nil }); err == nil || !strings.Contains(err.Error(), "b lags") {
		t.Errorf("the limit passed: %v", err)
	}
	broken := errors.New("broken")
	if err := await(t.Context(), time.Minute, func() (bool, string, error) { return false, "", broken }); !errors.Is(err, broken) {
		t.Errorf("an error: %v", err)
	}
}

func TestCovers(t *testing.T) {
	t.Parallel()
	a := state{Frontier: map[string]uint64{"a~1": 5, "b~1": 2}}
	b := state{Frontier: map[string]uint64{"a~1": 4, "b~1": 2}}
	if !a.covers(b) || b.covers(a) || !a.covers(a) || b.covers(state{Frontier: map[string]uint64{"c~1": 1}}) {
		t.Error("covers is wrong")
	}
}

// TestClusterFile checks the file against the contract's example: names, roles
// and addresses, no gossip address for the witness.
func TestClusterFile(t *testing.T) {
	t.Parallel()
	c, err := newCluster("syncline", filepath.Join(t.TempDir(), "c"), 2, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.stop(); err != nil {
			t.Error(err)
		}
	})
	text, err := os.ReadFile(c.config)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"cluster: bench\n", "auth: none\n", "secret_file: " + filepath.Join(c.dir, "secret"),
		"{name: a, role: data, api: " + c.member("a").api + ", peer: " + c.member("a").peer + ", gossip: " + c.member("a").gossip + "}",
		"{name: w, role: witness, api: " + c.member("w").api + ", peer: " + c.member("w").peer + "}",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the file lacks %q:\n%s", want, text)
		}
	}
	if secret, err := os.ReadFile(filepath.Join(c.dir, "secret")); err != nil || len(secret) < 32 {
		t.Errorf("secret of %d bytes, %v", len(secret), err)
	}
}

// TestVerifiedDigests: a part ends with equal digests or with an error.
func TestVerifiedDigests(t *testing.T) {
	t.Parallel()
	serve := func(body string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }))
		t.Cleanup(s.Close)
		return strings.TrimPrefix(s.URL, "http://")
	}
	same := `{"collections":{"bench":{"digest":"x","documents":7}}}`
	c := cluster{client: http.DefaultClient, running: map[string]*process{"a": {}, "b": {}}}
	for other, want := range map[string]int{same: 7, strings.ReplaceAll(same, `"x"`, `"y"`): 0} {
		c.members = []member{{name: "a", role: "data", api: serve(same)}, {name: "b", role: "data", api: serve(other)}}
		if n, err := c.verified(context.Background()); n != want || (err == nil) != (want > 0) {
			t.Errorf("%s: %d documents, %v", other, n, err)
		}
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"-only", "nothing"}, {"-rounds", "0"}, {"-conflicts", "0"}, {"-window", "-1s"}, {"extra"}, {"-unknown"}} {
		if err := run(t.Context(), args, io.Discard); err == nil {
			t.Errorf("%q was accepted", args)
		}
	}
	if chosen, err := choose(""); err != nil || len(chosen) != len(parts())-1 {
		t.Errorf("by default %d parts, %v", len(chosen), err)
	}
}
