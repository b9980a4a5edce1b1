package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/syncline/syncline/client"
)

// newCollectionsCommand shows and changes what is in force for collections.
func newCollectionsCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "collections", Short: "List collections, and configure them",
		Long: "A collection needs no configuration; the defaults are in force until it has one. A change replicates like\n" +
			"any document and takes effect on each node as it arrives.",
	}
	cmd.AddCommand(newCollectionsLsCommand(a), newCollectionShowCommand(a), newCollectionSetCommand(a))
	return cmd
}

func newCollectionsLsCommand(a *app) *cobra.Command {
	var options client.ListOptions
	cmd := &cobra.Command{
		Use: "ls", Short: "List collections with their policies", Args: exactArgs(0),
		RunE: connect(a, func(ctx context.Context, r *remote, _ []string) error {
			t := table{head: []string{"COLLECTION", "POLICY", "DOCUMENTS", "CONFLICTS", "CONFIGURED BY"}}
			all := []*client.Collection{}
			for c, err := range r.client.Collections(ctx, options) {
				if err != nil {
					return err
				}
				switch r.output {
				case asNDJSON:
					if err := r.json(c); err != nil {
						return err
					}
				default:
					all = append(all, c)
				}
				t.add(text(c.Name), text(policyText(&c.Policy)), text(fmt.Sprint(c.Documents)), text(fmt.Sprint(c.Conflicts)), configuredCell(c))
			}
			switch r.output {
			case asJSON:
				return r.json(struct {
					Collections []*client.Collection `json:"collections"`
				}{all})
			case asNDJSON:
				return nil // each was printed as it came
			}
			return t.write(r.out, r.colour)
		}),
	}
	cmd.Flags().StringVar(&options.Prefix, "prefix", "", "only names that begin with this")
	return cmd
}

func configuredCell(c *client.Collection) cell {
	if c.Dot == "" {
		return cell{"(defaults)", faint}
	}
	return text(c.Dot)
}

// policyText says in short how conflicts are shown.
func policyText(p *client.Policy) string {
	switch {
	case p.Path != "":
		return p.Kind + " by " + p.Path
	case p.Resolver != "":
		return p.Kind + " " + p.Resolver
	}
	return p.Kind
}

func newCollectionShowCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "show COLLECTION", Short: "Show what is in force for a collection", Args: exactArgs(1),
		RunE: connect(a, func(ctx context.Context, r *remote, args []string) error {
			c, err := r.client.Collection(ctx, args[0], client.Options{})
			return r.showCollection(c, err)
		}),
	}
}

func (r *remote) showCollection(c *client.Collection, err error) error {
	if err != nil {
		return err
	}
	if r.output != asTable {
		return r.json(c)
	}
	t := table{}
	for _, row := range [][2]string{
		{"Collection", c.Name},
		{"Policy", policyText(&c.Policy)},
		{"Delete beside an update", c.Delete},
		{"Writes need a context", yesNo(c.RequireContext)},
		{"Acknowledged by", c.Ack},
		{"Without a majority", c.Minority},
		{"Old versions kept", c.History},
		{"Records kept", c.Records},
		{"Longest document", fmt.Sprintf("%d bytes", c.Limits.Body)},
		{"Documents", fmt.Sprint(c.Documents)},
		{"Tombstones", fmt.Sprint(c.Tombstones)},
		{"Open conflicts", fmt.Sprint(c.Conflicts)},
	} {
		t.add(cell{row[0], faint}, text(row[1]))
	}
	t.add(cell{"Configured by", faint}, configuredCell(c))
	for _, rule := range rulesOf(&c.Policy) {
		t.add(cell{"Rule", faint}, text(rule))
	}
	return t.write(r.out, r.colour)
}

// rulesOf lists the rules of members, by path.
func rulesOf(p *client.Policy) []string {
	rules := map[string]string{}
	if json.Unmarshal(p.Rules, &rules) != nil {
		return nil
	}
	var out []string
	for _, path := range slices.Sorted(maps.Keys(rules)) {
		out = append(out, path+" "+rules[path])
	}
	if p.Default != "" {
		out = append(out, "all others "+p.Default)
	}
	return out
}

func yesNo(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}

// collectionFlags change a configuration member by member.
type collectionFlags struct {
	policy, path, resolver string
	rules                  []string
	defaultRule            string
	delete, ack, minority  string
	history, records       string
	requireContext, reset  bool
	bodyLimit              int
	ifMatch, file          string
}

// newCollectionSetCommand configures a collection.
func newCollectionSetCommand(a *app) *cobra.Command {
	f := &collectionFlags{}
	cmd := &cobra.Command{
		Use: "set COLLECTION", Short: "Configure a collection: what is not named stays", Args: exactArgs(1),
		Example: "  syncline collections set accounts --policy manual --require-context\n" +
			"  syncline collections set readings --policy lww --path /sequence\n" +
			"  syncline collections set stock --policy merge --rule /count=sum --rule /tags=union\n" +
			"  syncline collections set accounts --file accounts.json",
	}
	flags := cmd.Flags()
	flags.StringVar(&f.policy, "policy", "", "how conflicts are shown: lww, merge, script or manual")
	flags.StringVar(&f.path, "path", "", "with lww: JSON pointer of a number; the largest is shown")
	flags.StringArrayVar(&f.rules, "rule", nil, "a rule of merge for a member, as POINTER=RULE: lww, max, min, sum, union, concat or keep_both; repeat it, all rules are replaced")
	flags.StringVar(&f.defaultRule, "default-rule", "", "with merge: the rule of all other members")
	flags.StringVar(&f.resolver, "resolver", "", "with script: name of the resolver")
	flags.StringVar(&f.delete, "delete", "", "a delete beside an update: lww, update_wins or delete_wins")
	flags.BoolVar(&f.requireContext, "require-context", false, "take no write without If-Match or Causal-Context")
	flags.StringVar(&f.ack, "ack", "", "who must have a write before it is answered: local, majority or all")
	flags.StringVar(&f.minority, "minority", "", "what a node without a majority does with writes: refuse or accept")
	flags.StringVar(&f.history, "history", "", "how long old versions are kept, such as 720h, or forever")
	flags.StringVar(&f.records, "records", "", "how long records of conflicts are kept, such as 720h, or forever")
	flags.IntVar(&f.bodyLimit, "body-limit", 0, "the longest document, in bytes")
	flags.StringVarP(&f.file, "file", "f", "", "all of the configuration, as JSON from a file; - is standard input")
	flags.BoolVar(&f.reset, "reset", false, "go back to the defaults; the collection must be empty")
	flags.StringVar(&f.ifMatch, "if-match", "", "change it only if the configuration still has this ETag")
	cmd.RunE = connect(a, func(ctx context.Context, r *remote, args []string) error { return f.set(ctx, r, cmd.Flags(), args[0]) })
	return cmd
}

func (f *collectionFlags) set(ctx context.Context, r *remote, flags *pflag.FlagSet, name string) error {
	patch, err := f.patch(flags)
	if err != nil {
		return err
	}
	ways := 0
	for _, is := range []bool{len(patch) > 0, f.file != "", f.reset} {
		if is {
			ways++
		}
	}
	if ways != 1 {
		return usagef("say what to change, or give all of it by --file, or --reset it: one of the three")
	}
	change := client.Configuration{PutOptions: client.PutOptions{IfMatch: f.ifMatch}}
	switch {
	case f.reset:
		if err := r.client.Unconfigure(ctx, name, change.PutOptions); err != nil {
			return err
		}
		c, err := r.client.Collection(ctx, name, client.Options{})
		return r.showCollection(c, err)
	case f.file != "":
		body := writeFlags{file: f.file}
		change.Whole, err = body.body(r, []string{name})
	default:
		change.Patch.Body, err = json.Marshal(patch)
	}
	if err != nil {
		return err
	}
	c, err := r.client.Configure(ctx, name, change)
	return r.showCollection(c, err)
}

// patch is the merge patch for the flags that were given.
func (f *collectionFlags) patch(flags *pflag.FlagSet) (map[string]any, error) {
	out, policy, rules := map[string]any{}, map[string]any{}, map[string]string{}
	for _, one := range f.rules {
		at := strings.LastIndex(one, "=")
		if at < 0 {
			return nil, usagef("--rule %s: want POINTER=RULE, such as /balance=sum", one)
		}
		rules[one[:at]] = one[at+1:]
	}
	for _, m := range []struct {
		of         map[string]any
		flag, name string
		value      any
	}{
		{policy, "path", "path", f.path},
		{policy, "rule", "rules", rules},
		{policy, "default-rule", "default", f.defaultRule},
		{policy, "resolver", "resolver", f.resolver},
		{out, "delete", "delete", f.delete},
		{out, "require-context", "require_context", f.requireContext},
		{out, "ack", "ack", f.ack},
		{out, "minority", "minority", f.minority},
		{out, "history", "history", f.history},
		{out, "records", "records", f.records},
		{out, "body-limit", "limits", map[string]int{"body": f.bodyLimit}},
	} {
		if flags.Changed(m.flag) {
			m.of[m.name] = m.value
		}
	}
	if flags.Changed("policy") {
		// What belongs to the policy before does not go with another one.
		for _, name := range []string{"path", "rules", "default", "resolver"} {
			if _, given := policy[name]; !given {
				policy[name] = nil
			}
		}
		policy["kind"] = f.policy
	}
	if len(policy) > 0 {
		out["policy"] = policy
	}
	return out, nil
}
