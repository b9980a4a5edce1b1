package script

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/syncline/syncline/vclock"
)

func drawConflict(t *rapid.T) *Conflict {
	c := &Conflict{
		Collection: rapid.StringMatching(`[a-z]{0,9}`).Draw(t, "collection"), ID: rapid.String().Draw(t, "id"),
		BaseExact: rapid.Bool().Draw(t, "exact"), MaxBody: rapid.IntRange(1, MaxBody).Draw(t, "most"), Sums: map[string]string{},
	}
	if rapid.Bool().Draw(t, "based") {
		c.Base = []byte(drawObject(t, 2))
	}
	for i := range rapid.IntRange(0, 5).Draw(t, "siblings") {
		s := Sibling{
			Dot:     vclock.Dot{Actor: vclock.Actor(nodeName(i) + testSuffix), Seq: rapid.Uint64().Draw(t, "seq")},
			Time:    vclock.Time(rapid.Uint64().Draw(t, "time")),
			Deleted: rapid.Bool().Draw(t, "deleted"), Doc: []byte{},
		}
		if !s.Deleted {
			s.Doc = []byte(drawObject(t, 2))
		}
		c.Siblings = append(c.Siblings, s)
	}
	for range rapid.IntRange(0, 3).Draw(t, "sums") {
		c.Sums[rapid.String().Draw(t, "path")] = rapid.StringMatching(`-?[0-9]{1,30}`).Draw(t, "sum")
	}
	return c
}

func drawFailure(t *rapid.T) *Failure {
	f := &Failure{
		Kind: rapid.SampledFrom([]Kind{KindError, KindSteps, KindOutput, KindBadResult, KindInput}).Draw(t, "kind"),
		Msg:  rapid.String().Draw(t, "msg"), Line: rapid.IntRange(0, 1<<20).Draw(t, "line"), Column: rapid.IntRange(0, 1<<20).Draw(t, "column"),
	}
	for range rapid.IntRange(0, 3).Draw(t, "frames") {
		f.Backtrace = append(f.Backtrace, Frame{rapid.String().Draw(t, "function"), 1, 2})
	}
	return f
}

func drawReply(t *rapid.T) *reply {
	switch rapid.IntRange(0, 2).Draw(t, "reply") {
	case 0:
		return &reply{needSource: true}
	case 1:
		r := &TestResult{Name: rapid.String().Draw(t, "name"), Output: rapid.String().Draw(t, "output"), Steps: rapid.Uint64().Draw(t, "steps")}
		for range rapid.IntRange(0, 2).Draw(t, "samples") {
			r.Samples = append(r.Samples, drawConflict(t))
		}
		if rapid.Bool().Draw(t, "failed") {
			r.Failure = drawFailure(t)
		}
		return &reply{test: r}
	}
	r := &Result{Verdict: rapid.SampledFrom(verdictCodes).Draw(t, "verdict"), Output: rapid.String().Draw(t, "output"), Steps: rapid.Uint64().Draw(t, "steps")}
	switch r.Verdict {
	case Value:
		r.Doc = []byte(drawObject(t, 2))
	case Failed:
		r.Failure = drawFailure(t)
	case Delete, Defer:
	}
	for range rapid.IntRange(0, 3).Draw(t, "notes") {
		r.Notes = append(r.Notes, rapid.String().Draw(t, "note"))
	}
	for range rapid.IntRange(0, 3).Draw(t, "events") {
		r.Events = append(r.Events, Event{"e", []byte(drawJSON(t, 2))})
	}
	return &reply{result: r}
}

// FAILURES section 2: "codecs round-trip". Every prefix of a message is refused,
// and so is one byte more.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		q := &request{source: rapid.String().Draw(t, "source")}
		copy(q.hash[:], rapid.SliceOfN(rapid.Byte(), len(q.hash), len(q.hash)).Draw(t, "hash"))
		if rapid.Bool().Draw(t, "test") {
			q.test = "test_x"
		} else {
			q.conflict = drawConflict(t)
		}
		body := q.appendTo(nil)
		got, err := readRequest(body)
		if err != nil || !reflect.DeepEqual(got, q) {
			t.Fatalf("%+v became %+v: %v", q, got, err)
		}
		p := drawReply(t)
		answer := p.appendTo(nil)
		back, err := readReply(answer)
		if err != nil || !reflect.DeepEqual(back, p) {
			t.Fatalf("%+v became %+v: %v", p, back, err)
		}
		cut := rapid.IntRange(0, len(body)-1).Draw(t, "cut")
		if _, err := readRequest(body[:cut]); !errors.Is(err, errMessage) {
			t.Fatalf("the first %d of %d bytes: %v", cut, len(body), err)
		}
		if _, err := readReply(answer[:rapid.IntRange(0, len(answer)-1).Draw(t, "cut")]); !errors.Is(err, errMessage) {
			t.Fatalf("a part of a reply: %v", err)
		}
		if _, err := readReply(append(answer, 0)); !errors.Is(err, errMessage) {
			t.Fatalf("a byte more: %v", err)
		}
	})
}

// A reply that contradicts itself is no reply, and a worker cannot say that it
// was killed: "a kill means failed, never a result" (DESIGN section 7).
func TestContradictions(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]*Result{
		"failed without failure": {Verdict: Failed},
		"value with failure":     {Verdict: Value, Doc: []byte("{}"), Failure: failure(KindError, "x")},
		"value without document": {Verdict: Value},
		"defer with document":    {Verdict: Defer, Doc: []byte("{}")},
		"killed and alive":       {Verdict: Failed, Failure: failure(KindKilled, "x")},
		"no such verdict":        {Verdict: "maybe"},
	} {
		if _, err := readReply((&reply{result: r}).appendTo(nil)); !errors.Is(err, errMessage) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// HOUSE, habit 7: "Every queue, page, body … has a named limit".
func TestFrames(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := writeFrame(&b, append(newFrame(0), "hello"...)); err != nil {
		t.Fatal(err)
	}
	frame := b.Bytes()
	if got, err := readFrame(bytes.NewReader(frame), 5); err != nil || string(got) != "hello" {
		t.Errorf("%q %v", got, err)
	}
	if _, err := readFrame(bytes.NewReader(frame), 4); !errors.Is(err, errMessage) {
		t.Errorf("a frame beyond the limit: %v", err)
	}
	if _, err := readFrame(strings.NewReader(""), 4); !errors.Is(err, io.EOF) {
		t.Errorf("the end: %v", err)
	}
	for cut := 1; cut < len(frame); cut++ {
		if _, err := readFrame(bytes.NewReader(frame[:cut]), 5); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("broken off after %d bytes: %v", cut, err)
		}
	}
}

// A lie about the length takes no memory before its bytes are there. FAILURES
// section 3: "bombs: … corpus with a memory bound".
func TestLyingFrame(t *testing.T) {
	const most = 4 << 20 // bytes; the frame speaks of 16 MiB
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := readFrame(bytes.NewReader([]byte("\x01\x00\x00\x00short")), maxReply); err == nil {
		t.Error("a frame of 16 MiB in five bytes")
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > most {
		t.Errorf("it took %d bytes", took)
	}
}

func FuzzReadRequest(f *testing.F) {
	f.Add((&request{source: goodSource, conflict: bank()}).appendTo(nil))
	f.Add((&request{test: "test_x"}).appendTo(nil))
	f.Fuzz(func(t *testing.T, body []byte) {
		q, err := readRequest(body)
		if err != nil {
			return
		}
		again, err := readRequest(q.appendTo(nil))
		if q.conflict != nil && q.conflict.MaxBody == 0 {
			q.conflict.MaxBody = DefaultBody
		}
		if err != nil || !reflect.DeepEqual(q, again) {
			t.Fatalf("%+v became %+v: %v", q, again, err)
		}
	})
}

func FuzzReadReply(f *testing.F) {
	f.Add((&reply{needSource: true}).appendTo(nil))
	f.Add((&reply{result: &Result{Verdict: Value, Doc: []byte("{}"), Notes: []string{"n"}, Events: []Event{{"e", []byte("1")}}}}).appendTo(nil))
	f.Add((&reply{result: failed(failure(KindSteps, "x"))}).appendTo(nil))
	f.Add((&reply{test: &TestResult{Name: "test_x", Samples: []*Conflict{bank()}}}).appendTo(nil))
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := readReply(body)
		if err != nil {
			return
		}
		if again, err := readReply(p.appendTo(nil)); err != nil || (again.result == nil) != (p.result == nil) {
			t.Fatalf("%+v became %+v: %v", p, again, err)
		}
	})
}
