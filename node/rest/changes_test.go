package rest

import (
	"fmt"
	"net/url"
	"testing"
	"testing/synctest"
	"time"
)

// page reads a page of the feed.
func (s *stand) page(query string) (events []map[string]any, checkpoint, next string) {
	s.t.Helper()
	m := s.must(200, "GET", "/v1/changes?"+query, "").object(s.t)
	for _, e := range m["events"].([]any) {
		events = append(events, e.(map[string]any))
	}
	checkpoint, _ = m["checkpoint"].(string)
	return events, checkpoint, m["next"].(string)
}

// "A feed of present state: one event for each live version not in the
// cursor"; "what was overwritten is skipped"; "doc, etag, deleted, conflicts
// describe what the document shows in that snapshot".
func TestChangesPages(t *testing.T) {
	s := newStand(t, nil)
	for i := range 5 {
		s.must(201, "PUT", fmt.Sprintf("/v1/docs/accounts/d%d", i), `{"n":0}`)
	}
	s.must(200, "PUT", "/v1/docs/accounts/d0", `{"n" : 1}`)
	s.must(200, "DELETE", "/v1/docs/accounts/d1", "")
	s.must(201, "PUT", "/v1/docs/other/x", `{}`)
	s.split("alice")
	seen := map[string]map[string]any{}
	since, pages := "", 0
	for {
		events, checkpoint, next := s.page("limit=2&since=" + since)
		for _, e := range events {
			seen[e["id"].(string)] = e
		}
		pages++
		if checkpoint != "" {
			if checkpoint != next {
				t.Errorf("after the last page one goes on at %s, not at the checkpoint", next)
			}
			since = checkpoint
			break
		}
		since = next
	}
	if len(seen) != 7 || pages < 4 {
		t.Fatalf("%d documents on %d pages: %v", len(seen), pages, seen)
	}
	if e := seen["d0"]; fmt.Sprint(e["doc"]) != "map[n:1]" || e["collection"] != "accounts" || e["deleted"] != false || e["conflicts"] != 0.0 || e["settles"] != nil {
		t.Errorf("d0: %v", e)
	}
	if e := seen["d1"]; e["deleted"] != true || e["doc"] != nil {
		t.Errorf("d1: %v", e)
	}
	if e := seen["alice"]; e["conflicts"] != 2.0 || fmt.Sprint(e["doc"]) != "map[balance:70]" || e["context"] == "" || e["etag"] != s.must(200, "GET", doc, "").header.Get("ETag") {
		t.Errorf("alice: %v", e)
	}
	if events, _, _ := s.page("since=" + since); len(events) != 0 {
		t.Errorf("nothing happened, and the feed tells %v", events)
	}
	if events, _, _ := s.page("c=other"); len(events) != 1 || events[0]["id"] != "x" {
		t.Errorf("of one collection: %v", events)
	}
}

// "feed=longpoll": waits for an event, as long as Prefer: wait says, and
// answers at once when one comes.
func TestLongPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, nil)
		s.must(201, "PUT", doc, `{"n":1}`)
		_, since, _ := s.page("")
		for prefer, want := range map[string]time.Duration{"wait=7": 7 * time.Second, "wait=0": 0, "return=minimal": defaultPoll, "wait=100": maxWait} {
			begun := time.Now()
			a := s.must(200, "GET", "/v1/changes?feed=longpoll&since="+since, "", "Prefer: "+prefer)
			if took := time.Since(begun); took != want || len(a.object(t)["events"].([]any)) != 0 {
				t.Errorf("%s: %s after %s", prefer, a.body, took)
			}
		}
		polled := make(chan answer)
		go func() {
			polled <- s.send("GET", "/v1/changes?feed=longpoll&c=accounts&since="+url.QueryEscape(since), "")
		}()
		synctest.Wait()
		begun := time.Now()
		// A change of another collection is no event for this reader.
		s.must(201, "PUT", "/v1/docs/other/x", `{}`)
		time.Sleep(time.Second)
		synctest.Wait()
		select {
		case a := <-polled:
			t.Fatalf("woken by another collection: %s", a.body)
		default:
		}
		s.must(200, "PUT", doc, `{"n":2}`)
		a := <-polled
		if events := a.object(t)["events"].([]any); len(events) != 1 || time.Since(begun) != time.Second {
			t.Errorf("after %s: %s", time.Since(begun), a.body)
		}
		if a.header.Get("Session") != s.engine.Published().Session {
			t.Error("the session is that of before the wait")
		}
	})
}

// "A checkpoint is a frontier and valid on any node"; "A node that has less
// than the cursor waits, then 503 behind".
func TestCheckpointOfAnotherNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newStand(t, nil), newStand(t, nil)
		a.must(201, "PUT", doc, `{"n":1}`)
		_, checkpoint, _ := a.page("")
		begun := time.Now()
		got := b.must(503, "GET", "/v1/changes?since="+checkpoint, "", "Prefer: wait=3")
		if got.code(t) != "behind" || time.Since(begun) != 3*time.Second {
			t.Errorf("after %s: %s", time.Since(begun), got.body)
		}
		waited := make(chan answer)
		go func() { waited <- b.send("GET", "/v1/changes?since="+checkpoint, "", "Prefer: wait=30") }()
		synctest.Wait()
		b.pull(a)
		got = <-waited
		if events := got.object(t)["events"].([]any); got.status != 200 || len(events) != 0 {
			t.Errorf("the feed goes on behind the checkpoint: %s", got.body)
		}
	})
}

// "Sent to another node, the session makes a read wait (Prefer: wait) until
// that node has caught up: read-your-writes anywhere."
func TestSessionOnAnotherNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newStand(t, nil), newStand(t, nil)
		b.cluster.fresh = []string{"a"}
		session := "Session: " + a.must(201, "PUT", doc, `{"n":1}`).header.Get("Session")
		got := b.must(503, "GET", doc, "", session)
		if m := got.object(t); got.code(t) != "behind" || fmt.Sprint(m["fresh_nodes"]) != "[http://127.0.0.1:7401]" || got.header.Get("Retry-After") != "1" {
			t.Errorf("%s", got.body)
		}
		waited := make(chan answer)
		go func() { waited <- b.send("GET", doc, "", session, "Prefer: wait=30") }()
		synctest.Wait()
		b.pull(a)
		if got := <-waited; got.status != 200 || string(got.body) != `{"n":1}` || got.header.Get("Preference-Applied") != "wait=30" {
			t.Errorf("after the wait: %d %v %s", got.status, got.header, got.body)
		}
		// What this node answers covers what it read.
		if got := b.must(200, "GET", doc, "", session); got.header.Get("Session") != b.engine.Published().Session {
			t.Errorf("Session %v", got.header)
		}
	})
}
