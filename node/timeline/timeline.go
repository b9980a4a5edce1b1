package timeline

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limits.
const (
	// MaxRate is how many entries a second are kept in the long run, and
	// MaxBurst how many at once.
	MaxRate  = 10
	MaxBurst = 600
	// MaxEntries is how many entries are kept in memory: an hour at MaxRate, and
	// a burst.
	MaxEntries = 3600*MaxRate + MaxBurst
	// MaxFile is the size at which a file is put aside and a new one begun, in
	// bytes: more than MaxEntries entries.
	MaxFile = 12 << 20
	// FlushEvery is how often entries go to the disk, with a mark of life. A
	// process that is killed loses at most as much.
	FlushEvery = time.Second
	// Span is how long back a question without a beginning looks.
	Span = 15 * time.Minute
)

// Config says what a Timeline is made of.
type Config struct {
	Dir string           // folder that holds its files; it must be there
	Now func() time.Time // the wall clock; nil: time.Now
	// Failed is told when the files cannot be written, once until they can; nil:
	// nobody is.
	Failed func(error)
}

// Timeline is the changes of state of one node. It is safe for concurrent use.
type Timeline struct {
	cfg   Config
	limit *rate.Limiter

	mu      sync.Mutex
	entries []Entry // oldest first
	first   uint64  // number of the oldest; numbers begin at 1 and count entries of this process
	pending []Entry // not on the disk yet
	dropped int     // since the last that was kept

	files  *files // owned by who flushes
	failed bool
}

// Open reads what former runs left, and notes that this one starts. Files that
// cannot be used are an error; lines that cannot be read are left out.
func Open(cfg Config) (*Timeline, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Failed == nil {
		cfg.Failed = func(error) {}
	}
	root, err := os.OpenRoot(cfg.Dir)
	if err != nil {
		return nil, err
	}
	t := &Timeline{cfg: cfg, limit: rate.NewLimiter(MaxRate, MaxBurst), first: 1, files: &files{root: root}}
	old, alive, err := t.files.load()
	if err != nil {
		return nil, errors.Join(err, t.files.close())
	}
	t.entries = old[max(0, len(old)-MaxEntries):]
	t.add(t.start(alive))
	return t, nil
}

// start is the entry of a process that starts now.
func (t *Timeline) start(alive time.Time) Entry {
	e := Entry{Kind: Process, State: Started}
	if n := len(t.entries); n > 0 {
		last := t.entries[n-1]
		e.Cause = "the process before ended without a word"
		if last.Kind == Process && last.State == Stopped {
			e.Cause = "the process before was stopped"
			alive = last.Time
		}
		if alive.Before(last.Time) {
			alive = last.Time
		}
		e.Alive = &alive
	}
	return e
}

// Add notes a change. A zero time is now. It never waits for the disk.
func (t *Timeline) Add(e Entry) {
	now := t.cfg.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.limit.AllowN(now, 1) {
		t.dropped++
		return
	}
	if t.dropped > 0 {
		t.push(Entry{Time: now.UTC(), Kind: Dropped, Count: t.dropped})
		t.dropped = 0
	}
	t.addLocked(e, now)
}

// add is Add for what comes once a run, whatever the rate.
func (t *Timeline) add(e Entry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.addLocked(e, t.cfg.Now())
}

func (t *Timeline) addLocked(e Entry, now time.Time) {
	if e.Time.IsZero() {
		e.Time = now
	}
	e.Time = e.Time.UTC()
	t.push(e)
}

func (t *Timeline) push(e Entry) {
	t.entries = append(t.entries, e)
	if over := len(t.entries) - MaxEntries; over > 0 {
		t.entries = t.entries[over:]
		t.first += uint64(over)
	}
	t.pending = append(t.pending, e)
	t.pending = t.pending[max(0, len(t.pending)-MaxEntries):]
}

// Run writes entries to the disk until the context ends, and then that the
// process stops. It returns the error of the context.
func (t *Timeline) Run(ctx context.Context) error {
	ticker := time.NewTicker(FlushEvery)
	defer ticker.Stop()
	for {
		t.flush()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// Close notes that the process stops, and ends the use of the files. Run must
// have returned.
func (t *Timeline) Close() error {
	t.add(Entry{Kind: Process, State: Stopped})
	t.flush()
	return t.files.close()
}

// flush writes what is pending, and that the process lives. What could not be
// written is tried again with the next flush.
func (t *Timeline) flush() {
	t.mu.Lock()
	pending := t.pending
	t.pending = nil
	t.mu.Unlock()
	err := t.files.write(pending, t.cfg.Now())
	if err != nil {
		t.mu.Lock()
		t.pending = append(slices.Clip(pending), t.pending...)
		t.pending = t.pending[max(0, len(t.pending)-MaxEntries):]
		t.mu.Unlock()
		if !t.failed {
			t.cfg.Failed(err)
		}
	}
	t.failed = err != nil
}
