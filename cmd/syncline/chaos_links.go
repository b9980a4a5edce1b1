package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/syncline/syncline/client"
	"github.com/syncline/syncline/scripts/chaos"
)

const (
	// chaosTimeout bounds one request of a chaos run.
	chaosTimeout = 10 * time.Second
	// chaosWait is how long a node may wait for a session.
	chaosWait = time.Second
)

// chaosMember is a member of a cluster as a chaos run sees it.
type chaosMember struct {
	name   string
	data   bool
	client *client.Client
}

// chaosMembers are all members of a cluster, with clients for each alone.
type chaosMembers []chaosMember

// newChaosMember makes the client of one member, at the address of its API.
func newChaosMember(name string, data bool, api string) (chaosMember, error) {
	c, err := client.New(client.Config{Nodes: []string{api}, Pinned: true, NoSession: true, Timeout: chaosTimeout, Wait: chaosWait})
	return chaosMember{name, data, c}, err
}

func (m chaosMembers) close() {
	for _, one := range m {
		one.client.Close()
	}
}

func (m chaosMembers) find(name string) *chaosMember {
	i := slices.IndexFunc(m, func(one chaosMember) bool { return one.name == name })
	if i < 0 {
		return nil
	}
	return &m[i]
}

// Node is the client of one data node.
func (m chaosMembers) Node(name string) chaos.Node { return m.find(name).client }

// faultOf is a fault of a script as the API takes it.
func faultOf(f chaos.Fault) client.Fault {
	kinds := map[chaos.FaultKind]string{
		chaos.Cut: client.FaultCut, chaos.Slow: client.FaultDelay, chaos.Lose: client.FaultLoss, chaos.Flap: client.FaultFlap,
	}
	return client.Fault{
		From: f.From, To: f.To, Kind: kinds[f.Kind], Both: !f.OneWay,
		Duration: client.Span(f.Lasts), Delay: client.Span(f.Delay), Loss: f.Share,
	}
}

// breakOn puts a fault on both ends of its link, but for those that deaf says
// take none now: a process that is down or stands still. One end is enough. What
// delays or loses one direction works where it is sent from, and only there.
func (m chaosMembers) breakOn(ctx context.Context, f chaos.Fault, deaf func(name string) bool) error {
	names := []string{f.From, f.To}
	if f.OneWay && f.Kind != chaos.Cut {
		names = names[:1]
	}
	var ends []end
	for _, name := range names {
		if !deaf(name) {
			ends = append(ends, end{name, m.find(name).client})
		}
	}
	if len(ends) == 0 {
		return fmt.Errorf("%s takes no fault now, being down or paused, so nobody can put one on the link of %s and %s", strings.Join(names, " or "), f.From, f.To)
	}
	_, err := breakLink(ctx, ends, faultOf(f))
	return err
}

// healOn ends the faults of one link, or all when both names are empty.
func (m chaosMembers) healOn(ctx context.Context, a, b string, deaf func(name string) bool) error {
	var link []string
	if a != "" {
		link = []string{a, b}
	}
	// All at once: one that is silent must not keep the others from being healed.
	failed := make([]error, len(m))
	var group sync.WaitGroup
	for i, one := range m {
		if deaf(one.name) || link != nil && !slices.Contains(link, one.name) {
			continue
		}
		group.Go(func() {
			if _, err := healEnd(ctx, end{one.name, one.client}, link, false); err != nil {
				failed[i] = chaosError(one.name, err)
			}
		})
	}
	group.Wait()
	return errors.Join(failed...)
}

// awaitVotes waits until every data node has every vote.
func (m chaosMembers) awaitVotes(ctx context.Context, within time.Duration) error {
	waiting := ""
	ok, err := eventually(ctx, within, func() bool {
		for _, one := range m {
			if !one.data {
				continue
			}
			state, err := one.client.Cluster(ctx)
			if err != nil || !settled(state) {
				waiting = one.name
				return false
			}
		}
		return true
	})
	if err == nil && !ok {
		err = fmt.Errorf("%s does not have every vote within %s: is everything up, and healed?", waiting, within)
	}
	return err
}
