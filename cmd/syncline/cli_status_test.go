package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/syncline/syncline/client"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/rest"
)

// "status: one screen: can I write here, where, why not, how many more failures
// can we take; nodes, votes, links, lag, open conflicts" (API, Command line).
func TestStatusOfAHealthyCluster(t *testing.T) {
	t.Parallel()
	s := newCLIStand(t, false, "a", "b")
	trip := 0.42
	s.nodes["a"].links = []rest.Link{
		{From: "a", To: "b", State: "up", RoundTripMS: &trip, Since: time.Now()},
		{From: "b", To: "a", State: "up", Since: time.Now(), Hearsay: true},
		{From: "a", To: "w", State: "up", Since: time.Now()},
	}
	s.run("put", "accounts", "alice", "{}").want(t, exitOK)
	s.run("status").want(t, exitOK,
		"Can I write here?      yes, at a", s.nodes["a"].url+", "+s.nodes["b"].url, "1: writes go on after the loss of any 1",
		"Open conflicts         none", "both sides take writes for at most 2100 ms", "3 of 3, needs 2", "up 0.4 ms", "nothing", "unknown: no API address").without(t, "\x1b[")
}

// "Never green while a conflict is open or a lag is unknown"; "Unknown is shown
// as unknown, with since when; never as 0" (DASHBOARD, rules 1 and 2).
func TestStatusOfACutCluster(t *testing.T) {
	t.Parallel()
	s := newCLIStand(t, false, "a", "b", "c")
	a, b, c := s.nodes["a"], s.nodes["b"], s.nodes["c"]
	since := time.Date(2020, 11, 21, 14, 2, 11, 0, time.UTC)
	a.turn(false, "b")
	a.status.Peers = []rest.Peer{
		{Name: "b", Reachable: true, Since: since, NodeLacks: rest.Lag{UnknownSince: since}},
		{Name: "c", Reachable: false, Since: since, NodeLacks: rest.Lag{Versions: 3, Seconds: 1}},
	}
	b.status.Peers = []rest.Peer{{Name: "a", NodeLacks: rest.Lag{Versions: 12, Seconds: 3.1}}}
	b.status.Write.Votes = rest.VoteCount{Have: 2, Need: 2, Of: 3}
	a.links = []rest.Link{{From: "a", To: "b", State: "cut", Faults: []string{"f1"}, Since: since}}
	c.server.Close()
	s.run("status").want(t, exitOK,
		"no: no majority of votes, since ", "reads still work", "Where can I write?     "+b.url+"\n", "none: one more lost vote can stop all writes",
		"unknown since 14:02:11Z", "12 versions, 3.1 s", "cut by chaos", "unknown: silent          14:02:11Z")

	var out statusOutput
	if err := json.Unmarshal([]byte(s.run("status", "--output", "ndjson").want(t, exitOK).out), &out); err != nil {
		t.Fatal(err)
	}
	if out.CanWrite || out.Cause != string(node.NoMajority) || out.Spare == nil || *out.Spare != 0 || len(out.WritableNodes) != 1 || out.Hearsay {
		t.Errorf("the status as JSON: %+v", out)
	}
	if m := out.Members[2]; m.Answered || m.UnknownSince == nil || !m.UnknownSince.Equal(since) || m.Error == "" || m.Cluster != nil {
		t.Errorf("a silent member as JSON: %+v", m)
	}

	// Nobody who writes can be asked: what the others say of it is hearsay.
	b.server.Close()
	a.turn(false, "b")
	s.run("status").want(t, exitOK, b.url+" (said by others; no node could be asked itself)", "unknown: no writable node could be asked")
	a.turn(false)
	s.run("status").want(t, exitOK, "nowhere that anybody here knows of")
}

// The failures that can still be taken are the votes beyond those needed, of the
// node that has the most.
func TestSpareVotes(t *testing.T) {
	t.Parallel()
	one := func(state string, have, need int) finding {
		c := &client.Cluster{}
		c.Write.State, c.Write.Votes = state, client.Votes{Have: have, Need: need, Of: 5}
		return finding{Member: client.Member{Role: roleData}, Cluster: c}
	}
	for _, c := range []struct {
		of   []finding
		want string
	}{
		{nil, "unknown"},
		{[]finding{one("read-only", 5, 3)}, "unknown"},
		{[]finding{one(stateWritable, 3, 3)}, "0"},
		{[]finding{one(stateWritable, 3, 3), one(stateWritable, 5, 3), one("read-only", 5, 1)}, "2"},
		{[]finding{one(stateOverride, 1, 3)}, "0"},
	} {
		got := "unknown"
		if n := (&survey{Findings: c.of}).spare(); n != nil {
			got = fmt.Sprint(*n)
		}
		if got != c.want {
			t.Errorf("%+v: %s, want %s", c.of, got, c.want)
		}
	}
}

func TestWorstLag(t *testing.T) {
	t.Parallel()
	n := func(v uint64) client.Lag { s := float64(v); return client.Lag{Versions: &v, Seconds: &s} }
	u := func(sec int64) client.Lag { at := time.Unix(sec, 0); return client.Lag{UnknownSince: &at} }
	for _, c := range []struct {
		peers []client.Lag
		want  string
	}{
		{nil, "nothing"},
		{[]client.Lag{n(0), n(3), n(2)}, "3 versions, 3.0 s"},
		{[]client.Lag{n(3), u(100)}, "unknown since 00:01:40Z"},
		{[]client.Lag{u(100), n(3), u(50)}, "unknown since 00:00:50Z"},
		{[]client.Lag{{}}, "unknown"},
	} {
		cluster := &client.Cluster{}
		for _, l := range c.peers {
			cluster.Peers = append(cluster.Peers, client.Peer{NodeLacks: l})
		}
		if got := lagCell(lacks(cluster)).text; got != c.want {
			t.Errorf("%d peers: %q, want %q", len(c.peers), got, c.want)
		}
	}
}

func TestLinksTellEachDirection(t *testing.T) {
	t.Parallel()
	s := newCLIStand(t, false, "a", "b")
	s.nodes["a"].links = []rest.Link{{From: "a", To: "b", State: "cut", Cause: "by a fault", Faults: []string{"f1"}, Bytes: 77}, {From: "b", To: "w", State: "up", Hearsay: true}}
	s.nodes["b"].links = []rest.Link{{From: "b", To: "a", State: "up"}}
	s.run("links").want(t, exitOK, "a     b   cut by chaos", "77", "b     a   up", "unknown", "neither end answers")
	s.run("links", "--output", "json").want(t, exitOK, `"links"`, `"state": "cut"`)
	if r := s.run("links", "--output", "ndjson").want(t, exitOK); strings.Count(r.out, "\n") != 6 {
		t.Errorf("want a line for each of 6 directions:\n%s", r.out)
	}
}

// "votes held, leases, log of grants, refusals, expiries with reasons" (API).
func TestVotesTellWhyNot(t *testing.T) {
	t.Parallel()
	s := newCLIStand(t, false, "a", "b")
	trip := 0.5
	at := time.Date(2020, 11, 21, 14, 2, 11, 0, time.UTC)
	s.nodes["a"].votes = rest.Votes{
		State: rest.StateReadOnly, Votes: rest.VoteCount{Have: 1, Need: 2, Of: 3}, Alerts: []string{"no spare vote"},
		Voters: []rest.Voter{
			{Name: "a", Role: rest.RoleData, Granted: true, ExpiresIn: 1000000 * time.Hour, LastHeard: at},
			{Name: "b", Role: rest.RoleData, Reason: "dial: refused", RoundTripMS: &trip},
			{Name: "w", Role: roleWitness, Granted: true, ExpiresIn: 1300 * time.Millisecond, LastHeard: at},
		},
		Log: []rest.VoteEvent{{Time: at, Kind: "refusal", Voter: "b", To: "a", Reason: "catching_up"}},
	}
	s.nodes["b"].server.Close()
	s.run("votes").want(t, exitOK, "a (data): read-only, 1 of 3 votes, needs 2", "! no spare vote", "no end", "dial: refused", "1.3 s left",
		"refusal: b to a  catching_up", "b (data): unknown since", "w (witness): unknown since")
	s.run("votes", "--output", "json").want(t, exitOK, `"members"`, `"unknown_since": null`)
	s.run("votes", "--output", "ndjson").want(t, exitOK, `"name":"b","role":"data","unknown_since":"2`)
}

// The digests of nodes are "comparable only at equal frontiers without loose
// versions on either side; there it must be equal" (PROTOCOL D12).
func TestVerifyComparesDigests(t *testing.T) {
	t.Parallel()
	s := newCLIStand(t, false, "a", "b")
	s.run("verify").want(t, exitOK, "identical") // two empty nodes have had the same writes: none
	s.run("put", "c", "x", "{}").want(t, exitOK)
	s.run("verify", "--wait", "50ms").want(t, exitError, "have not had the same writes yet")
	s.run("verify", "--output", "json").want(t, exitError, `"comparable": false`)
	s.nodes["b"].server.Close()
	s.run("verify").want(t, exitError, "node b did not answer", "unknown")
}

func TestComparisonJudges(t *testing.T) {
	t.Parallel()
	v := func(seq uint64, loose int, digests map[string]client.Digest) digestsOf {
		return digestsOf{Verify: &client.Verify{Frontier: map[string]uint64{"a~1": seq}, Loose: loose, Collections: digests}}
	}
	x := map[string]client.Digest{"c": {Digest: "1", Documents: 1}}
	tombs := map[string]client.Digest{"c": {Digest: "1", Documents: 1, Tombstones: 9}, "d": {Digest: "0", Tombstones: 1}}
	y := map[string]client.Digest{"c": {Digest: "2", Documents: 1}}
	more := map[string]client.Digest{"c": {Digest: "1", Documents: 1}, "d": {Digest: "3", Documents: 1}}
	for _, c := range []struct {
		a, b              digestsOf
		comparable, equal bool
	}{
		{v(1, 0, x), v(1, 0, x), true, true},
		{v(1, 0, x), v(1, 0, tombs), true, true},
		{v(1, 0, x), v(1, 0, y), true, false},
		{v(1, 0, x), v(1, 0, more), true, false},
		{v(1, 0, more), v(1, 0, x), true, false},
		{v(1, 0, x), v(2, 0, x), false, false},
		{v(1, 0, x), v(1, 1, x), false, false},
		{v(1, 0, x), digestsOf{}, false, false},
	} {
		got := &comparison{Nodes: []digestsOf{c.a, c.b}}
		got.judge()
		if got.Comparable != c.comparable || got.Equal != c.equal {
			t.Errorf("%+v and %+v: comparable %t, equal %t", c.a.Verify, c.b.Verify, got.Comparable, got.Equal)
		}
		if (got.verdict() == nil) != c.equal {
			t.Errorf("verdict %v", got.verdict())
		}
	}
}

// --watch shows again until Ctrl-C, and goes on while the cluster is away.
func TestWatchGoesOn(t *testing.T) { synctest.Test(t, testWatch) }

func testWatch(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	shown := 0
	var out strings.Builder
	r := &remote{watch: true, output: asTable, out: &out}
	err := r.show(ctx, func(_ context.Context, r *remote) error {
		switch shown++; shown {
		case 1, 3:
			_, err := fmt.Fprintf(r.out, "page %d\n", shown)
			return err
		case 2:
			return fmt.Errorf("no node could be reached")
		}
		cancel()
		return ctx.Err()
	})
	if err != nil || !strings.Contains(out.String(), "page 1\nunknown at ") || !strings.Contains(out.String(), "page 3\n") {
		t.Errorf("error %v, shown %q", err, out.String())
	}
	// The first showing tells what is wrong with the command.
	if err := r.show(t.Context(), func(context.Context, *remote) error { return errNoAPI }); err != errNoAPI { //nolint:errorlint // this very error
		t.Errorf("error %v", err)
	}
}
