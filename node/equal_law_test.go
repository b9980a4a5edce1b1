package node_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// policies are configurations of the collection, each with the source of its
// resolver.
func policies() [][2]string {
	return [][2]string{
		{`{"policy":{"kind":"lww"}}`},
		{`{"policy":{"kind":"lww","path":"/balance"},"delete":"update_wins"}`},
		{`{"policy":{"kind":"merge"}}`},
		{`{"policy":{"kind":"merge","rules":{"/balance":"sum","/tags":"union"}},"delete":"update_wins"}`},
		{`{"policy":{"kind":"merge","default":"max","rules":{"/tags":"concat"}},"delete":"delete_wins"}`},
		{`{"policy":{"kind":"script","resolver":"rule"}}`, "sum"},
		{`{"policy":{"kind":"script","resolver":"rule"}}`, "defer"},
		{`{"policy":{"kind":"script","resolver":"rule"}}`, "fail"},
		{`{"policy":{"kind":"manual"}}`},
	}
}

// versions are all that some nodes ever wrote.
type versions struct {
	*rapid.T
	nodes  []*rig
	all    []*conflict.Version
	tokens []*node.Token // of alice, as somebody was shown it
}

// byResolver is a node that asks a resolver which is the same everywhere.
func byResolver(t *rapid.T, name string) *rig {
	return newRig(t, func(c *node.Config) { c.Node, c.Resolver = name, &standIn{} })
}

// stored commits what the system itself writes.
func (r *rig) stored(q *node.Request, err error) {
	r.Helper()
	r.ok(err)
	r.commit(q)
	for _, out := range q.Outcomes() {
		r.ok(out.Err)
	}
}

// step lets one node write, look, or take what another has.
func (v *versions) step() {
	r := v.nodes[rapid.IntRange(0, len(v.nodes)-1).Draw(v.T, "node")]
	tag := r.get("alice").Tag // the resolver has been asked from here on
	w := put("alice", fmt.Sprintf(`{"balance":%d,"tags":["%c"]}`, rapid.IntRange(-3, 3).Draw(v.T, "balance"), 'a'+rapid.IntRange(0, 3).Draw(v.T, "tag")))
	switch rapid.IntRange(0, 5).Draw(v.T, "what") {
	case 0:
		other := v.nodes[rapid.IntRange(0, len(v.nodes)-1).Draw(v.T, "from")]
		if other != r {
			other.copyTo(r)
		}
		return
	case 1:
		v.tokens = append(v.tokens, r.context())
		return
	case 2:
		w = del("alice")
	case 3:
		if len(v.tokens) > 0 {
			w.Context = rapid.SampledFrom(v.tokens).Draw(v.T, "context")
		}
	default:
		if tag != "" {
			w.IfMatch = []string{tag}
		}
	}
	out, err := r.try(w)
	switch node.KindOf(err) {
	case node.NotFound, node.Deleted, node.OpenConflict:
		return
	default:
	}
	r.ok(err)
	v.all = append(v.all, out.After.Live.Find(out.Dot))
}

// arrives brings all versions to a node in some order, some of them twice.
func (v *versions) arrives(name string) *rig {
	r := byResolver(v.T, name)
	rows := rapid.Permutation(v.all).Draw(v.T, "order at "+name)
	for len(rows) > 0 {
		n := rapid.IntRange(1, len(rows)).Draw(v.T, "rows of a frame")
		r.takeRows(rows[:n]...)
		if rapid.Bool().Draw(v.T, "again") {
			r.takeRows(rows[:n]...)
		}
		rows = rows[n:]
	}
	return r
}

// Issue 4, "Proof": "for every policy the shown value is the same for every order
// and every way in which the siblings arrived; two nodes with equal siblings and
// policy version show equal bytes".
func TestEqualSiblingsShowEqualBytes(t *testing.T) {
	t.Parallel()
	conflicts := map[[2]string]int{}
	rapid.Check(t, func(t *rapid.T) {
		policy := rapid.SampledFrom(policies()).Draw(t, "policy")
		v := &versions{T: t}
		for _, name := range []string{"a", "b", "c"} {
			v.nodes = append(v.nodes, byResolver(t, name))
		}
		first := v.nodes[0]
		if policy[1] != "" {
			first.stored(node.ResolverRequest("rule", policy[1]))
		}
		first.stored(first.ConfigureRequest("accounts", []byte(policy[0])))
		for _, other := range v.nodes[1:] {
			first.copyTo(other)
		}
		v.all, _ = first.rows(func(vclock.Actor) uint64 { return 0 })
		for range rapid.IntRange(3, 14).Draw(t, "steps") {
			v.step()
		}
		x, y := v.arrives("x").get("alice"), v.arrives("y").get("alice")
		if !slices.EqualFunc(x.Live, y.Live, func(u, w *conflict.Version) bool { return u.Dot == w.Dot }) {
			t.Fatalf("live are %v and %v", x.Live, y.Live)
		}
		if x.Tag != y.Tag || !bytes.Equal(x.Shown.Body, y.Shown.Body) || x.Shown.Deleted != y.Shown.Deleted ||
			x.Shown.Open != y.Shown.Open || x.Shown.Reason != y.Shown.Reason || x.Shown.Detail != y.Shown.Detail {
			t.Fatalf("%s: equal siblings show %s (%s, %+v) and %s (%s, %+v)", policy, x.Shown.Body, x.Tag, x.Shown, y.Shown.Body, y.Tag, y.Shown)
		}
		if x.Live.Conflicts() > 0 {
			conflicts[policy]++
		}
	})
	for _, policy := range policies() {
		if conflicts[policy] == 0 {
			t.Errorf("void: no conflict was seen under %s", policy)
		}
	}
}
