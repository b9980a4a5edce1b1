package node_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// "A local write gets the next dot of the actor, the HLC time, and as its clock
// everything the writer saw" (DESIGN 3, Stamping).
func TestWriteStamps(t *testing.T) {
	r := newRig(t)
	first := r.write(put("alice", `{"balance":120}`))
	second := r.write(put("alice", `{"balance":20}`))
	if first.Dot.String() != "a~00000001:1" || !first.Created || second.Dot.String() != "a~00000001:2" || second.Created {
		t.Fatalf("%+v, %+v", first, second)
	}
	d := r.shows("alice", `{"balance":20}`, 1)
	v := d.Live[0]
	if v.Clock.String() != "a~00000001:1" || v.Check() != nil || v.Time.Millis() != noon.UnixMilli() || v.Time.Counter() != 1 {
		t.Fatalf("clock %s, time %s, %v", v.Clock, v.Time, v.Check())
	}
	if d.Tag != "a~00000001:2" || second.After.Tag != d.Tag || d.Session().String() != "a~00000001:2" {
		t.Fatalf("tag %s, session %s", d.Tag, d.Session())
	}
	r.at("a~00000001:2")
}

// "The bytes of the body are kept and served as they came (numbers are never
// re-encoded)" (DESIGN 3).
func TestBodiesAreKeptVerbatim(t *testing.T) {
	r := newRig(t)
	for _, body := range []string{"{}", " {\n\t\"a\" : 1.0e+0 , \"b\":-0, \"é\":\"\\u00e9\" } ", `{"n":12345678901234567890.123456789}`, `{"z":1,"a":2}`} {
		r.write(put("alice", body))
		r.shows("alice", body, 1)
	}
}

// "A request that fails its precondition writes nothing and fails alone"
// (DESIGN 3); "a request that fails takes no sequence" (node/doc.go).
func TestFailingRequestFailsAlone(t *testing.T) {
	r := newRig(t)
	absent := put("bob", `{"n":2}`)
	absent.IfMatch = []string{"*"}
	boom := node.Write{Kind: node.Patch, Key: key("alice"), Change: func([]byte) ([]byte, error) {
		return nil, &node.Error{Op: "patch", Kind: node.PatchConflict, Err: errors.New("the test does not hold")}
	}}
	var requests []*node.Request
	for _, w := range []node.Write{put("alice", `{"n":1}`), absent, del("carol"), boom, put("dave", `{"n":3}`)} {
		requests = append(requests, node.NewWrites([]node.Write{w}, false))
	}
	r.commit(requests...)
	for i, want := range []node.Kind{"", node.Precondition, node.NotFound, node.PatchConflict, ""} {
		o := requests[i].Outcomes()[0]
		if want == "" {
			r.ok(o.Err)
			continue
		}
		r.fails(o.Err, want)
		if !o.Written.Dot.IsZero() {
			t.Errorf("request %d failed, and took %s", i, o.Written.Dot)
		}
	}
	r.at("a~00000001:2")
	r.shows("bob", "", 0)
	if got := r.write(put("bob", `{}`)).Dot.Seq; got != 3 {
		t.Fatalf("the next sequence is %d: an actor's sequences have no gaps", got)
	}
}

// "Duplicate keys, invalid UTF-8 … and more than 64 levels are refused with a
// clear error" (DESIGN 3); "422: not an object" (API, Errors).
func TestWriteRefusesBadInput(t *testing.T) {
	r := newRig(t)
	r.start()
	deep := strings.Repeat(`{"a":`, node.MaxDepth) + "1" + strings.Repeat("}", node.MaxDepth)
	for body, want := range map[string]node.Kind{
		"": node.BadJSON, "{": node.BadJSON, `{"a":1,"a":2}`: node.BadJSON, "{\"a\":\"\xff\"}": node.BadJSON, `{} x`: node.BadJSON,
		`{"a":1e999}`: node.BadJSON, `{"a":"\ud800"}`: node.BadJSON, `{"a":` + deep + `}`: node.BadJSON,
		"[]": node.Invalid, "1": node.Invalid, `"a"`: node.Invalid, "null": node.Invalid,
		body(node.DefaultBody + 1): node.TooLarge,
	} {
		_, err := r.Write(t.Context(), put("alice", body))
		r.fails(err, want)
	}
	for _, kind := range []node.WriteKind{node.Put, node.Delete, node.Patch} {
		w := node.Write{Kind: kind, Key: conflict.Key{Collection: "_conflicts", ID: "x"}, Body: []byte("{}")}
		_, err := r.Write(t.Context(), w)
		r.fails(err, node.SystemColl)
	}
	r.at("")
	for _, body := range []string{deep, body(node.DefaultBody)} {
		if _, err := r.Write(t.Context(), put("alice", body)); err != nil {
			t.Fatal(err)
		}
	}
}

// "If-Match … 412 otherwise"; "Failed If-Match is always 412 with the current
// ETag"; "PUT takes If-None-Match: *" (API).
func TestPreconditions(t *testing.T) {
	r := newRig(t)
	with := func(w node.Write, tags ...string) node.Write { w.IfMatch = tags; return w }
	absent := func(w node.Write) node.Write { w.IfAbsent = true; return w }
	refused := func(w node.Write) {
		t.Helper()
		before := r.Frontier().String()
		_, err := r.try(w)
		if e := r.failure(err, node.Precondition); e.Current == nil || e.Current.Tag != r.get("alice").Tag {
			t.Fatalf("the refusal does not show what is there: %+v", e.Current)
		}
		r.at(before)
	}
	refused(with(put("alice", `{}`), "*"))
	refused(with(put("alice", `{}`), ""))
	one := r.write(absent(put("alice", `{"n":1}`)))
	refused(absent(put("alice", `{"n":2}`)))
	two := r.write(with(put("alice", `{"n":2}`), "x", one.Dot.String()))
	refused(with(put("alice", `{"n":3}`), one.Dot.String()))
	refused(with(del("alice"), one.Dot.String()))
	r.write(with(del("alice"), two.Dot.String()))
	refused(with(put("alice", `{}`), "*"))
	// A tombstone has a tag, and nobody has overwritten it since.
	r.write(with(put("alice", `{"n":4}`), r.get("alice").Tag))
	r.write(del("alice"))
	r.write(absent(put("alice", `{"n":5}`)))
	r.shows("alice", `{"n":5}`, 1)
}

// "With siblings s: …": the tag of a conflict names the whole set, so that an
// overwrite by If-Match is of what was looked at.
func TestIfMatchOfAConflict(t *testing.T) {
	r := newRig(t)
	r.write(put("alice", `{"n":1}`))
	r.takeClosed("b~bbbbbbbb:1", row("alice", dot(actorB, 1), ""))
	d := r.get("alice")
	if len(d.Live) != 2 || d.Live.Conflicts() != 2 || !strings.HasPrefix(d.Tag, "s:") {
		t.Fatalf("%d live, tag %s", len(d.Live), d.Tag)
	}
	w := put("alice", `{"n":2}`)
	w.IfMatch = []string{d.Live[0].Dot.String()}
	_, err := r.try(w)
	r.fails(err, node.Precondition)
	w.IfMatch = []string{d.Tag}
	r.write(w)
	r.shows("alice", `{"n":2}`, 1)
}

// "DELETE: nothing there: 404, and nothing is written"; "404 not_found or
// deleted (with the tombstone's ETag and context …)" (API).
func TestDelete(t *testing.T) {
	r := newRig(t)
	_, err := r.try(del("alice"))
	r.fails(err, node.NotFound)
	r.at("")
	r.write(put("alice", `{"n":1}`))
	gone := r.write(del("alice"))
	d := r.shows("alice", "", 1)
	if v := d.Live[0]; !v.Deleted || v.Body != nil || v.Dot != gone.Dot || !v.Clock.Covers(dot(r.Actor(), 1)) || v.Check() != nil {
		t.Fatalf("the tombstone is %+v", v)
	}
	for range 2 {
		_, err = r.try(del("alice"))
		if e := r.failure(err, node.Deleted); e.Current == nil || e.Current.Tag != gone.Dot.String() || r.ContextToken(e.Current) == "" {
			t.Fatalf("the tombstone is not shown: %+v", e.Current)
		}
	}
	r.at("a~00000001:2")
	r.write(put("alice", `{"n":2}`))
	r.shows("alice", `{"n":2}`, 1)
}

// A delete covers all siblings that are visible, as a plain PUT does.
func TestDeleteOfAConflict(t *testing.T) {
	r := newRig(t)
	r.write(put("alice", `{"n":1}`))
	r.takeClosed("b~bbbbbbbb:1", row("alice", dot(actorB, 1), ""))
	r.write(del("alice"))
	r.shows("alice", "", 1)
}

// "A document replies … 404 deleted with the same headers when that value is a
// tombstone": a conflict in which the tombstone is the newer one is no value,
// and its live sibling can still be deleted.
func TestTombstoneThatWins(t *testing.T) {
	r := newRig(t)
	r.write(put("alice", `{"n":1}`))
	r.takeClosed("b~bbbbbbbb:1", row("alice", dot(actorB, 1), "", grave, at(1e9)))
	d := r.shows("alice", "", 2)
	if d.Live.Conflicts() != 2 || !d.Live.Alive() {
		t.Fatalf("%d live", len(d.Live))
	}
	r.write(del("alice"))
	r.shows("alice", "", 1)
	_, err := r.try(del("alice"))
	r.fails(err, node.Deleted)
}

// "A version's time is above those of all that it covers", also where a peer's
// clock ran far ahead; the local clock does not follow (DESIGN 3, Time).
func TestTimeIsAboveWhatIsCovered(t *testing.T) {
	r := newRig(t)
	far := row("alice", dot(actorB, 1), "", at(1e15))
	r.takeClosed("b~bbbbbbbb:1", far)
	r.write(put("alice", `{"n":1}`))
	if v := r.get("alice").Live[0]; v.Time <= far.Time || !v.Covers(far) {
		t.Fatalf("%s was covered by %s", far.Time, v.Time)
	}
	r.write(put("bob", `{"n":1}`))
	if got := r.get("bob").Live[0].Time; got.Millis() != noon.UnixMilli() {
		t.Fatalf("the local clock went to %s", got)
	}
}

// At the end of time a write stands beside what it covers, and never far below.
func TestTimeNeverWrapsAround(t *testing.T) {
	r := newRig(t)
	r.takeClosed("b~bbbbbbbb:1", row("alice", dot(actorB, 1), "", func(v *conflict.Version) { v.Time = vclock.MaxTime }))
	r.write(put("alice", `{"n":1}`))
	if got := r.shows("alice", `{"n":1}`, 1).Live[0].Time; got != vclock.MaxTime {
		t.Fatalf("the time is %s", got)
	}
}
