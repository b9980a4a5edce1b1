package main

import (
	"context"
	"time"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/quorum"
)

// sweepEvery is how often a node looks for what has had its time: former
// versions, and records of conflicts.
const sweepEvery = 10 * time.Second

// sweep forgets what has had its time. Former versions are the node's own
// matter; records are deleted by the node that ends conflicts.
func (n *dataNode) sweep(ctx context.Context) error {
	s := node.Sweeper{Engine: n.engine, Stable: n.stable, Turn: n.turn}
	tick := time.NewTicker(sweepEvery)
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

// offset is how far the wall clock of another data node is ahead of this one's.
// The engine asks only once it takes writes, when the runner has been made.
func (n *dataNode) offset(name string) (time.Duration, bool) {
	return measuredOffset(n.runner.State(), name)
}

// measuredOffset is what the last ballot measured; false while the node is
// silent.
func measuredOffset(s quorum.State, name string) (time.Duration, bool) {
	for _, v := range s.Voters {
		if v.Name == name && v.Reachable && v.Answered {
			return v.Offset, true
		}
	}
	return 0, false
}
