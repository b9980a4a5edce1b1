package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/syncline/syncline/client"
)

// maxSourceFile is the longest file that is sent as a resolver, in bytes; a node
// takes 64 KiB, and says so.
const maxSourceFile = 1 << 20

// addStoredResolvers gives the command about resolvers what talks to nodes.
func addStoredResolvers(group *cobra.Command, a *app) {
	for _, c := range []*cobra.Command{
		newResolverLsCommand(a), newResolverShowCommand(a), newResolverVersionsCommand(a), newResolverPutCommand(a),
		newResolverRollbackCommand(a), newResolverRmCommand(a), newDryRunCommand(a), newResolverExamplesCommand(a),
	} {
		c.Annotations = map[string]string{talksToNodes: "yes"}
		group.AddCommand(c)
	}
}

func newResolverLsCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "ls", Short: "List the resolvers that are stored", Args: exactArgs(0),
		RunE: connect(a, func(ctx context.Context, r *remote, _ []string) error {
			all, err := r.client.Resolvers(ctx, client.Options{})
			if err != nil {
				return err
			}
			if r.output == asJSON {
				return r.json(struct {
					Resolvers []client.Resolver `json:"resolvers"`
				}{all})
			}
			t := table{head: []string{"RESOLVER", "VERSION", "STORED", "BY", "USED BY"}}
			for i := range all {
				if r.output == asNDJSON {
					if err := r.json(all[i]); err != nil {
						return err
					}
					continue
				}
				t.add(text(all[i].Name), text(all[i].Hash), text(shortTime(all[i].At)), text(all[i].Who), usedCell(all[i].UsedBy))
			}
			switch {
			case r.output == asNDJSON:
				return nil // each was printed
			case len(all) == 0:
				r.note("no resolvers are stored: `syncline resolver put NAME FILE` stores one")
				return nil
			}
			return t.write(r.out, r.colour)
		}),
	}
}

func usedCell(collections []string) cell {
	if len(collections) == 0 {
		return cell{"(none)", faint}
	}
	return text(strings.Join(collections, ", "))
}

func newResolverShowCommand(a *app) *cobra.Command {
	version := ""
	cmd := &cobra.Command{
		Use: "show NAME", Short: "Show a resolver's source", Args: exactArgs(1),
		RunE: connect(a, func(ctx context.Context, r *remote, args []string) error {
			if version != "" {
				return r.showVersion(ctx, args[0], version)
			}
			one, err := r.client.Resolver(ctx, args[0], client.Options{})
			if err != nil {
				return err
			}
			return r.source(one, one.Source)
		}),
	}
	cmd.Flags().StringVar(&version, "version", "", "of this version, as `resolver versions` lists them")
	return cmd
}

// source prints a source, or for programs all that is known of it.
func (r *remote) source(all any, source string) error {
	if r.output != asTable {
		return r.json(all)
	}
	_, err := fmt.Fprint(r.out, printableLines(strings.TrimSuffix(source, "\n"))+"\n")
	return err
}

func (r *remote) showVersion(ctx context.Context, name, hash string) error {
	all, err := r.client.ResolverVersions(ctx, name, client.Options{})
	if err != nil {
		return err
	}
	for _, v := range all {
		if v.Hash == hash {
			return r.source(v, v.Source)
		}
	}
	return fmt.Errorf("there is no version %s of %s: `syncline resolver versions %s` lists them", hash, name, name)
}

func newResolverVersionsCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "versions NAME", Short: "List the versions of a resolver that are kept, the youngest first", Args: exactArgs(1),
		RunE: connect(a, func(ctx context.Context, r *remote, args []string) error {
			all, err := r.client.ResolverVersions(ctx, args[0], client.Options{})
			if err != nil {
				return err
			}
			if r.output == asJSON {
				return r.json(struct {
					Versions []client.ResolverVersion `json:"versions"`
				}{all})
			}
			t := table{head: []string{"VERSION", "FIRST STORED", "BY", "PRESENT"}}
			for _, v := range all {
				if r.output == asNDJSON {
					if err := r.json(v); err != nil {
						return err
					}
					continue
				}
				t.add(text(v.Hash), text(shortTime(v.At)), text(v.Who), text(yesNo(v.Present)))
			}
			if r.output == asNDJSON {
				return nil // each was printed
			}
			return t.write(r.out, r.colour)
		}),
	}
}

func newResolverPutCommand(a *app) *cobra.Command {
	var options client.PutOptions
	cmd := &cobra.Command{
		Use: "put NAME FILE", Short: "Store a resolver, or its next version", Args: exactArgs(2),
		Long: "Stores a resolver from a file; - is standard input. The node compiles it, runs its tests, and looks\n" +
			"whether all nodes would agree, on made-up conflicts and on those on record. A collection uses it once\n" +
			"its policy names it: syncline collections set COLLECTION --policy script --resolver NAME",
		RunE: connect(a, func(ctx context.Context, r *remote, args []string) error {
			body := writeFlags{file: args[1]}
			source, err := body.body(r, nil)
			switch {
			case err != nil:
				return err
			case len(source) > maxSourceFile:
				return usagef("%s has %d bytes: is it a resolver? a node takes 64 KiB", args[1], len(source))
			}
			one, err := r.client.PutResolver(ctx, args[0], source, options)
			return r.stored(args[1], one, err)
		}),
	}
	addPutGuard(cmd, &options)
	cmd.Flags().BoolVar(&options.IfNoneMatch, "if-none-match", false, "only if there is no such resolver")
	return cmd
}

func addPutGuard(cmd *cobra.Command, options *client.PutOptions) {
	cmd.Flags().StringVar(&options.IfMatch, "if-match", "", "only if the resolver still has this ETag")
}

// stored shows what was stored, or why it was not, line by line.
func (r *remote) stored(file string, one *client.Resolver, err error) error {
	if e, ok := errors.AsType[*client.Error](err); ok && e.Code == client.InvalidResolver {
		for _, p := range e.Problems {
			r.note("%s:%d:%d: %s", file, p.Line, p.Column, p.Msg)
		}
		r.testNotes(file, e.Tests, e.Gate)
	}
	if err != nil {
		return err
	}
	if r.output != asTable {
		return r.json(one)
	}
	r.testNotes(file, one.Tests, one.Gate)
	_, err = fmt.Fprintf(r.out, "resolver %s is at version %s, written at node %s\n", printable(one.Name), printable(one.Hash), printable(one.Node))
	return err
}

// testNotes says what tests and gate have found that is worth a look.
func (r *remote) testNotes(file string, tests []client.ScriptTest, gate *client.Gate) {
	for _, t := range tests {
		if !t.Passed && t.Failure != nil {
			r.note("%s: FAIL  %s: %s", file, t.Name, t.Failure)
		}
	}
	if gate == nil {
		return
	}
	for _, c := range gate.Diverged {
		r.note("%s: FAIL  nodes would not agree (%s): %s", file, c.Check, c.How)
	}
	for _, c := range gate.Warnings {
		r.note("%s: note  the result depends on more than the siblings (%s): %s", file, c.Check, c.How)
	}
	if n := len(gate.Failed); n > 0 {
		r.note("%s: note  it fails on conflicts that are on record, such as: %s", file, gate.Failed[0].Want.Failure)
	}
	if gate.Resolved == 0 {
		r.note("%s: note  no conflict was resolved, so nothing is known of whether nodes agree; add tests that build conflicts", file)
	}
}

func newResolverRollbackCommand(a *app) *cobra.Command {
	var options client.PutOptions
	cmd := &cobra.Command{
		Use: "rollback NAME [VERSION]", Short: "Make an older version the present one: the one before, or the one named", Args: rangeArgs(1, 2),
		RunE: connect(a, func(ctx context.Context, r *remote, args []string) error {
			hash, err := r.versionBefore(ctx, args)
			if err != nil {
				return err
			}
			one, err := r.client.RollbackResolver(ctx, args[0], hash, options)
			return r.stored(args[0], one, err)
		}),
	}
	addPutGuard(cmd, &options)
	return cmd
}

// versionBefore is the version that was named, or the youngest that is older
// than the present one.
func (r *remote) versionBefore(ctx context.Context, args []string) (string, error) {
	if len(args) == 2 {
		return args[1], nil
	}
	all, err := r.client.ResolverVersions(ctx, args[0], client.Options{})
	if err != nil {
		return "", err
	}
	present := false
	for _, v := range all {
		if present {
			return v.Hash, nil
		}
		present = v.Present
	}
	return "", fmt.Errorf("nothing older than the present version of %s is kept: `syncline resolver versions %s` lists what is", args[0], args[0])
}

func newResolverRmCommand(a *app) *cobra.Command {
	var options client.PutOptions
	cmd := &cobra.Command{
		Use: "rm NAME", Short: "Take a resolver away that no policy names", Args: exactArgs(1),
		RunE: connect(a, func(ctx context.Context, r *remote, args []string) error {
			if err := r.client.DeleteResolver(ctx, args[0], options); err != nil {
				return err
			}
			r.note("resolver %s is deleted; its versions are kept", args[0])
			return nil
		}),
	}
	addPutGuard(cmd, &options)
	return cmd
}

// candidateName is the name that a candidate is replayed under: that of its file.
func candidateName(file string) string {
	return strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
}
