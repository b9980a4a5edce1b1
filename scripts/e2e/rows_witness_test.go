package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncline/syncline/client"
)

// The rows of FAILURES.md about a witness that goes and comes, one after the
// other on one cluster.
func TestWitnessRows(t *testing.T) {
	t.Parallel()
	c := newCluster(t, clusterConfig{data: []string{"a", "b"}, witness: true, lease: longLease})
	c.startAll()
	c.step("row 3 and 6, W down, W restarts", c.checkWitnessRestart)
	c.step("row 7, W crash-loops", c.checkCrashLoop)
}

// loseWitness ends the witness, and waits until its last leases have ended.
// FAILURES row 3: "both RW; alert 'no spare vote'".
func (c *cluster) loseWitness(l *load) {
	c.t.Helper()
	c.kill("w")
	for _, name := range []string{"a", "b"} {
		c.awaitAlert(name, "needs all of them")
	}
	awaitTime(c.t, time.Now().Add(c.lease))
	l.awaitAcks(enough, "a", "b")
}

// FAILURES row 4: "both RO within T, no guess; W back: one RW after it waited T
// out".
func (c *cluster) checkWitnessLost() {
	l := c.newLoad("r4")
	l.awaitAcks(enough, "a", "b")
	c.loseWitness(l)
	c.cut("a", "b")
	cutAt := l.now()
	for _, name := range []string{"a", "b"} {
		s := c.awaitReadOnly(name)
		if len(s.Write.WritableNodes) != 0 {
			c.t.Errorf("%s guesses that %v may write", name, s.Write.WritableNodes)
		}
	}
	// Longer than any lease and promise: nobody takes over by guessing.
	awaitTime(c.t, l.ledger.epoch.Add(time.Duration(cutAt)+c.bound+lease))
	beforeStart := l.now()
	c.start("w")
	winner, loser := c.awaitOneWriter()
	l.awaitAcks(enough, winner)
	beforeHeal := l.now()
	c.heal()
	c.awaitAllVotes()
	h := l.finish()
	c.awaitEqual()

	for _, name := range []string{"a", "b"} {
		c.checkSilent(h, name, cutAt+int64(drifted(c.lease)), beforeStart)
	}
	c.checkSilent(h, loser, beforeStart, beforeHeal)
	s, ok := ackSpan(h, winner, beforeStart, beforeHeal)
	if after := time.Duration(s.first - beforeStart); !ok || after < c.promise*(100-drift)/100 || after > drifted(c.promise)+stall {
		c.t.Errorf("%s wrote %v after the start of the witness, which waits %v", winner, after, c.promise)
	}
	c.checkPresence(h)
}

// FAILURES row 3: "both RW". Row 6: "grants nothing for T'; A-B connected: nobody
// notices; cut within T' of its start: at most T'(1+ρ) without a writer".
func (c *cluster) checkWitnessRestart() {
	l := c.newLoad("r6")
	l.awaitAcks(enough, "a", "b")
	before := l.now()
	c.loseWitness(l)
	c.start("w")
	c.awaitAllVotes() // so it has granted again
	l.awaitAcks(enough, "a", "b")
	restarted := l.now()
	c.kill("w")
	startAt := l.now()
	c.start("w")
	c.cut("a", "b")
	cutAt := l.now()
	if d := time.Duration(cutAt - startAt); d > c.promise {
		c.t.Fatalf("void: the cut came %v after the witness's start, later than %v", d, c.promise)
	}
	// Until the promise is over a node may be the only writer merely because its
	// old lease ends last; the one after that has the witness's vote.
	<-time.After(c.promise)
	winner, _ := c.awaitOneWriter()
	l.awaitAcks(enough, winner)
	beforeHeal := l.now()
	c.heal()
	c.awaitAllVotes()
	h := l.finish()
	c.awaitEqual()

	for _, name := range []string{"a", "b"} {
		c.checkNoRefusal(h, name, before, restarted)
	}
	if d := quiet(h, cutAt, beforeHeal); d > drifted(c.promise)+stall {
		c.t.Errorf("nobody wrote for %v, want at most %v", d, drifted(c.promise))
	}
	c.checkPresence(h)
}

// FAILURES row 7: "W crash-loops faster than T: no second holder ever; alert".
func (c *cluster) checkCrashLoop() {
	l := c.newLoad("r7")
	l.awaitAcks(enough, "a", "b")
	c.cut("a", "b")
	cutAt := l.now()
	// It goes on until both have lost what they held before the first crash.
	await(c.t, "both are read-only while the witness crashes", func() error {
		c.kill("w")
		dead := time.Now()
		c.start("w")
		for _, name := range []string{"a", "b"} {
			c.awaitHearsWitness(name, dead)
		}
		return c.noWriter()
	})
	for _, name := range []string{"a", "b"} {
		c.awaitAlert(name, "has restarted")
	}
	// It stays down for once, and then runs long enough to grant.
	c.kill("w")
	looped := l.now()
	c.start("w")
	winner, loser := c.awaitOneWriter()
	l.awaitAcks(enough, winner)
	beforeHeal := l.now()
	c.heal()
	c.awaitAllVotes()
	h := l.finish()
	c.awaitEqual()

	for _, name := range []string{"a", "b"} {
		// Whoever held a vote of the witness before it crashed keeps it for T.
		c.checkSilent(h, name, cutAt+int64(c.bound), looped)
	}
	c.checkSilent(h, loser, cutAt+int64(c.bound), beforeHeal)
	c.checkPresence(h)
}

// awaitReadOnly waits until a node has lost its majority.
func (c *cluster) awaitReadOnly(name string) *client.Cluster {
	c.t.Helper()
	var last *client.Cluster
	c.awaitState(name, "read-only", func(s *client.Cluster) bool {
		last = s
		return readOnly(s)
	})
	return last
}

// awaitAlert waits until a node shows an alert with these words.
func (c *cluster) awaitAlert(name, words string) {
	c.t.Helper()
	await(c.t, name+" raises an alert", func() error {
		v, err := c.votesOf(name)
		if err == nil && !slices.ContainsFunc(v.Alerts, func(a string) bool { return strings.Contains(a, words) }) {
			err = fmt.Errorf("no %q in %q", words, v.Alerts)
		}
		return err
	})
}

// noWriter says which data node is not read-only.
func (c *cluster) noWriter() error {
	for _, name := range c.data() {
		s, err := c.state(name)
		if err == nil && !readOnly(s) {
			err = fmt.Errorf("%s is %s", name, s.Write.State)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// awaitHearsWitness waits until a node was answered by the witness later than an
// instant at which none was alive.
func (c *cluster) awaitHearsWitness(name string, dead time.Time) {
	c.t.Helper()
	await(c.t, name+" hears the new witness", func() error {
		v, err := c.votesOf(name)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(v.Voters, func(v client.Voter) bool { return v.Role == "witness" })
		if i < 0 || !v.Voters[i].LastHeard.After(dead) {
			return fmt.Errorf("voters %+v", v.Voters)
		}
		return nil
	})
}
