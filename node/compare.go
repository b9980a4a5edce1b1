package node

import (
	"context"
	"errors"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/vclock"
)

// Two nodes compare a collection as PROTOCOL D12 compares all of it, range by
// range of ids: the digest of a range is the XOR of those of its documents, so
// equal ranges cost a few bytes, and only documents of others are named. This is
// a Merkle tree of two levels whose leaves are made when they are asked for
// (Merkle trees in anti-entropy: Dynamo, section 4.7).

// Limits of comparing.
const (
	// MaxCopies is the most documents that are summed up at once.
	MaxCopies = 1000
	// RangeSize is how many documents of the asking node a range has.
	RangeSize = 64
	// MaxCompared is the most documents that one page of differences looks at
	// here; the next page goes on behind them.
	MaxCompared = 50_000
)

// Copy is one document as one node has it.
type Copy struct {
	ID      conflict.DocID
	Dots    []vclock.Dot // of the live versions
	Tag     string       // entity tag without quotes
	Deleted bool         // nothing but tombstones is live
	Sum     conflict.Sum // its share in the digest: zero when Deleted
}

// CopyQuery asks for the copies of a range of ids.
type CopyQuery struct {
	Collection conflict.Collection
	After      conflict.DocID // only above this one
	Limit      int            // at most MaxCopies
}

// CopyPage is an answer, in the order of ids.
type CopyPage struct {
	Copies []Copy
	Done   bool // the collection ends here
}

// Copies sums documents up, from one snapshot.
func (e *Engine) Copies(ctx context.Context, q CopyQuery) (CopyPage, error) {
	view, err := e.cfg.Store.View(ctx)
	if err != nil {
		return CopyPage{}, e.storeError("compare", string(q.Collection), err)
	}
	limit := min(q.Limit, MaxCopies)
	page := CopyPage{}
	for len(page.Copies) < limit && !page.Done && err == nil {
		var found []conflict.Siblings
		found, err = view.List(ListRange{Collection: q.Collection, After: q.After, Limit: limit - len(page.Copies), MaxBytes: MaxPageBytes})
		page.Done = len(found) == 0
		for _, live := range found {
			q.After = live[0].Key.ID
			page.Copies = append(page.Copies, e.copyOf(live))
		}
	}
	if err = errors.Join(err, view.Close()); err != nil {
		return CopyPage{}, e.storeError("compare", string(q.Collection), err)
	}
	return page, nil
}

func (e *Engine) copyOf(live conflict.Siblings) Copy {
	c := Copy{ID: live[0].Key.ID, Tag: live.Tag(e.policy(live[0].Key.Collection)), Deleted: !live.Alive(), Sum: live.Digest()}
	for _, v := range live {
		c.Dots = append(c.Dots, v.Dot)
	}
	return c
}

// DifferenceQuery asks which documents differ between this node and another.
type DifferenceQuery struct {
	Node       string              // the other data node
	Collection conflict.Collection // empty: all but the system's own
	Cursor     string              // from the page before, or empty
	Limit      int                 // 0 or less: DefaultPage; at most MaxPage
}

// Difference is one document that differs. A side that has nothing of it is nil.
type Difference struct {
	Key         conflict.Key
	Here, There *Copy
}

// DifferencePage is one page, by collection and id.
type DifferencePage struct {
	Differences []Difference
	Next        string // cursor of the next page; empty at the end
}

// Differ compares copies of the same range of ids, both in the order of ids.
// Documents that are deleted on both sides are equal: a tombstone may be
// forgotten on one of them.
func Differ(name conflict.Collection, here, there []Copy) []Difference {
	var out []Difference
	for len(here) > 0 || len(there) > 0 {
		var d Difference
		switch {
		case len(there) == 0 || len(here) > 0 && here[0].ID < there[0].ID:
			d.Here, here = &here[0], here[1:]
		case len(here) == 0 || there[0].ID < here[0].ID:
			d.There, there = &there[0], there[1:]
		default:
			d.Here, d.There, here, there = &here[0], &there[0], here[1:], there[1:]
		}
		if d.sum(d.Here) == d.sum(d.There) {
			continue
		}
		d.Key = conflict.Key{Collection: name, ID: d.id()}
		out = append(out, d)
	}
	return out
}

func (d *Difference) sum(c *Copy) conflict.Sum {
	if c == nil {
		return conflict.Sum{}
	}
	return c.Sum
}

func (d *Difference) id() conflict.DocID {
	if d.Here != nil {
		return d.Here.ID
	}
	return d.There.ID
}
