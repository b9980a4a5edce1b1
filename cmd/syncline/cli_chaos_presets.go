package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/syncline/syncline/client"
	"github.com/syncline/syncline/node/link"
	"github.com/syncline/syncline/scripts/chaos"
)

// newChaosPresetCommand sets presets.
func newChaosPresetCommand(a *app) *cobra.Command {
	var lasts, delay time.Duration
	cmd := &cobra.Command{
		Use: "preset [NAME [MEMBER...]]", Short: "Cut several links at once by a preset, or list the presets",
		Long: "Puts a preset on the processes at both ends of its links, for a limited time: NAME with the members that it takes, in\n" +
			"their order. Without NAME it lists the presets.",
		Example: "  syncline chaos preset isolate b --for 30s\n  syncline chaos preset slow a b --delay 50ms --for 1m",
		RunE: onNode(a, func(ctx context.Context, r *remote, at *client.Client, args []string) error {
			presets, err := at.ChaosPresets(ctx)
			if err != nil {
				return err
			}
			if len(args) == 0 {
				return r.showPresets(presets)
			}
			want, err := presetRequest(presets, args)
			if err != nil {
				return err
			}
			want.Delay, want.Duration = client.Span(delay), client.Span(lasts)
			set, err := at.SetPreset(ctx, args[0], want)
			if err != nil {
				return err
			}
			return r.showPresetSet(set)
		}),
	}
	cmd.Flags().DurationVar(&lasts, "for", defaultCut, "how long; it heals by itself then")
	cmd.Flags().DurationVar(&delay, "delay", 0, "slow: by how much, in each direction; flap: the period")
	return cmd
}

// presetRequest gives members to what a preset takes, in its order.
func presetRequest(presets []client.ChaosPreset, args []string) (want client.ChaosPresetRequest, err error) {
	i := slices.IndexFunc(presets, func(p client.ChaosPreset) bool { return p.Name == args[0] })
	if i < 0 {
		var names []string
		for _, p := range presets {
			names = append(names, p.Name)
		}
		return want, usagef("no preset %q; there are %s", args[0], strings.Join(names, ", "))
	}
	takes := slices.DeleteFunc(slices.Clone(presets[i].Takes), func(one string) bool { return one == chaos.TakesDelay })
	if len(takes) != len(args)-1 {
		words := "takes no member"
		if len(takes) > 0 {
			words = "takes " + strings.ToUpper(strings.Join(takes, " "))
		}
		return want, usagef("%s %s, not %q", args[0], words, args[1:])
	}
	for i, one := range takes {
		switch one {
		case chaos.TakesNode:
			want.Node = args[i+1]
		case chaos.TakesFrom:
			want.From = args[i+1]
		case chaos.TakesTo:
			want.To = args[i+1]
		}
	}
	return want, nil
}

func (r *remote) showPresets(presets []client.ChaosPreset) error {
	switch r.output {
	case asJSON:
		return r.json(struct {
			Presets []client.ChaosPreset `json:"presets"`
		}{presets})
	case asNDJSON:
		for _, p := range presets {
			if err := r.json(p); err != nil {
				return err
			}
		}
		return nil
	}
	t := table{head: []string{"NAME", "TAKES", "ABOUT"}}
	for _, p := range presets {
		t.add(cell{p.Name, strong}, text(strings.Join(p.Takes, " ")), text(p.About))
	}
	return t.write(r.out, r.colour)
}

// showPresetSet shows the faults of a preset. A process that has not taken its
// part makes it an error: the preset is not what was asked for.
func (r *remote) showPresetSet(set *client.ChaosPresetSet) error {
	if r.output != asTable {
		if err := r.json(set); err != nil {
			return err
		}
	} else {
		var put []placed
		for _, f := range set.Faults {
			put = append(put, placed{f.Node, f.Fault})
		}
		if err := r.showFaults(put); err != nil {
			return err
		}
	}
	var failed []error
	for _, u := range set.Unreachable {
		failed = append(failed, fmt.Errorf("%s has not taken its part: %s", u.Node, u.Error))
	}
	return errors.Join(failed...)
}

// newFlapCommand cuts and heals a link in turn.
func newFlapCommand(a *app) *cobra.Command {
	var lasts, period time.Duration
	cmd := &cobra.Command{
		Use: "flap A B", Short: "Cut and heal the link between two members in turn", Args: exactArgs(2),
		Long:    "Cuts the link between two members for the first half of each period, on both ends.",
		Example: "  syncline chaos flap a b --period 2s --for 30s",
		RunE: connect(a, func(ctx context.Context, r *remote, args []string) error {
			switch {
			case lasts <= 0 || lasts > maxCut:
				return usagef("--for %s: above 0s, at most %s", lasts, maxCut)
			case period < link.MinFlapPeriod || period > link.MaxFlapPeriod:
				return usagef("--period %s: %s to %s", period, link.MinFlapPeriod, link.MaxFlapPeriod)
			}
			ends, err := findEnds(ctx, r.client, args)
			if err != nil {
				return err
			}
			put, err := breakLink(ctx, ends, client.Fault{
				From: args[0], To: args[1], Kind: client.FaultFlap, Both: true, Duration: client.Span(lasts), Delay: client.Span(period),
			})
			if err != nil {
				return err
			}
			return r.showFaults(put)
		}),
	}
	cmd.Flags().DurationVar(&period, "period", link.DefaultFlapPeriod, "one cut and one healed half")
	cmd.Flags().DurationVar(&lasts, "for", defaultCut, "how long; it heals by itself then")
	return cmd
}

// stopRuns stops the runs that members carry out, so that nothing is broken again
// once it is healed, and says how many there were. A member that cannot be reached
// is found again when it is healed.
func stopRuns(ctx context.Context, members []end) (stopped int, failed error) {
	for _, e := range members {
		n, err := stopRunsOf(ctx, e.client)
		stopped += n
		if err != nil && !errors.Is(err, client.Unreachable) {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", e.name, err))
		}
	}
	return stopped, failed
}

func stopRunsOf(ctx context.Context, at *client.Client) (stopped int, err error) {
	runs, err := at.ChaosRuns(ctx)
	if e, ok := errors.AsType[*client.Error](err); ok && (e.Code == "unknown_route" || e.Status == http.StatusMisdirectedRequest) {
		return 0, nil // a witness, or a member without chaos, runs none
	}
	if err != nil {
		return 0, err
	}
	for _, run := range runs {
		if run.State != client.RunRunning {
			continue
		}
		if _, err := at.StopRun(ctx, run.ID); err != nil {
			return stopped, err
		}
		stopped++
	}
	return stopped, nil
}
