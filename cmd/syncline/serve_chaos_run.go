package main

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/syncline/syncline/node/rest"
	"github.com/syncline/syncline/scripts/chaos"
)

// Limits of what is kept of one run.
const (
	// maxStepText is the longest text of a step, in characters.
	maxStepText = 16 << 10
	// maxStepBytes is how much is kept of a run's steps, the newest, in bytes.
	maxStepBytes = 1 << 20
	// stepBytes is what a step costs beside its text, in bytes.
	stepBytes = 96
	// maxRunTimeline is the longest timeline that is kept, in bytes of JSON.
	maxRunTimeline = 1 << 20
	// maxRunError is the longest error of a run that is told, in characters.
	maxRunError = 4 << 10
)

// nodeRun is one run of a script over the API. It is a rest.ChaosRunReader, and
// safe for concurrent use.
type nodeRun struct {
	program *chaos.Program
	asked   context.Context // ends when somebody asks for the run's end
	stop    context.CancelFunc
	done    chan struct{} // closed when it has ended, and all is healed

	mu      sync.Mutex
	told    rest.ChaosRun // without steps
	steps   []rest.ChaosStep
	bytes   int // of steps
	changed chan struct{}
}

// newNodeRun makes a run that has not done anything yet.
func newNodeRun(p *chaos.Program, told rest.ChaosRun) *nodeRun {
	r := &nodeRun{program: p, told: told, done: make(chan struct{}), changed: make(chan struct{})}
	r.asked, r.stop = context.WithCancel(context.Background())
	return r
}

// Run implements rest.ChaosRunReader.
func (r *nodeRun) Run() rest.ChaosRun {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.told
}

// Steps implements rest.ChaosRunReader.
func (r *nodeRun) Steps(after uint64, limit int) ([]rest.ChaosStep, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	first := max(after, r.told.Dropped) - r.told.Dropped
	next := r.steps[min(first, uint64(len(r.steps))):]
	if limit > 0 {
		next = next[:min(limit, len(next))]
	}
	return slices.Clone(next), r.changed
}

// add keeps a step, and wakes those who watch. The oldest make room for it.
func (r *nodeRun) add(s chaos.Step) {
	r.mu.Lock()
	defer r.mu.Unlock()
	text := clip(s.Text, maxStepText)
	r.steps = append(r.steps, rest.ChaosStep{
		Seq: r.told.Dropped + uint64(len(r.steps)) + 1, At: s.At.UTC(), Kind: string(s.Kind), Line: s.Line, Text: text,
	})
	r.bytes += stepBytes + len(text)
	for r.bytes > maxStepBytes {
		r.bytes -= stepBytes + len(r.steps[0].Text)
		r.steps = r.steps[1:]
		r.told.Dropped++
	}
	close(r.changed)
	r.changed = make(chan struct{})
}

// outcome is what a run came to.
type outcome struct {
	result *chaos.Result // nil: no verdict
	err    error         // why there is none
	heal   error         // what could not be healed
}

// end notes how the run ended. draining says that the process ends.
func (r *nodeRun) end(now time.Time, o outcome, draining bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := now.UTC()
	r.told.Ended = &at
	why := o.heal
	switch {
	case o.result != nil:
		r.told.State = rest.RunNotHeld
		if o.result.Verdict.Held {
			r.told.State = rest.RunHeld
		}
		why = errors.Join(why, r.keep(o.result))
	case draining:
		r.told.State = rest.RunStopped
		why = errors.Join(errors.New("the node was stopped"), why)
	case r.asked.Err() != nil:
		r.told.State = rest.RunStopped
	default:
		r.told.State = rest.RunFailed
		why = errors.Join(o.err, why)
	}
	if why != nil {
		r.told.Error = clip(why.Error(), maxRunError)
	}
	close(r.changed) // and stays so
	close(r.done)
	r.stop()
}

// keep keeps timeline and verdict.
func (r *nodeRun) keep(result *chaos.Result) error {
	var err, failed error
	if r.told.Verdict, err = json.Marshal(result.Verdict); err != nil {
		failed = err
	}
	line, err := json.Marshal(chaos.TimelineOf(result.History))
	switch {
	case err != nil:
		return errors.Join(failed, err)
	case len(line) > maxRunTimeline:
		return errors.Join(failed, errors.New("the timeline is too long to be kept: `syncline chaos run --report` writes it to a folder"))
	}
	r.told.Timeline = line
	return failed
}
