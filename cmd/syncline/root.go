package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/syncline/syncline/client"
)

// Exit codes, as API.md has them.
const (
	exitOK          = 0
	exitError       = 1
	exitUsage       = 2
	exitNotFound    = 3
	exitConflict    = 4 // or a precondition that does not hold
	exitReadOnly    = 5
	exitUnreachable = 6
)

// app is what a command has of the world, so that tests run the true program.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	environ        func() []string // all variables, as NAME=value
}

// usageError is a command line that is wrong.
type usageError struct{ err error }

// Error implements error.
func (e *usageError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *usageError) Unwrap() error { return e.err }

// commands are the constructors of all commands but those that talk to nodes,
// which have flags in common (addRemoteCommands).
func commands() []func(*app) *cobra.Command {
	return []func(*app) *cobra.Command{
		newServeCommand,
		newWitnessCommand,
		newConfigCommand,
		newTokenCommand,
		newVersionCommand,
		newDemoCommand,
		newResolverCommand,
		newWorkerCommand,
	}
}

// newRoot makes the program with all its commands.
func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:           "syncline",
		Short:         "A multi-master JSON document store that shows what diverged",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	for _, construct := range commands() {
		root.AddCommand(construct(a))
	}
	addRemoteCommands(root, a)
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	markUsage(root)
	return root
}

// markUsage makes the errors of flags and arguments of a command, and of all
// below it, usage errors. A group that is called without one of its commands
// shows its help.
func markUsage(c *cobra.Command) {
	c.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	check := c.Args
	if check == nil && c.HasSubCommands() {
		check = noSuchCommand
	}
	if check != nil {
		c.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return &usageError{err}
			}
			return nil
		}
	}
	if !c.Runnable() {
		c.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
	for _, sub := range c.Commands() {
		markUsage(sub)
	}
}

// noSuchCommand refuses words after a group that are none of its commands.
func noSuchCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fmt.Errorf("%s has no command %q: see %s --help", c.CommandPath(), args[0], c.CommandPath())
}

// run carries out a command line and returns the exit code.
func run(ctx context.Context, args []string, a *app) int {
	root := newRoot(a)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err != nil {
		fmt.Fprintf(a.stderr, "syncline: %s\n", err)
	}
	return exitCode(err)
}

// exitCode is the exit code for the outcome of a command.
func exitCode(err error) int {
	if err == nil {
		return exitOK
	}
	if _, ok := errors.AsType[*usageError](err); ok {
		return exitUsage
	}
	e, ok := errors.AsType[*client.Error](err)
	if !ok {
		return exitError
	}
	switch {
	case e.Code == client.ReadOnly:
		return exitReadOnly
	case e.Code == client.Unreachable:
		return exitUnreachable
	case e.Status == http.StatusNotFound:
		return exitNotFound
	case e.Status == http.StatusConflict, e.Status == http.StatusPreconditionFailed, e.Status == http.StatusPreconditionRequired:
		return exitConflict
	}
	return exitError
}
