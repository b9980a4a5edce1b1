package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/syncline/syncline/client"
	"github.com/syncline/syncline/scripts/chaos"
)

// stopAsked is how long a run that is interrupted may take to stop.
const stopAsked = 30 * time.Second

// oneNode is a client for the node that answers, and for no other: scripts, runs
// and presets are a node's own.
func (r *remote) oneNode(ctx context.Context) (*client.Client, error) {
	cluster, err := r.client.Cluster(ctx)
	if err != nil {
		return nil, err
	}
	return r.client.At(cluster.URL)
}

// onNode makes the action of a command from a function that asks one node about
// chaos.
func onNode(a *app, act func(context.Context, *remote, *client.Client, []string) error) func(*cobra.Command, []string) error {
	return connect(a, func(ctx context.Context, r *remote, args []string) error {
		at, err := r.oneNode(ctx)
		if err != nil {
			return err
		}
		err = act(ctx, r, at, args)
		if errors.Is(err, client.Code("unknown_route")) {
			return chaosError("the node", err)
		}
		return err
	})
}

// newChaosScriptsCommand lists the scripts of a node.
func newChaosScriptsCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "scripts [NAME]", Short: "List the scripts that a node offers, or show one", Args: cobra.MaximumNArgs(1),
		RunE: onNode(a, func(ctx context.Context, r *remote, at *client.Client, args []string) error {
			if len(args) == 1 {
				one, err := at.ChaosScript(ctx, args[0])
				if err != nil {
					return err
				}
				return r.showScript(one)
			}
			all, err := at.ChaosScripts(ctx)
			if err != nil {
				return err
			}
			return r.showScripts(all)
		}),
	}
}

// showScript shows a script's source, and beside it why it does not fit.
func (r *remote) showScript(s *client.ChaosScript) error {
	if r.output != asTable {
		return r.json(s)
	}
	if !s.Fits {
		r.note("it does not fit this cluster: %s", s.WhyNot)
	}
	_, err := fmt.Fprintln(r.out, printableLines(strings.TrimSuffix(s.Source, "\n")))
	return err
}

func (r *remote) showScripts(all []client.ChaosScript) error {
	switch r.output {
	case asJSON:
		return r.json(struct {
			Scripts []client.ChaosScript `json:"scripts"`
		}{all})
	case asNDJSON:
		for _, s := range all {
			if err := r.json(s); err != nil {
				return err
			}
		}
		return nil
	}
	t := table{head: []string{"NAME", "CLUSTER", "FITS", "ABOUT"}}
	for _, s := range all {
		cluster := strings.Join(s.Data, " ")
		if s.Witness != "" {
			cluster += " " + s.Witness
		}
		fits, about := cell{"yes", good}, s.About
		if !s.Fits {
			fits, about = cell{"no", caution}, s.WhyNot
		}
		t.add(cell{s.Name, strong}, text(cluster), fits, text(about))
	}
	return t.write(r.out, r.colour)
}

// newChaosStartCommand runs a script on the cluster of a node.
func newChaosStartCommand(a *app) *cobra.Command {
	var seed uint64
	cmd := &cobra.Command{
		Use: "start NAME", Short: "Run a script of a node on its own cluster", Args: exactArgs(1),
		Long: "Starts a script that the node offers, on the cluster of the node, over its API. With --watch it prints what the run\n" +
			"does, and at the end a timeline and the verdict; exits with 1 when it did not hold, and Ctrl-C stops the run, which heals.",
		Example:     "  syncline chaos start split_brain --watch",
		Annotations: map[string]string{watchable: "yes"},
	}
	cmd.Flags().Uint64Var(&seed, "seed", 0, "of everything that is random; without it, the node draws one")
	cmd.RunE = onNode(a, func(ctx context.Context, r *remote, at *client.Client, args []string) error {
		want := &seed
		if !cmd.Flags().Changed("seed") {
			want = nil
		}
		run, err := at.StartRun(ctx, args[0], want)
		if err != nil {
			return err
		}
		if !r.watch {
			return r.showRuns([]client.ChaosRun{*run})
		}
		err = r.watchRun(ctx, at, run)
		if ctx.Err() == nil {
			return err
		}
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopAsked)
		defer cancel()
		if _, err := at.StopRun(stopping, run.ID); err != nil {
			return fmt.Errorf("interrupted, and run %s could not be stopped; its faults end by themselves: %w", run.ID, err)
		}
		return errors.New("interrupted: the run is stopped, and all that it broke is healed")
	})
	return cmd
}

// watchRun prints the steps of a run as they come, and what it came to.
func (r *remote) watchRun(ctx context.Context, at *client.Client, run *client.ChaosRun) error {
	if r.output == asTable {
		fmt.Fprintf(r.out, "%s, seed %d, at node %s: run %s\n", run.Script, run.Seed, run.Node, run.ID)
	}
	for event, err := range at.WatchRun(ctx, run.ID, 0) {
		switch {
		case err != nil:
			return err
		case event.Run != nil:
			return r.showOutcome(event.Run)
		}
		if err := r.showStep(run, event.Step); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// showStep shows a step as `chaos run` does.
func (r *remote) showStep(run *client.ChaosRun, s *client.ChaosStep) error {
	if r.output != asTable {
		return r.json(s)
	}
	step := chaos.Step{Since: max(0, s.At.Sub(run.Started)), Kind: chaos.StepKind(s.Kind), Text: printableLines(s.Text)}
	_, err := io.WriteString(r.out, step.String())
	return err
}

// showOutcome shows what a run came to. The error says why it is no success.
func (r *remote) showOutcome(run *client.ChaosRun) error {
	var err error
	if r.output != asTable {
		err = r.json(run)
	} else {
		err = r.showVerdict(run)
	}
	switch {
	case err != nil:
		return err
	case run.State == client.RunHeld || run.State == client.RunRunning:
		return nil
	case run.Error != "":
		return fmt.Errorf("%s %s: %s", run.Script, stateWords(run.State), run.Error)
	}
	return fmt.Errorf("%s %s (seed %d)", run.Script, stateWords(run.State), run.Seed)
}

// stateWords are a state of a run in words.
func stateWords(state string) string {
	switch state {
	case client.RunNotHeld:
		return "did not hold"
	case client.RunStopped:
		return "was stopped"
	}
	return state
}

// showVerdict shows timeline and verdict, of a run that has them.
func (r *remote) showVerdict(run *client.ChaosRun) error {
	var timeline *chaos.Timeline
	var verdict *chaos.Verdict
	for _, one := range []struct {
		text json.RawMessage
		into any
	}{{run.Timeline, &timeline}, {run.Verdict, &verdict}} {
		if len(one.text) == 0 {
			continue
		}
		if err := json.Unmarshal(one.text, one.into); err != nil {
			return fmt.Errorf("the verdict of run %s cannot be read: %w", run.ID, err)
		}
	}
	if timeline != nil {
		if _, err := fmt.Fprintln(r.out, timeline.Text()); err != nil {
			return err
		}
	}
	if verdict != nil {
		return verdict.Write(r.out)
	}
	return nil
}

// newChaosRunsCommand shows runs.
func newChaosRunsCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "runs [ID]", Short: "List the runs of a node, or show one", Args: cobra.MaximumNArgs(1),
		Long:        "Lists the last runs that a node has carried out over its API, or shows what one has done; with --watch, as it goes on.",
		Annotations: map[string]string{watchable: "yes"},
		RunE: onNode(a, func(ctx context.Context, r *remote, at *client.Client, args []string) error {
			if len(args) == 0 {
				return r.show(ctx, func(ctx context.Context, r *remote) error {
					runs, err := at.ChaosRuns(ctx)
					if err != nil {
						return err
					}
					return r.showRuns(runs)
				})
			}
			run, err := at.ChaosRun(ctx, args[0])
			switch {
			case err != nil:
				return err
			case r.watch:
				return r.watchRun(ctx, at, run)
			case r.output != asTable:
				return r.json(run)
			}
			return r.showRun(run)
		}),
	}
}

// showRun shows one run with its steps. Looking at it succeeds whatever came of it.
func (r *remote) showRun(run *client.ChaosRun) error {
	if err := r.showRuns([]client.ChaosRun{*run}); err != nil {
		return err
	}
	for i := range run.Steps {
		if err := r.showStep(run, &run.Steps[i]); err != nil {
			return err
		}
	}
	if run.Error != "" {
		fmt.Fprintln(r.out, printableLines(run.Error))
	}
	return r.showVerdict(run)
}

func (r *remote) showRuns(runs []client.ChaosRun) error {
	switch r.output {
	case asJSON:
		return r.json(struct {
			Runs []client.ChaosRun `json:"runs"`
		}{runs})
	case asNDJSON:
		for _, run := range runs {
			if err := r.json(run); err != nil {
				return err
			}
		}
		return nil
	}
	t := table{head: []string{"RUN", "SCRIPT", "SEED", "NODE", "STATE", "BEGAN", "TOOK"}}
	for _, run := range runs {
		state, ended := cell{run.State, plain}, time.Now()
		switch run.State {
		case client.RunHeld:
			state.style = good
		case client.RunNotHeld, client.RunFailed:
			state.style = bad
		}
		if run.Ended != nil {
			ended = *run.Ended
		}
		t.add(cell{run.ID, strong}, text(run.Script), text(strconv.FormatUint(run.Seed, 10)), text(run.Node), state, text(clock(run.Started)), text(span(ended.Sub(run.Started))))
	}
	return t.write(r.out, r.colour)
}

// newChaosStopCommand stops a run.
func newChaosStopCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "stop ID", Short: "Stop a run of a node, and heal what it broke", Args: exactArgs(1),
		RunE: onNode(a, func(ctx context.Context, r *remote, at *client.Client, args []string) error {
			run, err := at.StopRun(ctx, args[0])
			if err != nil {
				return err
			}
			if r.output == asTable && run.Error != "" {
				r.note("%s", run.Error)
			}
			run.Steps = nil
			return r.showRuns([]client.ChaosRun{*run})
		}),
	}
}
