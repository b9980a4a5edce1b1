package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/syncline/syncline/client"
)

func newResolverExamplesCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "examples [NAME]", Short: "List the resolvers that come with the program, or print one", Args: rangeArgs(0, 1),
		Long: "Lists the resolvers that come with a node's program, or prints the source of one. None of them is\n" +
			"stored before somebody stores it: syncline resolver examples NAME | syncline resolver put NAME -",
		RunE: connect(a, func(ctx context.Context, r *remote, args []string) error {
			all, err := r.client.ResolverExamples(ctx, client.Options{})
			if err != nil {
				return err
			}
			if len(args) == 1 {
				return r.example(all, args[0])
			}
			if r.output == asJSON {
				return r.json(struct {
					Resolvers []client.ResolverExample `json:"resolvers"`
				}{all})
			}
			t := table{head: []string{"EXAMPLE", "ABOUT"}}
			for i := range all {
				if r.output == asNDJSON {
					if err := r.json(all[i]); err != nil {
						return err
					}
					continue
				}
				t.add(text(all[i].Name), text(all[i].About))
			}
			if r.output == asNDJSON {
				return nil // each was printed
			}
			return t.write(r.out, r.colour)
		}),
	}
}

// example prints the source of one example.
func (r *remote) example(all []client.ResolverExample, name string) error {
	names := make([]string, len(all))
	for i := range all {
		if all[i].Name == name {
			return r.source(all[i], all[i].Source)
		}
		names[i] = all[i].Name
	}
	return fmt.Errorf("there is no example %s: there are %s", name, strings.Join(names, ", "))
}
