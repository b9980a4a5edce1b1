package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/syncline/syncline/client"
)

// "exit code not 0 when one claim did not hold": it is named.
func TestTellerKeepsWhatDidNotHold(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	told := &teller{out: &out}
	told.chapter("One")
	told.claim(true, "the sum is %d", 4)
	if err := told.verdict(); err != nil || !strings.Contains(out.String(), "All 1 claims held.") {
		t.Errorf("error %v, told %q", err, out.String())
	}
	told.claim(false, "the sun is %s", "cold")
	if err := told.verdict(); exitCode(err) != exitError || !strings.Contains(err.Error(), "1 of 2 claims did not hold:\n  the sun is cold") {
		t.Errorf("error %v", err)
	}
	if !strings.Contains(out.String(), "✗ NOT TRUE: the sun is cold") {
		t.Errorf("told %q", out.String())
	}
}

// "with the real answers": what is shown is what went over the wire.
func TestTellerShowsWhatWentOverTheWire(t *testing.T) {
	t.Parallel()
	s := newCLIStand(t, true, "a", "b")
	n, err := newStoryNode("a", s.first)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	told := &teller{out: &out}
	key := client.Key{Collection: "accounts", ID: "alice"}
	w, err := n.client.Put(t.Context(), key, []byte(`{"balance":120}`), client.PutOptions{})
	if err != nil {
		t.Fatal(err)
	}
	told.show(n.wire)
	if _, err := n.client.Put(t.Context(), key, []byte(`{"balance":20}`), client.PutOptions{Context: w.Context}); err != nil {
		t.Fatal(err)
	}
	told.show(n.wire)
	s.nodes["a"].turn(false, "b")
	if _, err := n.client.Put(t.Context(), key, []byte(`{"balance":20}`), client.PutOptions{}); !errors.Is(err, client.ReadOnly) {
		t.Fatalf("error %v", err)
	}
	told.show(n.wire)
	for _, want := range []string{
		"$ curl -i -X PUT " + s.first + `/v1/docs/accounts/alice -d '{"balance":120}'`, "HTTP/1.1 201 Created", "Node: a", "Write-State: writable",
		`ETag: "a~`, `"ack":"local"`, "-H 'Causal-Context: " + w.Context[:20], "HTTP/1.1 503 Service Unavailable", "Write-State: read-only", "Retry-After: 2",
		`"code": "read_only"`, s.nodes["b"].url,
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not show %q:\n%s", want, out.String())
		}
	}
}

// The vote has landed when one node lacks its votes: a lease that is about to be
// renewed is no landing, and a moment without any writer is noticed.
func TestLanding(t *testing.T) {
	t.Parallel()
	s := newCLIStand(t, true, "a", "b")
	nodeA, errA := newStoryNode("a", s.first)
	nodeB, errB := newStoryNode("b", s.nodes["b"].url)
	if err := errors.Join(errA, errB); err != nil {
		t.Fatal(err)
	}
	for _, gap := range []bool{false, true} {
		asked := 0 // b, once in each look
		s.nodes["a"].turn(true)
		s.nodes["b"].wrap(func(api http.Handler, w http.ResponseWriter, r *http.Request) {
			switch asked++; asked {
			case 2:
				s.nodes["b"].turn(false, "a")
				s.nodes["b"].mu.Lock()
				s.nodes["b"].status.Write.Votes.Have = 2 // about to be renewed
				s.nodes["b"].refusal = nil
				s.nodes["b"].mu.Unlock()
				if gap {
					s.nodes["a"].turn(false) // is asked before b each time
				}
			case 3:
				s.nodes["b"].turn(false, "a")
			case 4:
				s.nodes["a"].turn(true)
			}
			api.ServeHTTP(w, r)
		})
		l, err := awaitLanding(t.Context(), nodeA, nodeB, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if l.majority != nodeA || l.minority != nodeB || l.readOnly.IsZero() || asked < 3 {
			t.Errorf("after %d questions the landing is %+v", asked, l)
		}
		if l.gap != gap {
			t.Errorf("a moment without a writer: %t, want %t", l.gap, gap)
		}
		s.nodes["b"].turn(true)
	}
	if bound := demoBound(); bound < 2070*time.Millisecond || bound > 2100*time.Millisecond {
		t.Errorf("the bound is %s, and the contract has 2.07 s", bound)
	}
}

// "every acknowledged document accounted for": equal, a sibling, or in the
// causal past of what is there. Else it is lost, and is named.
func TestAccountFindsWhatIsLost(t *testing.T) {
	t.Parallel()
	s := newCLIStand(t, true, "a")
	n, err := newStoryNode("a", s.first)
	if err != nil {
		t.Fatal(err)
	}
	kept := newLedger()
	put := func(id, doc, seen string) *client.Written {
		t.Helper()
		w, err := n.client.Put(t.Context(), client.Key{Collection: "c", ID: id}, []byte(doc), client.PutOptions{Context: seen})
		if err != nil {
			t.Fatal(err)
		}
		kept.add(id, w.Dot, []byte(doc))
		return w
	}
	put("one", `{"n":1}`, "")
	first := put("two", `{"n":1}`, "")
	put("two", `{"n":2}`, "")            // has seen the first
	put("two", `{"n":3}`, first.Context) // a sibling of the second
	a, err := kept.account(t.Context(), n.client, "c")
	if err != nil || a.documents != 2 || a.conflicts != 1 || a.live != 3 || a.covered != 1 || len(a.lost) != 0 {
		t.Fatalf("the account is %+v (%v)", a, err)
	}
	kept.add("one", "b~77xq01ab:7", []byte(`{"n":9}`)) // of another node, and gone
	kept.add("two", "a~damaged", []byte(`{}`))
	kept.add("three", "a~k3f9x2mz:3", []byte(`{}`))
	if a, err = kept.account(t.Context(), n.client, "c"); err != nil || len(a.lost) != 3 || !strings.Contains(a.lostNames(), "three (a~k3f9x2mz:3)") {
		t.Errorf("the account is %+v (%v), want 3 lost", a, err)
	}
	// Other bytes under the same name are a loss too.
	other := newLedger()
	other.add("one", kept.acks["one"][0].dot, []byte(`{"n":2}`))
	if a, err = other.account(t.Context(), n.client, "c"); err != nil || a.live != 0 {
		t.Errorf("the account is %+v (%v)", a, err)
	}
}

func TestCoveredByAClock(t *testing.T) {
	t.Parallel()
	siblings := []client.Sibling{{Dot: "a~1:9", Clock: map[string]uint64{"a~1": 5}, Loose: []string{"a~1:8"}}}
	for dot, want := range map[string]bool{"a~1:5": true, "a~1:6": false, "a~1:8": true, "b~1:1": false, "a~1": false, "a~1:x": false} {
		if (ack{dot: dot}).covered(siblings) != want {
			t.Errorf("%s: covered is %t, want %t", dot, !want, want)
		}
	}
}

// "half is imported through each node at once, overlapping by the smaller of
// 1,000 and a quarter".
func TestPackagesAreDivided(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ packages, overlap int }{{fewestPackages, 50}, {3999, 999}, {4000, 1000}, {63498, 1000}} {
		s := &debianStory{index: &packageIndex{}, sides: [2]*debianSide{{}, {}}}
		for i := range c.packages {
			s.index.packages = append(s.index.packages, stanza{{"Package", fmt.Sprint(i)}, {"Architecture", "all"}})
		}
		s.divide()
		imported := map[string]int{}
		for _, side := range s.sides {
			for _, part := range [][]stanza{side.first, side.overlap, side.second, side.held} {
				if len(part) == 0 {
					t.Errorf("%d packages: a part is empty", c.packages)
				}
				for _, p := range part {
					imported[p.id()]++
				}
			}
		}
		both := 0
		for _, n := range imported {
			if n == 2 {
				both++
			}
		}
		if len(imported) != c.packages || both != c.overlap {
			t.Errorf("%d packages: %d are imported, %d by both, want %d", c.packages, len(imported), both, c.overlap)
		}
		if a, b := s.sides[0].lines(), s.sides[1].lines(); a-b > 1 || b-a > 1 {
			t.Errorf("the sides have %d and %d packages", a, b)
		}
	}
}

// demoProgram writes a program that stands in for this one.
func demoProgram(t *testing.T, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// The processes get their sockets, and nothing of them is left behind.
func TestDemoClusterLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	seen := filepath.Join(t.TempDir(), "seen")
	program := demoProgram(t, `echo "$1 $5 $LISTEN_FDS $LISTEN_FDNAMES [$SYNCLINE_DATA]" >>`+seen+`
echo starting; echo "ready name=$5"; read line <&0; exec sleep 60`)
	c, ctx, err := startDemoCluster(t.Context(), program, []string{"PATH=" + os.Getenv("PATH"), "SYNCLINE_DATA=/elsewhere", "LISTEN_PID=1"})
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(c.folder, "demo.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parseConfig("demo.yaml", text); err != nil {
		t.Errorf("the configuration is refused: %v\n%s", err, text)
	}
	if c.url("a") == c.url("b") || !strings.HasPrefix(c.url("w"), "http://127.0.0.1:") || c.url("x") != "" {
		t.Errorf("addresses %s %s %s", c.url("a"), c.url("b"), c.url("w"))
	}
	if err := errors.Join(c.stop(), c.stop()); err != nil {
		t.Error(err)
	}
	if ctx.Err() == nil {
		t.Error("the context of the demo goes on")
	}
	for _, p := range c.processes {
		if p.cmd.ProcessState == nil {
			t.Errorf("%s has not ended", p.name)
		}
	}
	if _, err := os.Stat(c.folder); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is left: %v", err)
	}
	told, err := os.ReadFile(seen)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"serve a 4 api:peer:gossip:gossip []", "serve b 4 api:peer:gossip:gossip []", "witness w 2 api:peer []"} {
		if !strings.Contains(string(told), want) {
			t.Errorf("no process was started as %q:\n%s", want, told)
		}
	}
}

func TestDemoClusterTellsWhyAProcessEnded(t *testing.T) {
	t.Parallel()
	before := demoProgram(t, `echo "the disk is on fire" >&2; exit 3`)
	if _, _, err := startDemoCluster(t.Context(), before, nil); err == nil || !strings.Contains(err.Error(), "it ended before it was ready") || !strings.Contains(err.Error(), "the disk is on fire") {
		t.Errorf("error %v", err)
	}
	after := demoProgram(t, `echo "ready name=$5"; [ "$5" = b ] || exec sleep 60; echo "out of luck" >&2; exit 3`)
	c, ctx, err := startDemoCluster(t.Context(), after, []string{"PATH=" + os.Getenv("PATH")})
	if err == nil {
		<-ctx.Done()
		err = errors.Join(context.Cause(ctx), c.stop())
	}
	if err == nil || !strings.Contains(err.Error(), "b: the process ended by itself: exit status 3") || !strings.Contains(err.Error(), "out of luck") {
		t.Errorf("error %v", err)
	}
}

func TestReadableSpreadsLongAnswers(t *testing.T) {
	t.Parallel()
	short := `{"balance":20}` + "\n"
	if got := readable([]byte(short)); got != strings.TrimSpace(short) {
		t.Errorf("a short answer became %q", got)
	}
	long, err := json.Marshal(map[string]string{"detail": strings.Repeat("x", 100), "code": "c"})
	if err != nil {
		t.Fatal(err)
	}
	if got := readable(long); strings.Count(got, "\n") != 3 {
		t.Errorf("a long answer became %q", got)
	}
	if got := readable([]byte(strings.Repeat("no json", 20))); got != strings.Repeat("no json", 20) {
		t.Errorf("a text became %q", got)
	}
}
