package quorum

import (
	"container/heap"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"time"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/wire"
	"github.com/syncline/syncline/vclock"
	"github.com/syncline/syncline/witness"
)

// flow is a cluster in continuous time with the real timing: clocks that drift
// by 1 % either way, links that fail in one direction or both, messages that
// take long and overtake each other, processes that are paused, restarted or
// frozen with their clocks. It drives the real machines.
type flow struct {
	rng    *rand.Rand
	timing witness.Timing
	roster witness.Roster
	now    time.Duration // true time
	queue  events
	count  int

	nodes []*process
	w     *process
	vote  *witness.Witness // nil while the witness is down
	boots uint64
	up    [][]bool          // up[i][j]: what i sends to j arrives; the last index is the witness
	used  [][]time.Duration // sending of the newest ballot of i that reached j
	delay time.Duration     // the longest delay of a message
	loss  int               // percent of messages

	sick, raw []bool
	failure   string
}

// process is a node or the witness, with clocks of its own.
type process struct {
	i      int
	began  time.Duration // true time at which its boot-time clock showed an hour
	rate   float64       // of its clocks
	skew   time.Duration // of its wall clock
	pause  time.Duration // true time until which it does nothing
	starts uint64
	k      *Keeper
}

type event struct {
	at time.Duration
	n  int
	p  *process // who is to do it; nil: the world
	do func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].n < e[j].n
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	old := *e
	last := old[len(old)-1]
	*e = old[:len(old)-1]
	return last
}

// boot is a process's boot-time clock.
func (p *process) boot(now time.Duration) time.Duration {
	return time.Hour + time.Duration(float64(now-p.began)*p.rate)
}

// when is the true time at which its boot-time clock shows t.
func (p *process) when(t time.Duration) time.Duration {
	return p.began + time.Duration(float64(t-time.Hour)/p.rate)
}

func (f *flow) clocks(p *process) Now {
	return Now{Boot: p.boot(f.now), Wall: time.Unix(1_000_000_000, 0).Add(f.now + p.skew)}
}

// newFlow starts a cluster of n data nodes and a witness; with drift, its
// clocks run apart by as much as they may.
func newFlow(n int, seed uint64, drift bool) *flow {
	f := &flow{
		rng: rand.New(rand.NewPCG(seed, uint64(n))), timing: witness.DefaultTiming(), delay: 10 * time.Millisecond,
		roster: witness.Roster{Cluster: "shop", Epoch: 1, Witness: "w"},
		sick:   make([]bool, n), raw: make([]bool, n),
	}
	for i := range n + 1 {
		p := &process{i: i, rate: 1, began: -time.Duration(f.rng.Int64N(int64(time.Second)))}
		if drift {
			p.rate = []float64{1 / 1.01, 1, 1.01}[f.rng.IntN(3)]
		}
		f.up = append(f.up, make([]bool, n+1))
		f.used = append(f.used, make([]time.Duration, n+1))
		for j := range n + 1 {
			f.up[i][j], f.used[i][j] = true, never
		}
		if i == n {
			f.w = p
			continue
		}
		f.roster.Data = append(f.roster.Data, witness.Voter{Name: string(rune('a' + i))})
		f.nodes = append(f.nodes, p)
	}
	f.startWitness()
	for i := range n {
		f.restart(i)
	}
	return f
}

func (f *flow) startWitness() {
	f.boots++
	w, err := witness.New(witness.Config{Roster: f.roster, Timing: f.timing, Boot: f.boots, Started: f.w.boot(f.now)})
	if err != nil {
		panic(err)
	}
	f.vote = w
}

func (f *flow) restart(i int) {
	p := f.nodes[i]
	p.starts++
	k, err := NewKeeper(Config{
		Name: f.roster.Data[i].Name, Roster: f.roster, Timing: f.timing,
		Life: witness.Life{Incarnation: 1, Starts: p.starts}, Random: f.rng.Uint64,
	})
	if err != nil {
		panic(err)
	}
	p.k = k
	f.know(i)
	f.at(f.now, p, func() { f.beat(p, k) })
}

func (f *flow) know(i int) {
	s := Self{Standing: node.StandingGood, Actor: vclock.Actor(f.roster.Data[i].Name + "~00000000"), DiskLow: f.sick[i]}
	if f.raw[i] {
		s.Standing = node.StandingCatchingUp
	}
	f.nodes[i].k.Know(s)
}

func (f *flow) at(when time.Duration, p *process, do func()) {
	f.count++
	heap.Push(&f.queue, event{max(when, f.now), f.count, p, do})
}

// run lets the cluster live until a true time, or its first failure.
func (f *flow) run(until time.Duration) {
	for len(f.queue) > 0 && f.queue[0].at <= until && f.failure == "" {
		e := heap.Pop(&f.queue).(event)
		f.now = e.at
		f.check()
		if e.p != nil && e.p.pause > f.now {
			f.at(e.p.pause, e.p, e.do)
			continue
		}
		e.do()
		f.check()
	}
	f.now = max(f.now, until)
}

// beat is one turn of a node's loop; k is the life that it belongs to.
func (f *flow) beat(p *process, k *Keeper) {
	if p.k != k {
		return
	}
	for _, o := range k.Beat(f.clocks(p)) {
		f.send(p, k, o)
	}
	f.at(p.when(k.NextBeat(p.boot(f.now))), p, func() { f.beat(p, k) })
}

// send carries a ballot and its answer; each takes its time, or is lost.
func (f *flow) send(p *process, k *Keeper, o Outgoing) {
	sent, to := f.now, f.w
	if j := f.roster.Index(o.To); j >= 0 {
		to = f.nodes[j]
	}
	f.carry(p, to, func() {
		if to == f.w && f.vote == nil {
			return
		}
		var a wire.Answer
		if to == f.w {
			a = askWitness(f.vote, f.w.boot(f.now), o.Ballot)
		} else {
			a = to.k.Vote(f.clocks(to), o.Ballot)
		}
		f.used[p.i][to.i] = max(f.used[p.i][to.i], sent)
		f.carry(to, p, func() { f.answered(p, k, a) })
	})
}

func (f *flow) answered(p *process, k *Keeper, a wire.Answer) {
	if p.k != k {
		return
	}
	again, err := k.Answered(f.clocks(p), a)
	if err != nil {
		return // of a voter that has restarted since: dropped
	}
	for _, o := range again {
		f.send(p, k, o)
	}
	if k.Hurry() {
		for _, o := range k.Beat(f.clocks(p)) {
			f.send(p, k, o)
		}
	}
}

func (f *flow) carry(from, to *process, do func()) {
	if !f.up[from.i][to.i] || f.rng.IntN(100) < f.loss {
		return
	}
	// Most take a little; a few, as long as they may.
	d := time.Duration(f.rng.Int64N(int64(f.delay)/8 + 1))
	if f.rng.IntN(4) == 0 {
		d = time.Duration(f.rng.Int64N(int64(f.delay) + 1))
	}
	f.at(f.now+d, to, func() {
		if f.up[from.i][to.i] {
			do()
		}
	})
}

// writable are the nodes that would take a write now.
func (f *flow) writable() uint16 {
	var set uint16
	for _, p := range f.nodes {
		if p.pause > f.now {
			continue
		}
		if _, ok := p.k.Writable(f.clocks(p)); ok {
			set |= 1 << p.i
		}
	}
	return set
}

// check checks S, as tickWorld.broken does.
func (f *flow) check() {
	can := f.writable()
	if bits.OnesCount16(can) < 2 || f.failure != "" {
		return
	}
	adj := make([]uint16, len(f.nodes))
	for i := range f.nodes {
		for j := range f.nodes {
			if f.now-max(f.used[i][j], f.used[j][i]) <= f.timing.Bound(f.roster) {
				adj[i] |= 1 << j
			}
		}
	}
	if why := torn(can, adj); why != "" {
		f.failure = fmt.Sprintf("at %v: %s", f.now, why)
	}
}

// cut sets the links between the data nodes and to the witness: adj[i] are
// those whom i reaches, and witness who reaches the witness, both ways.
func (f *flow) cut(adj []uint16, witness uint16) {
	n := len(f.nodes)
	for i := range n {
		for j := range n {
			f.up[i][j] = i == j || adj[i]&(1<<j) != 0
		}
		f.up[i][n], f.up[n][i] = witness&(1<<i) != 0, witness&(1<<i) != 0
	}
}
