package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/syncline/syncline/client"
)

// Names of the flags and the variables of all commands that talk to nodes.
const (
	flagNode      = "node"
	flagTokenFile = "token-file"
	flagOutput    = "output"
	flagWatch     = "watch"

	envNode    = "SYNCLINE_NODE"
	envNoColor = "NO_COLOR"

	// defaultNode is where the first node of the example in README listens.
	defaultNode = "http://127.0.0.1:7401"
)

// outputs are the values of --output.
const (
	asTable  = "table"
	asJSON   = "json"
	asNDJSON = "ndjson"
)

// Annotations of commands.
const (
	talksToNodes = "talks to nodes" // the command, or its parent, takes the flags below
	watchable    = "watchable"      // --watch repeats the command
)

// remoteCommands are the constructors of the commands that talk to nodes.
func remoteCommands() []func(*app) *cobra.Command {
	return []func(*app) *cobra.Command{
		newGetCommand, newPutCommand, newPatchCommand, newRmCommand, newLsCommand, newSiblingsCommand,
		newHistoryCommand, newReviveCommand, newWatchCommand,
		newImportCommand, newExportCommand,
		newStatusCommand, newLinksCommand, newVotesCommand, newVerifyCommand, newChaosCommand,
		newConflictsCommand, newCollectionsCommand,
	}
}

// addRemoteCommands adds the commands that talk to nodes, and the flags that
// they have in common. These may stand before the command too, and are refused
// with any other.
func addRemoteCommands(root *cobra.Command, a *app) {
	for _, construct := range remoteCommands() {
		c := construct(a)
		if c.Annotations == nil {
			c.Annotations = map[string]string{}
		}
		c.Annotations[talksToNodes] = "yes"
		root.AddCommand(c)
	}
	root.AddCommand(unbuiltCommands()...)
	addRemoteFlags(root.PersistentFlags())
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return refuseForeignFlags(cmd) }
}

// refuseForeignFlags finds flags for commands that talk to nodes at one that
// does not.
func refuseForeignFlags(cmd *cobra.Command) error {
	for c := cmd; c != nil; c = c.Parent() {
		if c.Annotations[talksToNodes] != "" {
			return nil
		}
	}
	var foreign error
	cmd.Root().PersistentFlags().VisitAll(func(f *pflag.Flag) {
		if f.Changed {
			foreign = usagef("--%s: %s asks no node, so it does not take this flag", f.Name, cmd.CommandPath())
		}
	})
	return foreign
}

// usagef is a mistake in the command line.
func usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// addRemoteFlags gives a flag set what every command that talks to nodes takes.
func addRemoteFlags(flags *pflag.FlagSet) {
	flags.StringArrayP(flagNode, "n", nil, "address of a node; repeat it to name others to go on at (default "+defaultNode+", or "+envNode+")")
	flags.String(flagTokenFile, "", "file with the token of a client (this version has no tokens yet)")
	flags.String(flagOutput, asTable, "table for people, json or ndjson for programs")
	flags.Bool(flagWatch, false, "with status, links, votes and chaos runs: show again every second, until Ctrl-C; with chaos start: until the verdict")
}

// remote is how one run of a command reaches the cluster and shows what it got.
type remote struct {
	client  *client.Client
	output  string // asTable, asJSON or asNDJSON
	watch   bool
	in      io.Reader
	out     io.Writer // what was asked for
	notes   io.Writer // what is said beside it
	colour  bool      // out shows colours
	live    bool      // notes is a terminal, so that a line can be redrawn
	liveOut bool      // out is a terminal
}

// errNoTokens is the answer to --token-file.
var errNoTokens = errors.New("--token-file: this version has no tokens yet: its nodes take everyone's word, and listen on loopback only. Leave the flag out")

// connect makes the action of a command from a function that talks to nodes.
func connect(a *app, act func(context.Context, *remote, []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		r, err := newRemote(cmd, a)
		if err != nil {
			return err
		}
		defer r.client.Close()
		return advise(act(cmd.Context(), r, args))
	}
}

func newRemote(cmd *cobra.Command, a *app) (*remote, error) {
	flags := cmd.Flags()
	nodes, err := flags.GetStringArray(flagNode)
	if err != nil {
		return nil, err
	}
	if tokens, err := flags.GetString(flagTokenFile); err != nil || tokens != "" {
		return nil, errors.Join(err, errNoTokens)
	}
	output, err := flags.GetString(flagOutput)
	if err != nil {
		return nil, err
	}
	if !slices.Contains([]string{asTable, asJSON, asNDJSON}, output) {
		return nil, usagef("--output %q: one of table, json, ndjson", output)
	}
	watch, err := flags.GetBool(flagWatch)
	if err != nil {
		return nil, err
	}
	if watch && cmd.Annotations[watchable] == "" {
		return nil, usagef("--watch: %s has nothing to watch; status, links and votes have, and so do chaos start and chaos runs", cmd.Name())
	}
	if len(nodes) == 0 {
		nodes = strings.FieldsFunc(a.getenv(envNode), func(r rune) bool { return r == ',' || r == ' ' })
	}
	if len(nodes) == 0 {
		nodes = []string{defaultNode}
	}
	c, err := client.New(client.Config{Nodes: nodes})
	if err != nil {
		return nil, usagef("--node: %w", err)
	}
	return &remote{
		client: c, output: output, watch: watch, in: a.stdin, out: a.stdout, notes: a.stderr,
		colour: isTerminal(a.stdout) && a.getenv(envNoColor) == "" && a.getenv("TERM") != "dumb",
		live:   isTerminal(a.stderr) && a.getenv("TERM") != "dumb", liveOut: isTerminal(a.stdout),
	}, nil
}

// isTerminal says whether a stream of the program is a terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

// json prints a value as JSON: spread over lines with --output json, on one
// line with ndjson.
func (r *remote) json(v any) error {
	text, err := marshal(v)
	if err != nil {
		return err
	}
	if r.output == asJSON {
		var spread bytes.Buffer
		if err := json.Indent(&spread, text, "", "  "); err != nil {
			return err
		}
		text = spread.Bytes()
	}
	_, err = r.out.Write(append(text, '\n'))
	return err
}

// marshal is json.Marshal that leaves <, > and & as they are.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'}), nil
}

// note says something beside what was asked for.
func (r *remote) note(format string, args ...any) {
	fmt.Fprintln(r.notes, printable(fmt.Sprintf(format, args...)))
}

// advice is an error with what to do about it.
type advice struct {
	error
	todo string
}

func (a *advice) Error() string { return a.error.Error() + "\n  " + a.todo }
func (a *advice) Unwrap() error { return a.error }

// advise adds to an error what helps against it.
func advise(err error) error {
	e, ok := errors.AsType[*client.Error](err)
	if !ok {
		return err
	}
	switch e.Code {
	case client.Unreachable:
		if err != error(e) { //nolint:errorlint // one that is wrapped names the member that was asked, and needs no advice
			return err
		}
		return &advice{err, "Say where a node is with --node or " + envNode + "; `syncline demo` starts some to play with."}
	case client.ReadOnly:
		return &advice{err, "Reads still work. `syncline status` shows who is missing."}
	case client.Unknown:
		return &advice{err, "Read what is there before you write it again: a second write may stand beside the first."}
	case client.ConflictChanged:
		if e.Conflict == "" {
			return &advice{err, "Nothing is left to decide: read the document."}
		}
		return &advice{err, "Look at it again: syncline conflicts show " + e.Conflict}
	case client.OpenConflict:
		return &advice{err, "Look at it first: syncline conflicts show " + e.Conflict + "; then `syncline conflicts resolve`, or write with --if-match or --context."}
	case client.ContextRequired:
		return &advice{err, "Read the document, and send its ETag by --if-match or its context by --context; --if-none-match creates."}
	case client.ResolverInUse:
		return &advice{err, "Give the collections that use it another policy first: syncline resolver ls shows them."}
	case client.StaleContext, client.Precondition:
		return &advice{err, "Somebody else has written. Read again, and send the new ETag or context."}
	default:
		return err
	}
}
