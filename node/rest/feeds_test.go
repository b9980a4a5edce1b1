package rest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/link"
	"github.com/syncline/syncline/node/stream"
	"github.com/syncline/syncline/node/timeline"
	"github.com/syncline/syncline/vclock"
)

// stream runs the server of a stand over pipes until the returned function is called, which
// waits for its end.
func (s *stand) stream() (in *pipes, stop func()) {
	in = newPipes()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.server.Serve(ctx, in) }()
	return in, func() {
		cancel()
		if err := <-ended; err != nil {
			s.t.Error(err)
		}
	}
}

// leave ends a server whose streams nobody reads any more.
func leave(stop func(), readers ...*follower) {
	for _, f := range readers {
		_ = f.conn.Close()
	}
	stop()
}

// follower reads a stream line by line.
type follower struct {
	t     *testing.T
	conn  net.Conn
	lines *bufio.Reader
}

// follow opens a stream. Headers are "Name: value".
func (p *pipes) follow(t *testing.T, target string, headers ...string) *follower {
	t.Helper()
	near := p.dial()
	t.Cleanup(func() { _ = near.Close() })
	head := "GET " + target + " HTTP/1.1\r\nHost: 127.0.0.1:7402\r\n"
	for _, h := range headers {
		head += h + "\r\n"
	}
	if _, err := io.WriteString(near, head+"\r\n"); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(near), nil) //nolint:bodyclose // the connection is closed
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %v, %v", target, response, err)
	}
	return &follower{t, near, bufio.NewReader(response.Body)}
}

// line is the next line that is not empty.
func (f *follower) line() string {
	f.t.Helper()
	for {
		text, err := f.lines.ReadString('\n')
		if err != nil {
			f.t.Fatal(err)
		}
		if text = strings.TrimSpace(text); text != "" {
			return text
		}
	}
}

// event is the next line of NDJSON that has a certain member, as JSON.
func (f *follower) event(member, value string) map[string]any {
	f.t.Helper()
	for range 1000 {
		var m map[string]any
		if text := f.line(); json.Unmarshal([]byte(text), &m) != nil {
			f.t.Fatalf("no JSON: %s", text)
		}
		if got, ok := m[member]; ok && (value == "" || got == value) {
			return m
		}
	}
	f.t.Fatalf("no %s %s", member, value)
	return nil
}

// "SSE (id: = cursor, Last-Event-ID resumes, a comment every 15 s)"; "events …,
// then {"checkpoint":"…"}".
func TestChangesAsSSE(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, nil)
		s.must(201, "PUT", doc, `{"n":1}`)
		in, stop := s.stream()
		f := in.follow(t, "/v1/changes?feed=sse")
		first := strings.TrimPrefix(f.line(), "id: ")
		if data := f.line(); !strings.HasPrefix(data, `data: {"cursor":"`+first+`","collection":"accounts","id":"alice"`) || !strings.HasSuffix(data, `"doc":{"n":1}}`) {
			t.Errorf("%s", data)
		}
		checkpoint := strings.TrimPrefix(f.line(), "id: ")
		if kind, data := f.line(), f.line(); kind != "event: checkpoint" || data != `data: {"checkpoint":"`+checkpoint+`"}` {
			t.Errorf("%s\n%s", kind, data)
		}
		begun := time.Now()
		for i := range 12 { // beyond every deadline of requests that end
			if got := f.line(); got != ":" || time.Since(begun) != time.Duration(i+1)*stream.BeatEvery {
				t.Errorf("%q after %s", got, time.Since(begun))
			}
		}
		s.must(200, "PUT", doc, `{"n":2}`)
		second := strings.TrimPrefix(f.line(), "id: ")
		if data := f.line(); !strings.HasSuffix(data, `"doc":{"n":2}}`) {
			t.Errorf("%s", data)
		}
		// One that comes back goes on behind what it had, whatever its address says.
		again := in.follow(t, "/v1/changes?feed=sse", "Last-Event-ID: "+checkpoint)
		if id, data := again.line(), again.line(); id != "id: "+second || !strings.HasSuffix(data, `"doc":{"n":2}}`) {
			t.Errorf("%s\n%s", id, data)
		}
		stopped := make(chan struct{})
		go func() { defer close(stopped); stop() }()
		f.until("event: end")
		if data := f.line(); !strings.HasPrefix(data, `data: {"end":"draining"`) {
			t.Errorf("%s", data)
		}
		again.until("event: end")
		for _, f := range []*follower{f, again} {
			if _, err := io.Copy(io.Discard, f.lines); err != nil {
				t.Errorf("the stream is broken off: %v", err)
			}
		}
		<-stopped
	})
}

// until reads on to a line with a prefix.
func (f *follower) until(prefix string) {
	f.t.Helper()
	for !strings.HasPrefix(f.line(), prefix) {
		continue
	}
}

// "NDJSON lines of events and {"checkpoint":…}"; of one collection the writes of
// others are no events, and cost no checkpoint each.
func TestChangesAsNDJSON(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, nil)
		in, stop := s.stream()
		f := in.follow(t, "/v1/changes?feed=ndjson&c=accounts")
		begin := f.event("checkpoint", "")["checkpoint"]
		begun := time.Now()
		for i := range 20 {
			s.must(201, "PUT", fmt.Sprintf("/v1/docs/other/d%d", i), `{}`)
		}
		moved := f.event("checkpoint", "")["checkpoint"]
		if moved == begin || time.Since(begun) != stream.BeatEvery {
			t.Errorf("from %v to %v after %s", begin, moved, time.Since(begun))
		}
		if again := f.event("checkpoint", "")["checkpoint"]; again != moved {
			t.Errorf("nothing happened, and the checkpoint is %v", again)
		}
		s.split("alice")
		if e := f.event("id", "alice"); e["collection"] != "accounts" {
			t.Errorf("%v", e)
		}
		// All documents of more than one look come, in as many as it takes.
		for i := range 3 * node.DefaultPage {
			s.must(201, "PUT", fmt.Sprintf("/v1/docs/accounts/d%d", i), `{}`)
		}
		seen := map[any]bool{}
		for len(seen) < 3*node.DefaultPage {
			if id := f.event("id", "")["id"]; id != "alice" {
				seen[id] = true
			}
		}
		leave(stop, f)
	})
}

// "a reader that does not read is dropped, and nobody else notices".
func TestSilentReaderOfChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, nil)
		in, stop := s.stream()
		silent := in.follow(t, "/v1/changes?feed=ndjson") // and reads no further
		good := in.follow(t, "/v1/changes?feed=ndjson")
		good.event("checkpoint", "")
		begun := time.Now()
		for i := range 10 {
			s.must(map[bool]int{true: 201, false: 200}[i == 0], "PUT", doc, fmt.Sprintf(`{"n":%d,"pad":%q}`, i, strings.Repeat("x", 9000)))
			if e := good.event("id", "alice"); fmt.Sprint(e["doc"].(map[string]any)["n"]) != fmt.Sprint(i) {
				t.Errorf("%v", e)
			}
		}
		if took := time.Since(begun); took > 10*streamPause {
			t.Errorf("the good reader took %s", took)
		}
		if got := s.server.places.Taken(); got != 2 {
			t.Errorf("%d streams", got)
		}
		good.event("checkpoint", "")
		good.event("checkpoint", "") // of the beat, which comes after the deadline
		if got := s.server.places.Taken(); got != 1 {
			t.Errorf("%d streams after the deadline of the silent one", got)
		}
		leave(stop, good, silent)
	})
}

// A stream of changes obeys the rules of pages: "A node that has less than the
// cursor waits, then 503 behind".
func TestStreamBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newStand(t, nil), newStand(t, nil)
		a.must(201, "PUT", doc, `{"n":1}`)
		_, checkpoint, _ := a.page("")
		if got := b.must(503, "GET", "/v1/changes?feed=sse&since="+checkpoint, "", "Prefer: wait=3"); got.code(t) != "behind" {
			t.Errorf("%s", got.body)
		}
		session := "Session: " + a.must(200, "GET", doc, "").header.Get("Session")
		if got := b.must(503, "GET", "/v1/changes?feed=ndjson", "", session); got.code(t) != "behind" {
			t.Errorf("%s", got.body)
		}
		if b.server.places.Taken() != 0 {
			t.Error("a stream that never began has a place")
		}
	})
}

// watched is a stand whose state is looked at, and a stream of its events.
func watched(t *testing.T) (s *stand, f *follower) {
	t.Helper()
	now := time.Now()
	s = newStand(t, func(c *Config) {
		c.Chaos = &faults{list: []link.Fault{{ID: "f1", Expires: now.Add(time.Minute)}}}
	})
	s.cluster.set(func(c *cluster) {
		c.links = []Link{{From: "b", To: "a", State: "up", Since: now}, {From: "a", To: "w", State: "unknown", Hearsay: true}}
		c.status.Peers = []Peer{{Name: "a", Reachable: true, Since: now}}
		c.votes.Voters = []Voter{{Name: "a", Granted: true, ExpiresIn: time.Second}}
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.server.Watch(ctx) }()
	in, stop := s.stream()
	t.Cleanup(func() {
		leave(stop, f)
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	synctest.Wait()
	f = in.follow(t, "/v1/events?feed=ndjson")
	return s, f
}

// "A first event state with the whole present state (same shapes as
// /v1/cluster, /cluster/links, /cluster/votes), then deltas".
func TestEventsBeginWithTheState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := watched(t)
		var m struct {
			ID, Event string
			Data      struct {
				Cluster, Links, Votes json.RawMessage
				Standing              string
				Faults                []link.Fault
				Chaos                 bool
			}
		}
		text := f.line()
		if err := json.Unmarshal([]byte(text), &m); err != nil || m.Event != "state" || m.ID == "" || !m.Data.Chaos || len(m.Data.Faults) != 1 || m.Data.Standing != "good" {
			t.Fatalf("%v: %s", err, text)
		}
		for target, got := range map[string]json.RawMessage{"/v1/cluster": m.Data.Cluster, "/v1/cluster/links": m.Data.Links, "/v1/cluster/votes": m.Data.Votes} {
			if want := s.must(200, "GET", target, "").body; string(want) != string(got) {
				t.Errorf("%s\nis    %s\nevent %s", target, want, got)
			}
		}
	})
}

// "links (up/down/… cut by chaos with until when), votes (granted, refused with
// reason …), write state changes with cause, lag per peer (unknown with since)".
func TestEventsOfTheCluster(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := watched(t)
		f.event("event", "state")
		at := time.Now()
		s.cluster.set(func(c *cluster) {
			c.links[0].State, c.links[0].Cause, c.links[0].Faults = "cut", "by a fault that was put on it here", []string{"f1"}
		})
		data := func(kind string) string {
			t.Helper()
			text, err := json.Marshal(f.event("event", kind)["data"])
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
		if got := data("link"); !strings.Contains(got, `"state":"cut"`) || !strings.Contains(got, `"until":"`+at.Add(time.Minute).UTC().Format("2006-01-02T15:04")) {
			t.Errorf("link %s", got)
		}
		s.cluster.set(func(c *cluster) {
			c.votes.Log = []VoteEvent{{Time: at, Kind: "refusal", Voter: "w", To: "b", Reason: "other"}}
			c.votes.Voters[0].Granted = false
		})
		if got := data("vote"); !strings.Contains(got, `"reason":"other"`) {
			t.Errorf("vote %s", got)
		}
		if got := data("votes"); !strings.Contains(got, `"granted":false`) {
			t.Errorf("votes %s", got)
		}
		s.vote.set(cut(), 0)
		s.server.Poke()
		if got := data("write"); !strings.Contains(got, `"state":"read-only"`) || !strings.Contains(got, `"cause":"no_majority"`) || !strings.Contains(got, `"writable_nodes":["http://127.0.0.1:7401"]`) {
			t.Errorf("write %s", got)
		}
		s.cluster.set(func(c *cluster) {
			c.status.Peers = []Peer{{Name: "a", NodeLacks: Lag{UnknownSince: at}, PeerLacks: Lag{UnknownSince: at}}}
		})
		for got := ""; !strings.Contains(got, `"versions":null`); {
			got = data("lag")
		}
		p := s.timeline.Between(timeline.Query{From: at.Add(-time.Hour), To: time.Now(), Limit: 100})
		var states []string
		for _, e := range p.Entries {
			states = append(states, string(e.Kind)+" "+e.State)
		}
		if got := strings.Join(states, ", "); got != "process started, write writable, link up, link cut, write read-only" {
			t.Errorf("the timeline has %s", got)
		}
	})
}

// "conflicts (open/settled counts and each that begins or ends with id)"; in the
// timeline as counts by the second.
func TestEventsOfConflicts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := watched(t)
		f.event("event", "state")
		s.split("alice")
		begun := f.event("event", "conflict")["data"].(map[string]any)
		list := s.must(200, "GET", "/v1/conflicts", "").object(t)["conflicts"].([]any)
		if id := list[0].(map[string]any)["id"]; begun["id"] != id || begun["state"] != "open" || begun["doc_id"] != "alice" || begun["collection"] != "accounts" {
			t.Errorf("%v, want %v", begun, id)
		}
		if got := f.event("event", "conflicts")["data"].(map[string]any); got["open"] != 1.0 {
			t.Errorf("%v", got)
		}
		tag := s.must(200, "GET", doc, "").header.Get("ETag")
		s.must(200, "PUT", doc, `{"balance":20}`, "If-Match: "+tag)
		ended := f.event("event", "conflict")["data"].(map[string]any)
		if ended["id"] != begun["id"] || ended["state"] != "settled" {
			t.Errorf("%v, which was %v", ended, begun)
		}
		// A third version makes another conflict of it, and the same document.
		s.split("bob")
		one := f.event("event", "conflict")["data"].(map[string]any)
		s.must(200, "PUT", "/v1/docs/accounts/bob", `{"balance":5}`, "Causal-Context: "+s.first["bob"])
		two := f.event("event", "conflict")["data"].(map[string]any)
		if two["replaces"] != one["id"] || two["state"] != "open" {
			t.Errorf("%v, which was %v", two, one)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		opened, settled := 0, 0
		for _, e := range s.timeline.Between(timeline.Query{To: time.Now(), Limit: 100}).Entries {
			opened, settled = opened+e.Opened, settled+e.Settled
		}
		if opened != 2 || settled != 1 {
			t.Errorf("the timeline counts %d opened and %d settled", opened, settled)
		}
	})
}

// "Rates bounded (lag at most every 250 ms)", and conflicts one by one only so
// many a second.
func TestEventsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := watched(t)
		f.event("event", "state")
		for i := range 3 * maxConflictEvents {
			s.server.Conflict(node.Event{Kind: node.EventConflict, New: fmt.Sprint(i)})
		}
		begun := time.Now()
		counts := map[any]int{}
		for n := uint64(1); time.Since(begun) < 10*time.Second; n++ {
			s.cluster.set(func(c *cluster) { c.status.Peers = []Peer{{Name: "a", Reachable: true, NodeLacks: Lag{Versions: n}}} })
			counts[f.event("event", "")["event"]]++
		}
		if n := counts["conflict"]; n != maxConflictEvents {
			t.Errorf("%d conflicts one by one", n)
		}
		if n := counts["lag"]; n < 10 || n > 40 {
			t.Errorf("%d events lag in 10 s", n)
		}
	})
}

// "unknown intervals (process down) are shown as such"; the pages of a timeline
// go on where the one before ended.
func TestTimeline(t *testing.T) {
	s := newStand(t, nil)
	at := time.Now().UTC()
	for i := range 5 {
		s.timeline.Add(timeline.Entry{Kind: timeline.Write, State: fmt.Sprint(i)})
	}
	var got []string
	cursor := ""
	for pages := 0; ; pages++ {
		m := s.must(200, "GET", "/v1/timeline?limit=2&from="+at.Add(-time.Minute).Format(time.RFC3339Nano)+cursor, "").object(t)
		for _, e := range m["entries"].([]any) {
			got = append(got, fmt.Sprint(e.(map[string]any)["state"]))
		}
		if pages == 0 {
			if gap := m["unknown"].([]any); len(gap) != 1 || gap[0].(map[string]any)["cause"] != "it is older than what is kept" {
				t.Errorf("unknown: %v", gap)
			}
		}
		if m["next"] == nil {
			break
		}
		cursor = "&cursor=" + m["next"].(string)
	}
	if text := strings.Join(got, " "); text != "started 0 1 2 3 4" {
		t.Errorf("%s", text)
	}
}

// "documents that differ between this node and another one right now, by key,
// with both dots/etags"; "if the other is unreachable: 503 with since when".
func TestDifferences(t *testing.T) {
	s := newStand(t, nil)
	s.compared.page = oneDifference()
	s.compared.page.Differences[0].Here = &node.Copy{Dots: []vclock.Dot{{Actor: "b~77xq01ab", Seq: 7}}, Tag: "b~77xq01ab:7", Deleted: true}
	got := string(s.must(200, "GET", keys+"?node=a&c=accounts&limit=3&cursor=x", "").body)
	want := `{"node":"b","with":"a","documents":[{"collection":"accounts","id":"alice","here":{"etag":"\"b~77xq01ab:7\"","dots":["b~77xq01ab:7"],"deleted":true},` +
		`"there":{"etag":"\"a~k3f9x2mz:42\"","dots":["a~k3f9x2mz:42"],"deleted":false}}],"next":"more"}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if q := s.compared.last; q != (node.DifferenceQuery{Node: "a", Collection: "accounts", Limit: 3, Cursor: "x"}) {
		t.Errorf("asked %+v", q)
	}
	s.compared.err = errors.New("a does not answer: cut by a fault (f1)")
	since := time.Date(2026, 11, 21, 14, 2, 11, 0, time.UTC)
	s.cluster.status.Peers = []Peer{{Name: "a", Since: since}}
	a := s.must(503, "GET", keys+"?node=a", "")
	if m := a.object(t); a.code(t) != "peer_silent" || m["since"] != "2026-11-21T14:02:11Z" || a.header.Get("Retry-After") != "2" {
		t.Errorf("%s", a.body)
	}
}
