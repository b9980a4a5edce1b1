package rest

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/syncline/syncline/conflict/script"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/link"
)

// noon is when everything of the fakes happens.
func noon() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }

// What a run leaves, as the runner writes it.
const (
	runTimeline = `{"script":"split.star","seed":7,"took_ns":9,"lanes":[{"node":"a","states":[{"from_ns":0,"to_ns":9,"state":"writable"}],"ticks":null}],` +
		`"bands":[{"fault":"cut a b","from_ns":1,"to_ns":5}],"marks":[{"at_ns":6,"kind":"claim","text":"a is writable","where":"split.star:4"}]}`
	runVerdict = `{"held":true,"reasons":[],"script":"split.star","about":"Cuts.","seed":7,"net":"link","acknowledged":2,"refused":1,"unknown":0,"lost":0,` +
		`"conflicts_settled":1,"conflicts_open":0,"converged_ms":12.5,"outages":[{"side":"a","lasted_ns":4,"no_writer_ns":0}],"overlap_ns":0,"bound_ns":2100000000,` +
		`"took_ns":9,"claims":1,"checkers":[{"checker":"ledger","checked":2,"wrong":0,"findings":null}],"failure":null}`
)

// fakeRuns is a ChaosRuns without a cluster: each script that is started is under
// way until a test ends it.
type fakeRuns struct {
	mu     sync.Mutex
	runs   []*fakeRun
	busy   bool  // stops do not come to an end
	gone   error // of Scripts
	closed bool
}

// fakeRun is one run.
type fakeRun struct {
	mu      sync.Mutex
	run     ChaosRun
	steps   []ChaosStep
	changed chan struct{}
}

func (r *fakeRun) Run() ChaosRun { r.mu.Lock(); defer r.mu.Unlock(); return r.run }

func (r *fakeRun) Steps(after uint64, limit int) ([]ChaosStep, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := r.steps[min(after, uint64(len(r.steps))):]
	if limit > 0 {
		next = next[:min(limit, len(next))]
	}
	return slices.Clone(next), r.changed
}

// say adds a step.
func (r *fakeRun) say(kind, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.steps = append(r.steps, ChaosStep{Seq: uint64(len(r.steps)) + 1, At: noon(), Kind: kind, Line: 3, Text: text})
	close(r.changed)
	r.changed = make(chan struct{})
}

// end ends the run, unless it has ended.
func (r *fakeRun) end(state string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.run.Ended != nil {
		return
	}
	at := noon()
	r.run.State, r.run.Ended = state, &at
	r.run.Timeline, r.run.Verdict = json.RawMessage(runTimeline), json.RawMessage(runVerdict)
	close(r.changed)
}

func (f *fakeRuns) Scripts() ([]ChaosScript, error) {
	if f.gone != nil {
		return nil, f.gone
	}
	return []ChaosScript{
		{Name: "broken", Data: []string{}, WhyNot: "broken.star:2:10: no node x"},
		{Name: "split", About: "Cuts.", Data: []string{"a", "b"}, Witness: "w", Fits: true},
	}, nil
}

func (f *fakeRuns) Script(name string) (ChaosScript, error) {
	all, err := f.Scripts()
	if err != nil {
		return ChaosScript{}, err
	}
	if name == "../x" {
		return ChaosScript{}, &node.Error{Op: "find script", Kind: node.Invalid, Err: errors.New("a name is no path")}
	}
	for _, s := range all {
		if s.Name == name {
			s.Source = "cluster(nodes = 2)\n"
			return s, nil
		}
	}
	return ChaosScript{}, &node.Error{Op: "find script", Kind: node.NotFound, Key: name, Err: errors.New("no such script")}
}

func (f *fakeRuns) Start(name string, seed *uint64) (ChaosRun, error) {
	s, err := f.Script(name)
	if err != nil {
		return ChaosRun{}, err
	}
	if !s.Fits {
		return ChaosRun{}, &node.Error{Op: "run script", Kind: InvalidScript, Err: &ChaosScriptError{
			File: "broken.star", Problems: []script.Problem{{Line: 2, Column: 10, Msg: "no node x"}},
		}}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return ChaosRun{}, &node.Error{Op: "run script", Kind: node.Draining, Err: errors.New("this node is stopping")}
	}
	for _, r := range f.runs {
		if r.Run().Ended == nil {
			return ChaosRun{}, &node.Error{Op: "run script", Kind: RunInProgress, Err: &RunningError{ID: r.run.ID}}
		}
	}
	run := ChaosRun{ID: "r" + string(rune('1'+len(f.runs))), Script: name, Node: "b", State: RunRunning, Started: noon()}
	if seed != nil {
		run.Seed = *seed
	}
	f.runs = append(f.runs, &fakeRun{run: run, changed: make(chan struct{})})
	return run, nil
}

func (f *fakeRuns) Runs() []ChaosRun {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []ChaosRun
	for _, r := range slices.Backward(f.runs) {
		out = append(out, r.Run())
	}
	return out
}

func (f *fakeRuns) find(id string) *fakeRun {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.runs {
		if r.run.ID == id {
			return r
		}
	}
	return nil
}

func (f *fakeRuns) Find(id string) (ChaosRunReader, error) {
	if r := f.find(id); r != nil {
		return r, nil
	}
	return nil, &node.Error{Op: "find run", Kind: node.NotFound, Key: id, Err: errors.New("no such run")}
}

func (f *fakeRuns) Stop(_ context.Context, id string) error {
	if f.busy {
		return &node.Error{Op: "stop run", Kind: node.Busy, Err: errors.New("not everything is healed yet")}
	}
	f.find(id).end(RunStopped)
	return nil
}

// fakePresets is a ChaosPresets without a cluster.
type fakePresets struct {
	silent bool
	busy   bool
	asked  ChaosPresetRequest
}

func (f *fakePresets) Presets() []ChaosPreset {
	return []ChaosPreset{{Name: "halves", About: "Two halves."}, {Name: "isolate", About: "One alone.", Takes: []string{"node"}}}
}

func (f *fakePresets) Set(_ context.Context, name string, want ChaosPresetRequest) (ChaosPresetSet, error) {
	f.asked = want
	refuse := func(kind node.Kind) error {
		return &node.Error{Op: "set preset", Kind: kind, Err: errors.New("planted")}
	}
	switch {
	case name != "isolate":
		return ChaosPresetSet{}, refuse(node.NotFound)
	case want.Duration <= 0:
		return ChaosPresetSet{}, refuse(node.Invalid)
	case f.silent:
		return ChaosPresetSet{}, refuse(PeerSilent)
	}
	fault := link.Fault{ID: "f1", From: "b", To: "a", Kind: link.Cut, Both: true, Duration: want.Duration, Started: noon(), Expires: noon()}
	return ChaosPresetSet{
		Preset: name, Expires: noon(), Faults: []PlacedFault{{"a", fault}}, Unreachable: []ChaosUnreachable{{"w", "silent"}},
	}, nil
}

func (f *fakePresets) Heal(context.Context) (ChaosHealed, error) {
	if f.busy {
		return ChaosHealed{}, &node.Error{Op: "stop run", Kind: node.Busy, Err: errors.New("not everything is healed yet")}
	}
	return ChaosHealed{Healed: []HealedNode{{"a", 2}}}, nil
}

// withChaos is a process that takes chaos.
func withChaos(c *Config) {
	c.Chaos, c.ChaosRuns, c.ChaosPresets = &faults{}, &fakeRuns{}, &fakePresets{}
}

// chaosRuns are the fake's runs.
func (s *stand) chaosRuns() *fakeRuns { return s.server.cfg.ChaosRuns.(*fakeRuns) }
