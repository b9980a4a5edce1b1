package sqlite

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// overwriteAll writes each of the first documents again, several in one
// transaction, with the sequences that follow.
func overwriteAll(t *testing.T, s *Store, documents, from int) {
	t.Helper()
	const group = 10
	for at := 0; at < documents; at += group {
		err := s.Update(t.Context(), func(tx node.Tx) error {
			for i := at; i < at+group; i++ {
				live, err := tx.Document(keyOf(i + 1))
				if err != nil {
					return err
				}
				v := versionOf(keyOf(i+1), from+i, 100)
				if err := tx.Write(v, live); err != nil {
					return err
				}
			}
			last := vclock.Dot{Actor: actor, Seq: uint64(from + at + group - 1)}
			return tx.SetFrontier(vclock.VectorOf(last), vclock.Time(last.Seq))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// count asks the file for a number.
func count(t *testing.T, s *Store, text string) int64 {
	t.Helper()
	s.writing.Lock()
	defer s.writing.Unlock()
	n, err := s.w.askInt(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

const (
	entries = "SELECT count(*) FROM log"
	astray  = "SELECT count(*) FROM versions v WHERE NOT EXISTS (SELECT 1 FROM log l WHERE l.row = v.row AND l.actor = v.actor AND l.seq = v.seq)"
)

// liveSeqs reads the log as a sender does.
func liveSeqs(t *testing.T, s *Store) string {
	t.Helper()
	v, err := s.View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	rows, err := v.Rows(actor, 0, 1<<20, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	out := ""
	for _, u := range rows {
		out += fmt.Sprintf(" %d=%s", u.Dot.Seq, u.Key.ID)
	}
	return out
}

// The log keeps entries of covered versions for a while. Nobody sees them, they
// are bounded, and a goodbye takes the last ones out.
func TestStaleEntriesAreSwept(t *testing.T) {
	const documents, batch, rounds = 50, 40, 20
	dir := t.TempDir()
	s := open(t, Config{Dir: dir, sweepBatch: batch})
	fill(t, s, 1, documents, 100)
	most := int64(0)
	for round := 1; round <= rounds; round++ {
		overwriteAll(t, s, documents, round*documents+1)
		most = max(most, count(t, s, entries))
		want := ""
		for i := 1; i <= documents; i++ {
			want += fmt.Sprintf(" %d=%s", round*documents+i, keyOf(i).ID)
		}
		if got := liveSeqs(t, s); got != want {
			t.Fatalf("round %d: the log reads%s", round, got)
		}
	}
	if most <= documents || most > documents+3*batch {
		t.Errorf("the log grew to %d entries of %d documents, want more, and at most %d more", most, documents, 3*batch)
	}
	if n := count(t, s, astray); n != 0 {
		t.Errorf("%d versions have no entry", n)
	}
	err := s.Update(t.Context(), func(tx node.Tx) error {
		live, err := tx.Document(keyOf(1))
		if err != nil {
			return err
		}
		if err := tx.Write(versionOf(keyOf(1), (rounds+2)*documents, 100), live); err != nil {
			return err
		}
		return tx.SetMeta(node.Meta{Actor: actor, Clean: true})
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := count(t, s, entries); n != documents {
		t.Errorf("after the goodbye the log has %d entries of %d documents", n, documents)
	}
}

// What a process that was killed had not swept out is found at the next start.
func TestStaleEntriesOfAKilledProcess(t *testing.T) {
	const documents = 50
	dir := t.TempDir()
	s := open(t, Config{Dir: dir})
	if err := s.Update(t.Context(), func(tx node.Tx) error { return tx.SetMeta(node.Meta{Actor: actor}) }); err != nil {
		t.Fatal(err)
	}
	fill(t, s, 1, documents, 100)
	overwriteAll(t, s, documents, documents+1)
	if n := count(t, s, entries); n != 2*documents {
		t.Fatalf("the log has %d entries before the kill, want %d", n, 2*documents)
	}
	killed := t.TempDir()
	for _, name := range []string{fileName, fileName + "-wal"} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(killed, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	next := open(t, Config{Dir: killed})
	if n := count(t, next, entries); n != documents {
		t.Errorf("after the start the log has %d entries, want %d", n, documents)
	}
	if got, want := liveSeqs(t, next), liveSeqs(t, s); got != want {
		t.Errorf("the log reads%s, want%s", got, want)
	}
}

// A log that lacks a version would keep it from the peers for ever.
func TestLogWithoutAVersion(t *testing.T) {
	dir := left(t, false)
	script(t, dir, "DELETE FROM log WHERE seq = 7")
	refused(t, Config{Dir: dir}, node.Corrupt, "lacks 1")
}

// The file of the first version is brought forward with what is in it.
func TestFirstVersionComesForward(t *testing.T) {
	dir := t.TempDir()
	all, err := loadMigrations(schema)
	if err != nil {
		t.Fatal(err)
	}
	script(t, dir, all[0]+`;
		INSERT INTO actors (number, name) VALUES (1, 'a~aaaaaaaa');
		INSERT INTO collections (number, name, documents) VALUES (1, 'c', 2);
		INSERT INTO versions (row, actor, seq, collection, id, time, deleted, clock, sum, body) VALUES
			(4, 1, 9, 1, 'x', 9, 0, x'0000', zeroblob(16), x'7b7d'), (5, 1, 3, 1, 'y', 3, 0, x'0000', zeroblob(16), x'7b7d');
		PRAGMA user_version = 1`)
	script(t, dir, fmt.Sprintf("PRAGMA application_id = %d", applicationID))
	s := open(t, Config{Dir: dir})
	if got := liveSeqs(t, s); got != " 3=y 9=x" {
		t.Errorf("the log reads%s", got)
	}
	if n := count(t, s, "SELECT count(*) FROM sqlite_schema WHERE name = 'versions_log'"); n != 0 {
		t.Error("the index of the first version is still there")
	}
}
