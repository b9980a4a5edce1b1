package timeline

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bench is a timeline under a clock of the test's.
type bench struct {
	*Timeline
	t   *testing.T
	dir string
	now time.Time
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, dir: t.TempDir(), now: time.Date(2026, 11, 21, 14, 0, 0, 0, time.UTC)}
	b.open()
	return b
}

func (b *bench) open() {
	b.t.Helper()
	var err error
	b.Timeline, err = Open(Config{Dir: b.dir, Now: func() time.Time { return b.now }, Failed: func(err error) { b.t.Error(err) }})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = b.files.close() })
}

// pass lets time pass.
func (b *bench) pass(d time.Duration) { b.now = b.now.Add(d) }

// all is what is known of the last day, as "kind state".
func (b *bench) all() string {
	p := b.Between(Query{From: b.now.Add(-24 * time.Hour), To: b.now, Limit: MaxEntries})
	return names(p.Entries)
}

func names(entries []Entry) string {
	var out []string
	for _, e := range entries {
		out = append(out, strings.TrimSpace(string(e.Kind)+" "+e.State))
	}
	return strings.Join(out, ", ")
}

// gapsOf are the gaps as "begin end", in seconds before now.
func (b *bench) gapsOf(from time.Duration) string {
	var out []string
	for _, g := range b.Between(Query{From: b.now.Add(-from), To: b.now, Limit: 1}).Gaps {
		out = append(out, fmt.Sprintf("%s..%s %s", b.now.Sub(g.From), b.now.Sub(g.To), g.Cause))
	}
	return strings.Join(out, "; ")
}

// "kept … ALSO across restarts"; "unknown intervals (process down) are shown as
// such".
func TestAcrossRestarts(t *testing.T) {
	b := newBench(t)
	b.pass(time.Minute)
	b.Add(Entry{Kind: Write, State: "writable"})
	b.flush()
	b.pass(time.Minute)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b.pass(10 * time.Second)
	b.open()
	if got := b.all(); got != "process started, write writable, process stopped, process started" {
		t.Errorf("%s", got)
	}
	if got := b.gapsOf(time.Minute); got != "10s..0s the process before was stopped" {
		t.Errorf("%s", got)
	}
	// This one is killed: its last mark of life is what is known.
	b.Add(Entry{Kind: Write, State: "read-only", Cause: "no_majority"})
	b.pass(3 * time.Second)
	b.flush()
	b.pass(400 * time.Millisecond)
	b.Add(Entry{Kind: Write, State: "lost"}) // not on the disk when it ends
	b.pass(7 * time.Second)
	b.open()
	if got := b.all(); !strings.HasSuffix(got, "write read-only, process started") {
		t.Errorf("%s", got)
	}
	if got := b.gapsOf(10 * time.Second); got != "7.4s..0s the process before ended without a word" {
		t.Errorf("%s", got)
	}
	if got := b.gapsOf(time.Hour); !strings.HasPrefix(got, "1h0m0s..2m20.4s it is older than what is kept; 20.4s..10.4s ") {
		t.Errorf("%s", got)
	}
}

// No state reaches over a gap, and what was in force at the beginning of a
// question is told.
func TestBefore(t *testing.T) {
	b := newBench(t)
	at := func(from time.Duration) string {
		return names(b.Between(Query{From: b.now.Add(-from), To: b.now, Limit: 1}).Before)
	}
	b.Add(Entry{Kind: Write, State: "writable"})
	b.Add(Entry{Kind: Link, State: "up", From: "a", To: "b"})
	b.Add(Entry{Kind: Fault, State: "begun", ID: "f1", From: "a", To: "b"})
	b.pass(time.Second)
	b.Add(Entry{Kind: Write, State: "read-only"})
	b.Add(Entry{Kind: Fault, State: "expired", ID: "f1", From: "a", To: "b"})
	b.Add(Entry{Kind: Conflicts, Opened: 3})
	b.pass(time.Second)
	if got := at(1500 * time.Millisecond); got != "fault begun, link up, process started, write writable" {
		t.Errorf("before the cut: %s", got)
	}
	if got := at(0); got != "link up, process started, write read-only" {
		t.Errorf("now: %s", got)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b.pass(time.Second)
	if got := at(0); got != "process stopped" {
		t.Errorf("after the stop: %s", got)
	}
	b.open()
	b.pass(time.Second)
	if got := at(0); got != "process started" {
		t.Errorf("after the next start: %s", got)
	}
}

// "kept in memory bounded for the last hour at least"; what is too much is
// counted, not dropped in silence.
func TestBounds(t *testing.T) {
	b := newBench(t)
	for range 10 * MaxBurst {
		b.Add(Entry{Kind: Link, State: "up", From: "a", To: "b"})
	}
	b.pass(time.Second)
	b.Add(Entry{Kind: Write, State: "writable"})
	entries := b.Between(Query{From: b.now.Add(-time.Hour), To: b.now, Limit: MaxEntries}).Entries
	last := entries[len(entries)-2]
	if len(entries) != MaxBurst+3 || last.Kind != Dropped || last.Count != 9*MaxBurst {
		t.Errorf("%d entries, and before the last %+v", len(entries), last)
	}
	for range 3600 + 600 { // more than an hour at the highest rate
		b.pass(time.Second)
		for range MaxRate {
			b.Add(Entry{Kind: Link, State: "up", From: "a", To: "b"})
		}
		if b.now.Second() == 0 && b.now.Minute()%10 == 0 {
			b.flush()
		}
	}
	if n := len(b.entries); n != MaxEntries {
		t.Errorf("%d entries in memory", n)
	}
	if oldest := b.entries[0].Time; b.now.Sub(oldest) < time.Hour {
		t.Errorf("the oldest is of %s ago", b.now.Sub(oldest))
	}
	for _, name := range []string{fileName, oldName} {
		info, err := os.Stat(filepath.Join(b.dir, name))
		if err != nil && !(name == oldName && errors.Is(err, os.ErrNotExist)) {
			t.Fatal(err)
		}
		if err == nil && info.Size() > MaxFile+1<<20 {
			t.Errorf("%s has %d bytes", name, info.Size())
		}
	}
	b.flush()
	was := b.Between(Query{From: b.now.Add(-time.Hour), To: b.now, Limit: MaxEntries}).Entries
	b.open()
	is := b.Between(Query{From: b.now.Add(-time.Hour), To: b.now, Limit: MaxEntries}).Entries
	if len(is) != len(was)+1 || !slices.Equal(was[:100], is[:100]) {
		t.Errorf("%d entries of the last hour, and %d after a restart", len(was), len(is))
	}
}

// The file that is full is put aside, and both are read.
func TestFilesTurn(t *testing.T) {
	b := newBench(t)
	long := strings.Repeat("x", 60<<10)
	rows := MaxFile/(60<<10) + 5
	for i := range rows {
		b.pass(time.Second)
		b.Add(Entry{Kind: Write, State: fmt.Sprint(i), Cause: long})
		b.flush()
	}
	if _, err := os.Stat(filepath.Join(b.dir, oldName)); err != nil {
		t.Fatal(err)
	}
	b.open()
	entries := b.Between(Query{From: b.now.Add(-time.Hour), To: b.now, Limit: MaxEntries}).Entries
	if len(entries) != rows+2 {
		t.Errorf("%d of %d entries", len(entries), rows+2)
	}
}

// "a torn line is left out": whatever a crash or a hand made of the file, the
// process starts, keeps what can be read, and writes behind it.
func TestTornFile(t *testing.T) {
	for _, tail := range []string{`{"time":"2026-11-21T14:00`, "\x00\x00\x00", "null\n", "{}\n[]\n", strings.Repeat("x", 2*maxLine), `{"time":7,"kind":"write"}` + "\n"} {
		b := newBench(t)
		b.Add(Entry{Kind: Write, State: "writable"})
		b.flush()
		file := filepath.Join(b.dir, fileName)
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, append(text, tail...), 0o600); err != nil {
			t.Fatal(err)
		}
		b.pass(time.Second)
		b.open()
		b.Add(Entry{Kind: Write, State: "read-only"})
		b.flush()
		b.pass(time.Second)
		b.open()
		if got := b.all(); got != "process started, write writable, process started, write read-only, process started" {
			t.Errorf("behind %.20q: %s", tail, got)
		}
	}
}

// "nothing that writes to the disk stands in the way": a file that cannot be
// written is told once, and what it lacks is written once it can be.
func TestFullDisk(t *testing.T) {
	b := newBench(t)
	failures := 0
	b.cfg.Failed = func(error) { failures++ }
	if err := os.Mkdir(filepath.Join(b.dir, fileName), 0o700); err != nil { // stands in for what cannot be written
		t.Fatal(err)
	}
	b.Add(Entry{Kind: Write, State: "writable"})
	b.flush()
	b.flush()
	if failures != 1 || b.all() != "process started, write writable" {
		t.Errorf("told %d times; %s", failures, b.all())
	}
	if err := os.Remove(filepath.Join(b.dir, fileName)); err != nil {
		t.Fatal(err)
	}
	b.flush()
	b.open()
	if got := b.all(); got != "process started, write writable, process started" {
		t.Errorf("%s", got)
	}
}

// Run writes once a second, with a mark of life, until its context ends.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		line, err := Open(Config{Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- line.Run(ctx) }()
		line.Add(Entry{Kind: Write, State: "writable"})
		time.Sleep(FlushEvery + time.Millisecond)
		synctest.Wait()
		_, alive, err := line.files.load()
		if err != nil || time.Since(alive) > FlushEvery {
			t.Errorf("the last mark of life is %s old: %v", time.Since(alive), err)
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if err := line.Close(); err != nil {
			t.Error(err)
		}
	})
}
