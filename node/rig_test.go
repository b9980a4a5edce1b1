package node_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/nodetest"
	"github.com/syncline/syncline/vclock"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The peers of node a.
const (
	actorB = vclock.Actor("b~bbbbbbbb")
	actorC = vclock.Actor("c~cccccccc")
)

// noon is where the wall clock of a rig begins.
var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// tester is a *testing.T or a *rapid.T.
type tester interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Context() context.Context
	Cleanup(func())
}

// rig is one engine over a MemStore, with everything that it is told under the
// test's control. No writer runs until start: then requests are committed one
// batch at a time by commit.
type rig struct {
	tester
	*node.Engine
	store *nodetest.MemStore
	guard *switchGuard
	cfg   node.Config
	wall  time.Time
	lives byte

	mu     sync.Mutex
	events []node.Event
}

// switchGuard is a vote that the test gives and takes.
type switchGuard struct {
	begin  error
	held   bool
	term   atomic.Uint64 // raised when the lease breaks
	begins atomic.Int64
	after  func() // runs when a commit is durable, before the lease is checked
}

func (g *switchGuard) Begin() (node.Term, error) {
	g.begins.Add(1)
	return node.Term(g.term.Load()), g.begin
}

func (g *switchGuard) Held(term node.Term) bool {
	if g.after != nil {
		g.after()
	}
	return g.held && term == node.Term(g.term.Load())
}

// newRig opens node a, alone in its cluster unless alter says otherwise.
func newRig(t tester, alter ...func(*node.Config)) *rig {
	t.Helper()
	r := &rig{tester: t, guard: &switchGuard{held: true}, wall: noon, store: nodetest.NewMemStore(nodetest.MemConfig{Full: true})}
	r.cfg = node.Config{
		Cluster: "shop", Node: "a", Guard: r.guard, Full: true, Key: []byte("a key of this cluster"),
		Wall:   func() time.Time { return r.wall },
		Random: func() [5]byte { r.lives++; return [5]byte{4: r.lives} },
		Events: func(e node.Event) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.events = append(r.events, e)
		},
	}
	for _, f := range alter {
		f(&r.cfg)
	}
	r.reopen(r.store)
	return r
}

// reopen is the next process, over what it finds.
func (r *rig) reopen(store *nodetest.MemStore) {
	r.Helper()
	r.store, r.cfg.Store = store, store
	e, err := node.Open(r.Context(), r.cfg)
	r.ok(err)
	r.Engine = e
}

// start runs the writer until the test ends, or until the returned function is
// called, which returns what the writer said.
func (r *rig) start() (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	e, done := r.Engine, make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	var said error
	stopped := false
	stop = func() error {
		if !stopped {
			cancel()
			said, stopped = <-done, true
		}
		return said
	}
	r.Cleanup(func() { _ = stop() }) // what it said is of interest to those who ask
	return stop
}

func (r *rig) ok(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// fails checks the kind of an error, and that it has words.
func (r *rig) fails(err error, want node.Kind) {
	r.Helper()
	_ = r.failure(err, want) // looked at, and of no further interest
}

// failure is fails, and returns the error.
func (r *rig) failure(err error, want node.Kind) *node.Error {
	r.Helper()
	e, ok := errors.AsType[*node.Error](err)
	if !ok || e.Kind != want || e.Error() == "" {
		r.Fatalf("error %v of kind %s, want %s", err, node.KindOf(err), want)
	}
	return e
}

func key(id string) conflict.Key {
	return conflict.Key{Collection: "accounts", ID: conflict.DocID(id)}
}

func put(id, body string) node.Write {
	return node.Write{Kind: node.Put, Key: key(id), Body: []byte(body)}
}

func del(id string) node.Write { return node.Write{Kind: node.Delete, Key: key(id)} }

// commit carries out requests in one batch.
func (r *rig) commit(requests ...*node.Request) {
	r.Helper()
	r.ok(r.Commit(r.Context(), requests))
}

// try carries out one write in a batch of its own.
func (r *rig) try(w node.Write) (node.Written, error) {
	r.Helper()
	q := node.NewWrites([]node.Write{w}, false)
	r.commit(q)
	return q.Outcomes()[0].Written, q.Outcomes()[0].Err
}

// write is a try that must succeed.
func (r *rig) write(w node.Write) node.Written {
	r.Helper()
	out, err := r.try(w)
	r.ok(err)
	return out
}

// take applies what a peer sent in a batch of its own.
func (r *rig) take(a node.Apply) (node.Applied, error) {
	r.Helper()
	q := node.NewApply(a)
	r.commit(q)
	return q.Applied()
}

// takeRows applies rows that come without a closing frame: they stay loose.
func (r *rig) takeRows(rows ...*conflict.Version) {
	r.Helper()
	_, err := r.take(node.Apply{Sender: actorB, Versions: rows})
	r.ok(err)
}

// takeClosed applies rows and the closing frame of a good sender.
func (r *rig) takeClosed(frontier string, rows ...*conflict.Version) {
	r.Helper()
	_, err := r.take(node.Apply{Sender: actorB, Versions: rows, Close: &node.Closing{Frontier: vector(frontier), Standing: node.StandingGood}})
	r.ok(err)
}

func (r *rig) get(id string) node.Document {
	r.Helper()
	d, err := r.Get(r.Context(), key(id))
	r.ok(err)
	return d
}

// shows checks the value that is shown, "" for none, and the number of live versions.
func (r *rig) shows(id, body string, live int) node.Document {
	r.Helper()
	d := r.get(id)
	if len(d.Live) != live || d.Exists() != (body != "") || d.Exists() && string(d.Shown.Body) != body {
		r.Fatalf("%s shows %s (exists: %v) of %d live versions, want %s of %d", id, d.Shown.Body, d.Exists(), len(d.Live), body, live)
	}
	return d
}

// context is the client's token for what is shown of alice now.
func (r *rig) context() *node.Token {
	r.Helper()
	d := r.get("alice")
	t, err := r.ParseContext(d.Key, r.ContextToken(&d))
	r.ok(err)
	return t
}

func (r *rig) at(want string) {
	r.Helper()
	if got := r.Frontier().String(); got != want {
		r.Fatalf("the frontier is %s, want %s", got, want)
	}
}

// count says how many events of a kind there were.
func (r *rig) count(kind node.EventKind) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(slices.DeleteFunc(slices.Clone(r.events), func(e node.Event) bool { return e.Kind != kind }))
}

func dot(a vclock.Actor, seq uint64) vclock.Dot { return vclock.Dot{Actor: a, Seq: seq} }

func vector(text string) vclock.Vector {
	v, err := vclock.ParseVector(text)
	if err != nil {
		panic(err) // a test's own literal
	}
	return v
}

func contextOf(text string) vclock.Context {
	c, err := vclock.ParseContext(text)
	if err != nil {
		panic(err) // a test's own literal
	}
	return c
}

// row makes a peer's version of a document, written at noon.
func row(id string, d vclock.Dot, clock string, alter ...func(*conflict.Version)) *conflict.Version {
	v := &conflict.Version{
		Key: key(id), Dot: d, Time: vclock.At(noon) + vclock.Time(d.Seq), Clock: contextOf(clock), Body: fmt.Appendf(nil, `{"by":%q}`, d),
	}
	for _, f := range alter {
		f(v)
	}
	v.Sum = v.ComputeSum()
	return v
}

// at moves a version's time to so long after noon.
func at(after time.Duration) func(*conflict.Version) {
	return func(v *conflict.Version) { v.Time = vclock.At(noon.Add(after)) }
}

func grave(v *conflict.Version) { v.Deleted, v.Body = true, nil }

func body(n int) string { return `{"n":"` + strings.Repeat("x", n-8) + `"}` }

// canceled is a context that has ended.
func canceled() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx, cancel
}
