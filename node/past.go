package node

import (
	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/vclock"
)

// Former is a version that was live here once and is covered now. It is kept
// for the time that its collection's configuration says, at this node only:
// what is kept is not replicated.
type Former struct {
	Version *conflict.Version
	Row     uint64     // rises in the order in which versions were covered here
	By      vclock.Dot // the version that covered it
	At      int64      // when, by this node's wall clock: milliseconds since 1970 UTC, 1 or more
}

// Filing is under what a record of a conflict is found.
type Filing struct {
	Collection conflict.Collection // of the document that was in conflict
	At         int64               // of the record's last change: milliseconds since 1970 UTC, 1 or more
	Siblings   []vclock.Dot        // each once
}

// Ages says since when a collection has something that is kept for a time.
type Ages struct {
	Collection conflict.Collection
	Former     int64 // when the oldest former version was covered, in milliseconds since 1970 UTC; 0: there is none
	Record     int64 // likewise of the oldest record of a conflict
}

// PastView is what a View tells of the past.
type PastView interface {
	// History returns former versions of a document from rows below one, the
	// highest first: at most limit versions, and no more than one beyond maxBytes
	// of bodies.
	History(key conflict.Key, below uint64, limit, maxBytes int) ([]Former, error)
	// Former returns the former version with a dot, nil when none is kept.
	Former(dot vclock.Dot) (*Former, error)
	// RecordsOf returns, sorted, the records in which a version is a sibling, at
	// most limit.
	RecordsOf(dot vclock.Dot, limit int) ([]conflict.DocID, error)
	// OldRecords returns the records of a collection whose last change was before
	// a time, the oldest first, at most limit.
	OldRecords(name conflict.Collection, before int64, limit int) ([]conflict.DocID, error)
	// Ages returns, sorted by name, the collections that have former versions or
	// records.
	Ages() ([]Ages, error)
}

// PastTx is how a Tx keeps the past.
type PastTx interface {
	// Keep keeps versions that by has covered; they are of one document. One that
	// is kept already stays as it is.
	Keep(covered conflict.Siblings, by vclock.Dot, at int64) error
	// DropHistory forgets the former versions of a collection that were covered
	// before a time, the oldest first, at most limit. It returns how many it was.
	DropHistory(name conflict.Collection, before int64, limit int) (int, error)
	// FileRecord says under what a record is found from now on; nil: under
	// nothing.
	FileRecord(record conflict.DocID, under *Filing) error
}
