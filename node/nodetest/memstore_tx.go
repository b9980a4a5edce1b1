package nodetest

import (
	"fmt"
	"maps"
	"slices"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// memTx alters a state that nobody else has seen.
type memTx struct {
	*memState
	ownStats, ownCursors bool // the maps are this transaction's own copies
}

func (t *memTx) Expect([]conflict.Key) error { return nil }

func (t *memTx) Document(key conflict.Key) (conflict.Siblings, error) { return t.live(key), nil }

func (t *memTx) Write(v *conflict.Version, covered conflict.Siblings) error {
	before := t.live(v.Key)
	after := make(conflict.Siblings, 0, len(before)+1)
	for _, u := range before {
		if covered.Find(u.Dot) == nil {
			after = append(after, u)
		}
	}
	for _, c := range covered {
		if before.Find(c.Dot) == nil {
			return misuse(v, fmt.Errorf("it covers %s, which is not live", c.Dot))
		}
		t.rows.Delete(c)
	}
	if _, twice := t.rows.ReplaceOrInsert(v); twice {
		return misuse(v, fmt.Errorf("the dot %s stands in another live version", v.Dot))
	}
	at, _ := slices.BinarySearchFunc(after, v.Dot, func(u *conflict.Version, d vclock.Dot) int { return u.Dot.Compare(d) })
	t.docs.ReplaceOrInsert(memDoc{v.Key, slices.Insert(after, at, v)})
	return nil
}

// misuse reports a broken promise of the caller.
func misuse(v *conflict.Version, err error) error {
	return &node.Error{Op: "store write", Kind: node.Bug, Key: v.Key.String(), Err: err}
}

func (t *memTx) SetFrontier(frontier vclock.Vector, last vclock.Time) error {
	t.frontier, t.time = frontier, last
	return nil
}

func (t *memTx) SetCollection(c node.CollectionStat) error {
	if !t.ownStats {
		t.stats, t.ownStats = cloned(t.stats), true
	}
	if c.Documents == 0 && c.Tombstones == 0 {
		delete(t.stats, c.Name)
		return nil
	}
	t.stats[c.Name] = c
	return nil
}

func (t *memTx) SetCursor(sender vclock.Actor, done vclock.Vector) error {
	if !t.ownCursors {
		t.cursors, t.ownCursors = cloned(t.cursors), true
	}
	if done.Len() == 0 {
		delete(t.cursors, sender)
		return nil
	}
	t.cursors[sender] = done
	return nil
}

func (t *memTx) SetMeta(m node.Meta) error {
	m.Roster = slices.Clone(m.Roster)
	t.meta = m
	return nil
}

// cloned copies a map, and makes one of none.
func cloned[M ~map[K]V, K comparable, V any](m M) M {
	if m == nil {
		return M{}
	}
	return maps.Clone(m)
}
