package chaos_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/syncline/syncline/scripts/chaos"
	"github.com/syncline/syncline/scripts/chaos/history"
)

// runOn runs a script on a fake cluster.
func runOn(ctx context.Context, t *testing.T, c *fakeCluster, source string, seed uint64) (*chaos.Result, string, error) {
	t.Helper()
	p, err := chaos.Compile("s.star", two+source)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	result, err := chaos.Run(ctx, chaos.Config{
		Program: p, Cluster: c, Seed: seed, Net: "fake", Bound: 2 * time.Second, Now: time.Now,
		Step: func(s chaos.Step) { out.WriteString(s.String()) },
	})
	return result, out.String(), err
}

// want fails unless a text has all parts.
func want(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing in:\n%s", part, text)
		}
	}
}

// A run tells what it does, cuts what the script says, and ends with a verdict
// from the history: acknowledged, refused, overlap, unavailability (issue 5,
// point 2).
func TestRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newFake("a", "b")
		result, out, err := runOn(t.Context(), t, c, `
load(rate = 100, clients = 2, deletes = 0.3)
put("a", "accounts/alice", {"balance": 120})
wait("1s")
cut("a", "b", lasts = "30s")
refused = put("b", "accounts/alice", {"balance": 0})
expect(refused.refused and refused.code == "read_only" and refused.status == 503, what = "b refuses")
expect(refused.writable == ["http://a"], what = "and names a")
eventually(lambda: writers() == ["a"], what = "a writes alone")
wait("2s")
heal()
expect(get("b", "accounts/alice").doc["balance"] == 120, what = "the balance is there")
converged()
accounted()
`, 1)
		if err != nil {
			t.Fatal(err)
		}
		v := result.Verdict
		if !v.Held || v.Acknowledged < 100 || v.Refused < 20 || v.Unknown != 0 || v.Lost != 0 || v.Claims != 6 || v.Failure != nil {
			t.Errorf("%+v", v)
		}
		side := func(o history.Outage) bool { return o.Side == "b" && o.NoWrite > 1900*time.Millisecond }
		if len(v.Outages) != 2 || !slices.ContainsFunc(v.Outages, side) {
			t.Errorf("outages: %v", v.Outages)
		}
		want(t, out, "cut a ↔ b, for 30s", "✓ b refuses", "put {\"balance\":0} to accounts/alice at b: not_applied read_only", "load 1 has ended")
		if calls := c.calls(); !slices.Contains(calls, "cut a ↔ b") || !slices.Contains(calls, "heal ") {
			t.Errorf("%v", calls)
		}
		text := chaos.TimelineOf(result.History).Text()
		want(t, text, "▆", "▨", "x", "✂", "cut a ↔ b, 2s")
	})
}

// The verdict is against the script when an expectation fails, with its place,
// and the end is the same: heal, start, converge, account.
func TestWhatDoesNotHold(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, source, want string
		plant              func(*fakeCluster)
	}{
		{"expectation", "cut('a', 'b', lasts = '1m')\nkill('a')\nexpect(False, what = 'the sun is cold')", "s.star:4:7: the sun is cold", nil},
		{"in time", "eventually(lambda: False, what = 'it rains', within = '1s')", "it rains (not within 1s)", nil},
		{"computed name", "x = 'q'\ncut(x, 'a', lasts = '1s')", `s.star:3:4: cut: a: no node "q"`, nil},
		{"one end", "x = 'a'\ncut('a', x, lasts = '1s')", "two ends", nil},
		{"error of the script", "x = [1][7]", "s.star:2:8: list index 7 out of range", nil},
		{"in a function", "def f():\n    return 1 // 0\neventually(f, what = 'x')", "s.star:3:14: floored division by zero", nil},
		{"a fault that cannot be", "cut('a', 'b', lasts = '1s')", "s.star:2:4: cut a ↔ b: planted", func(c *fakeCluster) { c.breaks = errPlanted }},
		{"kill twice", "kill('a')\nkill('a')", "a is down already", nil},
		{"start what runs", "start('a')", "a runs already", nil},
		{"wipe what runs", "wipe('a')", "wipe: a runs: kill it first", nil},
		{"copy what runs", "copy('a')", "copy: a runs: kill or pause it first", nil},
		{"roll back what stands still", "pause('a', lasts = '1m')\nrollback('a')", "rollback: a runs: kill it first", nil},
		{"not always", "always(lambda: len(writers()) == 2, what = 'both write', lasts = '1s')\ncut('a', 'b', lasts = '1m')\nalways(lambda: len(writers()) == 2, what = 'still', lasts = '1s')", "s.star:4:7: still (no longer after 0s)", nil},
		{"a sum", "load(kind = 'sum', keys = 1)\nwait('2s')\naccounted()", "counters: ", func(c *fakeCluster) { c.idle = true }},
		{"ring", "ring(lasts = '1s')", "at least 4 data nodes", nil},
		{"too little load", "load(rate = 1, at_least = 50)\nwait('2s')", "void: load 1 (ledger) had only", nil},
		{"diverged", "put('a', 'k/1', {})", "DIVERGED: k differs between a and b", func(c *fakeCluster) { c.diverge = true }},
		{"lost", "put('a', 'k/1', {})", "lost", func(c *fakeCluster) { c.lose = true }},
		{"endless", "for i in range(100000000):\n    pass", "too many steps", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newFake("a", "b")
				if test.plant != nil {
					test.plant(c)
				}
				result, out, err := runOn(t.Context(), t, c, test.source+"\n", 1)
				if err != nil {
					t.Fatal(err)
				}
				v := result.Verdict
				var text bytes.Buffer
				if err := v.Write(&text); err != nil {
					t.Fatal(err)
				}
				if v.Held || len(v.Reasons) == 0 {
					t.Fatalf("it held:\n%s", out)
				}
				want(t, text.String(), "NOT HELD", test.want)
				if test.name == "lost" && v.Lost == 0 {
					t.Error("lost is 0")
				}
				if test.name == "expectation" && !slices.Equal(c.calls()[len(c.calls())-1:], []string{"start a"}) {
					t.Errorf("what is down is not started: %v", c.calls())
				}
			})
		})
	}
}

// "A script has a seed; what is random is printed and can be replayed."
func TestSeed(t *testing.T) {
	t.Parallel()
	drawn := func(seed uint64) []string {
		var out []string
		synctest.Test(t, func(t *testing.T) {
			_, text, err := runOn(t.Context(), t, newFake("a", "b"), "for i in range(20):\n    random(1000)\nchoose(['x', 'y'])\n", seed)
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(text) {
				if _, what, found := strings.Cut(line, "drawn: "); found {
					out = append(out, what)
				}
			}
		})
		return out
	}
	first := drawn(7)
	if len(first) != 21 || !slices.Equal(first, drawn(7)) || slices.Equal(first, drawn(8)) {
		t.Errorf("drawn: %v", first)
	}
	want(t, first[0], "(seed 7)")
}

// Every fault ends by itself, and the run knows when.
func TestFaultsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newFake("a", "b")
		result, _, err := runOn(t.Context(), t, c, `
pause("a", lasts = "2s")
isolate("w", lasts = "1s")
clock("b", offset = "1h", drift = 0.1, lasts = "1s")
wait("4s")
kill("a")
wipe("a")
start("a")
`, 1)
		if err != nil || !result.Verdict.Held {
			t.Fatalf("%+v, %v", result, err)
		}
		want(t, strings.Join(c.calls(), "\n"), "pause a 2s", "cut w ↔ a\ncut w ↔ b", "clock b 1h0m0s 0.1", "kill a\nwipe a\nstart a")
		ends := map[string]time.Duration{}
		for _, b := range chaos.TimelineOf(result.History).Bands {
			ends[b.Fault] = time.Duration(b.To - b.From).Round(10 * time.Millisecond)
		}
		if ends["pause a"] != 2*time.Second || ends["cut w ↔ a"] != time.Second {
			t.Errorf("%v", ends)
		}
	})
}

// "Ctrl-C heals and stops": a run whose context ends comes back soon, with all
// that it had started ended.
func TestRunIsStopped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(3*time.Second, cancel)
		begun := time.Now()
		result, _, err := runOn(ctx, t, newFake("a", "b"), "load()\ncut('a', 'b', lasts = '1h')\nwait('5m')\n", 1)
		if !errors.Is(err, context.Canceled) || result != nil || time.Since(begun) > 4*time.Second {
			t.Errorf("%+v, %v, after %s", result, err, time.Since(begun))
		}
	})
}

// "Ctrl-C heals and stops what the runner started": a client that waits for a
// process that stands still begins nothing more afterwards.
func TestStopDoesNotWaitForMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newFake("a", "b")
		c.still = "a"
		ctx, cancel := context.WithCancel(t.Context())
		stopped := time.Now().Add(time.Second)
		time.AfterFunc(time.Second, cancel)
		_, _, err := runOn(ctx, t, c, "load(rate = 100, clients = 20)\nwait('1m')", 1)
		// Each may have one write under way, which is given up after 5 s.
		if took := time.Since(stopped); !errors.Is(err, context.Canceled) || took > 5*time.Second {
			t.Errorf("%v, %s after the stop", err, took)
		}
	})
}

// "a report folder: history as JSON lines, timeline as JSON and SVG, logs per
// process, verdict"; "the run report opens as a readable page".
func TestReport(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		source := "load()\ncut('a', 'b', lasts = '30s')\nwait('1s')\nnote('<script>alert(1)</script>')\nexpect(False, what = 'a < b & c')\n"
		result, _, err := runOn(t.Context(), t, newFake("a", "b"), source, 1)
		if err != nil {
			t.Fatal(err)
		}
		p, err := chaos.Compile("s.star", two+source)
		if err != nil {
			t.Fatal(err)
		}
		logs, to := t.TempDir(), filepath.Join(t.TempDir(), "new")
		if err := os.WriteFile(filepath.Join(logs, "a.log"), []byte("a's log\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := chaos.WriteReport(to, p, result, logs); err != nil {
			t.Fatal(err)
		}
		read := func(name string) string {
			text, err := os.ReadFile(filepath.Join(to, name))
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
		want(t, read("index.html"), "not held", "s.star:6:7: a &lt; b &amp; c", `<a href="a.log">`, "read-only", "cut a ↔ b", "timeline.svg", "chaos run s.star --seed 1")
		if strings.Contains(read("index.html"), "<script") {
			t.Error("the page has a script")
		}
		want(t, read("verdict.json"), `"held": false`)
		want(t, read("timeline.json"), `"fault": "cut a ↔ b"`)
		want(t, read("a.log")+read("s.star"), "a's log", "cluster(")
		wellFormed(t, read("timeline.svg"))
		records, err := history.Read(strings.NewReader(read("history.jsonl")))
		if err != nil || len(records) != len(result.History) {
			t.Errorf("%d records of %d: %v", len(records), len(result.History), err)
		}
	})
}

func wellFormed(t *testing.T, text string) {
	t.Helper()
	for d := xml.NewDecoder(strings.NewReader(text)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}
