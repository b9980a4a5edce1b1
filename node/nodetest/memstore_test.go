package nodetest

import (
	"errors"
	"testing"

	"github.com/syncline/syncline/node"
)

// "One conformance suite per port: MemStore and SQLite pass the same one"
// (HOUSE habit 13).
func TestMemStore(t *testing.T) {
	for name, cfg := range map[string]MemConfig{"full": {Full: true}, "below full": {}} {
		t.Run(name, func(t *testing.T) {
			StoreSuite(t, func(*testing.T) node.Store { return NewMemStore(cfg) })
		})
	}
}

// writeOne commits the n-th version of a document that has n-1 others.
func writeOne(b *rig, n uint64) {
	b.Helper()
	b.write(versionOf(keyOf("c", "x"), dotOf(actorA, n)))
}

// "Restarts, crashes that lose unsynced tails" (issue 3), and with FULL none.
func TestReopenLosesTheTail(t *testing.T) {
	for _, c := range []struct {
		full         bool
		writes, lose int
		want         int
	}{
		{true, 5, 3, 5},
		{false, 5, 0, 5},
		{false, 5, 3, 2},
		{false, 5, 9, 0},
		{false, KeptStates + 5, KeptStates + 5, 5},
	} {
		b := newRig(t, func(*testing.T) node.Store { return NewMemStore(MemConfig{Full: c.full}) })
		for n := range c.writes {
			writeOne(b, uint64(n+1))
		}
		old := b.store.(*MemStore)
		before := b.view()
		b.store = old.Reopen(c.lose)
		r, err := b.store.Read(b.ctx(), keyOf("c", "x"))
		b.ok(err)
		if len(r.Live) != c.want {
			t.Errorf("full=%v: %d of %d writes are left after losing %d, want %d", c.full, len(r.Live), c.writes, c.lose, c.want)
		}
		if err := old.Update(b.ctx(), func(node.Tx) error { return nil }); err == nil {
			t.Error("the process that crashed still writes")
		}
		if n := len(before.live(keyOf("c", "x"))); n != c.writes {
			t.Errorf("a view from before the crash shows %d of %d", n, c.writes)
		}
		writeOne(b, uint64(c.want+1)) // what was lost may be written anew
	}
}

// "Sync returns when all that was committed is durable, also in a store that
// does not sync each commit."
func TestSyncKeepsTheTail(t *testing.T) {
	b := newRig(t, func(*testing.T) node.Store { return NewMemStore(MemConfig{}) })
	writeOne(b, 1)
	writeOne(b, 2)
	b.ok(b.store.Sync(b.ctx()))
	writeOne(b, 3)
	b.store = b.store.(*MemStore).Reopen(KeptStates)
	r, err := b.store.Read(b.ctx(), keyOf("c", "x"))
	b.ok(err)
	if len(r.Live) != 2 {
		t.Fatalf("%d writes are left, want the two before the sync", len(r.Live))
	}
}

// A file that was closed in good order loses nothing (DESIGN 12).
func TestReopenAfterClose(t *testing.T) {
	b := newRig(t, func(*testing.T) node.Store { return NewMemStore(MemConfig{}) })
	writeOne(b, 1)
	b.ok(b.store.Close())
	b.store = b.store.(*MemStore).Reopen(1)
	b.holds(keyOf("c", "x"), versionOf(keyOf("c", "x"), dotOf(actorA, 1)))
}

// "When it returns an error of kind DiskFull … nothing of it is; any other
// error means that nobody knows, and the process must end."
func TestFailNext(t *testing.T) {
	key := keyOf("c", "x")
	for _, c := range []struct {
		err     error
		applied bool
		live    int  // after a restart
		usable  bool // before it
	}{
		{&node.Error{Op: "commit", Kind: node.DiskFull}, true, 0, true},
		{errors.New("fsync: input/output error"), false, 0, false},
		{errors.New("fsync: input/output error"), true, 1, false},
	} {
		b := newRig(t, func(*testing.T) node.Store { return NewMemStore(MemConfig{Full: true}) })
		m := b.store.(*MemStore)
		m.FailNext(c.err, c.applied)
		one := func(tx node.Tx) error { return tx.Write(versionOf(key, dotOf(actorA, 1)), nil) }
		if err := m.Update(b.ctx(), one); !errors.Is(err, c.err) {
			t.Fatalf("Update: %v, want %v", err, c.err)
		}
		if err := m.Update(b.ctx(), func(node.Tx) error { return nil }); (err == nil) != c.usable {
			t.Errorf("after %v: %v, want usable=%v", c.err, err, c.usable)
		}
		b.store = m.Reopen(0)
		r, err := b.store.Read(b.ctx(), key)
		b.ok(err)
		if len(r.Live) != c.live {
			t.Errorf("after %v, applied=%v: %d live, want %d", c.err, c.applied, len(r.Live), c.live)
		}
	}
}
