package node_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// put1 writes alice through the running writer.
func (r *rig) put1(body string) vclock.Dot {
	r.Helper()
	out, err := r.Write(r.Context(), put("alice", body))
	r.ok(err)
	return out.Dot
}

// arrives applies rows and the closing frame of a good sender through the
// running writer.
func (r *rig) arrives(frontier string, rows ...*conflict.Version) {
	r.Helper()
	_, err := r.Apply(r.Context(), node.Apply{Sender: actorB, Versions: rows, Close: &node.Closing{Frontier: vector(frontier), Standing: node.StandingGood}})
	r.ok(err)
}

// past reads pages of alice's history of so many former versions each.
func (r *rig) past(limit int) (lines []string, missing []vclock.Dot) {
	r.Helper()
	q := node.HistoryQuery{Key: key("alice"), Limit: limit}
	for {
		page, err := r.History(r.Context(), q)
		r.ok(err)
		for _, v := range page.Versions {
			line := string(v.Body)
			if v.Deleted {
				line = "deleted"
			}
			if v.Live != v.By.IsZero() || v.Live != (v.At == 0) {
				r.Fatalf("%s: live %v, covered by %s at %d", v.Dot, v.Live, v.By, v.At)
			}
			if v.Live {
				line += " live"
			}
			lines = append(lines, line)
		}
		missing = append(missing, page.Missing...)
		if page.Next == "" {
			return lines, missing
		}
		q.Cursor = page.Next
	}
}

// "history: covered versions that this node has seen, kept for the retention of
// the collection" (DESIGN 3): those that a local write covers, those that a
// peer's version covers, and what a settlement covers.
func TestHistory(t *testing.T) {
	r := newRig(t)
	r.start()
	r.put1(`{"n":1}`)
	r.put1(`{"n":2}`)
	if lines, missing := r.past(10); !slices.Equal(lines, []string{`{"n":2} live`}) || len(missing) != 1 || missing[0] != dot(r.Actor(), 1) {
		t.Fatalf("without history: %q, missing %s", lines, missing)
	}
	r.configure(`{"history":"1h"}`)
	first := r.put1(`{"n":3}`)
	r.arrives("b~bbbbbbbb:2", row("alice", dot(actorB, 2), first.String(), grave))
	r.arrives("b~bbbbbbbb:2,c~cccccccc:1", row("alice", dot(actorC, 1), ""))
	r.settleNow()
	want := []string{"deleted live", "deleted", `{"by":"c~cccccccc:1"}`, `{"n":3}`, `{"n":2}`}
	for _, limit := range []int{10, 3, 1, 4} {
		if lines, _ := r.past(limit); !slices.Equal(lines, want) {
			t.Errorf("in pages of %d: %q, want %q", limit, lines, want)
		}
	}
	_, missing := r.past(10)
	if !slices.Equal(missing, []vclock.Dot{dot(r.Actor(), 1)}) {
		t.Errorf("missing are %s", missing)
	}
}

// settleNow settles what is there, through the running writer.
func (r *rig) settleNow() {
	r.Helper()
	s := node.Settler{Engine: r.Engine, Stable: r.Frontier, Turn: func() bool { return true }}
	r.ok(s.Once(r.Context()))
}

// "`complete: false` where clocks name dots that it never had" (API): a version
// that was covered before it came is known by name alone, and one that is a
// sibling on record is not missing.
func TestMissingHistory(t *testing.T) {
	r := newRig(t)
	r.start()
	r.configure(`{"history":"forever"}`)
	d := r.put1(`{"n":1}`)
	r.arrives("b~bbbbbbbb:3", row("alice", dot(actorB, 3), d.String()+",b~bbbbbbbb:2,c~cccccccc:7"))
	if _, missing := r.past(10); !slices.Equal(missing, []vclock.Dot{dot(actorB, 2), dot(actorC, 7)}) {
		t.Fatalf("missing are %s", missing)
	}
	// Another document's version is none of this one's.
	out, err := r.Write(t.Context(), put("bob", `{}`))
	r.ok(err)
	_, err = r.Write(t.Context(), put("bob", `{"n":2}`))
	r.ok(err)
	_, err = r.Recall(t.Context(), key("alice"), out.Dot)
	r.fails(err, node.NotFound)
	if got, err := r.Recall(t.Context(), key("bob"), out.Dot); err != nil || string(got.Version.Body) != `{}` || got.Live {
		t.Fatalf("%+v, %v", got, err)
	}
}

// "A cursor … is of another document or another node": rows are a file's own.
func TestHistoryCursor(t *testing.T) {
	r, other := newRig(t), newRig(t, func(c *node.Config) { c.Random = func() [5]byte { return [5]byte{9} } })
	for _, r := range []*rig{r, other} {
		r.start()
		r.configure(`{"history":"forever"}`)
		for n := range 4 {
			r.put1(fmt.Sprintf(`{"n":%d}`, n))
		}
	}
	page, err := r.History(t.Context(), node.HistoryQuery{Key: key("alice"), Limit: 2})
	r.ok(err)
	if len(page.Versions) != 3 || page.Next == "" {
		t.Fatalf("%d versions, next %q", len(page.Versions), page.Next)
	}
	_, err = other.History(t.Context(), node.HistoryQuery{Key: key("alice"), Cursor: page.Next})
	r.fails(err, node.BadCursor)
	_, err = r.History(t.Context(), node.HistoryQuery{Key: key("bob"), Cursor: page.Next})
	r.fails(err, node.BadCursor)
	_, err = r.History(t.Context(), node.HistoryQuery{Key: key("alice"), Cursor: "x"})
	r.fails(err, node.BadCursor)
}

// "`?dot=` reads an old version" (API): live, then kept, then on record; the
// record that has it is named, and what nobody has is an error in words.
func TestRecall(t *testing.T) {
	r := newRig(t)
	d := r.collide(`{"balance": 20}`, `{"balance":70}`)
	live, err := r.Recall(t.Context(), key("alice"), dot(actorB, 1))
	if err != nil || !live.Live || string(live.Version.Body) != `{"balance":70}` || live.Now.Tag != d.Tag {
		t.Fatalf("%+v, %v", live, err)
	}
	own := dot(r.Actor(), 1)
	r.write(put("alice", `{}`))
	lost, err := r.Recall(t.Context(), key("alice"), own)
	if err != nil || lost.Live || string(lost.Version.Body) != `{"balance": 20}` || string(lost.Record) != d.Live.ID() || lost.Version.Time != d.Live.Find(own).Time {
		t.Fatalf("%+v, %v", lost, err)
	}
	// Who read only this has seen only this: what is written with it stands beside
	// what came later.
	seen := lost.Seen()
	token, err := r.ParseContext(seen.Key, r.ContextToken(seen))
	r.ok(err)
	w := put("alice", `{"n":1}`)
	w.Context = token
	r.write(w)
	r.shows("alice", `{}`, 2)
	_, err = r.Recall(t.Context(), key("bob"), own)
	if f := r.failure(err, node.NotFound); !strings.Contains(f.Error(), "keeps no old versions") {
		t.Error(f)
	}
	_, err = r.Recall(t.Context(), key("alice"), dot(actorC, 99))
	if f := r.failure(err, node.NotFound); !strings.Contains(f.Error(), "has not arrived here") {
		t.Error(f)
	}
}

// A version on record that was a deletion is recalled as one.
func TestRecallOfADelete(t *testing.T) {
	r := newRig(t)
	r.write(put("alice", `{}`))
	r.takeClosed("b~bbbbbbbb:1", row("alice", dot(actorB, 1), "c~cccccccc:5", at(time.Second), grave))
	r.write(put("alice", `{}`))
	got, err := r.Recall(t.Context(), key("alice"), dot(actorB, 1))
	if err != nil || !got.Version.Deleted || got.Version.Body != nil || !got.Version.Clock.Equal(contextOf("c~cccccccc:5")) {
		t.Fatalf("%+v, %v", got, err)
	}
}

// sweeper forgets at the pleasure of a test.
func (r *rig) sweep(stable vclock.Vector, turn bool) {
	r.Helper()
	s := node.Sweeper{Engine: r.Engine, Stable: func() vclock.Vector { return stable }, Turn: func() bool { return turn }}
	r.ok(s.Once(r.Context()))
}

// "history … kept for the retention of the collection"; what is forgotten is no
// change that others see.
func TestHistoryIsForgotten(t *testing.T) {
	r := newRig(t)
	r.start()
	r.configure(`{"history":"1h"}`)
	for n := range node.SweepVersions + 10 {
		r.put1(fmt.Sprintf(`{"n":%d}`, n))
	}
	r.wall = r.wall.Add(time.Hour)
	r.put1(`{"last":1}`)
	before, bell := r.Published(), r.Feed().Bell()
	r.sweep(vclock.Vector{}, false)
	if lines, _ := r.past(node.MaxPage); len(lines) != node.SweepVersions+11 {
		t.Fatalf("%d versions are left when the first is an hour old", len(lines))
	}
	r.wall = r.wall.Add(time.Millisecond)
	r.guard.begin = &node.Error{Op: "write", Kind: node.ReadOnly}
	r.sweep(vclock.Vector{}, false) // a node that may not write forgets all the same
	if lines, _ := r.past(node.MaxPage); !slices.Equal(lines, []string{`{"last":1} live`, fmt.Sprintf(`{"n":%d}`, node.SweepVersions+9)}) {
		t.Fatalf("%d versions are left: %q", len(lines), lines[:min(3, len(lines))])
	}
	select {
	case <-bell:
		t.Error("the bell was rung for what nobody else sees")
	default:
	}
	if r.Published() != before {
		t.Error("the frontier was published anew")
	}
	r.guard.begin = nil
	r.configure(`{"history":"0s"}`)
	r.sweep(vclock.Vector{}, false)
	if lines, _ := r.past(10); len(lines) != 1 {
		t.Errorf("without history %q are left", lines)
	}
	r.configure(`{"history":"forever"}`)
	r.put1(`{}`)
	r.wall = r.wall.Add(100 * 365 * 24 * time.Hour)
	r.sweep(vclock.Vector{}, false)
	if lines, _ := r.past(10); len(lines) != 2 {
		t.Errorf("with history forever %q are left", lines)
	}
}

// "Records replicate and are kept 30 days by default" (DESIGN 7): records have
// their time, reviewed or not; with them go the bodies of their siblings, and
// neither goes as long as some data node may have the conflict open.
func TestRecordsAreForgotten(t *testing.T) {
	r := newRig(t)
	d := r.collide(`{"balance":20}`, `{"balance":70}`)
	id := d.Live.ID()
	r.write(put("alice", `{}`))
	r.start()
	system := func() (n int64) {
		all, err := r.Verify(t.Context())
		r.ok(err)
		for _, c := range all.Collections {
			if c.Name == node.RecordCollection || c.Name == node.LoserCollection {
				n += c.Documents
			}
		}
		return n
	}
	all := r.Frontier()
	kept := func(why string, want int64) {
		t.Helper()
		if n := system(); n != want {
			t.Fatalf("%s: %d documents of records, want %d", why, n, want)
		}
	}
	r.wall = noon.Add(30 * 24 * time.Hour)
	r.sweep(all, true)
	kept("30 days old", 4)
	r.wall = r.wall.Add(time.Second)
	r.sweep(all, false)
	kept("at a node that does not settle", 4)
	r.sweep(vector("b~bbbbbbbb:1"), true)
	kept("not stable", 4)
	r.guard.begin = &node.Error{Op: "write", Kind: node.ReadOnly}
	r.sweep(all, true)
	kept("without the vote", 4)
	r.guard.begin = nil
	r.sweep(all, true)
	kept("older than 30 days", 0)
	_, err := r.Conflict(t.Context(), id)
	r.fails(err, node.NotFound)
	_, err = r.Recall(t.Context(), key("alice"), dot(actorB, 1))
	r.fails(err, node.NotFound)
	at := r.Frontier()
	r.sweep(at, true)
	if !r.Frontier().Equal(at) {
		t.Error("a second look deleted something")
	}
}

// "Retention": a record lives on when somebody has worked with it, and for ever
// where that is asked for.
func TestRecordsAreKept(t *testing.T) {
	r := newRig(t)
	d := r.collide(`{"balance":20}`, `{"balance":70}`)
	r.write(put("alice", `{}`))
	r.start()
	r.wall = noon.Add(29 * 24 * time.Hour)
	_, err := r.Undo(t.Context(), d.Live.ID(), node.Undo{Action: node.ActionReview, Who: "eve"})
	r.ok(err)
	r.wall = noon.Add(31 * 24 * time.Hour)
	r.sweep(r.Frontier(), true)
	r.one(d.Live.ID())
	r.configure(`{"records":"forever"}`)
	r.wall = noon.Add(1000 * 24 * time.Hour)
	r.sweep(r.Frontier(), true)
	r.one(d.Live.ID())
	r.configure(`{"records":"0s"}`)
	r.sweep(r.Frontier(), true)
	_, err = r.Conflict(t.Context(), d.Live.ID())
	r.fails(err, node.NotFound)
}

// "reason in words ("later by 2.4 s; measured clock offset 3 ms")" (issue 4);
// "`/explain`: why this value is shown" (API).
func TestExplain(t *testing.T) {
	var stable vclock.Vector
	offsets := map[string]time.Duration{"b": 3 * time.Millisecond}
	r := newRig(t, func(c *node.Config) {
		c.Stable = func() vclock.Vector { return stable }
		c.Offset = func(name string) (time.Duration, bool) { off, ok := offsets[name]; return off, ok }
	})
	explain := func() node.Explanation {
		t.Helper()
		x, err := r.Explain(t.Context(), key("alice"))
		r.ok(err)
		return x
	}
	if x := explain(); x.Reason != "nothing is known of the document" {
		t.Errorf("%+v", x)
	}
	r.write(put("alice", `{"balance":20}`))
	if x := explain(); !strings.Contains(x.Reason, "is the only live version") || x.Waits != "" {
		t.Errorf("%+v", x)
	}
	r.takeClosed("b~bbbbbbbb:1", row("alice", dot(actorB, 1), "", at(2400*time.Millisecond), func(v *conflict.Version) { v.Body = []byte(`{"balance":70}`) }))
	x := explain()
	if want := "b~bbbbbbbb:1 is later than " + dot(r.Actor(), 1).String() + " by 2.4s; measured clock offset 3ms"; x.Reason != want {
		t.Errorf("reason %q, want %q", x.Reason, want)
	}
	if len(x.Unstable) != 2 || !strings.Contains(x.Waits, "every data node") || x.Conflict != x.Document.Live.ID() || len(x.Lost) != 1 || x.Lost[0].Delta != "-50" {
		t.Errorf("%+v", x)
	}
	stable = r.Frontier()
	if x := explain(); len(x.Unstable) != 0 || !strings.HasPrefix(x.Waits, "nothing") {
		t.Errorf("%+v", x)
	}
	r.settle(stable)
	if rec := r.one(x.Conflict).Record; rec.Reason != x.Reason {
		t.Errorf("on record: %q, explained: %q", rec.Reason, x.Reason)
	}
	delete(offsets, "b")
	r.takeRows(row("alice", dot(actorB, 2), "", at(time.Second)), row("alice", dot(actorC, 1), ""))
	if x := explain(); strings.Contains(x.Reason, "offset") {
		t.Errorf("an offset that nobody measured: %q", x.Reason)
	}
	r.start()
	r.configure(`{"policy":{"kind":"manual"}}`)
	if x := explain(); !strings.Contains(x.Waits, "person") || x.Policy.Kind != conflict.KindManual || x.Version == "" {
		t.Errorf("%+v", x)
	}
}

// A clock names the last of one actor's versions; what stood beside it, and what
// that had seen, is found through the record.
func TestMissingBehindARecord(t *testing.T) {
	r := newRig(t)
	first := r.write(put("alice", `{"n":1}`))
	w := put("alice", `{"n":2}`)
	w.Context = r.context()
	r.write(w)
	r.write(w)
	last := r.write(put("alice", `{"n":3}`))
	page, err := r.History(t.Context(), node.HistoryQuery{Key: key("alice")})
	r.ok(err)
	if page.Versions[0].Clock.String() != dot(r.Actor(), last.Dot.Seq-1).String() {
		t.Fatalf("the clock names %s", page.Versions[0].Clock)
	}
	if !slices.Equal(page.Missing, []vclock.Dot{first.Dot}) || page.Unsure {
		t.Fatalf("missing are %s, want %s", page.Missing, first.Dot)
	}
}

// "Every queue, page, body … has a named limit": a document whose conflicts lead
// from record to record is not followed for ever, and nothing is claimed of it.
func TestLookForMissingIsBounded(t *testing.T) {
	r := newRig(t)
	for n := range uint64(node.MaxFollowed + 5) {
		// Each write ends the conflict of the one before with what comes from b.
		r.write(put("alice", `{"n":1}`))
		r.takeClosed(dot(actorB, n+1).String(), row("alice", dot(actorB, n+1), ""))
	}
	r.write(put("alice", `{"n":2}`))
	page, err := r.History(t.Context(), node.HistoryQuery{Key: key("alice")})
	r.ok(err)
	if !page.Unsure || len(page.Missing) > 0 {
		t.Fatalf("unsure: %v, missing %s", page.Unsure, page.Missing)
	}
}

// systemRow makes a peer's version of a document of the system's own.
func systemRow(collection conflict.Collection, id string, d vclock.Dot, body string) *conflict.Version {
	return row(id, d, "", func(v *conflict.Version) {
		v.Key.Collection, v.Body = collection, []byte(body)
	})
}

// Records replicate: a node finds a version that it never had through a peer's
// record, also one of a time when the clocks of siblings were not noted. What is
// no record is found under nothing, and harms nobody.
func TestRecallFromAPeersRecord(t *testing.T) {
	r := newRig(t)
	const id = "abcdefghijklmnopqrstuvwx23"
	lost := dot(actorC, 4)
	r.takeClosed("b~bbbbbbbb:9",
		row("alice", dot(actorB, 1), "c~cccccccc:4"),
		systemRow(node.RecordCollection, id, dot(actorB, 2), `{"id":"`+id+`","collection":"accounts","doc_id":"alice","siblings":[{"dot":"c~cccccccc:4","node":"c"},{"dot":"c~cccccccc:4"},{"dot":""}],"result":{"dot":"b~bbbbbbbb:1"}}`),
		systemRow(node.LoserCollection, id+".c~cccccccc:4", dot(actorB, 3), `{"balance": 1.0}`),
		systemRow(node.RecordCollection, "nonsense", dot(actorB, 4), `{"collection":"No such","siblings":[{"dot":"c~cccccccc:5"}]}`),
		systemRow(node.RecordCollection, "worse", dot(actorB, 5), `{"collection":"accounts","siblings":"c~cccccccc:6"}`),
		systemRow(node.RecordCollection, "other", dot(actorB, 6), `{"collection":"accounts","doc_id":"bob","siblings":[{"dot":"c~cccccccc:7"}]}`),
		systemRow(node.RecordCollection, "bodiless", dot(actorB, 7), `{"id":"bodiless","collection":"accounts","doc_id":"alice","siblings":[{"dot":"c~cccccccc:8"}]}`))
	got, err := r.Recall(t.Context(), key("alice"), lost)
	if err != nil || string(got.Version.Body) != `{"balance": 1.0}` || !got.Version.Clock.IsZero() || string(got.Record) != id {
		t.Fatalf("%+v, %v", got, err)
	}
	if seen := got.Seen().Seen(); !seen.Equal(vclock.ContextOf(vclock.Vector{}, lost)) {
		t.Errorf("who read it has seen %s", seen)
	}
	page, err := r.History(t.Context(), node.HistoryQuery{Key: key("alice")})
	if err != nil || len(page.Missing) != 0 {
		t.Errorf("missing are %s, %v", page.Missing, err)
	}
	for _, d := range []vclock.Dot{dot(actorC, 5), dot(actorC, 6), dot(actorC, 7), dot(actorC, 8)} {
		_, err := r.Recall(t.Context(), key("alice"), d)
		r.fails(err, node.NotFound)
	}
}

// A record that has to stay keeps no younger one back.
func TestOldRecordsThatStay(t *testing.T) {
	r := newRig(t)
	for n := range uint64(node.SweepRecords + 1) {
		// Their results never came: nobody can say whether their conflicts are open.
		r.takeClosed(fmt.Sprintf("b~bbbbbbbb:%d", n+1), systemRow(node.RecordCollection, fmt.Sprintf("stays%d", n), dot(actorB, n+1),
			`{"collection":"accounts","doc_id":"x","siblings":[],"result":{"dot":"c~cccccccc:9"}}`))
	}
	rec := r.clash("bob", time.Second, actorC)
	r.start()
	r.wall = noon.Add(31 * 24 * time.Hour)
	r.sweep(r.Frontier(), true)
	_, err := r.Conflict(t.Context(), rec.ID)
	r.fails(err, node.NotFound)
	if counts, err := r.ConflictCounts(t.Context()); err != nil || counts.Records != node.SweepRecords+1 {
		t.Errorf("%+v, %v", counts, err)
	}
}
