package node

import (
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/syncline/syncline/conflict"
)

// maxConflictIDs is how many ids of open conflicts a node remembers to have told.
const maxConflictIDs = 20_000

// conflictIDs remembers which document an id of an open conflict was told for.
// An id is a hash, so the document cannot be read off it, and whoever comes back
// with it after one more sibling came wants to hear the new one.
type conflictIDs struct {
	mu  sync.Mutex
	lru *simplelru.LRU[string, conflict.Key]
}

func newConflictIDs() (*conflictIDs, error) {
	lru, err := simplelru.NewLRU[string, conflict.Key](maxConflictIDs, nil)
	return &conflictIDs{lru: lru}, err
}

func (c *conflictIDs) keyOf(id string) (conflict.Key, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lru.Get(id)
}

// ConflictID returns the id of the conflict that a document is in, and remembers
// whose it is, so that whoever comes back with it after one more sibling came is
// told the new one.
func (e *Engine) ConflictID(d *Document) string {
	id := d.Live.ID()
	e.conflicts.mu.Lock()
	defer e.conflicts.mu.Unlock()
	e.conflicts.lru.Add(id, d.Key)
	return id
}
