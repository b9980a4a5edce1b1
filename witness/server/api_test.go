package server

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/witness"
)

// API: "`GET /v1/cluster` … `/cluster/votes`: votes held, leases, log of grants,
// refusals, expiries with reasons"; "A field that is not known is null".
func TestItShowsTheVote(t *testing.T) {
	h := newHall(t, nil)
	var c struct {
		Cluster, Node, Role, Build string
		Roster                     struct {
			Epoch   int
			Members []struct{ Name, Role, API, Peer string }
		}
		Vote struct {
			State     string
			OpensInMS int64 `json:"opens_in_ms"`
			Holders   []struct {
				Name        string
				ExpiresInMS int64 `json:"expires_in_ms"`
			}
		}
		WritableNodes []string `json:"writable_nodes"`
		Peers         []struct {
			Name        string
			Reachable   bool
			Since       time.Time
			LastHeard   *time.Time `json:"last_heard"`
			RoundTripMS *float64   `json:"round_trip_ms"`
		}
	}
	h.get("/v1/cluster", &c)
	if c.Cluster != "shop" || c.Node != "w" || c.Role != "witness" || c.Build != "test" || len(c.Roster.Members) != 3 ||
		c.Vote.State != "waiting" || c.Vote.OpensInMS != 1650 || len(c.Vote.Holders) != 0 || c.WritableNodes == nil ||
		len(c.Peers) != 2 || c.Peers[0].Reachable || c.Peers[0].LastHeard != nil || !c.Peers[0].Since.Equal(h.wall) {
		t.Errorf("at the start: %+v", c)
	}
	h.open()
	since := h.wall
	h.send(h.ballot("a", "b"))
	h.pass(50 * time.Millisecond)
	h.get("/v1/cluster", &c)
	if c.Vote.State != "granting" || len(c.Vote.Holders) != 1 || c.Vote.Holders[0].Name != "a" || c.Vote.Holders[0].ExpiresInMS != 1600 ||
		!slices.Equal(c.WritableNodes, []string{"http://127.0.0.1:7401"}) ||
		!c.Peers[0].Reachable || !c.Peers[0].Since.Equal(since) || !c.Peers[0].LastHeard.Equal(since) || c.Peers[1].Reachable {
		t.Errorf("with a: %+v", c)
	}
	h.pass(time.Second)
	h.get("/v1/cluster", &c)
	if c.Peers[0].Reachable || !c.Peers[0].Since.Equal(since.Add(h.s.cfg.Timing.Fresh)) {
		t.Errorf("a is silent: %+v", c.Peers[0])
	}
	h.checkVotes()
}

func (h *hall) checkVotes() {
	h.t.Helper()
	h.send(h.ballot("b")) // stale
	h.send(h.ballot("b")) // other
	var v struct {
		Node, State string
		Voters      []struct {
			Name, Role, Reason string
			Granted, Live      bool
			ExpiresInMS        int64 `json:"expires_in_ms"`
			Lists, Component   []string
		}
		Log []struct {
			Time, Last              time.Time
			Count                   int
			Kind, Voter, To, Reason string
		}
		Alerts []string
	}
	h.get("/v1/cluster/votes", &v)
	if v.Node != "w" || v.State != "granting" || len(v.Voters) != 2 || v.Alerts == nil || len(v.Alerts) > 0 {
		h.t.Fatalf("%+v", v)
	}
	a, b := v.Voters[0], v.Voters[1]
	if a.Name != "a" || a.Role != "data" || !a.Granted || a.ExpiresInMS != 600 || a.Reason != "" || a.Live || !slices.Equal(a.Lists, []string{"b"}) {
		h.t.Errorf("a: %+v", a)
	}
	if b.Granted || b.ExpiresInMS != 0 || b.Reason != "other" || !b.Live || b.Lists == nil || !slices.Equal(b.Component, []string{"b"}) {
		h.t.Errorf("b: %+v", b)
	}
	last := v.Log[len(v.Log)-1]
	if last.Kind != "refusal" || last.Voter != "w" || last.To != "b" || last.Reason != "other" || last.Count != 1 || !last.Last.Equal(h.wall) {
		h.t.Errorf("log: %+v", v.Log)
	}
	foreign := h.ballot("b")
	foreign.Epoch = 2
	h.send(foreign)
	if h.get("/v1/cluster/votes", &v); len(v.Alerts) != 1 || !strings.Contains(v.Alerts[0], "ballots of b are refused") {
		h.t.Errorf("alerts: %q", v.Alerts)
	}
}

// DESIGN section 6: "with an odd number it is a spare, and shown as one".
func TestSpareIsShownAsOne(t *testing.T) {
	h := newHall(t, func(c *Config) { c.Roster.Data = append(c.Roster.Data, witness.Voter{Name: "c"}) })
	var c struct{ Vote struct{ State string } }
	if h.get("/v1/cluster", &c); c.Vote.State != "spare" {
		t.Errorf("%+v", c)
	}
}

type anyProblem struct {
	Type, Title, Detail, Code, Node string
	Status                          int
	TraceID                         string   `json:"trace_id"`
	WritableNodes                   []string `json:"writable_nodes"`
	Candidates                      []struct {
		Name, API string
		LastHeard *time.Time `json:"last_heard"`
	}
	Limit int64
}

// API: "421: a witness was asked for documents; lists the data nodes"; "the
// witness's API: …; everything else there is 421"; and the errors' shape.
func TestEverythingElseIsMisdirected(t *testing.T) {
	h := newHall(t, nil)
	h.open()
	h.send(h.ballot("a", "b"))
	for _, c := range []struct{ method, path string }{
		{"GET", "/"},
		{"GET", "/v1/docs/accounts/alice"},
		{"PUT", "/v1/docs/accounts/alice"},
		{"POST", "/v1/bulk/x"},
		{"GET", "/v1/changes"},
		{"DELETE", "/v1/docs/a/b"},
		{"GET", "/v1/cluster/"},
		{"GET", "/v1//cluster"},
		{"GET", "/v1/cluster/links"},
		{"GET", "/v1/chaos/faults/a/b"},
		{"GET", "/readyz?write"},
		{"GET", "/openapi.json"},
		{"GET", "/v1/docs/%2e%2e/x"},
	} {
		var p anyProblem
		resp := h.do(c.method, c.path, "", &p)
		if resp.Code != http.StatusMisdirectedRequest || resp.Header().Get("Content-Type") != "application/problem+json" ||
			p.Code != "misdirected" || p.Status != 421 || p.Node != "w" || len(p.TraceID) != 16 || !strings.HasSuffix(p.Type, "/misdirected") ||
			!slices.Equal(p.WritableNodes, []string{"http://127.0.0.1:7401"}) || len(p.Candidates) != 2 ||
			p.Candidates[1].Name != "b" || p.Candidates[1].API != "http://127.0.0.1:7402" || p.Candidates[1].LastHeard != nil {
			t.Errorf("%s %s: %d %+v", c.method, c.path, resp.Code, p)
		}
	}
}

// API, Errors: statuses of what is there.
func TestStatuses(t *testing.T) {
	chaos := &fakeChaos{}
	h := newHall(t, func(c *Config) { c.Chaos = chaos })
	plain := newHall(t, nil)
	long := `{"from":"` + strings.Repeat("x", MaxBody) + `"}`
	for _, c := range []struct {
		hall               *hall
		method, path, body string
		status             int
		code               string
	}{
		{h, "GET", "/livez", "", 200, ""},
		{h, "GET", "/readyz", "", 200, ""},
		{h, "GET", "/version", "", 200, ""},
		{h, "HEAD", "/v1/events", "", 200, ""},
		{h, "GET", "/v1/events?feed=page", "", 400, "bad_request"},
		{h, "POST", "/v1/cluster", "", 405, "method_not_allowed"},
		{h, "PATCH", "/v1/chaos/faults", "", 405, "method_not_allowed"},
		{plain, "GET", "/v1/chaos/faults", "", 404, "unknown_route"},
		{plain, "POST", "/v1/chaos/faults", "{}", 404, "unknown_route"},
		{plain, "DELETE", "/v1/chaos/faults", "", 404, "unknown_route"},
		{plain, "GET", "/v1/chaos/faults/f1", "", 404, "unknown_route"},
		{plain, "DELETE", "/v1/chaos/faults/f1", "", 404, "unknown_route"},
		{h, "GET", "/v1/chaos/faults", "", 200, ""},
		{h, "POST", "/v1/chaos/faults", `{"from":"w","to":"a","kind":"cut","both":true,"duration":"30s"}`, 201, ""},
		{h, "POST", "/v1/chaos/faults", `{"from":"w","to":"a","kind":"cut"}`, 422, "invalid"},
		{h, "POST", "/v1/chaos/faults", `{"from":"w","from":"a"}`, 400, "bad_json"},
		{h, "POST", "/v1/chaos/faults", `{"form":"w"}`, 422, "invalid"},
		{h, "POST", "/v1/chaos/faults", `[]`, 422, "invalid"},
		{h, "POST", "/v1/chaos/faults", `{`, 400, "bad_json"},
		{h, "POST", "/v1/chaos/faults", long, 413, "too_large"},
		{h, "GET", "/v1/chaos/faults/f1", "", 200, ""},
		{h, "GET", "/v1/chaos/faults/f9", "", 404, "not_found"},
		{h, "DELETE", "/v1/chaos/faults/f1", "", 200, ""},
		{h, "DELETE", "/v1/chaos/faults/f1", "", 404, "not_found"},
		{h, "DELETE", "/v1/chaos/faults?from=w&to=a&both=true", "", 200, ""},
		{h, "DELETE", "/v1/chaos/faults?to=a", "", 400, "bad_request"},
		{h, "DELETE", "/v1/chaos/faults?from=%zz", "", 400, "bad_request"},
		{h, "DELETE", "/v1/chaos/faults", "", 200, ""},
	} {
		var p anyProblem
		into := any(&p)
		if c.code == "" {
			into = nil
		}
		resp := c.hall.do(c.method, c.path, c.body, into)
		if resp.Code != c.status || p.Code != c.code || c.code != "" && p.Status != c.status {
			t.Errorf("%s %s %.40s: %d %+v", c.method, c.path, c.body, resp.Code, p)
		}
		if c.status == 413 && p.Limit != MaxBody {
			t.Errorf("413 without its limit: %+v", p)
		}
		if c.status == 405 && !strings.Contains(resp.Header().Get("Allow"), "GET, HEAD") {
			t.Errorf("405 allows %q", resp.Header().Get("Allow"))
		}
		if c.status == 201 && resp.Header().Get("Location") != "/v1/chaos/faults/f1" {
			t.Errorf("201 at %q", resp.Header().Get("Location"))
		}
	}
	if resp := h.do("HEAD", "/v1/cluster", "", nil); resp.Code != 200 || resp.Header().Get("Content-Length") == "" {
		t.Errorf("HEAD: %d", resp.Code)
	}
}

// API, Errors: "500 `bug`, with the trace id; never a stack".
func TestFaultsOfOurOwn(t *testing.T) {
	h := newHall(t, nil)
	h.s.routes["/livez"] = route{"GET": func(http.ResponseWriter, *http.Request) error { panic("inner workings") }}
	var p anyProblem
	resp := h.get("/livez", &p)
	if resp.Code != 500 || p.Code != string(node.Bug) || strings.Contains(p.Detail, "inner") || !strings.Contains(p.Detail, p.TraceID) {
		t.Errorf("%d %+v", resp.Code, p)
	}
}

// FAILURES section 3: "DNS rebinding, cross-site writes"; API: "Host allow-list
// and http.CrossOriginProtection"; CORS for the roster's API origins.
func TestHostsAndOrigins(t *testing.T) {
	h := newHall(t, func(c *Config) { c.Chaos, c.Listen = &fakeChaos{}, []string{"10.0.0.9:7409"} })
	for _, c := range []struct {
		method, host string
		header       [2]string
		status       int
		cors         string
	}{
		{"GET", "localhost:7409", [2]string{}, 200, ""},
		{"GET", "127.0.0.1", [2]string{}, 200, ""},
		{"GET", "[::1]:7409", [2]string{}, 200, ""},
		{"GET", "10.0.0.9:80", [2]string{}, 200, ""},
		{"GET", "LOCALHOST.", [2]string{}, 200, ""},
		{"GET", "evil.example", [2]string{}, 403, ""},
		{"GET", "10.0.0.10", [2]string{}, 403, ""},
		{"GET", "localhost", [2]string{"Origin", "http://localhost:7401"}, 200, "http://localhost:7401"},
		{"GET", "localhost", [2]string{"Origin", "http://evil.example"}, 200, ""},
		{"DELETE", "localhost", [2]string{"Origin", "http://127.0.0.1:7402"}, 200, "http://127.0.0.1:7402"},
		{"DELETE", "localhost", [2]string{"Origin", "http://evil.example"}, 403, ""},
		{"DELETE", "localhost", [2]string{"Sec-Fetch-Site", "cross-site"}, 403, ""},
		{"DELETE", "localhost", [2]string{}, 200, ""},
	} {
		path := "/v1/chaos/faults"
		r := httptest.NewRequestWithContext(t.Context(), c.method, "http://"+c.host+path, nil)
		if c.header[0] != "" {
			r.Header.Set(c.header[0], c.header[1])
		}
		rec := httptest.NewRecorder()
		h.s.ServeHTTP(rec, r)
		if rec.Code != c.status || rec.Header().Get("Access-Control-Allow-Origin") != c.cors {
			t.Errorf("%+v: %d, allows %q", c, rec.Code, rec.Header().Get("Access-Control-Allow-Origin"))
		}
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodOptions, "http://localhost/v1/cluster", nil)
	r.Header.Set("Origin", "http://localhost:7401")
	r.Header.Set("Access-Control-Request-Method", "GET")
	rec := httptest.NewRecorder()
	if h.s.ServeHTTP(rec, r); rec.Code != http.StatusNoContent || !strings.Contains(rec.Header().Get("Access-Control-Allow-Methods"), "GET") {
		t.Errorf("preflight: %d %v", rec.Code, rec.Header())
	}
	any := newHall(t, func(c *Config) { c.Listen = []string{"0.0.0.0:7409"} })
	for host, status := range map[string]int{"10.1.2.3:7409": 200, "evil.example": 403} {
		rec := httptest.NewRecorder()
		any.s.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+host+"/livez", nil))
		if rec.Code != status {
			t.Errorf("bound to all addresses, %s: %d", host, rec.Code)
		}
	}
}

func TestMetrics(t *testing.T) {
	h := newHall(t, nil)
	h.open()
	h.send(h.ballot("a", "b"))
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost/metrics", nil)
	rec := httptest.NewRecorder()
	h.s.ServeHTTP(rec, r)
	for _, want := range []string{
		`syncline_witness_ballots_total{reason="",verdict="granted"} 1`,
		`syncline_witness_ballots_total{reason="stale",verdict="refused"} 2`,
		`syncline_witness_holds{node="a"} 1`, `syncline_witness_holds{node="b"} 0`,
	} {
		if !strings.Contains(rec.Body.String(), want) {
			t.Errorf("metrics lack %s:\n%s", want, rec.Body)
		}
	}
}

// Serve ends with its context, and answers until then.
func TestServe(t *testing.T) {
	h := newHall(t, nil)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- h.s.Serve(ctx, listener) }()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+listener.Addr().String()+"/livez", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(resp.Body).ReadString('}'); err != nil || line != `{"status":"ok","node":"w"}` {
		t.Errorf("%v %q", err, line)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Error(err)
	}
	_ = resp.Body.Close()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	closed := h.s.Serve(t.Context(), listener)
	if closed == nil || !strings.Contains(closed.Error(), "witness: serve 127.0.0.1") {
		t.Errorf("a closed listener: %v", closed)
	}
}
