package rest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/syncline/syncline/conflict/script"
	"github.com/syncline/syncline/node"
)

// maxStart is the longest body that starts a run, in bytes.
const maxStart = 1 << 10

// States of a run.
const (
	RunRunning = "running"
	RunHeld    = "held"     // it has a verdict: all held
	RunNotHeld = "not_held" // it has a verdict: something did not hold
	RunFailed  = "failed"   // it came to no verdict: error says why
	RunStopped = "stopped"  // somebody stopped it, or the process was
)

// ChaosRuns carries out chaos scripts on this node's own cluster, one at a time.
// It is safe for concurrent use.
type ChaosRuns interface {
	// Scripts lists the scripts, by name and without their source. One that is
	// wrong, or does not fit this cluster, is among them and says why.
	Scripts() ([]ChaosScript, error)
	// Script is one with its source. Errors are of kind NotFound, or Invalid for
	// what cannot be a name.
	Script(name string) (ChaosScript, error)
	// Start begins a run; without a seed it draws one. Errors are those of Script;
	// RunInProgress around a *RunningError; InvalidScript around a
	// *ChaosScriptError; Draining.
	Start(name string, seed *uint64) (ChaosRun, error)
	// Runs lists the runs that are kept, newest first, without their steps.
	Runs() []ChaosRun
	// Find is one of them, to be read while it goes on. The error is of kind
	// NotFound.
	Find(id string) (ChaosRunReader, error)
	// Stop ends a run and returns when all that it broke is healed, for a bounded
	// time. One that has ended stays as it is. Errors are of kind NotFound, or
	// Busy when the time was too short.
	Stop(ctx context.Context, id string) error
}

// ChaosRunReader reads one run.
type ChaosRunReader interface {
	// Run is what it has come to, without its steps.
	Run() ChaosRun
	// Steps are the next steps after one with this number, at most limit; 0 are
	// all. Changed is closed at the next step and when the run ends, at once when
	// it has ended.
	Steps(after uint64, limit int) (steps []ChaosStep, changed <-chan struct{})
}

// ChaosScript is a script that the node offers.
type ChaosScript struct {
	Name    string   `json:"name"`
	About   string   `json:"about"`   // what it shows
	Data    []string `json:"data"`    // names of the data nodes that it wants
	Witness string   `json:"witness"` // empty: it wants none
	Fits    bool     `json:"fits"`    // it can be run on this cluster as it is
	WhyNot  string   `json:"why_not"` // with place and advice; empty when it fits
	Source  string   `json:"source,omitempty"`
}

// ChaosRun is one run of a script.
type ChaosRun struct {
	ID      string     `json:"id"`
	Script  string     `json:"script"`
	Seed    uint64     `json:"seed"`
	Node    string     `json:"node"` // that carries it out, and has it in memory
	State   string     `json:"state"`
	Started time.Time  `json:"started"`
	Ended   *time.Time `json:"ended"` // null: it goes on
	Error   string     `json:"error"` // why it came to no verdict, or could not be healed
	// Dropped is how many of the first steps are not kept any more.
	Dropped  uint64          `json:"dropped"`
	Steps    []ChaosStep     `json:"steps,omitzero"`
	Timeline json.RawMessage `json:"timeline"` // that of the report; null without a verdict
	Verdict  json.RawMessage `json:"verdict"`  // that of the report; null without one
}

// ChaosStep is something that a run did or saw, or waits for.
type ChaosStep struct {
	Seq  uint64    `json:"seq"` // from 1, without gaps
	At   time.Time `json:"at"`
	Kind string    `json:"kind"` // net, note, claim, wrong, wait, state, client or timeline
	Line int       `json:"line"` // of the script; 0: it is of no line
	Text string    `json:"text"`
}

// RunningError is why no run can start: another one is under way.
type RunningError struct{ ID string }

// Error implements error.
func (e *RunningError) Error() string {
	return "run " + e.ID + " is under way, and a node carries out one at a time: watch it, or stop it"
}

// ChaosScriptError is why a script cannot be run here.
type ChaosScriptError struct {
	File     string
	Problems []script.Problem // at least one
}

// Error implements error.
func (e *ChaosScriptError) Error() string {
	var lines []string
	for _, p := range e.Problems {
		lines = append(lines, fmt.Sprintf("%s:%d:%d: %s", e.File, p.Line, p.Column, p.Msg))
	}
	return strings.Join(lines, "\n")
}

// runs are the runs of this process, which has them only with chaos.
func (s *Server) runs() (ChaosRuns, error) {
	if s.cfg.ChaosRuns == nil {
		return nil, withoutChaos()
	}
	return s.cfg.ChaosRuns, s.chaosOn()
}

func (s *Server) listScripts(c echo.Context) error {
	runs, err := s.runs()
	if err != nil {
		return err
	}
	scripts, err := runs.Scripts()
	if err != nil {
		return err
	}
	return replyJSON(c.Response(), http.StatusOK, struct {
		Scripts []ChaosScript `json:"scripts"`
	}{filled(scripts)})
}

func (s *Server) getScript(c echo.Context) error {
	runs, name, err := s.ofRuns(c)
	if err != nil {
		return err
	}
	one, err := runs.Script(name)
	if err != nil {
		return err
	}
	return replyJSON(c.Response(), http.StatusOK, one)
}

// ofRuns is what a route needs that names a script or a run.
func (s *Server) ofRuns(c echo.Context) (runs ChaosRuns, name string, err error) {
	if runs, err = s.runs(); err == nil {
		name, err = segment(c, 0)
	}
	return runs, name, err
}

// runScript starts a run. The body may be empty.
func (s *Server) runScript(c echo.Context) error {
	runs, name, err := s.ofRuns(c)
	if err != nil {
		return err
	}
	body, err := readBody(c.Request(), maxStart)
	if err != nil {
		return err
	}
	var want struct {
		Seed *uint64 `json:"seed"`
	}
	if len(body) > 0 {
		if err := decodeStrict(body, &want); err != nil {
			return err
		}
	}
	run, err := runs.Start(name, want.Seed)
	if err != nil {
		return err
	}
	run.Steps = filled(run.Steps)
	c.Response().Header()[headLocation] = []string{"/v1/chaos/runs/" + run.ID}
	return replyJSON(c.Response(), http.StatusCreated, run)
}

func (s *Server) listRuns(c echo.Context) error {
	runs, err := s.runs()
	if err != nil {
		return err
	}
	return replyJSON(c.Response(), http.StatusOK, struct {
		Runs []ChaosRun `json:"runs"`
	}{filled(runs.Runs())})
}

// getRun answers a run as it is, or streams it.
func (s *Server) getRun(c echo.Context) error {
	runs, id, err := s.ofRuns(c)
	if err != nil {
		return err
	}
	feed, err := runFeed(c.Request())
	if err != nil {
		return err
	}
	run, err := runs.Find(id)
	if err != nil {
		return err
	}
	if feed != feedPage {
		return s.streamRun(c, run, feed)
	}
	return replyJSON(c.Response(), http.StatusOK, wholeRun(run))
}

// stopRun ends a run, and answers when it is healed.
func (s *Server) stopRun(c echo.Context) error {
	runs, id, err := s.ofRuns(c)
	if err != nil {
		return err
	}
	run, err := runs.Find(id)
	if err == nil {
		err = runs.Stop(c.Request().Context(), id)
	}
	if err != nil {
		return err
	}
	return replyJSON(c.Response(), http.StatusOK, wholeRun(run))
}

// wholeRun is a run with its steps. Its state is read before them: of one that
// has ended they are all there.
func wholeRun(r ChaosRunReader) ChaosRun {
	run := r.Run()
	steps, _ := r.Steps(0, 0)
	run.Steps = filled(steps)
	return run
}

// currentRun is the run that is under way, nil when none is.
func (s *Server) currentRun() *ChaosRun {
	if s.cfg.ChaosRuns == nil {
		return nil
	}
	for _, run := range s.cfg.ChaosRuns.Runs() {
		if run.State == RunRunning {
			return &run
		}
	}
	return nil
}

// errNoStep is why a stream of a run cannot go on.
func errNoStep(last string) error {
	return &node.Error{Op: "request", Kind: node.BadCursor, Err: fmt.Errorf("Last-Event-ID %.40q is no step of this run", last)}
}
