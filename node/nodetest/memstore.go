package nodetest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/syncline/syncline/node"
)

// KeptStates is how many commits a MemStore below Full can lose at most.
const KeptStates = 64

// MemConfig says what a MemStore is like.
type MemConfig struct {
	// Full means that each commit is synced, so that a crash loses none.
	// Without it a crash may lose the last ones.
	Full bool
}

// MemStore is a node.Store in memory. It is safe for use by several
// goroutines; a read never waits for a write.
type MemStore struct {
	cfg  MemConfig
	open atomic.Pointer[memState] // the last commit; nil once the store is closed

	writer sync.Mutex  // held during an Update; guards what follows
	last   *memState   // the last commit
	past   []*memState // the states before it, oldest first; none with Full
	fault  *fault
	broken error // why no further Update is taken
}

var _ node.Store = (*MemStore)(nil)

// fault is what the next Update meets.
type fault struct {
	err     error
	applied bool
}

var (
	errClosed = errors.New("store: it is closed")
	errBroken = errors.New("store: a commit failed, and nobody knows what was kept; open the file anew")
)

// NewMemStore makes the store of a file that was just made.
func NewMemStore(cfg MemConfig) *MemStore {
	return openMem(cfg, newMemState())
}

func openMem(cfg MemConfig, s *memState) *MemStore {
	m := &MemStore{cfg: cfg, last: s}
	m.open.Store(s)
	return m
}

// Meta implements node.Store.
func (m *MemStore) Meta(ctx context.Context) (node.Meta, error) {
	s, err := m.load(ctx)
	if err != nil {
		return node.Meta{}, err
	}
	return s.meta, nil
}

// View implements node.Store.
func (m *MemStore) View(ctx context.Context) (node.View, error) {
	s, err := m.load(ctx)
	if err != nil {
		return nil, err
	}
	return &memView{s}, nil
}

func (m *MemStore) load(ctx context.Context) (*memState, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s := m.open.Load(); s != nil {
		return s, nil
	}
	return nil, errClosed
}

// Update implements node.Store.
func (m *MemStore) Update(_ context.Context, fn func(node.Tx) error) error {
	m.writer.Lock()
	defer m.writer.Unlock()
	switch {
	case m.open.Load() == nil:
		return errClosed
	case m.broken != nil:
		return m.broken
	}
	tx := &memTx{memState: m.last.next()}
	if err := fn(tx); err != nil {
		return err
	}
	f := m.fault
	m.fault = nil
	if f == nil || f.applied {
		m.commit(tx.memState)
	}
	if f == nil {
		return nil
	}
	if node.KindOf(f.err) != node.DiskFull {
		m.broken = errBroken
	}
	return f.err
}

func (m *MemStore) commit(next *memState) {
	if !m.cfg.Full {
		if len(m.past) == KeptStates {
			m.past = slices.Delete(m.past, 0, 1)
		}
		m.past = append(m.past, m.last)
	}
	m.last = next
	m.open.Store(next)
}

// FailNext makes the next Update whose function succeeds end with an error.
// One of kind node.DiskFull applies nothing and leaves the store usable; after
// any other the store takes no further Update, and applied says what a restart
// will find.
func (m *MemStore) FailNext(err error, applied bool) {
	m.writer.Lock()
	defer m.writer.Unlock()
	m.fault = &fault{err: err, applied: applied && node.KindOf(err) != node.DiskFull}
}

// Reopen is what a new process finds after the old one ended: after a crash
// the store without the last commits, as many as lose says, at most KeptStates
// and none with Full; after Close all of it. The old store is closed; its views
// stay readable.
func (m *MemStore) Reopen(lose int) *MemStore {
	m.writer.Lock()
	defer m.writer.Unlock()
	if lose = min(lose, len(m.past)); lose > 0 {
		m.last = m.past[len(m.past)-lose]
	}
	m.close()
	return openMem(m.cfg, m.last)
}

// Sync implements node.Store.
func (m *MemStore) Sync(ctx context.Context) error {
	m.writer.Lock()
	defer m.writer.Unlock()
	if _, err := m.load(ctx); err != nil {
		return err
	}
	m.past = nil
	return m.broken
}

// Close implements node.Store. Closing twice is no error.
func (m *MemStore) Close() error {
	m.writer.Lock()
	defer m.writer.Unlock()
	m.close()
	return nil
}

func (m *MemStore) close() {
	m.open.Store(nil)
	m.past = nil
}
