package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/spf13/cobra"

	"github.com/syncline/syncline/client"
)

// maxVerifyWait is the longest that verify waits for the nodes to be equal.
const maxVerifyWait = time.Hour

// newVerifyCommand compares the digests of all data nodes.
func newVerifyCommand(a *app) *cobra.Command {
	var wait time.Duration
	cmd := &cobra.Command{
		Use: "verify", Short: "Compare the digests of all data nodes", Args: exactArgs(0),
		Long: "Compares what all data nodes have. Digests can be compared only where the nodes have had the\n" +
			"same writes: then they must be equal. Ends with 0 only when all data nodes answered and are identical.",
		RunE: connect(a, func(ctx context.Context, r *remote, _ []string) error {
			if wait < 0 || wait > maxVerifyWait {
				return usagef("--wait %s: from 0s to %s", wait, maxVerifyWait)
			}
			c, err := compareWithin(ctx, r.client, wait)
			if err != nil {
				return err
			}
			if err := r.showComparison(c); err != nil {
				return err
			}
			return c.verdict()
		}),
	}
	cmd.Flags().DurationVar(&wait, "wait", 0, "wait so long for writes under way to arrive everywhere")
	return cmd
}

// digestsOf is what one data node says that it has.
type digestsOf struct {
	Name   string         `json:"name"`
	Verify *client.Verify `json:"verify"` // nil: it did not answer
	Error  string         `json:"error,omitempty"`
}

// comparison is what all data nodes say that they have.
type comparison struct {
	Nodes []digestsOf `json:"nodes"`
	// Comparable: all answered, at equal frontiers, with nothing loose.
	Comparable bool `json:"comparable"`
	// Equal: comparable, and all digests are equal.
	Equal bool `json:"equal"`
}

// compareWithin compares, again and again until the nodes are equal or the time
// is over.
func compareWithin(ctx context.Context, c *client.Client, wait time.Duration) (*comparison, error) {
	members, err := dataNodes(ctx, c)
	if err != nil {
		return nil, err
	}
	deadline := time.Now().Add(wait)
	pause := &backoff.ExponentialBackOff{InitialInterval: 20 * time.Millisecond, Multiplier: 1.5, MaxInterval: 500 * time.Millisecond}
	pause.Reset()
	for {
		v := compare(ctx, c, members)
		// At equal frontiers digests that differ stay different: waiting is no help.
		if v.Comparable || time.Now().After(deadline) {
			return v, ctx.Err()
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause.NextBackOff()):
		}
	}
}

// dataNodes lists the data nodes of the roster.
func dataNodes(ctx context.Context, c *client.Client) ([]client.Member, error) {
	cluster, err := c.Cluster(ctx)
	if err != nil {
		return nil, err
	}
	members := cluster.Roster.Members
	return slices.DeleteFunc(members, func(m client.Member) bool { return m.Role != roleData || m.API == "" }), nil
}

// compare asks all data nodes once.
func compare(ctx context.Context, c *client.Client, members []client.Member) *comparison {
	out := &comparison{Nodes: make([]digestsOf, len(members))}
	var group sync.WaitGroup
	for i, m := range members {
		out.Nodes[i].Name = m.Name
		group.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, patience)
			defer cancel()
			at, err := c.At(m.API)
			if err == nil {
				out.Nodes[i].Verify, err = at.Verify(ctx, client.Options{NoSession: true})
			}
			if err != nil {
				out.Nodes[i].Error = err.Error()
			}
		})
	}
	group.Wait()
	out.judge()
	return out
}

// judge says whether the digests can be compared, and whether they are equal.
func (c *comparison) judge() {
	c.Comparable, c.Equal = len(c.Nodes) > 0, true
	var first *client.Verify
	for i := range c.Nodes {
		v := c.Nodes[i].Verify
		if v == nil || v.Loose > 0 || first != nil && !maps.Equal(v.Frontier, first.Frontier) {
			c.Comparable = false
			break
		}
		if first == nil {
			first = v
		}
		c.Equal = c.Equal && sameDigests(v.Collections, first.Collections) && sameDigests(first.Collections, v.Collections)
	}
	c.Equal = c.Equal && c.Comparable
}

// sameDigests says whether the second node has all documents of the first.
// Tombstones are left out, and so are collections that have nothing else: each
// node drops them in its own time.
func sameDigests(a, b map[string]client.Digest) bool {
	for name, of := range a {
		if of.Documents > 0 && (of.Digest != b[name].Digest || of.Documents != b[name].Documents) {
			return false
		}
	}
	return true
}

// verdict is nil when all data nodes have the same.
func (c *comparison) verdict() error {
	switch {
	case c.Equal:
		return nil
	case c.Comparable:
		return fmt.Errorf("the nodes have had the same writes, and their digests differ: this must not happen; keep the files and report it")
	}
	for _, n := range c.Nodes {
		if n.Verify == nil {
			return fmt.Errorf("node %s did not answer, so nothing is proved: %s", n.Name, n.Error)
		}
	}
	return fmt.Errorf("the nodes have not had the same writes yet, so their digests cannot be compared: try again, or give --wait 30s")
}

// showComparison shows the digests of each collection, one column a node.
func (r *remote) showComparison(c *comparison) error {
	if r.output != asTable {
		return r.json(c)
	}
	t := table{head: []string{"COLLECTION", "NODE", "DIGEST", "DOCUMENTS", "CONFLICTS", "TOMBSTONES"}}
	for _, name := range c.collections() {
		for _, n := range c.Nodes {
			if n.Verify == nil {
				t.add(text(name), text(n.Name), cell{"unknown", caution})
				continue
			}
			d := n.Verify.Collections[name]
			t.add(text(name), text(n.Name), text(d.Digest), text(fmt.Sprint(d.Documents)), text(fmt.Sprint(d.Conflicts)), text(fmt.Sprint(d.Tombstones)))
		}
	}
	if err := t.write(r.out, r.colour); err != nil {
		return err
	}
	if c.Equal {
		_, err := fmt.Fprintln(r.out, paint("identical: equal digests at equal frontiers", good, r.colour))
		return err
	}
	return nil
}

// collections lists the names that any node has.
func (c *comparison) collections() []string {
	names := map[string]bool{}
	for _, n := range c.Nodes {
		if n.Verify != nil {
			for name := range n.Verify.Collections {
				names[name] = true
			}
		}
	}
	return sortedKeys(names)
}
