package sqlite

import (
	"database/sql/driver"
)

// writer is the one connection that writes, with its statements.
type writer struct {
	*conn
	args []driver.Value // of the insert or update in hand

	begin, commit, rollback        *stmt
	document                       *stmt
	insert, rewrite, remove        *stmt
	conflicted, agreed             *stmt
	addActor, addCollection        *stmt
	setState, setCollection        *stmt
	setCursor, dropCursor, setMeta *stmt
	walPages                       *stmt
}

// statements are prepared once the schema stands.
func (w *writer) statements() map[**stmt]string {
	return map[**stmt]string{
		&w.begin:    "BEGIN IMMEDIATE",
		&w.commit:   "COMMIT",
		&w.rollback: "ROLLBACK",

		&w.document: "SELECT " + versionColumns + ", v.row FROM versions v WHERE v.id = ? AND v.collection = ?",
		&w.insert:   "INSERT INTO versions (collection, id, actor, seq, time, deleted, clock, sum, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		&w.rewrite:  "UPDATE versions SET actor = ?, seq = ?, time = ?, deleted = ?, clock = ?, sum = ?, body = ? WHERE row = ?",
		&w.remove:   "DELETE FROM versions WHERE row = ?",

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
