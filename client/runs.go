package client

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// States of a run of a chaos script.
const (
	RunRunning = "running"
	RunHeld    = "held"     // it has a verdict: all held
	RunNotHeld = "not_held" // it has a verdict: something did not hold
	RunFailed  = "failed"   // it came to no verdict: ChaosRun.Error
	RunStopped = "stopped"  // somebody stopped it, or its node was
)

// stopTime is how long a node may take to stop a run, or to heal the cluster.
const stopTime = 30 * time.Second

// Paths of scripts, runs and presets.
const (
	scriptsPath = "/v1/chaos/scripts"
	runsPath    = "/v1/chaos/runs"
	presetsPath = "/v1/chaos/presets"
	healPath    = "/v1/chaos/heal"
)

// ChaosScript is a chaos script that a node offers.
type ChaosScript struct {
	Name    string   `json:"name"`
	About   string   `json:"about"`
	Data    []string `json:"data"`    // names of the data nodes that it wants
	Witness string   `json:"witness"` // empty: it wants none
	Fits    bool     `json:"fits"`    // it can be run on the node's cluster as it is
	WhyNot  string   `json:"why_not"`
	Source  string   `json:"source,omitempty"` // of ChaosScript alone
}

// ChaosStep is something that a run did or saw, or waits for.
type ChaosStep struct {
	Seq  uint64    `json:"seq"` // from 1
	At   time.Time `json:"at"`
	Kind string    `json:"kind"` // net, note, claim, wrong, wait, state, client or timeline
	Line int       `json:"line"` // of the script; 0: it is of no line
	Text string    `json:"text"`
}

// ChaosRun is one run of a script on the cluster of the node that carries it out.
type ChaosRun struct {
	ID      string      `json:"id"`
	Script  string      `json:"script"`
	Seed    uint64      `json:"seed"`
	Node    string      `json:"node"`
	State   string      `json:"state"`
	Started time.Time   `json:"started"`
	Ended   *time.Time  `json:"ended"` // nil: it goes on
	Error   string      `json:"error"`
	Dropped uint64      `json:"dropped"`         // how many of the first steps are not kept any more
	Steps   []ChaosStep `json:"steps,omitempty"` // not in lists and streams
	// Timeline and Verdict are those of a report (timeline.json, verdict.json), nil
	// or null without a verdict.
	Timeline json.RawMessage `json:"timeline"`
	Verdict  json.RawMessage `json:"verdict"`
}

// chaosJSON makes a call about chaos, at the one node of a pinned client, and
// decodes its answer.
func chaosJSON[T any](ctx context.Context, c *Client, r *call) (*T, error) {
	out := new(T)
	if err := c.fault(ctx, r, out); err != nil {
		return nil, err
	}
	return out, nil
}

// ChaosScripts lists the scripts that the one node of a client that At gave
// offers. The node must have been started with --chaos.
func (c *Client) ChaosScripts(ctx context.Context) ([]ChaosScript, error) {
	list, err := chaosJSON[struct {
		Scripts []ChaosScript `json:"scripts"`
	}](ctx, c, &call{method: http.MethodGet, path: scriptsPath})
	if err != nil {
		return nil, err
	}
	return list.Scripts, nil
}

// ChaosScript reads one script with its source.
func (c *Client) ChaosScript(ctx context.Context, name string) (*ChaosScript, error) {
	return chaosJSON[ChaosScript](ctx, c, &call{method: http.MethodGet, path: scriptsPath + "/" + url.PathEscape(name)})
}

// StartRun runs a script on the cluster of the one node of a client that At gave;
// without a seed the node draws one. Errors are of the codes NotFound,
// InvalidScript, and RunInProgress: a node carries out one run at a time.
func (c *Client) StartRun(ctx context.Context, name string, seed *uint64) (*ChaosRun, error) {
	r := &call{method: http.MethodPost, path: scriptsPath + "/" + url.PathEscape(name) + "/run"}
	if seed != nil {
		r.body = strconv.AppendUint([]byte(`{"seed":`), *seed, 10)
		r.body = append(r.body, '}')
	}
	return chaosJSON[ChaosRun](ctx, c, r)
}

// ChaosRuns lists the runs that the node keeps, newest first, without their steps.
func (c *Client) ChaosRuns(ctx context.Context) ([]ChaosRun, error) {
	list, err := chaosJSON[struct {
		Runs []ChaosRun `json:"runs"`
	}](ctx, c, &call{method: http.MethodGet, path: runsPath})
	if err != nil {
		return nil, err
	}
	return list.Runs, nil
}

// ChaosRun reads one run with its steps.
func (c *Client) ChaosRun(ctx context.Context, id string) (*ChaosRun, error) {
	return chaosJSON[ChaosRun](ctx, c, &call{method: http.MethodGet, path: runsPath + "/" + url.PathEscape(id)})
}

// StopRun stops a run and returns when all that it broke is healed. One that has
// ended is returned as it is. The error is of the code Busy when it took the node
// too long: ask again.
func (c *Client) StopRun(ctx context.Context, id string) (*ChaosRun, error) {
	if id == "" {
		return nil, &Error{Op: http.MethodDelete + " " + runsPath, Code: Invalid, Err: errors.New("the id of the run is empty")}
	}
	return chaosJSON[ChaosRun](ctx, c, &call{method: http.MethodDelete, path: runsPath + "/" + url.PathEscape(id), time: stopTime})
}

// ChaosRunEvent is a step of a run, or at its end the run: one of the two is set.
type ChaosRunEvent struct {
	Step *ChaosStep
	Run  *ChaosRun // without its steps
}

// WatchRun yields the steps of a run behind one with this number (0: all), and at
// last the run, which has ended. It goes on when the connection is lost. After an
// error it ends.
func (c *Client) WatchRun(ctx context.Context, id string, after uint64) iter.Seq2[ChaosRunEvent, error] {
	return func(yield func(ChaosRunEvent, error) bool) {
		r := &call{
			method: http.MethodGet, path: runsPath + "/" + url.PathEscape(id), query: url.Values{"feed": {"ndjson"}}, header: http.Header{},
		}
		if !c.cfg.Pinned {
			yield(ChaosRunEvent{}, &Error{Op: r.op(), Code: Invalid, Err: errNotPinned})
			return
		}
		seen := func(n uint64) {
			if n > 0 {
				r.header.Set("Last-Event-ID", strconv.FormatUint(n, 10))
			}
		}
		seen(after)
		e := &endless{c: c, r: r}
		e.line = func(from string, text []byte) (bool, error) {
			var event struct {
				Event string          `json:"event"`
				Data  json.RawMessage `json:"data"`
			}
			if ended, err := e.read(from, text, &event); err != nil || ended {
				return true, err
			}
			switch event.Event {
			case "step":
				step := &ChaosStep{}
				if _, err := e.read(from, event.Data, step); err != nil {
					return false, err
				}
				seen(step.Seq)
				return yield(ChaosRunEvent{Step: step}, nil), nil
			case "run":
				run := &ChaosRun{}
				if _, err := e.read(from, event.Data, run); err != nil {
					return false, err
				}
				yield(ChaosRunEvent{Run: run}, nil)
				return false, nil
			}
			return true, nil // a sign of life
		}
		if err := e.run(ctx); err != nil {
			yield(ChaosRunEvent{}, err)
		}
	}
}

// ChaosPreset is a shape of faults with a name.
type ChaosPreset struct {
	Name  string   `json:"name"`
	About string   `json:"about"`
	Takes []string `json:"takes"` // what must be given: node, from, to, delay
}

// ChaosPresetRequest is what a preset is set with.
type ChaosPresetRequest struct {
	Node     string `json:"node,omitempty"`
	From     string `json:"from,omitempty"`
	To       string `json:"to,omitempty"`
	Delay    Span   `json:"delay,omitempty"` // slow: latency of each direction; flap: the period
	Duration Span   `json:"duration"`        // mandatory: chaos that is forgotten must end
}

// PlacedFault is a fault and the process that has it.
type PlacedFault struct {
	Node string `json:"node"`
	Fault
}

// ChaosUnreachable is a process that did not do its part, and why.
type ChaosUnreachable struct {
	Node  string `json:"node"`
	Error string `json:"error"`
}

// ChaosPresetSet is what came of a preset.
type ChaosPresetSet struct {
	Preset      string             `json:"preset"`
	Expires     time.Time          `json:"expires"` // of the last fault
	Faults      []PlacedFault      `json:"faults"`
	Unreachable []ChaosUnreachable `json:"unreachable"`
}

// ChaosHealed is what healing everything has ended.
type ChaosHealed struct {
	Healed []struct {
		Node   string `json:"node"`
		Faults int    `json:"faults"`
	} `json:"healed"`
	Stopped     []string           `json:"stopped"` // ids of runs of the node that was asked
	Unreachable []ChaosUnreachable `json:"unreachable"`
}

// ChaosPresets lists the presets.
func (c *Client) ChaosPresets(ctx context.Context) ([]ChaosPreset, error) {
	list, err := chaosJSON[struct {
		Presets []ChaosPreset `json:"presets"`
	}](ctx, c, &call{method: http.MethodGet, path: presetsPath})
	if err != nil {
		return nil, err
	}
	return list.Presets, nil
}

// SetPreset puts a preset on the processes at both ends of its links. Look at
// Unreachable of the answer: who is named there has not taken its part.
func (c *Client) SetPreset(ctx context.Context, name string, want ChaosPresetRequest) (*ChaosPresetSet, error) {
	r := &call{method: http.MethodPost, path: presetsPath + "/" + url.PathEscape(name), header: http.Header{"Content-Type": {"application/json"}}}
	var err error
	if r.body, err = json.Marshal(want); err != nil {
		return nil, &Error{Op: r.op(), Code: Invalid, Err: err}
	}
	return chaosJSON[ChaosPresetSet](ctx, c, r)
}

// HealCluster stops the run of the one node of a client that At gave, and ends all
// faults of every process of its roster.
func (c *Client) HealCluster(ctx context.Context) (*ChaosHealed, error) {
	return chaosJSON[ChaosHealed](ctx, c, &call{method: http.MethodPost, path: healPath, time: stopTime})
}
