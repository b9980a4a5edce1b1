package world

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

// soakBatch is how many seeds one line of the ledger stands for.
const soakBatch = 500

// ledgerLine is one batch in the ledger.
type ledgerLine struct {
	Rig     string    `json:"rig"`
	At      time.Time `json:"at"`
	First   uint64    `json:"first"`
	Count   uint64    `json:"count"`
	Seconds float64   `json:"seconds"`
	Failed  bool      `json:"failed"`
	Stats   Stats     `json:"stats"`
}

const soakRig = "simulation"

// `make soak SEEDS=n` runs any number of seeds, goes on where the ledger ends,
// and adds a line to it for each batch.
func TestSoakSeeds(t *testing.T) {
	path, text := os.Getenv("SYNCLINE_SOAK_LEDGER"), os.Getenv("SYNCLINE_SOAK_SEEDS")
	if path == "" || text == "" {
		t.Skip("make soak runs it")
	}
	seeds, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("SYNCLINE_SOAK_SEEDS: %v", err)
	}
	next := soaked(t, path)
	for end := next + seeds; next < end && !t.Failed(); {
		count := min(soakBatch, end-next)
		began := time.Now()
		stats, _ := sweep(t, next, count, 0)
		appendLedger(t, path, ledgerLine{soakRig, began.UTC(), next, count, time.Since(began).Seconds(), t.Failed(), stats})
		t.Logf("seeds %d to %d: %s", next, next+count-1, stats)
		next += count
	}
}

// soaked is the first seed that the ledger has not seen.
func soaked(t *testing.T, path string) uint64 {
	t.Helper()
	next := uint64(1)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return next
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var l ledgerLine
		if err := json.Unmarshal(lines.Bytes(), &l); err == nil && l.Rig == soakRig && !l.Failed {
			next = max(next, l.First+l.Count)
		}
	}
	return next
}

func appendLedger(t *testing.T, path string, l ledgerLine) {
	t.Helper()
	line, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(append(line, '\n')); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}
