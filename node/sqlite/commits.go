package sqlite

import (
	"sync/atomic"
	"time"
)

// Commits counts the transactions that became durable since the store was opened.
type Commits struct {
	Count uint64
	Took  time.Duration // the commits alone, all together
}

// commitFigures is what the writer notes and others read.
type commitFigures struct {
	count atomic.Uint64
	took  atomic.Int64 // nanoseconds
}

func (f *commitFigures) note(took time.Duration) {
	f.count.Add(1)
	f.took.Add(int64(took))
}

// Commits says how many transactions were made durable and how long that took.
// It waits for nobody: a commit under way may be in one figure and not yet in
// the other.
func (s *Store) Commits() Commits {
	return Commits{Count: s.figures.count.Load(), Took: time.Duration(s.figures.took.Load())}
}
