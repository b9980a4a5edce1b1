package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/syncline/syncline/client"
)

// heardEvents are the events of one node, as they come.
type heardEvents struct {
	mu     sync.Mutex
	events []client.Event
	leave  context.CancelFunc
	ended  chan struct{}
}

// stop ends it.
func (h *heardEvents) stop() {
	h.leave()
	<-h.ended
}

// hear follows the events of a node until stop, also over its restarts.
func (c *testCluster) hear(t *testing.T, name string) *heardEvents {
	t.Helper()
	at := c.at(t, name)
	ctx, cancel := context.WithCancel(context.Background())
	h := &heardEvents{leave: cancel, ended: make(chan struct{})}
	go func() {
		defer close(h.ended)
		for e, err := range at.Events(ctx, "") {
			if err != nil && ctx.Err() == nil {
				t.Errorf("the events of %s end: %v", name, err)
			}
			h.mu.Lock()
			h.events = append(h.events, e)
			h.mu.Unlock()
		}
	}()
	return h
}

// await waits for an event of a kind, whose data has all texts, and takes it
// away. Events of different sources come in no certain order.
func (h *heardEvents) await(t *testing.T, kind string, texts ...string) {
	t.Helper()
	await(t, "the event "+kind+" "+strings.Join(texts, " "), func() error {
		h.mu.Lock()
		defer h.mu.Unlock()
		for i, e := range h.events {
			if e.Event == kind && hasAll(string(e.Data), texts) {
				h.events = slices.Delete(h.events, i, i+1)
				return nil
			}
		}
		var seen []string
		for _, e := range h.events {
			seen = append(seen, e.Event)
		}
		return fmt.Errorf("came: %s", strings.Join(seen, " "))
	})
}

func hasAll(s string, texts []string) bool {
	for _, text := range texts {
		if !strings.Contains(s, text) {
			return false
		}
	}
	return true
}

// noGoroutineIsLeft returns what waits until all goroutines that began meanwhile
// have ended. A probe of serf's that is under way when it is shut down ends by its
// own timeouts, after seconds. A test that has failed leaves its cluster running
// until its cleanup: the goroutines of that would only hide why it failed.
func noGoroutineIsLeft(t *testing.T) func() {
	t.Helper()
	before := goleak.IgnoreCurrent()
	return func() {
		t.Helper()
		if t.Failed() {
			return
		}
		await(t, "no goroutine is left", func() error { return goleak.Find(before) })
	}
}

// flap is a fault of which a link is cut and healed in turn.
func flap(t *testing.T, at *client.Client, from, to string) {
	t.Helper()
	f, err := at.AddFault(t.Context(), client.Fault{
		From: from, To: to, Kind: client.FaultFlap, Both: true, Duration: client.Span(time.Minute), Delay: client.Span(600 * time.Millisecond),
	})
	if err != nil || time.Duration(f.Delay) != 600*time.Millisecond || f.Expires.Before(time.Now()) {
		t.Fatalf("%+v, %v", f, err)
	}
}

// "/v1/events: links, votes, writable, lag, conflicts, chaos, log: all that the
// page shows live"; "POST /v1/chaos/faults … flap"; the witness's API has
// /events too.
func TestServeEvents(t *testing.T) {
	defer noGoroutineIsLeft(t)()
	c := newTestCluster(t, "", "a", "b")
	a := c.start(t, "a", "--chaos")
	others := []*running{c.start(t, "b", "--chaos"), c.start(t, "w", "--chaos")}
	c.awaitVotes(t)
	ofA, ofW := c.hear(t, "a"), c.hear(t, "w")
	defer ofA.stop()
	defer ofW.stop()
	ofA.await(t, "state", `"cluster":{`, `"links":{`, `"votes":{`, `"chaos":true`, `"standing":"good"`)
	ofW.await(t, "state", `"role":"witness"`)
	ofA.await(t, "votes", `"voters"`)
	ofW.await(t, "votes", `"voters"`)

	// Flapping: down, and up again, by itself.
	flap(t, c.at(t, "a"), "a", "w")
	ofA.await(t, "fault", `"state":"begun"`, `"kind":"flap"`, `"delay":"600ms"`)
	ofA.await(t, "link", `"to":"w","state":"cut"`, `"until":"`)
	ofA.await(t, "link", `"to":"w","state":"up"`)
	ofA.await(t, "link", `"to":"w","state":"cut"`)
	if n, err := c.at(t, "a").Heal(t.Context()); err != nil || n != 1 {
		t.Fatalf("healed %d, %v", n, err)
	}
	ofA.await(t, "fault", `"state":"healed"`)

	c.cutOff(t, ofA)
	ofW.await(t, "holders", `"name":"b"`)
	ofW.await(t, "peer", `"name":"a","reachable":false`)
	if _, err := c.at(t, "a").Heal(t.Context()); err != nil {
		t.Fatal(err)
	}
	ofA.await(t, "write", `"state":"writable"`)
	ofW.await(t, "peer", `"name":"a","reachable":true`)

	// Over a restart: the ids of the former run are not gone on from.
	if code := a.stop(t); code != exitOK {
		t.Errorf("a: exit %d\n%s", code, a.log)
	}
	a = c.start(t, "a")
	ofA.await(t, "gap")
	ofA.await(t, "state", `"chaos":false`)
	c.checkTimeline(t, "a")
	for _, r := range append(others, a) {
		if code := r.stop(t); code != exitOK {
			t.Errorf("%s: exit %d\n%s", r.name, code, r.log)
		}
	}
}

// cutOff isolates a, which must become read-only, and compares with what it
// cannot reach.
func (c *testCluster) cutOff(t *testing.T, ofA *heardEvents) {
	t.Helper()
	at := c.at(t, "a")
	compare := func() error {
		for d, err := range at.Differences(t.Context(), client.DifferencesOptions{With: "b"}) {
			if err != nil {
				return err
			}
			return fmt.Errorf("%+v differs", d)
		}
		return nil
	}
	c.put(t, "a", "before")
	await(t, "a and b are equal", compare)
	for _, to := range []string{"b", "w"} {
		if _, err := at.AddFault(t.Context(), client.Fault{From: "a", To: to, Kind: client.FaultCut, Both: true, Duration: client.Span(time.Minute)}); err != nil {
			t.Fatal(err)
		}
	}
	ofA.await(t, "write", `"state":"read-only"`, `"cause":"no_majority"`)
	ofA.await(t, "log", `"message":"read-only"`, `"level":"warn"`)
	ofA.await(t, "lag", `"versions":null`, `"unknown_since"`)
	// A lease runs out a step before a says since when b is silent.
	await(t, "a says since when b is silent", func() error {
		err := compare()
		if e, ok := errors.AsType[*client.Error](err); !ok || e.Code != client.PeerSilent || e.Status != 503 || e.Since.IsZero() {
			return fmt.Errorf("compared with a node that is cut off: %w", err)
		}
		return nil
	})
}

// "GET /v1/timeline … across restarts; unknown intervals (process down) are
// shown as such".
func (c *testCluster) checkTimeline(t *testing.T, name string) {
	t.Helper()
	line, err := c.at(t, name).Timeline(t.Context(), time.Now().Add(-time.Hour), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(line)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, e := range line.Entries {
		seen[e.Kind+" "+e.State+" "+e.Cause] = true
		seen[e.Kind+" "+e.Fault+" "+e.State] = true
		seen[e.Kind+" "+e.To+" "+e.State] = true
	}
	for _, want := range []string{
		"process started ", "process stopped ", "process started the process before was stopped", "write writable ", "write read-only no_majority",
		"fault flap begun", "fault flap healed", "fault cut begun", "link w cut", "link b cut", "link b up", "standing good ",
	} {
		if !seen[want] {
			t.Errorf("the timeline lacks %q: %s", want, text)
		}
	}
	down := false
	for _, gap := range line.Unknown {
		down = down || gap.Cause == "the process before was stopped" && gap.To.After(gap.From)
	}
	if !down {
		t.Errorf("the time when the process was down is not unknown: %s", text)
	}
}

// "watch": shows documents as they are written, and goes on over a restart of
// the only node.
func TestWatch(t *testing.T) {
	defer noGoroutineIsLeft(t)()
	c := newTestCluster(t, "", "a")
	r := c.start(t, "a")
	c.put(t, "a", "first")
	ctx, cancel := context.WithCancel(context.Background())
	out := &buffer{}
	app, _, _ := testApp()
	app.stdout = out
	done := make(chan int, 1)
	go func() { done <- run(ctx, []string{"watch", "docs", "-n", c.api["a"], "--output", "ndjson"}, app) }()
	shows := func(id string) {
		t.Helper()
		await(t, "watch shows "+id, func() error {
			if s := out.String(); !strings.Contains(s, `"id":"`+id+`"`) {
				return errors.New(s)
			}
			return nil
		})
	}
	shows("first")
	c.put(t, "a", "second")
	shows("second")
	r.stop(t)
	r = c.start(t, "a")
	c.put(t, "a", "third")
	shows("third")
	cancel()
	if code := <-done; code != exitOK || !strings.Contains(out.String(), `{"checkpoint":"`) {
		t.Errorf("exit %d, and it said\n%s", code, out)
	}
	r.stop(t)
}
