package nodetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// testRandom puts one random sequence of updates and questions to a store and
// to a MemStore, the model: every answer must be the same. Views stay open
// across updates, and updates fail at times.
func testRandom(t *testing.T, open OpenStore) {
	rapid.Check(t, func(rt *rapid.T) {
		p := &pair{T: rt, real: open(t), model: NewMemStore(MemConfig{Full: true}), next: map[vclock.Actor]uint64{}}
		defer p.end()
		rt.Repeat(map[string]func(*rapid.T){
			"update": p.update, "read": p.read, "view": p.view, "ask": p.ask, "close view": p.closeView,
		})
	})
}

// pair is a store and its model.
type pair struct {
	*rapid.T
	real  node.Store
	model node.Store
	views []viewPair
	next  map[vclock.Actor]uint64 // the last sequence taken
}

type viewPair struct{ real, model node.View }

func (p *pair) end() {
	for len(p.views) > 0 {
		p.drop(0)
	}
	p.ok(p.real.Close())
}

func (p *pair) ok(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

func (p *pair) same(what string, got, want any) {
	p.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		p.Fatalf("%s:\n got %s\nwant %s", what, g, w)
	}
}

var (
	randomKeys = rapid.Custom(func(t *rapid.T) conflict.Key {
		return keyOf(
			rapid.SampledFrom([]string{"c", "d", "_c"}).Draw(t, "collection"),
			rapid.SampledFrom([]string{"a", "a%", "a%a", "b", "é"}).Draw(t, "id"),
		)
	})
	randomActors = rapid.SampledFrom([]vclock.Actor{actorA, actorB, actorC})
)

// update draws one transaction, plays it on the model, and then on the store.
func (p *pair) update(rt *rapid.T) {
	p.T = rt
	fails := rapid.IntRange(0, 4).Draw(rt, "fails") == 0
	taken := map[vclock.Actor]uint64{}
	var steps []func(tx node.Tx) error
	err := p.model.Update(p.Context(), func(tx node.Tx) error {
		for range rapid.IntRange(0, 6).Draw(rt, "steps") {
			step := p.step(tx, taken)
			steps = append(steps, step)
			p.ok(step(tx))
		}
		return failing(fails)
	})
	if !fails {
		p.ok(err)
		for a, n := range taken {
			p.next[a] += n
		}
	}
	err = p.real.Update(p.Context(), func(tx node.Tx) error {
		for _, step := range steps {
			if err := step(tx); err != nil {
				return err
			}
		}
		return failing(fails)
	})
	if fails && !errors.Is(err, errOwn) || !fails && err != nil {
		p.Fatalf("update: %v", err)
	}
}

func failing(fails bool) error {
	if fails {
		return errOwn
	}
	return nil
}

// step draws one step of a transaction.
func (p *pair) step(model node.Tx, taken map[vclock.Actor]uint64) func(tx node.Tx) error {
	switch rapid.IntRange(0, 11).Draw(p.T, "step") {
	case 0:
		frontier, last := p.vector("frontier"), vclock.Time(rapid.Uint64().Draw(p.T, "time"))
		return func(tx node.Tx) error { return tx.SetFrontier(frontier, last) }
	case 1:
		stat := node.CollectionStat{
			Name: randomKeys.Draw(p.T, "key").Collection, Documents: rapid.Int64Range(0, 2).Draw(p.T, "documents"),
			Tombstones: rapid.Int64Range(0, 1).Draw(p.T, "tombstones"), Conflicts: rapid.Int64Range(0, 9).Draw(p.T, "conflicts"),
		}
		return func(tx node.Tx) error { return tx.SetCollection(stat) }
	case 2:
		sender, done := randomActors.Draw(p.T, "sender"), p.vector("done")
		return func(tx node.Tx) error { return tx.SetCursor(sender, done) }
	case 3:
		meta := node.Meta{Node: rapid.StringMatching(`[a-z]{0,3}`).Draw(p.T, "node"), Clean: rapid.Bool().Draw(p.T, "clean")}
		return func(tx node.Tx) error { return tx.SetMeta(meta) }
	case 4:
		keys := rapid.SliceOfN(randomKeys, 0, 20).Draw(p.T, "expected")
		return func(tx node.Tx) error { return tx.Expect(keys) }
	case 5, 6:
		return p.past()
	}
	return p.write(model, taken)
}

// write draws a version that covers some of what is live, all of it mostly.
func (p *pair) write(model node.Tx, taken map[vclock.Actor]uint64) func(tx node.Tx) error {
	key := randomKeys.Draw(p.T, "key")
	live, err := model.Document(key)
	p.ok(err)
	covered := live
	if rapid.IntRange(0, 2).Draw(p.T, "sees all") == 0 {
		covered = nil
		for _, v := range live {
			if rapid.Bool().Draw(p.T, "sees") {
				covered = append(covered, v)
			}
		}
	}
	actor := randomActors.Draw(p.T, "actor")
	taken[actor]++
	dot := dotOf(actor, p.next[actor]+taken[actor])
	v := versionOf(key, dot, covered...)
	if rapid.IntRange(0, 4).Draw(p.T, "deletes") == 0 {
		v = tombstoneOf(key, dot, covered...)
	}
	look := rapid.IntRange(0, 3).Draw(p.T, "looks") > 0
	return func(tx node.Tx) error {
		if look {
			before, err := tx.Document(key)
			if err != nil {
				return err
			}
			p.same("document in the update", describe(before), describe(live))
		}
		return tx.Write(v, covered)
	}
}

func (p *pair) vector(label string) vclock.Vector {
	var v vclock.Vector
	for _, a := range []vclock.Actor{actorA, actorB, actorC} {
		v = v.With(dotOf(a, rapid.Uint64Range(0, 5).Draw(p.T, label)))
	}
	return v
}

// read compares Read and Meta.
func (p *pair) read(rt *rapid.T) {
	p.T = rt
	key := randomKeys.Draw(rt, "key")
	got, err := p.real.Read(p.Context(), key)
	p.ok(err)
	want, err := p.model.Read(p.Context(), key)
	p.ok(err)
	p.same("live", describe(got.Live), describe(want.Live))
	p.same("frontier", got.Frontier, want.Frontier)
	gotMeta, err := p.real.Meta(p.Context())
	p.ok(err)
	wantMeta, err := p.model.Meta(p.Context())
	p.ok(err)
	p.same("meta", gotMeta, wantMeta)
}

func (p *pair) view(rt *rapid.T) {
	p.T = rt
	if len(p.views) == SuiteViews {
		rt.Skip("enough views are open")
	}
	real, err := p.real.View(p.Context())
	p.ok(err)
	model, err := p.model.View(p.Context())
	p.ok(err)
	p.views = append(p.views, viewPair{real, model})
}

func (p *pair) closeView(rt *rapid.T) {
	p.T = rt
	if len(p.views) == 0 {
		rt.Skip("no view is open")
	}
	p.drop(rapid.IntRange(0, len(p.views)-1).Draw(rt, "view"))
}

func (p *pair) drop(i int) {
	v := p.views[i]
	p.views = slices.Delete(p.views, i, i+1)
	p.ok(v.real.Close())
	p.ok(v.model.Close())
}

// ask puts every question to an open view.
func (p *pair) ask(rt *rapid.T) {
	p.T = rt
	if len(p.views) == 0 {
		rt.Skip("no view is open")
	}
	v := p.views[rapid.IntRange(0, len(p.views)-1).Draw(rt, "view")]
	key, actor := randomKeys.Draw(rt, "key"), randomActors.Draw(rt, "actor")
	after, limit := rapid.Uint64Range(0, 20).Draw(rt, "after"), rapid.IntRange(0, 8).Draw(rt, "limit")
	maxBytes := rapid.IntRange(0, 200).Draw(rt, "bytes")
	list := node.ListRange{
		Collection: key.Collection, Prefix: rapid.SampledFrom([]string{"", "a", "a%", "b"}).Draw(rt, "prefix"),
		After: rapid.SampledFrom([]conflict.DocID{"", "a", "a%", "aa", "é"}).Draw(rt, "from"), Conflicted: rapid.Bool().Draw(rt, "conflicted"),
		Limit: limit, MaxBytes: maxBytes,
	}
	past := pastQuestion{rapid.Uint64Range(0, 20).Draw(rt, "below"), limit, maxBytes, dotOf(actor, max(after%9, 1))}
	answers := func(v node.View) []any {
		live, err1 := v.Document(key)
		docs, err2 := v.List(list)
		rows, err3 := v.Rows(actor, after, limit, maxBytes)
		actors, err4 := v.Actors()
		stats, err5 := v.Collections()
		cursor, err6 := v.Cursor(actor)
		p.ok(errors.Join(err1, err2, err3, err4, err5, err6))
		return append(p.askPast(v, key, past), v.Frontier(), v.Time(), describe(live), describeAll(docs), describe(rows), actors, stats, cursor)
	}
	got, want := answers(v.real), answers(v.model)
	for i, what := range []string{"history", "records", "old records", "ages", "frontier", "time", "document", "list", "rows", "actors", "collections", "cursor"} {
		p.same(what, got[i], want[i])
	}
}
