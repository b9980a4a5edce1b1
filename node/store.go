package node

import (
	"context"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/vclock"
)

// Store is one node's database. node/sqlite keeps it in a file, MemStore of
// node/nodetest in memory; one conformance suite holds for both. Versions that
// go in or come out are shared and must not be altered.
//
// Who has read a commit is shown no state before it any more, by Read or by a
// View that is opened afterwards (monotonic reads; Terry et al. 1994).
type Store interface {
	// Meta reads what the file says about itself.
	Meta(ctx context.Context) (Meta, error)
	// Read returns one document and the frontier, from one snapshot.
	Read(ctx context.Context, key conflict.Key) (Reading, error)
	// View opens a snapshot for several questions. The caller closes it, soon:
	// the file cannot be compacted past it.
	View(ctx context.Context) (View, error)
	// Update runs fn in the one write transaction. When Update returns nil, all
	// that fn wrote is durable; when it returns an error of kind DiskFull, or
	// fn's own error, nothing of it is; any other error means that nobody knows,
	// and the process must end (an fsync is never retried). An Update does not
	// heed the end of its context: a commit broken off would leave that doubt.
	Update(ctx context.Context, fn func(Tx) error) error
	// Sync returns when all that was committed is durable, also in a store that
	// does not sync each commit.
	Sync(ctx context.Context) error
	// Close ends the use of the file; all of it is durable then.
	Close() error
}

// Reading is one document at one moment.
type Reading struct {
	Live     conflict.Siblings
	Frontier vclock.Vector
}

// View is a read snapshot.
type View interface {
	Frontier() vclock.Vector
	// Time is at least the time of every version that was written here.
	Time() vclock.Time
	// Document returns the live versions of one document.
	Document(key conflict.Key) (conflict.Siblings, error)
	// List returns documents of a collection in the order of their ids (bytes),
	// each with all its live versions, tombstones too.
	List(ListRange) ([]conflict.Siblings, error)
	// Rows returns live versions of one actor with a sequence above after, in
	// order of sequence: at most limit versions, and no more than one beyond
	// maxBytes of bodies.
	Rows(actor vclock.Actor, after uint64, limit, maxBytes int) ([]*conflict.Version, error)
	// Actors returns, sorted, the actors of all live versions and of the
	// frontier.
	Actors() ([]vclock.Actor, error)
	// Collections returns, sorted by name, the collections with a live version.
	Collections() ([]CollectionStat, error)
	// Cursor returns how far the catch-up from a sender's actor came.
	Cursor(sender vclock.Actor) (vclock.Vector, error)
	PastView
	Close() error
}

// ListRange is a part of a collection.
type ListRange struct {
	Collection conflict.Collection
	Prefix     string         // of the ids
	After      conflict.DocID // only ids above this one
	Conflicted bool           // only documents with two live versions or more
	Limit      int            // documents
	MaxBytes   int            // of bodies; the document that passes it is the last
}

// Tx is the write transaction. Reads see its own writes.
type Tx interface {
	// Expect says that these documents will be asked for: to read many at once
	// costs less than to read each. It changes no answer.
	Expect(keys []conflict.Key) error
	Document(key conflict.Key) (conflict.Siblings, error)
	// Write makes v live and takes the covered away; all are of one document.
	Write(v *conflict.Version, covered conflict.Siblings) error
	// SetFrontier moves the frontier, and the time that no later write of this
	// node may go below.
	SetFrontier(frontier vclock.Vector, last vclock.Time) error
	SetCollection(CollectionStat) error
	// SetCursor keeps how far the catch-up from a sender's actor came; the empty
	// vector forgets it.
	SetCursor(sender vclock.Actor, done vclock.Vector) error
	SetMeta(Meta) error
	PastTx
}

// CollectionStat counts one collection.
type CollectionStat struct {
	Name       conflict.Collection
	Digest     conflict.Sum // PROTOCOL D12
	Documents  int64        // with a live version that is no tombstone: those in the digest
	Tombstones int64        // documents of which only tombstones are live
	Conflicts  int64        // documents with two live versions or more
}

// count adds one document's share n times; n is 1 or -1.
func (c CollectionStat) count(s conflict.Siblings, n int64) CollectionStat {
	if len(s) == 0 {
		return c
	}
	c.Digest = c.Digest.XOR(s.Digest())
	if s.Alive() {
		c.Documents += n
	} else {
		c.Tombstones += n
	}
	if len(s) > 1 {
		c.Conflicts += n
	}
	return c
}

// Standing says how sound a node's past is (PROTOCOL part 1).
type Standing string

// The standings.
const (
	StandingNew        Standing = "new"         // an empty file that has met nobody
	StandingCatchingUp Standing = "catching_up" // others have data that this node waits for
	StandingGood       Standing = "good"
)

// Meta is what a database file says about itself. The zero Meta is that of a
// file that was just made.
type Meta struct {
	Cluster  string
	Node     string
	Actor    vclock.Actor
	Standing Standing
	Clean    bool   // the last process that had the file stopped in good order
	Full     bool   // that process synced each commit (synchronous=FULL)
	Born     uint64 // when the file was made, in milliseconds since 1970 UTC: its incarnation
	Starts   uint64 // how often a process has opened it; a voter's boot counter
	Roster   []byte // the durable roster, as cmd wrote it at the first start
}
