package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/pflag"

	"github.com/syncline/syncline/conflict/script"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/link"
	"github.com/syncline/syncline/node/member"
	"github.com/syncline/syncline/node/peer"
	"github.com/syncline/syncline/node/quorum"
	"github.com/syncline/syncline/node/replica"
	"github.com/syncline/syncline/node/rest"
	"github.com/syncline/syncline/node/sqlite"
	"github.com/syncline/syncline/node/stream"
	"github.com/syncline/syncline/node/timeline"
	"github.com/syncline/syncline/witness"
)

// tokenKey is the length of the key of tokens that clients carry, in bytes.
const tokenKey = 32

// dataNode is the parts of a data node's process.
type dataNode struct {
	cfg     *config
	log     hclog.Logger
	me      roleMember // in the roster that is in force
	roster  roster
	secret  peer.Secret
	boot    func() time.Duration
	wall    func() time.Time // time.Now, unless chaos has its hand on it
	started time.Time
	failed  failure
	events  *stream.Log // what /v1/events tells

	timeline   *timeline.Timeline
	store      *sqlite.Store
	sockets    *sockets
	engine     *node.Engine
	workers    *script.Pool // run resolvers
	disk       *diskWatch
	link       *link.Link
	peerClient *peer.Client
	peerServer *peer.Server
	runner     *quorum.Runner
	replicator *replica.Replicator
	members    *member.Gossip // nil without an address for gossip
	api        *rest.Server
	scripts    *offeredScripts // of chaos
	runs       *nodeRuns       // of them
}

// newDataNode makes all parts and starts none. What it opened before an error
// it has closed again.
func newDataNode(ctx context.Context, a *app, flags *pflag.FlagSet) (*dataNode, error) {
	cfg, err := loadConfig(a, flags)
	if err != nil {
		return nil, err
	}
	n := &dataNode{cfg: cfg, failed: newFailure(), started: time.Now(), events: newEvents()}
	n.log = tellLog(newLogger(a.stderr, cfg.logLevel), n.events)
	if err := cfg.checkMe(peer.Data); err != nil {
		return nil, err
	}
	if n.wall, err = wallClock(cfg, flags); err != nil {
		return nil, err
	}
	if n.scripts, err = newOfferedScripts(cfg, flags); err != nil {
		return nil, err
	}
	if n.secret, err = readSecret(cfg, n.log); err != nil {
		return nil, err
	}
	if n.boot, err = bootTime(); err != nil {
		return nil, fmt.Errorf("boot-time clock: %w", err)
	}
	if n.store, err = sqlite.Open(ctx, sqlite.Config{Dir: cfg.data, Full: cfg.full}); err != nil {
		return nil, err
	}
	if n.timeline, err = newTimeline(cfg.data, n.log); err != nil {
		return nil, n.abandon(err)
	}
	if err := n.build(ctx, a); err != nil {
		return nil, n.abandon(err)
	}
	n.greet()
	return n, nil
}

// build makes the parts that stand on the store, in the order in which they
// need each other.
func (n *dataNode) build(ctx context.Context, a *app) error {
	kept, err := n.settleRoster(ctx)
	if err != nil {
		return err
	}
	if n.sockets, err = startSockets(ctx, a, n.cfg, n.me); err != nil {
		return err
	}
	if n.disk, err = newDiskWatch(n.cfg.data, n.log.Named("disk")); err != nil {
		return err
	}
	if n.workers, err = newWorkers(n.log); err != nil {
		return err
	}
	guard := &lateGuard{}
	if err := n.openEngine(ctx, guard, kept); err != nil {
		return err
	}
	if n.link, err = newLink(n.me.Name, n.roster, n.log, n.tellFault); err != nil {
		return err
	}
	if err := n.newPeerPorts(); err != nil {
		return err
	}
	if n.runner, err = n.newRunner(ctx); err != nil {
		return err
	}
	guard.Runner = n.runner
	n.replicator = n.newReplicator()
	n.mount()
	if n.members, err = n.newGossip(); err != nil {
		return err
	}
	n.newChaos()
	n.api, err = n.newAPI()
	return err
}

// settleRoster decides which roster is in force, and returns what the file
// keeps of it.
func (n *dataNode) settleRoster(ctx context.Context) ([]byte, error) {
	meta, err := n.store.Meta(ctx)
	if err != nil {
		return nil, err
	}
	fresh, err := firstDurable(n.cfg.roster(), n.secret)
	if err != nil {
		return nil, err
	}
	d := fresh
	if len(meta.Roster) > 0 {
		if d, err = decodeDurable(meta.Roster); err != nil {
			return nil, err
		}
	}
	differs, err := d.against(fresh, n.cfg.name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", n.cfg.data, err)
	}
	reportRoster(n.log, n.cfg.file, differs)
	n.roster = d.Roster
	n.me, _ = d.Roster.member(n.cfg.name) // against has found it
	return d.encode()
}

func (n *dataNode) openEngine(ctx context.Context, guard node.Guard, kept []byte) error {
	key, err := peer.DeriveKey(n.secret, peer.PurposeContext, tokenKey)
	if err != nil {
		return err
	}
	resolver, err := newScripts(n.workers)
	if err != nil {
		return err
	}
	n.engine, err = node.Open(ctx, node.Config{
		Cluster: n.roster.Cluster, Node: n.me.Name, Others: n.roster.others(n.me.Name),
		Store: n.store, Guard: guard, Stable: n.stable, Known: n.known, Offset: n.offset, Wall: n.wall,
		Random: randomActor, Key: key, Full: n.cfg.full, Found: n.cfg.found, Roster: kept, Events: n.newEventLog(),
		Resolver: resolver,
	})
	return err
}

// lateGuard lets the engine, which the runner needs, be made before the runner,
// which guards the engine. Nobody asks it before both are there.
type lateGuard struct{ *quorum.Runner }

func (n *dataNode) newRunner(ctx context.Context) (*quorum.Runner, error) {
	meta := n.engine.Meta()
	return quorum.NewRunner(quorum.RunnerConfig{
		Keeper: quorum.Config{
			Name: n.me.Name, Roster: n.roster.votes(), Timing: n.cfg.timing, Random: randomNumber,
			Life: witness.Life{Incarnation: meta.Born, Starts: meta.Starts},
		},
		Caller:   ballotCaller{n.peerClient},
		Boot:     n.boot,
		Wall:     n.wall,
		Self:     n.self,
		OwnActor: n.engine.OwnActorSeen,
		Heard:    n.heard(ctx),
		Changed:  n.writableChanged,
	})
}

// self is what this node says of itself in ballots and votes.
func (n *dataNode) self() quorum.Self {
	return quorum.Self{
		Standing: n.engine.Standing(), Actor: n.engine.Actor(), Frontier: n.engine.Frontier(), DiskLow: n.disk.low.Load(),
	}
}

// heard hands on what another data node said of itself in a ballot.
func (n *dataNode) heard(ctx context.Context) func(quorum.Heard) {
	return func(h quorum.Heard) {
		n.replicator.Ahead(h.Name, h.Frontier)
		if err := n.engine.PeerStanding(ctx, h.Name, node.Standing(h.Standing)); err != nil {
			// The writer is busy or stops; the next ballot says it again.
			n.log.Debug("could not note the standing of a peer", "peer", h.Name, "error", err)
		}
	}
}

func (n *dataNode) newReplicator() *replica.Replicator {
	return replica.New(replica.Config{
		Cluster: n.roster.Cluster, Self: n.me.Name, Others: n.roster.others(n.me.Name),
		Engine: n.engine, Store: n.store, Caller: n.peerClient, Hello: n.hello, Now: n.boot,
		Events: func(e replica.Event) {
			level := hclog.Info
			if e.Alarm {
				level = hclog.Error
			}
			n.log.Named("replica").Log(level, e.Text, "peer", e.Peer, "error", e.Err)
		},
	})
}

// newGossip makes this node's part in gossip, nil when the roster gives it no
// address for it.
func (n *dataNode) newGossip() (*member.Gossip, error) {
	if n.sockets.gossip == nil || n.sockets.packets == nil || n.me.Gossip == "" {
		return nil, nil
	}
	key, err := peer.DeriveKey(n.secret, peer.PurposeGossip, member.KeyBytes)
	if err != nil {
		return nil, err
	}
	return member.New(member.Config{
		Self: n.me.Name, Cluster: n.roster.Cluster, Key: key, Roster: n.roster.contacts, Network: n.link,
		Listener: n.sockets.gossip, Packets: n.sockets.packets, Build: build(),
		OnAlive: n.replicator.Wake, Log: slogTo(n.log.Named("gossip")),
	})
}

// gossip runs this node's part in gossip.
func (n *dataNode) gossip(ctx context.Context) error {
	if n.members == nil {
		<-ctx.Done()
		return ctx.Err()
	}
	return n.members.Run(ctx)
}

// close ends the use of the folder after all actors have ended with err. Only a
// folder that was in order to the end is marked so.
func (n *dataNode) close(ctx context.Context, err error) error {
	err = oneError(err, n.peerClient.Close(), n.link.Close(), n.sockets.close(), n.timeline.Close())
	if err = oneError(err, n.engine.Close(context.WithoutCancel(ctx))); err == nil {
		n.log.Info("stopped")
	}
	return err
}

// abandon closes what newDataNode has opened when it cannot go on.
func (n *dataNode) abandon(err error) error {
	if n.sockets != nil {
		err = oneError(err, n.sockets.close())
	}
	if n.link != nil {
		err = oneError(err, n.link.Close())
	}
	if n.peerClient != nil {
		err = oneError(err, n.peerClient.Close())
	}
	if n.timeline != nil {
		err = oneError(err, n.timeline.Close())
	}
	if n.engine != nil {
		return oneError(err, n.engine.Close(context.Background()))
	}
	return oneError(err, n.store.Close())
}

// oneError is the first error, the cause: a process that ends says one thing.
func oneError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func randomActor() (out [5]byte) {
	_, _ = rand.Read(out[:]) // never fails
	return out
}

func randomNumber() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.NativeEndian.Uint64(b[:])
}
