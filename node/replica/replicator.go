package replica

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/wire"
	"github.com/syncline/syncline/vclock"
)

// Paths of the peer port.
const (
	PathHello   = "/peer/v1/hello"
	PathChanges = "/peer/v1/changes"
)

// Caller opens connections to peers: node/peer, over node/link.
type Caller interface {
	// Stream sends a request and returns its endless answer.
	Stream(ctx context.Context, peer, path string, body []byte) (io.ReadCloser, error)
	// Call sends a request and returns its answer of at most maxReply bytes.
	Call(ctx context.Context, peer, path string, body []byte, maxReply int) ([]byte, error)
}

// Config says what a Replicator is made of.
type Config struct {
	Cluster string
	Self    string
	Others  []string // the other data nodes of the roster
	Engine  *node.Engine
	Store   node.Store
	Caller  Caller
	Hello   func() wire.Hello    // how this process presents itself
	Now     func() time.Duration // boot time
	Events  func(Event)          // told what happens; must return soon
}

// Event is told to whoever logs.
type Event struct {
	Peer string
	Text string
	Err  error
	// Alarm marks what an operator has to look at, such as a damaged row.
	Alarm bool
}

// Replicator keeps this node equal to the others: it pulls from each of them,
// and serves their pulls.
type Replicator struct {
	cfg   Config
	table *Table

	mu    sync.Mutex
	peers map[string]*peerState
}

// peerState is what is known of one other data node.
type peerState struct {
	wake     chan struct{} // tells the pull loop not to wait any longer
	since    time.Duration // of reachable
	heard    bool          // a frame ever came
	up       bool          // a stream is open and speaks
	ours     Lag           // what this node lacks of the peer's
	theirs   Lag           // what the peer lacks of this node's
	actor    vclock.Actor  // the peer's, as of the newest frame
	frontier vclock.Vector // likewise
}

// New makes a Replicator.
func New(cfg Config) *Replicator {
	r := &Replicator{cfg: cfg, table: NewTable(cfg.Self), peers: map[string]*peerState{}}
	for _, name := range cfg.Others {
		r.peers[name] = &peerState{wake: make(chan struct{}, 1), since: cfg.Now()}
	}
	return r
}

// Table is what this node knows of the others' frontiers.
func (r *Replicator) Table() *Table { return r.table }

// Known is what each other data node has, as far as this node knows (PROTOCOL D7).
func (r *Replicator) Known() []vclock.Vector { return r.table.Others(r.cfg.Others) }

// Stable is the vector of dots that every data node has (PROTOCOL D7).
func (r *Replicator) Stable() vclock.Vector {
	return r.table.Stable(r.cfg.Engine.Frontier(), r.cfg.Others)
}

// Wake ends the wait of a pull loop: somebody heard that the peer is there.
func (r *Replicator) Wake(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p, ok := r.peers[name]; ok {
		select {
		case p.wake <- struct{}{}:
		default:
		}
	}
}

// Run pulls from every other data node until the context ends.
func (r *Replicator) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, name := range r.cfg.Others {
		g.Go(func() error { return r.pullLoop(ctx, name) })
	}
	g.Go(func() error { return r.watchFrontier(ctx) })
	return g.Wait()
}

// watchFrontier notes this node's own progress, from which the age of what the
// others lack is told.
func (r *Replicator) watchFrontier(ctx context.Context) error {
	for {
		bell := r.cfg.Engine.Feed().Bell()
		frontier, now := r.cfg.Engine.Frontier(), r.cfg.Now()
		r.mu.Lock()
		for _, p := range r.peers {
			p.theirs.Ahead(now, frontier)
		}
		r.mu.Unlock()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-bell:
		}
	}
}

func (r *Replicator) event(e Event) {
	if r.cfg.Events != nil {
		r.cfg.Events(e)
	}
}

// spoke notes a frame from a peer.
func (r *Replicator) spoke(name string, f *wire.Frame) {
	now := r.cfg.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.peers[name]
	if !p.up {
		p.up, p.since = true, now
	}
	p.heard = true
	if f.Begin != nil {
		if actor := vclock.Actor(f.Begin.Actor); actor != p.actor {
			p.actor, p.ours = actor, Lag{} // what its former life announced may be lost
		}
		p.frontier = f.Begin.Frontier
		p.ours.Ahead(now, f.Begin.Frontier)
	}
}

// silent notes that a peer's stream has ended.
func (r *Replicator) silent(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p := r.peers[name]; p.up {
		p.up, p.since = false, r.cfg.Now()
	}
}

// Lack is how far one node is behind another. Without Known the numbers mean
// nothing: nobody knows since Since.
type Lack struct {
	Known    bool
	Versions uint64
	Age      time.Duration // of the oldest version that is missing
}

// PeerStatus is what this node knows of one other data node's data.
type PeerStatus struct {
	Name      string
	Reachable bool          // a stream from it is open and speaks
	Since     time.Duration // boot time since when that is so
	NodeLacks Lack          // what this node lacks of the peer's
	PeerLacks Lack          // what the peer lacks of this node's
	Frontier  vclock.Vector // the peer's, as far as known
}

// Status returns the state of all peers, in the order of the roster.
func (r *Replicator) Status() []PeerStatus {
	now, own := r.cfg.Now(), r.cfg.Engine.Frontier()
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]PeerStatus, 0, len(r.cfg.Others))
	for _, name := range r.cfg.Others {
		p := r.peers[name]
		s := PeerStatus{Name: name, Reachable: p.up, Since: p.since, Frontier: p.frontier}
		if p.up {
			s.NodeLacks.Known = true
			s.NodeLacks.Versions, s.NodeLacks.Age = p.ours.Behind(now, own)
		}
		if theirs, ok := r.table.Frontier(name); ok && p.up {
			s.PeerLacks.Known = true
			s.PeerLacks.Versions, s.PeerLacks.Age = p.theirs.Behind(now, theirs)
		}
		out = append(out, s)
	}
	return out
}

// hello asks a peer who it is, and holds the answer against the roster.
func (r *Replicator) hello(ctx context.Context, name string) (*wire.Hello, error) {
	mine := r.cfg.Hello()
	body, err := wire.Encode(&mine)
	if err != nil {
		return nil, err
	}
	reply, err := r.cfg.Caller.Call(ctx, name, PathHello, body, wire.MaxBallotBytes)
	if err != nil {
		return nil, err
	}
	h := new(wire.Hello)
	if err := wire.DecodeMessage(reply, h); err != nil {
		return nil, err
	}
	if h.Cluster != r.cfg.Cluster || h.Name != name {
		return nil, fmt.Errorf("the process at %s's address is %q of cluster %q", name, h.Name, h.Cluster)
	}
	return h, nil
}
