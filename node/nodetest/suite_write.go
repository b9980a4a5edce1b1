package nodetest

import (
	"context"
	"errors"
	"sync"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// "The zero Meta is that of a file that was just made."
func testNewFile(b *rig) {
	b.holds(keyOf("c", "nothing"))
	v := b.view()
	if v.Frontier().Len() != 0 || v.Time() != 0 {
		b.Fatalf("a new file has frontier %s and time %d", v.Frontier(), v.Time())
	}
	actors, err := v.Actors()
	b.ok(err)
	stats, err := v.Collections()
	b.ok(err)
	cursor, err := v.Cursor(actorA)
	b.ok(err)
	if len(actors)+len(stats)+cursor.Len()+len(v.rows(actorA, 0, plenty, plenty))+len(v.list(node.ListRange{Collection: "c", Limit: plenty, MaxBytes: plenty})) != 0 {
		b.Fatal("a new file is not empty")
	}
}

// "Write makes v live and takes the covered away."
func testDocument(b *rig) {
	key := keyOf("c", "one")
	first := versionOf(key, dotOf(actorA, 1))
	b.write(first)
	b.holds(key, first)
	second := versionOf(key, dotOf(actorA, 2), first)
	b.write(second, first)
	b.holds(key, second)
	gone := tombstoneOf(key, dotOf(actorB, 1), second)
	b.write(gone, second)
	b.holds(key, gone)
	b.holds(keyOf("c", "On"))
	b.holds(keyOf("d", "one"))
	// A covered row is no row any more.
	v := b.view()
	b.same("rows of a", v.rows(actorA, 0, plenty, plenty), nil)
	b.same("rows of b", v.rows(actorB, 0, plenty, plenty), conflict.Siblings{gone})
}

// "Siblings are the live versions of one document: an antichain, sorted by dot."
func testSiblings(b *rig) {
	key := keyOf("c", "contested")
	fromC, fromA, fromB := versionOf(key, dotOf(actorC, 1)), versionOf(key, dotOf(actorA, 10)), tombstoneOf(key, dotOf(actorB, 7))
	b.write(fromC)
	b.write(fromA)
	b.holds(key, fromA, fromC)
	b.write(fromB)
	b.holds(key, fromA, fromB, fromC)
	half := versionOf(key, dotOf(actorA, 11), fromA, fromC)
	b.write(half, fromA, fromC)
	b.holds(key, half, fromB)
	whole := versionOf(key, dotOf(actorB, 8), half, fromB)
	b.write(whole, fromB, half) // in any order
	b.holds(key, whole)
}

// "Write makes v live and takes the covered away; all are of one document":
// also when there was no look at the document before.
func testManyCovered(b *rig) {
	key, other := keyOf("c", "many"), keyOf("c", "other")
	var all conflict.Siblings
	for seq := range uint64(9) {
		v := versionOf(key, dotOf(actorA, seq+1))
		all = append(all, v)
		b.update(func(tx node.Tx) error { return tx.Write(v, nil) })
	}
	bystander := versionOf(other, dotOf(actorA, 100))
	b.write(bystander)
	b.holds(key, all...)
	one := versionOf(key, dotOf(actorA, 10), all[1:8]...)
	b.update(func(tx node.Tx) error { return tx.Write(one, all[1:8]) })
	b.holds(key, all[0], all[8], one)
	b.holds(other, bystander)
	v := b.view()
	b.same("rows", v.rows(actorA, 0, plenty, plenty), conflict.Siblings{all[0], all[8], one, bystander})
}

// "The bytes of the body are kept and served as they came" (DESIGN 3), and
// everything else that the checksum covers.
func testKept(b *rig) {
	key := keyOf("_system", "ü/%_\u2028'\"\\ 漢字")
	v := &conflict.Version{
		Key: key, Dot: dotOf(actorB, vclock.MaxSeq), Time: 1<<64 - 1,
		Clock: vclock.ContextOf(vclock.VectorOf(dotOf(actorA, 3), dotOf(actorC, vclock.MaxSeq)), dotOf(actorA, 9), dotOf(actorB, 2)),
		Body:  []byte("{\"n\": 1e0,  \"n2\":-0.10,\"s\":\"\\u0041\x00é\"}\n"),
	}
	v.Sum = v.ComputeSum()
	b.write(v)
	b.holds(key, v)
	r, err := b.store.Read(b.ctx(), key)
	b.ok(err)
	b.ok(r.Live[0].Check())
	b.same("rows", b.rows(actorB, vclock.MaxSeq-1, 1, plenty), conflict.Siblings{v})
	b.same("rows above the last", b.rows(actorB, vclock.MaxSeq, 1, plenty), nil)
}

// "Reads see its own writes."
func testOwnWrites(b *rig) {
	key := keyOf("c", "own")
	first, second, third := versionOf(key, dotOf(actorA, 1)), versionOf(key, dotOf(actorB, 1)), versionOf(key, dotOf(actorA, 2))
	last := versionOf(key, dotOf(actorA, 3), first, second, third)
	b.update(func(tx node.Tx) error {
		for i, step := range []struct {
			v       *conflict.Version
			covered conflict.Siblings
			live    conflict.Siblings
		}{
			{v: first, live: conflict.Siblings{first}},
			{v: second, live: conflict.Siblings{first, second}},
			{v: third, live: conflict.Siblings{first, third, second}},
			{v: last, covered: conflict.Siblings{second, first, third}, live: conflict.Siblings{last}},
		} {
			if err := tx.Write(step.v, step.covered); err != nil {
				return err
			}
			live, err := tx.Document(key)
			if err != nil {
				return err
			}
			b.same("after write "+string(rune('1'+i)), live, step.live)
		}
		return nil
	})
	b.holds(key, last)
}

// "When it returns … fn's own error, nothing of it is [durable]."
func testFailedUpdate(b *rig) {
	key := keyOf("c", "kept")
	kept := versionOf(key, dotOf(actorA, 1))
	b.write(kept)
	meta := node.Meta{Cluster: "k", Node: "a", Actor: actorA}
	err := b.store.Update(b.ctx(), func(tx node.Tx) error {
		v := versionOf(key, dotOf(actorB, 1), kept)
		if err := errors.Join(
			tx.Write(v, conflict.Siblings{kept}),
			tx.Write(versionOf(keyOf("new", "x"), dotOf(actorC, 1)), nil),
			tx.SetFrontier(vclock.VectorOf(dotOf(actorB, 1)), 99),
			tx.SetCollection(node.CollectionStat{Name: "new", Documents: 1}),
			tx.SetCursor(actorC, vclock.VectorOf(dotOf(actorC, 1))),
			tx.SetMeta(meta),
		); err != nil {
			return err
		}
		return errOwn
	})
	if !errors.Is(err, errOwn) {
		b.Fatalf("Update: %v, want the function's own error", err)
	}
	b.holds(key, kept)
	testEmptyBut(b, kept)
	b.panics(func(tx node.Tx) error {
		b.ok(tx.Write(versionOf(keyOf("new", "x"), dotOf(actorC, 1)), nil))
		panic("a broken invariant")
	})
	testEmptyBut(b, kept)
	// The names that were met in the failed one are as good as new.
	again := versionOf(keyOf("new", "x"), dotOf(actorC, 1))
	b.write(again)
	b.holds(again.Key, again)
	b.same("rows", b.rows(actorC, 0, plenty, plenty), conflict.Siblings{again})
}

// panics runs an Update whose function panics.
func (b *rig) panics(fn func(tx node.Tx) error) {
	b.Helper()
	defer func() {
		if recover() == nil {
			b.Error("Update swallowed a panic")
		}
	}()
	b.ok(b.store.Update(b.ctx(), fn))
}

// testEmptyBut says that the store has one version and nothing else.
func testEmptyBut(b *rig, kept *conflict.Version) {
	b.Helper()
	b.holds(keyOf("new", "x"))
	v := b.view()
	defer v.close()
	if v.Frontier().Len() != 0 || v.Time() != 0 {
		b.Fatalf("frontier %s and time %d are left", v.Frontier(), v.Time())
	}
	actors, err := v.Actors()
	b.ok(err)
	stats, err := v.Collections()
	b.ok(err)
	cursor, err := v.Cursor(actorC)
	b.ok(err)
	meta, err := b.store.Meta(b.ctx())
	b.ok(err)
	if len(actors) != 1 || len(stats) != 0 || cursor.Len() != 0 || meta.Cluster != "" {
		b.Fatalf("left behind: actors %v, collections %v, cursor %s, meta %+v", actors, stats, cursor, meta)
	}
	b.same("rows of a", v.rows(actorA, 0, plenty, plenty), conflict.Siblings{kept})
	b.same("rows of b", v.rows(actorB, 0, plenty, plenty), nil)
}

// "An Update does not heed the end of its context": a commit that is broken off
// would leave everybody in doubt. Questions do.
func testEndedContext(b *rig) {
	ctx, cancel := context.WithCancel(b.ctx())
	cancel()
	key := keyOf("c", "late")
	v := versionOf(key, dotOf(actorA, 1))
	b.ok(b.store.Update(ctx, func(tx node.Tx) error { return tx.Write(v, nil) }))
	b.holds(key, v)
	if _, err := b.store.Read(ctx, key); !errors.Is(err, context.Canceled) {
		b.Fatalf("Read: %v, want the context's error", err)
	}
	if _, err := b.store.View(ctx); !errors.Is(err, context.Canceled) {
		b.Fatalf("View: %v, want the context's error", err)
	}
	if err := b.store.Sync(ctx); !errors.Is(err, context.Canceled) {
		b.Fatalf("Sync: %v, want the context's error", err)
	}
	if _, err := b.store.Meta(ctx); !errors.Is(err, context.Canceled) {
		b.Fatalf("Meta: %v, want the context's error", err)
	}
}

// "An actor must never stamp one dot twice" (DESIGN 3), and what is covered
// must be live: a store that let such a write pass would hide a bug.
func testMisuse(b *rig) {
	key := keyOf("c", "x")
	v := versionOf(key, dotOf(actorA, 1))
	b.write(v)
	for name, fn := range map[string]func(tx node.Tx) error{
		"a dot twice": func(tx node.Tx) error { return tx.Write(versionOf(keyOf("c", "y"), v.Dot), nil) },
		"covering what is not live": func(tx node.Tx) error {
			return tx.Write(versionOf(key, dotOf(actorA, 2)), conflict.Siblings{versionOf(key, dotOf(actorB, 1))})
		},
		"covering another document": func(tx node.Tx) error {
			return tx.Write(versionOf(keyOf("c", "y"), dotOf(actorA, 2)), conflict.Siblings{v})
		},
	} {
		if err := b.store.Update(b.ctx(), fn); err == nil || node.KindOf(err) != node.Bug {
			b.Fatalf("%s: %v, want an error of kind bug", name, err)
		}
		b.holds(key, v)
		b.holds(keyOf("c", "y"))
	}
}

// "View opens a snapshot"; "Read returns one document and the frontier, from
// one snapshot."
func testIsolation(b *rig) {
	key := keyOf("c", "x")
	first := versionOf(key, dotOf(actorA, 1))
	b.write(first)
	before := b.view()
	second := versionOf(key, dotOf(actorA, 2), first)
	made := versionOf(keyOf("made", "y"), dotOf(actorB, 1))
	b.update(func(tx node.Tx) error {
		if err := errors.Join(
			tx.Write(second, conflict.Siblings{first}), tx.Write(made, nil),
			tx.SetFrontier(vclock.VectorOf(second.Dot), 7),
			tx.SetCollection(node.CollectionStat{Name: "made", Documents: 1}),
			tx.SetCursor(actorC, vclock.VectorOf(second.Dot)),
		); err != nil {
			return err
		}
		b.holds(key, first) // not before the commit
		during := b.view()
		defer during.close()
		b.same("rows during", during.rows(actorB, 0, plenty, plenty), nil)
		return nil
	})
	b.same("the old view", before.live(key), conflict.Siblings{first})
	b.same("the old view of the new collection", before.live(made.Key), nil)
	b.same("the old view's rows", before.rows(actorA, 0, plenty, plenty), conflict.Siblings{first})
	stats, err := before.Collections()
	b.ok(err)
	cursor, err := before.Cursor(actorC)
	b.ok(err)
	if before.Frontier().Len() != 0 || before.Time() != 0 || len(stats) != 0 || cursor.Len() != 0 {
		b.Fatalf("the old view moved: frontier %s, time %d, collections %v, cursor %s", before.Frontier(), before.Time(), stats, cursor)
	}
	b.holds(key, second)
	b.holds(made.Key, made)
	after := b.view()
	if !after.Frontier().Equal(vclock.VectorOf(second.Dot)) || after.Time() != 7 {
		b.Fatalf("a new view has frontier %s and time %d", after.Frontier(), after.Time())
	}
}

// snapshotWrites is how many commits the readers of testSnapshots watch.
const snapshotWrites = 60

// "Clock and documents of one answer come from one SQLite snapshot" (DESIGN 8),
// while commits go on; and "who has read a commit is shown no state before it
// any more", whichever document is asked for, by Read or by a view.
func testSnapshots(b *rig) {
	hot, cold := keyOf("c", "hot"), keyOf("c", "cold") // each commit writes both, each second one moves the frontier
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			last := uint64(0)
			for turn := 0; ; turn++ {
				live, frontier, err := b.glance([]conflict.Key{hot, cold}[turn%2], turn%3 == 0)
				if err != nil {
					b.Error(err)
					return
				}
				n := uint64(0) // the number of the commit
				for _, v := range live {
					n += v.Dot.Seq
				}
				if n < last || frontier.Get(actorA) != n-n%2 || len(live) > 1 {
					b.Errorf("commit %d after %d: frontier %s with %v", n, last, frontier, describe(live))
					return
				}
				last = n
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	defer readers.Wait()
	defer close(done)
	var lastHot, lastCold conflict.Siblings
	for seq := range uint64(snapshotWrites) {
		v, w := versionOf(hot, dotOf(actorA, seq+1), lastHot...), versionOf(cold, dotOf(actorB, seq+1), lastCold...)
		b.update(func(tx node.Tx) error {
			err := errors.Join(tx.Write(v, lastHot), tx.Write(w, lastCold))
			if v.Dot.Seq%2 == 0 {
				err = errors.Join(err, tx.SetFrontier(vclock.VectorOf(v.Dot, w.Dot), v.Time))
			}
			return err
		})
		lastHot, lastCold = conflict.Siblings{v}, conflict.Siblings{w}
	}
}

// glance reads a document and its frontier, by Read or by a view.
func (b *rig) glance(key conflict.Key, byView bool) (conflict.Siblings, vclock.Vector, error) {
	if !byView {
		r, err := b.store.Read(b.ctx(), key)
		return r.Live, r.Frontier, err
	}
	v, err := b.store.View(b.ctx())
	if err != nil {
		return nil, vclock.Vector{}, err
	}
	live, err := v.Document(key)
	return live, v.Frontier(), errors.Join(err, v.Close())
}

// "Close ends the use of the file."
func testClosed(b *rig) {
	b.write(versionOf(keyOf("c", "x"), dotOf(actorA, 1)))
	b.ok(b.store.Sync(b.ctx()))
	b.ok(b.store.Close())
	_, readErr := b.store.Read(b.ctx(), keyOf("c", "x"))
	_, viewErr := b.store.View(b.ctx())
	_, metaErr := b.store.Meta(b.ctx())
	updateErr := b.store.Update(b.ctx(), func(node.Tx) error {
		b.Error("Update of a closed store ran its function")
		return nil
	})
	syncErr := b.store.Sync(b.ctx())
	for what, err := range map[string]error{"Read": readErr, "View": viewErr, "Meta": metaErr, "Update": updateErr, "Sync": syncErr} {
		if err == nil {
			b.Errorf("%s of a closed store succeeded", what)
		}
	}
	b.ok(b.store.Close()) // twice is no error
}
