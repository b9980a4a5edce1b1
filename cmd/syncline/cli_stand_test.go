package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/syncline/syncline/conflict/script"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/link"
	"github.com/syncline/syncline/node/nodetest"
	"github.com/syncline/syncline/node/rest"
	"github.com/syncline/syncline/scripts/ports"
	"github.com/syncline/syncline/vclock"
)

// cliStand is a cluster for the commands: nodes with the true API over memory,
// whose votes, links and faults a test lays down. They do not replicate.
type cliStand struct {
	t     *testing.T
	nodes map[string]*cliNode
	first string // base URL of the first node
}

// cliNode is one of them. It is its own vote, cluster and chaos.
type cliNode struct {
	name, url string
	server    *httptest.Server
	engine    *node.Engine

	mu      sync.Mutex
	refusal error // of all writes
	status  rest.Status
	links   []rest.Link
	votes   rest.Votes
	lag     rest.Lag
	faults  []link.Fault

	// around, where it is set, answers instead of the node, which it may ask.
	around atomic.Pointer[func(node http.Handler, w http.ResponseWriter, r *http.Request)]
}

func (n *cliNode) Begin() (node.Term, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return 0, n.refusal
}

func (n *cliNode) Held(node.Term) bool { return true }

func (n *cliNode) Lag() rest.Lag       { n.mu.Lock(); defer n.mu.Unlock(); return n.lag }
func (n *cliNode) Status() rest.Status { n.mu.Lock(); defer n.mu.Unlock(); return n.status }

func (n *cliNode) Links() []rest.Link { n.mu.Lock(); defer n.mu.Unlock(); return n.links }

func (n *cliNode) Votes() rest.Votes             { n.mu.Lock(); defer n.mu.Unlock(); return n.votes }
func (n *cliNode) Divergence() []rest.Gap        { return nil }
func (n *cliNode) Fresh(vclock.Context) []string { return nil }
func (n *cliNode) Lacking(vclock.Dot) []string   { return nil }

func (n *cliNode) Add(f link.Fault) (link.Fault, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f.ID = "f" + string(rune('1'+len(n.faults)))
	f.Started = time.Now()
	f.Expires = f.Started.Add(time.Duration(f.Duration))
	n.faults = append(n.faults, f)
	return f, nil
}

func (n *cliNode) Remove(id string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for i, f := range n.faults {
		if f.ID == id {
			n.faults = append(n.faults[:i:i], n.faults[i+1:]...)
			return nil
		}
	}
	return &node.Error{Op: "chaos", Kind: node.NotFound, Key: id}
}

func (n *cliNode) Heal(which link.Which) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	before := len(n.faults)
	n.faults = slices.DeleteFunc(slices.Clone(n.faults), func(f link.Fault) bool { return which.Has(&f) })
	return before - len(n.faults)
}

func (n *cliNode) List() []link.Fault { n.mu.Lock(); defer n.mu.Unlock(); return n.faults }

// turn makes the node read-only, or writable again, as a vote does.
func (n *cliNode) turn(writable bool, others ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.status.Write = rest.WriteStatus{
		State: rest.StateWritable, Since: time.Now().Add(-90 * time.Second), Votes: rest.VoteCount{Have: 3, Need: 2, Of: 3},
		ExpiresIn: time.Second, WritableNodes: []string{n.name},
	}
	n.refusal = nil
	if writable {
		return
	}
	n.status.Write.State, n.status.Write.Cause, n.status.Write.Votes.Have = rest.StateReadOnly, node.NoMajority, 1
	n.status.Write.WritableNodes = others
	n.refusal = &node.Error{Op: "write", Kind: node.ReadOnly, Err: errors.New("no majority"), ReadOnly: &node.ReadOnlyState{
		Cause: node.NoMajority, Detail: n.name + " has 1 of 3 votes. Reads still work.", Have: 1, Need: 2, Of: 3, WritableNodes: others,
	}}
}

// wrap makes a function answer the node's requests; nil: the node again.
func (n *cliNode) wrap(around func(node http.Handler, w http.ResponseWriter, r *http.Request)) {
	if around == nil {
		n.around.Store(nil)
		return
	}
	n.around.Store(&around)
}

// newCLIStand starts nodes with these names, all writable, and a witness
// without an API.
func newCLIStand(t *testing.T, chaos bool, names ...string) *cliStand {
	t.Helper()
	s := &cliStand{t: t, nodes: map[string]*cliNode{}}
	roster := rest.Roster{Epoch: 1}
	at := ports.For(t, len(names)) // nobody else's when a test closes a server
	for i, name := range names {
		n := &cliNode{name: name, url: "http://" + at[i]}
		n.server = &httptest.Server{Listener: listen(t, at[i]), Config: &http.Server{ReadHeaderTimeout: testPatience}}
		n.turn(true)
		s.nodes[name] = n
		roster.Members = append(roster.Members, rest.Member{Name: name, Role: rest.RoleData, API: n.server.Listener.Addr().String()})
	}
	s.first = s.nodes[names[0]].url
	roster.Members = append(roster.Members, rest.Member{Name: "w", Role: roleWitness})
	for _, name := range names {
		s.serve(s.nodes[name], roster, chaos)
	}
	return s
}

// serve runs one node until the test ends.
func (s *cliStand) serve(n *cliNode, roster rest.Roster, chaos bool) {
	s.t.Helper()
	store := nodetest.NewMemStore(nodetest.MemConfig{Full: true})
	workers := script.NewInline()
	resolver, err := newScripts(workers)
	if err != nil {
		s.t.Fatal(err)
	}
	n.engine, err = node.Open(s.t.Context(), node.Config{
		Cluster: "shop", Node: n.name, Store: store, Guard: n, Wall: time.Now,
		Random: func() (b [5]byte) { _, _ = rand.Read(b[:]); return b }, Key: []byte("a key of the cluster"), Full: true,
		Resolver: resolver,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = n.engine.Run(ctx) }()
	cfg := rest.Config{
		Engine: n.engine, Node: n.name, ClusterID: "shop", Roster: roster, Cluster: n, Build: "test",
		Listen: []string{n.server.Listener.Addr().String()}, Scripts: workers,
		Timing: rest.Timing{Beat: 150 * time.Millisecond, Lease: 1500 * time.Millisecond, Bound: 2100 * time.Millisecond},
	}
	if cfg.Examples, err = resolverExamples(); err != nil {
		s.t.Fatal(err)
	}
	if chaos {
		cfg.Chaos = n
	}
	api, err := rest.New(cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	n.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if around := n.around.Load(); around != nil {
			(*around)(api, w, r)
			return
		}
		api.ServeHTTP(w, r)
	})
	n.server.Start()
	s.t.Cleanup(func() { n.server.Close(); cancel(); <-ended; _ = store.Close() })
}

// result is what a command left.
type result struct {
	code     int
	out, err string
}

// run runs a command line, with the first node as its default.
func (s *cliStand) run(args ...string) result {
	s.t.Helper()
	return s.feed("", args...)
}

// feed runs a command line with something on standard input.
func (s *cliStand) feed(in string, args ...string) result {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 30*time.Second)
	defer cancel()
	return runCLI(ctx, in, map[string]string{envNode: s.first}, args...)
}

func runCLI(ctx context.Context, in string, env map[string]string, args ...string) result {
	var out, notes bytes.Buffer
	code := run(ctx, args, &app{
		stdin: strings.NewReader(in), stdout: &out, stderr: &notes,
		getenv: func(name string) string { return env[name] }, environ: func() []string { return nil },
	})
	return result{code, out.String(), notes.String()}
}

// want checks a result: its exit code, and texts that stand in what it said.
func (r result) want(t *testing.T, code int, texts ...string) result {
	t.Helper()
	if r.code != code {
		t.Errorf("exit code %d, want %d\n%s%s", r.code, code, r.out, r.err)
	}
	for _, text := range texts {
		if !strings.Contains(r.out+r.err, text) {
			t.Errorf("it does not say %q:\n%s%s", text, r.out, r.err)
		}
	}
	return r
}

// without checks that texts do not stand in what was said.
func (r result) without(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(r.out+r.err, text) {
			t.Errorf("it says %q:\n%s%s", text, r.out, r.err)
		}
	}
}
