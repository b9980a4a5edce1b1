package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncline/syncline/client"
)

const (
	// crashes is how often the witness crashes in row 7.
	crashes = 4
	// starting is how long a process may take from its start to its first answer.
	starting = time.Second
)

// Each row of FAILURES.md about the witness that real processes can show, one
// after the other on one cluster.
func TestWitnessRows(t *testing.T) {
	t.Parallel()
	c := newCluster(t, clusterConfig{data: []string{"a", "b"}, witness: true})
	c.startAll()
	c.step("row 3 and 4, W down, then A-B cut, W back", c.checkWitnessDown)
	c.step("row 6, W restarts", c.checkWitnessRestart)
	c.step("row 7, W crash-loops", c.checkCrashLoop)
}

// FAILURES row 3: "both RW; alert 'no spare vote'". Row 4: "both RO within T, no
// guess; W back: one RW after it waited T out".
func (c *cluster) checkWitnessDown() {
	l := c.newLoad("r4")
	l.awaitAcks(enough, "a", "b")
	before := l.now()
	c.kill("w")
	for _, name := range []string{"a", "b"} {
		c.awaitAlert(name, "needs all of them")
	}
	awaitTime(c.t, time.Now().Add(lease)) // the witness's last leases have ended
	l.awaitAcks(enough, "a", "b")
	beforeCut := l.now()
	c.cut("a", "b")
	cutAt := l.now()
	for _, name := range []string{"a", "b"} {
		s := c.awaitReadOnly(name)
		if len(s.Write.WritableNodes) != 0 {
			c.t.Errorf("%s guesses that %v may write", name, s.Write.WritableNodes)
		}
	}
	// Longer than any lease: nobody takes over by guessing.
	awaitTime(c.t, l.ledger.epoch.Add(time.Duration(cutAt)+bound+lease))
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
		c.checkNoRefusal(h, name, before, beforeCut)
		c.checkSilent(h, name, cutAt+int64(drifted(lease)+delivery), beforeStart)
	}
	c.checkSilent(h, loser, beforeStart, beforeHeal)
	s, ok := ackSpan(h, winner, beforeStart, beforeHeal)
	if after := time.Duration(s.first - beforeStart); !ok || after < promise*(100-drift)/100 || after > drifted(promise)+starting {
		c.t.Errorf("%s wrote %v after the start of the witness, which waits %v", winner, after, promise)
	}
	c.checkPresence(h)
}

// FAILURES row 6: "grants nothing for T'; A-B connected: nobody notices; cut
// within T' of its start: at most T'(1+ρ) without a writer".
func (c *cluster) checkWitnessRestart() {
	l := c.newLoad("r6")
	l.awaitAcks(enough, "a", "b")
	before := l.now()
	c.kill("w")
	c.start("w")
	c.awaitAllVotes()
	l.awaitAcks(enough, "a", "b")
	restarted := l.now()
	c.kill("w")
	startAt := l.now()
	c.start("w")
	c.cut("a", "b")
	cutAt := l.now()
	if d := time.Duration(cutAt - startAt); d > promise {
		c.t.Fatalf("void: the cut came %v after the witness's start, later than %v", d, promise)
	}
	// Until the promise is over a node may be the only writer merely because its
	// old lease ends last; the one after that has the witness's vote.
	<-time.After(promise)
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
	if d := quiet(h, cutAt, beforeHeal); d > drifted(promise)+delivery {
		c.t.Errorf("nobody wrote for %v, want at most %v", d, drifted(promise))
	}
	c.checkPresence(h)
}

// FAILURES row 7: "W crash-loops faster than T: no second holder ever; alert".
func (c *cluster) checkCrashLoop() {
	l := c.newLoad("r7")
	l.awaitAcks(enough, "a", "b")
	c.cut("a", "b")
	cutAt := l.now()
	for range crashes {
		c.kill("w")
		c.start("w")
		for _, name := range []string{"a", "b"} {
			c.awaitHearsWitness(name)
		}
	}
	for _, name := range []string{"a", "b"} {
		c.awaitReadOnly(name)
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
		c.checkSilent(h, name, cutAt+int64(bound+delivery), looped)
	}
	c.checkSilent(h, loser, cutAt+int64(bound+delivery), beforeHeal)
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

// awaitHearsWitness waits until a node was refused by a witness that has just
// started.
func (c *cluster) awaitHearsWitness(name string) {
	c.t.Helper()
	await(c.t, name+" hears the new witness", func() error {
		v, err := c.votesOf(name)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(v.Voters, func(v client.Voter) bool { return v.Role == "witness" })
		if i < 0 || v.Voters[i].Reason != "boot" {
			return fmt.Errorf("voters %+v", v.Voters)
		}
		return nil
	})
}
