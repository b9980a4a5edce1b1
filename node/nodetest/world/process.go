package world

import (
	"time"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/nodetest"
	"github.com/syncline/syncline/node/quorum"
	"github.com/syncline/syncline/node/replica"
	"github.com/syncline/syncline/node/wire"
	"github.com/syncline/syncline/witness"
)

// process is one data node: the real core, and what a machine gives it.
type process struct {
	machine
	name  string
	store *nodetest.MemStore

	up      bool
	life    int           // counts the starts; events of a former life are dropped
	stopped time.Duration // nothing runs before this instant
	backlog []func()      // what waits for that instant
	wakes   time.Duration // when the process looks at it next
	engine  *node.Engine
	table   *replica.Table
	keeper  *quorum.Keeper
	pulls   map[string]*pull   // by sender
	sources map[string]*source // by receiver
	acting  bool               // it was writable at the last event
}

func newProcess(w *World, name string) *process {
	return &process{machine: newMachine(w), name: name, store: nodetest.NewMemStore(nodetest.MemConfig{Full: w.cfg.Full})}
}

// start runs the process on what the last one left, less the last commits.
func (p *process) start(lose int) {
	w := p.w
	p.life++
	p.store = p.store.Reopen(lose)
	p.table = replica.NewTable(p.name)
	p.pulls, p.sources = map[string]*pull{}, map[string]*source{}
	var err error
	p.engine, err = node.Open(w.ctx, node.Config{
		Cluster: clusterID, Node: p.name, Others: w.others(p.name), Store: p.store, Guard: (*guard)(p), Stable: p.stable, Known: p.known,
		Wall: p.wall, Random: w.randomActor, Key: []byte("a key for the tokens"), Full: w.cfg.Full,
		Events: func(e node.Event) { p.event(e) }, Resolver: p.resolver(),
	})
	if err != nil {
		w.fail("%s does not start: %v", p.name, err)
		return
	}
	meta := p.engine.Meta()
	p.keeper, err = quorum.NewKeeper(quorum.Config{
		Name: p.name, Roster: w.roster, Timing: w.timing, Random: w.rng.Uint64,
		Life: witness.Life{Incarnation: meta.Born, Starts: meta.Starts},
	})
	if err != nil {
		w.fail("%s does not start: %v", p.name, err)
		return
	}
	p.up = true
	w.log("start %s as %s lost %d", p.name, p.engine.Actor(), lose)
	p.beatLater()
	p.settleLater()
	if w.cfg.Sweep {
		p.sweepLater()
	}
	for _, other := range w.others(p.name) {
		p.later(w.between(0, 50*time.Millisecond), func() { p.connect(other) })
	}
}

// kill ends the process at once; what it had not synced may be lost.
func (p *process) kill() {
	p.w.log("kill %s", p.name)
	p.w.Stats.Crashes++
	p.up, p.acting = false, false
	p.life++
	p.stopped, p.backlog = 0, nil
	for _, other := range p.w.nodes {
		if s := other.pulls[p.name]; s != nil {
			s.dead = true
			other.later(p.w.between(0, time.Second), s.broke)
		}
		if s := p.pulls[other.name]; s != nil {
			s.dead, s.ended = true, true
		}
		if s := p.sources[other.name]; s != nil {
			s.close()
		}
	}
}

// later plans an event of this life of the process. A stopped process carries
// it out when it goes on.
func (p *process) later(d time.Duration, do func()) { p.onArrival(p.w.now+d, p.life, do) }

func (p *process) onArrival(at time.Duration, life int, do func()) {
	p.w.at(at, func() {
		if !p.up || p.life != life {
			return
		}
		// What waits keeps its order: frames of a stream do not overtake.
		p.backlog = append(p.backlog, do)
		p.drain()
	})
}

// drain carries out what waits, until the process is stopped.
func (p *process) drain() {
	for p.up && len(p.backlog) > 0 {
		if p.w.now < p.stopped {
			if p.wakes < p.stopped {
				p.wakes = p.stopped
				p.w.at(p.stopped, p.drain)
			}
			return
		}
		do := p.backlog[0]
		p.backlog = p.backlog[1:]
		do()
	}
}

// stop halts the process for a while, as SIGSTOP does.
func (p *process) stop(d time.Duration) {
	p.w.log("stop %s %v", p.name, d)
	p.w.Stats.Stops++
	p.stopped = max(p.stopped, p.w.now+d)
}

func (p *process) running() bool { return p.up && p.w.now >= p.stopped }

func (p *process) event(e node.Event) {
	switch e.Kind {
	case node.EventReusedDot:
		p.w.fail("%s: dot %s was used twice", p.name, e.Key)
	case node.EventFailed:
		p.w.fail("%s: engine failed: %v", p.name, e.Err)
	case node.EventActor, node.EventStanding, node.EventDrift, node.EventSiblings, node.EventConfig:
		p.w.log("%s: %s %s", p.name, e.Kind, e.Key)
	case node.EventConflict:
		// The oracle looks at the documents themselves.
	}
}

// commit runs requests through the real engine. The commit takes time, in
// which the process does nothing else; sometimes it is stopped in the middle.
func (p *process) commit(r *node.Request) error {
	before := p.engine.Frontier()
	err := p.engine.Commit(p.w.ctx, []*node.Request{r})
	if err != nil {
		return err
	}
	if !p.engine.Frontier().Equal(before) {
		p.ring()
	}
	p.w.oracle.compare(p)
	return nil
}

// ring makes all senders of this node look at the log, in a fixed order.
func (p *process) ring() {
	for _, other := range p.w.nodes {
		if s := p.sources[other.name]; s != nil {
			s.ring()
		}
	}
}

// guard is the keeper as the engine sees it, with the commit's duration played
// between the two questions.
type guard process

// Begin implements node.Guard.
func (g *guard) Begin() (node.Term, error) {
	p := (*process)(g)
	return p.keeper.Begin(p.step())
}

// Held implements node.Guard.
func (g *guard) Held(term node.Term) bool {
	p := (*process)(g)
	w := p.w
	took := w.between(0, w.cfg.Commit)
	if w.chance(w.cfg.StopInCommit) {
		took = w.between(0, longestStop)
		w.Stats.Stops++
	}
	p.stopped = max(p.stopped, w.now+took)
	now := w.now
	w.now += took
	held := p.keeper.Held(p.step(), term)
	w.now = now
	return held
}

// longestStop is how long a process is stopped at most.
const longestStop = 4 * time.Second

func (p *process) step() quorum.Now {
	p.keeper.Know(quorum.Self{Standing: p.engine.Standing(), Actor: p.engine.Actor(), Frontier: p.engine.Frontier()})
	return quorum.Now{Boot: p.boot(), Wall: p.wall()}
}

// standing is what the process says of itself.
func (p *process) standing() wire.Standing { return wire.Standing(p.engine.Standing()) }
