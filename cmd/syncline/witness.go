package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/syncline/syncline/node/link"
	"github.com/syncline/syncline/node/peer"
	"github.com/syncline/syncline/node/replica"
	"github.com/syncline/syncline/node/stream"
	"github.com/syncline/syncline/node/wire"
	"github.com/syncline/syncline/witness/server"
)

// witnessMemory is the size of Go's heap at which a witness's collector works
// harder, in bytes. It holds next to nothing; what it makes is garbage of
// ballots, and a machine for a witness may be tiny. GOMEMLIMIT overrides it.
const witnessMemory = 12 << 20

func newWitnessCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "witness --config FILE --name NAME --data FOLDER",
		Short: "Run the witness, which votes and stores no documents",
		Long: "Run the witness of the cluster that the configuration file describes. It prints\n" +
			"one line, \"ready name=… peer=…\", when it serves; SIGTERM and SIGINT end it.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runWitness(cmd.Context(), a, cmd.Flags()) },
	}
	addServerFlags(c.Flags())
	return c
}

// runWitness runs a witness until its context ends. Every long-lived actor of
// the process stands here.
func runWitness(ctx context.Context, a *app, flags *pflag.FlagSet) error {
	if a.getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(witnessMemory)
	}
	w, err := newWitness(ctx, a, flags)
	if err != nil {
		return err
	}
	err = runStages(
		ctx,
		stage{{"peer port", func(ctx context.Context) error { return w.peerServer.Run(ctx, w.link.Wrap(w.sockets.peer)) }}},
		stage{
			{"API", w.serveAPI},
			{"watch for events", w.server.Watch},
			{"announcement", announce(a, w.me.Name, w.sockets)},
		},
	)
	if err = w.close(err); err == nil {
		w.log.Info("stopped")
	}
	return err
}

// witnessProcess is the parts of a witness's process.
type witnessProcess struct {
	cfg     *config
	log     hclog.Logger
	me      roleMember // in the roster that is in force
	roster  roster
	secret  peer.Secret
	folder  *witnessFolder
	longest time.Duration
	events  *stream.Log // what /v1/events tells

	sockets    *sockets
	link       *link.Link
	peerServer *peer.Server
	server     *server.Server
}

// newWitness makes all parts and starts none. What it opened before an error it
// has closed again.
func newWitness(ctx context.Context, a *app, flags *pflag.FlagSet) (*witnessProcess, error) {
	cfg, err := loadConfig(a, flags)
	if err != nil {
		return nil, err
	}
	w := &witnessProcess{cfg: cfg, events: newEvents()}
	w.log = tellLog(newLogger(a.stderr, cfg.logLevel), w.events)
	if err := cfg.checkMe(peer.Witness); err != nil {
		return nil, err
	}
	if w.secret, err = readSecret(cfg, w.log); err != nil {
		return nil, err
	}
	if w.folder, err = openWitnessFolder(cfg.data); err != nil {
		return nil, err
	}
	if err := w.build(ctx, a); err != nil {
		return nil, w.close(err)
	}
	logStart(w.log, cfg, w.me, w.roster)
	return w, nil
}

// build makes the parts in the order in which they need each other.
func (w *witnessProcess) build(ctx context.Context, a *app) error {
	fresh, err := firstDurable(w.cfg.roster(), w.secret)
	if err != nil {
		return err
	}
	keeps, differs, err := w.folder.settle(fresh, w.cfg.name, w.cfg.timing.Promise)
	if err != nil {
		return err
	}
	w.roster, w.longest = keeps.Durable.Roster, keeps.Longest
	w.me, _ = w.roster.member(w.cfg.name) // settle has found it
	reportRoster(w.log, w.cfg.file, differs)
	if w.sockets, err = startSockets(ctx, a, w.cfg, w.me); err != nil {
		return err
	}
	if w.link, err = newLink(w.me.Name, w.roster, w.log, func(c link.Change) { tellFault(w.events, c) }); err != nil {
		return err
	}
	credentials, err := newCredentials(w.secret, w.me, w.roster)
	if err != nil {
		return err
	}
	if w.peerServer, err = newPeerServer(credentials, w.roster, w.log); err != nil {
		return err
	}
	if w.server, err = w.newServer(); err != nil {
		return err
	}
	w.peerServer.Handle(pathBallot, answerMessage(func(_ context.Context, caller string, body []byte) ([]byte, error) {
		return w.server.HandleBallot(caller, body)
	}))
	w.peerServer.Handle(replica.PathHello, answerMessage(func(_ context.Context, caller string, body []byte) ([]byte, error) {
		return w.server.HandleHello(caller, body)
	}))
	return nil
}

// newServer makes the vote, which waits its longest promise out from here on.
func (w *witnessProcess) newServer() (*server.Server, error) {
	clock, err := bootTime()
	if err != nil {
		return nil, fmt.Errorf("boot-time clock: %w", err)
	}
	registry := prometheus.NewRegistry()
	err = errors.Join(
		registry.Register(collectors.NewGoCollector()),
		registry.Register(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})),
	)
	if err != nil {
		return nil, err
	}
	boot := uint64(0)
	for boot == 0 {
		boot = randomNumber()
	}
	cfg := server.Config{
		Roster: w.roster.votes(), Timing: w.cfg.timing, Boot: boot, Longest: w.longest, Clock: clock, Wall: time.Now,
		Build: shortBuild(), Metrics: registry, Events: w.events,
		Changed: func(holders []string) { w.log.Info("the vote", "holders", strings.Join(holders, ",")) },
	}
	for _, m := range w.roster.Members {
		cfg.Members = append(cfg.Members, server.Member{Name: m.Name, Role: wire.Role(m.Role), API: m.API, Peer: m.Peer, Priority: m.Priority})
	}
	if w.sockets.api != nil {
		cfg.Listen = []string{w.sockets.api.Addr().String()}
	}
	if w.cfg.chaos {
		cfg.Chaos = w.link
	}
	return server.New(cfg)
}

// serveAPI serves the witness's own API, where the roster gives it one.
func (w *witnessProcess) serveAPI(ctx context.Context) error {
	if w.sockets.api == nil {
		<-ctx.Done()
		return ctx.Err()
	}
	return w.server.Serve(ctx, w.sockets.api)
}

// close closes what there is, after err.
func (w *witnessProcess) close(err error) error {
	if w.sockets != nil {
		err = oneError(err, w.sockets.close())
	}
	if w.link != nil {
		err = oneError(err, w.link.Close())
	}
	return oneError(err, w.folder.close())
}
