package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/syncline/syncline/node/peer"
	"github.com/syncline/syncline/scripts/chaos"
)

// errNotOurs is why a run does nothing to processes that it did not start.
var errNotOurs = errors.New("--on: the processes of a running cluster are not this run's to stop")

// runningCluster is a cluster that runs already, as its configuration describes
// it. Links can be broken, where its processes were started with --chaos;
// processes and clocks are left alone.
type runningCluster struct{ chaosMembers }

// findRunning looks whether a running cluster is the one that a script asks for.
func findRunning(ctx context.Context, file string, p *chaos.Program) (*runningCluster, error) {
	doc, err := readConfigFile(file)
	if err != nil {
		return nil, err
	}
	if err := p.FitsCluster(roster{Members: doc.members}.roles()); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	c, err := newRunning(doc.members)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if err := c.await(ctx); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// roles are the names of the data nodes, and those of the witnesses.
func (r roster) roles() (data, witnesses []string) {
	for _, m := range r.Members {
		if m.Role == peer.Witness {
			witnesses = append(witnesses, m.Name)
		} else {
			data = append(data, m.Name)
		}
	}
	return data, witnesses
}

// newRunning makes the clients of all members. stop must be called.
func newRunning(members []roleMember) (*runningCluster, error) {
	c := &runningCluster{}
	for _, m := range members {
		if m.API == "" {
			c.close()
			return nil, noAPI(m.Name)
		}
		one, err := newChaosMember(m.Name, m.Role != peer.Witness, m.API)
		if err != nil {
			c.close()
			return nil, err
		}
		c.chaosMembers = append(c.chaosMembers, one)
	}
	return c, nil
}

// noAPI is why nothing can be asked of a member.
func noAPI(name string) error {
	return fmt.Errorf("%s has no API address in the roster, so its side of a link cannot be reached", name)
}

// await looks whether every process takes faults, and waits for every vote.
func (c *runningCluster) await(ctx context.Context) error {
	for _, one := range c.chaosMembers {
		if _, err := one.client.Faults(ctx); err != nil {
			return chaosError(one.name, err)
		}
	}
	return c.awaitVotes(ctx, allVotesWithin)
}

// Lacks implements chaos.Cluster.
func (c *runningCluster) Lacks(a chaos.Ability) string {
	switch a {
	case chaos.Processes, chaos.Clocks:
		return "--on takes a running cluster, whose processes and clocks this run leaves alone: run the script without --on"
	case chaos.Ports:
		return "the link layer cuts whole links: run the script with --net=ns, as root"
	default:
		return ""
	}
}

func never(string) bool { return false }

// Break implements chaos.Cluster.
func (c *runningCluster) Break(ctx context.Context, f chaos.Fault) error {
	return c.breakOn(ctx, f, never)
}

// Heal implements chaos.Cluster.
func (c *runningCluster) Heal(ctx context.Context, a, b string) error {
	return c.healOn(ctx, a, b, never)
}

// Pause implements chaos.Cluster.
func (c *runningCluster) Pause(context.Context, string, time.Duration) error { return errNotOurs }

// Resume implements chaos.Cluster.
func (c *runningCluster) Resume(context.Context, string) error { return errNotOurs }

// Kill implements chaos.Cluster.
func (c *runningCluster) Kill(context.Context, string) error { return errNotOurs }

// Start implements chaos.Cluster.
func (c *runningCluster) Start(context.Context, string) error { return errNotOurs }

// Wipe implements chaos.Cluster.
func (c *runningCluster) Wipe(context.Context, string) error { return errNotOurs }

// Copy implements chaos.Cluster.
func (c *runningCluster) Copy(context.Context, string) error { return errNotOurs }

// Rollback implements chaos.Cluster.
func (c *runningCluster) Rollback(context.Context, string) error { return errNotOurs }

// Shift implements chaos.Cluster.
func (c *runningCluster) Shift(context.Context, string, chaos.Shift) error { return errNotOurs }

// stop heals what the run has broken, and closes the connections. Faults of others
// end too: a run has the cluster for itself.
func (c *runningCluster) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), undoWithin)
	defer cancel()
	err := c.Heal(ctx, "", "")
	c.close()
	return err
}
