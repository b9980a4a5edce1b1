package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strconv"

	"modernc.org/sqlite"
)

// busyMillis is how long a statement waits for a lock that a program from
// outside has on the file, in milliseconds. The store's own connections never
// wait for each other.
const busyMillis = 5000

// pageSize is SQLite's page, in bytes.
const pageSize = 4096

// access is how a connection opens the file.
type access struct {
	path       string
	readOnly   bool
	full       bool
	cacheBytes int64
}

// dsn names the file and everything that a connection is told. It begins with
// "file:", or mode=ro would be dropped in silence.
func (a access) dsn() string {
	sync := "NORMAL"
	if a.full {
		sync = "FULL"
	}
	q := url.Values{}
	q.Add("_pragma", "busy_timeout("+strconv.Itoa(busyMillis)+")")
	if a.readOnly {
		q.Add("mode", "ro")
	} else {
		q.Add("_pragma", "journal_mode(WAL)")
		q.Add("_pragma", "synchronous("+sync+")")
		q.Add("_pragma", "wal_autocheckpoint(0)") // a commit's own checkpoint hides its errors
		q.Add("_pragma", "journal_size_limit("+strconv.Itoa(walKeep)+")")
	}
	// A negative size is in KiB.
	q.Add("_pragma", "cache_size("+strconv.FormatInt(-max(a.cacheBytes>>10, 1), 10)+")")
	q.Add("_pragma", "temp_store(MEMORY)")
	q.Add("_pragma", "trusted_schema(OFF)")
	name := url.URL{Scheme: "file", Path: filepath.ToSlash(a.path), RawQuery: q.Encode()}
	return name.String()
}

// conn is one connection of the driver. One goroutine at a time uses it.
type conn struct {
	raw   driver.Conn
	args  []driver.NamedValue
	stmts []*stmt
}

// openConn opens a connection. The file must exist when a is read-only.
func openConn(ctx context.Context, a access) (*conn, error) {
	connector, err := sqlite.NewConnector(a.dsn())
	if err != nil {
		return nil, err
	}
	raw, err := connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &conn{raw: raw}, nil
}

func (c *conn) Close() error {
	var err error
	for _, s := range c.stmts {
		err = errors.Join(err, s.raw.Close())
	}
	return errors.Join(err, c.raw.Close())
}

// stmt is a prepared statement of a connection.
type stmt struct {
	c   *conn
	raw driver.Stmt
	row values
}

// values are one row of an answer. The tables are STRICT, so the columns have
// the types that are asked for; blobs are the caller's own.
type values []driver.Value

func (v values) int(i int) int64 { n, _ := v[i].(int64); return n }

func (v values) text(i int) string { s, _ := v[i].(string); return s }

func (v values) blob(i int) []byte { b, _ := v[i].([]byte); return b }

// prepare compiles a statement that lives as long as the connection.
func (c *conn) prepare(text string) (*stmt, error) {
	raw, err := c.raw.Prepare(text)
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", text, err)
	}
	s := &stmt{c: c, raw: raw}
	c.stmts = append(c.stmts, s)
	return s, nil
}

// prepareAll compiles statements into their places.
func (c *conn) prepareAll(texts map[**stmt]string) error {
	for place, text := range texts {
		s, err := c.prepare(text)
		if err != nil {
			return err
		}
		*place = s
	}
	return nil
}

// bind puts arguments into the connection's buffer, which one statement at a
// time uses: SQLite has copied them when the call returns.
func (c *conn) bind(args []driver.Value) []driver.NamedValue {
	c.args = c.args[:0]
	for i, a := range args {
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: a})
	}
	return c.args
}

// exec runs the statement. Its context never ends: the driver would start a
// goroutine for each statement, and would interrupt a commit in the middle.
func (s *stmt) exec(args ...driver.Value) (driver.Result, error) {
	return s.raw.(driver.StmtExecContext).ExecContext(context.Background(), s.c.bind(args))
}

// do runs a statement whose result says nothing.
func (s *stmt) do(args ...driver.Value) error {
	_, err := s.exec(args...)
	return err
}

// query calls fn with each row of the answer until fn says that it has enough.
// The row is valid until fn returns, what its blobs hold for longer.
func (s *stmt) query(fn func(values) (more bool, err error), args ...driver.Value) (err error) {
	rows, err := s.raw.(driver.StmtQueryContext).QueryContext(context.Background(), s.c.bind(args))
	if err != nil {
		return err
	}
	defer func() {
		if closing := rows.Close(); err == nil { // else it says the same again
			err = closing
		}
	}()
	if s.row == nil {
		s.row = make(values, len(rows.Columns()))
	}
	for more := true; more; {
		if err := rows.Next(s.row); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if more, err = fn(s.row); err != nil {
			return err
		}
	}
	return nil
}

// script runs statements that are used once.
func (c *conn) script(ctx context.Context, text string) error {
	_, err := c.raw.(driver.ExecerContext).ExecContext(ctx, text, nil)
	return err
}

// ask runs a query that is used once, and calls fn with each row.
func (c *conn) ask(text string, fn func(values) error) error {
	raw, err := c.raw.Prepare(text)
	if err != nil {
		return fmt.Errorf("prepare %q: %w", text, err)
	}
	s := &stmt{c: c, raw: raw}
	err = s.query(func(v values) (bool, error) { return true, fn(v) })
	if closing := raw.Close(); err == nil { // else it says the same again
		err = closing
	}
	return err
}

// askInt runs a query whose answer is one number.
func (c *conn) askInt(text string) (int64, error) {
	var n int64
	err := c.ask(text, func(v values) error { n = v.int(0); return nil })
	return n, err
}

// one runs a statement that must alter exactly one row.
func (s *stmt) one(args ...driver.Value) error {
	result, err := s.exec(args...)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n != 1 {
		return errors.Join(damaged("write", fmt.Sprintf("%d rows were altered where there is one", n)), err)
	}
	return nil
}
