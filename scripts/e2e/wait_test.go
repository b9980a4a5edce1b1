package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/syncline/syncline/client"
)

const (
	// patience bounds every wait for something that must happen, on a machine that
	// has much else to do: nothing is shown by how fast it is.
	patience = 90 * time.Second
	// lookEvery is the time between two looks at a condition.
	lookEvery = 10 * time.Millisecond
)

// await polls until a condition holds.
func await(t *testing.T, what string, holds func() error) {
	t.Helper()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	deadline := time.Now().Add(patience)
	for {
		err := holds()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited %s for: %s: %v", patience, what, err)
		}
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		}
	}
}

// taken makes a write until a node takes it: a busy machine may lose a lease, and
// 503 read_only says that nothing was applied, so it may be made again.
func taken(ctx context.Context, write func() error) error {
	for deadline := time.Now().Add(patience); ; {
		err := write()
		if !errors.Is(err, client.ReadOnly) || time.Now().After(deadline) {
			return err
		}
		if pauseFor(ctx, lookEvery); ctx.Err() != nil {
			return err
		}
	}
}

// pauseFor waits for a time, or until a context has ended.
func pauseFor(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// mustTake makes a write that is no more than a step of a test.
func (c *cluster) mustTake(what string, write func() error) {
	c.t.Helper()
	if err := taken(c.context(), write); err != nil {
		c.t.Fatalf("%s: %v", what, err)
	}
}

// mustPut writes a document at a node.
func (c *cluster) mustPut(name string, key client.Key, body string) {
	c.t.Helper()
	c.mustTake("a write of "+key.ID+" at "+name, func() error {
		_, err := c.at(name).Put(c.context(), key, []byte(body), client.PutOptions{})
		return err
	})
}

// mustConfigure configures a collection at a node.
func (c *cluster) mustConfigure(name, collection, config string) {
	c.t.Helper()
	c.mustTake("the configuration of "+collection+" at "+name, func() error {
		_, err := c.at(name).Configure(c.context(), collection, client.Configuration{Whole: []byte(config)})
		return err
	})
}

// awaitTime waits until an instant has passed.
func awaitTime(t *testing.T, at time.Time) {
	t.Helper()
	await(t, "a time", func() error {
		if left := time.Until(at); left > 0 {
			return fmt.Errorf("%v left", left)
		}
		return nil
	})
}

// state is what a member says of the cluster.
func (c *cluster) state(name string) (*client.Cluster, error) { return c.at(name).Cluster(c.context()) }

// awaitAllVotes waits until every data node has every vote.
func (c *cluster) awaitAllVotes() {
	c.t.Helper()
	for _, name := range c.data() {
		c.awaitState(name, "all votes", func(s *client.Cluster) bool {
			return s.Write.State == "writable" && s.Write.Votes.Have == s.Write.Votes.Of
		})
	}
}

// awaitState waits until the state of a member is as it should be.
func (c *cluster) awaitState(name, what string, is func(*client.Cluster) bool) {
	c.t.Helper()
	await(c.t, name+": "+what, func() error {
		s, err := c.state(name)
		if err == nil && !is(s) {
			err = fmt.Errorf("%+v", s.Write)
		}
		return err
	})
}

func writable(s *client.Cluster) bool { return s.Write.State == "writable" }

// readOnly is said of a node that has lost its majority: in the last moments of
// a lease it refuses already, and still has its votes.
func readOnly(s *client.Cluster) bool {
	return s.Write.State == "read-only" && s.Write.Votes.Have < s.Write.Votes.Need
}

// awaitOneWriter waits until exactly one of the data nodes a and b takes writes.
func (c *cluster) awaitOneWriter() (winner, loser string) {
	c.t.Helper()
	const a, b = "a", "b"
	await(c.t, "one of "+a+" and "+b+" turns read-only", func() error {
		sa, errA := c.state(a)
		sb, errB := c.state(b)
		if err := errors.Join(errA, errB); err != nil {
			return err
		}
		switch {
		case writable(sa) && readOnly(sb):
			winner, loser = a, b
		case writable(sb) && readOnly(sa):
			winner, loser = b, a
		default:
			return fmt.Errorf("%s is %s, %s is %s", a, sa.Write.State, b, sb.Write.State)
		}
		return nil
	})
	return winner, loser
}

// awaitEqual waits until the data nodes have one frontier, nothing loose, and
// equal digests (PROTOCOL D12).
func (c *cluster) awaitEqual() {
	c.t.Helper()
	names := c.data()
	await(c.t, "equal digests", func() error {
		first, err := c.at(names[0]).Verify(c.context(), client.Options{})
		if err != nil {
			return err
		}
		for _, name := range names[1:] {
			v, err := c.at(name).Verify(c.context(), client.Options{})
			switch {
			case err != nil:
				return err
			case first.Loose+v.Loose > 0:
				return fmt.Errorf("%d and %d loose", first.Loose, v.Loose)
			case !maps.Equal(first.Frontier, v.Frontier):
				return fmt.Errorf("frontiers %v and %v", first.Frontier, v.Frontier)
			}
			for collection, d := range first.Collections {
				if e := v.Collections[collection]; d.Digest != e.Digest || d.Documents != e.Documents {
					// At equal frontiers without anything loose nothing will mend it.
					c.t.Errorf("digests of %s differ at equal frontiers: %+v at %s, %+v at %s", collection, d, names[0], e, name)
				}
			}
		}
		return nil
	})
}

// votesOf reads the votes of a node.
func (c *cluster) votesOf(name string) (*client.VoteState, error) {
	return c.at(name).Votes(c.context())
}
