package node_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
)

// "Scripts are documents, versioned" (DESIGN 7): storing, versions, rollback.
func TestResolverVersions(t *testing.T) {
	r := newRig(t)
	r.start()
	if one, err := r.Resolver(t.Context(), "rule"); err != nil || one.Exists() {
		t.Fatalf("%+v, %v", one, err)
	}
	first := r.stores("rule", "one")
	if !first.Created {
		t.Error("the first version made nothing")
	}
	r.stores("rule", "two")
	present, err := r.Resolver(t.Context(), "rule")
	if err != nil || present.Source != "two" || present.Who != "eve" || present.Version != conflict.ScriptVersion("two") || len(present.Used) != 0 {
		t.Errorf("%+v, %v", present, err)
	}
	versions := func() string {
		t.Helper()
		all, err := r.ResolverVersions(t.Context(), "rule")
		r.ok(err)
		var out []string
		for _, v := range all {
			out = append(out, v.Source)
		}
		return strings.Join(out, " ")
	}
	if got := versions(); got != "two one" {
		t.Errorf("versions: %s", got)
	}
	if _, err = r.RollbackResolver(t.Context(), "rule", conflict.ScriptVersion("one"), node.ResolverWrite{Who: "eve"}); err != nil {
		t.Fatal(err)
	}
	if present, err = r.Resolver(t.Context(), "rule"); err != nil || present.Source != "one" || versions() != "two one" {
		t.Errorf("%+v, %v; versions: %s", present, err, versions())
	}
	_, err = r.RollbackResolver(t.Context(), "rule", "0123456789abcdef", node.ResolverWrite{})
	r.fails(err, node.NotFound)
	r.stores("rule2", "another one's") // its versions are not rule's
	if got := versions(); got != "two one" {
		t.Errorf("versions: %s", got)
	}
	list, err := r.Resolvers(t.Context())
	if err != nil || len(list) != 2 || list[0].Name != "rule" || list[1].Name != "rule2" {
		t.Errorf("%+v, %v", list, err)
	}
	if _, err = r.DeleteResolver(t.Context(), "rule", nil); err != nil {
		t.Fatal(err)
	}
	if got := versions(); got != "two one" {
		t.Errorf("versions of what was deleted: %s", got)
	}
	_, err = r.DeleteResolver(t.Context(), "rule", nil)
	r.fails(err, node.Deleted)
	_, err = r.ScriptOf("rule")
	r.fails(err, node.NotFound)
}

// "Only the newest versions are kept" (MaxVersions).
func TestResolverKeepsSoManyVersions(t *testing.T) {
	r := newRig(t)
	r.start()
	for i := range node.MaxVersions + 3 {
		r.wall = r.wall.Add(time.Millisecond)
		r.stores("rule", fmt.Sprintf("version %03d", i))
	}
	all, err := r.ResolverVersions(t.Context(), "rule")
	if err != nil || len(all) != node.MaxVersions || all[0].Source != "version 202" || all[len(all)-1].Source != "version 003" {
		t.Errorf("%d versions, %v", len(all), err)
	}
}

func TestResolverRefusals(t *testing.T) {
	r := newRig(t)
	r.start()
	one := r.stores("rule", "one")
	for _, c := range []struct {
		name string
		w    node.ResolverWrite
		want node.Kind
	}{
		{"Rule", node.ResolverWrite{Source: "x"}, node.Invalid},
		{"_rule", node.ResolverWrite{Source: "x"}, node.Invalid},
		{"", node.ResolverWrite{Source: "x"}, node.Invalid},
		{strings.Repeat("r", conflict.MaxResolver+1), node.ResolverWrite{Source: "x"}, node.Invalid},
		{"rule", node.ResolverWrite{}, node.InvalidResolver},
		{"rule", node.ResolverWrite{Source: strings.Repeat("x", node.MaxSource+1)}, node.InvalidResolver},
		{"rule", node.ResolverWrite{Source: "\xff"}, node.InvalidResolver},
		{"rule", node.ResolverWrite{Source: "x", IfAbsent: true}, node.Precondition},
		{"rule", node.ResolverWrite{Source: "x", IfMatch: []string{"a~00000001:99"}}, node.Precondition},
	} {
		_, err := r.PutResolver(t.Context(), c.name, c.w)
		r.fails(err, c.want)
	}
	if _, err := r.PutResolver(t.Context(), "rule", node.ResolverWrite{Source: "x", IfMatch: []string{one.After.Tag}}); err != nil {
		t.Error(err)
	}
	r.configure(`{"policy":{"kind":"script","resolver":"rule","rules":{"/balance":"sum"}}}`)
	if got, err := r.Resolver(t.Context(), "rule"); err != nil || !slices.Equal(got.Used, []conflict.Collection{"accounts"}) {
		t.Errorf("%+v, %v", got.Used, err)
	}
	_, err := r.DeleteResolver(t.Context(), "rule", nil)
	r.fails(err, node.ResolverInUse)
	r.guard.begin = &node.Error{Op: "write", Kind: node.ReadOnly, ReadOnly: &node.ReadOnlyState{Cause: node.NoMajority}}
	_, err = r.PutResolver(t.Context(), "rule", node.ResolverWrite{Source: "y"})
	r.fails(err, node.ReadOnly)
}

// A configuration that names no stored resolver is refused, whole or by a patch;
// one that came by replication leaves conflicts open until the resolver is there.
func TestPolicyWithoutResolver(t *testing.T) {
	worker := &standIn{}
	r := newRig(t, func(c *node.Config) { c.Resolver = worker })
	r.start()
	for _, w := range []node.ConfigWrite{
		{Body: []byte(`{"policy":{"kind":"script","resolver":"rule"}}`)},
		{Change: func([]byte) ([]byte, error) { return []byte(`{"policy":{"kind":"script","resolver":"rule"}}`), nil }},
	} {
		for range 2 { // the first patch changes the defaults, the second what is stored
			_, err := r.Configure(t.Context(), "accounts", w)
			if f := r.failure(err, node.Invalid); !strings.Contains(f.Error(), `no resolver "rule"`) {
				t.Error(f)
			}
			r.configure(`{}`)
		}
	}
	config := row("x", dot(actorB, 1), "", at(time.Hour), func(v *conflict.Version) {
		v.Key = conflict.Key{Collection: node.ConfigCollection, ID: "accounts"}
		v.Body = []byte(`{"policy":{"kind":"script","resolver":"rule"}}`)
	})
	x := row("alice", dot(actorB, 2), "", func(v *conflict.Version) { v.Body = []byte(`{"balance":1}`) })
	y := row("alice", dot(actorC, 1), "", func(v *conflict.Version) { v.Body = []byte(`{"balance":2}`) })
	r.applies(config, x, y)
	d := r.shows("alice", `{"balance":1}`, 2)
	if d.Shown.Reason != conflict.ReasonMissing || !d.Shown.Open || r.settleable() != 0 || worker.asked() != 0 {
		t.Errorf("%+v", d.Shown)
	}
	body, err := json.Marshal(map[string]string{"source": "sum", "hash": conflict.ScriptVersion("sum"), "who": "eve"})
	r.ok(err)
	script := row("x", dot(actorC, 2), "", at(2*time.Hour), func(v *conflict.Version) {
		v.Key = conflict.Key{Collection: node.ResolverCollection, ID: "rule"}
		v.Body = body
	})
	r.applies(script)
	d = r.shows("alice", `{"balance":3}`, 2)
	if n := r.settleable(); n != 1 {
		t.Fatalf("%d to settle", n)
	}
	// The settlement goes by the policy's age, which is that of its resolver (D5).
	s := node.Settler{Engine: r.Engine, Stable: r.everything, Turn: func() bool { return true }}
	r.ok(s.Once(t.Context()))
	if now := r.shows("alice", `{"balance":3}`, 1); now.Live[0].Origin.Policy != script.Time {
		t.Errorf("the policy is of %s, its resolver of %s", now.Live[0].Origin.Policy, script.Time)
	}
	// What is in the file is in force after a start.
	r.applies(row("bob", dot(actorB, 3), "", func(v *conflict.Version) { v.Body = []byte(`{"balance":4}`) }),
		row("bob", dot(actorC, 3), "", func(v *conflict.Version) { v.Body = []byte(`{"balance":5}`) }))
	r.reopen(r.store)
	r.shows("bob", `{"balance":9}`, 2)
	// A resolver that nobody can read is missing.
	r.start()
	r.applies(row("x", dot(actorC, 4), "c~cccccccc:2", at(3*time.Hour), func(v *conflict.Version) {
		v.Key, v.Body = script.Key, []byte(`{"source":"sum","hash":"0000000000000000"}`)
	}))
	if d = r.get("bob"); d.Shown.Reason != conflict.ReasonMissing || r.count(node.EventConfig) != 1 {
		t.Errorf("%+v, %d events", d.Shown, r.count(node.EventConfig))
	}
}

// applies brings versions and their closing frame through the running writer.
func (r *rig) applies(rows ...*conflict.Version) {
	r.Helper()
	frontier := r.Frontier()
	for _, v := range rows {
		frontier = frontier.With(v.Dot)
	}
	_, err := r.Apply(r.Context(), node.Apply{Sender: actorB, Versions: rows, Close: &node.Closing{Frontier: frontier, Standing: node.StandingGood}})
	r.ok(err)
}

// A record has what a dry run needs: the conflict as it was, and how it ended,
// whether with a sibling's value, another one, or none.
func TestRecordedConflict(t *testing.T) {
	for source, want := range map[string]string{"sum": `{"balance":90}`, "del": "", "first": `{"balance":20}`} {
		r, _ := scripted(t, source)
		if source == "first" {
			r.configure(`{}`) // the newest is shown
		}
		d := r.siblings(70, 20)
		s := node.Settler{Engine: r.Engine, Stable: r.everything, Turn: func() bool { return true }}
		r.ok(s.Once(t.Context()))
		rec := r.one(d.Live.ID()).Record
		got, err := r.Recorded(t.Context(), rec)
		r.ok(err)
		if string(got.Result) != want || got.Deleted != (want == "") || len(got.Siblings) != 2 || got.MaxBody != node.DefaultBody {
			t.Errorf("%s: %s, deleted %t, %d siblings", source, got.Result, got.Deleted, len(got.Siblings))
		}
		for _, v := range got.Siblings {
			if was := d.Live.Find(v.Dot); was == nil || was.Time != v.Time || string(was.Body) != string(v.Body) {
				t.Errorf("%s: %+v", source, v)
			}
		}
		if (rec.Result.As != nil) != (source == "first") {
			t.Errorf("%s: as %v", source, rec.Result.As)
		}
	}
}
