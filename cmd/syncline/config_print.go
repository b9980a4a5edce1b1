package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// addServerFlags adds the flags that a server's process has.
func addServerFlags(f *pflag.FlagSet) {
	f.String("config", "", "file that describes the cluster (SYNCLINE_CONFIG)")
	f.String("name", "", "which member of the roster this process is (SYNCLINE_NAME)")
	f.String("data", "", "folder of this process, made when it is missing (SYNCLINE_DATA)")
	f.Bool("chaos", false, "let the API put faults on this process's links")
	f.Bool("insecure", false, "serve without credentials on addresses that others can reach")
	f.String("log-level", "info", "trace, debug, info, warn, error or off")
}

func newConfigCommand(a *app) *cobra.Command {
	c := &cobra.Command{Use: "config", Short: "Look at the configuration"}
	show := &cobra.Command{
		Use:   "print",
		Short: "Show each setting with where its value came from",
		Long: "Show each setting with where its value came from: the file, then the\n" +
			"environment (SYNCLINE_ and the key in upper case), then flags; the later wins.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return printConfig(a, cmd.Flags()) },
	}
	addServerFlags(show.Flags())
	show.Flags().Bool("found", false, "as for serve")
	c.AddCommand(show)
	return c
}

// printConfig shows every setting, and what follows from the timing.
func printConfig(a *app, flags *pflag.FlagSet) error {
	c, err := loadConfig(a, flags)
	if err != nil {
		return err
	}
	out := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "SETTING\tVALUE\tFROM")
	for _, o := range c.origins {
		fmt.Fprintf(out, "%s\t%s\t%s\n", o.key, o.value, o.from)
	}
	for _, derived := range []struct {
		key   string
		value fmt.Stringer
	}{
		{"timing.fresh", c.timing.Fresh},
		{"timing.exchange", c.timing.Exchange},
		{"timing.promise", c.timing.Promise},
		{"timing.bound", boundOf(c.timing, c.roster().votes())},
	} {
		fmt.Fprintf(out, "%s\t%s\tfollows from beat and lease\n", derived.key, derived.value)
	}
	return out.Flush()
}
