package sqlite

import (
	"context"

	lib "modernc.org/sqlite/lib"
)

// Limits of the write-ahead log.
const (
	// CheckpointPages is the length at which the log's content begins to move
	// into the file, in pages: 100 MiB. SQLite's own 1,000 stall the writer more
	// often; a document that is written again and again is moved once.
	CheckpointPages = 25_000
	// logStretch is how many times that length the log may reach before the
	// writer itself stops to move the rest: 200 MiB. Only a view that is held
	// for long lets it grow further.
	logStretch = 2
	// logLook is what part of that length may have been added before the writer
	// looks how long the log is: to ask costs as much as ten writes.
	logLook = 8
	// pagesOfRow and pagesOfCommit are the most pages that a row alters beside
	// those of its body (of the versions, their index and the log, each with a
	// split), and a commit beside its rows.
	pagesOfRow    = 6
	pagesOfCommit = 6
	// walKeep is the size to which the log's file is cut when it begins anew, in
	// bytes.
	walKeep = CheckpointPages * pageSize
)

// The modes of a checkpoint.
const (
	modePassive  = "PASSIVE"  // waits for nobody, and moves what it can
	modeTruncate = "TRUNCATE" // moves all, and empties the log's file
)

// checkpointTo moves the log's content into the file.
func (c *conn) checkpointTo(mode string) error {
	err := c.ask("PRAGMA wal_checkpoint("+mode+")", func(values) error { return nil })
	if err != nil {
		return failure("checkpoint", err)
	}
	return nil
}

// pages returns at least as many as the pages that a transaction alters.
func (c *changes) pages() int64 {
	n := pagesOfCommit + pagesOfRow*len(c.list)
	for _, one := range c.list {
		if one.version != nil {
			n += len(one.version.Body) / pageSize
		}
	}
	return int64(n)
}

// watchLog looks how long the log is, after a commit that added so many pages
// at most. A checkpoint beside the writer is asked for first; when that does
// not keep up, since the log can begin anew only at a moment without a further
// commit, the writer does it itself.
func (s *Store) watchLog(added int64) {
	if s.unseen += added; s.unseen < s.cfg.logPages/logLook {
		return
	}
	s.unseen = 0
	pages := int64(0)
	err := s.w.walPages.query(func(v values) (bool, error) {
		pages = v.int(1)
		return false, nil
	})
	if err != nil {
		_ = s.breakOff(failure("look at the log", err)) // the next Update says so
		return
	}
	if pages < s.cfg.logPages {
		s.stopAt = logStretch * s.cfg.logPages
		return
	}
	select {
	case s.grown <- struct{}{}:
	default:
	}
	if pages >= s.stopAt {
		s.stopAt = pages + s.cfg.logPages
		_ = s.shorten() // the next Update says so
	}
}

// shorten moves the rest of the log while nothing is committed, so that the
// next commit can begin it anew.
func (s *Store) shorten() error {
	if err := s.w.checkpointTo(modePassive); err != nil && !passing(err) {
		return s.breakOff(err)
	}
	return nil
}

// passing says whether a checkpoint may simply be tried again: the log still
// has everything.
func passing(err error) bool {
	code := codeOf(err)
	return code == lib.SQLITE_FULL || code == lib.SQLITE_BUSY
}

// Run keeps the write-ahead log short, beside the writer, until the context
// ends. It returns the context's error, or why a checkpoint failed: then nothing
// more is written, and the process must end. Without Run the writer does it
// all by itself, later and in larger pieces.
func (s *Store) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.grown:
			if err := s.tend(); err != nil {
				return err
			}
		}
	}
}

// tend moves most of the log while commits go on, and then what they have added
// meanwhile, which is little.
func (s *Store) tend() error {
	err := s.moveBeside()
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.closed || s.broken != nil {
		return nil // Update has said why
	}
	if err != nil && !passing(err) {
		return s.breakOff(err)
	}
	return s.shorten()
}

func (s *Store) moveBeside() error {
	s.tending.Lock()
	defer s.tending.Unlock()
	if s.tender == nil {
		return nil // the store is closed
	}
	return s.tender.checkpointTo(modePassive)
}
