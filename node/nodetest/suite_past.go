package nodetest

import (
	"fmt"
	"math"
	"slices"

	"pgregory.net/rapid"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// keep commits versions as former ones.
func (b *rig) keep(by vclock.Dot, at int64, covered ...*conflict.Version) {
	b.Helper()
	b.update(func(tx node.Tx) error { return tx.Keep(covered, by, at) })
}

// drop forgets former versions of the collection c, and wants to be told how many.
func (b *rig) drop(before int64, limit, want int) {
	b.Helper()
	b.update(func(tx node.Tx) error {
		n, err := tx.DropHistory("c", before, limit)
		if n != want {
			b.Errorf("%d former versions were dropped, want %d", n, want)
		}
		return err
	})
}

// former checks a page of history by dots, what covered them, and when.
func (v *rigView) former(key conflict.Key, below uint64, limit, maxBytes int, want ...string) []node.Former {
	v.b.Helper()
	page, err := v.History(key, below, limit, maxBytes)
	v.b.ok(err)
	var got []string
	for _, f := range page {
		got = append(got, fmt.Sprintf("%s by %s at %d", f.Version.Dot, f.By, f.At))
	}
	if !slices.Equal(got, want) {
		v.b.Fatalf("history of %s:\n got %q\nwant %q", key, got, want)
	}
	return page
}

// "History returns former versions of a document from rows below one, the
// highest first"; all that a version is, is kept.
func testHistory(b *rig) {
	x, y := keyOf("c", "x"), keyOf("c", "y")
	first := versionOf(x, dotOf(actorA, 1))
	second := withBody(versionOf(x, dotOf(actorB, 1), first), 50)
	grave := tombstoneOf(x, dotOf(actorA, 3), first, second)
	grave.Origin = &conflict.Origin{Past: []conflict.WriteID{{1}}}
	grave.Sum = grave.ComputeSum()
	before := b.view()
	b.keep(second.Dot, 1000, first)
	b.keep(dotOf(actorC, 9), 900, second, grave)
	b.keep(dotOf(actorA, 4), 1100, versionOf(y, dotOf(actorA, 2)))
	b.keep(dotOf(actorC, 8), 5000, first) // "One that is kept already stays as it is"
	before.former(x, math.MaxUint64, plenty, plenty)
	before.close()
	v := b.view()
	all := []string{"a~aaaaaaaa:3 by c~cccccccc:9 at 900", "b~bbbbbbbb:1 by c~cccccccc:9 at 900", "a~aaaaaaaa:1 by b~bbbbbbbb:1 at 1000"}
	page := v.former(x, math.MaxUint64, plenty, plenty, all...)
	b.same("versions", conflict.Siblings{page[0].Version, page[1].Version, page[2].Version}, conflict.Siblings{grave, second, first})
	for _, f := range page {
		b.ok(f.Version.Check())
	}
	v.former(x, page[0].Row, 1, plenty, all[1])
	v.former(x, page[1].Row, plenty, plenty, all[2])
	v.former(x, page[2].Row, plenty, plenty)
	v.former(x, math.MaxUint64, 0, plenty)
	v.former(x, math.MaxUint64, plenty, 49, all[:2]...) // "no more than one beyond maxBytes"
	v.former(keyOf("d", "x"), math.MaxUint64, plenty, plenty)
	f, err := v.Former(second.Dot)
	b.ok(err)
	if f == nil || f.By != dotOf(actorC, 9) || f.At != 900 || f.Row != page[1].Row || !sameVersion(f.Version, second) {
		b.Fatalf("the former version %s: %+v", second.Dot, f)
	}
	for _, d := range []vclock.Dot{dotOf(actorA, 4), dotOf(actorC, 9)} {
		if f, err := v.Former(d); f != nil || err != nil {
			b.Fatalf("%s was never covered: %+v, %v", d, f, err)
		}
	}
	b.holds(x) // none of it is live
}

// "DropHistory forgets the former versions of a collection that were covered
// before a time, the oldest first, at most limit."
func testDropHistory(b *rig) {
	x := keyOf("c", "x")
	by := dotOf(actorC, 9)
	b.drop(plenty, plenty, 0)
	for i, at := range []int64{30, 10, 20} {
		b.keep(by, at, versionOf(x, dotOf(actorA, uint64(i+1))))
	}
	b.keep(by, 5, versionOf(keyOf("d", "x"), dotOf(actorB, 1)))
	b.drop(10, plenty, 0)
	b.drop(31, 0, 0)
	b.drop(31, 1, 1)
	v := b.view()
	v.former(x, math.MaxUint64, plenty, plenty, "a~aaaaaaaa:3 by c~cccccccc:9 at 20", "a~aaaaaaaa:1 by c~cccccccc:9 at 30")
	v.close()
	if err := b.store.Update(b.ctx(), func(tx node.Tx) error {
		if n, err := tx.DropHistory("c", plenty, plenty); n != 2 || err != nil {
			b.Errorf("dropped %d, %v", n, err)
		}
		return errOwn
	}); err == nil {
		b.Fatal("the update did not fail")
	}
	b.drop(30, plenty, 1)
	b.drop(31, plenty, 1)
	b.drop(31, plenty, 0)
	v = b.view()
	v.former(x, math.MaxUint64, plenty, plenty)
	v.former(keyOf("d", "x"), math.MaxUint64, plenty, plenty, "b~bbbbbbbb:1 by c~cccccccc:9 at 5")
}

// "FileRecord says under what a record is found from now on".
func testRecords(b *rig) {
	file := func(record conflict.DocID, under *node.Filing) {
		b.Helper()
		b.update(func(tx node.Tx) error { return tx.FileRecord(record, under) })
	}
	one, two, three := dotOf(actorA, 1), dotOf(actorB, 2), dotOf("elsewhere~00000000", vclock.MaxSeq)
	file("r2", &node.Filing{Collection: "c", At: 20, Siblings: []vclock.Dot{one, two}})
	file("r1", &node.Filing{Collection: "c", At: 20, Siblings: []vclock.Dot{two, three}})
	file("r3", &node.Filing{Collection: "d", At: 10, Siblings: []vclock.Dot{three}})
	file("r3", &node.Filing{Collection: "c", At: 5, Siblings: []vclock.Dot{two}}) // "from now on"
	file("gone", &node.Filing{Collection: "c", At: 1, Siblings: []vclock.Dot{one}})
	file("gone", nil)
	file("nobody", nil)
	v := b.view()
	found := func(want []conflict.DocID) func([]conflict.DocID, error) {
		return func(got []conflict.DocID, err error) {
			b.Helper()
			b.ok(err)
			if !slices.Equal(got, want) {
				b.Errorf("found %q, want %q", got, want)
			}
		}
	}
	found([]conflict.DocID{"r2"})(v.RecordsOf(one, plenty))
	found([]conflict.DocID{"r1", "r2", "r3"})(v.RecordsOf(two, plenty))
	found([]conflict.DocID{"r1", "r2"})(v.RecordsOf(two, 2))
	found([]conflict.DocID{"r1"})(v.RecordsOf(three, plenty))
	found(nil)(v.RecordsOf(dotOf(actorC, 1), plenty))
	found([]conflict.DocID{"r3", "r1", "r2"})(v.OldRecords("c", 21, plenty))
	found([]conflict.DocID{"r3", "r1"})(v.OldRecords("c", 21, 2))
	found([]conflict.DocID{"r3"})(v.OldRecords("c", 20, plenty))
	found(nil)(v.OldRecords("d", 21, plenty))
	found(nil)(v.OldRecords("nobody", 21, plenty))
}

// "Ages returns, sorted by name, the collections that have former versions or
// records."
func testAges(b *rig) {
	ages := func(want ...node.Ages) {
		b.Helper()
		v := b.view()
		defer v.close()
		got, err := v.Ages()
		b.ok(err)
		if !slices.Equal(got, want) {
			b.Fatalf("ages %v, want %v", got, want)
		}
	}
	ages()
	b.write(versionOf(keyOf("live", "x"), dotOf(actorA, 1)))
	b.keep(dotOf(actorC, 9), 20, versionOf(keyOf("d", "x"), dotOf(actorB, 1)))
	b.keep(dotOf(actorC, 9), 10, versionOf(keyOf("d", "x"), dotOf(actorB, 2)))
	b.update(func(tx node.Tx) error { return tx.FileRecord("r", &node.Filing{Collection: "c", At: 7}) })
	b.update(func(tx node.Tx) error { return tx.FileRecord("s", &node.Filing{Collection: "d", At: 8}) })
	ages(node.Ages{Collection: "c", Record: 7}, node.Ages{Collection: "d", Former: 10, Record: 8})
	b.update(func(tx node.Tx) error { return tx.FileRecord("r", nil) })
	ages(node.Ages{Collection: "d", Former: 10, Record: 8})
}

// past draws a step that keeps or forgets something of the past.
func (p *pair) past() func(tx node.Tx) error {
	at := rapid.Int64Range(1, 30).Draw(p.T, "at")
	key := randomKeys.Draw(p.T, "key")
	switch rapid.IntRange(0, 3).Draw(p.T, "past") {
	case 0:
		limit := rapid.IntRange(0, 3).Draw(p.T, "limit")
		return func(tx node.Tx) error {
			_, err := tx.DropHistory(key.Collection, at, limit)
			return err
		}
	case 1:
		record := conflict.DocID(rapid.StringMatching(`[rs]`).Draw(p.T, "record"))
		under := &node.Filing{Collection: key.Collection, At: at, Siblings: []vclock.Dot{dotOf(randomActors.Draw(p.T, "actor"), 1), dotOf(actorA, 2)}}
		if rapid.IntRange(0, 3).Draw(p.T, "forgets") == 0 {
			under = nil
		}
		return func(tx node.Tx) error { return tx.FileRecord(record, under) }
	}
	covered := conflict.Siblings{versionOf(key, dotOf(randomActors.Draw(p.T, "actor"), rapid.Uint64Range(1, 9).Draw(p.T, "seq")))}
	by := dotOf(randomActors.Draw(p.T, "by"), rapid.Uint64Range(1, 9).Draw(p.T, "seq"))
	return func(tx node.Tx) error { return tx.Keep(covered, by, at) }
}

// askPast puts questions about the past.
func (p *pair) askPast(v node.View, key conflict.Key, list pastQuestion) []any {
	page, err := v.History(key, list.below, list.limit, list.maxBytes)
	p.ok(err)
	var formers []string
	for _, f := range page {
		formers = append(formers, fmt.Sprint(f.Row, f.By, f.At, describe(conflict.Siblings{f.Version})))
	}
	f, err := v.Former(list.dot)
	p.ok(err)
	if f != nil {
		formers = append(formers, fmt.Sprint(f.Row, f.By, f.At, describe(conflict.Siblings{f.Version})))
	}
	records, err := v.RecordsOf(list.dot, list.limit)
	p.ok(err)
	old, err := v.OldRecords(key.Collection, int64(list.below), list.limit)
	p.ok(err)
	ages, err := v.Ages()
	p.ok(err)
	return []any{formers, records, old, ages}
}

type pastQuestion struct {
	below           uint64
	limit, maxBytes int
	dot             vclock.Dot
}
