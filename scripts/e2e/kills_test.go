package e2e

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/syncline/syncline/client"
)

const (
	// kills is how often one node is killed in make test, and killsOfAll how
	// often all three processes are at once.
	kills      = 10
	killsOfAll = 2
	// fewAcks and manyAcks bound how many writes are acknowledged at the victim
	// before it is killed.
	fewAcks  = 20
	manyAcks = 120
)

// issue 3: "10 kill -9 of either node under load and two of all three at once
// …, with every acknowledged document present."
func TestKills(t *testing.T) {
	t.Parallel()
	c := newCluster(t, clusterConfig{data: []string{"a", "b"}, witness: true})
	c.startAll()
	h := c.killAround("kill", 1, kills, killsOfAll)
	t.Logf("%d writes acknowledged, %d not", len(h.acked()), len(h.refused()))
}

// killAround kills the processes of a cluster under load, and checks that all
// that was acknowledged is there.
func (c *cluster) killAround(name string, seed uint64, one, all int) history {
	c.t.Helper()
	rng := rand.New(rand.NewPCG(seed, 0))
	l := c.newLoad(fmt.Sprintf("%s%d", name, seed))
	for n := range one + all {
		victims := []string{c.data()[rng.IntN(len(c.data()))]}
		if (n+1)*all/(one+all) > n*all/(one+all) { // spread among the others
			victims = nil
			for _, m := range c.members {
				victims = append(victims, m.name)
			}
		}
		l.awaitAcks(fewAcks+rng.Int64N(manyAcks-fewAcks), victims[0])
		c.kill(victims...)
		c.start(victims...)
		c.awaitAllVotes()
	}
	l.awaitAcks(fewAcks, c.data()...)
	h := l.finish()
	c.awaitEqual()
	c.checkPresence(h)
	c.checkDots(h)
	return h
}

// checkDots fails when a dot names two writes. PROTOCOL D14: with FULL an
// unclean stop loses no tail, so the actor stays.
func (c *cluster) checkDots(h history) {
	c.t.Helper()
	keys, actors := map[string]string{}, map[string]string{}
	for _, r := range h.acked() {
		if other, ok := keys[r.Dot]; ok {
			c.t.Errorf("dot %s names %s and %s", r.Dot, other, r.Key)
		}
		keys[r.Dot] = r.Key
		actor, _ := splitDot(r.Dot)
		if old, ok := actors[r.Node]; ok && old != actor {
			c.t.Errorf("%s wrote as %s and then as %s", r.Node, old, actor)
		}
		actors[r.Node] = actor
	}
}

// PROTOCOL D14: "After an unclean stop below FULL … a new actor"; after one in
// good order the same. DESIGN section 3: a write that was answered is not lost
// by a crash of the process alone.
func TestActorBelowFull(t *testing.T) {
	t.Parallel()
	c := newCluster(t, clusterConfig{data: []string{"a"}, extra: "storage: {sync: normal}\n"})
	put := func(id string) string {
		w, err := c.at("a").Put(c.context(), client.Key{Collection: collection, ID: id}, []byte(`{}`), client.PutOptions{})
		if err != nil {
			t.Fatal(err)
		}
		actor, _ := splitDot(w.Dot)
		return actor
	}
	c.start("a")
	first := put("first")
	c.running["a"].terminate(t)
	c.start("a")
	if again := put("again"); again != first {
		t.Errorf("after a stop in good order %s became %s", first, again)
	}
	c.kill("a")
	c.start("a")
	if after := put("after"); after == first {
		t.Errorf("after kill -9 the actor is still %s", first)
	}
	for _, id := range []string{"first", "again", "after"} {
		if _, err := c.at("a").Get(c.context(), client.Key{Collection: collection, ID: id}, client.Options{}); err != nil {
			t.Error(err)
		}
	}
}

// API.md: "SIGTERM drains (answers 503 to new writes, finishes requests,
// checkpoints) and exits 0."
func TestDrain(t *testing.T) {
	t.Parallel()
	c := newCluster(t, clusterConfig{data: []string{"a", "b"}, witness: true, lease: longLease, extra: "storage: {sync: normal}\n"})
	c.startAll()
	l := c.newLoad("drain")
	l.awaitAcks(enough, "a", "b")
	witnessFrom := int64(0)
	for _, name := range []string{"a", "b", "w"} {
		witnessFrom = l.now()
		c.running[name].terminate(t)
		c.start(name)
		c.awaitAllVotes()
		l.awaitAcks(enough, "a", "b")
	}
	witnessTo := l.now()
	h := l.finish()
	c.awaitEqual()
	c.checkPresence(h)
	c.checkDots(h) // the stops were in good order, so the actors stay, without FULL too
	for _, name := range []string{"a", "b"} {
		c.checkNoRefusal(h, name, witnessFrom, witnessTo)
	}
}
