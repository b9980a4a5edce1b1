package main

import (
	"context"
	"errors"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/syncline/syncline/docs"
	"github.com/syncline/syncline/node/rest"
	"github.com/syncline/syncline/vclock"
	"github.com/syncline/syncline/web"
)

// newAPI makes the public API over all other parts.
func (n *dataNode) newAPI() (*rest.Server, error) {
	page, err := web.New()
	if err != nil {
		return nil, err
	}
	state := n.newClusterState()
	registry := prometheus.NewRegistry()
	err = errors.Join(
		registry.Register(collectors.NewGoCollector()),
		registry.Register(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})),
		registry.Register(newStateCollector(state)),
		registry.Register(newFigureCollector(figures{
			votes: state.Votes, commits: n.store.Commits, sizes: n.store.Sizes,
			written: func() uint64 { return n.engine.Frontier().Get(n.engine.Actor()) },
		})),
	)
	if err != nil {
		return nil, err
	}
	cfg := rest.Config{
		Engine: n.engine, Node: n.me.Name, ClusterID: n.roster.Cluster, Roster: n.roster.public(),
		Timing: rest.Timing{Beat: n.cfg.timing.Beat, Lease: n.cfg.timing.Lease, Bound: boundOf(n.cfg.timing, n.roster.votes())},
		Listen: []string{n.sockets.api.Addr().String()}, Cluster: state, Build: build(), UI: page, Docs: docs.Files,
		Log: n.log.Named("api"), Metrics: registry,
		Scripts: n.workers, Events: n.events, Timeline: n.timeline, Differences: n.replicator,
	}
	if cfg.Examples, err = resolverExamples(); err != nil {
		return nil, err
	}
	if n.cfg.chaos {
		cfg.Chaos, cfg.ChaosRuns, cfg.ChaosPresets = n.link, n.runs, &nodePresets{n.roster, n.runs}
	}
	return rest.New(cfg)
}

func (n *dataNode) newClusterState() *clusterState {
	return &clusterState{
		self: n.me.Name, roster: n.roster, started: n.started, origin: n.started.Add(-n.boot()),
		votes: n.runner.State, log: n.runner.Log, data: n.replicator.Status, links: n.link.Snapshot, disk: n.disk.status,
		frontier: func() vclock.Vector { return n.engine.Frontier() },
		stable:   n.replicator.Stable,
		known:    n.replicator.Table().Frontier,
	}
}

// serveAPI serves until its context ends. Requests that had to be broken off
// then are reported; they do not make the end a failure.
func (n *dataNode) serveAPI(ctx context.Context) error {
	err := n.api.Serve(ctx, n.sockets.api)
	if ctx.Err() == nil {
		return err
	}
	if err != nil {
		n.log.Warn("drained with a loss", "error", err)
	}
	return nil
}
