package chaos

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"go.starlark.net/starlark"

	"github.com/syncline/syncline/client"
	"github.com/syncline/syncline/scripts/chaos/history"
)

// Config is what a run needs.
type Config struct {
	Program *Program
	Cluster Cluster // running, with every vote in place
	Seed    uint64
	Net     string           // how links are cut, for the verdict
	Bound   time.Duration    // B of PROTOCOL part 2 of this cluster
	Now     func() time.Time // the runner's own clock, with a monotonic part
	// Step is told what the run does and sees, one step after the other. It must
	// be quick: the run waits for it. nil: nobody watches.
	Step func(Step)
	// MaxRecords bounds the history, and so the memory of the run: one that needs
	// more is void. 0: history.MaxRecords.
	MaxRecords int
}

// Failure is why a script did not hold: an expectation, or an error of the
// script.
type Failure struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Col  int    `json:"column"`
	Text string `json:"text"`
}

// Error implements error.
func (f *Failure) Error() string {
	if f.Line == 0 {
		return f.Text
	}
	return fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Col, f.Text)
}

// run is one script that is being carried out.
type run struct {
	cfg    Config
	spec   *Spec
	book   *book
	ctx    context.Context
	random *rand.Rand
	bulks  int // so far: they name their documents

	loads []*load
	feeds []*feed

	converged  time.Duration // how long the last convergence took
	equal      bool          // the data nodes are equal, and nothing was done since
	accounted  bool          // the history has the final reads, and nothing was done since
	before     map[string]client.ConflictCounts
	voids      []string // why the run proves nothing
	failure    *Failure
	background sync.WaitGroup
}

// Result is what a run left.
type Result struct {
	Verdict Verdict
	History []history.Record
}

// Run carries a script out to its verdict. Its error is that of a context that
// ended, or of a cluster that could not be asked at all; a script that does not
// hold is no error.
func Run(ctx context.Context, cfg Config) (*Result, error) {
	r := &run{
		cfg: cfg, spec: &cfg.Program.spec, before: map[string]client.ConflictCounts{},
		book:   &book{now: cfg.Now, step: cfg.Step, limit: cmp.Or(cfg.MaxRecords, history.MaxRecords), epoch: cfg.Now()},
		random: rand.New(rand.NewPCG(cfg.Seed, 0)),
	}
	if r.book.step == nil {
		r.book.step = func(Step) {}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer r.background.Wait()
	defer cancel()
	defer r.stopLoads() // they end whatever ends the run
	r.ctx = ctx
	r.book.add(r.book.epoch, history.Record{Client: scriptClient, Op: history.OpCluster, Cluster: &history.Cluster{
		Script: cfg.Program.name, Seed: cfg.Seed, Data: r.spec.Data, Witness: r.spec.Witness, Bound: cfg.Bound, Net: cfg.Net,
	}})
	if err := r.countConflicts(); err != nil {
		return nil, err
	}
	r.observe()
	r.execute()
	if err := r.finish(); err != nil {
		return nil, err
	}
	records := r.book.history()
	return &Result{Verdict: r.verdict(records), History: records}, nil
}

// countConflicts notes the conflicts that are there before the run.
func (r *run) countConflicts() error {
	for _, name := range r.spec.Data {
		ctx, cancel := context.WithTimeout(r.ctx, opTimeout)
		counts, err := r.node(name).ConflictCounts(ctx, client.Options{})
		cancel()
		if err != nil {
			return fmt.Errorf("%s does not answer before the run: %w", name, err)
		}
		r.before[name] = counts
	}
	return nil
}

func (r *run) node(name string) Node { return r.cfg.Cluster.Node(name) }

// execute runs the script from its first line to its last.
func (r *run) execute() {
	thread := &starlark.Thread{Name: r.cfg.Program.name, Print: func(t *starlark.Thread, msg string) {
		r.book.note(whereIs(t, 0), msg)
	}}
	thread.SetMaxExecutionSteps(MaxSteps)
	defer context.AfterFunc(r.ctx, func() { thread.Cancel("stopped") })()
	names := predeclared(func(f *function) *starlark.Builtin {
		fn := *f
		return starlark.NewBuiltin(fn.name, func(t *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			return r.call(t, &fn, args, kwargs)
		})
	})
	if _, err := r.cfg.Program.program.Init(thread, names); err != nil {
		r.failure = failureOf(r.cfg.Program.name, err)
		r.book.say(StepWrong, position{line: r.failure.Line}, fmt.Sprintf("NOT HELD: %s", r.failure))
	}
}

// call carries out one function.
func (r *run) call(t *starlark.Thread, f *function, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	a, err := f.unpack(args, kwargs, r.spec)
	if err != nil {
		return nil, err
	}
	if err := r.ctx.Err(); err != nil {
		return nil, err
	}
	a.at = whereIs(t, 1)
	v, err := f.do(r, a)
	if err == nil && v == nil {
		v = starlark.None
	}
	return v, err
}

// whereIs is the place of the call that many frames up.
func whereIs(t *starlark.Thread, depth int) position {
	if t.CallStackDepth() <= depth {
		return position{}
	}
	pos := t.CallFrame(depth).Pos
	return position{pos.Filename(), int(pos.Line), int(pos.Col)}
}

// failureOf finds the place of an error: the innermost frame of the script.
func failureOf(name string, err error) *Failure {
	f := &Failure{File: name, Text: err.Error()}
	if own, ok := errors.AsType[*Failure](err); ok {
		return own
	}
	e, ok := errors.AsType[*starlark.EvalError](err)
	if !ok {
		return f
	}
	f.Text = shown(e.Msg)
	for _, frame := range slices.Backward(e.CallStack) {
		if frame.Pos.Filename() == name && frame.Pos.Line > 0 {
			f.Line, f.Col = int(frame.Pos.Line), int(frame.Pos.Col)
			break
		}
	}
	return f
}

// changed notes that the cluster is not any more what it was accounted for as.
func (r *run) changed() { r.equal, r.accounted = false, false }

// finish does what every run ends with, whether the script held or not: loads
// end, what is broken is healed, what is down is started, the data nodes become
// equal, and every write is accounted for.
func (r *run) finish() error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	whole := r.ctx
	ctx, cancel := context.WithTimeout(whole, finishWithin)
	defer cancel()
	r.ctx = ctx
	defer func() { r.ctx = whole }()
	r.stopLoads()
	within := finishWithin
	if r.failure != nil {
		within = DefaultWithin // that it does not hold is known
	}
	err := r.mend()
	if err == nil && !r.accounted {
		if err = r.converge(position{}, within); err == nil {
			err = r.account(position{})
		}
	}
	if whole.Err() != nil {
		return whole.Err()
	}
	if err != nil && r.failure == nil {
		r.failure = failureOf(r.cfg.Program.name, err)
		r.book.say(StepWrong, position{line: r.failure.Line}, fmt.Sprintf("NOT HELD: %s", r.failure))
	}
	return nil
}

// mend heals what is broken and starts what is down.
func (r *run) mend() error {
	begun := r.cfg.Now()
	if r.isBroken() {
		if err := r.healAll(position{}, begun); err != nil {
			return err
		}
	}
	for _, name := range r.downProcesses() {
		if err := r.startOne(position{}, name); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) isBroken() bool {
	r.book.mu.Lock()
	defer r.book.mu.Unlock()
	return len(r.book.faults) > 0
}

func (r *run) downProcesses() []string {
	r.book.mu.Lock()
	defer r.book.mu.Unlock()
	return slices.Clone(r.book.down)
}

// stillProcesses are those that are down or stand still.
func (r *run) stillProcesses() []string {
	r.book.mu.Lock()
	defer r.book.mu.Unlock()
	return r.book.downLocked()
}

// await looks at a condition until it holds, or for a time.
func (r *run) await(within time.Duration, holds func() (bool, error)) (bool, error) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	deadline := r.cfg.Now().Add(within)
	for {
		ok, err := holds()
		if ok || err != nil {
			return ok, err
		}
		if !r.cfg.Now().Before(deadline) {
			return false, nil
		}
		select {
		case <-tick.C:
		case <-r.ctx.Done():
			return false, r.ctx.Err()
		}
	}
}

// observe starts to look at the states of all data nodes.
func (r *run) observe() {
	ctx := r.ctx
	for _, name := range r.spec.Data {
		r.background.Go(func() { r.watch(ctx, name) })
	}
}

// watch notes each change of one node's state, as it says itself.
func (r *run) watch(ctx context.Context, name string) {
	tick := time.NewTicker(observeEvery)
	defer tick.Stop()
	last := ""
	for {
		r.book.expire()
		begun := r.cfg.Now()
		state := history.Down
		if !r.book.isDown(name) {
			state = r.stateOf(ctx, name)
		}
		if ctx.Err() != nil {
			return
		}
		if state != last {
			last = state
			r.book.say(StepState, position{}, fmt.Sprintf("%s is %s", name, state))
			r.book.add(begun, history.Record{Client: observer, Op: history.OpState, Node: name, Value: state})
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// observer is the client of what is seen of the nodes' states.
const observer = "observer"

func (r *run) stateOf(ctx context.Context, name string) string {
	ctx, cancel := context.WithTimeout(ctx, observeTimeout)
	defer cancel()
	c, err := r.node(name).Cluster(ctx)
	switch {
	case err != nil:
		return history.Silent
	case c.Write.State == history.Writable:
		return history.Writable
	default:
		return history.ReadOnly
	}
}
