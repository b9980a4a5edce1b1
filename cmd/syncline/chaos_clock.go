package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/spf13/pflag"
)

// flagChaosClock names the file of a wrong wall clock.
const flagChaosClock = "chaos-clock"

// clockEvery is how often the file is looked at, at most.
const clockEvery = 20 * time.Millisecond

// wrongClock is how wrong a wall clock is, as the file says it.
type wrongClock struct {
	Offset time.Duration `json:"offset_ns"` // by how much it is ahead
	Drift  float64       `json:"drift"`     // how much faster it runs, as a share
	From   time.Time     `json:"from"`
	Until  time.Time     `json:"until"` // mandatory: chaos that is forgotten must end
}

// at is what the wrong clock shows at an instant.
func (w *wrongClock) at(now time.Time) time.Time {
	if w == nil || !now.Before(w.Until) {
		return now
	}
	drifted := time.Duration(math.Round(float64(now.Sub(w.From)) * w.Drift))
	return now.Add(w.Offset + drifted)
}

// chaosClock is a wall clock that a file makes wrong.
type chaosClock struct {
	file   string
	looked atomic.Int64 // when the file was last read, in Unix nanoseconds
	wrong  atomic.Pointer[wrongClock]
}

// wallClock is the wall clock of a data node: the machine's, unless
// --chaos-clock is given.
func wallClock(cfg *config, flags *pflag.FlagSet) (func() time.Time, error) {
	file, err := flags.GetString(flagChaosClock)
	if err != nil || file == "" {
		return time.Now, err
	}
	if !cfg.chaos {
		return nil, usagef("--%s makes the wall clock wrong on purpose, so it needs --chaos", flagChaosClock)
	}
	c := &chaosClock{file: file}
	if _, err := readWrongClock(file); err != nil {
		return nil, fmt.Errorf("--%s: %w", flagChaosClock, err)
	}
	return c.now, nil
}

// now is the time that the clock shows. A file that cannot be read leaves the
// clock as it was.
func (c *chaosClock) now() time.Time {
	now := time.Now()
	last := c.looked.Load()
	if now.UnixNano()-last >= int64(clockEvery) && c.looked.CompareAndSwap(last, now.UnixNano()) {
		if wrong, err := readWrongClock(c.file); err == nil {
			c.wrong.Store(wrong)
		}
	}
	return c.wrong.Load().at(now)
}

// readWrongClock reads the file; without one, the clock is right.
func readWrongClock(file string) (*wrongClock, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	w := &wrongClock{}
	if err := json.Unmarshal(text, w); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if w.Until.IsZero() {
		return nil, fmt.Errorf(`%s: "until" is missing: a wrong clock needs an end`, file)
	}
	return w, nil
}

// writeWrongClock replaces the file in one step, so that nobody reads half of it.
// A clock without an offset and a drift is right.
func writeWrongClock(file string, w wrongClock) error {
	if w.Offset == 0 && w.Drift == 0 {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	text, err := json.Marshal(w)
	if err != nil {
		return err
	}
	next := filepath.Join(filepath.Dir(file), "."+filepath.Base(file)+".next")
	if err := os.WriteFile(next, text, 0o600); err != nil {
		return err
	}
	return os.Rename(next, file)
}
