package node

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/planted"
	"github.com/syncline/syncline/vclock"
)

// Limits of the writer.
const (
	// MaxQueue is the most requests that wait for the writer.
	MaxQueue = 4096
	// MaxBatchWrites is the most versions of one transaction, but for one
	// request that brings more.
	MaxBatchWrites = 1024
	// MaxBatchBytes is the most bytes of bodies of one transaction, but for one
	// request that brings more.
	MaxBatchBytes = 8 << 20
	// DefaultDrift is how far ahead of this node's wall clock the time of a
	// peer's version may be and still pull the local clock along.
	DefaultDrift = 500 * time.Millisecond
)

// Config says what an Engine is made of.
type Config struct {
	Cluster string   // the cluster's id
	Node    string   // this node's name
	Others  []string // the other data nodes of the roster
	Store   Store    // the database file; the engine closes it
	Guard   Guard    // "may I write?"
	// Stable is what every data node of the roster has (PROTOCOL D7); nil: nothing.
	Stable func() vclock.Vector
	// Known is what each other data node is known to have (D7); nil: nothing.
	Known func() []vclock.Vector
	// Offset is how far a data node's wall clock is ahead of this one's, where that
	// was measured; nil: nowhere.
	Offset func(node string) (time.Duration, bool)
	Wall   func() time.Time // the wall clock
	Random func() [5]byte   // randomness for a new actor
	Key    []byte           // for the tokens' MAC; derived from the cluster's secret
	Full   bool             // the store syncs each commit
	Found  bool             // be good at once, although other data nodes are absent
	Roster []byte           // kept in the file at its first start
	Drift  time.Duration    // 0: DefaultDrift
	Events func(Event)      // told what happens; must return soon
	// Resolver runs the scripts of policies; nil: each of them fails here.
	Resolver Resolver
}

// Engine is one node's documents. Its methods may be called from many
// goroutines; Commit only by the one that runs the writer.
type Engine struct {
	cfg    Config
	feed   *Feed
	queue  chan *Request
	actor  vclock.Actor
	starts uint64

	published atomic.Pointer[Published]
	disorder  atomic.Uint64
	settings  atomic.Pointer[settings]
	conflicts *conflictIDs
	findings  *findings
	assigned  atomic.Uint64 // the last sequence of actor, committed or about to be
	failed    atomic.Pointer[Error]
	macs      sync.Pool     // of keyed hashes, for tokens
	failing   chan struct{} // closed when failed is set
	draining  atomic.Bool
	ended     chan struct{} // closed when Run has returned

	mu       sync.Mutex
	meta     Meta                // guarded by mu for readers; written by the writer
	heard    map[string]Standing // what other data nodes say of themselves
	standing atomic.Value        // Standing

	// Owned by the writer.
	frontier vclock.Vector
	loose    vclock.Vector // of each actor, the highest loose row that ever came in
	last     vclock.Time
	stats    map[conflict.Collection]CollectionStat
	episodes map[string]episode // by the names of their nodes
}

// Published is what a node has shown to the world: durable, and seen by every
// read that begins later.
type Published struct {
	Frontier vclock.Vector
	Session  string // the frontier as a token
}

// Open takes a database into use. It chooses a new actor for a new file, and
// for one whose last tail may be lost: a dot that was used twice would be
// silent loss (PROTOCOL D14).
func Open(ctx context.Context, cfg Config) (*Engine, error) {
	if cfg.Drift == 0 {
		cfg.Drift = DefaultDrift
	}
	if cfg.Stable == nil {
		cfg.Stable = func() vclock.Vector { return vclock.Vector{} }
	}
	if cfg.Offset == nil {
		cfg.Offset = func(string) (time.Duration, bool) { return 0, false }
	}
	if cfg.Known == nil {
		cfg.Known = noneKnown
	}
	if cfg.Events == nil {
		cfg.Events = func(Event) {}
	}
	e := &Engine{
		cfg: cfg, feed: newFeed(), queue: make(chan *Request, MaxQueue),
		failing: make(chan struct{}), ended: make(chan struct{}),
		heard: map[string]Standing{}, stats: map[conflict.Collection]CollectionStat{}, episodes: map[string]episode{},
	}
	var err error
	if e.conflicts, err = newConflictIDs(); err != nil {
		return nil, &Error{Op: "open", Kind: Bug, Err: err}
	}
	if e.findings, err = newFindings(); err != nil {
		return nil, &Error{Op: "open", Kind: Bug, Err: err}
	}
	if err := e.load(ctx); err != nil {
		return nil, err
	}
	if err := e.begin(ctx); err != nil {
		return nil, err
	}
	e.publish()
	return e, nil
}

func (e *Engine) load(ctx context.Context) error {
	meta, err := e.cfg.Store.Meta(ctx)
	if err != nil {
		return err
	}
	if meta.Cluster != "" && (meta.Cluster != e.cfg.Cluster || meta.Node != e.cfg.Node) {
		return &Error{Op: "open", Kind: WrongIdentity, Err: fmt.Errorf(
			"the database belongs to node %q of cluster %q, not to node %q of cluster %q; give this node a folder of its own",
			meta.Node, meta.Cluster, e.cfg.Node, e.cfg.Cluster)}
	}
	view, err := e.cfg.Store.View(ctx)
	if err != nil {
		return err
	}
	e.frontier, e.last = view.Frontier(), view.Time()
	stats, err := view.Collections()
	if err == nil {
		err = e.loadSettings(view)
	}
	if err == nil {
		err = eachLoose(view, func(v *conflict.Version) { e.loose = e.loose.With(v.Dot) })
	}
	if err = errors.Join(err, view.Close()); err != nil {
		return err
	}
	for _, s := range stats {
		e.stats[s.Name] = s
	}
	e.meta = meta
	return nil
}

// begin notes in the file that a process has it.
func (e *Engine) begin(ctx context.Context) error {
	m := e.meta
	lost := m.Actor != "" && !m.Clean && !m.Full
	if m.Actor == "" || lost && !planted.On(planted.ReuseActor) {
		actor, err := vclock.NewActor(e.cfg.Node, e.cfg.Random())
		if err != nil {
			return &Error{Op: "open", Kind: Invalid, Err: err}
		}
		e.event(Event{Kind: EventActor, Old: string(m.Actor), New: string(actor)})
		m.Actor = actor
	}
	if m.Cluster == "" {
		m.Cluster, m.Node, m.Standing, m.Roster = e.cfg.Cluster, e.cfg.Node, StandingNew, e.cfg.Roster
		m.Born = uint64(e.cfg.Wall().UnixMilli())
	}
	if m.Standing != StandingGood && (e.cfg.Found || len(e.cfg.Others) == 0) {
		m.Standing = StandingGood
	}
	m.Clean, m.Full = false, e.cfg.Full
	m.Starts++
	if err := e.cfg.Store.Update(ctx, func(tx Tx) error { return tx.SetMeta(m) }); err != nil {
		return err
	}
	// A start that a crash could undo would leave the file looking as if it had
	// been closed in good order, and its tail lost with the same actor; and
	// voters would take the next life for an older one.
	if err := e.cfg.Store.Sync(ctx); err != nil {
		return err
	}
	e.actor, e.starts = m.Actor, m.Starts
	e.assigned.Store(e.frontier.Get(m.Actor))
	e.setMeta(m)
	return nil
}

func (e *Engine) setMeta(m Meta) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.meta = m
	e.standing.Store(m.Standing)
}

// Close ends the use of the database in good order. Run must have returned.
func (e *Engine) Close(ctx context.Context) error {
	var err error
	if e.failed.Load() == nil {
		m := e.Meta()
		m.Clean = true
		err = e.cfg.Store.Update(ctx, func(tx Tx) error { return tx.SetMeta(m) })
	}
	return errors.Join(err, e.cfg.Store.Close())
}

// Run is the writer: it commits what has queued until the context ends, the
// store fails or Fail is called. A store that fails ends the process, since
// nobody knows what it has kept; an fsync is never retried. Run is called once.
func (e *Engine) Run(ctx context.Context) error {
	defer close(e.ended)
	for {
		select {
		case <-ctx.Done():
			e.refuseQueued()
			return ctx.Err()
		case <-e.failing:
			e.refuseQueued()
			return e.failed.Load()
		case r := <-e.queue:
			if err := e.Commit(ctx, e.gather(r)); err != nil {
				e.refuseQueued()
				return err
			}
		}
	}
}

// gather takes what has queued, up to the limits of a transaction.
func (e *Engine) gather(first *Request) []*Request {
	batch := []*Request{first}
	writes, size := first.weight()
	for writes < MaxBatchWrites && size < MaxBatchBytes {
		select {
		case r := <-e.queue:
			n, b := r.weight()
			writes, size = writes+n, size+b
			batch = append(batch, r)
		default:
			return batch
		}
	}
	return batch
}

// refuseQueued answers those who wait when the writer has ended.
func (e *Engine) refuseQueued() {
	e.draining.Store(true)
	for {
		select {
		case r := <-e.queue:
			r.fail(e.stopping())
		default:
			return
		}
	}
}

// stopping is the answer to a request that came too late. Whatever the engine
// failed of, this one was not begun.
func (e *Engine) stopping() error {
	if f := e.failed.Load(); f != nil {
		return &Error{Op: "write", Kind: Draining, Err: fmt.Errorf("the process is stopping, and nothing was applied: %w", f)}
	}
	return &Error{Op: "write", Kind: Draining, Err: errors.New("the process is stopping; nothing was applied")}
}

// Drain makes the engine refuse new local writes.
func (e *Engine) Drain() { e.draining.Store(true) }

// submit hands a request to the writer and waits for its answer.
func (e *Engine) submit(ctx context.Context, r *Request) error {
	select {
	case e.queue <- r:
	case <-e.ended:
		return e.stopping()
	case <-ctx.Done():
		return &Error{Op: "write", Kind: Busy, Err: errors.New("the writer did not get to the request in time; nothing was applied")}
	}
	select {
	case <-r.done:
		return nil
	case <-e.ended:
		// The writer has answered all that queued before it ended. What came
		// after that stays in the queue for ever.
		select {
		case <-r.done:
			return nil
		default:
			return e.stopping()
		}
	case <-ctx.Done():
		return &Error{Op: "write", Kind: Unknown, Err: errors.New("the commit did not end in time; nobody knows whether it was applied")}
	}
}

func (e *Engine) event(ev Event) { e.cfg.Events(ev) }

// publish shows the writer's state to the world.
func (e *Engine) publish() {
	e.published.Store(&Published{Frontier: e.frontier, Session: e.SessionToken(vclock.ContextOf(e.frontier))})
}

// Actor is the identity under which this life of the file stamps.
func (e *Engine) Actor() vclock.Actor { return e.actor }

// Starts is how often the file was opened: the boot counter of a voter.
func (e *Engine) Starts() uint64 { return e.starts }

// Published is the node's state as the world sees it.
func (e *Engine) Published() *Published { return e.published.Load() }

// Frontier is what this node durably has.
func (e *Engine) Frontier() vclock.Vector { return e.published.Load().Frontier }

// Disorder counts how often a loose row came in below another one of its actor.
// Who has sent an actor's loose rows up to a sequence must look at all of them
// again when it changes: read it after the snapshot was opened.
func (e *Engine) Disorder() uint64 { return e.disorder.Load() }

// Feed is rung after each commit that others can see.
func (e *Engine) Feed() *Feed { return e.feed }

// Meta is what the file says about itself.
func (e *Engine) Meta() Meta {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.meta
}
