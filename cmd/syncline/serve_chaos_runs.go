package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/rest"
	"github.com/syncline/syncline/scripts/chaos"
)

// Limits of runs over the API.
const (
	// maxRuns is how many runs are kept, the one under way among them.
	maxRuns = 16
	// maxRunTime is the longest that one run may take.
	maxRunTime = time.Hour
	// maxRunRecords bounds the history of a run, which this process keeps in
	// memory until the verdict: about a hundred megabytes.
	maxRunRecords = 200_000
	// stopRunWithin is how long a stop waits until the run is healed. Healing
	// itself takes undoWithin at most.
	stopRunWithin = 15 * time.Second
)

// What /v1/events says of a run.
const (
	eventChaos = "chaos" // a run began or ended
	runBegun   = "begun"
	runEnded   = "ended"
)

// nodeRunsConfig is what the runs of a node are made of.
type nodeRunsConfig struct {
	Node    string
	Roster  roster
	Bound   time.Duration // B of PROTOCOL part 2 of this cluster
	Scripts *offeredScripts
	// Tell is told when a run has begun, and when it has ended.
	Tell func(state string, run rest.ChaosRun)
}

// nodeRuns carries out scripts on the cluster of this node, as its API asks. It
// implements rest.ChaosRuns. Run must run.
type nodeRuns struct {
	cfg   nodeRunsConfig
	life  string        // begins the ids, so that none is one of a former run of the process
	begin chan *nodeRun // holds the run that is about to begin

	mu     sync.Mutex
	runs   []*nodeRun // oldest first
	count  int        // of all
	closed bool       // nothing begins any more
}

var _ rest.ChaosRuns = (*nodeRuns)(nil)

func newNodeRuns(cfg nodeRunsConfig) *nodeRuns {
	return &nodeRuns{cfg: cfg, life: strconv.FormatUint(randomNumber()>>32, 36), begin: make(chan *nodeRun, 1)}
}

// Run carries out one run after the other until the context ends. The run that is
// under way then is stopped, and healed before Run returns.
func (n *nodeRuns) Run(ctx context.Context) error {
	defer n.close()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case r := <-n.begin:
			n.carryOut(ctx, r)
		}
	}
}

// close refuses further runs, and ends one that has not begun.
func (n *nodeRuns) close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed = true
	select {
	case r := <-n.begin:
		r.end(time.Now(), outcome{}, true)
	default:
	}
}

// carryOut carries out one run to its end.
func (n *nodeRuns) carryOut(ctx context.Context, r *nodeRun) {
	n.cfg.Tell(runBegun, r.Run())
	limited, cancel := context.WithTimeout(ctx, maxRunTime)
	defer cancel()
	defer context.AfterFunc(r.asked, cancel)()
	o := n.attempt(limited, r)
	if o.err != nil && errors.Is(limited.Err(), context.DeadlineExceeded) {
		o.err = fmt.Errorf("it took longer than %s, the longest that a run over the API may take: %w", maxRunTime, o.err)
	}
	r.end(time.Now(), o, ctx.Err() != nil)
	n.cfg.Tell(runEnded, r.Run())
}

// attempt runs the script and heals what it broke.
func (n *nodeRuns) attempt(ctx context.Context, r *nodeRun) (o outcome) {
	cluster, err := newRunning(n.cfg.Roster.Members)
	if err != nil {
		return outcome{err: err}
	}
	say := func(kind chaos.StepKind, text string) { r.add(chaos.Step{At: time.Now(), Kind: kind, Text: text}) }
	say(chaos.StepWait, fmt.Sprintf("wait for at most %s until every data node has every vote", allVotesWithin))
	if err := cluster.await(ctx); err != nil {
		cluster.close() // nothing was broken
		return outcome{err: err}
	}
	defer func() {
		if ctx.Err() != nil {
			say(chaos.StepNet, "stopped: heal everything")
		}
		o.heal = cluster.stop()
	}()
	o.result, o.err = chaos.Run(ctx, chaos.Config{
		Program: r.program, Cluster: cluster, Seed: r.Run().Seed, Net: netRunning, Bound: n.cfg.Bound, Now: time.Now,
		Step: r.add, MaxRecords: maxRunRecords,
	})
	return o
}

// Scripts implements rest.ChaosRuns.
func (n *nodeRuns) Scripts() ([]rest.ChaosScript, error) { return n.cfg.Scripts.list() }

// Script implements rest.ChaosRuns.
func (n *nodeRuns) Script(name string) (rest.ChaosScript, error) {
	one, err := n.cfg.Scripts.find(name)
	if err != nil {
		return rest.ChaosScript{}, err
	}
	return one.shown(), nil
}

// Start implements rest.ChaosRuns.
func (n *nodeRuns) Start(name string, seed *uint64) (rest.ChaosRun, error) {
	one, err := n.cfg.Scripts.find(name)
	if err != nil {
		return rest.ChaosRun{}, err
	}
	if one.wrong != nil {
		return rest.ChaosRun{}, &node.Error{Op: "run script", Kind: rest.InvalidScript, Err: one.wrong}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return rest.ChaosRun{}, &node.Error{Op: "run script", Kind: node.Draining, Key: name, Err: errors.New("this node is stopping")}
	}
	if r := n.currentLocked(); r != nil {
		return rest.ChaosRun{}, &node.Error{Op: "run script", Kind: rest.RunInProgress, Key: name, Err: &rest.RunningError{ID: r.Run().ID}}
	}
	n.count++
	told := rest.ChaosRun{
		ID: n.life + "-" + strconv.Itoa(n.count), Script: name, Node: n.cfg.Node, State: rest.RunRunning, Started: time.Now().UTC(),
	}
	if seed != nil {
		told.Seed = *seed
	} else {
		told.Seed = drawSeed()
	}
	r := newNodeRun(one.program, told)
	n.runs = append(n.runs, r)
	n.runs = slices.Delete(n.runs, 0, max(0, len(n.runs)-maxRuns))
	n.begin <- r // there is room: none is under way
	return told, nil
}

// currentLocked is the run that is under way, or about to begin.
func (n *nodeRuns) currentLocked() *nodeRun {
	for _, r := range n.runs {
		if r.Run().Ended == nil {
			return r
		}
	}
	return nil
}

// Runs implements rest.ChaosRuns.
func (n *nodeRuns) Runs() []rest.ChaosRun {
	n.mu.Lock()
	defer n.mu.Unlock()
	var out []rest.ChaosRun
	for _, r := range slices.Backward(n.runs) {
		out = append(out, r.Run())
	}
	return out
}

func (n *nodeRuns) find(id string) (*nodeRun, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, r := range n.runs {
		if r.Run().ID == id {
			return r, nil
		}
	}
	return nil, &node.Error{
		Op: "find run", Kind: node.NotFound, Key: fmt.Sprintf("%.40q", id),
		Err: fmt.Errorf("no such run: it is another node's, of before this node's start, or not among the last %d", maxRuns),
	}
}

// Find implements rest.ChaosRuns.
func (n *nodeRuns) Find(id string) (rest.ChaosRunReader, error) { return n.find(id) }

// Stop implements rest.ChaosRuns.
func (n *nodeRuns) Stop(ctx context.Context, id string) error {
	r, err := n.find(id)
	if err != nil {
		return err
	}
	return n.stopRun(ctx, r)
}

// stopRun asks for the end of a run and waits until it is healed.
func (n *nodeRuns) stopRun(ctx context.Context, r *nodeRun) error {
	r.stop()
	ctx, cancel := context.WithTimeout(ctx, stopRunWithin)
	defer cancel()
	select {
	case <-r.done:
		return nil
	case <-ctx.Done():
		return &node.Error{
			Op: "stop run", Kind: node.Busy, Key: r.Run().ID,
			Err: errors.New("it is being stopped, and not everything is healed yet: ask again. Its faults end by themselves when their time is up"),
		}
	}
}

// stopAll stops the run that is under way, if one is, and says which.
func (n *nodeRuns) stopAll(ctx context.Context) ([]string, error) {
	n.mu.Lock()
	r := n.currentLocked()
	n.mu.Unlock()
	if r == nil {
		return nil, nil
	}
	return []string{r.Run().ID}, n.stopRun(ctx, r)
}
