package script

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// leastHostile is how many hostile scripts there must be. Issue 4, "Proof": "A
// corpus of at least 40 hostile scripts".
const leastHostile = 40

// hostile is one script of the corpus. Its first line says what must come of
// it: kinds of failures, "value", or "compile".
type hostile struct {
	name, source string
	want         []string
}

func corpus(t *testing.T) []hostile {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "hostile", "*.star"))
	if err != nil || len(files) < leastHostile {
		t.Fatalf("%d hostile scripts, want %d: %v", len(files), leastHostile, err)
	}
	var out []hostile
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		head, _, _ := strings.Cut(string(source), "\n")
		want, ok := strings.CutPrefix(head, "# want: ")
		if !ok {
			t.Fatalf("%s does not begin with what must come of it", file)
		}
		out = append(out, hostile{strings.TrimSuffix(filepath.Base(file), ".star"), string(source), strings.Split(want, "|")})
	}
	return out
}

// outcomeOf names what came of a script as the corpus does.
func outcomeOf(r *Result) string {
	if raceDetector && r.Failure != nil && r.Failure.Kind == KindKilled {
		return string(KindMemory) // the detector dies of it with words of its own
	}
	if r.Failure != nil {
		return string(r.Failure.Kind)
	}
	return string(r.Verdict)
}

// contained is how much processor time a worker may have taken that is killed,
// where the issue says "each contained within its kill timer and 1 s": its start
// comes on top of the call's own time. (On a quiet machine, so much wall time.)
const contained = KillAfter + time.Second

// FAILURES section 3: "resolver as attack: child process, address space, kill
// timer, steps, output limit: bombs contained, digests equal". Row 28:
// "resolver loops, eats memory, throws: deferred, flagged".
func TestHostile(t *testing.T) {
	p := startPool(t, PoolConfig{})
	good := compile(t, goodSource)
	mustResolve(t, p, good)
	before := memory()
	for _, h := range corpus(t) {
		t.Run(h.name, func(t *testing.T) {
			s, err := Compile(h.name, h.source)
			if err != nil {
				if h.want[0] != "compile" {
					t.Fatal(err)
				}
				return
			}
			before := reapedTime()
			r, err := p.Resolve(t.Context(), s, bank())
			took := reapedTime() - before
			if err != nil {
				t.Fatal(err)
			}
			// With the race detector a worker may need longer than the kill timer
			// for what it does in time without.
			slow := raceDetector && r.Verdict == Failed && r.Failure.Kind == KindTime
			if got := outcomeOf(r); !slices.Contains(h.want, got) && !slow {
				t.Errorf("%s (%v), want one of %v", got, r.Failure, h.want)
			}
			if took > contained {
				t.Errorf("it took %v of processor time", took)
			}
			if r.Verdict == Failed && (r.Doc != nil || r.Notes != nil || r.Events != nil) {
				t.Error("a failure has a result")
			}
			if len(r.Output) > MaxOutput || r.Failure != nil && len(r.Failure.Msg) > MaxMessage+len("…") {
				t.Error("the result passes its limits")
			}
			t.Logf("%s after %v: %v", outcomeOf(r), took, r.Failure)
			mustResolve(t, p, good) // the pool serves the next call
		})
	}
	// Issue 4, "Proof": "memory of the node flat".
	if after := memory(); after > before+mostGrowth {
		t.Errorf("this process took %d bytes from the system, and now %d", before, after)
	}
}

// mostGrowth is what this process may take during the corpus, in bytes.
const mostGrowth = 48 << 20

// memory is what this process has of the system, in bytes.
func memory() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Sys - m.HeapReleased
}

// A failure that is not Local is the same on every node (doc.go). Two fresh
// pools stand for two nodes; inline evaluation for a third.
func TestHostileAlike(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector takes so much of time and memory that limits of the node come first")
	}
	one, other := startPool(t, PoolConfig{}), startPool(t, PoolConfig{})
	inline := NewInline()
	for _, h := range corpus(t) {
		s, err := Compile(h.name, h.source)
		if err != nil || slices.ContainsFunc(h.want, func(k string) bool { return Kind(k).Local() }) {
			continue
		}
		var results []*Result
		for _, e := range []Evaluator{one, other, inline} {
			r, err := e.Resolve(context.Background(), s, bank())
			if err != nil {
				t.Fatal(err)
			}
			results = append(results, r)
		}
		for _, r := range results[1:] {
			if !sameResult(results[0], r) {
				t.Errorf("%s: %+v (%v) and %+v (%v)", h.name, results[0], results[0].Failure, r, r.Failure)
			}
		}
	}
}
