package world

import (
	"container/heap"
	"context"
	"encoding/hex"
	"fmt"
	"hash"
	"hash/fnv"
	"math/rand/v2"
	"time"

	"github.com/syncline/syncline/vclock"
	"github.com/syncline/syncline/witness"
)

const (
	clusterID   = "sim"
	witnessName = "w"
	collection  = "accounts"
	// maxFailures is how many broken promises one run notes before it ends.
	maxFailures = 5
	// wallBase is where the virtual wall clocks begin, in milliseconds since 1970.
	wallBase = 1_790_000_000_000
)

// Config says what a world is like. The zero values of the chances mean never.
type Config struct {
	Seed    uint64
	Nodes   int  // data nodes, 1 to 8
	Witness bool // whether there is a witness
	Full    bool // whether data nodes sync each commit
	Keys    int  // documents that are written

	MinDelay, MaxDelay time.Duration // of a message
	Loss, Double       float64       // chance that a message is lost, or comes twice
	Hold               float64       // chance that it comes seconds late
	Break              float64       // chance that a stream dies at a frame
	Commit             time.Duration // longest ordinary commit
	StopInCommit       float64       // chance that a process is stopped in the middle of one
	Scripts            bool          // clients store resolvers, and collections use them
	Merge              bool          // numbers are merged from the start, and nobody writes with a context
	Undo               bool          // clients resolve, restore, revert and review
	Sweep              bool          // nodes forget what has had its time
	History, Records   string        // retention in configurations; "": the defaults
	Verbose            bool          // print the trace
}

// World is a cluster in virtual time.
type World struct {
	cfg    Config
	ctx    context.Context
	rng    *rand.Rand
	now    time.Duration
	events eventQueue
	count  uint64

	roster witness.Roster
	timing witness.Timing
	nodes  []*process
	wit    *witnessProcess
	cut    map[[2]string]bool          // from, to
	met    map[[2]string]time.Duration // when the last exchange of ballots of a pair began

	oracle  *oracle
	clients []*client
	frames  int  // sent that were no heartbeats
	ending  bool // all is healed, and nobody writes

	trace    hash.Hash64
	failures []string
	Stats    Stats
}

// Stats counts what a run has reached. A run that never reached what it must
// is void, not green.
type Stats struct {
	Writes, Acked, Refused, LeaseLost, Settled, Configured, Loose, Resumed, Crashes, Stops, Takeovers int

	// Of worlds with scripts: resolvers stored, settlements by one, values that
	// stood in on one node alone, and conflicts that a resolver left open.
	Stored, Scripted, FailedHere, LeftOpen int

	// Of worlds with people: open conflicts that one ended, steps noted in records,
	// pieces of the past that were forgotten, former versions that were compared, and
	// documents whose number was added up.
	Resolved, Undone, Swept, Kept, Summed int
}

// event is something that happens at an instant.
type event struct {
	at  time.Duration
	seq uint64
	do  func()
}

type eventQueue []event

func (q eventQueue) Len() int { return len(q) }
func (q eventQueue) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].seq < q[j].seq
}
func (q eventQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *eventQueue) Push(e any)   { *q = append(*q, e.(event)) }
func (q *eventQueue) Pop() any {
	old := *q
	e := old[len(old)-1]
	old[len(old)-1] = event{}
	*q = old[:len(old)-1]
	return e
}

// New makes a world and starts all its processes.
func New(cfg Config) *World {
	w := &World{
		cfg: cfg, ctx: context.Background(), rng: rand.New(rand.NewPCG(cfg.Seed, 0x73796e63)),
		timing: witness.DefaultTiming(), cut: map[[2]string]bool{}, met: map[[2]string]time.Duration{},
		trace: fnv.New64a(), roster: witness.Roster{Cluster: clusterID, Epoch: 1},
	}
	w.oracle = newOracle(w)
	for i := range cfg.Nodes {
		w.roster.Data = append(w.roster.Data, witness.Voter{Name: string(rune('a' + i))})
	}
	if cfg.Witness {
		w.roster.Witness = witnessName
		w.wit = newWitness(w)
		w.wit.start()
	}
	for _, v := range w.roster.Data {
		p := newProcess(w, v.Name)
		w.nodes = append(w.nodes, p)
	}
	for _, p := range w.nodes {
		p.start(0)
	}
	return w
}

// Failures are the promises that were broken.
func (w *World) Failures() []string { return w.failures }

// Trace is a hash over everything that happened.
func (w *World) Trace() string { return hex.EncodeToString(w.trace.Sum(nil)) }

// Now is the virtual time.
func (w *World) Now() time.Duration { return w.now }

func (w *World) fail(format string, args ...any) {
	if len(w.failures) < maxFailures {
		w.failures = append(w.failures, fmt.Sprintf("at %v: ", w.now)+fmt.Sprintf(format, args...))
	}
	w.log("BROKEN "+format, args...)
}

// log adds a line to the trace.
func (w *World) log(format string, args ...any) {
	line := fmt.Sprintf("%d ", w.now) + fmt.Sprintf(format, args...) + "\n"
	_, _ = w.trace.Write([]byte(line)) // a hash never fails
	if w.cfg.Verbose {
		fmt.Print(line)
	}
}

// at plans an event.
func (w *World) at(t time.Duration, do func()) {
	w.count++
	heap.Push(&w.events, event{max(t, w.now), w.count, do})
}

// Run lets time pass. It ends early when enough promises are broken.
func (w *World) Run(d time.Duration) {
	end := w.now + d
	for len(w.events) > 0 && w.events[0].at <= end && len(w.failures) < maxFailures {
		e, _ := heap.Pop(&w.events).(event)
		w.now = e.at
		e.do()
		w.checkSides()
	}
	w.now = max(w.now, end)
}

// RunUntil lets time pass until a condition holds, and says whether it did
// within the time.
func (w *World) RunUntil(d time.Duration, holds func() bool) bool {
	const step = 10 * time.Millisecond
	for end := w.now + d; w.now < end && len(w.failures) < maxFailures; {
		if holds() {
			return true
		}
		w.Run(step)
	}
	return holds()
}

// chance says yes with a probability.
func (w *World) chance(p float64) bool { return p > 0 && w.rng.Float64() < p }

// between draws a span of time.
func (w *World) between(low, high time.Duration) time.Duration {
	if high <= low {
		return low
	}
	return low + time.Duration(w.rng.Int64N(int64(high-low)))
}

func (w *World) randomActor() (b [5]byte) {
	n := w.rng.Uint64()
	for i := range b {
		b[i] = byte(n >> (8 * i))
	}
	return b
}

// node finds a data node by its name.
func (w *World) node(name string) *process {
	for _, p := range w.nodes {
		if p.name == name {
			return p
		}
	}
	return nil
}

// Others are the other data nodes.
func (w *World) others(name string) []string {
	var out []string
	for _, v := range w.roster.Data {
		if v.Name != name {
			out = append(out, v.Name)
		}
	}
	return out
}

// machine has the clocks of one process.
type machine struct {
	w          *World
	rate       int64         // of the boot-time clock, in parts per million
	bootOffset time.Duration // boot-time clocks begin anywhere
	wallOffset time.Duration
}

const million = 1_000_000

func newMachine(w *World) machine {
	const limit = witness.DriftPercent * million / 100
	return machine{w: w, rate: million - limit + w.rng.Int64N(2*limit+1), bootOffset: w.between(0, time.Hour)}
}

// boot is the boot-time clock. It never runs back: the product is divided at
// the end, so that it is monotone (and fits for two hours).
func (m *machine) boot() time.Duration {
	return m.bootOffset + m.w.now*time.Duration(m.rate)/million
}

// when is the virtual time at which the boot-time clock shows an instant.
func (m *machine) when(boot time.Duration) time.Duration {
	return (boot - m.bootOffset) * million / time.Duration(m.rate)
}

// wall is the wall clock.
func (m *machine) wall() time.Time {
	return time.UnixMilli(wallBase).Add(m.w.now + m.wallOffset)
}

// dotsOf collects the dots of a context's vector and cloud that a test knows
// to exist.
func dotsOf(c vclock.Context, exists func(vclock.Dot) bool) []vclock.Dot {
	var out []vclock.Dot
	for end := range c.Vector().All() {
		for n := uint64(1); n <= end.Seq; n++ {
			if d := (vclock.Dot{Actor: end.Actor, Seq: n}); exists(d) {
				out = append(out, d)
			}
		}
	}
	for d := range c.Loose() {
		if exists(d) {
			out = append(out, d)
		}
	}
	return out
}
