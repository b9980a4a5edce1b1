package sqlite

import (
	"context"
	"errors"
	"testing"

	"github.com/syncline/syncline/vclock"
)

// cached makes a cache that has seen one commit.
func cached(t *testing.T, limit int) *documents {
	t.Helper()
	d, err := newDocuments(limit)
	if err != nil {
		t.Fatal(err)
	}
	d.begin(vclock.VectorOf(vclock.Dot{Actor: actor, Seq: 1}))
	d.commit(nil)
	return d
}

// met is the n-th version of a document, as a reader finds it.
func met(key, n, size int) metDocument {
	var m metDocument
	m.add(versionOf(keyOf(key), n, size), int64(key))
	return m
}

// "Clock and documents of one answer come from one SQLite snapshot" (DESIGN 8):
// what a reader finds while a commit is under way may be newer than the frontier
// of the cache, and what it found before one may be older.
func TestCacheIsOneSnapshot(t *testing.T) {
	frontier := vclock.VectorOf(vclock.Dot{Actor: actor, Seq: 2})
	for name, c := range map[string]struct {
		between func(d *documents) // after the reader began, before it is done
		kept    bool
	}{
		"nothing happens":  {func(*documents) {}, true},
		"a commit begins":  {func(d *documents) { d.begin(frontier) }, false},
		"a commit ends":    {func(d *documents) { d.begin(frontier); d.commit(nil) }, false},
		"a commit fails":   {func(d *documents) { d.begin(frontier); d.abandon() }, true},
		"the store closes": {func(d *documents) { d.close() }, false},
	} {
		d := cached(t, 1<<20)
		since := d.now()
		c.between(d)
		d.keep(keyOf(1), met(1, 2, 10), since)
		if _, _, ok := d.read(keyOf(1)); ok != c.kept {
			t.Errorf("%s: kept %v, want %v", name, ok, c.kept)
		}
	}
	// A reader that began during a commit may have seen the file before it.
	d := cached(t, 1<<20)
	d.begin(frontier)
	since := d.now()
	d.commit(nil)
	d.keep(keyOf(1), met(1, 2, 10), since)
	if _, _, ok := d.read(keyOf(1)); ok {
		t.Error("what was read during a commit was kept")
	}
}

// "Who has read a commit is shown no state before it any more" (node.Store):
// what came from the file waits until the cache has the commit it is of.
func TestReadersWaitForTheCache(t *testing.T) {
	before, after := vclock.VectorOf(vclock.Dot{Actor: actor, Seq: 1}), vclock.VectorOf(vclock.Dot{Actor: actor, Seq: 2})
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		pending []vclock.Vector
		waits   bool
	}{
		"no commit is pending":                       {nil, false},
		"read before the commit":                     {[]vclock.Vector{after}, false},
		"read after it, or it moves no frontier":     {[]vclock.Vector{before}, true},
		"the commit is over, and another is pending": {[]vclock.Vector{before, after}, false},
	} {
		d := cached(t, 1<<20)
		for i, frontier := range c.pending {
			if i > 0 {
				d.commit(nil)
			}
			d.begin(frontier)
		}
		if err := d.level(ended, before); errors.Is(err, context.Canceled) != c.waits {
			t.Errorf("%s: %v, want that it waits: %v", name, err, c.waits)
		}
	}
	for name, end := range map[string]func(d *documents){
		"a commit": func(d *documents) { d.commit(nil) }, "none after all": (*documents).abandon, "the end": (*documents).close,
	} {
		d := cached(t, 1<<20)
		d.begin(after)
		done := make(chan error)
		go func() { done <- d.level(t.Context(), after) }()
		select {
		case err := <-done:
			t.Fatalf("%s: it did not wait: %v", name, err)
		default:
		}
		end(d)
		if err := <-done; err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// "Every queue … has a named limit" (HOUSE habit 7).
func TestCacheIsBounded(t *testing.T) {
	const limit = 100 << 10
	d := cached(t, limit)
	for i := range 1000 {
		d.keep(keyOf(i), met(i, 1, 1000), d.now())
		d.keep(keyOf(i), met(i, 1, 2000), d.now()) // the same one again
	}
	if d.size > limit || d.size < limit/2 {
		t.Fatalf("the cache has %d bytes, want about %d", d.size, limit)
	}
	total := 0
	for _, m := range d.lru.Values() {
		total += m.weight()
	}
	if total != d.size {
		t.Fatalf("the cache counts %d bytes and has %d", d.size, total)
	}
	if _, _, ok := d.read(keyOf(999)); !ok {
		t.Fatal("the newest document is not there")
	}
	if _, _, ok := d.read(keyOf(0)); ok {
		t.Fatal("the oldest document is still there")
	}
	d.keep(keyOf(999), met(999, 2, limit+1), d.now())
	if _, _, ok := d.read(keyOf(999)); ok {
		t.Fatal("a document above the limit is there, or its older value")
	}
	d.close()
	if d.size != 0 || d.lru.Len() != 0 {
		t.Fatalf("%d bytes are left after the end", d.size)
	}
}
