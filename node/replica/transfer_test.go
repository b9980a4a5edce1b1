package replica_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/replica"
	"github.com/syncline/syncline/node/wire"
	"github.com/syncline/syncline/vclock"
)

// "Versions per actor in order of sequence out of one read snapshot, then a
// closing frame that carries the sender's frontier at that snapshot." (DESIGN 4)
func TestTransfer(t *testing.T) {
	a, b := newMember(t, "a"), newMember(t, "b")
	a.puts("id", 5)
	a.put("id0", `{"n":2}`) // a:1 is gone
	s := connect(a, b, 0)
	if f, _ := s.next(); f == nil || f.Begin == nil || f.Close == nil || len(f.Rows) != 5 || f.Rows[0].Seq != 2 || f.Rows[4].Seq != 6 || f.Close.Standing != "good" {
		t.Fatalf("%+v", f)
	} else if err := s.deliver(f); err != nil {
		t.Fatal(err)
	}
	if !equal(a, b) {
		t.Fatalf("%+v and %+v", a.verify(), b.verify())
	}
	if f, wait := s.next(); f != nil || wait <= 0 {
		t.Fatalf("%+v, wait %s", f, wait)
	}
	// "Then it waits for the next commit and sends what is new."
	d := a.put("id1", `{"n":3}`)
	s.drain()
	if got := s.rows[5:]; !slices.Equal(got, []string{d.String()}) || !equal(a, b) {
		t.Fatalf("%v went over", got)
	}
	s.stop()
}

// "The frontier moves only with a closing frame all of whose rows were applied";
// "rows of a long catch-up are committed as they come, … but they are loose and
// claim nothing" (DESIGN 4).
func TestFrontierWaitsForTheClose(t *testing.T) {
	a, b := newMember(t, "a"), newMember(t, "b")
	a.puts("id", 7)
	s := connect(a, b, 2)
	for i := range 3 {
		if !s.step() {
			t.Fatal("no frame")
		}
		if v := b.verify(); v.Frontier.Len() != 0 || v.Loose != 2*(i+1) {
			t.Fatalf("after %d frames: %+v", i+1, v)
		}
	}
	s.drain()
	if !equal(a, b) || s.frames != 4 {
		t.Fatalf("after %d frames: %+v", s.frames, b.verify())
	}
	s.stop()
}

// The same when the last row fills its frame: the closing frame has no rows, and
// must not wait as an empty one does.
func TestCloseAfterAFullFrame(t *testing.T) {
	a, b := newMember(t, "a"), newMember(t, "b")
	s := connect(a, b, 2)
	s.drain() // an empty transfer
	a.puts("id", 4)
	s.drain()
	if !equal(a, b) {
		t.Fatalf("%+v", b.verify())
	}
	s.stop()
}

// A transfer tells one snapshot: what is written meanwhile comes with the next,
// and its closing frame does not claim it.
func TestTransferIsOneSnapshot(t *testing.T) {
	a, b := newMember(t, "a"), newMember(t, "b")
	a.puts("id", 4)
	s := connect(a, b, 2)
	s.step()
	a.put("id3", `{"n":2}`)
	a.puts("new", 1)
	for b.Frontier().Len() == 0 {
		s.step()
	}
	if got := b.Frontier().String(); got != "a~00000001:4" || slices.Contains(s.rows, "a~00000001:5") {
		t.Fatalf("%s after %v", got, s.rows)
	}
	s.drain()
	if !equal(a, b) {
		t.Fatalf("%+v", b.verify())
	}
	s.stop()
}

// "Loose ones too" (PROTOCOL D4): what a node holds beyond its frontier is
// relayed, and stays loose; one of them may have covered what the frontier claims.
func TestLooseRowsAreRelayed(t *testing.T) {
	a, b := newMember(t, "a"), newMember(t, "b")
	first := a.put("alice", `{"n":1}`)
	a.hold(row("alice", dot(actorX, 7), first.String()), row("bob", dot(actorY, 3), ""))
	s := connect(a, b, 1)
	s.drain()
	if got := b.verify(); got.Loose != 2 || !got.Frontier.Equal(a.Frontier()) {
		t.Fatalf("%+v", got)
	}
	if live := b.live("alice"); len(live) != 1 || live[0].Dot.Actor != actorX {
		t.Fatalf("%v", live)
	}
	sent := len(s.rows)
	// They go out once on a stream, and again when they have become part of the
	// frontier: only then may the receiver count on them.
	a.put("carol", `{}`)
	s.drain()
	if got := s.rows[sent:]; len(got) != 1 {
		t.Fatalf("%v went over for one new write", got)
	}
	a.hold(row("dave", dot(actorY, 9), ""))
	s.drain()
	if got := s.rows[sent+1:]; !slices.Equal(got, []string{"y~yyyyyyyy:9"}) {
		t.Fatalf("%v went over for one new loose row", got)
	}
	a.ok(a.apply("x", &node.Apply{Sender: actorX, Close: &node.Closing{Frontier: vector("x~xxxxxxxx:7,y~yyyyyyyy:9")}}, nil))
	s.drain()
	if !equal(a, b) {
		t.Fatalf("%+v and %+v", a.verify(), b.verify())
	}
	s.stop()
}

// A loose row that arrives after a later one of its actor is relayed too, before
// a closing frame claims what it covered: whatever happens between the two, and
// whenever the source looks.
func TestLooseRowsOutOfOrder(t *testing.T) {
	for _, moment := range []string{"between", "restart", "during", "after"} {
		t.Run(moment, func(t *testing.T) {
			a, b := newMember(t, "a"), newMember(t, "b")
			hooked := &hookedStore{Store: a.store}
			a.open(hooked)
			a.hold(row("zoe", dot(actorX, 10), ""))
			if moment == "restart" {
				a.open(hooked)
			}
			s := connect(a, b, 0)
			s.drain()
			look := func() {
				s.now += replica.Heartbeat
				s.drain()
				if b.Frontier().Covers(dot(actorY, 1)) && len(b.live("alice")) == 0 {
					t.Fatal("y:1 lies in the frontier, and nothing that covers it is here")
				}
			}
			switch moment {
			case "during":
				hooked.during = look
			case "after":
				hooked.after = look
			}
			// From another node: y:1 enters a's frontier, covered by x:7, which is loose.
			a.ok(a.apply("y", &node.Apply{
				Sender: actorY, Versions: []*conflict.Version{row("alice", dot(actorX, 7), "y~yyyyyyyy:1")},
				Close: &node.Closing{Frontier: vector("y~yyyyyyyy:1")},
			}, nil))
			hooked.during, hooked.after = nil, nil
			look()
			if !b.Frontier().Covers(dot(actorY, 1)) {
				t.Fatalf("the frontier is %s", b.Frontier())
			}
			s.stop()
		})
	}
}

// A loose row goes out once on a stream, also when others of its actor become
// part of the frontier below it.
func TestLooseRowsAreSentOnce(t *testing.T) {
	a, b := newMember(t, "a"), newMember(t, "b")
	a.hold(row("x2", dot(actorX, 2), ""), row("x7", dot(actorX, 7), ""))
	s := connect(a, b, 0)
	s.drain()
	a.ok(a.apply("x", &node.Apply{Sender: actorX, Close: &node.Closing{Frontier: vector("x~xxxxxxxx:3")}}, nil))
	s.now += replica.EmptyEvery
	s.drain()
	if want := []string{"x~xxxxxxxx:2", "x~xxxxxxxx:7", "x~xxxxxxxx:2"}; !slices.Equal(s.rows, want) {
		t.Fatalf("%v went over, want %v", s.rows, want)
	}
	s.stop()
}

// "Changes travel through third nodes: A – C – B keeps A and B in step while
// A – B is cut." (DESIGN 4; FAILURES 11)
func TestRelay(t *testing.T) {
	a, b, c := newMember(t, "a"), newMember(t, "b"), newMember(t, "c")
	ac, cb, bc, ca := connect(a, c, 2), connect(c, b, 2), connect(b, c, 2), connect(c, a, 2)
	for i := range 20 {
		a.put(fmt.Sprint("id", i%5), fmt.Sprintf(`{"a":%d}`, i))
		b.put(fmt.Sprint("id", i%7), fmt.Sprintf(`{"b":%d}`, i))
		for _, s := range []*stream{ac, bc, cb, ca}[i%4:] {
			s.step()
		}
	}
	for range 3 {
		for _, s := range []*stream{ac, bc, cb, ca} {
			s.drain()
			s.now += replica.EmptyEvery
		}
	}
	if !equal(a, b) || !equal(b, c) {
		t.Fatalf("%+v, %+v, %+v", a.verify(), b.verify(), c.verify())
	}
	for _, s := range []*stream{ac, cb, bc, ca} {
		s.stop()
	}
}

// "Without it 41 % of the rows come back as echoes" (PROTOCOL D4): what a node
// was sent is not sent back to its sender, in one frame or in many.
func TestNoEcho(t *testing.T) {
	for _, perFrame := range []int{0, 2, 3} {
		a, b := newMember(t, "a"), newMember(t, "b")
		ab, ba := connect(a, b, perFrame), connect(b, a, perFrame)
		ab.drain()
		ba.drain()
		for i := range 5 {
			a.puts(fmt.Sprint("a", i, "-"), 7)
			b.puts(fmt.Sprint("b", i, "-"), 3)
			// Both directions take turns by the frame, as two streams do.
			for more := true; more; {
				x, y := ab.step(), ba.step()
				more = x || y
				ab.now, ba.now = ab.now+replica.EmptyEvery, ba.now+replica.EmptyEvery
				if ab.frames > 1000 {
					t.Fatal("the streams never fall silent")
				}
			}
		}
		if !equal(a, b) {
			t.Fatalf("%+v and %+v", a.verify(), b.verify())
		}
		if len(ab.rows) != 35 || len(ba.rows) != 15 {
			t.Errorf("frames of %d: %d and %d rows went over for 35 and 15 versions", perFrame, len(ab.rows), len(ba.rows))
		}
		ab.stop()
		ba.stop()
	}
}

// "Counted by name instead of actor, a wiped node never gets its data back"
// (PROTOCOL D4).
func TestWipedNodeGetsItsDataBack(t *testing.T) {
	a, b := newMember(t, "a"), newMember(t, "b")
	a.puts("a", 5)
	b.puts("b", 3)
	pull(a, b)
	pull(b, a)
	wiped := newMember(t, "b", func(c *node.Config) { c.Random = func() [5]byte { return [5]byte{0: 9} } })
	if rows := pull(a, wiped); len(rows) != 8 || !equal(a, wiped) {
		t.Fatalf("%d rows went over: %+v", len(rows), wiped.verify())
	}
	// And the new life's frontier replaces what was known of the former one.
	pull(wiped, a)
	if f, ok := a.table.Frontier("b"); !ok || !f.Equal(wiped.Frontier()) {
		t.Fatalf("%s, %v", f, ok)
	}
}

// "Closing frames … carry vectors"; "a closing frame names its sender's actor":
// a frame that does not fit the transfer voids it.
func TestFramesThatDoNotFit(t *testing.T) {
	begin := func(f *wire.Frame) *wire.Begin { return &wire.Begin{Actor: f.Begin.Actor, Frontier: f.Begin.Frontier} }
	for name, alter := range map[string]func(f *wire.Frame){
		"no begin":          func(f *wire.Frame) { f.Begin = nil },
		"another's actor":   func(f *wire.Frame) { f.Begin.Actor, f.Close.Actor = string(actorX), string(actorX) },
		"another close":     func(f *wire.Frame) { f.Close.Actor = "a~99999999" },
		"another frontier":  func(f *wire.Frame) { f.Close.Frontier = f.Close.Frontier.With(dot(actorX, 1)) },
		"a lower frontier":  func(f *wire.Frame) { f.Close.Frontier = vclock.Vector{} },
		"a bad collection":  func(f *wire.Frame) { f.Rows[1].Collection = "A" },
		"a bad id":          func(f *wire.Frame) { f.Rows[1].ID = "" },
		"a bad actor":       func(f *wire.Frame) { f.Rows[1].Actor = "x" },
		"sequence 0":        func(f *wire.Frame) { f.Rows[1].Seq = 0 },
		"a high sequence":   func(f *wire.Frame) { f.Rows[1].Seq = vclock.MaxSeq + 1 },
		"a short checksum":  func(f *wire.Frame) { f.Rows[1].Sum = f.Rows[1].Sum[:15] },
		"a wrong checksum":  func(f *wire.Frame) { f.Rows[1].Sum[3] ^= 1 },
		"a flipped body":    func(f *wire.Frame) { f.Rows[1].Body[1] ^= 1 },
		"a cut clock":       func(f *wire.Frame) { f.Rows[1].Clock = nil },
		"a long body":       func(f *wire.Frame) { f.Rows[1].Body = make([]byte, node.MaxBody+1) },
		"a body of its own": func(f *wire.Frame) { sign(&f.Rows[1], func(v *conflict.Version) { v.Body = []byte(`{"a":1,"a":2}`) }) },
		"no object":         func(f *wire.Frame) { sign(&f.Rows[1], func(v *conflict.Version) { v.Body = []byte(`[]`) }) },
		"no body":           func(f *wire.Frame) { sign(&f.Rows[1], func(v *conflict.Version) { v.Body = nil }) },
		"after all times":   func(f *wire.Frame) { sign(&f.Rows[1], func(v *conflict.Version) { v.Time = vclock.MaxTime + 1 }) },
		"its own past": func(f *wire.Frame) {
			sign(&f.Rows[1], func(v *conflict.Version) { v.Clock = vclock.ContextOf(vclock.VectorOf(v.Dot)) })
		},
		"a tombstone with a body": func(f *wire.Frame) { sign(&f.Rows[1], func(v *conflict.Version) { v.Deleted = true }) },
	} {
		t.Run(name, func(t *testing.T) {
			a, b := newMember(t, "a"), newMember(t, "b")
			a.puts("id", 3)
			s := connect(a, b, 0)
			f, _ := s.next()
			alter(f)
			if _, err := s.puller.Take(f); err == nil || err.Error() == "" {
				t.Fatalf("%v", err)
			}
			s.stop()
			if v := b.verify(); v.Frontier.Len() != 0 || v.Loose != 0 {
				t.Fatalf("%+v", v)
			}
			if _, ok := b.table.Frontier("a"); ok {
				t.Fatal("a frame that was refused counts in the table")
			}
			pull(a, b)
			if !equal(a, b) {
				t.Fatalf("the next stream did not mend it: %+v", b.verify())
			}
		})
	}
	a, b := newMember(t, "a"), newMember(t, "b")
	a.puts("id", 3)
	s := connect(a, b, 1)
	f, _ := s.next()
	if err := s.deliver(f); err != nil {
		t.Fatal(err)
	}
	second, _ := s.next()
	second.Begin = begin(f)
	if _, err := s.puller.Take(second); err == nil {
		t.Fatal("a transfer began before the last one was closed")
	}
	s.stop()
}

// sign alters a row as somebody does who can compute checksums.
func sign(r *wire.Row, alter func(*conflict.Version)) {
	v := &conflict.Version{
		Key: conflict.Key{Collection: conflict.Collection(r.Collection), ID: conflict.DocID(r.ID)},
		Dot: dot(vclock.Actor(r.Actor), r.Seq), Time: vclock.Time(r.Time), Deleted: r.Deleted, Body: r.Body,
	}
	if err := v.Clock.UnmarshalBinary(r.Clock); err != nil {
		panic(err) // it came from a source
	}
	alter(v)
	clock, err := v.Clock.MarshalBinary()
	if err != nil {
		panic(err)
	}
	sum := v.ComputeSum()
	r.Time, r.Deleted, r.Body, r.Clock, r.Sum = uint64(v.Time), v.Deleted, v.Body, clock, sum[:]
}
