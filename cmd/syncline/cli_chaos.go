package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/syncline/syncline/client"
)

const (
	// defaultCut is how long a cut lasts that does not say it. Every fault has an
	// end.
	defaultCut = 30 * time.Second

	// maxCut is the longest that a node takes.
	maxCut = 24 * time.Hour

	// undoWithin is how long taking back half a cut may take.
	undoWithin = 5 * time.Second
)

// newChaosCommand breaks links on purpose.
func newChaosCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "chaos", Short: "Cut links on purpose, and heal them",
		Long: "Cuts links between members that were started with --chaos, each for a limited time, and heals them.",
	}
	cmd.AddCommand(
		newCutCommand(a), newFlapCommand(a), newSlowCommand(a), newLoseCommand(a), newChaosPresetCommand(a), newHealCommand(a), newFaultsCommand(a),
		newChaosScriptsCommand(a), newChaosStartCommand(a), newChaosRunsCommand(a), newChaosStopCommand(a),
		newChaosRunCommand(a), newChaosCheckCommand(a),
	)
	return cmd
}

// newCutCommand cuts a link.
func newCutCommand(a *app) *cobra.Command {
	var oneWay bool
	var lasts time.Duration
	cmd := &cobra.Command{
		Use: "cut A B", Short: "Cut the link between two members", Args: exactArgs(2),
		Long:    "Cuts the link between two members, on both ends. With --one-way, only what A sends to B is lost.",
		Example: "  syncline chaos cut a b --for 30s",
		RunE: connect(a, func(ctx context.Context, r *remote, args []string) error {
			if lasts <= 0 || lasts > maxCut {
				return usagef("--for %s: above 0s, at most %s", lasts, maxCut)
			}
			ends, err := findEnds(ctx, r.client, args)
			if err != nil {
				return err
			}
			fault := client.Fault{From: args[0], To: args[1], Kind: client.FaultCut, Both: !oneWay, Duration: client.Span(lasts)}
			put, err := breakLink(ctx, ends, fault)
			if err != nil {
				return err
			}
			return r.showFaults(put)
		}),
	}
	cmd.Flags().BoolVar(&oneWay, "one-way", false, "lose only what A sends to B")
	cmd.Flags().DurationVar(&lasts, "for", defaultCut, "how long; it heals by itself then")
	return cmd
}

// end is one member of a link, and a client for it alone.
type end struct {
	name   string
	client *client.Client
}

// findEnds finds the named members, or all that have an API.
func findEnds(ctx context.Context, c *client.Client, names []string) ([]end, error) {
	cluster, err := c.Cluster(ctx)
	if err != nil {
		return nil, err
	}
	members := cluster.Roster.Members
	if len(names) == 2 && names[0] == names[1] {
		return nil, usagef("a link has two ends, not %s twice", names[0])
	}
	var out []end
	for _, m := range members {
		if m.API == "" && len(names) == 0 || len(names) > 0 && !slices.Contains(names, m.Name) {
			continue
		}
		if m.API == "" {
			return nil, noAPI(m.Name)
		}
		at, err := c.At(m.API)
		if err != nil {
			return nil, err
		}
		out = append(out, end{m.Name, at})
	}
	for _, name := range names {
		if !slices.ContainsFunc(members, func(m client.Member) bool { return m.Name == name }) {
			return nil, usagef("no member %q in the roster, which has %s", name, memberNames(members))
		}
	}
	return out, nil
}

func memberNames(members []client.Member) string {
	var names []string
	for _, m := range members {
		names = append(names, m.Name)
	}
	return strings.Join(names, ", ")
}

// placed is a fault and the member that has it.
type placed struct {
	Node  string `json:"node"`
	Fault client.Fault
}

// breakLink puts a fault on both ends. Half a fault would be another one than
// was asked for, so when one end fails the other is healed again.
func breakLink(ctx context.Context, ends []end, fault client.Fault) ([]placed, error) {
	var put []placed
	for _, e := range ends {
		added, err := e.client.AddFault(ctx, fault)
		if err == nil {
			put = append(put, placed{e.name, *added})
			continue
		}
		return nil, errors.Join(chaosError(e.name, err), undo(ctx, ends, put))
	}
	return put, nil
}

// undo takes faults back, even when the caller has been told to stop.
func undo(ctx context.Context, ends []end, put []placed) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoWithin)
	defer cancel()
	var failed error
	for i, p := range put {
		if err := ends[i].client.RemoveFault(ctx, p.Fault.ID); err != nil && !client.Absent(err) {
			failed = errors.Join(failed, fmt.Errorf("%s keeps its half of the fault until %s: %w", p.Node, clock(p.Fault.Expires), err))
		}
	}
	return failed
}

// chaosError says which end failed, and what most often is the matter.
func chaosError(name string, err error) error {
	if errors.Is(err, client.Code("unknown_route")) {
		return fmt.Errorf("%s was started without --chaos, so it takes no faults: start it with the flag: %w", name, err)
	}
	return fmt.Errorf("%s: %w", name, err)
}

// newHealCommand ends faults.
func newHealCommand(a *app) *cobra.Command {
	var oneWay bool
	cmd := &cobra.Command{
		Use: "heal [A B]", Short: "End the faults of one link, or all", Args: cobra.MatchAll(cobra.MaximumNArgs(2), notOne),
		Long: "Ends the faults of one link, on both ends. With --one-way, only those that disturb what A sends to B.\n" +
			"Without a link it undoes all: it stops the runs of all members, and ends all their faults.",
		RunE: connect(a, func(ctx context.Context, r *remote, args []string) error {
			if oneWay && len(args) == 0 {
				return usagef("--one-way is of a link: name its two ends")
			}
			ends, err := findEnds(ctx, r.client, args)
			if err != nil {
				return err
			}
			healed, stopped, failed := 0, 0, error(nil)
			if len(args) == 0 {
				stopped, failed = stopRuns(ctx, ends)
			}
			for _, e := range ends {
				n, err := healEnd(ctx, e, args, oneWay)
				healed += n
				// A member without chaos has no faults; one that is silent may have some.
				if err != nil && !errors.Is(err, client.Code("unknown_route")) {
					failed = errors.Join(failed, fmt.Errorf("%s: %w", e.name, err))
				}
			}
			if failed != nil {
				return failed
			}
			return r.showHealed(healed, stopped)
		}),
	}
	cmd.Flags().BoolVar(&oneWay, "one-way", false, "only what A sends to B")
	return cmd
}

func notOne(cmd *cobra.Command, args []string) error {
	if len(args) == 1 {
		return fmt.Errorf("a link has two ends: %s", cmd.UseLine())
	}
	return nil
}

// healEnd ends all faults of one member, or those of one link.
func healEnd(ctx context.Context, e end, link []string, oneWay bool) (int, error) {
	if len(link) == 0 {
		return e.client.Heal(ctx)
	}
	return e.client.HealLink(ctx, link[0], link[1], !oneWay)
}

func (r *remote) showHealed(healed, stopped int) error {
	if r.output != asTable {
		return r.json(map[string]int{"healed": healed, "stopped": stopped})
	}
	runs := ""
	if stopped > 0 {
		runs = fmt.Sprintf(", %d runs stopped", stopped)
	}
	_, err := fmt.Fprintf(r.out, "healed: %d faults ended%s\n", healed, runs)
	return err
}

// newFaultsCommand lists faults.
func newFaultsCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "ls", Short: "List the faults that are on, on every member", Args: exactArgs(0),
		RunE: connect(a, func(ctx context.Context, r *remote, _ []string) error {
			ends, err := findEnds(ctx, r.client, nil)
			if err != nil {
				return err
			}
			var all []placed
			for _, e := range ends {
				faults, err := e.client.Faults(ctx)
				switch {
				case errors.Is(err, client.Code("unknown_route")):
					r.note("%s was started without --chaos", e.name)
				case err != nil:
					r.note("%s: its faults are unknown: %s", e.name, err)
				}
				for _, f := range faults {
					all = append(all, placed{e.name, f})
				}
			}
			return r.showFaults(all)
		}),
	}
}

// showFaults shows faults and when they end.
func (r *remote) showFaults(faults []placed) error {
	type row struct {
		Node string `json:"node"`
		client.Fault
	}
	rows := make([]row, 0, len(faults))
	t := table{head: []string{"ON", "ID", "LINK", "KIND", "ENDS", "LEFT"}}
	for _, p := range faults {
		rows = append(rows, row{p.Node, p.Fault})
		arrow := " → "
		if p.Fault.Both {
			arrow = " ↔ "
		}
		t.add(cell{p.Node, strong}, text(p.Fault.ID), text(p.Fault.From+arrow+p.Fault.To), text(p.Fault.Kind),
			text(clock(p.Fault.Expires)), text(span(time.Until(p.Fault.Expires))))
	}
	switch r.output {
	case asJSON:
		return r.json(struct {
			Faults []row `json:"faults"`
		}{rows})
	case asNDJSON:
		for _, f := range rows {
			if err := r.json(f); err != nil {
				return err
			}
		}
		return nil
	}
	return t.write(r.out, r.colour)
}
