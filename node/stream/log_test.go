package stream

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// told are the kinds and data of events, as "kind:data".
func told(t *testing.T, events []Event) string {
	t.Helper()
	var out []string
	for _, e := range events {
		var m struct {
			ID, Event string
			Data      json.RawMessage
		}
		if err := json.Unmarshal(e.Data, &m); err != nil {
			t.Fatalf("%s: %v", e.Data, err)
		}
		if m.ID != e.ID || m.Event != e.Kind {
			t.Errorf("framed as %q %q, and says of itself %s", e.ID, e.Kind, e.Data)
		}
		out = append(out, m.Event+":"+string(m.Data))
	}
	return strings.Join(out, " ")
}

// Changes come each once, in order; of a gauge only the newest value, behind
// the changes; and each reader has a place of its own.
func TestChangesAndGauges(t *testing.T) {
	l := NewLog(Config{Life: "x"})
	early, _ := l.Present()
	l.Add("write", 1)
	l.Set("lag", 10)
	late, id := l.Present()
	l.Set("lag", 11)
	l.Add("write", 2)
	events, gap := l.Read(&early)
	if got := told(t, events); got != "write:1 write:2 lag:11" || gap {
		t.Errorf("from the beginning: %s, gap %v", got, gap)
	}
	events, _ = l.Read(&late)
	if got := told(t, events); got != "write:2 lag:11" {
		t.Errorf("from the middle: %s", got)
	}
	if events, _ = l.Read(&late); len(events) > 0 {
		t.Errorf("told twice: %s", told(t, events))
	}
	// Whoever comes back behind an id gets the gauges anew.
	back, ok := l.Find(id)
	events, _ = l.Read(&back)
	if got := told(t, events); !ok || id != "x-1" || got != "write:2 lag:11" {
		t.Errorf("behind %s: %v, %s", id, ok, got)
	}
}

// "id: so that Last-Event-ID resumes from a bounded ring": an id that is too
// old, of another run, or of nobody is not gone on from.
func TestRingIsBounded(t *testing.T) {
	l := NewLog(Config{Life: "x"})
	slow, first := l.Present()
	for i := range RingSize {
		l.Add("write", i)
	}
	if _, ok := l.Find(first); !ok {
		t.Error("the ring holds all behind the first id, and does not find it")
	}
	l.Add("write", RingSize)
	if len(l.ring) != RingSize {
		t.Errorf("the ring has %d places", len(l.ring))
	}
	if _, gap := l.Read(&slow); !gap {
		t.Error("a reader that the ring has passed by was not told")
	}
	for _, id := range []string{first, "y-5", "x-99999999", "x", "x-", "-1", "", "x--1", "x-1e3"} {
		if _, ok := l.Find(id); ok {
			t.Errorf("id %q was found", id)
		}
	}
	p, ok := l.Find("x-2")
	if !ok {
		t.Fatal("x-2 is kept")
	}
	for want := 2; want <= RingSize; {
		events, gap := l.Read(&p)
		if gap || len(events) == 0 || len(events) > MaxBatch {
			t.Fatalf("%d events, gap %v", len(events), gap)
		}
		for _, e := range events {
			if got := told(t, []Event{e}); got != fmt.Sprintf("write:%d", want) {
				t.Fatalf("%s, want %d", got, want)
			}
			want++
		}
	}
}

// What is too long to keep is told all the same, without its data.
func TestLongDataIsLeftOut(t *testing.T) {
	l := NewLog(Config{Life: "x"})
	p, _ := l.Present()
	l.Add("log", strings.Repeat("x", MaxData))
	events, _ := l.Read(&p)
	if got := told(t, events); got != "log:null" {
		t.Errorf("got %.80s", got)
	}
}

// The number of streams is bounded, and a place is given back.
func TestPlaces(t *testing.T) {
	var p Places
	var done func()
	for range MaxStreams {
		var ok bool
		if done, ok = p.Take(); !ok {
			t.Fatal("refused below the limit")
		}
	}
	if _, ok := p.Take(); ok {
		t.Error("above the limit")
	}
	done()
	if _, ok := p.Take(); !ok || p.Taken() != MaxStreams {
		t.Errorf("a place was not given back: %d taken", p.Taken())
	}
}
