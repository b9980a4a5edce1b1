package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/syncline/syncline/client"
)

// newWatchCommand follows the changes feed.
func newWatchCommand(a *app) *cobra.Command {
	var options client.ChangesOptions
	cmd := &cobra.Command{
		Use: "watch [COLLECTION]", Short: "Show each document as it is written, until Ctrl-C", Args: rangeArgs(0, 1),
		Long: "Shows the documents that there are, then each one that is written, as it comes. It goes on at another\n" +
			"node when its node is gone: a document may then be shown twice, and none is left out. With --output json\n" +
			"or ndjson each event is one line, and after all that is there a line {\"checkpoint\"}, from which --since\n" +
			"goes on at any node.",
		RunE: connect(a, func(ctx context.Context, r *remote, args []string) error {
			if len(args) > 0 {
				options.Collection = args[0]
			}
			return r.follow(ctx, options)
		}),
	}
	cmd.Flags().StringVar(&options.Since, "since", "", "a checkpoint or cursor: only what came after it")
	return cmd
}

// follow shows changes until the context ends: Ctrl-C is how it ends well.
func (r *remote) follow(ctx context.Context, options client.ChangesOptions) error {
	if r.output == asJSON {
		r.output = asNDJSON // what has no end is no one value
	}
	for change, err := range r.client.Stream(ctx, options) {
		switch {
		case ctx.Err() != nil && (err == nil || errors.Is(err, ctx.Err())):
			return nil
		case err != nil:
			return err
		}
		if err := r.showChange(&change); err != nil {
			return err
		}
	}
	return nil
}

func (r *remote) showChange(change *client.Change) error {
	switch {
	case r.output == asNDJSON && change.Checkpoint != "":
		return r.json(struct {
			Checkpoint string `json:"checkpoint"`
		}{change.Checkpoint})
	case r.output == asNDJSON:
		return r.json(change)
	case change.Checkpoint != "":
		return nil // people need none
	}
	what := clip(string(change.Doc), shownDoc)
	if change.Deleted {
		what = "deleted"
	}
	if change.Conflicts > 0 {
		what = fmt.Sprintf("in conflict (%d versions), shown: %s", change.Conflicts, what)
	}
	_, err := fmt.Fprintln(r.out, printable(fmt.Sprintf("%s  %s  %s/%s  %s", change.Time, change.Dot, change.Collection, change.ID, what)))
	return err
}
