package replica_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/nodetest"
	"github.com/syncline/syncline/node/replica"
	"github.com/syncline/syncline/vclock"
)

// group is a few nodes with a stream in each direction, driven at random.
type group struct {
	*rapid.T
	members []*member
	streams map[[2]int]*stream
	acked   map[vclock.Dot]string // every acknowledged write: its document
	kept    []keptContext
}

type keptContext struct {
	id    string
	token *node.Token
}

var lawIDs = []string{"alice", "bob", "carol"}

func newGroup(t *rapid.T) *group {
	g := &group{T: t, streams: map[[2]int]*stream{}, acked: map[vclock.Dot]string{}}
	for i := range rapid.IntRange(2, 3).Draw(t, "nodes") {
		g.members = append(g.members, newMember(t, string(rune('a'+i))))
	}
	return g
}

func (g *group) pair(t *rapid.T) [2]int {
	g.T = t
	from, to := rapid.IntRange(0, len(g.members)-1).Draw(t, "from"), rapid.IntRange(0, len(g.members)-2).Draw(t, "to")
	if to >= from {
		to++
	}
	return [2]int{from, to}
}

func (g *group) write(t *rapid.T) {
	g.T = t
	m := g.members[rapid.IntRange(0, len(g.members)-1).Draw(t, "at")]
	w := node.Write{Key: key(rapid.SampledFrom(lawIDs).Draw(t, "id")), Body: fmt.Appendf(nil, `{"n":%d}`, len(g.acked))}
	if rapid.IntRange(0, 4).Draw(t, "delete") == 0 {
		w.Kind = node.Delete
	}
	if len(g.kept) > 0 && rapid.IntRange(0, 2).Draw(t, "old") == 0 {
		k := rapid.SampledFrom(g.kept).Draw(t, "context")
		w.Key, w.Context = key(k.id), k.token
	}
	q := node.NewWrites([]node.Write{w}, false)
	m.ok(m.Commit(m.Context(), []*node.Request{q}))
	switch o := q.Outcomes()[0]; node.KindOf(o.Err) {
	case node.NotFound, node.Deleted:
	default:
		m.ok(o.Err)
		g.acked[o.Written.Dot] = string(w.Key.ID)
	}
}

func (g *group) read(t *rapid.T) {
	g.T = t
	m := g.members[rapid.IntRange(0, len(g.members)-1).Draw(t, "at")]
	id := rapid.SampledFrom(lawIDs).Draw(t, "id")
	d, err := m.Get(m.Context(), key(id))
	m.ok(err)
	token, err := m.ParseContext(d.Key, m.ContextToken(&d))
	m.ok(err)
	g.kept = append(g.kept, keptContext{id, token})
}

// step carries one frame over, on a stream that is opened when there is none.
func (g *group) step(t *rapid.T) {
	p := g.pair(t)
	s := g.streams[p]
	if s == nil {
		s = connect(g.members[p[0]], g.members[p[1]], rapid.IntRange(1, 3).Draw(t, "rows"))
		g.streams[p] = s
	}
	s.now += replica.EmptyEvery
	s.step()
}

func (g *group) breaks(t *rapid.T) {
	p := g.pair(t)
	if s := g.streams[p]; s != nil {
		s.stop()
		delete(g.streams, p)
	}
}

// restart ends a process with all its streams; with FULL the file keeps all.
func (g *group) restart(t *rapid.T) {
	g.T = t
	i := rapid.IntRange(0, len(g.members)-1).Draw(t, "node")
	g.hangUp(i)
	g.members[i].reopen(0)
}

// wipe replaces a node by a new one of the same name, once all that it took is
// known elsewhere: what nobody else has is lost with the disk.
func (g *group) wipe(t *rapid.T) {
	g.T = t
	i := rapid.IntRange(0, len(g.members)-1).Draw(t, "node")
	old := g.members[i]
	for d := range old.Frontier().All() {
		if !slices.ContainsFunc(g.members, func(m *member) bool { return m != old && m.Frontier().Covers(d) }) {
			t.Skip("it alone has something")
		}
	}
	if old.verify().Loose > 0 || len(g.members) < 2 {
		t.Skip("it has loose rows")
	}
	g.hangUp(i)
	random := old.cfg.Random
	g.members[i] = newMember(t, old.name, func(c *node.Config) { c.Random = random })
	// It catches up before it is written to (standing), here with any of the others.
	pull(g.members[(i+1)%len(g.members)], g.members[i])
}

func (g *group) hangUp(i int) {
	for p, s := range g.streams {
		if p[0] == i || p[1] == i {
			s.stop()
			delete(g.streams, p)
		}
	}
}

// holds checks what must be true at every moment.
func (g *group) holds(t *rapid.T) {
	g.T = t
	for _, m := range g.members {
		live := map[string]conflict.Siblings{}
		for _, id := range lawIDs {
			live[id] = m.live(id)
		}
		for d, id := range g.acked {
			if !m.Frontier().Covers(d) {
				continue
			}
			if !slices.ContainsFunc(live[id], func(v *conflict.Version) bool { return v.Dot == d || v.Clock.Covers(d) }) {
				t.Fatalf("%s has %s of %s in its frontier %s, and nothing that is or covers it", m.name, d, id, m.Frontier())
			}
		}
		for _, o := range g.members {
			x, y := m.verify(), o.verify()
			if x.Frontier.Equal(y.Frontier) && x.Loose+y.Loose == 0 && !slices.Equal(x.Collections, y.Collections) {
				t.Fatalf("%s and %s have equal frontiers %s and differ: %+v, %+v", m.name, o.name, x.Frontier, x.Collections, y.Collections)
			}
		}
		g.stable(m)
	}
}

// stable checks that what a node takes for stable really lies in every node's
// frontier (PROTOCOL D7). After a wipe it may have heard of the former life only.
func (g *group) stable(m *member) {
	var others []string
	truth := m.Frontier()
	for _, o := range g.members {
		if o != m {
			others = append(others, o.name)
			truth = truth.Meet(o.Frontier())
		}
	}
	if got := m.table.Stable(m.Frontier(), others); !truth.Dominates(got) {
		g.Fatalf("%s takes %s for stable, and all have %s", m.name, got, truth)
	}
}

// heal runs all streams until nothing moves.
func (g *group) heal(t *rapid.T) {
	g.T = t
	for i := range g.members {
		g.hangUp(i)
	}
	for quiet, rounds := 0, 0; quiet < 3; rounds++ {
		if rounds > 50 {
			t.Fatal("the streams never fall silent")
		}
		moved := false
		for from := range g.members {
			for to := range g.members {
				if from == to {
					continue
				}
				p := [2]int{from, to}
				if g.streams[p] == nil {
					g.streams[p] = connect(g.members[from], g.members[to], 0)
				}
				s := g.streams[p]
				before := s.frames
				s.drain()
				moved = moved || s.frames > before
				s.now += replica.EmptyEvery
			}
		}
		if quiet++; moved {
			quiet = 0
		}
	}
	for i, m := range g.members {
		if !equal(g.members[0], m) {
			t.Fatalf("after healing %s has %+v, %s has %+v", g.members[0].name, g.members[0].verify(), m.name, m.verify())
		}
		for d := range g.acked {
			if !m.Frontier().Covers(d) {
				t.Fatalf("%s never got %s: %s", m.name, d, m.Frontier())
			}
		}
		var others []string
		for j, o := range g.members {
			if i != j {
				others = append(others, o.name)
			}
		}
		if got := m.table.Stable(m.Frontier(), others); !got.Equal(m.Frontier()) {
			t.Fatalf("all is quiet and equal at %s, and %s takes %s for stable", m.Frontier(), m.name, got)
		}
	}
	g.holds(t)
}

// "It ends, healed and quiet: equal digests, every acknowledged write accounted
// for" (FAILURES 2), through random interleavings of writes, frames, breaks and
// restarts.
func TestNodesBecomeEqual(t *testing.T) {
	const rounds = 3 // of 100 histories each
	for range rounds {
		rapid.Check(t, func(t *rapid.T) {
			g := newGroup(t)
			t.Repeat(map[string]func(*rapid.T){
				"write": g.write, "write more": g.write, "read": g.read, "step": g.step, "step more": g.step, "step on": g.step,
				"break": g.breaks, "restart": g.restart, "": g.holds,
			})
			g.heal(t)
		})
	}
}

// The same with disks that are wiped: "all data comes back, no dot reused,
// nothing lost" (FAILURES 20).
func TestWipedNodesBecomeEqual(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := newGroup(t)
		t.Repeat(map[string]func(*rapid.T){"write": g.write, "step": g.step, "step more": g.step, "break": g.breaks, "wipe": g.wipe})
		g.heal(t)
	})
}

// A restart below FULL may lose the tail: what was acknowledged and lost is gone
// from this node alone, and its dots are not used again (PROTOCOL D14).
func TestLostTails(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := newMember(t, "a", func(c *node.Config) { c.Full = false }), newMember(t, "b")
		used := map[vclock.Dot]bool{}
		for i := range rapid.IntRange(1, 15).Draw(t, "steps") {
			switch rapid.IntRange(0, 3).Draw(t, "step") {
			case 0, 1:
				d := a.put(rapid.SampledFrom(lawIDs).Draw(t, "id"), fmt.Sprintf(`{"n":%d}`, i))
				if used[d] {
					t.Fatalf("%s was stamped twice", d)
				}
				used[d] = true
			case 2:
				pull(a, b)
				pull(b, a)
			case 3:
				a.reopen(rapid.IntRange(0, nodetest.KeptStates).Draw(t, "lose"))
			}
		}
		pull(a, b)
		pull(b, a)
		if !equal(a, b) {
			t.Fatalf("%+v and %+v", a.verify(), b.verify())
		}
	})
}
