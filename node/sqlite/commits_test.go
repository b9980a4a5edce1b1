package sqlite

import (
	"errors"
	"testing"

	"github.com/syncline/syncline/node"
)

// "commit time" (DASHBOARD screen 7) is that of what became durable.
func TestCommitsCountsWhatBecameDurable(t *testing.T) {
	s := open(t, Config{Dir: t.TempDir()})
	before := s.Commits()
	fill(t, s, 1, 1, 10)
	after := s.Commits()
	if after.Count <= before.Count || after.Took <= before.Took {
		t.Fatalf("before a commit %+v, after it %+v", before, after)
	}
	undone := errors.New("undone")
	if err := s.Update(t.Context(), func(node.Tx) error { return undone }); !errors.Is(err, undone) {
		t.Fatal(err)
	}
	if got := s.Commits(); got != after {
		t.Errorf("a transaction that was undone counts: %+v, want %+v", got, after)
	}
}
