package node_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/nodetest"
	"github.com/syncline/syncline/vclock"
)

// "The session makes a read wait (Prefer: wait) until that node has caught up"
// (DESIGN 8); "else 503 behind" (API).
func TestAwait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		await := func(session string) error {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			return r.Await(ctx, contextOf(session))
		}
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		for _, s := range []string{"", "b~bbbbbbbb:2", "+b~bbbbbbbb:2", "b~bbbbbbbb:1+b~bbbbbbbb:3,c~cccccccc:7"} {
			start := time.Now()
			err := await(s)
			if s == "" {
				r.ok(err)
				continue
			}
			r.fails(err, node.Behind)
			if waited := time.Since(start); waited != time.Second {
				t.Errorf("%s: waited for %s", s, waited)
			}
			r.fails(r.Await(ended, contextOf(s)), node.Behind)
		}
		// A loose dot is held when its row is here; a vector only by the frontier.
		r.takeRows(row("alice", dot(actorB, 2), ""))
		r.ok(await("+b~bbbbbbbb:2"))
		r.ok(r.Await(ended, contextOf("+b~bbbbbbbb:2")))
		r.fails(await("b~bbbbbbbb:2"), node.Behind)
		r.fails(await("+b~bbbbbbbb:1"), node.Behind)
		r.takeClosed("b~bbbbbbbb:2")
		r.ok(await("b~bbbbbbbb:2"))
		r.ok(await("+b~bbbbbbbb:1"))
		r.fails(await("b~bbbbbbbb:3"), node.Behind)
	})
}

// "Read-your-writes anywhere": what wakes a waiting reader is the commit that it
// waits for, and no other.
func TestAwaitWakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		done := make(chan error, 1)
		go func() { done <- r.Await(context.Background(), contextOf("b~bbbbbbbb:2+c~cccccccc:3")) }()
		waits := func() {
			t.Helper()
			synctest.Wait()
			select {
			case err := <-done:
				t.Fatalf("it came back: %v", err)
			default:
			}
		}
		waits()
		r.takeClosed("b~bbbbbbbb:1")
		waits()
		r.takeRows(row("alice", dot(actorC, 2), ""))
		waits()
		r.takeRows(row("alice", dot(actorC, 3), ""))
		waits()
		r.takeClosed("b~bbbbbbbb:2")
		synctest.Wait()
		r.ok(<-done)
	})
}

// A write with a session waits for it as a read does, and a batch is refused
// whole when it does not come.
func TestWriteAwaitsItsSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		stop := r.start()
		defer func() { _ = stop() }()
		w := put("alice", `{}`)
		w.Session = contextOf("b~bbbbbbbb:1")
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, err := r.WriteAll(ctx, []node.Write{put("bob", `{}`), w}, false)
		r.fails(err, node.Behind)
		r.at("")
		done := make(chan error, 1)
		go func() { _, err := r.Write(context.Background(), w); done <- err }()
		synctest.Wait()
		_, err = r.Apply(t.Context(), node.Apply{Sender: actorB, Close: &node.Closing{Frontier: vector("b~bbbbbbbb:1")}})
		r.ok(err)
		r.ok(<-done)
		r.at("a~00000001:1,b~bbbbbbbb:1")
	})
}

// listAll reads a collection page by page.
func (r *rig) listAll(q node.ListQuery) (ids []string, pages int) {
	r.Helper()
	for {
		page, err := r.List(r.Context(), q)
		r.ok(err)
		pages++
		if limit := q.Limit; limit > 0 && len(page.Documents) > limit {
			r.Fatalf("a page of %d documents, limit %d", len(page.Documents), limit)
		}
		for _, d := range page.Documents {
			ids = append(ids, string(d.Key.ID))
		}
		if page.Next == "" {
			return ids, pages
		}
		if len(page.Documents) == 0 {
			r.Fatal("an empty page with a next one")
		}
		q.Cursor = page.Next
	}
}

// "Lists: ?limit=&cursor=&prefix=&conflicted=true" (API): every document that
// has a value, once, in the order of ids, whatever the size of the pages.
func TestList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRig(t)
		ids := rapid.SliceOfNDistinct(rapid.StringMatching(`[ab]{1,4}|é|a/b`), 0, 20, rapid.ID).Draw(t, "ids")
		prefix := rapid.SampledFrom([]string{"", "a", "ab", "é", "zz"}).Draw(t, "prefix")
		var values, conflicts []string
		for i, id := range ids {
			gone, split := rapid.IntRange(0, 3).Draw(t, "gone") == 0, rapid.IntRange(0, 3).Draw(t, "split") == 0
			r.write(put(id, `{"n":1}`))
			if gone {
				r.write(del(id))
			}
			if split {
				r.takeRows(row(id, dot(actorB, uint64(i+1)), "", at(-time.Hour))) // loses
			}
			if id[:min(len(id), len(prefix))] != prefix {
				continue
			}
			if !gone {
				values = append(values, id)
			}
			if split {
				conflicts = append(conflicts, id)
			}
		}
		r.write(node.Write{Kind: node.Put, Key: conflict.Key{Collection: "accountsx", ID: "a"}, Body: []byte("{}")})
		slices.Sort(values)
		slices.Sort(conflicts)
		limit := rapid.IntRange(0, 5).Draw(t, "limit")
		q := node.ListQuery{Collection: "accounts", Prefix: prefix, Limit: limit}
		if got, _ := r.listAll(q); !slices.Equal(got, values) {
			t.Fatalf("prefix %q, limit %d: %q, want %q", prefix, limit, got, values)
		}
		q.Conflicted = true
		if got, _ := r.listAll(q); !slices.Equal(got, conflicts) {
			t.Fatalf("conflicted, prefix %q, limit %d: %q, want %q", prefix, limit, got, conflicts)
		}
	})
}

// A list shows documents as they are read one by one.
func TestListShowsWhatGetShows(t *testing.T) {
	r := newRig(t)
	for i := range 5 {
		r.write(put(fmt.Sprint("id", i), fmt.Sprintf(`{"n":%d}`, i)))
	}
	r.takeClosed("b~bbbbbbbb:1", row("id3", dot(actorB, 1), ""))
	page, err := r.List(t.Context(), node.ListQuery{Collection: "accounts"})
	r.ok(err)
	if !page.Frontier.Equal(r.Frontier()) || len(page.Documents) != 5 {
		t.Fatalf("%d documents at %s", len(page.Documents), page.Frontier)
	}
	for _, d := range page.Documents {
		if want := r.get(string(d.Key.ID)); d.Tag != want.Tag || r.ContextToken(&d) != r.ContextToken(&want) || len(d.Live) != len(want.Live) {
			t.Errorf("%s: %+v, want %+v", d.Key, d, want)
		}
	}
}

// A page is bounded in documents and in bytes (HOUSE habit 7).
func TestListLimits(t *testing.T) {
	r := newRig(t)
	const each = 1 << 20
	for i := range node.MaxPageBytes/each + 3 {
		r.write(put(fmt.Sprintf("big%02d", i), body(each)))
	}
	ids, pages := r.listAll(node.ListQuery{Collection: "accounts"})
	if len(ids) != node.MaxPageBytes/each+3 || pages != 2 {
		t.Fatalf("%d documents on %d pages", len(ids), pages)
	}
	var rows []*conflict.Version
	for i := range node.MaxPage + 5 {
		rows = append(rows, row(fmt.Sprintf("small%04d", i), dot(actorB, uint64(i+1)), ""))
	}
	r.takeRows(rows...)
	page, err := r.List(t.Context(), node.ListQuery{Collection: "accounts", Prefix: "small", Limit: 1 << 30})
	r.ok(err)
	if len(page.Documents) != node.MaxPage || page.Next == "" {
		t.Fatalf("%d documents, next %q", len(page.Documents), page.Next)
	}
	for limit, want := range map[int]int{0: node.DefaultPage, -1: node.DefaultPage} {
		page, err = r.List(t.Context(), node.ListQuery{Collection: "accounts", Prefix: "small", Limit: limit})
		r.ok(err)
		if len(page.Documents) != want {
			t.Errorf("limit %d: %d documents", limit, len(page.Documents))
		}
	}
}

// A cursor goes on behind its document even when that is gone, and belongs to
// its collection and prefix.
func TestListCursor(t *testing.T) {
	r := newRig(t)
	for _, id := range []string{"a", "b", "c", "d"} {
		r.write(put(id, "{}"))
	}
	page, err := r.List(t.Context(), node.ListQuery{Collection: "accounts", Limit: 2})
	r.ok(err)
	r.write(del("b"))
	r.write(put("bb", "{}"))
	ids, _ := r.listAll(node.ListQuery{Collection: "accounts", Limit: 2, Cursor: page.Next})
	if !slices.Equal(ids, []string{"bb", "c", "d"}) {
		t.Fatalf("%q", ids)
	}
	for _, q := range []node.ListQuery{
		{Collection: "account", Cursor: page.Next},
		{Collection: "accounts", Prefix: "a", Cursor: page.Next},
		{Collection: "accounts", Cursor: page.Next + "A"},
		{Collection: "accounts", Cursor: r.Published().Session},
	} {
		_, err := r.List(t.Context(), q)
		r.fails(err, node.BadCursor)
	}
}

// "Each collection keeps an order-independent digest …, kept up in the write
// transaction: at equal frontiers two nodes' digests must be equal" (DESIGN 3,
// Integrity). The engine's counts are those of a recount.
func TestVerify(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRig(t)
		next := map[vclock.Actor]uint64{}
		t.Repeat(map[string]func(*rapid.T){
			"write": func(t *rapid.T) {
				id := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "id")
				w := put(id, fmt.Sprintf(`{"n":%d}`, r.Frontier().Get(r.Actor())))
				if rapid.Bool().Draw(t, "delete") {
					w = del(id)
				}
				if _, err := r.try(w); err != nil && node.KindOf(err) != node.NotFound && node.KindOf(err) != node.Deleted {
					t.Fatal(err)
				}
			},
			"apply": func(t *rapid.T) {
				a := rapid.SampledFrom([]vclock.Actor{actorB, actorC}).Draw(t, "actor")
				next[a]++
				v := row(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "id"), dot(a, next[a]), "")
				if rapid.Bool().Draw(t, "deleted") {
					v = row(string(v.Key.ID), v.Dot, "", grave)
				}
				r.takeRows(v)
			},
			"reopen": func(*rapid.T) { r.reopen(r.store.Reopen(0)) },
			"":       func(*rapid.T) { r.recount() },
		})
	})
}

// recount holds the counts that are kept against the documents.
func (r *rig) recount() {
	r.Helper()
	v, err := r.Verify(r.Context())
	r.ok(err)
	var want node.CollectionStat
	loose := 0
	for _, id := range []string{"a", "b", "c"} {
		d := r.get(id)
		for _, u := range d.Live {
			if !d.Frontier.Covers(u.Dot) {
				loose++
			}
		}
		want.Digest = want.Digest.XOR(d.Live.Digest())
		switch {
		case d.Live.Alive():
			want.Documents++
		case len(d.Live) > 0:
			want.Tombstones++
		}
		if len(d.Live) > 1 {
			want.Conflicts++
		}
	}
	if want.Documents+want.Tombstones > 0 {
		want.Name = "accounts"
		// Records of conflicts are beside it.
		v.Collections = slices.DeleteFunc(v.Collections, func(c node.CollectionStat) bool { return c.Name.IsSystem() })
		if !slices.Equal(v.Collections, []node.CollectionStat{want}) {
			r.Fatalf("%+v, a recount says %+v", v.Collections, want)
		}
	} else if len(v.Collections) != 0 {
		r.Fatalf("%+v of nothing", v.Collections)
	}
	if v.Loose != loose || !v.Frontier.Equal(r.Frontier()) {
		r.Fatalf("%d loose at %s, a recount says %d", v.Loose, v.Frontier, loose)
	}
}

// A read that the store refuses is an error with a kind, never a value.
func TestReadErrors(t *testing.T) {
	r := newRig(t)
	r.write(put("alice", "{}"))
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := r.Get(ended, key("alice"))
	r.fails(err, node.Busy)
	_, err = r.List(ended, node.ListQuery{Collection: "accounts"})
	r.fails(err, node.Busy)
	_, err = r.Verify(ended)
	r.fails(err, node.Busy)
	_, err = r.Changes(ended, node.ChangesQuery{})
	r.fails(err, node.Busy)
	r.ok(r.Close(t.Context()))
	_, err = r.Get(t.Context(), key("alice"))
	r.fails(err, node.Bug)
	cfg := r.cfg
	cfg.Store = nodetest.NewMemStore(nodetest.MemConfig{})
	if err := cfg.Store.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err = node.Open(t.Context(), cfg); err == nil || errors.Is(err, context.Canceled) {
		t.Fatalf("a closed store was opened: %v", err)
	}
}
