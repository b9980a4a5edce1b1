package node_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// collide makes a conflict of alice: this node's version and b's, which is the
// later one by a second.
func (r *rig) collide(mine, theirs string) node.Document {
	r.Helper()
	r.write(put("alice", mine))
	r.takeClosed("b~bbbbbbbb:1", row("alice", dot(actorB, 1), "", at(time.Second), func(v *conflict.Version) { v.Body = []byte(theirs) }))
	return r.shows("alice", theirs, 2)
}

// configure gives the collection of these tests a configuration.
func (r *rig) configure(text string) {
	r.Helper()
	_, err := r.Configure(r.Context(), "accounts", node.ConfigWrite{Body: []byte(text)})
	r.ok(err)
}

// one reads a conflict.
func (r *rig) one(id string) node.Conflict {
	r.Helper()
	c, err := r.Conflict(r.Context(), id)
	r.ok(err)
	return c
}

// everything is what a node has and knows.
func (r *rig) everything() vclock.Vector { return r.Frontier() }

// settle carries out what can be settled when so much is stable.
func (r *rig) settle(stable vclock.Vector) []node.Outcome {
	r.Helper()
	s, err := r.Settlement(r.Context(), stable)
	r.ok(err)
	if s == nil {
		return nil
	}
	r.commit(s.Request)
	return s.Request.Outcomes()
}

// "A local write that covers two or more live versions files the record itself,
// in the same transaction (outcome overwritten, with who and how)" (DESIGN 7).
func TestOverwrittenConflictIsOnRecord(t *testing.T) {
	r := newRig(t)
	d := r.collide(`{"balance":20,"name":"Alice"}`, `{"balance":70,"name":"Alice"}`)
	made := r.write(put("alice", `{"balance":50.5,"name":"Alice"}`))
	c := r.one(d.Live.ID())
	rec := c.Record
	if c.State != node.ConflictSettled || rec.By != conflict.Overwritten || rec.Result.Dot != made.Dot || rec.DocID != "alice" || rec.Shown != dot(actorB, 1) {
		t.Fatalf("%+v", rec)
	}
	var lost []string
	for _, l := range rec.Lost {
		lost = append(lost, fmt.Sprintf("%s %s=%s %s", l.Dot.Actor.Node(), l.Path, l.Value, l.Delta))
	}
	if got := strings.Join(lost, ", "); got != "a /balance=20 -30.5, b /balance=70 19.5" {
		t.Errorf("lost: %s", got)
	}
	for _, v := range d.Live {
		body, err := r.Loser(t.Context(), rec, v.Dot)
		if err != nil || string(body) != string(v.Body) {
			t.Errorf("%s is kept as %s, %v", v.Dot, body, err)
		}
	}
	// A write that covers one version ends no conflict.
	r.write(put("alice", `{}`))
	if counts, err := r.ConflictCounts(t.Context()); err != nil || counts != (node.ConflictCounts{Records: 1}) {
		t.Errorf("%+v, %v", counts, err)
	}
}

// "resolve … {"pick":dot}, {"doc":…} for an open one"; "One sibling more makes
// another id; the old one answers 409 conflict_changed with the new" (API).
func TestResolve(t *testing.T) {
	r := newRig(t)
	r.start()
	d := r.collide(`{"balance":20}`, `{"balance":70}`)
	id := d.Live.ID()
	page, err := r.Conflicts(t.Context(), node.ConflictQuery{})
	if err != nil || len(page.Conflicts) != 1 || page.Conflicts[0].ID != id || page.Counts.Open != 1 {
		t.Fatalf("%+v, %v", page, err)
	}
	if _, err := r.Resolve(t.Context(), id, node.Resolution{Pick: dot(actorB, 9)}); node.KindOf(err) != node.Invalid {
		t.Errorf("a pick of none of them: %v", err)
	}
	if _, err := r.Apply(t.Context(), node.Apply{Sender: actorB, Versions: []*conflict.Version{row("alice", dot(actorC, 1), "")}}); err != nil {
		t.Fatal(err)
	}
	more := r.get("alice")
	_, err = r.Resolve(t.Context(), id, node.Resolution{Pick: dot(actorB, 1)})
	if f := r.failure(err, node.ConflictChanged); f.Current == nil || f.Current.Live.ID() != more.Live.ID() || !strings.Contains(f.Error(), more.Live.ID()) {
		t.Errorf("%v", err)
	}
	if _, err := r.Resolve(t.Context(), more.Live.ID(), node.Resolution{Pick: d.Live[0].Dot, Who: "eve", Reason: "she was first"}); err != nil {
		t.Fatal(err)
	}
	r.shows("alice", string(d.Live[0].Body), 1)
	rec := r.one(more.Live.ID()).Record
	if rec.By != conflict.ByPerson || rec.Who != "eve" || rec.Reason != "she was first" || len(rec.Siblings) != 3 {
		t.Errorf("%+v", rec)
	}
	_, err = r.Resolve(t.Context(), more.Live.ID(), node.Resolution{Delete: true})
	r.fails(err, node.Invalid)
	_, err = r.Resolve(t.Context(), "nosuchconflict", node.Resolution{Delete: true})
	r.fails(err, node.NotFound)
}

// "Losing values can be read and restored from the record (a write that covers
// the settled one), automatic results reverted, records marked reviewed" (DESIGN 7).
func TestUndo(t *testing.T) {
	r := newRig(t)
	r.start()
	r.configure(`{"delete":"delete_wins"}`)
	if _, err := r.Write(t.Context(), put("alice", `{"balance":20}`)); err != nil {
		t.Fatal(err)
	}
	tombstone := row("alice", dot(actorB, 1), "", at(-time.Second), grave)
	if _, err := r.Apply(t.Context(), node.Apply{Sender: actorB, Versions: []*conflict.Version{tombstone}, Close: &node.Closing{Frontier: vector("b~bbbbbbbb:1"), Standing: node.StandingGood}}); err != nil {
		t.Fatal(err)
	}
	d := r.get("alice")
	s := &node.Settler{Engine: r.Engine, Stable: r.everything, Turn: func() bool { return r.get("alice").Live.Conflicts() > 0 }}
	r.ok(s.Once(t.Context()))
	r.shows("alice", "", 1)
	id := d.Live.ID()
	rec := r.one(id).Record
	if rec.By != conflict.ByPolicy || !strings.Contains(rec.Reason, "by the collection's rule") || rec.Policy.Version == "" || len(rec.Lost) != 1 || string(rec.Lost[0].Value) != `{"balance":20}` {
		t.Fatalf("%+v", rec)
	}

	_, err := r.Undo(t.Context(), id, node.Undo{Action: node.ActionRestore, Dot: dot(actorC, 1)})
	r.fails(err, node.Invalid)
	_, err = r.Undo(t.Context(), id, node.Undo{Action: node.ActionRestore, Dot: d.Live[0].Dot, IfMatch: []string{"other"}})
	r.fails(err, node.Precondition)
	r.shows("alice", "", 1)
	if _, err := r.Undo(t.Context(), id, node.Undo{Action: node.ActionRestore, Dot: d.Live[0].Dot, Who: "eve"}); err != nil {
		t.Fatal(err)
	}
	r.shows("alice", `{"balance":20}`, 1)
	if _, err := r.Undo(t.Context(), id, node.Undo{Action: node.ActionReview, Who: "eve"}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Undo(t.Context(), id, node.Undo{Action: node.ActionRevert}); err != nil {
		t.Fatal(err)
	}
	r.shows("alice", `{"balance":20}`, 1) // by time alone: the update is the later one
	c := r.one(id)
	var did []string
	for _, step := range c.Record.Trace {
		did = append(did, step.Action+" "+step.Who)
	}
	if got := strings.Join(did, ", "); got != "restore eve, review eve, revert " || c.State != node.ConflictReviewed {
		t.Errorf("%s, %s", got, c.State)
	}
}

// "Under policy manual … a write to a conflicted document with neither is 409
// open_conflict" (API), and nothing settles it but a person.
func TestManual(t *testing.T) {
	r := newRig(t)
	r.start()
	r.configure(`{"policy":{"kind":"manual"}}`)
	if _, err := r.Write(t.Context(), put("alice", `{}`)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Apply(t.Context(), node.Apply{Sender: actorB, Versions: []*conflict.Version{row("alice", dot(actorB, 1), "")}, Close: &node.Closing{Frontier: vector("b~bbbbbbbb:1"), Standing: node.StandingGood}}); err != nil {
		t.Fatal(err)
	}
	if s, err := r.Settlement(t.Context(), r.Frontier()); s != nil || err != nil {
		t.Errorf("%+v, %v", s, err)
	}
	_, err := r.Write(t.Context(), put("alice", `{"n":1}`))
	if f := r.failure(err, node.OpenConflict); f.Current == nil || len(f.Current.Live) != 2 {
		t.Errorf("%+v", f)
	}
	d := r.get("alice")
	w := put("alice", `{"n":2}`)
	w.IfMatch = []string{d.Tag}
	if _, err := r.Write(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	r.shows("alice", `{"n":2}`, 1)
}

// "require_context: neither If-Match nor context → 428 context_required; a
// context older than what is shown → 409 stale_context with the siblings" (API).
func TestRequireContext(t *testing.T) {
	r := newRig(t)
	r.start()
	r.configure(`{"require_context":true,"limits":{"body":20}}`)
	_, err := r.Write(t.Context(), put("alice", `{}`))
	r.fails(err, node.ContextRequired)
	first := put("alice", `{}`)
	first.IfAbsent = true
	if _, err := r.Write(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	old := r.context()
	second := put("alice", `{"n":1}`)
	second.Context = old
	if _, err := r.Write(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	second.Body = []byte(`{"n":2}`)
	_, err = r.Write(t.Context(), second)
	if f := r.failure(err, node.StaleContext); f.Current == nil {
		t.Error("it does not say what is there")
	}
	long := put("bob", `{"n":"much more than is allowed"}`)
	long.IfAbsent = true
	_, err = r.Write(t.Context(), long)
	r.fails(err, node.TooLarge)
}

// Settling waits for every data node, has the time of its newest sibling, and two
// settlements of one set are one write (PROTOCOL D8, D5).
func TestSettlement(t *testing.T) {
	r := newRig(t)
	d := r.collide(`{"balance":20}`, `{"balance":70}`)
	if out := r.settle(vector("a~00000004:1")); out != nil {
		t.Fatalf("settled before b's version is stable: %+v", out)
	}
	out := r.settle(r.Frontier())
	if len(out) != 1 || out[0].Err != nil {
		t.Fatalf("%+v", out)
	}
	v := r.shows("alice", `{"balance":70}`, 1).Live[0]
	if v.Time != d.Shown.Winner.Time || v.Origin == nil || v.Origin.Write != d.Live.SettlementID() || !v.Origin.Settles {
		t.Errorf("%s, %+v", v.Time, v.Origin)
	}
	rec := r.one(d.Live.ID()).Record
	if rec.By != conflict.ByPolicy || !strings.Contains(rec.Reason, "later than") || !strings.Contains(rec.Reason, "by 1s") {
		t.Errorf("%+v", rec)
	}
	page, err := r.Changes(t.Context(), node.ChangesQuery{Collection: "accounts"})
	if err != nil || len(page.Changes) != 1 || page.Changes[0].Settles != d.Live.ID() {
		t.Errorf("the feed: %+v, %v", page.Changes, err)
	}
	// b has settled the same set meanwhile.
	twin := row("alice", dot(actorB, 2), v.Clock.String(), func(u *conflict.Version) {
		u.Time, u.Body, u.Origin = v.Time, v.Body, &conflict.Origin{Write: v.Origin.Write, Settles: true}
	})
	r.takeClosed("b~bbbbbbbb:2", twin)
	if got := r.get("alice"); got.Live.Conflicts() != 0 || len(got.Live) != 2 || got.Shown.Winner.Dot != v.Dot {
		t.Errorf("%d live versions, %d in conflict", len(got.Live), got.Live.Conflicts())
	}
	before, err := r.ConflictCounts(t.Context())
	r.ok(err)
	r.settle(r.Frontier())
	r.shows("alice", `{"balance":70}`, 1)
	if after, err := r.ConflictCounts(t.Context()); err != nil || after.Records != before.Records {
		t.Errorf("two attempts of one settlement made a record: %+v, %v", after, err)
	}
}

// Deletes on both sides are a conflict too, and settle.
func TestSettlementOfTwoDeletes(t *testing.T) {
	r := newRig(t)
	r.write(put("alice", `{}`))
	r.write(del("alice"))
	r.takeClosed("b~bbbbbbbb:1", row("alice", dot(actorB, 1), "", grave))
	if out := r.settle(r.Frontier()); len(out) != 1 || out[0].Err != nil {
		t.Fatalf("%+v", out)
	}
	r.shows("alice", "", 1)
}

// "Configuration … a node applies the newest version that it has" (DESIGN 7):
// from a peer, after a restart, and back to the defaults; what shows siblings is
// part of their ETag.
func TestConfigurationIsADocument(t *testing.T) {
	r := newRig(t)
	d := r.collide(`{"n":2,"at":9}`, `{"n":1,"at":5}`)
	byPath := row("accounts", dot(actorB, 2), "", func(v *conflict.Version) {
		v.Key = conflict.Key{Collection: node.ConfigCollection, ID: "accounts"}
		v.Body = []byte(`{"policy":{"kind":"lww","path":"/at"}}`)
	})
	r.takeClosed("b~bbbbbbbb:2", byPath)
	now := r.shows("alice", `{"n":2,"at":9}`, 2)
	if now.Tag == d.Tag {
		t.Error("the ETag does not tell the policies apart")
	}
	r.reopen(r.store.Reopen(0))
	if again := r.shows("alice", `{"n":2,"at":9}`, 2); again.Tag != now.Tag {
		t.Error("another ETag after a restart")
	}
	unread := row("accounts", dot(actorB, 3), "b~bbbbbbbb:2", func(v *conflict.Version) {
		v.Key, v.Body = byPath.Key, []byte(`{"policy":{"kind":"oracle"}}`)
	})
	r.takeClosed("b~bbbbbbbb:3", unread)
	r.shows("alice", `{"n":1,"at":5}`, 2)
	if r.count(node.EventConfig) != 1 {
		t.Error("nobody was told that a configuration cannot be read")
	}
}

// The collections and their configurations, and each misuse.
func TestConfigure(t *testing.T) {
	r := newRig(t)
	r.start()
	patch := func(text string) node.ConfigWrite {
		return node.ConfigWrite{Change: func(present []byte) ([]byte, error) {
			var c map[string]any
			if err := json.Unmarshal(present, &c); err != nil {
				return nil, err
			}
			return json.Marshal(c)
		}, Body: []byte(text)}
	}
	if _, err := r.Configure(t.Context(), "bank", patch("")); err != nil {
		t.Fatal(err)
	}
	r.configure(`{"records":"forever"}`)
	if _, err := r.Write(t.Context(), put("alice", `{}`)); err != nil {
		t.Fatal(err)
	}
	all, err := r.Collections(t.Context())
	if err != nil || len(all) != 2 || all[0].Name != "accounts" || all[0].Config.Records != conflict.Forever || all[0].Documents != 1 || all[1].Name != "bank" {
		t.Fatalf("%+v, %v", all, err)
	}
	for text, kind := range map[string]node.Kind{
		`{"policy":{"kind":"merge","rules":{"/a":"add"}}}`:    node.Invalid,
		`{"policy":{"kind":"merge","default":"sum"}}`:         node.Invalid,
		`{"policy":{"kind":"merge","path":"/n"}}`:             node.Invalid,
		`{"policy":{"kind":"lww","default":"max"}}`:           node.Invalid,
		`{"policy":{"kind":"lww","rules":{"a":"sum"}}}`:       node.Invalid,
		`{"policy":{"kind":"script"}}`:                        node.Invalid,
		`{"policy":{"kind":"script","resolver":"x"}}`:         node.Invalid, // nobody has stored it
		`{"ack":"majority"}`:                                  node.NotBuilt,
		`{"policy":{"kind":"best"}}`:                          node.Invalid,
		`{"policy":{"kind":"manual","path":"/n"}}`:            node.Invalid,
		`{"policy":{"kind":"lww","path":"n"}}`:                node.Invalid,
		`{"policy":{"kind":"lww","path":"/~2"}}`:              node.Invalid,
		`{"policy":{"kind":"lww","resolver":"x"}}`:            node.Invalid,
		`{"delete":"never"}`:                                  node.Invalid,
		`{"ack":"most"}`:                                      node.Invalid,
		`{"minority":"ask"}`:                                  node.Invalid,
		`{"records":"-1h"}`:                                   node.Invalid,
		`{"limits":{"body":0}}`:                               node.Invalid,
		fmt.Sprintf(`{"limits":{"body":%d}}`, node.MaxBody+1): node.Invalid,
		`{"colour":"red"}`:                                    node.Invalid,
		`{} {}`:                                               node.Invalid,
		`[]`:                                                  node.Invalid,
		`{"policy":{"kind":"lww","path":"` + strings.Repeat("/x", 17) + `"}}`: node.Invalid,
	} {
		_, err := r.Configure(t.Context(), "accounts", node.ConfigWrite{Body: []byte(text)})
		if node.KindOf(err) != kind {
			t.Errorf("%s: %v of kind %s, want %s", text, err, node.KindOf(err), kind)
		}
	}
	_, err = r.Configure(t.Context(), "_conflicts", node.ConfigWrite{Body: []byte(`{}`)})
	r.fails(err, node.SystemColl)
	_, err = r.Configure(t.Context(), "accounts", node.ConfigWrite{Delete: true})
	r.fails(err, node.NotEmpty)
	if _, err := r.Configure(t.Context(), "bank", node.ConfigWrite{Delete: true}); err != nil {
		t.Fatal(err)
	}
	if all, err = r.Collections(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("%+v, %v", all, err)
	}
}

// "Sibling limits (warn at 25, refuse writes without a context at 100 with a
// clear error)" (issue 4).
func TestSiblingLimits(t *testing.T) {
	r := newRig(t)
	var rows []*conflict.Version
	for i := range node.MaxSiblings {
		rows = append(rows, row("alice", dot(actorB, uint64(i+1)), ""))
	}
	r.takeRows(rows[:node.WarnSiblings-1]...)
	if r.count(node.EventSiblings) != 0 {
		t.Error("warned too early")
	}
	r.takeRows(rows[node.WarnSiblings-1:]...)
	if r.count(node.EventSiblings) != 1 {
		t.Errorf("warned %d times", r.count(node.EventSiblings))
	}
	_, err := r.try(put("alice", `{}`))
	r.fails(err, node.OpenConflict)
	w := put("alice", `{}`)
	w.IfMatch = []string{r.get("alice").Tag}
	r.write(w)
	r.shows("alice", `{}`, 1)
}

// "minority: refuse|accept": such a collection "was taken here by its own rule"
// (API, Write-State), and only for want of a majority.
func TestMinorityAccepts(t *testing.T) {
	r := newRig(t)
	r.start()
	r.configure(`{"minority":"accept"}`)
	r.guard.begin = &node.Error{Op: "write", Kind: node.ReadOnly, ReadOnly: &node.ReadOnlyState{Cause: node.NoMajority}}
	r.guard.held = false
	if minority, err := r.MayWriteTo("accounts"); !minority || err != nil {
		t.Errorf("%v, %v", minority, err)
	}
	if minority, err := r.MayWriteTo("others"); minority || node.KindOf(err) != node.ReadOnly {
		t.Errorf("%v, %v", minority, err)
	}
	if _, err := r.Write(t.Context(), put("alice", `{}`)); err != nil {
		t.Fatal(err)
	}
	other := put("alice", `{}`)
	other.Key.Collection = "others"
	_, err := r.Write(t.Context(), other)
	r.fails(err, node.ReadOnly)
	both := []node.Write{put("bob", `{}`), other}
	_, err = r.WriteAll(t.Context(), both, false)
	r.fails(err, node.ReadOnly)
	r.guard.begin = &node.Error{Op: "write", Kind: node.ReadOnly, ReadOnly: &node.ReadOnlyState{Cause: node.DiskLow}}
	_, err = r.Write(t.Context(), put("alice", `{}`))
	r.fails(err, node.ReadOnly)
}

// "Settled only by a person" (issue 4, manual) holds for one collection: what
// waits there keeps nobody else's conflicts open.
func TestManualCollectionHoldsUpNoOther(t *testing.T) {
	r := newRig(t)
	r.start()
	r.configure(`{"policy":{"kind":"manual"}}`)
	other := func(v *conflict.Version) { v.Key.Collection = "books" }
	r.applies(row("alice", dot(actorB, 1), ""), row("alice", dot(actorC, 1), ""), row("moby", dot(actorB, 2), "", other), row("moby", dot(actorC, 2), "", other))
	s, err := r.Settlement(t.Context(), r.everything())
	if err != nil || s == nil || len(s.Documents) != 1 || s.Documents[0].Key.Collection != "books" {
		t.Errorf("to settle: %+v, %v", s, err)
	}
}
