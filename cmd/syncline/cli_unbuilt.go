package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// unbuilt are the commands that the API promises and that this version does not
// have yet. They say so, instead of being unknown words.
const unbuilt = `lag doctor roster override forget backup cert`

// unbuiltCommands answers for each of them.
func unbuiltCommands() []*cobra.Command {
	var out []*cobra.Command
	for name := range strings.FieldsSeq(unbuilt) {
		out = append(out, &cobra.Command{
			Use: name, Hidden: true, DisableFlagParsing: true,
			RunE: func(*cobra.Command, []string) error {
				return fmt.Errorf("%s is not built yet: it comes in a later version. `syncline --help` lists what there is", name)
			},
		})
	}
	return out
}
