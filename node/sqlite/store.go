package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// keptMet is how many documents a transaction may have met for its table to be
// used again: to clear one takes as long as it was large once.
const keptMet = 4096

// Store is a node.Store in a file. Its methods may be called from many
// goroutines; a view is for one at a time.
type Store struct {
	cfg       Config
	lock      *os.File
	shared    *shared
	pool      *pool
	documents *documents
	grown     chan struct{} // rung when the log is worth a checkpoint
	figures   commitFigures

	writing sync.Mutex // held during an Update; guards what follows
	w       *writer
	met     map[conflict.Key]*metDocument // by the transaction in hand
	changes changes                       // of the transaction in hand
	nextRow int64
	stale   staleLog
	broken  error // why nothing more is written
	closed  bool
	unseen  int64 // pages that may have been added since the length of the log was looked at
	stopAt  int64 // pages of log at which the writer stops to shorten it

	tending sync.Mutex // held during a checkpoint beside the writer; guards tender
	tender  *conn      // nil once the store is closed
}

var _ node.Store = (*Store)(nil)

// Read implements node.Store.
func (s *Store) Read(ctx context.Context, key conflict.Key) (node.Reading, error) {
	if m, frontier, ok := s.documents.read(key); ok {
		return node.Reading{Live: m.live, Frontier: frontier}, ctx.Err()
	}
	since := s.documents.now()
	m, frontier, err := s.readFile(ctx, key)
	if err != nil {
		return node.Reading{}, err
	}
	s.documents.keep(key, m, since)
	return node.Reading{Live: m.live, Frontier: frontier}, s.documents.level(ctx, frontier)
}

// readFile reads a document and the frontier from the file.
func (s *Store) readFile(ctx context.Context, key conflict.Key) (metDocument, vclock.Vector, error) {
	r, err := s.pool.take(ctx)
	if err != nil {
		return metDocument{}, vclock.Vector{}, err
	}
	defer s.pool.put(r)
	m, frontier, err := r.readDocument(key)
	if err != nil {
		return metDocument{}, vclock.Vector{}, failure("read "+key.String(), err)
	}
	return m, frontier, nil
}

// Update implements node.Store. It does not heed the end of its context: a
// commit that is broken off would leave everybody in doubt.
func (s *Store) Update(_ context.Context, fn func(node.Tx) error) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.writable(); err != nil {
		return err
	}
	if err := s.w.begin.do(); err != nil {
		return s.breakOff(fmt.Errorf("begin a transaction: %w", err))
	}
	s.changes.reset(s.nextRow)
	t := &tx{
		w: s.w, names: s.shared.names.Load(), met: s.met, changes: &s.changes, stale: &s.stale,
		documents: s.documents, frontier: s.documents.frontier,
	}
	defer s.forget()
	done := false
	defer func() {
		if !done { // fn has panicked
			s.rollBack()
		}
	}()
	err := fn(t)
	done = true
	if err == nil && t.failed == nil {
		err = t.check("write", t.flush())
	}
	if err == nil && t.failed == nil {
		return s.commit(t)
	}
	s.rollBack()
	if t.failed != nil {
		return errors.Join(err, s.breakOff(failure("write", t.failed)))
	}
	return err
}

// forget lets go of the documents of the last transaction.
func (s *Store) forget() {
	if len(s.met) > keptMet {
		s.met = map[conflict.Key]*metDocument{}
		return
	}
	clear(s.met)
}

func (s *Store) writable() error {
	if s.closed {
		return errClosed
	}
	return s.broken
}

// rollBack takes back what the transaction wrote. That SQLite has done so by
// itself already is no failure; that it cannot shows when the next one begins.
func (s *Store) rollBack() {
	_ = s.w.rollback.do()
}

// commit makes the transaction durable, then visible.
func (s *Store) commit(t *tx) error {
	s.documents.begin(t.frontier)
	begun := time.Now()
	if err := s.w.commit.do(); err != nil {
		s.rollBack()
		if err = failure("commit", err); node.KindOf(err) == node.DiskFull {
			s.documents.abandon()
			return err
		}
		s.documents.close()
		return s.breakOff(err)
	}
	s.figures.note(time.Since(begun))
	if t.ownNames {
		s.shared.names.Store(t.names)
	}
	s.nextRow = t.changes.next
	s.stale.commit(t)
	s.documents.commit(t.met)
	s.watchLog(t.changes.pages())
	return nil
}

// breakOff ends all writing: after a failure nobody knows what is on the disk,
// and to try again could make the log look whole when it is not.
func (s *Store) breakOff(err error) error {
	s.broken = fmt.Errorf("%w: %w", errBroken, err)
	return err
}

// Sync implements node.Store. The log is all that a commit below Full leaves in
// the system's memory: a checkpoint syncs what it moves.
func (s *Store) Sync(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.writable(); err != nil || s.cfg.Full {
		return err
	}
	if err := syncFile(s.cfg.logPath()); err != nil {
		return s.breakOff(fmt.Errorf("sync the write-ahead log: %w", err))
	}
	return nil
}

// syncFile syncs a file by its name.
func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Close implements node.Store: it waits for reads and views, moves the log into
// the file and releases the folder. After a failure it leaves the file and the
// log as they are, with the lock, for the process that comes after this one.
// Closing twice is no error.
func (s *Store) Close() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	s.documents.close()
	err := s.pool.close()
	if s.broken != nil {
		return err // closing the last connection would write to the file
	}
	s.tending.Lock()
	defer s.tending.Unlock()
	tender := s.tender
	s.tender = nil
	return errors.Join(err, s.w.checkpointTo(modeTruncate), tender.Close(), s.w.Close(), s.lock.Close())
}

// Sizes are the sizes of the files, in bytes.
type Sizes struct {
	File int64 // the database
	Log  int64 // the write-ahead log
}

// Sizes reads the sizes of the files. The log's is that of its file, which is
// kept for further use after a checkpoint.
func (s *Store) Sizes() (Sizes, error) {
	file, err := os.Stat(s.cfg.path())
	if err != nil {
		return Sizes{}, fmt.Errorf("size of the database: %w", err)
	}
	log, err := os.Stat(s.cfg.logPath())
	if err != nil {
		return Sizes{}, fmt.Errorf("size of the write-ahead log: %w", err)
	}
	return Sizes{File: file.Size(), Log: log.Size()}, nil
}
