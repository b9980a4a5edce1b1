package sqlite

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/syncline/syncline/node"
)

// left makes a folder with a sound file of many pages, closed in the order that
// its Meta says.
func left(t *testing.T, clean bool) string {
	t.Helper()
	dir := t.TempDir()
	s := open(t, Config{Dir: dir, Full: true})
	fill(t, s, 1, 2000, 100)
	err := s.Update(t.Context(), func(tx node.Tx) error {
		return tx.SetMeta(node.Meta{Cluster: "k", Node: "a", Actor: actor, Clean: clean, Full: true})
	})
	if err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
	return dir
}

// overwrite puts bytes into a closed file.
func overwrite(t *testing.T, dir string, at int64, b []byte) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(dir, fileName), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(b, at); err != nil {
		t.Fatal(err)
	}
}

// someLeaf is where a page of the versions begins: one in the middle, which
// nobody reads to open the file.
func someLeaf(t *testing.T, dir string) int64 {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, fileName))
	if err != nil {
		t.Fatal(err)
	}
	for at := 0; at < len(content); at += pageSize {
		page := content[at : at+pageSize]
		if bytes.Contains(page, []byte(keyOf(1000).ID)) && bytes.Contains(page, bytes.Repeat([]byte{'x'}, 100)) {
			return int64(at)
		}
	}
	t.Fatal("no page holds the document")
	return 0
}

// "quick_check runs after each unclean stop" (DESIGN 12), and says what it found
// and what to do.
func TestUncleanStopIsChecked(t *testing.T) {
	sound := left(t, false)
	holds(t, open(t, Config{Dir: sound}), 2000)

	broken := left(t, false)
	overwrite(t, broken, someLeaf(t, broken), bytes.Repeat([]byte{0xff}, 64))
	refused(t, Config{Dir: broken}, node.Corrupt, broken, "damaged", "empty one")

	// After a clean stop nobody reads the whole file: this proves that it was
	// the check that found it above.
	closed := left(t, true)
	at := someLeaf(t, closed)
	overwrite(t, closed, at, bytes.Repeat([]byte{0xff}, 64))
	s := open(t, Config{Dir: closed})
	v, err := s.View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	if _, err := v.Rows(actor, 0, 1<<20, 1<<30); node.KindOf(err) != node.Corrupt {
		t.Fatalf("reading a damaged page: %v, want kind %s", err, node.Corrupt)
	}
}

// A file that is no database at all.
func TestGarbageFile(t *testing.T) {
	dir := left(t, true)
	overwrite(t, dir, 0, []byte("this is no database file at all, and never was"))
	refused(t, Config{Dir: dir}, node.Corrupt, dir, "damaged")
}

// "When Update returns nil, all that fn wrote is durable": what a kill leaves is
// the file and the log as they are at that moment.
func TestKilledProcess(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Config{Dir: dir, Full: true})
	if err := s.Update(t.Context(), func(tx node.Tx) error { return tx.SetMeta(node.Meta{Actor: actor}) }); err != nil {
		t.Fatal(err)
	}
	for n := range 20 {
		fill(t, s, n*10+1, n*10+10, 100)
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
		next := open(t, Config{Dir: killed, Full: true})
		holds(t, next, n*10+10)
		mustClose(t, next)
	}
}
