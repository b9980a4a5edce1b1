package node

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/vclock"
)

// keepPast keeps what a write has covered, where the collection asks for it, and
// files a record of a conflict under its siblings. It stands in the transaction
// of the write, whether that was stamped here or came from a peer.
func (b *batch) keepPast(added conflict.Added) error {
	key := added.New.Key
	if key.Collection == RecordCollection {
		return b.tx.FileRecord(key.ID, filingOf(added.Live))
	}
	if len(added.Covered) == 0 || b.e.setting(key.Collection).config.History == 0 {
		return nil
	}
	// The newest has the highest row, since history is read from there.
	covered := slices.SortedFunc(slices.Values(added.Covered), func(u, v *conflict.Version) int {
		if conflict.Newer(u, v) {
			return 1
		}
		return -1
	})
	return b.tx.Keep(covered, added.New.Dot, milliseconds(b.e.cfg.Wall()))
}

// milliseconds is a wall clock's time as the past is dated.
func milliseconds(wall time.Time) int64 { return max(wall.UnixMilli(), 1) }

// filingOf is under what a record is found; nil for one that was deleted, and
// for one that cannot be read.
func filingOf(live conflict.Siblings) *Filing {
	shown := conflict.LWW{}.Show(live)
	var r struct {
		Collection string `json:"collection"`
		Siblings   []struct {
			Dot vclock.Dot `json:"dot"`
		} `json:"siblings"`
	}
	if shown.Deleted || json.Unmarshal(shown.Body, &r) != nil {
		return nil
	}
	name, err := conflict.ParseCollection(r.Collection)
	if err != nil {
		return nil //nolint:nilerr // a peer's nonsense is kept as a document, and found under nothing
	}
	f := &Filing{Collection: name, At: max(shown.Winner.Time.Millis(), 1)}
	for _, s := range r.Siblings {
		if !s.Dot.IsZero() && !slices.Contains(f.Siblings, s.Dot) {
			f.Siblings = append(f.Siblings, s.Dot)
		}
	}
	return f
}
