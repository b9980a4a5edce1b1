package nodetest

import (
	"errors"
	"slices"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// listed writes one version for each id, in the order given, and returns them
// by id.
func (b *rig) listed(collection string, ids ...string) map[string]*conflict.Version {
	out := map[string]*conflict.Version{}
	b.update(func(tx node.Tx) error {
		for i, id := range ids {
			out[id] = versionOf(keyOf(collection, id), dotOf(vclock.Actor("l~0000000"+collection), uint64(i+1)))
			if err := tx.Write(out[id], nil); err != nil {
				return err
			}
		}
		return nil
	})
	return out
}

// lists says that a range holds exactly these documents.
func (b *rig) lists(r node.ListRange, from map[string]*conflict.Version, ids ...string) {
	b.Helper()
	var want []conflict.Siblings
	for _, id := range ids {
		want = append(want, conflict.Siblings{from[id]})
	}
	b.sameDocs("list", b.list(r), want)
}

// "List returns documents of a collection in the order of their ids (bytes)";
// a prefix is bytes too, and no pattern.
func testList(b *rig) {
	docs := b.listed("c", "z", "a%b", "a%", "a_", "ab", "a", "A", "é", "éa", "漢", "漢字", "\U0010ffffx", "a%c", "~", "0")
	b.listed("b", "a", "z")
	b.listed("d", "a", "z")
	whole := node.ListRange{Collection: "c", Limit: plenty, MaxBytes: plenty}
	with := func(prefix, after string) node.ListRange {
		r := whole
		r.Prefix, r.After = prefix, conflict.DocID(after)
		return r
	}
	b.lists(whole, docs, "0", "A", "a", "a%", "a%b", "a%c", "a_", "ab", "z", "~", "é", "éa", "漢", "漢字", "\U0010ffffx")
	b.lists(with("a%", ""), docs, "a%", "a%b", "a%c")
	b.lists(with("a_", ""), docs, "a_")
	b.lists(with("é", ""), docs, "é", "éa")
	b.lists(with("\U0010ffff", ""), docs, "\U0010ffffx")
	b.lists(with("漢"[:2], ""), docs, "漢", "漢字") // bytes, not runes
	b.lists(with("nothing", ""), docs)
	b.lists(with("", "ab"), docs, "z", "~", "é", "éa", "漢", "漢字", "\U0010ffffx")
	b.lists(with("", "aa"), docs, "ab", "z", "~", "é", "éa", "漢", "漢字", "\U0010ffffx")
	b.lists(with("a", "a%b"), docs, "a%c", "a_", "ab")
	b.lists(with("a", "A"), docs, "a", "a%", "a%b", "a%c", "a_", "ab")
	b.lists(with("a", "b"), docs)
	b.lists(with("", "\U0010ffffx"), docs)
}

// "Limit: documents"; "MaxBytes: of bodies; the document that passes it is the
// last"; a document has "all its live versions, tombstones too".
func testListLimits(b *rig) {
	one := withBody(versionOf(keyOf("c", "1"), dotOf(actorA, 1)), 10)
	twoA := withBody(versionOf(keyOf("c", "2"), dotOf(actorA, 2)), 6)
	twoB := withBody(versionOf(keyOf("c", "2"), dotOf(actorB, 1)), 4)
	three := tombstoneOf(keyOf("c", "3"), dotOf(actorB, 2))
	four := withBody(versionOf(keyOf("c", "4"), dotOf(actorC, 1)), 1)
	for _, v := range []*conflict.Version{four, twoB, one, three, twoA} {
		b.write(v)
	}
	docs := []conflict.Siblings{{one}, {twoA, twoB}, {three}, {four}}
	v := b.view()
	for _, c := range []struct{ limit, maxBytes, want int }{
		{plenty, plenty, 4},
		{4, plenty, 4},
		{3, plenty, 3},
		{2, plenty, 2},
		{1, plenty, 1},
		{0, plenty, 0},
		{plenty, 21, 4},
		{plenty, 20, 4},
		{plenty, 19, 2},
		{plenty, 10, 2},
		{plenty, 9, 1},
		{plenty, 0, 1},
	} {
		got := v.list(node.ListRange{Collection: "c", Limit: c.limit, MaxBytes: c.maxBytes})
		b.sameDocs("list", got, docs[:c.want])
	}
}

// "Conflicted: only documents with two live versions or more."
func testListConflicted(b *rig) {
	var want []conflict.Siblings
	for i, id := range []string{"a", "b", "c", "d", "e"} {
		first := versionOf(keyOf("c", id), dotOf(actorA, uint64(i+1)))
		b.write(first)
		if i%2 == 1 {
			continue
		}
		second := versionOf(first.Key, dotOf(actorB, uint64(i+1)))
		b.write(second)
		want = append(want, conflict.Siblings{first, second})
	}
	b.listed("d", "a", "c")
	r := node.ListRange{Collection: "c", Conflicted: true, Limit: plenty, MaxBytes: plenty}
	b.sameDocs("all", b.list(r), want)
	paged := r
	paged.Limit, paged.After = 1, "a"
	b.sameDocs("second", b.list(paged), want[1:2])
	paged.After = "c"
	b.sameDocs("third", b.list(paged), want[2:])
	prefixed := r
	prefixed.Prefix = "c"
	b.sameDocs("prefix", b.list(prefixed), want[1:2])

	// A conflict ends with the write that covers its siblings, in part or whole.
	end := versionOf(want[1][0].Key, dotOf(actorA, 90), want[1]...)
	b.write(end, want[1]...)
	third := versionOf(want[2][0].Key, dotOf(actorC, 1))
	b.write(third)
	part := versionOf(third.Key, dotOf(actorA, 91), want[2][0])
	b.write(part, want[2][0])
	want = []conflict.Siblings{want[0], {part, want[2][1], third}}
	b.sameDocs("afterwards", b.list(r), want)
	last := versionOf(part.Key, dotOf(actorA, 92), want[1]...)
	b.update(func(tx node.Tx) error { return tx.Write(last, want[1]) })
	b.sameDocs("at the end", b.list(r), want[:1])
}

// "Rows returns live versions of one actor with a sequence above after, in
// order of sequence: at most limit versions, and no more than one beyond
// maxBytes of bodies."
func testRows(b *rig) {
	var all conflict.Siblings
	for _, seq := range []uint64{3, 1, 10, 7, 1 << 40} {
		v := withBody(versionOf(keyOf("c", dotOf(actorA, seq).String()), dotOf(actorA, seq)), 10)
		all = append(all, v)
		b.write(v)
	}
	slices.SortFunc(all, func(v, w *conflict.Version) int { return v.Dot.Compare(w.Dot) })
	b.write(versionOf(keyOf("c", "b"), dotOf(actorB, 5)))
	v := b.view()
	for _, c := range []struct {
		after           uint64
		limit, maxBytes int
		from, to        int
	}{
		{0, plenty, plenty, 0, 5},
		{1, plenty, plenty, 1, 5},
		{2, plenty, plenty, 1, 5},
		{10, plenty, plenty, 4, 5},
		{1 << 40, plenty, plenty, 5, 5},
		{vclock.MaxSeq, plenty, plenty, 5, 5},
		{0, 3, plenty, 0, 3},
		{3, 2, plenty, 2, 4},
		{0, 0, plenty, 0, 0},
		{0, plenty, 50, 0, 5},
		{0, plenty, 49, 0, 5},
		{0, plenty, 20, 0, 3},
		{0, plenty, 19, 0, 2},
		{0, plenty, 0, 0, 1},
	} {
		b.same("rows", v.rows(actorA, c.after, c.limit, c.maxBytes), all[c.from:c.to])
	}
	b.same("rows of nobody", v.rows(actorC, 0, plenty, plenty), nil)
}

// "Actors returns, sorted, the actors of all live versions and of the frontier."
func testActors(b *rig) {
	loose := versionOf(keyOf("c", "x"), dotOf(actorC, 9))
	b.write(loose) // a loose row: the frontier knows nothing of its actor
	b.actors(actorC)
	b.update(func(tx node.Tx) error { return tx.SetFrontier(vclock.VectorOf(dotOf(actorB, 4)), 1) })
	b.actors(actorB, actorC)
	cover := versionOf(loose.Key, dotOf(actorA, 1), loose)
	b.write(cover, loose) // the last row of c goes
	b.actors(actorA, actorB)
}

func (b *rig) actors(want ...vclock.Actor) {
	b.Helper()
	v := b.view()
	defer v.close()
	got, err := v.Actors()
	b.ok(err)
	if !slices.Equal(got, want) {
		b.Fatalf("actors %v, want %v", got, want)
	}
}

// "Collections returns, sorted by name, the collections with a live version."
func testCollections(b *rig) {
	sum := conflict.Sum{0: 1, 15: 255}
	first := node.CollectionStat{Name: "zz", Digest: sum, Documents: 2, Tombstones: 1, Conflicts: 1}
	second := node.CollectionStat{Name: "_a", Tombstones: 3}
	b.update(func(tx node.Tx) error { return errors.Join(tx.SetCollection(first), tx.SetCollection(second)) })
	b.collections(second, first)
	first.Documents, first.Digest = 1<<40, conflict.Sum{}
	empty := node.CollectionStat{Name: "_a"}
	b.update(func(tx node.Tx) error { return errors.Join(tx.SetCollection(first), tx.SetCollection(empty)) })
	b.collections(first)
	b.update(func(tx node.Tx) error { return tx.SetCollection(second) })
	b.collections(second, first)
	b.write(versionOf(keyOf("new", "x"), dotOf(actorA, 1)))
	b.collections(second, first) // a collection counts once its figures were set
}

func (b *rig) collections(want ...node.CollectionStat) {
	b.Helper()
	v := b.view()
	defer v.close()
	got, err := v.Collections()
	b.ok(err)
	if !slices.Equal(got, want) {
		b.Fatalf("collections:\n got %+v\nwant %+v", got, want)
	}
}

// "SetCursor keeps how far the catch-up from a sender's actor came; the empty
// vector forgets it."
func testCursors(b *rig) {
	far := vclock.VectorOf(dotOf(actorA, 5), dotOf(actorB, vclock.MaxSeq))
	set := func(sender vclock.Actor, done vclock.Vector) {
		b.update(func(tx node.Tx) error { return tx.SetCursor(sender, done) })
	}
	holds := func(sender vclock.Actor, want vclock.Vector) {
		b.Helper()
		v := b.view()
		defer v.close()
		got, err := v.Cursor(sender)
		b.ok(err)
		if !got.Equal(want) {
			b.Fatalf("cursor of %s: %s, want %s", sender, got, want)
		}
	}
	set(actorA, far)
	holds(actorA, far)
	holds(actorB, vclock.Vector{})
	set(actorB, vclock.VectorOf(dotOf(actorC, 1)))
	set(actorA, vclock.VectorOf(dotOf(actorC, 2)))
	holds(actorA, vclock.VectorOf(dotOf(actorC, 2)))
	holds(actorB, vclock.VectorOf(dotOf(actorC, 1)))
	set(actorA, vclock.Vector{})
	set(actorC, vclock.Vector{}) // there was none
	holds(actorA, vclock.Vector{})
	holds(actorB, vclock.VectorOf(dotOf(actorC, 1)))
}

// "Meta reads what the file says about itself."
func testMeta(b *rig) {
	full := node.Meta{
		Cluster: "prod", Node: "a", Actor: actorA, Standing: node.StandingGood,
		Clean: true, Full: true, Born: 1<<48 - 1, Starts: 1<<63 - 1, Roster: []byte("{\x00\xff}"),
	}
	for _, want := range []node.Meta{full, {Cluster: "prod", Standing: node.StandingCatchingUp, Clean: true}, {}} {
		b.update(func(tx node.Tx) error { return tx.SetMeta(want) })
		got, err := b.store.Meta(b.ctx())
		b.ok(err)
		if got.Cluster != want.Cluster || got.Node != want.Node || got.Actor != want.Actor || got.Standing != want.Standing ||
			got.Clean != want.Clean || got.Full != want.Full || got.Born != want.Born || got.Starts != want.Starts || string(got.Roster) != string(want.Roster) {
			b.Fatalf("meta:\n got %+v\nwant %+v", got, want)
		}
	}
}
