package replica_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/replica"
	"github.com/syncline/syncline/node/wire"
	"github.com/syncline/syncline/vclock"
)

// "Rows of a long catch-up are committed as they come, resumable by a cursor"
// (DESIGN 4): what went over before the break does not go over again.
func TestResume(t *testing.T) {
	for broken := range 8 {
		a, b := newMember(t, "a"), newMember(t, "b")
		a.puts("id", 12)
		s := connect(a, b, 2)
		for range broken {
			s.step()
		}
		s.stop()
		again := connect(a, b, 2)
		again.drain()
		again.stop()
		if got := len(s.rows) + len(again.rows); got != 12 || !equal(a, b) {
			t.Errorf("broken after %d frames: %d rows went over, %+v", broken, got, b.verify())
		}
		if cursor := cursorOf(b, a.Actor()); cursor.Len() != 0 {
			t.Errorf("the transfer has closed, and the cursor is %s", cursor)
		}
	}
}

func cursorOf(m *member, sender vclock.Actor) vclock.Vector {
	m.Helper()
	view, err := m.store.View(m.Context())
	m.ok(err)
	c, err := view.Cursor(sender)
	m.ok(err)
	m.ok(view.Close())
	return c
}

// The same when the receiver's process ends with the stream, again and again,
// and the sender writes on.
func TestResumeAfterRestarts(t *testing.T) {
	a, b := newMember(t, "a"), newMember(t, "b")
	a.puts("id", 20)
	rows := 0
	for i := 0; !equal(a, b); i++ {
		s := connect(a, b, 3)
		s.step()
		s.step()
		if i == 2 {
			a.put("id0", `{"n":2}`)
		}
		s.stop()
		rows += len(s.rows)
		b.reopen(0)
		if i > 10 {
			t.Fatalf("%+v after %d rows", b.verify(), rows)
		}
	}
	if rows > 21 {
		t.Fatalf("%d rows went over for 21", rows)
	}
}

// "A cursor is … bound to sender and the sender's actor" (PROTOCOL D4): another
// life of the sender, and another sender, begin anew.
func TestCursorIsBoundToTheSender(t *testing.T) {
	a, b, c := newMember(t, "a", func(c *node.Config) { c.Full = false }), newMember(t, "b"), newMember(t, "c")
	a.puts("id", 9)
	pull(a, c)
	s := connect(a, b, 2)
	s.step()
	s.step()
	s.stop()
	if got := cursorOf(b, a.Actor()).Get(a.Actor()); got != 4 {
		t.Fatalf("the cursor stands at %d", got)
	}
	from := connect(c, b, 0)
	f, _ := from.next()
	if len(f.Rows) != 9 {
		t.Fatalf("%d rows of another sender", len(f.Rows))
	}
	from.stop()
	a.reopen(0) // below FULL, not closed: a new actor
	if rows := pull(a, b); len(rows) != 9 || !equal(a, b) {
		t.Fatalf("%d rows of another life", len(rows))
	}
}

// The sender may begin another life between the hello, which names its actor, and
// the stream: a cursor of the life before counts at neither end.
func TestCursorOfAFormerLife(t *testing.T) {
	a, b := newMember(t, "a", func(c *node.Config) { c.Full = false }), newMember(t, "b")
	a.puts("id", 9)
	s := connect(a, b, 2)
	s.step()
	s.step()
	s.stop()
	puller := replica.NewPuller(replica.PullerConfig{Cluster: cluster, Self: "b", From: "a", Actor: b.Actor(), Store: b.store, Table: b.table})
	req, err := puller.Request(t.Context(), a.Actor())
	if err != nil || req.Cursor.Get(a.Actor()) != 4 {
		t.Fatalf("%+v, %v", req, err)
	}
	a.reopen(0)
	s = &stream{from: a, to: b, puller: puller, source: replica.NewSource(replica.SourceConfig{
		Self: "a", Actor: a.Actor(), Store: a.store, Table: a.table, Standing: a.Standing, Disorder: a.Disorder, Rows: 2,
	}, req)}
	s.step()
	s.stop()
	if got := cursorOf(b, a.Actor()).Get("a~00000001"); got != 2 {
		t.Fatalf("after a frame of 2 rows the cursor of the new life stands at %d", got)
	}
	pull(a, b)
	if !equal(a, b) {
		t.Fatalf("%+v", b.verify())
	}
}

// A resumed transfer forgets its cursor once, with its closing frame: what
// follows it is as silent as ever.
func TestResumedStreamFallsSilent(t *testing.T) {
	a, b := newMember(t, "a"), newMember(t, "b")
	a.puts("id", 5)
	s := connect(a, b, 2)
	s.step()
	s.stop()
	s = connect(a, b, 2)
	s.drain()
	bell := b.Feed().Bell()
	for range 3 {
		s.now += replica.Heartbeat
		if !s.step() {
			t.Fatal("no heartbeat")
		}
	}
	select {
	case <-bell:
		t.Fatal("an empty closing frame was a commit")
	default:
	}
	s.stop()
}

// "A vector of finished rows capped at the frontier of the snapshot that they
// came from; loose rows never move it" (PROTOCOL D4). Else what covers the rows
// before it would never be sent.
func TestCursorIsCapped(t *testing.T) {
	a, b := newMember(t, "a"), newMember(t, "b")
	a.puts("id", 2)
	a.hold(row("x5", dot(actorX, 5), ""), row("x9", dot(actorX, 9), ""))
	s := connect(a, b, 1)
	for range 3 { // a:1, a:2, x:5
		s.step()
	}
	s.stop()
	if got := cursorOf(b, a.Actor()).String(); got != "a~00000001:2" {
		t.Fatalf("the cursor is %s", got)
	}
	// x:3 comes to a late, and with x's closing frame it is no longer loose.
	a.hold(row("x3", dot(actorX, 3), ""))
	a.ok(a.apply("x", &node.Apply{Sender: actorX, Close: &node.Closing{Frontier: vector("x~xxxxxxxx:9")}}, nil))
	pull(a, b)
	if !equal(a, b) || len(b.live("x3")) != 1 {
		t.Fatalf("%+v and %+v", a.verify(), b.verify())
	}
}

// "One refused, damaged or missing row voids it, for all actors" (PROTOCOL D4):
// a row that the engine refuses leaves the frontier where it was, and the next
// stream begins anew.
func TestVoidedTransfer(t *testing.T) {
	a, b := newMember(t, "a"), newMember(t, "b")
	a.puts("id", 3)
	reused := row("id1", dot(a.Actor(), 2), "") // the dot of another write
	b.hold(reused)
	for range 2 {
		s := connect(a, b, 0)
		f, _ := s.next()
		if err := s.deliver(f); node.KindOf(err) != node.Corrupt {
			t.Fatal(err)
		}
		s.stop()
		if v := b.verify(); v.Frontier.Len() != 0 {
			t.Fatalf("the frontier went to %s", v.Frontier)
		}
		if _, ok := b.table.Frontier("a"); ok {
			t.Fatal("a void transfer counts in the table")
		}
	}
}

// "An idle cluster sends no data" (DESIGN 4); "a closing frame without rows is
// sent at most every 20 ms; after 5 s of silence the sender sends an empty one"
// (PROTOCOL D4).
func TestSilence(t *testing.T) {
	a, b := newMember(t, "a"), newMember(t, "b")
	a.puts("id", 1)
	ab, ba := connect(a, b, 0), connect(b, a, 0)
	tick := func(by time.Duration) {
		ab.now, ba.now = ab.now+by, ba.now+by
		ab.drain()
		ba.drain()
	}
	for range 5 {
		tick(replica.EmptyEvery)
	}
	began, frames := ab.now, ab.frames+ba.frames
	const idle = time.Minute
	for ab.now < began+idle {
		tick(10 * time.Millisecond)
	}
	if got, want := ab.frames+ba.frames-frames, 2*int(idle/replica.Heartbeat); got > want || got < want-2 {
		t.Fatalf("%d frames in a minute of silence, want %d", got, want)
	}
	if len(ab.rows) != 1 || len(ba.rows) != 0 {
		t.Fatalf("%v and %v went over", ab.rows, ba.rows)
	}
	ab.stop()
	ba.stop()
}

// The waits that a sender asks for are those of the two rules, and a write does
// not wait for either.
func TestHoldBack(t *testing.T) {
	a, b := newMember(t, "a"), newMember(t, "b")
	s := connect(a, b, 0)
	if !s.step() {
		t.Fatal("a stream begins with a frame at once: that is how the receiver knows that it is there")
	}
	if f, wait := s.next(); f != nil || wait != replica.Heartbeat {
		t.Fatalf("%+v, wait %s", f, wait)
	}
	s.now += replica.Heartbeat - 1
	if f, wait := s.next(); f != nil || wait != 1 {
		t.Fatalf("%+v, wait %s", f, wait)
	}
	a.put("alice", `{}`)
	if !s.step() || len(s.rows) != 1 {
		t.Fatal("a write waits")
	}
	// The next one does, for a moment, so that several make one transfer.
	sent := s.now
	s.now += time.Millisecond
	a.put("alice", `{}`)
	a.put("bob", `{}`)
	if f, wait := s.next(); f != nil || wait != replica.TransferEvery-time.Millisecond {
		t.Fatalf("%+v, wait %s", f, wait)
	}
	s.now = sent + replica.TransferEvery
	if !s.step() || len(s.rows) != 3 {
		t.Fatalf("%v went over", s.rows)
	}
	s.now += replica.TransferEvery
	// News without rows: a frontier that moved by what the receiver has told.
	a.ok(a.apply("x", &node.Apply{Sender: actorX, Close: &node.Closing{Frontier: vector("x~xxxxxxxx:1")}}, nil))
	if f, wait := s.next(); f != nil || wait != replica.EmptyEvery-replica.TransferEvery {
		t.Fatalf("%+v, wait %s", f, wait)
	}
	s.now += replica.EmptyEvery
	if f, _ := s.next(); f == nil || len(f.Rows) != 0 || f.Close == nil || f.Close.Frontier.Get(actorX) != 1 {
		t.Fatalf("%+v", f)
	}
	// News of the table (PROTOCOL D7).
	a.table.Applied("c", &wire.Close{Actor: "c~cccccccc", Frontier: vector("x~xxxxxxxx:1"), Standing: "good"})
	s.now += replica.EmptyEvery
	if f, _ := s.next(); f == nil || f.Close == nil || f.Close.Known["c"].Actor != "c~cccccccc" {
		t.Fatalf("%+v", f)
	}
	s.now += replica.EmptyEvery
	if f, _ := s.next(); f != nil {
		t.Fatalf("the same news again: %+v", f)
	}
	s.stop()
}

// What a closing frame says of others and of its sender rests on its snapshot:
// a node must not learn that a third one has what it lacks itself (PROTOCOL D7:
// a frontier "that N's own frontier covers").
func TestClosingFrameRestsOnItsSnapshot(t *testing.T) {
	a, b, c := newMember(t, "a", func(c *node.Config) { c.Found, c.Others = false, []string{"b", "c"} }), newMember(t, "b"), newMember(t, "c")
	c.puts("c", 4)
	s := connect(a, b, 1)
	a.hold(row("x1", dot(actorX, 1), ""), row("x2", dot(actorX, 2), ""), row("x3", dot(actorX, 3), ""))
	s.step()
	pull(c, a) // while the transfer is under way, a learns of c and becomes good
	if a.Standing() != node.StandingGood {
		t.Fatal(a.Standing())
	}
	for {
		f, _ := s.next()
		if f.Close == nil {
			b.ok(s.deliver(f))
			continue
		}
		if f.Close.Frontier.Len() != 0 || f.Close.Standing != string(node.StandingNew) {
			t.Fatalf("%+v", f.Close)
		}
		for name, k := range f.Close.Known {
			if !f.Close.Frontier.Dominates(k.Frontier) {
				t.Fatalf("the frame closes at %s, and says that %s has %s", f.Close.Frontier, name, k.Frontier)
			}
		}
		break
	}
	s.stop()
}

// A frame is bounded in bytes, whatever its rows are made of: clocks and ids
// too. A longer one would be refused, again and again.
func TestFramesAreBounded(t *testing.T) {
	a, b := newMember(t, "a"), newMember(t, "b")
	var clock vclock.Vector
	for i := range 1500 {
		clock = clock.With(dot(vclock.Actor(fmt.Sprintf("node-%04d~%08d", i, i)), uint64(i+1)))
	}
	var rows []*conflict.Version
	for i := range 1000 {
		v := row(fmt.Sprint(strings.Repeat("i", 500), i), dot(actorX, uint64(i+1)), "")
		v.Clock = vclock.ContextOf(clock)
		v.Sum = v.ComputeSum()
		rows = append(rows, v)
	}
	a.hold(rows...)
	s := connect(a, b, 0)
	for {
		f, _ := s.next()
		size := 0
		for i := range f.Rows {
			size += len(f.Rows[i].Clock) + len(f.Rows[i].ID) + len(f.Rows[i].Body)
		}
		if size > 2*wire.FrameBytes {
			t.Fatalf("a frame of %d rows has %d bytes", len(f.Rows), size)
		}
		b.ok(s.deliver(f))
		if f.Close != nil {
			break
		}
	}
	s.stop()
	if got := b.verify().Loose; got != 1000 {
		t.Fatalf("%d rows arrived", got)
	}
}

// A body of the longest kind travels in a frame with its neighbours.
func TestLongBodies(t *testing.T) {
	a, b := newMember(t, "a"), newMember(t, "b")
	long := row("long", dot(actorX, 2), "")
	long.Body = []byte(`{"n":"` + strings.Repeat("x", node.MaxBody-8) + `"}`)
	long.Sum = long.ComputeSum()
	a.hold(row("x1", dot(actorX, 1), ""), long, row("x3", dot(actorX, 3), ""))
	rows := pull(a, b)
	if !slices.Equal(rows, []string{"x~xxxxxxxx:1", "x~xxxxxxxx:2", "x~xxxxxxxx:3"}) {
		t.Fatal(rows)
	}
}

// A stream that fails gives its snapshot back, and a closed one too: "the caller
// closes it, soon" (node.Store).
func TestSourceGivesItsSnapshotBack(t *testing.T) {
	a, b := newMember(t, "a"), newMember(t, "b")
	a.puts("id", 3)
	counting := &countingStore{Store: a.store}
	source := func() *replica.Source {
		return replica.NewSource(replica.SourceConfig{
			Self: "a", Actor: a.Actor(), Store: counting, Table: a.table, Standing: a.Standing, Disorder: a.Disorder, Rows: 1,
		}, &wire.ChangesRequest{Wire: wire.Version, Cluster: cluster, Node: "b", Actor: string(b.Actor())})
	}
	s := source()
	for range 3 {
		if _, _, err := s.Next(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
	}
	if counting.open != 1 {
		t.Fatalf("%d snapshots in the middle of a transfer", counting.open)
	}
	for range 3 {
		if _, _, err := s.Next(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
	}
	if counting.open != 0 {
		t.Fatalf("%d snapshots of a source that waits", counting.open)
	}
	s = source()
	if _, _, err := s.Next(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Close(); err != nil || counting.open != 0 {
			t.Fatalf("%v, %d snapshots of a closed source", err, counting.open)
		}
	}
	counting.fail = true
	s = source()
	if _, _, err := s.Next(t.Context(), 0); err == nil || counting.open != 0 {
		t.Fatalf("%v, %d snapshots of a source that failed", err, counting.open)
	}
	a.ok(a.store.Close())
	if _, _, err := source().Next(t.Context(), 0); err == nil {
		t.Fatal("a closed store was read")
	}
}
