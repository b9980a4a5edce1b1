package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime/debug"
	"runtime/pprof"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/syncline/syncline/node/peer"
)

func newServeCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "serve --config FILE --name NAME --data FOLDER",
		Short: "Run a data node",
		Long: "Run a data node of the cluster that the configuration file describes. It prints\n" +
			"one line, \"ready name=… api=… peer=…\", when it serves; SIGTERM and SIGINT drain it.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runServe(cmd.Context(), a, cmd.Flags()) },
	}
	addServerFlags(c.Flags())
	c.Flags().Bool("found", false, "found the cluster although other data nodes are absent; once, at its first start")
	c.Flags().String(flagChaosClock, "", "file that says how wrong the wall clock is, for chaos run; only with --chaos")
	c.Flags().String(flagChaosScripts, "", "folder of the chaos scripts that the API offers, instead of those that ship; only with --chaos")
	c.Flags().String("cpuprofile", "", "file for a profile of the whole run, for go tool pprof")
	return c
}

// gcPercent is how much garbage may gather beside what lives, in percent of it.
// The caches live on the heap, so each byte of them costs nearly two of memory.
const gcPercent = 90

// runServe runs a data node until its context ends. Every long-lived actor of
// the process stands here. A stage starts after those above it and is stopped
// before them: first the API, which finishes its requests while votes and the
// writer still work, and last the writer, so that nobody waits for it in vain.
func runServe(ctx context.Context, a *app, flags *pflag.FlagSet) error {
	if a.getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	stopProfile, err := startProfile(flags)
	if err != nil {
		return err
	}
	n, err := newDataNode(ctx, a, flags)
	if err != nil {
		return errors.Join(err, stopProfile())
	}
	err = runStages(
		ctx,
		stage{
			{"store", n.store.Run},
			{"timeline", n.timeline.Run},
			{"disk watch", n.disk.run},
			{"watch for failures", n.failed.run},
			{"resolver workers", n.workers.Run},
		},
		stage{{"writer", n.engine.Run}},
		stage{
			{"votes", n.runner.Run},
			{"replication", n.replicator.Run},
			{"peer port", func(ctx context.Context) error { return n.peerServer.Run(ctx, n.link.Wrap(n.sockets.peer)) }},
			{"gossip", n.gossip},
			{"settling", n.settle},
			{"retention", n.sweep},
		},
		stage{
			{"API", n.serveAPI},
			{"watch for events", n.api.Watch},
			{"announcement", announce(a, n.me.Name, n.sockets)},
		},
		// Before the API: what a run broke is healed through it.
		stage{{"chaos runs", n.runChaos}},
	)
	return errors.Join(n.close(ctx, err), stopProfile())
}

// startProfile begins the profile of the process that --cpuprofile asks for.
func startProfile(flags *pflag.FlagSet) (stop func() error, err error) {
	path, err := flags.GetString("cpuprofile")
	if err != nil || path == "" {
		return func() error { return nil }, err
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("--cpuprofile: %w", err)
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return nil, fmt.Errorf("--cpuprofile: %w", errors.Join(err, file.Close()))
	}
	return func() error {
		pprof.StopCPUProfile()
		return file.Close()
	}, nil
}

// announce prints the one line of standard output: the process serves.
func announce(a *app, name string, s *sockets) func(context.Context) error {
	return func(ctx context.Context) error {
		api := ""
		if s.api != nil {
			api = " api=" + s.api.Addr().String()
		}
		if _, err := fmt.Fprintf(a.stdout, "ready name=%s%s peer=%s\n", name, api, s.peer.Addr()); err != nil {
			return fmt.Errorf("say that the process is ready: %w", err)
		}
		<-ctx.Done()
		return ctx.Err()
	}
}

// checkExposure refuses an API without credentials that others can reach,
// unless that was asked for.
func checkExposure(c *config, api net.Listener) error {
	if api == nil || !exposed(api) || c.insecure {
		return nil
	}
	return fmt.Errorf("the API at %s would answer everyone on the network, without credentials: listen on a loopback address, or add --insecure", api.Addr())
}

// startSockets takes over or binds all that a process listens on.
func startSockets(ctx context.Context, a *app, c *config, m roleMember) (*sockets, error) {
	s, err := takeSockets(a)
	if err != nil {
		return nil, err
	}
	at := bound(m, c.listen[m.Name])
	if m.Role == peer.Witness {
		at.Gossip = "" // a witness takes no part in gossip
	}
	if err := s.bind(ctx, at); err != nil {
		return nil, err
	}
	if err := checkExposure(c, s.api); err != nil {
		return nil, oneError(err, s.close())
	}
	return s, nil
}
