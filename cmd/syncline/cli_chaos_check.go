package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/syncline/syncline/scripts/chaos/history"
)

// newChaosCheckCommand reads the history of a run again.
func newChaosCheckCommand(a *app) *cobra.Command {
	var only []string
	cmd := &cobra.Command{
		Use: "check FILE...", Short: "Check histories of chaos runs; needs no node", Args: cobra.MinimumNArgs(1),
		Long: "Reads histories (JSON lines, as `chaos run --report` writes them) and runs the checkers over each:\n" +
			strings.Join(history.Names(), ", ") + ". Exits with 1 when one found something.",
		Example: "  syncline chaos check report/history.jsonl --only ledger,append",
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed(flagNode) {
				return usagef("chaos check reads files and asks no node: leave --%s out", flagNode)
			}
			wrong := 0
			for _, file := range args {
				n, err := checkHistory(a.stdout, file, only)
				if err != nil {
					return err
				}
				wrong += n
			}
			if wrong > 0 {
				return fmt.Errorf("%d findings", wrong)
			}
			return nil
		},
	}
	cmd.Flags().StringSliceVar(&only, "only", nil, "checkers, separated by commas")
	return cmd
}

// checkHistory checks one file, shows what was found, and says how much.
func checkHistory(out io.Writer, file string, only []string) (int, error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, err
	}
	records, err := history.Read(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return 0, fmt.Errorf("%s: %w", file, err)
	}
	results, err := history.Check(records, only...)
	if err != nil {
		return 0, &usageError{err}
	}
	wrong := 0
	t := table{head: []string{"CHECKER", "CHECKED", "FOUND"}}
	for _, r := range results {
		wrong += r.Wrong
		t.add(text(r.Checker), text(strconv.Itoa(r.Checked)), text(strconv.Itoa(r.Wrong)))
	}
	fmt.Fprintf(out, "%s: %d records\n", file, len(records))
	if err := t.write(out, false); err != nil {
		return wrong, err
	}
	for _, r := range results {
		for _, finding := range r.Findings {
			fmt.Fprintf(out, "  %s: %s\n", r.Checker, printable(finding))
		}
		if more := r.Wrong - len(r.Findings); more > 0 {
			fmt.Fprintf(out, "  %s: and %d more\n", r.Checker, more)
		}
	}
	return wrong, nil
}
