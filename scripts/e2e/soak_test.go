package e2e

import (
	"bufio"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"testing"
	"time"
)

const (
	// soakRig marks this test's lines in the ledger of long runs.
	soakRig = "kills"
	// soakBatch is how many kills of one node a line stands for; a fifth as many
	// of all at once come on top.
	soakBatch = 10
	soakFifth = 5
)

// soakLine is one batch in the ledger of long runs.
type soakLine struct {
	Rig     string    `json:"rig"`
	At      time.Time `json:"at"`
	First   uint64    `json:"first"` // number of the first kill; the seed of the batch
	Count   uint64    `json:"count"` // kills of one node
	OfAll   int       `json:"of_all"`
	Seconds float64   `json:"seconds"`
	Failed  bool      `json:"failed"`
	Acked   int       `json:"acked"` // writes, all found again
	Unknown int       `json:"unknown"`
}

// `make soak KILLS=n` kills so many nodes more than the ledger has, and adds a
// line to it for each batch.
func TestSoakKills(t *testing.T) {
	path, text := os.Getenv("SYNCLINE_SOAK_LEDGER"), os.Getenv("SYNCLINE_SOAK_KILLS")
	if path == "" || text == "" {
		t.Skip("make soak runs it")
	}
	wanted, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("SYNCLINE_SOAK_KILLS: %v", err)
	}
	next := soaked(t, path)
	for end := next + wanted; next < end && !t.Failed(); {
		line := soakLine{Rig: soakRig, At: time.Now().UTC(), First: next, Count: min(soakBatch, end-next)}
		line.OfAll = int((line.Count + soakFifth - 1) / soakFifth)
		t.Run(strconv.FormatUint(next, 10), func(t *testing.T) {
			// A failure ends this function; the line must be written all the same.
			defer func() {
				line.Seconds, line.Failed = time.Since(line.At).Seconds(), t.Failed()
				appendSoak(t, path, line)
			}()
			c := newCluster(t, clusterConfig{data: []string{"a", "b"}, witness: true})
			c.startAll()
			h := c.killAround("soak", next, int(line.Count), line.OfAll)
			line.Acked = len(h.acked())
			line.Unknown = len(h.where(func(r record) bool { return r.Outcome == unknown }))
			t.Logf("%d kills of one node and %d of all: %d writes acknowledged and found, %d unknown", line.Count, line.OfAll, line.Acked, line.Unknown)
		})
		next += line.Count
	}
}

// soaked is the first kill that the ledger has not seen.
func soaked(t *testing.T, path string) uint64 {
	t.Helper()
	return unseen(t, path, func(l *soakLine) uint64 {
		if l.Rig != soakRig || l.Failed {
			return 0
		}
		return l.First + l.Count
	})
}

// unseen is the highest of what the ledger's lines say comes next, and 1 at least.
// A line of another rig says 0.
func unseen[L any](t *testing.T, path string, next func(*L) uint64) uint64 {
	t.Helper()
	out := uint64(1)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return out
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var l L
		if err := json.Unmarshal(lines.Bytes(), &l); err == nil {
			out = max(out, next(&l))
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// appendSoak adds a line to the ledger.
func appendSoak(t *testing.T, path string, l any) {
	t.Helper()
	line, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Write(append(line, '\n'))
	if err = errors.Join(err, f.Close()); err != nil {
		t.Error(err)
	}
}
