package rest

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/syncline/syncline/conflict/script"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/nodetest"
	"github.com/syncline/syncline/node/timeline"
	"github.com/syncline/syncline/vclock"
	"github.com/syncline/syncline/web"
)

// vote is a Guard that a test can turn.
type vote struct {
	mu      sync.Mutex
	refusal error
	lost    bool // the lease ends during each commit
	after   int  // with refusal: so many questions are answered yes before
}

func (v *vote) Begin() (node.Term, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.refusal != nil && v.after > 0 {
		v.after--
		return 0, nil
	}
	return 0, v.refusal
}

func (v *vote) Held(node.Term) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return !v.lost
}

// cut is what a node hears that has lost the majority.
func cut() error {
	return &node.Error{Op: "write", Kind: node.ReadOnly, Err: errors.New("no majority"), ReadOnly: &node.ReadOnlyState{
		Cause: node.NoMajority, Detail: "b lost a and the witness at 14:02:11Z and has 1 of 3 votes. Reads still work.",
		Have: 1, Need: 2, Of: 3, Since: time.Date(2026, 11, 21, 14, 2, 11, 0, time.UTC),
		WritableNodes: []string{"a"},
		Candidates:    []node.Candidate{{Name: "a", LastHeard: time.Date(2026, 11, 21, 14, 2, 10, 0, time.UTC)}},
	}}
}

func (v *vote) set(refusal error, after int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.refusal, v.after = refusal, after
}

// cluster answers what a test lays down.
type cluster struct {
	mu     sync.Mutex // of what a test alters while it is watched
	lag    Lag
	status Status
	links  []Link
	votes  Votes
	gaps   []Gap
	fresh  []string
	lacks  map[string][]string // by dot
	bug    bool
}

func (c *cluster) Lag() Lag                      { return c.lag }
func (c *cluster) Status() Status                { c.mu.Lock(); defer c.mu.Unlock(); return c.status }
func (c *cluster) Divergence() []Gap             { return c.gaps }
func (c *cluster) Fresh(vclock.Context) []string { return c.fresh }

func (c *cluster) Lacking(d vclock.Dot) []string { return c.lacks[d.String()] }

func (c *cluster) Votes() Votes {
	c.mu.Lock()
	defer c.mu.Unlock()
	v := c.votes
	v.Voters = slices.Clone(v.Voters)
	return v
}

func (c *cluster) set(change func(*cluster)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(c)
}

func (c *cluster) Links() []Link {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bug {
		panic("a bug of the test's")
	}
	return slices.Clone(c.links)
}

// stand is one node with its API.
type stand struct {
	t       testing.TB
	engine  *node.Engine
	store   *nodetest.MemStore
	vote    *vote
	cluster *cluster
	server  *Server

	compared *compared
	timeline *timeline.Timeline
	seen     func(method, path string, status int) // told of each answer; may be nil
	first    map[string]string                     // contexts of the first versions of those that were split
}

func testRoster() Roster {
	return Roster{Epoch: 1, Members: []Member{
		{Name: "a", Role: RoleData, API: "127.0.0.1:7401", Peer: "127.0.0.1:7411"},
		{Name: "b", Role: RoleData, API: "127.0.0.1:7402", Peer: "127.0.0.1:7412"},
		{Name: "w", Role: "witness", Peer: "127.0.0.1:7419"},
	}}
}

// newStand makes node b and runs its writer until the test ends. Change, when
// not nil, alters the configuration before the server is made.
func newStand(t testing.TB, change func(*Config)) *stand {
	t.Helper()
	s := &stand{t: t, store: nodetest.NewMemStore(nodetest.MemConfig{Full: true}), vote: &vote{}, cluster: &cluster{}, first: map[string]string{}, compared: &compared{}}
	s.cluster.status.Write = WriteStatus{State: StateWritable, Votes: VoteCount{Have: 3, Need: 2, Of: 3}}
	var err error
	s.engine, err = node.Open(t.Context(), node.Config{
		Cluster: "shop", Node: "b", Store: s.store, Guard: s.vote, Wall: time.Now, Events: s.heard,
		Random: func() (b [5]byte) { _, _ = rand.Read(b[:]); return b }, Key: []byte("a key of the cluster"), Full: true,
		Resolver: inline{script.NewInline()},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = s.engine.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended; _ = s.store.Close() })
	page, err := web.New()
	if err != nil {
		t.Fatal(err)
	}
	if s.timeline, err = timeline.Open(timeline.Config{Dir: t.TempDir()}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.timeline.Close() })
	cfg := Config{
		Engine: s.engine, Node: "b", ClusterID: "shop", Roster: testRoster(), Listen: []string{"127.0.0.1:7402"},
		Timing:  Timing{Beat: 150 * time.Millisecond, Lease: 1500 * time.Millisecond, Bound: 2100 * time.Millisecond},
		Cluster: s.cluster, Build: "test", UI: page, Docs: os.DirFS("../../docs"), Log: hclog.NewNullLogger(),
		Scripts: script.NewInline(), Timeline: s.timeline, Differences: s.compared,
	}
	if change != nil {
		change(&cfg)
	}
	if s.server, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	return s
}

// heard hands the engine's conflicts to the API, as the process does.
func (s *stand) heard(e node.Event) {
	if e.Kind == node.EventConflict {
		s.server.Conflict(e)
	}
}

// stuck is a body of which the rest does not come in time.
const stuck = "stuck"

type slowBody struct{}

func (slowBody) Read([]byte) (int, error) { return 0, os.ErrDeadlineExceeded }

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// send asks the handler. Headers are "Name: value".
func (s *stand) send(method, target, body string, headers ...string) answer {
	s.t.Helper()
	var in io.Reader
	switch body {
	case "":
	case stuck:
		in = io.NopCloser(slowBody{})
	default:
		in = strings.NewReader(body)
	}
	r := httptest.NewRequestWithContext(s.t.Context(), method, "http://127.0.0.1:7402"+target, in)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			r.Host = value
		}
		r.Header[http.CanonicalHeaderKey(name)] = append(r.Header[http.CanonicalHeaderKey(name)], value)
	}
	return s.do(r)
}

func (s *stand) do(r *http.Request) answer {
	s.t.Helper()
	rec := httptest.NewRecorder()
	s.server.ServeHTTP(rec, r)
	res := rec.Result()
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if s.seen != nil {
		s.seen(r.Method, r.URL.EscapedPath(), res.StatusCode)
	}
	a := answer{res.StatusCode, res.Header, body}
	s.conforms(r.Method, r.URL.EscapedPath(), a)
	return a
}

// must sends and wants a status.
func (s *stand) must(status int, method, target, body string, headers ...string) answer {
	s.t.Helper()
	a := s.send(method, target, body, headers...)
	if a.status != status {
		s.t.Fatalf("%s %s: status %d, want %d: %s", method, target, a.status, status, a.body)
	}
	return a
}

// object is a body as JSON.
func (a answer) object(t testing.TB) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(a.body, &m); err != nil {
		t.Fatalf("body %.200q: %v", a.body, err)
	}
	return m
}

// code is the code of a problem, and fails the test where the body is none.
func (a answer) code(t testing.TB) string {
	t.Helper()
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		t.Fatalf("Content-Type %q: want a problem: %.200q", got, a.body)
	}
	m := a.object(t)
	for _, name := range []string{"type", "title", "detail", "code", "node", "trace_id"} {
		if text, ok := m[name].(string); !ok || text == "" {
			t.Errorf("the problem has no %s: %s", name, a.body)
		}
	}
	code := m["code"].(string)
	if !strings.HasSuffix(m["type"].(string), "/problems/"+code) {
		t.Errorf("type %v does not end in the code %s", m["type"], code)
	}
	if m["status"] != float64(a.status) {
		t.Errorf("the problem says status %v, the answer has %d", m["status"], a.status)
	}
	return code
}

// state is all that a request may change.
func (s *stand) state() string {
	s.t.Helper()
	v, err := s.engine.Verify(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString(v.Frontier.String())
	for _, c := range v.Collections {
		b.WriteString("\n" + string(c.Name) + " " + c.Digest.String())
	}
	return b.String()
}

// split makes a document with two live versions, and notes the context of what
// both overwrite.
func (s *stand) split(id string) {
	s.t.Helper()
	target := "/v1/docs/accounts/" + url.PathEscape(id)
	first := s.must(201, "PUT", target, `{"balance":120}`)
	s.first[id] = first.header.Get("Causal-Context")
	old := "Causal-Context: " + s.first[id]
	s.must(200, "PUT", target, `{"balance":20}`, old)
	s.must(200, "PUT", target, `{"balance":70}`, old)
}

// pull copies all that another node has, as a peer's closed transfer would.
func (s *stand) pull(from *stand) {
	s.t.Helper()
	view, err := from.store.View(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	apply := node.Apply{Sender: from.engine.Actor(), Close: &node.Closing{Frontier: view.Frontier(), Standing: node.StandingGood}}
	for d := range view.Frontier().All() {
		rows, err := view.Rows(d.Actor, 0, 1000, 1<<20)
		if err != nil {
			s.t.Fatal(err)
		}
		apply.Versions = append(apply.Versions, rows...)
	}
	if _, err := s.engine.Apply(s.t.Context(), apply); err != nil {
		s.t.Fatal(err)
	}
}
