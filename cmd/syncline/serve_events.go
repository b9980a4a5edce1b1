package main

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"golang.org/x/time/rate"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/link"
	"github.com/syncline/syncline/node/peer"
	"github.com/syncline/syncline/node/quorum"
	"github.com/syncline/syncline/witness"
)

// driftEvery is the shortest time between two lines about versions from the
// future: a peer whose clock is wrong writes many.
const driftEvery = 10 * time.Second

// boundStep is what the printed bound is rounded up to.
const boundStep = 100 * time.Millisecond

// boundOf is B, for how long two sides of a cut may both take writes, rounded
// up.
func boundOf(t witness.Timing, r witness.Roster) time.Duration {
	return time.Duration(math.Ceil(float64(t.Bound(r))/float64(boundStep))) * boundStep
}

// failure carries why the process must end from where that was found.
type failure chan error

func newFailure() failure { return make(failure, 1) }

// set notes the first failure.
func (f failure) set(err error) {
	select {
	case f <- err:
	default:
	}
}

// run returns the failure when there is one.
func (f failure) run(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case err := <-f:
		return err
	}
}

// greet says what starts, and the worst case of the timing.
func (n *dataNode) greet() {
	logStart(n.log, n.cfg, n.me, n.roster)
	n.log.Info("storage", "folder", n.cfg.data, "sync", map[bool]string{true: syncFull, false: syncNormal}[n.cfg.full],
		"actor", string(n.engine.Actor()), "starts", n.engine.Starts(), "standing", string(n.engine.Standing()))
}

func logStart(log hclog.Logger, cfg *config, me roleMember, r roster) {
	log.Info("start", "build", build(), "cluster", r.Cluster, "name", me.Name, "role", string(me.Role), "epoch", r.Epoch,
		"beat", cfg.timing.Beat, "lease", cfg.timing.Lease, "bound", boundOf(cfg.timing, r.votes()), "chaos", cfg.chaos)
	if cfg.insecure {
		line := strings.Repeat("*", 72)
		log.Warn(line)
		log.Warn("--insecure: everyone who reaches the API can read and change everything")
		log.Warn(line)
	}
}

// newEventLog writes down what the engine tells. A failure ends the process.
func (n *dataNode) newEventLog() func(node.Event) {
	drift := &rate.Sometimes{Interval: driftEvery}
	log := n.log.Named("engine")
	return func(e node.Event) {
		switch e.Kind {
		case node.EventActor:
			log.Info("a new actor was chosen", "old", e.Old, "new", e.New)
		case node.EventStanding:
			log.Info("standing", "old", e.Old, "new", e.New)
			n.tellStanding(e)
		case node.EventDrift:
			drift.Do(func() {
				log.Warn("a peer's version is from the future: compare the clocks", "version", e.Key, "ahead", e.By)
			})
		case node.EventReusedDot:
			log.Error("ALARM: one dot names two writes: a file was copied or went back", "dot", e.Key)
		case node.EventConfig:
			log.Error("the configuration of a collection, or a resolver, cannot be read, so it is as if it were not there: was it written by a newer program?", "name", e.Key, "error", e.Err)
		case node.EventSiblings:
			log.Warn("a document has very many live versions: do its writers send old contexts?", "document", e.Key)
		case node.EventConflict:
			n.api.Conflict(e) // the writer runs only once there is an API
		case node.EventFailed:
			n.failed.set(e.Err)
		}
	}
}

// writableChanged writes down when the node becomes writable or read-only.
func (n *dataNode) writableChanged(s quorum.State) {
	log := n.log.Named("votes")
	n.api.Poke()
	if s.Writable {
		log.Info("writable", "have", s.Have, "need", s.Need, "of", s.Of)
		return
	}
	log.Warn("read-only", "cause", string(s.Cause), "have", s.Have, "need", s.Need, "of", s.Of, "detail", s.Detail())
}

// newLink makes this process's view of the network. tell is told of faults.
func newLink(self string, r roster, log hclog.Logger, tell func(link.Change)) (*link.Link, error) {
	log = log.Named("link")
	return link.New(link.Config{
		Self: self, Peers: r.names,
		Report: func(c link.Change) {
			f := c.Fault
			log.Warn("fault "+string(c.State), "id", f.ID, "kind", string(f.Kind), "from", f.From, "to", f.To, "both", f.Both, "for", f.Duration)
			tell(c)
		},
	})
}

// readSecret reads the cluster secret.
func readSecret(cfg *config, log hclog.Logger) (peer.Secret, error) {
	secret, warning, err := peer.ReadSecret(cfg.secretFile)
	if warning != "" {
		log.Warn(warning)
	}
	return secret, err
}

// reportRoster says that the file's roster is not the one that is in force.
func reportRoster(log hclog.Logger, file string, differs []string) {
	if len(differs) > 0 {
		log.Warn("the roster of the file differs from the one in force, which the folder keeps since its first start; the file is not obeyed",
			"file", file, "differences", strings.Join(differs, "; "))
	}
}

// refusedLog writes down which processes were refused, or refused this one.
func refusedLog(log hclog.Logger) func(peer.Refusal) {
	log = log.Named("peer")
	return func(r peer.Refusal) {
		who := "it was called"
		if r.Inbound {
			who = "it called"
		}
		args := []any{"peer", r.Peer, "remote", r.Remote, "direction", who, "reason", string(r.Reason), "detail", r.Detail}
		if r.Suppressed > 0 {
			args = append(args, "suppressed", fmt.Sprint(r.Suppressed))
		}
		log.Warn("refused", args...)
	}
}
