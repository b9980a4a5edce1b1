package client

import (
	"errors"
	"net/http"
	"testing"
	"time"
)

// API, Shapes: what the cluster's routes answer, word for word where the page
// has it.
func shapes(w http.ResponseWriter, r *http.Request, _ string) {
	for path, body := range map[string]string{
		"/v1/cluster": `{"cluster":"c1","node":"a","role":"data","build":"v1","roster":{"epoch":1,"members":[{"name":"a","role":"data","api":"h:1","peer":"h:2","priority":3}]},
			"write":{"state":"writable","cause":"","since":null,"votes":{"have":3,"need":2,"of":3},"expires_in_ms":1330,"writable_nodes":["http://h:1"]},
			"frontier":{"a~k3f9x2mz":42,"b~77xq01ab":17},"catching_up":false,"timing":{"beat_ms":150,"lease_ms":1500,"bound_ms":2100},"disk":{"free_bytes":1,"low":false},"conflicts":{"open":4,"settled":3},
			"peers":[{"name":"b","reachable":true,"since":"2026-03-01T14:02:11Z","round_trip_ms":0.4,"clock_offset_ms":null,
			"node_lacks":{"versions":0,"seconds":0},"peer_lacks":{"versions":null,"seconds":null,"unknown_since":"2026-03-01T14:02:11Z"}}]}`,
		"/v1/cluster/links": `{"node":"a","links":[{"from":"a","to":"b","state":"cut","cause":"chaos","since":"2026-03-01T14:02:11Z","round_trip_ms":null,"bytes":7,"faults":["f1"],"hearsay":true}]}`,
		"/v1/cluster/votes": `{"node":"a","state":"writable","votes":{"have":2,"need":2,"of":3},"expires_in_ms":900,
			"voters":[{"name":"w","role":"witness","granted":false,"reason":"holds to b","round_trip_ms":0.2,"clock_offset_ms":-1.5,"expires_in_ms":0,"last_heard":null}],
			"log":[{"time":"2026-03-01T14:02:11Z","kind":"refusal","voter":"w","to":"a","reason":"holds to b"}],"alerts":["no spare vote"]}`,
		"/v1/cluster/divergence": `{"node":"a","rows":[{"node":"b","actor":"a~k3f9x2mz","versions":12,"seconds":3.1}]}`,
		"/v1/verify":             `{"node":"a","frontier":{"a~k3f9x2mz":42},"loose":1,"collections":{"accounts":{"digest":"d","documents":10,"tombstones":2,"conflicts":1}}}`,
		"/version":               `{"build":"v1","go":"go1.26.0","node":"a","started":"2026-03-01T14:02:11Z"}`,
	} {
		if r.URL.Path == path && r.Method == http.MethodGet {
			answerWith(w, 200, body)
			return
		}
	}
	answerWith(w, 404, problemOf(404, "unknown_route"))
}

// API: "A field that is not known is null beside an unknown_since, never 0."
func TestClusterShapes(t *testing.T) {
	t.Parallel()
	c := newTestClient(t, Config{}, newFake(t, "a", shapes))
	ctx := t.Context()
	cluster, err := c.Cluster(ctx)
	if err != nil {
		t.Fatal(err)
	}
	peer := cluster.Peers[0]
	if cluster.Name != "a" || cluster.Node != "a" || cluster.Roster.Members[0].Priority != 3 || cluster.Write.Votes != (Votes{3, 2, 3}) ||
		!cluster.Write.Since.IsZero() || cluster.Frontier["b~77xq01ab"] != 17 || cluster.Conflicts.Open != 4 || cluster.Disk.FreeBytes != 1 || cluster.Timing != (Timing{BeatMS: 150, LeaseMS: 1500, BoundMS: 2100}) {
		t.Errorf("got %+v", cluster)
	}
	if *peer.NodeLacks.Versions != 0 || peer.PeerLacks.Versions != nil || peer.PeerLacks.UnknownSince == nil || peer.ClockOffsetMS != nil || *peer.RoundTripMS != 0.4 {
		t.Errorf("got %+v", peer)
	}
	links, err := c.Links(ctx)
	if err != nil || len(links.Links) != 1 || links.Links[0].State != "cut" || links.Links[0].Faults[0] != "f1" || !links.Links[0].Hearsay || links.Links[0].RoundTripMS != nil {
		t.Errorf("got %+v, %v", links, err)
	}
	votes, err := c.Votes(ctx)
	if err != nil || votes.Voters[0].Reason != "holds to b" || !votes.Voters[0].LastHeard.IsZero() || votes.Log[0].Kind != "refusal" || votes.Alerts[0] != "no spare vote" {
		t.Errorf("got %+v, %v", votes, err)
	}
	rows, err := c.Divergence(ctx)
	if err != nil || rows.Rows[0].Actor != "a~k3f9x2mz" || *rows.Rows[0].Versions != 12 || *rows.Rows[0].Seconds != 3.1 {
		t.Errorf("got %+v, %v", rows, err)
	}
	verify, err := c.Verify(ctx, Options{})
	if err != nil || verify.Loose != 1 || verify.Collections["accounts"] != (Digest{"d", 10, 2, 1}) || verify.WriteState != "writable" {
		t.Errorf("got %+v, %v", verify, err)
	}
	version, err := c.Version(ctx)
	if err != nil || version.Build != "v1" || version.Go != "go1.26.0" || version.Started.IsZero() {
		t.Errorf("got %+v, %v", version, err)
	}
	if _, err := newTestClient(t, Config{}, newFake(t, "a", said(200, "<html>"))).Cluster(ctx); !errors.Is(err, BadReply) {
		t.Errorf("got %v", err)
	}
}

// API: POST /v1/chaos/faults {"from","to","kind","both","duration",…} → 201.
func TestFaults(t *testing.T) {
	t.Parallel()
	const shown = `{"id":"f1","from":"a","to":"b","kind":"flap","both":true,"duration":"30s","delay":"50ms","started":"2026-03-01T14:02:11Z","expires":"2026-03-01T14:02:41Z"}`
	n := newFake(t, "a", func(w http.ResponseWriter, r *http.Request, _ string) {
		switch r.Method + " " + r.URL.Path {
		case "POST /v1/chaos/faults":
			answerWith(w, 201, shown)
		case "GET /v1/chaos/faults":
			answerWith(w, 200, `{"faults":[`+shown+`]}`)
		case "DELETE /v1/chaos/faults/f1":
			answerWith(w, 200, `{"healed":1}`)
		case "DELETE /v1/chaos/faults":
			answerWith(w, 200, `{"healed":3}`)
		default:
			answerWith(w, 404, problemOf(404, "not_found"))
		}
	})
	many := newTestClient(t, Config{}, n)
	c, err := many.At(n.URL)
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	fault := Fault{From: "a", To: "b", Kind: FaultFlap, Both: true, Duration: Span(30 * time.Second), Delay: Span(50 * time.Millisecond)}
	added, err := c.AddFault(ctx, fault)
	if err != nil || added.ID != "f1" || added.Duration != fault.Duration || added.Expires.Sub(added.Started) != 30*time.Second {
		t.Errorf("got %+v, %v", added, err)
	}
	if body := n.requests()[0].body; body != `{"from":"a","to":"b","kind":"flap","both":true,"duration":"30s","delay":"50ms"}` {
		t.Errorf("sent %s", body)
	}
	if faults, err := c.Faults(ctx); err != nil || len(faults) != 1 || faults[0] != *added {
		t.Errorf("got %+v, %v", faults, err)
	}
	if err := c.RemoveFault(ctx, "f1"); err != nil {
		t.Error(err)
	}
	if err := c.RemoveFault(ctx, "f2"); !errors.Is(err, NotFound) {
		t.Errorf("got %v", err)
	}
	if healed, err := c.Heal(ctx); err != nil || healed != 3 {
		t.Errorf("got %d, %v", healed, err)
	}
	if _, err := c.HealLink(ctx, "a", "b", true); err != nil || n.requests()[len(n.requests())-1].query != "both=true&from=a&to=b" {
		t.Errorf("asked for %s, %v", n.requests()[len(n.requests())-1].query, err)
	}
	if _, err := c.HealLink(ctx, "a", "", true); !errors.Is(err, Invalid) {
		t.Errorf("got %v", err)
	}
	// An empty id would name all faults; a client of many nodes would not say
	// whose.
	before := len(n.requests())
	_, err = many.AddFault(ctx, fault)
	for _, err := range []error{err, c.RemoveFault(ctx, "")} {
		if !errors.Is(err, Invalid) {
			t.Errorf("got %v", err)
		}
	}
	if len(n.requests()) != before {
		t.Errorf("sent %v", n.requests()[before:])
	}
}
