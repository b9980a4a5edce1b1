package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/syncline/syncline/client"
)

// historyPage is how many old versions are asked for at once.
const historyPage = 200

// newHistoryCommand lists what a node has seen of a document.
func newHistoryCommand(a *app) *cobra.Command {
	var limit int
	var diff string
	cmd := &cobra.Command{
		Use: "history COLLECTION ID", Short: "List the versions of a document that a node has seen", Args: exactArgs(2),
		Long: "Lists the live versions of a document, and those that were covered, the newest first, as far as the node\n" +
			"still has them: a collection keeps old versions for the time of its setting \"history\", which is 0s by\n" +
			"default. `syncline get COLLECTION ID --dot VERSION` shows one, `syncline revive` brings one back.",
		Example: "  syncline history accounts alice\n" +
			"  syncline history accounts alice --diff a~k3f9x2mz:3..a~k3f9x2mz:5",
		RunE: connect(a, func(ctx context.Context, r *remote, args []string) error {
			if limit < 0 {
				return usagef("--limit %d: 0 for all, or a number above it", limit)
			}
			key := client.Key{Collection: args[0], ID: args[1]}
			if diff != "" {
				return r.showDifference(ctx, key, diff)
			}
			return r.listHistory(ctx, key, limit)
		}),
	}
	cmd.Flags().IntVar(&limit, "limit", 0, "at most so many; 0 for all")
	cmd.Flags().StringVar(&diff, "diff", "", "how two versions differ: VERSION..VERSION, or VERSION.. for one and what is shown")
	return cmd
}

func (r *remote) listHistory(ctx context.Context, key client.Key, limit int) error {
	options := client.HistoryOptions{Page: historyPage}
	if limit > 0 {
		options.Page = min(limit, historyPage)
	}
	whole := client.HistoryPage{Complete: true, Versions: []client.PastVersion{}, Missing: []string{}}
	rows := table{head: []string{"VERSION", "WRITTEN AT", "TIME", "SIZE", "STATE"}}
	count := 0
	for page, err := range r.client.History(ctx, key, options) {
		if err != nil {
			return err
		}
		whole.Complete = whole.Complete && page.Complete
		whole.Missing = append(whole.Missing, page.Missing...)
		if limit > 0 {
			page.Versions = page.Versions[:min(len(page.Versions), limit-count)]
		}
		count += len(page.Versions)
		for i := range page.Versions {
			v := &page.Versions[i]
			switch r.output {
			case asJSON:
				whole.Versions = append(whole.Versions, *v)
			case asNDJSON:
				if err := r.json(v); err != nil {
					return err
				}
			default:
				rows.add(text(v.Dot), text(v.Node), text(shortTime(v.Time)), sizeCell(v), pastCell(v))
			}
		}
		if len(rows.rows) >= listPage { // a long history costs no memory
			if err := rows.write(r.out, r.colour); err != nil {
				return err
			}
			rows = table{}
		}
		if limit > 0 && count >= limit {
			break
		}
	}
	if r.output == asJSON {
		return r.json(whole)
	}
	if r.output == asTable {
		if err := rows.write(r.out, r.colour); err != nil {
			return err
		}
	}
	if !whole.Complete {
		r.noteMissing(whole.Missing)
	}
	return nil
}

// shownMissing is how many versions that are not here are named; JSON has all.
const shownMissing = 5

// noteMissing says what of a history is not here.
func (r *remote) noteMissing(dots []string) {
	switch n := len(dots) - shownMissing; {
	case len(dots) == 0:
		r.note("note: the conflicts of this document lead too far back to say whether all is here")
	case n > 0:
		r.note("note: this node has no longer, or never had, %s and %d more that others name", strings.Join(dots[:shownMissing], ", "), n)
	default:
		r.note("note: this node has no longer, or never had, %s, which others name", strings.Join(dots, ", "))
	}
}

func sizeCell(v *client.PastVersion) cell {
	if v.Deleted {
		return cell{"(deleted)", faint}
	}
	return text(fmt.Sprint(v.Size))
}

// pastCell says what became of a version.
func pastCell(v *client.PastVersion) cell {
	switch {
	case v.Hidden:
		return text("live, another attempt of a write that is live too")
	case v.Live:
		return cell{"live", good}
	}
	state := "covered by " + v.CoveredBy + ", " + shortTime(v.CoveredAt)
	if v.Record != "" {
		state += ", in conflict " + v.Record
	}
	return cell{state, faint}
}

// showDifference shows how two versions differ.
func (r *remote) showDifference(ctx context.Context, key client.Key, versions string) error {
	from, to, ok := strings.Cut(versions, "..")
	if !ok || from == "" {
		return usagef("--diff %q: want VERSION..VERSION, or VERSION.. for one and what is shown", versions)
	}
	d, err := r.client.Diff(ctx, key, client.Versions{From: from, To: to}, client.Options{})
	if err != nil {
		return err
	}
	if r.output != asTable {
		return r.json(d)
	}
	rows := table{head: []string{"MEMBER", "BEFORE", "AFTER"}}
	for _, c := range d.Changes {
		path := c.Path
		if path == "" {
			path = "(all of it)"
		}
		rows.add(text(path), valueCell(c.Before), valueCell(c.After))
	}
	if len(rows.rows) == 0 {
		r.note("no member differs")
		return nil
	}
	if d.More {
		r.note("there are more differences than are shown")
	}
	return rows.write(r.out, r.colour)
}

func valueCell(value []byte) cell {
	if value == nil {
		return cell{"(absent)", faint}
	}
	return text(clip(string(value), memberWidth))
}

// newReviveCommand brings an old version back.
func newReviveCommand(a *app) *cobra.Command {
	flags := &writeFlags{}
	cmd := &cobra.Command{
		Use: "revive COLLECTION ID VERSION", Short: "Bring an old version of a document back", Args: exactArgs(3),
		Long: "Writes a version that is equal to an old one, over what the document shows now. VERSION is its dot, as\n" +
			"`syncline history` shows it, or that of a version that lost a conflict and is on record.",
		Example: "  syncline revive accounts alice a~k3f9x2mz:42",
		RunE: connect(a, func(ctx context.Context, r *remote, args []string) error {
			w, err := r.client.RestoreVersion(ctx, client.Key{Collection: args[0], ID: args[1]}, args[2], flags.options())
			return r.written(args[0], w, err)
		}),
	}
	flags.add(cmd, false)
	return cmd
}
