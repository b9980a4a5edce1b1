package sqlite

import (
	"errors"
	"os"
	"testing"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/nodetest"
)

func open(t testing.TB, cfg Config) *Store {
	t.Helper()
	s, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// "One conformance suite per port: MemStore and SQLite pass the same one"
// (HOUSE habit 13).
func TestStore(t *testing.T) {
	for name, documents := range map[string]int{
		"with a cache": DefaultDocumentBytes, "with a cache of one document": documentOverhead + 100, "from the file": 1,
	} {
		t.Run(name, func(t *testing.T) {
			nodetest.StoreSuite(t, func(t *testing.T) node.Store {
				return open(t, Config{Dir: t.TempDir(), Full: true, Readers: suiteReaders, DocumentBytes: documents})
			})
		})
	}
}

// suiteReaders are as few as the suite needs. To open a store takes as long as
// it has readers, and the suite opens many.
const suiteReaders = nodetest.SuiteViews + ReservedReaders

// "Sync returns when all that was committed is durable, also in a store that
// does not sync each commit."
func TestSyncBelowFull(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Config{Dir: dir, logPages: testLogPages})
	for n := range 3 {
		// The second time the log has been moved away, the third it begins anew.
		fill(t, s, n*10+1, n*10+10, 100)
		if err := s.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := s.shorten(); err != nil {
			t.Fatal(err)
		}
		if err := s.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	holds(t, s, 30)
	// A log that cannot be synced leaves everybody in doubt.
	if err := os.Remove(s.cfg.logPath()); err != nil {
		t.Fatal(err)
	}
	if err := s.Sync(t.Context()); err == nil {
		t.Fatal("a log that is gone was synced")
	}
	if err := put(t.Context(), s, 31, 31, 100); !errors.Is(err, errBroken) {
		t.Fatalf("an update after that: %v, want that it is refused", err)
	}
}
