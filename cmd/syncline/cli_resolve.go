package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/syncline/syncline/client"
)

// resolveFlags say how a conflict is to end.
type resolveFlags struct {
	pick, reason, ifMatch string
	doc, file, resolver   string
	remove                bool

	all  bool
	rule client.ResolveRule
}

// newResolveCommand ends an open conflict, or many.
func newResolveCommand(a *app) *cobra.Command {
	f := &resolveFlags{}
	cmd := &cobra.Command{
		Use: "resolve [ID]", Short: "End an open conflict: choose a version, write another value, delete, or let a resolver decide", Args: rangeArgs(0, 1),
		Long: "Ends an open conflict by a version that covers its siblings. --pick takes the dot of one of them, or its\n" +
			"number in `conflicts show`. With --all it ends all that the filters leave, by one rule.",
		Example: "  syncline conflicts resolve ID --pick 2 --reason 'the branch office was right'\n" +
			"  syncline conflicts resolve ID --doc '{\"balance\":50}'\n" +
			"  syncline conflicts resolve --all --pick newest --collection accounts --dry-run",
		RunE: connect(a, func(ctx context.Context, r *remote, args []string) error {
			if f.all {
				return f.resolveAll(ctx, r, args)
			}
			return f.resolveOne(ctx, r, args)
		}),
	}
	flags := cmd.Flags()
	flags.StringVar(&f.pick, "pick", "", "the version whose value it shall be: its dot or number; with --all: newest, oldest or node=NAME")
	flags.StringVar(&f.doc, "doc", "", "another value, as JSON")
	flags.StringVarP(&f.file, "file", "f", "", "another value, read from a file; - is standard input")
	flags.BoolVar(&f.remove, "delete", false, "delete the document")
	flags.StringVar(&f.resolver, "resolver", "", "let this resolver decide")
	flags.StringVar(&f.reason, "reason", "", "why, for the record")
	flags.StringVar(&f.ifMatch, "if-match", "", "decide only if the document still shows this ETag")
	flags.BoolVar(&f.all, "all", false, "end all open conflicts that the filters leave")
	flags.StringVarP(&f.rule.Collection, "collection", "c", "", "with --all: only of this collection")
	flags.StringVar(&f.rule.Policy, "policy", "", "with --all: only of collections with this policy")
	flags.StringSliceVar(&f.rule.Conflicts, "only", nil, "with --all: only this conflict; repeat it, or put commas between ids")
	flags.IntVar(&f.rule.Limit, "limit", 0, fmt.Sprintf("with --all: at most so many, and never more than %d at once", client.MaxResolve))
	flags.BoolVar(&f.rule.DryRun, "dry-run", false, "with --all: show what would happen, and change nothing")
	return cmd
}

func (f *resolveFlags) resolveOne(ctx context.Context, r *remote, args []string) error {
	given := 0
	for _, is := range []bool{f.pick != "", f.doc != "", f.file != "", f.remove, f.resolver != ""} {
		if is {
			given++
		}
	}
	switch {
	case len(args) == 0:
		return usagef("which conflict? `syncline conflicts ls` lists them; --all ends all")
	case given != 1:
		return usagef("say how it shall end: one of --pick, --doc, --file, --delete and --resolver")
	case f.rule.Collection != "" || f.rule.Policy != "" || f.rule.Conflicts != nil || f.rule.Limit != 0 || f.rule.DryRun:
		return usagef("--collection, --policy, --only, --limit and --dry-run go with --all")
	}
	resolution := client.Resolution{Guard: client.Guard{IfMatch: f.ifMatch}, Doc: []byte(f.doc), Delete: f.remove, Resolver: f.resolver, Reason: f.reason}
	var err error
	if f.file != "" {
		body := writeFlags{file: f.file}
		if resolution.Doc, err = body.body(r, args); err != nil {
			return err
		}
	}
	if f.pick != "" {
		if resolution.Pick, err = r.versionOf(ctx, args[0], f.pick); err != nil {
			return err
		}
	}
	d, err := r.client.Resolve(ctx, args[0], resolution)
	return r.decided("resolved", d, err)
}

// resolveAll ends many conflicts by one rule.
func (f *resolveFlags) resolveAll(ctx context.Context, r *remote, args []string) error {
	switch {
	case len(args) > 0:
		return usagef("--all ends all conflicts, and %s names one: leave one of them out", args[0])
	case f.doc != "" || f.file != "" || f.remove || f.ifMatch != "":
		return usagef("--doc, --file, --delete and --if-match are about one conflict; --all takes --pick or --resolver")
	case f.rule.Limit < 0 || f.rule.Limit > client.MaxResolve:
		return usagef("--limit %d: from 1 to %d, or 0 for as many as go at once", f.rule.Limit, client.MaxResolve)
	}
	name, isNode := strings.CutPrefix(f.pick, "node=")
	switch {
	case f.resolver != "" && f.pick != "":
		return usagef("both --pick and --resolver: say one of them")
	case f.resolver != "":
		f.rule.Resolver = f.resolver
	case isNode && name != "":
		f.rule.Node = name
	case f.pick == "newest", f.pick == "oldest":
		f.rule.Pick = f.pick
	default:
		return usagef("--pick %q: with --all it is newest, oldest or node=NAME", f.pick)
	}
	f.rule.Reason = f.reason
	t := table{head: []string{"CONFLICT", "DOCUMENT", "CHOSEN", "SHOWN", "RESULT"}}
	var first *client.Error
	var totals *client.ResolveTotals
	for one, err := range r.client.ResolveMany(ctx, f.rule) {
		switch {
		case err != nil:
			return err
		case one.Totals != nil:
			totals = one.Totals
		case r.output == asTable:
			t.add(text(one.Conflict), text(one.Collection+"/"+one.ID), f.chosenCell(&one), text(one.Shown), f.resultCell(&one))
		}
		if first == nil {
			first = one.Err
		}
		if r.output != asTable {
			if err := r.json(resolvedJSON(&one)); err != nil {
				return err
			}
		}
	}
	return r.sumUp(&t, totals, first)
}

// resolvedJSON is one line for programs: what became of one conflict, or of all.
func resolvedJSON(one *client.ResolveResult) any {
	switch {
	case one.Totals != nil:
		return struct {
			Done bool `json:"done"`
			*client.ResolveTotals
		}{true, one.Totals}
	case one.Err != nil:
		return struct {
			*client.ResolveResult
			Code   client.Code `json:"code"`
			Detail string      `json:"detail"`
		}{one, one.Err.Code, one.Err.Detail}
	}
	return one
}

// chosenCell says whose value it shall be.
func (f *resolveFlags) chosenCell(one *client.ResolveResult) cell {
	if f.rule.Resolver == "" {
		return text(one.Pick)
	}
	if len(one.Doc) > 0 {
		return text(clip(string(one.Doc), memberWidth))
	}
	return text("by " + f.rule.Resolver)
}

func (f *resolveFlags) resultCell(one *client.ResolveResult) cell {
	switch {
	case one.Err != nil:
		return cell{one.Err.Error(), bad}
	case one.Pick == "" && f.rule.Resolver == "":
		return cell{"skipped: nothing of it was written at node " + f.rule.Node, caution}
	case f.rule.DryRun && one.Same:
		return text("would stay as it is shown")
	case f.rule.DryRun:
		return text("would change what is shown")
	}
	return cell{"resolved by " + one.Dot, good}
}

// sumUp shows the table and how many there were. The first failure gives the
// exit code.
func (r *remote) sumUp(t *table, totals *client.ResolveTotals, first *client.Error) error {
	if len(t.rows) > 0 {
		if err := t.write(r.out, r.colour); err != nil {
			return err
		}
	}
	done := "resolved"
	if totals.DryRun {
		done = "to be resolved; nothing was changed"
	}
	r.note("%d %s, %d failed, %d skipped", totals.OK, done, totals.Failed, totals.Skipped)
	if totals.More {
		r.note("the limit was reached, and there are more: run it again")
	}
	if first != nil {
		return fmt.Errorf("%d of %d conflicts stay open; the first: %w", totals.Failed, totals.OK+totals.Failed+totals.Skipped, first)
	}
	return nil
}
