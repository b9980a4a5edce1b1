package e2e

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/syncline/syncline/client"
)

// Each row of FAILURES.md that two data nodes and a witness can show by cuts,
// where one side goes on with no gap. They follow each other on one cluster, which
// is whole again after each.
func TestCutRows(t *testing.T) {
	t.Parallel()
	c := newCluster(t, clusterConfig{data: []string{"a", "b"}, witness: true, lease: longLease})
	c.startAll()
	c.step("row 1 and 12, A-B cut, both see W", func() {
		c.checkSplit("r1", func() { c.cut("a", "b") })
	})
	c.step("row 9, one way only", func() {
		// As a cut of one direction is on the wire: a sends nothing to b, and b
		// hears nothing of a.
		c.checkSplit("r9", func() { c.fault("a", "b", client.Fault{From: "a", To: "b", Kind: client.FaultCut}) })
	})
	c.step("row 2, A cut from B and W", c.checkAlone)
}

// The rows of FAILURES.md in which there is a time without a writer, so that none
// says that no write is refused: they are shown at the default lease.
func TestGapRows(t *testing.T) {
	t.Parallel()
	c := newCluster(t, clusterConfig{data: []string{"a", "b"}, witness: true})
	c.startAll()
	c.step("row 4, W down, then A-B cut, W back", c.checkWitnessLost)
	c.step("row 5, A-B cut, then the holder from W", c.checkTakeover)
}

// checkSplit cuts the two data nodes apart while both see the witness.
// FAILURES row 1: "one of them RW with no gap; the other RO within B, and its
// 503 names the node that has the vote". Row 12: "W relays no documents".
func (c *cluster) checkSplit(name string, cut func()) {
	c.t.Helper()
	l := c.newLoad(name)
	l.awaitAcks(enough, "a", "b")
	before := l.now()
	cut()
	cutAt := l.now()
	winner, loser := c.awaitOneWriter()
	c.checkMinority(winner, loser)
	awaitTime(c.t, l.ledger.epoch.Add(time.Duration(cutAt)+c.bound))
	l.awaitAcks(enough, winner)
	beforeHeal := l.now()
	c.heal()
	c.awaitAllVotes()
	l.awaitAcks(enough, loser)
	h := l.finish()
	c.awaitEqual()

	c.checkNoRefusal(h, winner, before, beforeHeal)
	c.checkSilent(h, loser, cutAt+int64(c.bound), beforeHeal)
	if d := overlap(h, winner, loser, cutAt, beforeHeal); d > c.bound {
		c.t.Errorf("both sides took writes for %v, the bound is %v", d, c.bound)
	}
	c.checkPresence(h)
}

// checkMinority asks the read-only side. API.md, "Errors": the problem of
// read_only.
func (c *cluster) checkMinority(winner, loser string) {
	c.t.Helper()
	key := client.Key{Collection: "probe", ID: "during-the-cut"}
	if _, err := c.at(winner).Put(c.context(), key, []byte(`{}`), client.PutOptions{}); err != nil {
		c.t.Errorf("a write at %s: %v", winner, err)
	}
	// Who may write, the loser learns from the witness with its next ballots.
	c.awaitState(loser, "knows who may write", func(s *client.Cluster) bool { return len(s.Write.WritableNodes) > 0 })
	_, err := c.at(loser).Put(c.context(), key, []byte(`{}`), client.PutOptions{})
	e, ok := errors.AsType[*client.Error](err)
	if !ok || e.Code != client.ReadOnly || e.Cause != "no_majority" || e.Status != 503 {
		c.t.Fatalf("a write at %s: %v", loser, err)
	}
	if !slices.Equal(e.WritableNodes, []string{c.url(winner)}) {
		c.t.Errorf("writable_nodes %v, want %s", e.WritableNodes, c.url(winner))
	}
	if e.Votes != (client.Votes{Have: 1, Need: 2, Of: 3}) || e.Since.IsZero() || e.RetryAfter <= 0 {
		c.t.Errorf("votes %+v since %v, retry after %v", e.Votes, e.Since, e.RetryAfter)
	}
	// "Reads still work", and W relays no documents: what the winner took since
	// the cut is not here.
	if _, err := c.at(loser).Get(c.context(), key, client.Options{}); !client.Absent(err) {
		c.t.Errorf("a read at %s of what %s wrote after the cut: %v", loser, winner, err)
	}
	if _, err := c.at(winner).Get(c.context(), key, client.Options{}); err != nil {
		c.t.Errorf("a read at %s: %v", winner, err)
	}
	if _, err := c.at(winner).Delete(c.context(), key, client.PutOptions{}); err != nil {
		c.t.Error(err)
	}
}

// FAILURES row 2: "B RW with no gap; A RO within T".
func (c *cluster) checkAlone() {
	l := c.newLoad("r2")
	l.awaitAcks(enough, "a", "b")
	before := l.now()
	c.cut("a", "w")
	c.cut("a", "b")
	cutAt := l.now()
	c.awaitState("a", "read-only", readOnly)
	_, err := c.at("a").Put(c.context(), client.Key{Collection: "probe", ID: "x"}, []byte(`{}`), client.PutOptions{})
	if e, ok := errors.AsType[*client.Error](err); !ok || e.Code != client.ReadOnly || len(e.WritableNodes) != 0 {
		c.t.Errorf("nobody tells a who may write: %v", err)
	} else if len(e.Candidates) != 1 || e.Candidates[0].Name != "b" || e.Candidates[0].API != c.url("b") {
		c.t.Errorf("candidates %+v", e.Candidates)
	}
	awaitTime(c.t, l.ledger.epoch.Add(time.Duration(cutAt)+c.bound))
	l.awaitAcks(enough, "b")
	beforeHeal := l.now()
	c.heal()
	c.awaitAllVotes()
	h := l.finish()
	c.awaitEqual()
	c.checkNoRefusal(h, "b", before, beforeHeal)
	c.checkSilent(h, "a", cutAt+int64(drifted(c.lease)), beforeHeal)
	c.checkPresence(h)
}

// FAILURES row 5: "A-B cut, then A-W cut: A RO within T, then B RW within the
// bound". Here A is whoever had the vote after the first cut.
func (c *cluster) checkTakeover() {
	l := c.newLoad("r5")
	l.awaitAcks(enough, "a", "b")
	c.cut("a", "b")
	first := l.now()
	holder, other := c.awaitOneWriter()
	l.awaitAcks(enough, holder)
	c.cut(holder, "w")
	second := l.now()
	c.awaitState(other, "takes over", writable)
	l.awaitAcks(enough, other)
	beforeHeal := l.now()
	c.heal()
	c.awaitAllVotes()
	h := l.finish()
	c.awaitEqual()
	c.checkSilent(h, holder, second+int64(drifted(c.lease)), beforeHeal)
	// PROTOCOL, liveness: "B writes at most T'(1+ρ) + beat + two delays after the
	// second".
	if s, ok := ackSpan(h, other, second, beforeHeal); !ok || time.Duration(s.first-second) > drifted(c.promise)+beat+stall {
		c.t.Errorf("%s wrote first %v after the second cut", other, time.Duration(s.first-second))
	}
	c.checkSilent(h, other, first+int64(c.bound), second)
	if d := overlap(h, holder, other, second, beforeHeal); d > c.bound {
		c.t.Errorf("both sides took writes for %v, the bound is %v", d, c.bound)
	}
	c.checkPresence(h)
}
