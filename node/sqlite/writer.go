package sqlite

import (
	"database/sql/driver"
	"strings"
)

// writer is the one connection that writes, with its statements.
type writer struct {
	*conn
	args []driver.Value // of the statement in hand

	begin, commit, rollback        *stmt
	document, documents            *stmt
	remove, drop                   *stmt
	put, enter                     rowStmt // versions and the log
	conflicted, agreed             *stmt
	addActor, addCollection        *stmt
	setState, setCollection        *stmt
	setCursor, dropCursor, setMeta *stmt
	walPages                       *stmt
	past                           pastWrites
}

// statements are prepared once the schema stands.
func (w *writer) statements() map[**stmt]string {
	const document = "SELECT " + versionColumns + ", v.row, v.id FROM versions v WHERE v.collection = ? AND v.id "
	putOne, putMany := rowTexts("INSERT INTO versions (row, collection, id, actor, seq, time, deleted, clock, sum, body, origin) VALUES ", 11,
		" ON CONFLICT (row) DO UPDATE SET actor = excluded.actor, seq = excluded.seq, time = excluded.time,"+
			" deleted = excluded.deleted, clock = excluded.clock, sum = excluded.sum, body = excluded.body, origin = excluded.origin")
	enterOne, enterMany := rowTexts("INSERT INTO log (actor, seq, row) VALUES ", 3, "")
	return map[**stmt]string{
		&w.begin:    "BEGIN IMMEDIATE",
		&w.commit:   "COMMIT",
		&w.rollback: "ROLLBACK",

		&w.document:  document + "= ?",
		&w.documents: document + "IN (?" + strings.Repeat(", ?", rowsAtOnce-1) + ")",
		&w.remove:    "DELETE FROM versions WHERE row = ?",
		&w.drop:      "DELETE FROM log WHERE actor = ? AND seq IN (?" + strings.Repeat(", ?", rowsAtOnce-1) + ")",

		&w.put.one: putOne, &w.put.many: putMany,
		&w.enter.one: enterOne, &w.enter.many: enterMany,

		&w.conflicted: "INSERT INTO conflicted (collection, id) VALUES (?, ?)",
		&w.agreed:     "DELETE FROM conflicted WHERE collection = ? AND id = ?",

		&w.addActor:      "INSERT INTO actors (name) VALUES (?)",
		&w.addCollection: "INSERT INTO collections (name) VALUES (?)",

		&w.setState:      "UPDATE state SET frontier = ?, time = ? WHERE one = 1",
		&w.setCollection: "UPDATE collections SET digest = ?, documents = ?, tombstones = ?, conflicts = ? WHERE number = ?",
		&w.setCursor:     "INSERT INTO cursors (sender, done) VALUES (?, ?) ON CONFLICT DO UPDATE SET done = excluded.done",
		&w.dropCursor:    "DELETE FROM cursors WHERE sender = ?",
		&w.setMeta:       "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",

		&w.walPages: "PRAGMA wal_checkpoint(NOOP)",
	}
}
