package main

import (
	"context"

	"github.com/syncline/syncline/node/rest"
)

// newChaos makes what the API needs to run scripts and to set presets.
func (n *dataNode) newChaos() {
	n.scripts.roster = n.roster
	n.runs = newNodeRuns(nodeRunsConfig{
		Node: n.me.Name, Roster: n.roster, Bound: boundOf(n.cfg.timing, n.roster.votes()), Scripts: n.scripts, Tell: n.tellRun,
	})
}

// runChaos carries out the runs that the API asks for, if the process takes chaos.
func (n *dataNode) runChaos(ctx context.Context) error {
	if n.cfg.chaos {
		return n.runs.Run(ctx)
	}
	<-ctx.Done()
	return ctx.Err()
}

// tellRun tells the events and the log of a run. Steps, timeline and verdict are
// for those who ask for the run.
func (n *dataNode) tellRun(state string, run rest.ChaosRun) {
	run.Timeline, run.Verdict = nil, nil
	n.events.Add(eventChaos, struct {
		State string        `json:"state"` // begun or ended
		Run   rest.ChaosRun `json:"run"`
	}{state, run})
	n.log.Named("chaos").Info("a run has "+state, "run", run.ID, "script", run.Script, "seed", run.Seed, "state", run.State, "error", run.Error)
}
