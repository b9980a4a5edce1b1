package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/syncline/syncline/client"
)

// shownChanges is the most differences of one conflict that are shown; JSON has
// all.
const shownChanges = 4

// dryRunFlags say what is replayed over what.
type dryRunFlags struct {
	run  client.DryRun
	file string
}

// newDryRunCommand replays a resolver over the past.
func newDryRunCommand(a *app) *cobra.Command {
	f := &dryRunFlags{}
	cmd := &cobra.Command{
		Use: "dry-run [NAME]", Short: "Replay a resolver over conflicts on record, and change nothing", Args: rangeArgs(0, 1),
		Long: "Asks a resolver what it would have made of conflicts that have ended, and shows where that differs from\n" +
			"how they ended. With --file it is a candidate that nobody has stored.",
		Example: "  syncline resolver dry-run no_overdraft --collection accounts\n" +
			"  syncline resolver dry-run --file next.star --by policy --limit 100",
		RunE: connect(a, func(ctx context.Context, r *remote, args []string) error { return f.dryRun(ctx, r, args) }),
	}
	flags := cmd.Flags()
	flags.StringVarP(&f.file, "file", "f", "", "a candidate, read from a file; - is standard input")
	flags.StringVarP(&f.run.Collection, "collection", "c", "", "only conflicts of this collection")
	flags.StringVar(&f.run.By, "by", "", "only those ended by: policy, script, person or overwritten")
	flags.StringVar(&f.run.State, "state", "", "settled or reviewed (default both)")
	flags.IntVar(&f.run.Limit, "limit", 0, "at most so many; 0 for as many as the node takes by itself")
	return cmd
}

func (f *dryRunFlags) dryRun(ctx context.Context, r *remote, args []string) error {
	name := ""
	switch {
	case len(args) == 1:
		name = args[0]
	case f.file == "":
		return usagef("which resolver? name one that is stored, or give a candidate by --file")
	case f.file == "-":
		return usagef("what is the candidate called? name it beside --file -")
	default:
		name = candidateName(f.file)
	}
	if f.run.Limit < 0 {
		return usagef("--limit %d: 0, or a number above it", f.run.Limit)
	}
	if f.file != "" {
		body := writeFlags{file: f.file}
		source, err := body.body(r, nil)
		if err != nil {
			return err
		}
		f.run.Source = string(source)
	}
	t := table{head: []string{"CONFLICT", "DOCUMENT", "ENDED BY", "OUTCOME", "CHANGES"}}
	var totals *client.DryRunTotals
	for one, err := range r.client.DryRunResolver(ctx, name, f.run) {
		switch {
		case err != nil:
			return r.stored(f.file, nil, err)
		case one.Totals != nil:
			totals = one.Totals
		case r.output == asTable:
			t.add(text(one.ID), text(one.Collection+"/"+one.DocID), text(one.By), outcomeCell(&one), text(changesText(&one)))
		}
		if r.output == asTable {
			continue
		}
		if err := r.json(dryRunJSON(&one)); err != nil {
			return err
		}
	}
	if len(t.rows) > 0 {
		if err := t.write(r.out, r.colour); err != nil {
			return err
		}
	}
	r.note("%d conflicts: %d same, %d changed, %d failed, %d deferred, %d unknown; nothing was changed",
		totals.Records, totals.Same, totals.Changed, totals.Failed, totals.Deferred, totals.Unknown)
	if totals.More {
		r.note("the limit was reached, and there are more")
	}
	return nil
}

// dryRunJSON is one line for programs: one outcome, or the totals.
func dryRunJSON(one *client.DryRunResult) any {
	if one.Totals != nil {
		return struct {
			Done bool `json:"done"`
			*client.DryRunTotals
		}{true, one.Totals}
	}
	return one
}

func outcomeCell(one *client.DryRunResult) cell {
	switch one.Outcome {
	case "same":
		return cell{one.Outcome, faint}
	case "failed":
		return cell{one.Outcome, bad}
	}
	return cell{one.Outcome, caution}
}

// changesText says in short what would be otherwise.
func changesText(one *client.DryRunResult) string {
	switch {
	case one.Failure != nil:
		return one.Failure.String()
	case one.Outcome == "deferred":
		return "left to a person"
	case one.Candidate == nil || one.Recorded == nil || one.Outcome == "same":
		return ""
	case one.Candidate.Deleted:
		return "deleted"
	}
	var parts []string
	for _, c := range one.Diff[:min(shownChanges, len(one.Diff))] {
		path := c.Path
		if path == "" {
			path = "(all of it)"
		}
		parts = append(parts, fmt.Sprintf("%s %s → %s", path, valueOr(c.Before), valueOr(c.After)))
	}
	if n := len(one.Diff) - shownChanges; n > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", n))
	}
	return strings.Join(parts, ", ")
}

// valueOr is a value in short, or that there is none.
func valueOr(value []byte) string {
	if len(value) == 0 {
		return "(absent)"
	}
	return clip(string(value), memberWidth)
}
