package replica_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/syncline/syncline/node/replica"
	"github.com/syncline/syncline/node/wire"
	"github.com/syncline/syncline/vclock"
)

// The lives of nodes b and c.
const (
	b1 = "b~11111111"
	b2 = "b~22222222"
	c1 = "c~11111111"
	c2 = "c~22222222"
)

func closing(actor, frontier string, known ...string) *wire.Close {
	c := &wire.Close{Actor: actor, Frontier: vector(frontier), Standing: "good", Known: map[string]wire.Known{}}
	for i := 0; i < len(known); i += 2 {
		a := vclock.Actor(known[i])
		c.Known[a.Node()] = wire.Known{Actor: known[i], Frontier: vector(known[i+1])}
	}
	return c
}

func (m *member) knows(name, want string) {
	m.Helper()
	if got, ok := m.table.Frontier(name); got.String() != want || ok != (want != "") {
		m.Fatalf("of %s is known %q (%v), want %q", name, got, ok, want)
	}
}

// "Frontiers of others are learned from closing frames (table node → actor,
// frontier, gone)" (PROTOCOL D7): joined while the actor is the same.
func TestTableLearns(t *testing.T) {
	m := newMember(t, "a")
	m.knows("b", "")
	if !m.table.Applied("b", closing(b1, b1+":3")) || m.table.Applied("b", closing(b1, b1+":3")) {
		t.Fatal("what is news is wrong")
	}
	m.table.Applied("b", closing(b1, b1+":2,"+c1+":5"))
	m.knows("b", b1+":3,"+c1+":5")
	m.knows("c", "")
	if !m.table.Applied("b", closing(b1, b1+":3", c1, c1+":4")) {
		t.Fatal("what b says of c is no news")
	}
	m.knows("c", c1+":4")
	m.table.Applied("b", closing(b1, b1+":3", c1, c1+":2"))
	m.knows("c", c1+":4")
}

// "What peers knew of this node counts only for its present actor" (PROTOCOL
// D13): another life replaces what was known; hearsay does not replace what a
// node said itself.
func TestTableByActor(t *testing.T) {
	m := newMember(t, "a")
	m.table.Applied("c", closing(c1, c1+":9"))
	m.table.Applied("b", closing(b1, b1+":1", c2, c2+":1"))
	m.knows("c", c1+":9")
	m.table.Applied("c", closing(c2, c2+":2"))
	m.knows("c", c2+":2")
	m.table.Applied("b", closing(b1, b1+":1", c1, c1+":9"))
	m.knows("c", c2+":2")
	m.table.Applied("b", closing(b1, b1+":1", c2, c2+":5"))
	m.knows("c", c2+":5")
	// Where nobody spoke for itself, the last word counts.
	m.table.Applied("b", closing(b1, b1+":1", "d~11111111", c2+":1"))
	m.table.Applied("c", closing(c2, c2+":5", "d~22222222", c2+":2"))
	m.knows("d", c2+":2")
	// A node says nothing about itself through others.
	m.table.Applied("b", closing(b1, b1+":1", "a~11111111", c2+":1"))
	m.knows("a", "")
	m.table.Applied("b", closing(b2, b2+":1", b1, b1+":7"))
	m.knows("b", b2+":1")
}

// "For sending only; D7 still waits until N covers it" (PROTOCOL D4): what was
// read and is not applied yet saves rows, and stabilises nothing.
func TestHeardIsForSendingOnly(t *testing.T) {
	m := newMember(t, "a")
	m.table.Heard("b", b1, vector(b1+":3"))
	m.knows("b", "")
	if got := m.table.Has("b", b1).String(); got != b1+":3" {
		t.Fatal(got)
	}
	if got := m.table.Has("b", b2); got.Len() != 0 {
		t.Fatalf("of another life: %s", got)
	}
	if got := m.table.Stable(vector(b1+":3"), []string{"b"}); got.Len() != 0 {
		t.Fatalf("%s is stable", got)
	}
	m.table.Applied("b", closing(b1, b1+":2"))
	if got := m.table.Stable(vector(b1+":3"), []string{"b"}).String(); got != b1+":2" {
		t.Fatalf("%s is stable", got)
	}
	if got := m.table.Stable(vector(b1+":3"), []string{"b", "c"}); got.Len() != 0 {
		t.Fatalf("nobody has heard of c, and %s is stable", got)
	}
}

// Lag is never younger than the truth, and never reports less versions than are
// missing; it forgets what has arrived.
func TestLagAgainstTruth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var lag replica.Lag
		var now time.Duration
		born := []time.Duration{} // born[i]: when version i+1 was first known
		have := uint64(0)
		for range rapid.IntRange(1, 1500).Draw(t, "steps") {
			now += time.Duration(rapid.IntRange(1, 50).Draw(t, "ms")) * time.Millisecond
			for range rapid.IntRange(0, 2).Draw(t, "new") {
				born = append(born, now)
			}
			if len(born) == 0 {
				continue
			}
			lag.Ahead(now, vclock.VectorOf(dot(actorX, uint64(len(born)))))
			if rapid.IntRange(0, 300).Draw(t, "arrives") == 0 {
				have = rapid.Uint64Range(have, uint64(len(born))).Draw(t, "have")
			}
		}
		missing := uint64(len(born)) - have
		versions, age := lag.Behind(now, vclock.VectorOf(dot(actorX, have)))
		if versions != missing {
			t.Fatalf("%d versions are missing, the lag says %d", missing, versions)
		}
		if missing == 0 && age != 0 || missing > 0 && age < now-born[have] {
			t.Fatalf("%d missing, the oldest since %s; the lag says %s", missing, now-born[max(0, int(have)-1)], age)
		}
		if len(born) < 256 && missing > 0 && age != now-born[have] {
			t.Fatalf("with few samples the age is exact: %s, want %s", age, now-born[have])
		}
		if versions, age = lag.Behind(now, vclock.VectorOf(dot(actorX, uint64(len(born))))); versions != 0 || age != 0 {
			t.Fatalf("all has arrived, and the lag says %d, %s", versions, age)
		}
	})
}

// The one behind may begin another life with less: what had arrived is missing
// again, for at least as long as it was known.
func TestLagOfOneThatWentBack(t *testing.T) {
	var lag replica.Lag
	at := func(n uint64) vclock.Vector { return vclock.VectorOf(dot(actorX, n)) }
	for i := range uint64(5) {
		lag.Ahead(time.Duration(i+1)*time.Second, at(i+1))
	}
	for _, c := range []struct {
		now      time.Duration
		have     uint64
		versions uint64
		age      time.Duration
	}{
		{6 * time.Second, 3, 2, 2 * time.Second},
		{7 * time.Second, 5, 0, 0},
		{8 * time.Second, 5, 0, 0},
		{9 * time.Second, 2, 3, 8 * time.Second}, // nobody remembers when x:3 came
		{10 * time.Second, 5, 0, 0},
		{11 * time.Second, 0, 5, 10 * time.Second},
	} {
		lag.Ahead(c.now, at(5)) // no news
		if versions, age := lag.Behind(c.now, at(c.have)); versions != c.versions || age != c.age {
			t.Errorf("at %s with %d of 5: %d versions, %s; want %d, %s", c.now, c.have, versions, age, c.versions, c.age)
		}
	}
}

// What a Lag remembers is bounded: an endless stream of news to a node that is
// gone costs no memory.
func TestLagIsBounded(t *testing.T) {
	var lag replica.Lag
	const seconds = 200_000
	n := testing.AllocsPerRun(1, func() {
		for i := range uint64(seconds) {
			lag.Ahead(time.Duration(i)*time.Second, vclock.VectorOf(dot(actorX, i+1)))
		}
	})
	versions, age := lag.Behind(seconds*time.Second, vclock.Vector{})
	if versions != seconds || age != seconds*time.Second {
		t.Fatalf("%d versions, %s", versions, age)
	}
	if n > 1.1*seconds { // one for each vector of this test
		t.Fatalf("%v allocations", n)
	}
}
