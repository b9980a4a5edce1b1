package world

import (
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Run `go test ./node/nodetest/world -run Seeds -world.first=7 -world.seeds=1
// -world.verbose` to replay one seed with its trace.
var (
	firstSeed = flag.Uint64("world.first", 1, "first seed")
	seedCount = flag.Uint64("world.seeds", 40, "at least so many seeds")
	seedsFor  = flag.Duration("world.for", 0, "go on with more seeds for so long")
	verbose   = flag.Bool("world.verbose", false, "print the trace")
)

// sweep runs seeds on all cores until enough are done, and returns what they
// reached together.
func sweep(t *testing.T, first, count uint64, atLeast time.Duration) (Stats, uint64) {
	return sweepOf(t, Random, first, count, atLeast)
}

// sweepOf is sweep over worlds of some kind.
func sweepOf(t *testing.T, world func(seed uint64, verbose bool) *World, first, count uint64, atLeast time.Duration) (Stats, uint64) {
	var (
		mu    sync.Mutex
		total Stats
		done  atomic.Uint64
		next  atomic.Uint64
		group sync.WaitGroup
	)
	end := time.Now().Add(atLeast)
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for !t.Failed() {
				n := next.Add(1) - 1
				if n >= count && time.Now().After(end) {
					return
				}
				w := world(first+n, *verbose)
				for _, f := range w.Failures() {
					t.Errorf("seed %d: %s", first+n, f)
				}
				done.Add(1)
				mu.Lock()
				total = total.Add(w.Stats)
				mu.Unlock()
			}
		})
	}
	group.Wait()
	return total, done.Load()
}

// FAILURES section 2, simulation: after every event never two components
// read-write past the bound and no dot twice; at the end, healed and quiet,
// equal digests, every acknowledged write accounted for, nobody stuck.
func TestSeeds(t *testing.T) {
	total, done := sweep(t, *firstSeed, *seedCount, *seedsFor)
	t.Logf("%d seeds from %d: %s", done, *firstSeed, total)
	if missing := total.Void(); missing != "" && *seedCount > 1 {
		t.Errorf("void: the runs reached no %s", missing)
	}
}

// FAILURES section 2: "a failing one is printed and kept in testdata".
func TestKeptSeeds(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "seeds.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		number, why, _ := strings.Cut(strings.TrimSpace(line), " ")
		if number == "" || number == "#" {
			continue
		}
		seed, err := strconv.ParseUint(number, 10, 64)
		if err != nil {
			t.Fatalf("testdata/seeds.txt: %q: want a number first", line)
		}
		t.Run(number, func(t *testing.T) {
			t.Parallel()
			for _, f := range Random(seed, false).Failures() {
				t.Errorf("%s: %s", why, f)
			}
		})
	}
}

// FAILURES section 2: "One seed replays to the same trace hash."
func TestReplay(t *testing.T) {
	for _, seed := range []uint64{3, 4, 5} {
		a, b := Random(seed, false), Random(seed, false)
		if a.Trace() != b.Trace() {
			t.Errorf("seed %d: traces %s and %s", seed, a.Trace(), b.Trace())
		}
		if c := Random(seed+100, false); c.Trace() == a.Trace() {
			t.Errorf("seeds %d and %d have one trace", seed, seed+100)
		}
	}
}
