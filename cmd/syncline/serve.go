package main

import (
	"context"
	"fmt"
	"net"

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
	return c
}

// runServe runs a data node until its context ends. Every long-lived actor of
// the process stands here. A stage starts after those above it and is stopped
// before them: first the API, which finishes its requests while votes and the
// writer still work, and last the writer, so that nobody waits for it in vain.
func runServe(ctx context.Context, a *app, flags *pflag.FlagSet) error {
	n, err := newDataNode(ctx, a, flags)
	if err != nil {
		return err
	}
	err = runStages(
		ctx,
		stage{
			{"store", n.store.Run},
			{"disk watch", n.disk.run},
			{"watch for failures", n.failed.run},
		},
		stage{{"writer", n.engine.Run}},
		stage{
			{"votes", n.runner.Run},
			{"replication", n.replicator.Run},
			{"peer port", func(ctx context.Context) error { return n.peerServer.Run(ctx, n.link.Wrap(n.sockets.peer)) }},
			{"gossip", n.gossip},
		},
		stage{
			{"API", n.serveAPI},
			{"announcement", announce(a, n.me.Name, n.sockets)},
		},
	)
	return n.close(ctx, err)
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
