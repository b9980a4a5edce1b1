package main

import (
	"context"
	"slices"
	"time"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/quorum"
	"github.com/syncline/syncline/vclock"
)

// stable is what every data node has. The engine asks only once it takes writes,
// when the replicator, which needs the engine, has been made.
func (n *dataNode) stable() vclock.Vector { return n.replicator.Stable() }

func (n *dataNode) known() []vclock.Vector { return n.replicator.Known() }

// settleEvery is how often a node looks for conflicts to settle.
const settleEvery = 200 * time.Millisecond

// settle ends conflicts as long as this node is the one to do so.
func (n *dataNode) settle(ctx context.Context) error {
	s := node.Settler{Engine: n.engine, Stable: n.stable, Turn: n.turn}
	tick := time.NewTicker(settleEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			if err := s.Once(ctx); err != nil {
				return err
			}
		}
	}
}

// turn says whether this node is the one that ends conflicts now.
func (n *dataNode) turn() bool {
	return firstToSettle(n.me.Name, n.roster.others(n.me.Name), n.runner.State())
}

// firstToSettle says whether no data node with a lower name can be writable, as
// far as this node knows: one that votes for it reaches it. It is an economy; two
// nodes that settle one conflict make one write of it.
func firstToSettle(self string, others []string, s quorum.State) bool {
	return s.Writable && !slices.ContainsFunc(s.Voters, func(v quorum.VoterState) bool {
		return v.Left > 0 && v.Name < self && slices.Contains(others, v.Name)
	})
}
