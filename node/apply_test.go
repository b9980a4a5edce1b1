package node_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// rang says whether the bell rings while f runs.
func (r *rig) rang(f func()) bool {
	bell := r.Feed().Bell()
	f()
	select {
	case <-bell:
		return true
	default:
		return false
	}
}

// "Applying versions that are already known writes nothing and notifies nobody;
// so an idle cluster sends no data." (DESIGN 4)
func TestDuplicatesWriteNothing(t *testing.T) {
	r := newRig(t)
	x, y := row("alice", dot(actorB, 1), ""), row("alice", dot(actorC, 1), "+b~bbbbbbbb:1")
	send := func() (n int) {
		for _, v := range []*conflict.Version{x, y} {
			a, err := r.take(node.Apply{Sender: actorB, Versions: []*conflict.Version{v, v}})
			r.ok(err)
			n += a.New
		}
		return n
	}
	if !r.rang(func() {
		if n := send(); n != 2 {
			t.Fatalf("%d versions came to live", n)
		}
	}) {
		t.Fatal("nobody was told")
	}
	if r.rang(func() {
		if n := send(); n != 0 {
			t.Fatalf("%d duplicates came to live", n)
		}
	}) {
		t.Fatal("duplicates rang the bell")
	}
	r.takeClosed("b~bbbbbbbb:1,c~cccccccc:1")
	if r.rang(func() { send(); r.takeClosed("b~bbbbbbbb:1,c~cccccccc:1"); r.takeClosed("", x) }) {
		t.Fatal("what the frontier has rang the bell")
	}
	r.shows("alice", `{"by":"c~cccccccc:1"}`, 1)
}

// "A version whose dot is within the local frontier, and that is not live here,
// was covered here: it is dropped, whatever the sender thinks." (DESIGN 3)
func TestCoveredVersionsAreDropped(t *testing.T) {
	old, newer := row("alice", dot(actorB, 1), ""), row("alice", dot(actorC, 1), "b~bbbbbbbb:1")
	for name, rows := range map[string][]*conflict.Version{"newer first": {newer, old}, "older first": {old, newer}} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.takeRows(rows...)
			r.shows("alice", `{"by":"c~cccccccc:1"}`, 1)
			r.takeClosed("b~bbbbbbbb:1,c~cccccccc:1")
			r.write(put("alice", `{"n":1}`))
			r.takeRows(old)
			r.takeRows(newer)
			r.shows("alice", `{"n":1}`, 1)
		})
	}
}

// "The frontier moves only with a closing frame all of whose rows were applied"
// (PROTOCOL D4). Rows before it are loose: shown, and claimed by nobody.
func TestFrontierMovesOnlyByClose(t *testing.T) {
	r := newRig(t)
	r.takeRows(row("alice", dot(actorB, 1), ""), row("bob", dot(actorB, 2), ""))
	r.at("")
	v, err := r.Verify(t.Context())
	r.ok(err)
	if v.Loose != 2 {
		t.Fatalf("%d loose rows", v.Loose)
	}
	d := r.shows("alice", `{"by":"b~bbbbbbbb:1"}`, 1)
	if d.Session().String() != "+b~bbbbbbbb:1" || d.Seen().String() != "+b~bbbbbbbb:1" {
		t.Fatalf("session %s, seen %s", d.Session(), d.Seen())
	}
	r.takeClosed("b~bbbbbbbb:5", row("carol", dot(actorB, 5), "")) // b:3 and b:4 were overwritten at b
	r.at("b~bbbbbbbb:5")
	r.takeClosed("b~bbbbbbbb:4,c~cccccccc:2") // of another node, that has less of b
	r.at("b~bbbbbbbb:5,c~cccccccc:2")
}

// "One refused, damaged or missing row voids it, for all actors, with an alarm.
// Rows applied before it are loose." (PROTOCOL D4)
func TestReusedDotVoidsTheTransfer(t *testing.T) {
	r := newRig(t)
	r.takeRows(row("alice", dot(actorB, 2), ""))
	for name, second := range map[string]*conflict.Version{
		"the same document":    row("alice", dot(actorB, 2), "", func(v *conflict.Version) { v.Body = []byte(`{"other":1}`) }),
		"another time":         row("alice", dot(actorB, 2), "", at(time.Hour)),
		"the same, elsewhere ": row("zoe", dot(actorB, 2), ""),
	} {
		before := r.count(node.EventReusedDot)
		_, err := r.take(node.Apply{
			Sender: actorB, Versions: []*conflict.Version{second},
			Close: &node.Closing{Frontier: vector("b~bbbbbbbb:2,c~cccccccc:7"), Standing: node.StandingGood},
		})
		r.fails(err, node.Corrupt)
		if r.count(node.EventReusedDot) != before+1 {
			t.Errorf("%s: no alarm", name)
		}
		r.at("")
		r.shows("alice", `{"by":"b~bbbbbbbb:2"}`, 1)
	}
	r.write(put("bob", `{}`)) // the node goes on
}

// A reused dot fails its own transfer; a local write in the same batch was not
// applied, and is told so.
func TestReusedDotInABatch(t *testing.T) {
	r := newRig(t)
	r.takeRows(row("alice", dot(actorB, 2), ""))
	w := node.NewWrites([]node.Write{put("bob", `{}`)}, false)
	bad := node.NewApply(node.Apply{Sender: actorB, Versions: []*conflict.Version{row("zoe", dot(actorB, 2), "")}})
	good := node.NewApply(node.Apply{Sender: actorC, Versions: []*conflict.Version{row("carol", dot(actorC, 1), "")}})
	r.commit(w, bad, good)
	_, err := bad.Applied()
	r.fails(err, node.Corrupt)
	_, err = good.Applied()
	r.fails(err, node.Busy)
	r.fails(w.Outcomes()[0].Err, node.Busy)
	r.shows("bob", "", 0)
	r.at("")
	if err := r.OwnActorSeen("b", 1); node.KindOf(err) != node.OwnActorAhead {
		t.Fatalf("a sequence that was rolled back counts as assigned: %v", err)
	}
}

// "A peer's time beyond the permitted drift (500 ms by default) is kept as it is
// (convergence first) but does not pull the local clock along, is flagged …"
// (DESIGN 3, Time)
func TestDrift(t *testing.T) {
	for _, c := range []struct {
		ahead   time.Duration
		flagged bool
	}{
		{-time.Hour, false},
		{0, false},
		{node.DefaultDrift, false},
		{node.DefaultDrift + time.Millisecond, true},
		{time.Hour, true},
		{100 * 365 * 24 * time.Hour, true},
		{math.MaxInt64, true},
	} {
		r := newRig(t)
		v := row("alice", dot(actorB, 1), "", at(c.ahead))
		r.takeClosed("b~bbbbbbbb:1", v)
		if got := r.get("alice").Live[0]; got.Time != v.Time {
			t.Fatalf("%s was kept as %s", v.Time, got.Time)
		}
		if flagged := r.count(node.EventDrift) == 1; flagged != c.flagged {
			t.Errorf("%s ahead: flagged %v", c.ahead, flagged)
		}
		r.write(put("bob", `{}`))
		local := r.get("bob").Live[0].Time
		if pulled := local > v.Time; pulled == c.flagged {
			t.Errorf("%s ahead: the peer's time is %s, the next local one %s", c.ahead, v.Time, local)
		}
		if local.Sub(vclock.At(noon)) > node.DefaultDrift {
			t.Errorf("%s ahead: the local clock went to %s", c.ahead, local)
		}
	}
}

// The same for times that no Duration can hold: the latest that there are.
func TestDriftOfTheWholeRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRig(t)
		ms := rapid.Uint64Range(uint64(noon.UnixMilli()+501), vclock.MaxMillis).Draw(t, "ms")
		r.takeClosed("b~bbbbbbbb:1", row("alice", dot(actorB, 1), "", func(v *conflict.Version) { v.Time = vclock.Time(ms << 16) }))
		r.write(put("bob", `{}`))
		if got := r.get("bob").Live[0].Time; r.count(node.EventDrift) != 1 || got.Millis() != noon.UnixMilli() {
			t.Fatalf("a peer's clock at %d ms pulled the local one to %s; %d alarms", ms, got, r.count(node.EventDrift))
		}
	})
}

// "Excess drift flagged, LWW never beats causality" (FAILURES 17): of concurrent
// writes the later clock wins, of others the one that saw.
func TestDriftNeverBeatsCausality(t *testing.T) {
	r := newRig(t)
	r.takeClosed("b~bbbbbbbb:1", row("alice", dot(actorB, 1), "", at(time.Hour)))
	r.write(put("alice", `{"n":1}`))
	r.shows("alice", `{"n":1}`, 1)
	r.takeClosed("c~cccccccc:1", row("alice", dot(actorC, 1), "", at(2*time.Hour)))
	r.shows("alice", `{"by":"c~cccccccc:1"}`, 2)
}

// What a cursor says is kept until the transfer closes, and belongs to its
// sender (PROTOCOL D4).
func TestCursorIsKept(t *testing.T) {
	r := newRig(t)
	cursor := func() string {
		view, err := r.store.View(t.Context())
		r.ok(err)
		v, err := view.Cursor(actorB)
		r.ok(err)
		r.ok(view.Close())
		return v.String()
	}
	_, err := r.take(node.Apply{Sender: actorB, Versions: []*conflict.Version{row("alice", dot(actorB, 1), "")}, Done: vector("b~bbbbbbbb:1")})
	r.ok(err)
	if got := cursor(); got != "b~bbbbbbbb:1" {
		t.Fatalf("the cursor is %q", got)
	}
	r.at("")
	_, err = r.take(node.Apply{Sender: actorC, Done: vector("b~bbbbbbbb:1"), Close: &node.Closing{Frontier: vector("b~bbbbbbbb:1")}})
	r.ok(err)
	if got := cursor(); got != "b~bbbbbbbb:1" {
		t.Fatalf("another sender's transfer closed, and the cursor is %q", got)
	}
	_, err = r.take(node.Apply{Sender: actorB, Done: vector("b~bbbbbbbb:1"), Close: &node.Closing{Frontier: vector("b~bbbbbbbb:2")}})
	r.ok(err)
	if got := cursor(); got != "" {
		t.Fatalf("the transfer closed, and the cursor is %q", got)
	}
}
