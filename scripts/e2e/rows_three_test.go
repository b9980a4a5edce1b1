package e2e

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/syncline/syncline/client"
)

// FAILURES row 11: "chain A-C-B (A-B dead), three data nodes: all RW, data goes
// through C; then C dies: A and B RO".
func TestChainOfThree(t *testing.T) {
	t.Parallel()
	c := newCluster(t, clusterConfig{data: []string{"a", "b", "c"}, lease: longLease})
	c.startAll()
	l := c.newLoad("r11")
	l.awaitAcks(enough, "a", "b", "c")
	before := l.now()
	c.cut("a", "b")
	cutAt := time.Now()
	// Past every lease that a and b gave each other before the cut.
	awaitTime(t, cutAt.Add(drifted(c.lease)))
	for from, to := range map[string]string{"a": "b", "b": "a"} {
		key := client.Key{Collection: "probe", ID: "from-" + from}
		if _, err := c.at(from).Put(c.context(), key, []byte(`{}`), client.PutOptions{}); err != nil {
			t.Fatal(err)
		}
		await(t, to+" gets the write of "+from+" through c", func() error {
			_, err := c.at(to).Get(c.context(), key, client.Options{})
			return err
		})
	}
	l.awaitAcks(enough, "a", "b", "c")
	beforeDeath := l.now()
	c.kill("c")
	death := l.now()
	c.awaitReadOnly("a")
	c.awaitReadOnly("b")
	awaitTime(t, l.ledger.epoch.Add(time.Duration(death)+drifted(c.lease)+lease))
	beforeHeal := l.now()
	c.heal()
	c.start("c")
	c.awaitAllVotes()
	h := l.finish()
	c.awaitEqual()

	for _, name := range c.data() {
		c.checkNoRefusal(h, name, before, beforeDeath)
	}
	for _, name := range []string{"a", "b"} {
		c.checkSilent(h, name, death+int64(drifted(c.lease)), beforeHeal)
	}
	c.checkPresence(h)
}

const (
	// catchUp is how many documents a node has to catch up with, and catchUpBytes
	// what cannot be compressed in each.
	catchUp      = 6_000
	catchUpBytes = 4 << 10
	// slow is the latency of the link during the catch-up. A window of 4 MiB goes a
	// delay, so that the middle outlives a stall.
	slow = time.Second
)

// FAILURES row 30: "link dies in the middle of a catch-up: resumed or restarted;
// the frontier claimed nothing early".
func TestLinkDiesInCatchUp(t *testing.T) {
	t.Parallel()
	c := newCluster(t, clusterConfig{data: []string{"a", "b"}, witness: true, lease: longLease})
	c.startAll()
	c.running["b"].terminate(t)
	actor := c.fill(catchUp)
	v, err := c.at("a").Verify(c.context(), client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	whole := v.Frontier[actor]
	// a sends slowly, so that there is a middle.
	delay := client.Fault{From: "a", To: "b", Kind: client.FaultDelay, Delay: client.Span(slow), Duration: client.Span(longFault)}
	if _, err := c.at("a").AddFault(c.context(), delay); err != nil {
		t.Fatal(err)
	}
	c.start("b")
	early := func(v *client.Verify) error {
		if n := v.Frontier[actor]; n > 0 && n < whole {
			return fmt.Errorf("b claims to have %s up to %d in the middle of a catch-up to %d", actor, n, whole)
		}
		return nil
	}
	part := int64(0)
	await(t, "b has a part", func() error {
		v, err := c.at("b").Verify(c.context(), client.Options{})
		if err != nil {
			return err
		}
		if err := early(v); err != nil {
			t.Fatal(err)
		}
		if part = v.Collections[collection].Documents; part == 0 {
			return fmt.Errorf("nothing yet")
		}
		return nil
	})
	c.cut("a", "b")
	if v, err = c.at("b").Verify(c.context(), client.Options{}); err != nil {
		t.Fatal(err)
	}
	part = v.Collections[collection].Documents
	t.Logf("b had %d of %d documents when the link died", part, catchUp)
	if part >= catchUp || v.Frontier[actor] != 0 {
		t.Fatalf("void: b had %d of %d documents and the frontier %v when the link died", part, catchUp, v.Frontier)
	}
	if v.Loose == 0 {
		t.Errorf("b holds %d documents beyond its frontier and calls %d loose", part, v.Loose)
	}
	c.heal()
	c.awaitAllVotes()
	c.awaitEqual()
	if v, err = c.at("b").Verify(c.context(), client.Options{}); err != nil || v.Collections[collection].Documents != catchUp {
		t.Errorf("b has %+v, %v", v, err)
	}
}

// fill writes so many documents at a, and returns the actor that did.
func (c *cluster) fill(n int) string {
	c.t.Helper()
	actor := ""
	random, blob := rand.NewChaCha8([32]byte{}), make([]byte, catchUpBytes)
	lines := func(yield func(client.BulkLine) bool) {
		for i := range n {
			random.Read(blob)
			if !yield(client.BulkLine{ID: fmt.Sprintf("d%06d", i), Doc: fmt.Appendf(nil, `{"n":%d,"text":%q}`, i, base64.StdEncoding.EncodeToString(blob))}) {
				return
			}
		}
	}
	for r, err := range c.at("a").Bulk(c.context(), collection, lines, client.BulkOptions{}) {
		if err == nil && r.Err != nil {
			err = r.Err
		}
		if err != nil {
			c.t.Fatal(err)
		}
		actor, _ = splitDot(r.Dot)
	}
	return actor
}
