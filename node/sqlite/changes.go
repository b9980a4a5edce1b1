package sqlite

import (
	"database/sql/driver"
	"strings"

	"github.com/syncline/syncline/conflict"
)

// rowsAtOnce is how many rows one statement writes: a statement costs more than
// what it does to one row.
const rowsAtOnce = 16

// changes are the rows that a transaction leaves different. They go into the
// file at its end: each once, however often it was written, and many with one
// statement.
type changes struct {
	at   map[int64]int // where in list a row is
	list []change
	next int64 // the number of the next new row
	old  []entry
}

// change is one row as the transaction leaves it.
type change struct {
	row     int64
	version *conflict.Version // nil: the row goes
	fresh   bool              // the file does not have the row
}

// entry is an entry of the log without its row.
type entry struct{ actor, seq int64 }

// reset makes the changes those of a transaction that begins.
func (c *changes) reset(next int64) {
	if len(c.list) > keptMet {
		c.at = nil
	}
	if c.at == nil {
		c.at = map[int64]int{}
	}
	clear(c.at)
	clear(c.list)
	c.list, c.old, c.next = c.list[:0], c.old[:0], next
}

// add puts a version into a new row.
func (c *changes) add(v *conflict.Version) int64 {
	row := c.next
	c.next++
	c.set(change{row: row, version: v, fresh: true})
	return row
}

// replace puts a version, or nothing, into the row of another one, which the
// log had, unless this transaction wrote it, at an entry.
func (c *changes) replace(row int64, v *conflict.Version, was entry) {
	if i, ok := c.at[row]; ok {
		c.list[i].version = v
		return
	}
	c.old = append(c.old, was)
	c.set(change{row: row, version: v})
}

func (c *changes) set(one change) {
	c.at[one.row] = len(c.list)
	c.list = append(c.list, one)
}

// flush writes the rows and the log, and takes entries of covered versions out
// of it.
func (t *tx) flush() error {
	if err := t.removeRows(); err != nil {
		return err
	}
	if err := t.writeRows(t.w.put, t.versionArgs); err != nil {
		return err
	}
	if err := t.writeRows(t.w.enter, t.entryArgs); err != nil {
		return err
	}
	return t.sweep()
}

// removeRows deletes rows. What is not in the file needs nothing.
func (t *tx) removeRows() error {
	for _, c := range t.changes.list {
		if c.version == nil && !c.fresh {
			if err := t.w.remove.one(c.row); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeRows writes the rows that stay, so many at once as a statement takes.
func (t *tx) writeRows(to rowStmt, appendArgs func([]driver.Value, change) ([]driver.Value, error)) error {
	var err error
	args, rows := t.w.args[:0], 0
	for _, c := range t.changes.list {
		if c.version == nil {
			continue
		}
		if args, err = appendArgs(args, c); err != nil {
			return err
		}
		if rows++; rows == rowsAtOnce {
			if err := to.many.do(args...); err != nil {
				return err
			}
			args, rows = args[:0], 0
		}
	}
	t.w.args = args
	for columns := len(args) / max(rows, 1); len(args) > 0; args = args[columns:] {
		if err := to.one.do(args[:columns]...); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) versionArgs(args []driver.Value, c change) ([]driver.Value, error) {
	collection, err := t.collection(c.version.Key.Collection)
	if err != nil {
		return args, err
	}
	actor, err := t.actor(c.version.Dot.Actor)
	if err != nil {
		return args, err
	}
	return appendVersion(append(args, c.row, collection, string(c.version.Key.ID)), c.version, actor)
}

func (t *tx) entryArgs(args []driver.Value, c change) ([]driver.Value, error) {
	actor, err := t.actor(c.version.Dot.Actor)
	return append(args, actor, int64(c.version.Dot.Seq), c.row), err
}

// rowStmt writes rows of one table.
type rowStmt struct {
	one, many *stmt
}

// rowTexts returns the texts of the two statements: head, the places of so many
// rows, tail.
func rowTexts(head string, columns int, tail string) (one, many string) {
	row := "(?" + strings.Repeat(", ?", columns-1) + ")"
	return head + row + tail, head + row + strings.Repeat(", "+row, rowsAtOnce-1) + tail
}
