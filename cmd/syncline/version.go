package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/syncline/syncline/node/wire"
)

// shownRevision is how much of a commit's id is shown, in characters.
const shownRevision = 12

func newVersionCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Say which build this is",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(a.stdout, "syncline %s %s %s/%s\n", build(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

// build names this build, as the Go tool noted it: the module's version, and
// the commit where it was built from a working copy.
func build() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	revision, changed := "", false
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			revision = s.Value[:min(len(s.Value), shownRevision)]
		case "vcs.modified":
			changed = s.Value == "true"
		}
	}
	version := info.Main.Version
	if version == "" || version == "(devel)" {
		version = "devel"
		if revision != "" {
			version += "+" + revision
		}
		if changed {
			version += "-changed"
		}
	}
	return version
}

// shortBuild is build as it is told to peers.
func shortBuild() string {
	b := build()
	return b[:min(len(b), wire.MaxBuild)]
}
