package sqlite

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

const actor = vclock.Actor("a~aaaaaaaa")

func keyOf(i int) conflict.Key {
	return conflict.Key{Collection: "c", ID: conflict.DocID(fmt.Sprintf("%06d", i))}
}

// versionOf makes the n-th version of the actor.
func versionOf(key conflict.Key, n, size int) *conflict.Version {
	v := &conflict.Version{Key: key, Dot: vclock.Dot{Actor: actor, Seq: uint64(n)}, Time: vclock.Time(n), Body: []byte(strings.Repeat("x", size))}
	v.Sum = v.ComputeSum()
	return v
}

// put commits documents from a number on, and the frontier.
func put(ctx context.Context, s *Store, from, to, size int) error {
	return s.Update(ctx, func(tx node.Tx) error {
		for i := from; i <= to; i++ {
			if err := tx.Write(versionOf(keyOf(i), i, size), nil); err != nil {
				return err
			}
		}
		return tx.SetFrontier(vclock.VectorOf(vclock.Dot{Actor: actor, Seq: uint64(to)}), vclock.Time(to))
	})
}

func fill(t testing.TB, s *Store, from, to, size int) {
	t.Helper()
	if err := put(t.Context(), s, from, to, size); err != nil {
		t.Fatal(err)
	}
}

// check says whether a store has exactly the first documents.
func check(ctx context.Context, s *Store, count int) error {
	v, err := s.View(ctx)
	if err != nil {
		return err
	}
	defer v.Close()
	rows, err := v.Rows(actor, 0, 1<<20, 1<<30)
	if err != nil {
		return err
	}
	if len(rows) != count || v.Frontier().Get(actor) != uint64(count) {
		return fmt.Errorf("%d rows and frontier %s, want %d", len(rows), v.Frontier(), count)
	}
	for i, u := range rows {
		if err := u.Check(); err != nil || u.Dot.Seq != uint64(i+1) {
			return fmt.Errorf("row %d: %s, %w", i+1, u.Dot, err)
		}
	}
	return nil
}

func holds(t testing.TB, s *Store, count int) {
	t.Helper()
	if err := check(t.Context(), s, count); err != nil {
		t.Fatal(err)
	}
}

func mustClose(t testing.TB, s *Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// refused says that a folder cannot be opened, and why.
func refused(t *testing.T, cfg Config, kind node.Kind, words ...string) {
	t.Helper()
	s, err := Open(t.Context(), cfg)
	if err == nil {
		mustClose(t, s)
		t.Fatalf("%s was opened, want %s", cfg.Dir, kind)
	}
	if node.KindOf(err) != kind {
		t.Fatalf("%v is of kind %s, want %s", err, node.KindOf(err), kind)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q does not say %q", err, w)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("%q is more than one line", err)
	}
}

// Paths are whatever people name their folders: the DSN is a URI, in which some
// characters mean something.
func TestOddPaths(t *testing.T) {
	for _, name := range []string{"a b", "q?mode=ro", "h#x", "p%41%zz", "ü漢", "semi;c&d=1", `quote'"`, "file:", "back\\slash", "+"} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), name, "deep", name)
			s := open(t, Config{Dir: dir, Full: true})
			fill(t, s, 1, 3, 10)
			mustClose(t, s)
			if _, err := os.Stat(filepath.Join(dir, fileName)); err != nil {
				t.Fatal(err)
			}
			holds(t, open(t, Config{Dir: dir}), 3)
		})
	}
}

// "Folder locked": "a lock so that one folder has one process".
func TestLockedFolder(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Config{Dir: dir})
	refused(t, Config{Dir: dir}, node.Locked, dir, fmt.Sprintf("process %d", os.Getpid()))
	mustClose(t, s)
	open(t, Config{Dir: dir})
}

// "Disk unwritable: one clear line."
func TestUnwritableFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, Config{Dir: filepath.Join(file, "folder")}, node.Invalid, file, "cannot be written")
	refused(t, Config{Dir: file}, node.Invalid, file, "cannot be written")
	inTheWay := t.TempDir()
	if err := os.Mkdir(filepath.Join(inTheWay, fileName), 0o700); err != nil {
		t.Fatal(err)
	}
	refused(t, Config{Dir: inTheWay}, node.Invalid, inTheWay, "cannot be written")
	refused(t, Config{Dir: t.TempDir(), Readers: 1}, node.Invalid, "readers")
}

// script runs SQL on the file of a closed store.
func script(t testing.TB, dir, text string) {
	t.Helper()
	c, err := openConn(t.Context(), access{path: filepath.Join(dir, fileName)})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.script(t.Context(), text); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}

// "A file newer than the program is refused with a clear message" (DESIGN 3).
func TestNewerFile(t *testing.T) {
	dir := t.TempDir()
	mustClose(t, open(t, Config{Dir: dir}))
	script(t, dir, "PRAGMA user_version = 99")
	refused(t, Config{Dir: dir}, node.NewerFile, dir, "99", "up to 4", "newer program")
}

func TestForeignFile(t *testing.T) {
	dir := t.TempDir()
	script(t, dir, "CREATE TABLE theirs (x)")
	refused(t, Config{Dir: dir}, node.Invalid, dir, "none of Syncline's")
}

// "Numbered migrations that run forward in a transaction": from nothing and from
// each older version.
func TestMigrations(t *testing.T) {
	files := fstest.MapFS{
		"sql/001_a.sql": {Data: []byte("CREATE TABLE a (x);\nINSERT INTO a VALUES (1)")},
		"sql/002_b.sql": {Data: []byte("ALTER TABLE a ADD COLUMN y DEFAULT 2;\n-- and a comment")},
		"sql/003_c.sql": {Data: []byte("CREATE TABLE c AS SELECT x + y AS z FROM a;")},
	}
	all, err := loadMigrations(files)
	if err != nil {
		t.Fatal(err)
	}
	for old := range len(all) + 1 {
		c := scratch(t)
		if err := migrate(t.Context(), c, "dir", all[:old]); err != nil {
			t.Fatal(err)
		}
		if err := migrate(t.Context(), c, "dir", all); err != nil {
			t.Fatalf("from version %d: %v", old, err)
		}
		if z, err := c.askInt("SELECT sum(z) FROM c"); err != nil || z != 3 {
			t.Fatalf("from version %d: %d, %v", old, z, err)
		}
		if version, err := fileVersion(c, "dir"); err != nil || version != 3 {
			t.Fatalf("version %d, %v", version, err)
		}
	}
}

// A migration that fails leaves the file as it was.
func TestFailedMigration(t *testing.T) {
	c := scratch(t)
	good := []string{"CREATE TABLE a (x)"}
	if err := migrate(t.Context(), c, "dir", append(good, "CREATE TABLE b (x); INSERT INTO nowhere VALUES (1)")); err == nil {
		t.Fatal("a migration that cannot run succeeded")
	}
	if version, err := fileVersion(c, "dir"); err != nil || version != 1 {
		t.Fatalf("version %d, %v, want 1", version, err)
	}
	if n, err := c.askInt("SELECT count(*) FROM sqlite_schema WHERE name = 'b'"); err != nil || n != 0 {
		t.Fatalf("half of the migration is left: %d, %v", n, err)
	}
	if err := migrate(t.Context(), c, "dir", append(good, "CREATE TABLE b (x)")); err != nil {
		t.Fatal(err)
	}
}

// Migrations are numbered without gaps, or two programs would mean two things
// by one version.
func TestMigrationNumbers(t *testing.T) {
	for _, names := range [][]string{{"sql/002_a.sql"}, {"sql/001_a.sql", "sql/003_b.sql"}, {"sql/001_a.sql", "sql/001_b.sql"}, {"sql/first.sql"}} {
		files := fstest.MapFS{}
		for _, n := range names {
			files[n] = &fstest.MapFile{Data: []byte("SELECT 1")}
		}
		if _, err := loadMigrations(files); err == nil {
			t.Errorf("%v were accepted", names)
		}
	}
}

// scratch is a connection to a new file.
func scratch(t *testing.T) *conn {
	t.Helper()
	c, err := openConn(t.Context(), access{path: filepath.Join(t.TempDir(), fileName)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}
