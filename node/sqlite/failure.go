package sqlite

import (
	"errors"
	"fmt"

	lib "modernc.org/sqlite/lib"

	"github.com/syncline/syncline/node"
)

var (
	errClosed     = errors.New("store: it is closed")
	errViews      = errors.New("store: it was closed while reads or views were under way")
	errBroken     = errors.New("store: nothing more is written after a failure; end the process")
	errViewClosed = errors.New("view: it is closed")
)

// codeOf returns SQLite's primary result code of an error, or 0 for an error
// that is not SQLite's.
func codeOf(err error) int {
	var coded interface{ Code() int }
	if errors.As(err, &coded) {
		return coded.Code() & 0xff
	}
	return 0
}

// failure gives an error of SQLite the kind that its caller must know. What has
// no kind of its own (such as an I/O error) stays as it is.
func failure(op string, err error) error {
	switch codeOf(err) {
	case lib.SQLITE_FULL:
		return &node.Error{Op: op, Kind: node.DiskFull, Err: fmt.Errorf("the disk is full (%w); nothing was applied", err)}
	case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB:
		return damaged(op, err.Error())
	case lib.SQLITE_CONSTRAINT:
		return &node.Error{Op: op, Kind: node.Bug, Err: fmt.Errorf("a rule of the schema does not hold: %w", err)}
	}
	return fmt.Errorf("%s: %w", op, err)
}

// damaged is the error for a file whose bytes are wrong.
func damaged(op, finding string) error {
	return &node.Error{Op: op, Kind: node.Corrupt, Err: fmt.Errorf(
		"the database is damaged: %s; keep the folder for inspection, and start this node with an empty one: it fetches everything from the other nodes", finding)}
}

// breaks says whether after an error nobody can be sure what is on the disk or
// in SQLite's memory. A full disk and a caller's mistake leave both sound.
func breaks(err error) bool {
	switch codeOf(err) {
	case 0, lib.SQLITE_FULL, lib.SQLITE_CONSTRAINT:
		return false
	}
	return true
}
