package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/link"
	"github.com/syncline/syncline/node/quorum"
	"github.com/syncline/syncline/node/replica"
	"github.com/syncline/syncline/node/rest"
	"github.com/syncline/syncline/vclock"
	"github.com/syncline/syncline/witness"
)

// Instants of the tests: the machine started at boot, the process a minute
// later.
var (
	testBoot  = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	testStart = testBoot.Add(time.Minute)
	testNow   = testBoot.Add(2 * time.Minute)
)

func vector(t *testing.T, text ...string) vclock.Vector {
	t.Helper()
	var v vclock.Vector
	for _, dot := range text {
		d, err := vclock.ParseDot(dot)
		if err != nil {
			t.Fatal(err)
		}
		v = v.With(d)
	}
	return v
}

// stateOf is the state of a node a beside b, which answers, c, which does not,
// and the witness.
func stateOf(t *testing.T) *clusterState {
	now, heard := testNow, testNow.Add(-10*time.Second)
	frontier := vector(t, "a~aaaaaaaa:9", "b~bbbbbbbb:5")
	return &clusterState{
		self: "a", roster: roster{Cluster: "shop", Epoch: 1, Members: []roleMember{
			{Name: "a", Role: "data"}, {Name: "b", Role: "data"}, {Name: "c", Role: "data"}, {Name: "w", Role: "witness"},
		}},
		started: testStart, origin: testBoot,
		votes: func() quorum.State {
			return quorum.State{
				Node: "a", At: testNow, Writable: true, Since: testStart, Have: 2, Need: 2, Of: 3,
				Expires: time.Second, WritableNodes: []string{"a", "b"},
				Alerts: []quorum.Alert{{Code: quorum.NoSpareVote, Detail: "one vote less"}},
				Voters: []quorum.VoterState{
					{
						Name: "b", Counts: true, Left: time.Second, Reachable: true, Since: testStart, LastHeard: testNow, Answered: true,
						Granted: true, RoundTrip: 1500 * time.Microsecond, Offset: -2 * time.Millisecond, Standing: node.StandingGood,
						Frontier: vector(t, "a~aaaaaaaa:9", "b~bbbbbbbb:7"),
					},
					{Name: "c", Counts: true, Since: heard, LastHeard: heard, Answered: true, RoundTrip: time.Second, Problem: "no route to c", Frontier: vector(t, "a~aaaaaaaa:4", "c~cccccccc:3")},
					{Name: "w", Witness: true, Since: testStart, Reason: witness.Boot},
				},
			}
		},
		log: func() []witness.Entry {
			return []witness.Entry{{Event: witness.Event{Voter: "b", Node: "a", Verdict: witness.Granted}, First: testStart, Last: testNow, Count: 9}}
		},
		data: func() []replica.PeerStatus {
			return []replica.PeerStatus{
				{
					Name: "b", Reachable: true, Since: time.Minute, Frontier: vector(t, "b~bbbbbbbb:6"),
					NodeLacks: replica.Lack{Known: true, Versions: 2, Age: 3 * time.Second}, PeerLacks: replica.Lack{Known: true},
				},
				{Name: "c", Since: 110 * time.Second},
			}
		},
		links: func() []link.Figures {
			return []link.Figures{
				{Peer: "b", BytesIn: 1, BytesOut: 2, LastHeard: &now, Faults: []string{"f1"}, CutIn: true},
				{Peer: "c", BytesIn: 3, BytesOut: 4, LastHeard: &heard},
				{Peer: "w"},
			}
		},
		disk:     func() rest.Disk { return rest.Disk{FreeBytes: 7} },
		frontier: func() vclock.Vector { return frontier },
		stable:   func() vclock.Vector { return vclock.Vector{} },
	}
}

// API.md, "Shapes": "A field that is not known is null beside an unknown_since,
// never 0."
func TestUnknownIsNotZero(t *testing.T) {
	c := stateOf(t)
	lag := c.Lag()
	if want := testBoot.Add(110 * time.Second); !lag.UnknownSince.Equal(want) || lag.Versions != 0 {
		t.Errorf("c is silent since %v, so nobody knows: %+v", want, lag)
	}
	peers := c.Status().Peers
	text, err := json.Marshal(peers[1])
	if err != nil {
		t.Fatal(err)
	}
	want := `{"name":"c","reachable":false,"since":"2026-11-21T12:01:50Z","round_trip_ms":null,"clock_offset_ms":null,` +
		`"node_lacks":{"versions":null,"seconds":null,"unknown_since":"2026-11-21T12:01:50Z"},` +
		`"peer_lacks":{"versions":null,"seconds":null,"unknown_since":"2026-11-21T12:01:50Z"}}`
	if string(text) != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	if text, err = json.Marshal(peers[0]); err != nil {
		t.Fatal(err)
	}
	want = `{"name":"b","reachable":true,"since":"2026-11-21T12:01:00Z","round_trip_ms":1.5,"clock_offset_ms":-2,` +
		`"node_lacks":{"versions":2,"seconds":3},"peer_lacks":{"versions":0,"seconds":0}}`
	if string(text) != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
}

// API.md, "Conventions": "Replication-Lag … what this node lacks, the worst
// over data nodes".
func TestLagIsTheWorst(t *testing.T) {
	c := stateOf(t)
	c.data = func() []replica.PeerStatus {
		return []replica.PeerStatus{
			{Name: "b", NodeLacks: replica.Lack{Known: true, Versions: 2, Age: 3 * time.Second}},
			{Name: "c", NodeLacks: replica.Lack{Known: true, Versions: 5, Age: time.Second}},
		}
	}
	if got := c.Lag(); got != (rest.Lag{Versions: 5, Seconds: 3}) {
		t.Errorf("%+v", got)
	}
	c.data = func() []replica.PeerStatus { return nil }
	c.lag.Store(nil)
	if got := c.Lag(); got != (rest.Lag{}) {
		t.Errorf("a node alone lacks nothing: %+v", got)
	}
}

func TestWriteStatus(t *testing.T) {
	c := stateOf(t)
	s := c.Status()
	if w := s.Write; w.State != rest.StateWritable || w.Votes != (rest.VoteCount{Have: 2, Need: 2, Of: 3}) || w.ExpiresIn != time.Second || len(w.WritableNodes) != 2 {
		t.Errorf("%+v", w)
	}
	if s.Disk.FreeBytes != 7 {
		t.Errorf("%+v", s.Disk)
	}
	if w := writeStatus(quorum.State{Cause: node.NoMajority}); w.State != rest.StateReadOnly || w.Cause != node.NoMajority {
		t.Errorf("%+v", w)
	}
}

// API.md: "/cluster/votes: votes held, leases, log of grants, refusals,
// expiries with reasons".
func TestVotesShown(t *testing.T) {
	v := stateOf(t).Votes()
	if len(v.Voters) != 4 || len(v.Log) != 1 || len(v.Alerts) != 1 {
		t.Fatalf("%+v", v)
	}
	have := 0
	for _, voter := range v.Voters {
		if voter.Granted {
			have++
		}
	}
	if have != v.Votes.Have {
		t.Errorf("%d voters have granted, the count says %d", have, v.Votes.Have)
	}
	if c := v.Voters[2]; c.Granted || c.Reason != "no route to c" || c.RoundTripMS != nil {
		t.Errorf("%+v", c)
	}
	if w := v.Voters[3]; w.Role != "witness" || w.Reason != "boot" || !w.LastHeard.IsZero() {
		t.Errorf("%+v", w)
	}
	if e := v.Log[0]; e.Kind != "grant" || e.To != "a" || e.Voter != "b" || !e.Time.Equal(testStart) {
		t.Errorf("%+v", e)
	}
}

// API.md: "directed matrix": each ordered pair stands in it once, and what this
// node cannot know is not said to be up.
func TestLinksShown(t *testing.T) {
	want := map[string]string{
		"a>b": linkUp, "b>a": linkCut, "a>c": linkCut, "c>a": linkCut, "a>w": linkCut, "w>a": linkUnknown,
		"b>c": linkUnknown, "c>b": linkUnknown, "b>w": linkUnknown, "w>b": linkUnknown, "c>w": linkUnknown, "w>c": linkUnknown,
	}
	links := stateOf(t).Links()
	for _, l := range links {
		pair := l.From + ">" + l.To
		if state, ok := want[pair]; !ok || state != l.State {
			t.Errorf("%s is %s (%s), want %s", pair, l.State, l.Cause, state)
		}
		if l.State != linkUp && l.Cause == "" {
			t.Errorf("%s is %s without a cause", pair, l.State)
		}
		delete(want, pair)
	}
	if len(want) != 0 {
		t.Errorf("missing %v", want)
	}
}

// API.md: "503 behind with fresh_nodes": nodes that are known to have what the
// session names, and that answer.
func TestFresh(t *testing.T) {
	c := stateOf(t)
	for _, test := range []struct{ session, want string }{
		{"b~bbbbbbbb:7", "b"}, {"a~aaaaaaaa:4", "b"}, {"b~bbbbbbbb:8", ""},
	} {
		if got := strings.Join(c.Fresh(vclock.ContextOf(vector(t, test.session))), ","); got != test.want {
			t.Errorf("%s: fresh are %q, want %q", test.session, got, test.want)
		}
	}
}

// API.md: "node × actor: how many versions behind, age of the oldest missing,
// unknown_since". What a silent node has written since is not known either.
func TestDivergence(t *testing.T) {
	got := map[string]rest.Lag{}
	for _, g := range stateOf(t).Divergence() {
		got[g.Node+" "+string(g.Actor)] = g.Lag
	}
	silent := rest.Lag{UnknownSince: testBoot.Add(110 * time.Second)}
	want := map[string]rest.Lag{
		"a a~aaaaaaaa": {}, "a b~bbbbbbbb": {Versions: 2, Seconds: 3},
		"b a~aaaaaaaa": {}, "b b~bbbbbbbb": {},
		"c a~aaaaaaaa": silent, "c b~bbbbbbbb": silent,
		"a c~cccccccc": silent, "b c~cccccccc": silent, "c c~cccccccc": silent,
	}
	if len(got) != len(want) {
		t.Errorf("%v", got)
	}
	for key, lag := range want {
		if got[key] != lag {
			t.Errorf("%s: %+v, want %+v", key, got[key], lag)
		}
	}
}

// What is not known is no figure.
func TestStateMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	if err := registry.Register(newStateCollector(stateOf(t))); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	got := w.Body.String()
	for _, line := range []string{
		`syncline_lag_versions{node="a",peer="b"} 2`, `syncline_lag_versions{node="b",peer="a"} 0`,
		`syncline_lag_seconds{node="a",peer="b"} 3`, `syncline_peer_reachable{peer="b"} 1`, `syncline_peer_reachable{peer="c"} 0`,
		"syncline_writable 1", "syncline_votes_have 2", "syncline_votes_need 2", "syncline_votes_of 3", "syncline_disk_free_bytes 7", "syncline_disk_low 0",
	} {
		if !strings.Contains(got, line+"\n") {
			t.Errorf("no %s in\n%s", line, got)
		}
	}
	if strings.Contains(got, `node="c"`) || strings.Contains(got, `node="a",peer="c"`) {
		t.Errorf("a lag of c that nobody knows:\n%s", got)
	}
}

// PROTOCOL D7: a version counts as had by a node only when a closing frame has
// said so.
func TestLacking(t *testing.T) {
	c := stateOf(t)
	c.known = func(name string) (vclock.Vector, bool) {
		if name == "b" {
			return vector(t, "a~aaaaaaaa:9"), true
		}
		return vclock.Vector{}, false
	}
	for dot, want := range map[string]string{"a~aaaaaaaa:9": "c", "a~aaaaaaaa:10": "b,c"} {
		d, err := vclock.ParseDot(dot)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(c.Lacking(d), ","); got != want {
			t.Errorf("%s is lacked by %q, want %q", dot, got, want)
		}
	}
}

// "measured clock offset": of a node that answers, and of no other.
func TestMeasuredOffset(t *testing.T) {
	s := stateOf(t).votes()
	if off, ok := measuredOffset(s, "b"); !ok || off != -2*time.Millisecond {
		t.Errorf("b: %v, %v", off, ok)
	}
	for _, name := range []string{"c", "nobody"} {
		if off, ok := measuredOffset(s, name); ok {
			t.Errorf("%s: %v, which nobody measured", name, off)
		}
	}
}
