package node_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
)

// page reads one page of the feed.
func (r *rig) page(since string, limit int) node.ChangesPage {
	r.Helper()
	p, err := r.Changes(r.Context(), node.ChangesQuery{Since: since, Limit: limit})
	r.ok(err)
	return p
}

func idsOf(p node.ChangesPage) (out []string) {
	for _, c := range p.Changes {
		out = append(out, string(c.Version.Key.ID))
	}
	return out
}

func (r *rig) tells(p node.ChangesPage, want ...string) {
	r.Helper()
	if got := idsOf(p); !slices.Equal(got, want) {
		r.Fatalf("the page tells %q, want %q", got, want)
	}
}

// "A feed of present state: one event for each live version not in the cursor,
// read from one snapshot; what was overwritten is skipped" (API, Changes).
func TestChangesTellThePresent(t *testing.T) {
	r := newRig(t)
	r.write(put("alice", `{"n":1}`))
	r.write(put("bob", `{"n":1}`))
	r.write(put("alice", `{"n":2}`))
	r.write(put("carol", `{}`))
	r.write(del("carol"))
	p := r.page("", 0)
	r.tells(p, "bob", "alice", "carol")
	if p.Checkpoint == "" || p.Next != p.Checkpoint {
		t.Fatalf("checkpoint %q, next %q", p.Checkpoint, p.Next)
	}
	alice, carol := p.Changes[1], p.Changes[2]
	if string(alice.Doc.Shown.Body) != `{"n":2}` || alice.Version.Dot.Seq != 3 || alice.Doc.Tag != r.get("alice").Tag || carol.Doc.Exists() || !carol.Doc.Shown.Deleted {
		t.Fatalf("%+v, %+v", alice, carol)
	}
	r.tells(r.page(p.Checkpoint, 0))
	r.write(put("bob", `{"n":2}`))
	r.tells(r.page(p.Checkpoint, 0), "bob")
}

// "A conflict that begins is an event with conflicts 2 or more" (API, Changes):
// each sibling is told, with what its document shows.
func TestChangesOfAConflict(t *testing.T) {
	r := newRig(t)
	r.write(put("alice", `{"n":1}`))
	since := r.page("", 0).Checkpoint
	r.takeClosed("b~bbbbbbbb:1", row("alice", dot(actorB, 1), "", at(time.Hour)))
	p := r.page(since, 0)
	r.tells(p, "alice")
	if d := p.Changes[0].Doc; d.Live.Conflicts() != 2 || string(d.Shown.Body) != `{"by":"b~bbbbbbbb:1"}` {
		t.Fatalf("%+v", d)
	}
	r.tells(r.page("", 0), "alice", "alice")
	r.write(put("alice", `{"n":2}`))
	if d := r.page(p.Checkpoint, 0).Changes[0].Doc; d.Live.Conflicts() != 0 {
		t.Fatalf("%+v", d)
	}
}

// "A cursor between two checkpoints goes on where it was made": every event has
// one, and from each of them the rest follows.
func TestCursorOfEachEvent(t *testing.T) {
	r := newRig(t)
	var want []string
	for i := range 7 {
		id := fmt.Sprint("id", i)
		if i%2 == 0 {
			r.write(put(id, "{}"))
		} else {
			r.takeClosed(fmt.Sprint("b~bbbbbbbb:", i), row(id, dot(actorB, uint64(i)), ""))
		}
		want = append(want, id)
	}
	all := r.page("", 0)
	if len(all.Changes) != len(want) {
		t.Fatalf("%q", idsOf(all))
	}
	for i, c := range all.Changes {
		rest := r.page(c.Cursor, 0)
		r.tells(rest, idsOf(all)[i+1:]...)
		if rest.Checkpoint != all.Checkpoint {
			t.Fatal("from a cursor the checkpoint is another one")
		}
	}
	for limit := 1; limit <= len(want)+1; limit++ {
		var got []string
		since := ""
		for {
			p := r.page(since, limit)
			got = append(got, idsOf(p)...)
			if p.Checkpoint != "" {
				break
			}
			if len(p.Changes) != limit {
				t.Fatalf("a page of %d events, limit %d", len(p.Changes), limit)
			}
			since = p.Next
		}
		if !slices.Equal(got, idsOf(all)) {
			t.Fatalf("by pages of %d: %q", limit, got)
		}
	}
}

// "A checkpoint is a frontier and valid on any node; a cursor between two
// checkpoints … on another node goes back to the checkpoint before: repeats,
// never gaps." (API, Changes)
func TestCursorAtAnotherNode(t *testing.T) {
	a := newRig(t)
	b := newRig(t, func(c *node.Config) { c.Node = "b" })
	a.write(put("alice", "{}"))
	base := a.page("", 0).Checkpoint
	for _, id := range []string{"bob", "carol", "dave"} {
		a.write(put(id, "{}"))
	}
	middle := a.page(base, 1).Next
	a.copyTo(b)
	b.tells(b.page(base, 0), "bob", "carol", "dave")
	b.tells(b.page(middle, 0), "bob", "carol", "dave")
	a.tells(a.page(middle, 0), "carol", "dave")
	b.tells(b.page(a.page(base, 0).Checkpoint, 0))
	// What b told counts at b alone.
	there := b.page(base, 1).Next
	a.tells(a.page(there, 0), "bob", "carol", "dave")
	b.tells(b.page(there, 0), "carol", "dave")
}

// copyTo carries all rows of a node to another, with their closing frame.
func (r *rig) copyTo(to *rig) {
	r.Helper()
	rows, frontier := r.rows(to.Frontier().Get)
	_, err := to.take(node.Apply{Sender: r.Actor(), Versions: rows, Close: &node.Closing{Frontier: frontier, Standing: r.Standing()}})
	r.ok(err)
}

// "A node that has less than the cursor waits, then 503 behind" (API, Changes).
func TestChangesWaitForTheCursor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newRig(t)
		b := newRig(t, func(c *node.Config) { c.Node = "b" })
		a.write(put("alice", "{}"))
		since := a.page("", 0).Checkpoint
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := b.Changes(ctx, node.ChangesQuery{Since: since})
		b.fails(err, node.Behind)
		b.fails(b.AwaitCursor(ctx, since), node.Behind)
		b.fails(b.AwaitCursor(ctx, "x"), node.BadCursor)
		done := make(chan error, 2)
		go func() { done <- b.AwaitCursor(context.Background(), since) }()
		go func() {
			_, err := b.Changes(context.Background(), node.ChangesQuery{Since: since})
			done <- err
		}()
		synctest.Wait()
		a.copyTo(b)
		b.ok(<-done)
		b.ok(<-done)
	})
}

// A cursor outlives its process, and a new life of the file goes on from the
// checkpoint.
func TestCursorAfterARestart(t *testing.T) {
	for _, full := range []bool{true, false} {
		r := newRig(t, func(c *node.Config) { c.Full = full })
		r.write(put("alice", "{}"))
		base := r.page("", 0).Checkpoint
		r.write(put("bob", "{}"))
		r.write(put("carol", "{}"))
		middle := r.page(base, 1).Next
		r.reopen(r.store.Reopen(0))
		if full {
			r.tells(r.page(middle, 0), "carol")
		} else {
			r.tells(r.page(middle, 0), "bob", "carol")
		}
	}
}

// "System collections only when named" (API, Changes); a filter leaves out
// events, never the progress.
func TestChangesFilter(t *testing.T) {
	r := newRig(t)
	in := func(collection, id string, seq uint64) *conflict.Version {
		return row(id, dot(actorB, seq), "", func(v *conflict.Version) { v.Key.Collection = conflict.Collection(collection) })
	}
	r.takeClosed("b~bbbbbbbb:4", in("accounts", "alice", 1), in("_conflicts", "x", 2), in("orders", "o1", 3), in("orders", "o2", 4))
	for collection, want := range map[conflict.Collection][]string{
		"": {"alice", "o1", "o2"}, "accounts": {"alice"}, "orders": {"o1", "o2"}, "_conflicts": {"x"}, "nothing": nil,
	} {
		for _, limit := range []int{0, 1} {
			var got []string
			q := node.ChangesQuery{Collection: collection, Limit: limit}
			for {
				p, err := r.Changes(t.Context(), q)
				r.ok(err)
				got = append(got, idsOf(p)...)
				if q.Since = p.Next; p.Checkpoint != "" {
					break
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("collection %q, limit %d: %q, want %q", collection, limit, got, want)
			}
			p, err := r.Changes(t.Context(), q)
			r.ok(err)
			r.tells(p)
		}
	}
}

// "A feed of a small collection among large ones answers in bounded time"
// (MaxScan): pages may be empty, and go on.
func TestChangesScanLimit(t *testing.T) {
	r := newRig(t)
	var rows []*conflict.Version
	const total = node.MaxScan + 10
	for i := range total {
		rows = append(rows, row("big", dot(actorB, uint64(i+1)), "", func(v *conflict.Version) {
			v.Key = conflict.Key{Collection: "big", ID: conflict.DocID(fmt.Sprint(i))}
		}))
	}
	last := row("alice", dot(actorB, total+1), "")
	r.takeClosed(fmt.Sprint("b~bbbbbbbb:", total+1), append(rows, last)...)
	q := node.ChangesQuery{Collection: "accounts"}
	p, err := r.Changes(t.Context(), q)
	r.ok(err)
	if len(p.Changes) != 0 || p.Checkpoint != "" || p.Next == "" {
		t.Fatalf("%d events, checkpoint %q", len(p.Changes), p.Checkpoint)
	}
	q.Since = p.Next
	p, err = r.Changes(t.Context(), q)
	r.ok(err)
	r.tells(p, "alice")
	if p.Checkpoint == "" {
		t.Fatal("no checkpoint at the end")
	}
}

// A page is bounded in events and in bytes (HOUSE habit 7).
func TestChangesLimits(t *testing.T) {
	r := newRig(t)
	const each = 1 << 20
	for i := range node.MaxPageBytes/each + 3 {
		r.write(put(fmt.Sprintf("big%02d", i), body(each)))
	}
	p := r.page("", node.MaxPage)
	if len(p.Changes) != node.MaxPageBytes/each || p.Checkpoint != "" {
		t.Fatalf("%d events of 1 MiB, checkpoint %q", len(p.Changes), p.Checkpoint)
	}
	if p = r.page(p.Next, 0); len(p.Changes) != 3 || p.Checkpoint == "" {
		t.Fatalf("%d events follow", len(p.Changes))
	}
	var rows []*conflict.Version
	for i := range node.MaxPage + 5 {
		rows = append(rows, row(fmt.Sprintf("small%04d", i), dot(actorB, uint64(i+1)), ""))
	}
	r.takeClosed(fmt.Sprint("b~bbbbbbbb:", node.MaxPage+5), rows...)
	for limit, want := range map[int]int{1 << 30: node.MaxPage, 0: node.DefaultPage, -5: node.DefaultPage} {
		if got := r.page(p.Next, limit); len(got.Changes) != want || got.Checkpoint != "" {
			t.Errorf("limit %d: %d events, checkpoint %q", limit, len(got.Changes), got.Checkpoint)
		}
	}
}

// "A cursor is … vector of finished rows; loose rows never move it" (PROTOCOL D4):
// rows beyond the frontier are told when their transfer has closed, once.
func TestLooseRowsAreToldWhenTheyClose(t *testing.T) {
	r := newRig(t)
	r.takeClosed("b~bbbbbbbb:1", row("alice", dot(actorB, 1), ""))
	r.takeRows(row("bob", dot(actorB, 3), ""), row("carol", dot(actorC, 1), ""))
	p := r.page("", 0)
	r.tells(p, "alice")
	r.takeClosed("b~bbbbbbbb:3")
	p = r.page(p.Next, 0)
	r.tells(p, "bob")
	r.takeClosed("c~cccccccc:1")
	p = r.page(p.Next, 0)
	r.tells(p, "carol")
	r.tells(r.page(p.Next, 0))
}

// One of the loose rows may have
// covered what the frontier claims, so at another node the frontier alone would
// leave a gap: meanwhile a checkpoint goes back there to the one before.
func TestCheckpointOverLooseRows(t *testing.T) {
	a := newRig(t)
	b := newRig(t, func(c *node.Config) { c.Node = "b" })
	a.write(put("alice", `{"n":1}`))
	a.write(put("bob", `{"n":1}`))
	a.copyTo(b)
	a.takeRows(row("alice", dot(actorC, 1), "a~00000001:1"))
	p := a.page("", 0)
	a.tells(p, "bob")
	if p.Checkpoint == "" {
		t.Fatal("a reader would think that there is more, and ask again at once")
	}
	a.tells(a.page(p.Checkpoint, 0))
	b.tells(b.page(p.Checkpoint, 0), "alice", "bob")
	a.takeClosed("c~cccccccc:1")
	p = a.page(p.Checkpoint, 0)
	a.tells(p, "alice")
	b.takeClosed("c~cccccccc:1", row("alice", dot(actorC, 1), "a~00000001:1"))
	b.tells(b.page(p.Checkpoint, 0))
}
