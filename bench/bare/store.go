package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"

	_ "modernc.org/sqlite" // the database driver
)

const (
	checkpointPages = 10_000 // pages of WAL before a checkpoint; the default of 1,000 stalls the writer
	cacheKiB        = 64_000 // KiB of page cache
)

// schema: one row a document, found by its name, in one tree.
const schema = `CREATE TABLE IF NOT EXISTS docs (
	c    TEXT NOT NULL,
	id   TEXT NOT NULL,
	body BLOB NOT NULL,
	PRIMARY KEY (c, id)
) STRICT, WITHOUT ROWID`

const upsert = `INSERT INTO docs (c, id, body) VALUES (?, ?, ?)
	ON CONFLICT (c, id) DO UPDATE SET body = excluded.body`

// store is one SQLite file with one pinned connection that writes.
type store struct {
	db                      *sql.DB
	conn                    *sql.Conn
	begin, commit, rollback *sql.Stmt
	put                     *sql.Stmt
}

// openStore opens or creates the file in a folder.
func openStore(ctx context.Context, dir string) (*store, error) {
	pragmas := url.Values{"_txlock": {"immediate"}, "_pragma": {
		"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(5000)",
		fmt.Sprintf("wal_autocheckpoint(%d)", checkpointPages),
		fmt.Sprintf("cache_size(-%d)", cacheKiB),
	}}
	// Pragmas reach a connection only through a name that begins with "file:".
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "bare.db")+"?"+pragmas.Encode())
	if err != nil {
		return nil, err
	}
	s := &store{db: db}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *store) prepare(ctx context.Context) error {
	var err error
	if s.conn, err = s.db.Conn(ctx); err != nil {
		return err
	}
	if _, err := s.conn.ExecContext(ctx, schema); err != nil {
		return err
	}
	for _, p := range []struct {
		stmt **sql.Stmt
		text string
	}{
		{&s.begin, "BEGIN IMMEDIATE"},
		{&s.commit, "COMMIT"},
		{&s.rollback, "ROLLBACK"},
		{&s.put, upsert},
	} {
		*p.stmt, err = s.conn.PrepareContext(ctx, p.text) //nolint:sqlclosecheck // closed with the connection that they are pinned to
		if err != nil {
			return fmt.Errorf("prepare %q: %w", p.text, err)
		}
	}
	return nil
}

// inTransaction runs fn in one transaction.
func (s *store) inTransaction(ctx context.Context, fn func() error) error {
	if _, err := s.begin.ExecContext(ctx); err != nil {
		return err
	}
	err := fn()
	if err == nil {
		_, err = s.commit.ExecContext(ctx)
	}
	if err != nil {
		_, undo := s.rollback.ExecContext(ctx)
		return errors.Join(err, undo)
	}
	return nil
}

// Close closes the statements with their connection.
func (s *store) Close() error {
	var err error
	if s.conn != nil {
		err = s.conn.Close()
	}
	return errors.Join(err, s.db.Close())
}
