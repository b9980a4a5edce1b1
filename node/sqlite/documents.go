package sqlite

import (
	"context"
	"math"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/vclock"
)

const (
	// DefaultDocumentBytes is the size of the cache of documents.
	DefaultDocumentBytes = 64 << 20
	// documentOverhead is about what a cached version takes beside its body and
	// id, in bytes (measured: 392): the structs, its clock, its place in the cache.
	documentOverhead = 400
)

// documents holds documents as the last commit left them, with the frontier of
// that commit: a read from it is one snapshot, as one from the file is. SQLite
// costs more than the rest of a GET, and the writer looks at each document
// that it writes.
type documents struct {
	mu       sync.Mutex
	lru      *simplelru.LRU[conflict.Key, metDocument]
	frontier vclock.Vector
	commits  uint64
	pending  *pending // the commit that the file may be ahead of what is here; nil: none
	size     int
	limit    int
}

// pending is a commit that may be in the file already, and is not in the cache.
type pending struct {
	frontier vclock.Vector // after it
	over     chan struct{} // closed when it is in the cache, or nowhere
}

func newDocuments(limit int) (*documents, error) {
	d := &documents{limit: limit}
	var err error
	d.lru, err = simplelru.NewLRU(math.MaxInt, func(_ conflict.Key, m metDocument) { d.size -= m.weight() })
	return d, err
}

// weight is about how many bytes a document takes in memory.
func (m metDocument) weight() int {
	n := 0
	for _, v := range m.live {
		n += len(v.Body) + len(v.Key.ID) + documentOverhead
	}
	return n
}

// read returns a document and the frontier of one snapshot, if it is cached.
func (d *documents) read(key conflict.Key) (metDocument, vclock.Vector, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	m, ok := d.lru.Get(key)
	return m, d.frontier, ok
}

// now counts the commits. What is read from the file after this call may be
// kept only as long as the count is the same.
func (d *documents) now() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.commits
}

// keep caches what a reader found in the file, unless something was committed
// since, when the document might be another by now, or is being committed, when
// it might be newer than the frontier here.
func (d *documents) keep(key conflict.Key, m metDocument, since uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.commits == since && d.pending == nil {
		d.put(key, m)
	}
}

// level returns when what is here is no older than what was read from the file
// with a frontier. Who was shown a commit from the file would else be shown the
// state before it from here. A commit that leaves the frontier as it is cannot
// be told from what was there before, and is waited for to its end.
func (d *documents) level(ctx context.Context, frontier vclock.Vector) error {
	d.mu.Lock()
	p := d.pending
	d.mu.Unlock()
	if p == nil || !p.frontier.Equal(frontier) {
		return nil
	}
	select {
	case <-p.over:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// begin says that the file is about to be committed, with a frontier.
func (d *documents) begin(frontier vclock.Vector) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.pending = &pending{frontier: frontier, over: make(chan struct{})}
}

// abandon says that nothing was committed after all.
func (d *documents) abandon() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.end()
}

// end lets those go on who wait for the pending commit. The lock is held.
func (d *documents) end() {
	if d.pending != nil {
		close(d.pending.over)
		d.pending = nil
	}
}

// close lets go of everything, and caches nothing more: all reads come from the
// file, whatever became of the pending commit there.
func (d *documents) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.limit = 0
	d.lru.Purge()
	d.end()
}

// commit caches what a transaction left, and its frontier. It comes after the
// commit of the file, and before anybody is told of it.
func (d *documents) commit(met map[conflict.Key]*metDocument) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.commits++
	d.frontier = d.pending.frontier
	for key, m := range met {
		d.put(key, *m)
	}
	d.end()
}

func (d *documents) put(key conflict.Key, m metDocument) {
	d.lru.Remove(key)
	w := m.weight()
	if w == 0 || w > d.limit {
		return
	}
	d.lru.Add(key, m)
	for d.size += w; d.size > d.limit; {
		d.lru.RemoveOldest()
	}
}
