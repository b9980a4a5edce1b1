package rest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// sameJSON compares a body with what it must be, member by member.
func sameJSON(t *testing.T, got []byte, want string) {
	t.Helper()
	var g, w any
	if err := json.Unmarshal(got, &g); err != nil {
		t.Fatalf("%s: %v", got, err)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatalf("%s: %v", want, err)
	}
	gb, wb := mustJSON(g), mustJSON(w)
	if !bytes.Equal(gb, wb) {
		t.Errorf("got  %s\nwant %s", gb, wb)
	}
}

func at(second int) time.Time { return time.Date(2026, 11, 21, 14, 2, second, 0, time.UTC) }

// The shape of GET /v1/cluster in API.md; "A field that is not known is null
// beside an unknown_since, never 0".
func TestCluster(t *testing.T) {
	s := newStand(t, nil)
	s.split("alice")
	trip := 0.4
	s.cluster.status = Status{
		Write: WriteStatus{State: StateWritable, Since: at(5), Votes: VoteCount{3, 2, 3}, ExpiresIn: 1330 * time.Millisecond, WritableNodes: []string{"a", "b", "w"}},
		Disk:  Disk{FreeBytes: 1},
		Peers: []Peer{{Name: "a", Reachable: true, Since: at(5), RoundTripMS: &trip, NodeLacks: Lag{Versions: 12, Seconds: 3.1}, PeerLacks: Lag{UnknownSince: at(6)}}},
	}
	sameJSON(t, s.must(200, "GET", "/v1/cluster", "").body, fmt.Sprintf(`{
		"cluster":"shop","node":"b","role":"data","build":"test",
		"roster":{"epoch":1,"members":[
			{"name":"a","role":"data","api":"127.0.0.1:7401","peer":"127.0.0.1:7411","priority":0},
			{"name":"b","role":"data","api":"127.0.0.1:7402","peer":"127.0.0.1:7412","priority":0},
			{"name":"w","role":"witness","api":"","peer":"127.0.0.1:7419","priority":0}]},
		"write":{"state":"writable","cause":"","since":"2026-11-21T14:02:05Z","votes":{"have":3,"need":2,"of":3},"expires_in_ms":1330,
			"writable_nodes":["http://127.0.0.1:7401","http://127.0.0.1:7402"]},
		"frontier":{"%s":3},"stable":{},"catching_up":false,"timing":{"beat_ms":150,"lease_ms":1500,"bound_ms":2100},"disk":{"free_bytes":1,"low":false},"conflicts":{"open":1,"settled":0},
		"peers":[{"name":"a","reachable":true,"since":"2026-11-21T14:02:05Z","round_trip_ms":0.4,"clock_offset_ms":null,
			"node_lacks":{"versions":12,"seconds":3.1},"peer_lacks":{"versions":null,"seconds":null,"unknown_since":"2026-11-21T14:02:06Z"}}]}`,
		s.engine.Actor()))
	s.vote.set(cut(), 0)
	write := s.must(200, "GET", "/v1/cluster", "").object(t)["write"].(map[string]any)
	if write["state"] != "read-only" || write["cause"] != "no_majority" || fmt.Sprint(write["votes"]) != "map[have:1 need:2 of:3]" || write["since"] != "2026-11-21T14:02:11Z" {
		t.Errorf("the page would say other than a write is told: %v", write)
	}
}

func TestClusterTables(t *testing.T) {
	s := newStand(t, nil)
	trip, offset := 0.4, -0.1
	s.cluster.links = []Link{{From: "b", To: "a", State: "cut", Cause: "cut by chaos", Since: at(1), Bytes: 7}}
	sameJSON(t, s.must(200, "GET", "/v1/cluster/links", "").body, `{"node":"b","links":[{"from":"b","to":"a","state":"cut","cause":"cut by chaos",
		"since":"2026-11-21T14:02:01Z","round_trip_ms":null,"bytes":7,"faults":[],"until":null,"hearsay":false}]}`)
	s.cluster.votes = Votes{
		State: StateWritable, Votes: VoteCount{2, 2, 3}, ExpiresIn: time.Second, Alerts: []string{"no spare vote"},
		Voters: []Voter{{Name: "w", Role: "witness", Granted: true, ExpiresIn: time.Second, LastHeard: at(2), RoundTripMS: &trip, ClockOffsetMS: &offset}, {Name: "a", Role: RoleData, Reason: "boot"}},
		Log:    []VoteEvent{{Time: at(3), Kind: "refusal", Voter: "w", To: "b", Reason: "other"}},
	}
	sameJSON(t, s.must(200, "GET", "/v1/cluster/votes", "").body, `{"node":"b","state":"writable","votes":{"have":2,"need":2,"of":3},"expires_in_ms":1000,
		"voters":[{"name":"w","role":"witness","granted":true,"reason":"","round_trip_ms":0.4,"clock_offset_ms":-0.1,"expires_in_ms":1000,"last_heard":"2026-11-21T14:02:02Z"},
			{"name":"a","role":"data","granted":false,"reason":"boot","round_trip_ms":null,"clock_offset_ms":null,"expires_in_ms":0,"last_heard":null}],
		"log":[{"time":"2026-11-21T14:02:03Z","kind":"refusal","voter":"w","to":"b","reason":"other"}],"alerts":["no spare vote"]}`)
	s.cluster.gaps = []Gap{{Node: "a", Actor: "b~77xq01ab", Lag: Lag{Versions: 2, Seconds: 1.5}}, {Node: "b", Actor: "a~k3f9x2mz", Lag: Lag{UnknownSince: at(4)}}}
	sameJSON(t, s.must(200, "GET", "/v1/cluster/divergence", "").body, `{"node":"b","rows":[{"node":"a","actor":"b~77xq01ab","versions":2,"seconds":1.5},
		{"node":"b","actor":"a~k3f9x2mz","versions":null,"seconds":null,"unknown_since":"2026-11-21T14:02:04Z"}]}`)
}

// GET /v1/verify in API.md.
func TestVerify(t *testing.T) {
	s := newStand(t, nil)
	sameJSON(t, s.must(200, "GET", "/v1/verify", "").body, `{"node":"b","frontier":{},"loose":0,"collections":{}}`)
	s.split("alice")
	s.must(201, "PUT", "/v1/docs/accounts/x", `{}`)
	s.must(200, "DELETE", "/v1/docs/accounts/x", "")
	v, err := s.engine.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sameJSON(t, s.must(200, "GET", "/v1/verify", "").body, fmt.Sprintf(
		`{"node":"b","frontier":{"%s":5},"loose":0,"collections":{"accounts":{"digest":"%s","documents":1,"tombstones":1,"conflicts":1}}}`,
		s.engine.Actor(), v.Collections[0].Digest))
}

// "503 read_only with cause …: nothing was applied", and all that a client
// needs to go on elsewhere.
func TestReadOnly(t *testing.T) {
	s := newStand(t, nil)
	if got := s.must(200, "GET", "/livez", "").header.Get("Write-State"); got != "writable" {
		t.Errorf("Write-State %q", got)
	}
	s.vote.set(cut(), 0)
	a := s.must(503, "PUT", doc, `{}`)
	m := a.object(t)
	delete(m, "trace_id")
	sameJSON(t, mustJSON(m), `{"type":"/docs/problems/read_only","title":"This node cannot accept writes","status":503,"code":"read_only","node":"b",
		"detail":"b lost a and the witness at 14:02:11Z and has 1 of 3 votes. Reads still work.","cause":"no_majority","votes":{"have":1,"need":2,"of":3},
		"since":"2026-11-21T14:02:11Z","writable_nodes":["http://127.0.0.1:7401"],
		"candidates":[{"name":"a","api":"http://127.0.0.1:7401","last_heard":"2026-11-21T14:02:10Z"}]}`)
	if a.header.Get("Retry-After") != "2" || a.header.Get("Write-State") != "read-only" {
		t.Errorf("headers %v", a.header)
	}
	// A refusal that knows of nobody leaves the lists empty, and names whom to
	// try from the roster.
	s.vote.set(&node.Error{Op: "write", Kind: node.ReadOnly, ReadOnly: &node.ReadOnlyState{Cause: node.CatchingUp, WaitingFor: []string{"a"}}}, 0)
	m = s.must(503, "PUT", doc, `{}`).object(t)
	if fmt.Sprint(m["writable_nodes"], m["candidates"], m["waiting_for"], m["votes"]) !=
		"[] [map[api:http://127.0.0.1:7401 last_heard:<nil> name:a]] [a] map[have:3 need:2 of:3]" {
		t.Errorf("%v", m)
	}
	// One that came while the write was on its way is told by the header too.
	s.vote.set(cut(), 2)
	if a := s.must(503, "PUT", doc, `{}`); a.header.Get("Write-State") != "read-only" {
		t.Errorf("turned while it was on its way: %v", a.header)
	}
}

// "Replication-Lag: versions=12, seconds=3.1 … or unknown, since=…".
func TestLagHeader(t *testing.T) {
	s := newStand(t, nil)
	for want, lag := range map[string]Lag{
		"versions=0, seconds=0.0":             {},
		"versions=12, seconds=3.1":            {Versions: 12, Seconds: 3.14},
		"unknown, since=2026-11-21T14:02:07Z": {UnknownSince: at(7)},
	} {
		s.cluster.lag = lag
		for range 2 { // formatted, and as it was kept
			if got := s.must(200, "GET", "/livez", "").header.Get("Replication-Lag"); got != want {
				t.Errorf("%+v: %q", lag, got)
			}
		}
	}
}

// "504 lease_lost: committed here after the lease had ended": the answer names
// the version.
func TestLeaseLost(t *testing.T) {
	s := newStand(t, nil)
	s.vote.lost = true
	a := s.must(504, "PUT", doc, `{"n":1}`)
	s.vote.lost = false
	got := s.must(200, "GET", doc, "")
	if tag := got.header.Get("ETag"); a.header.Get("ETag") != tag || `"`+a.object(t)["dot"].(string)+`"` != tag || a.header.Get("Write-State") != "read-only" {
		t.Errorf("%v %s, stored as %s", a.header, a.body, tag)
	}
}

// "Session … the loose dots shown in its own reply" (PROTOCOL D4): a reader of
// a version beyond the frontier asks for it elsewhere too.
func TestSessionOfALooseVersion(t *testing.T) {
	a, b := newStand(t, nil), newStand(t, nil)
	a.must(201, "PUT", "/v1/docs/accounts/first", `{}`)
	a.must(201, "PUT", doc, `{"n":1}`)
	read, err := a.store.Read(t.Context(), conflict.Key{Collection: "accounts", ID: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	loose := read.Live[0]
	if _, err := b.engine.Apply(t.Context(), node.Apply{Versions: []*conflict.Version{loose}, Sender: a.engine.Actor()}); err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{doc, "/v1/docs/accounts"} {
		session, err := b.engine.ParseSession(b.must(200, "GET", target, "").header.Get("Session"))
		if err != nil {
			t.Fatal(err)
		}
		if !session.Covers(loose.Dot) || session.Covers(vclock.Dot{Actor: loose.Dot.Actor, Seq: 1}) {
			t.Errorf("%s: the session is %s", target, session)
		}
	}
}

// "500 bug, with the trace id; never a stack": the log has it.
func TestBug(t *testing.T) {
	var log bytes.Buffer
	s := newStand(t, func(c *Config) { c.Log = hclog.New(&hclog.LoggerOptions{Output: &log}) })
	s.cluster.bug = true
	a := s.must(500, "GET", "/v1/cluster/links", "")
	trace := a.object(t)["trace_id"].(string)
	if a.code(t) != "bug" || strings.Contains(string(a.body), "bug of the test") || strings.Contains(string(a.body), ".go:") {
		t.Errorf("the client sees %s", a.body)
	}
	for _, want := range []string{trace, "a bug of the test's", "cluster.go:"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %q: %s", want, &log)
		}
	}
	// A store that fails on a read is the same to a client.
	if err := s.store.Close(); err != nil {
		t.Fatal(err)
	}
	if a := s.must(500, "GET", doc, ""); a.code(t) != "bug" || strings.Contains(string(a.body), "closed") {
		t.Errorf("%s", a.body)
	}
}
