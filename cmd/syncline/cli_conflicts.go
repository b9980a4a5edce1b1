package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/syncline/syncline/client"
)

// newConflictsCommand shows conflicts, and ends them.
func newConflictsCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "conflicts", Short: "List conflicts, look at one, and decide",
		Long: "A document is in conflict when writers changed it that had not seen each other. Its versions are kept\n" +
			"until the collection's policy or a person ends the conflict, and on record after that.",
	}
	cmd.AddCommand(newConflictsLsCommand(a), newConflictShowCommand(a), newResolveCommand(a), newRestoreCommand(a), newRevertCommand(a), newReviewCommand(a))
	return cmd
}

// newConflictsLsCommand lists conflicts.
func newConflictsLsCommand(a *app) *cobra.Command {
	var options client.ConflictsOptions
	var limit int
	cmd := &cobra.Command{
		Use: "ls", Short: "List open conflicts, or the records of those that have ended", Args: exactArgs(0),
		RunE: connect(a, func(ctx context.Context, r *remote, _ []string) error {
			if limit < 0 {
				return usagef("--limit %d: 0 for all, or a number above it", limit)
			}
			options.Page = listPage
			if limit > 0 {
				options.Page = min(limit, listPage)
			}
			return r.listConflicts(ctx, options, limit)
		}),
	}
	flags := cmd.Flags()
	flags.StringVar(&options.State, "state", "", "open, settled or reviewed (default open, or with --by or --episode settled)")
	flags.StringVar(&options.By, "by", "", "only those ended by: policy, script, person or overwritten")
	flags.StringVarP(&options.Collection, "collection", "c", "", "only of this collection")
	flags.StringVar(&options.Episode, "episode", "", "only records of this group of conflicts: those of one partition")
	flags.IntVar(&limit, "limit", 0, "at most so many; 0 for all")
	return cmd
}

// listedConflict is one conflict of a list.
type listedConflict struct {
	ID         string   `json:"id"`
	State      string   `json:"state"`
	By         string   `json:"by"`
	Collection string   `json:"collection"`
	DocID      string   `json:"doc_id"`
	Versions   []string `json:"versions"`
	Policy     string   `json:"policy"`
	Reason     string   `json:"reason"`
	Who        string   `json:"who"`
	At         string   `json:"at"`
	LostCount  int      `json:"lost_count"`
	Episode    string   `json:"episode"`
}

func listed(c *client.Conflict) listedConflict {
	out := listedConflict{
		ID: c.ID, State: c.State, By: c.By, Collection: c.Collection, DocID: c.DocID, Versions: []string{},
		Policy: c.Policy.Kind, Reason: c.Reason, Who: c.Who, At: c.At, LostCount: c.LostCount, Episode: c.Episode,
	}
	for _, one := range c.Siblings {
		out.Versions = append(out.Versions, one.Dot)
	}
	return out
}

func (r *remote) listConflicts(ctx context.Context, options client.ConflictsOptions, limit int) error {
	rows := table{head: []string{"CONFLICT", "DOCUMENT", "STATE", "VERSIONS", "REASON"}}
	all := []listedConflict{}
	count := 0
	for c, err := range r.client.Conflicts(ctx, options) {
		if err != nil {
			return err
		}
		switch r.output {
		case asJSON:
			all = append(all, listed(c))
		case asNDJSON:
			err = r.json(listed(c))
		default:
			rows.add(text(c.ID), text(c.Collection+"/"+c.DocID), stateCell(c), text(fmt.Sprint(len(c.Siblings))), text(clip(c.Reason, shownDoc)))
			if len(rows.rows) == listPage { // a long list costs no memory
				err = rows.write(r.out, r.colour)
				rows = table{}
			}
		}
		if count++; err != nil || count == limit {
			break
		}
	}
	switch {
	case r.output == asJSON:
		return r.json(struct {
			Conflicts []listedConflict `json:"conflicts"`
		}{all})
	case r.output == asNDJSON:
		return nil // each was printed as it came
	case count == 0:
		r.note("no such conflicts")
		return nil
	}
	return rows.write(r.out, r.colour)
}

func stateCell(c *client.Conflict) cell {
	switch {
	case c.State == client.ConflictOpen:
		return cell{c.State, caution}
	case c.State == client.ConflictSettled:
		return text("settled by " + c.By)
	}
	return cell{c.State + ", settled by " + c.By, faint}
}

// versionOf is the dot of a version that a person has named: by the dot, or by
// its number in `conflicts show`.
func (r *remote) versionOf(ctx context.Context, id, name string) (string, error) {
	n, err := strconv.Atoi(name)
	if err != nil {
		return name, nil //nolint:nilerr // what is no number is a dot, and the node says whether it is one
	}
	c, err := r.client.Conflict(ctx, id, client.Options{})
	if err != nil {
		return "", err
	}
	if n < 1 || n > len(c.Siblings) {
		return "", usagef("there is no version %d: the conflict has %d", n, len(c.Siblings))
	}
	return c.Siblings[n-1].Dot, nil
}

// decided shows what became of a decision.
func (r *remote) decided(done string, d *client.Decided, err error) error {
	if err != nil {
		return err
	}
	if r.output != asTable {
		return r.json(struct {
			*client.Decided
			Node string `json:"node"`
		}{d, d.Node})
	}
	r.noteConflict(client.Key{Collection: d.Collection, ID: d.ID}, d.Conflicts)
	_, err = fmt.Fprintf(r.out, "conflict %s of %s/%s is %s: %s, written at node %s (ack %s)\n",
		printable(d.Conflict), printable(d.Collection), printable(d.ID), done, printable(d.Dot), printable(d.Node), printable(d.Ack))
	return err
}

// newRestoreCommand brings back what lost.
func newRestoreCommand(a *app) *cobra.Command {
	var guard client.Guard
	cmd := &cobra.Command{
		Use: "restore ID VERSION", Short: "Bring a value back that lost", Args: exactArgs(2),
		Long: "Writes the value of one version of a conflict that has ended over what the document shows now, and notes\n" +
			"that on the record. VERSION is its dot, or its number in `conflicts show`.",
		RunE: connect(a, func(ctx context.Context, r *remote, args []string) error {
			dot, err := r.versionOf(ctx, args[0], args[1])
			if err != nil {
				return err
			}
			d, err := r.client.Restore(ctx, args[0], dot, guard)
			return r.decided("restored to "+printable(dot), d, err)
		}),
	}
	addGuard(cmd, &guard)
	return cmd
}

// newRevertCommand takes back what a policy has decided.
func newRevertCommand(a *app) *cobra.Command {
	var guard client.Guard
	cmd := &cobra.Command{
		Use: "revert ID", Short: "Take back what a policy has decided", Args: exactArgs(1),
		Long: "Writes the newest version of a conflict that a policy has ended, by time and actor alone, over what the\n" +
			"document shows now, and notes that on the record.",
		RunE: connect(a, func(ctx context.Context, r *remote, args []string) error {
			d, err := r.client.Revert(ctx, args[0], guard)
			return r.decided("reverted", d, err)
		}),
	}
	addGuard(cmd, &guard)
	return cmd
}

// newReviewCommand notes that somebody has looked.
func newReviewCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "review ID...", Short: "Note that you have looked at the record of a conflict",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fmt.Errorf("which conflicts? %s", cmd.UseLine())
			}
			return nil
		},
		RunE: connect(a, func(ctx context.Context, r *remote, args []string) error {
			for _, id := range args {
				d, err := r.client.Review(ctx, id, client.Guard{})
				if err := r.decided("reviewed", d, err); err != nil {
					return err
				}
			}
			return nil
		}),
	}
}

func addGuard(cmd *cobra.Command, guard *client.Guard) {
	cmd.Flags().StringVar(&guard.IfMatch, "if-match", "", "do it only if the document still shows this ETag")
}
