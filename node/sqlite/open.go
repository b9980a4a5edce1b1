package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	lib "modernc.org/sqlite/lib"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
)

// DefaultCacheBytes is the size of SQLite's page caches, all together.
const DefaultCacheBytes = 64 << 20

// maxFindings is how many findings of a check an error shows.
const maxFindings = 3

// fileName is the database in its folder. SQLite keeps its write-ahead log and
// the log's index beside it, with -wal and -shm at the end.
const fileName = "syncline.db"

// Config says where a Store is and what it may use.
type Config struct {
	Dir           string // the folder of the database; made when it is missing
	Full          bool   // sync each commit; without it a power cut may lose the last ones
	Readers       int    // read-only connections, MinReaders or more; 0: DefaultReaders
	CacheBytes    int64  // page caches of all connections; 0: DefaultCacheBytes
	DocumentBytes int    // cache of documents, about; 0: DefaultDocumentBytes

	logPages   int64 // CheckpointPages; tests have less
	sweepBatch int   // sweepBatch; tests have less
}

func (c Config) path() string { return filepath.Join(c.Dir, fileName) }

func (c Config) logPath() string { return c.path() + "-wal" }

// Open opens the database of a folder, makes it when there is none, brings an
// older one forward, and checks one that was not closed in good order, which
// reads all of it. Errors have the kinds node.Locked, node.NewerFile,
// node.Corrupt, and node.Invalid for a folder that cannot be used.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if cfg.Readers == 0 {
		cfg.Readers = DefaultReaders
	}
	if cfg.CacheBytes == 0 {
		cfg.CacheBytes = DefaultCacheBytes
	}
	if cfg.DocumentBytes == 0 {
		cfg.DocumentBytes = DefaultDocumentBytes
	}
	if cfg.logPages == 0 {
		cfg.logPages = CheckpointPages
	}
	if cfg.sweepBatch == 0 {
		cfg.sweepBatch = sweepBatch
	}
	if cfg.Readers < MinReaders {
		return nil, &node.Error{Op: "open", Kind: node.Invalid, Key: cfg.Dir, Err: fmt.Errorf("%d readers: want %d or more", cfg.Readers, MinReaders)}
	}
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, unwritable(cfg.Dir, err)
	}
	cfg.Dir = dir
	if err := makeFolder(dir); err != nil {
		return nil, unwritable(dir, err)
	}
	lock, err := lockFolder(dir)
	if err != nil {
		return nil, err
	}
	migrations, err := loadMigrations(schema)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	s := &Store{
		cfg: cfg, lock: lock, shared: &shared{}, grown: make(chan struct{}, 1),
		met: map[conflict.Key]*metDocument{}, stopAt: logStretch * cfg.logPages, stale: staleLog{batch: cfg.sweepBatch},
	}
	if err := s.open(ctx, migrations); err != nil {
		return nil, errors.Join(openFailure(dir, err), s.closeAll(), lock.Close())
	}
	return s, nil
}

// makeFolder makes a folder, and syncs its parent: else a power cut could take
// the folder with everything that was synced inside.
func makeFolder(dir string) error {
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(dir)
	if err := makeFolder(parent); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFile(parent)
}

// openFailure names the folder in an error of Open.
func openFailure(dir string, err error) error {
	switch codeOf(err) {
	case lib.SQLITE_CANTOPEN, lib.SQLITE_READONLY, lib.SQLITE_PERM:
		return unwritable(dir, err)
	}
	return failure("open "+filepath.Join(dir, fileName), err)
}

// open opens the connections: the writer first, since it makes the file and the
// log that the read-only ones need.
func (s *Store) open(ctx context.Context, migrations []string) error {
	a := access{path: s.cfg.path(), full: s.cfg.Full, cacheBytes: s.cfg.CacheBytes / 2}
	c, err := openConn(ctx, a)
	if err != nil {
		return err
	}
	s.w = &writer{conn: c}
	if err := s.prepareFile(ctx, migrations); err != nil {
		return err
	}
	for _, texts := range []map[**stmt]string{s.w.statements(), s.w.past.statements()} {
		if err := c.prepareAll(texts); err != nil {
			return err
		}
	}
	a.cacheBytes = 0 // a checkpoint does not use the cache
	if s.tender, err = openConn(ctx, a); err != nil {
		return err
	}
	a.readOnly, a.cacheBytes = true, s.cfg.CacheBytes/2/int64(s.cfg.Readers)
	var readers []*reader
	for range s.cfg.Readers {
		r, err := openReader(ctx, a, s.shared)
		if err != nil {
			return errors.Join(err, closeReaders(readers))
		}
		readers = append(readers, r)
	}
	s.pool = newPool(readers)
	return nil
}

// prepareFile brings the file to this program's version and looks whether it is
// sound.
func (s *Store) prepareFile(ctx context.Context, migrations []string) error {
	mode := ""
	if err := s.w.ask("PRAGMA journal_mode", func(v values) error { mode = v.text(0); return nil }); err != nil {
		return err
	}
	if mode != "wal" {
		return unwritable(s.cfg.Dir, fmt.Errorf("this file system cannot hold a write-ahead log (SQLite chose journal mode %q)", mode))
	}
	if err := migrate(ctx, s.w.conn, s.cfg.Dir, migrations); err != nil {
		return err
	}
	var m node.Meta
	if err := s.w.ask("SELECT key, value FROM meta", func(v values) error { readMeta(&m, v); return nil }); err != nil {
		return err
	}
	if m.Actor != "" && !m.Clean {
		if err := quickCheck(s.w.conn); err != nil {
			return err
		}
		if err := repairLog(ctx, s.w.conn); err != nil {
			return err
		}
	}
	last, err := s.w.askInt("SELECT coalesce(max(row), 0) FROM versions")
	if err != nil {
		return err
	}
	s.nextRow = last + 1
	n, err := loadNames(s.w.conn)
	if err != nil {
		return err
	}
	s.shared.names.Store(n)
	if s.documents, err = newDocuments(s.cfg.DocumentBytes); err != nil {
		return err
	}
	return s.w.ask("SELECT frontier FROM state WHERE one = 1", func(v values) error {
		s.documents.frontier, err = s.shared.parseFrontier(v.blob(0))
		return err
	})
}

// quickCheck reads the whole file and looks whether its structure holds
// (DESIGN 12).
func quickCheck(c *conn) error {
	var findings []string
	err := c.ask(fmt.Sprintf("PRAGMA quick_check(%d)", maxFindings), func(v values) error {
		for line := range strings.Lines(v.text(0)) {
			if line = strings.TrimSpace(line); line != "ok" && !strings.HasPrefix(line, "***") {
				findings = append(findings, line)
			}
		}
		return nil
	})
	if err == nil && len(findings) > 0 {
		return damaged("check", strings.Join(findings, "; "))
	}
	return err
}

// closeAll closes what a failed Open has opened.
func (s *Store) closeAll() error {
	var err error
	if s.tender != nil {
		err = s.tender.Close()
	}
	if s.w != nil {
		err = errors.Join(err, s.w.Close())
	}
	return err
}
