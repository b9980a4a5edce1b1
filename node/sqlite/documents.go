package sqlite

import (
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
	mu         sync.Mutex
	lru        *simplelru.LRU[conflict.Key, metDocument]
	frontier   vclock.Vector
	commits    uint64
	committing bool // the file may be one commit ahead of what is here
	size       int
	limit      int
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
	if d.commits == since && !d.committing {
		d.put(key, m)
	}
}

// begin says that the file is about to be committed.
func (d *documents) begin() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.committing = true
}

// abandon says that nothing was committed after all.
func (d *documents) abandon() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.committing = false
}

// close lets go of everything, and caches nothing more.
func (d *documents) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.limit = 0
	d.lru.Purge()
}

// commit caches what a transaction left, and its frontier. It comes after the
// commit of the file, and before anybody is told of it.
func (d *documents) commit(met map[conflict.Key]*metDocument, frontier vclock.Vector) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.committing = false
	d.commits++
	d.frontier = frontier
	for key, m := range met {
		d.put(key, *m)
	}
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
