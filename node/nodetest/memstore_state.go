package nodetest

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/google/btree"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// branching is the least number of children of an inner node of the trees: few,
// since each commit copies the nodes on its way.
const branching = 8

// memState is the whole database after one commit. Nothing in it is altered
// once it was committed.
type memState struct {
	docs     *btree.BTreeG[memDoc]            // documents with a live version
	rows     *btree.BTreeG[*conflict.Version] // live versions by dot
	stats    map[conflict.Collection]node.CollectionStat
	cursors  map[vclock.Actor]vclock.Vector
	frontier vclock.Vector
	time     vclock.Time
	meta     node.Meta
	memPast
}

type memDoc struct {
	key  conflict.Key
	live conflict.Siblings
}

func newMemState() *memState {
	return &memState{
		memPast: newMemPast(),
		docs:    btree.NewG(branching, func(a, b memDoc) bool { return compareKeys(a.key, b.key) < 0 }),
		rows:    btree.NewG(branching, func(a, b *conflict.Version) bool { return a.Dot.Compare(b.Dot) < 0 }),
	}
}

func compareKeys(a, b conflict.Key) int {
	return cmp.Or(strings.Compare(string(a.Collection), string(b.Collection)), strings.Compare(string(a.ID), string(b.ID)))
}

// next is the state that a transaction alters: it shares everything with s and
// copies what it touches.
func (s *memState) next() *memState {
	n := *s
	n.docs, n.rows, n.memPast = s.docs.Clone(), s.rows.Clone(), s.memPast.clone()
	return &n
}

func (s *memState) live(key conflict.Key) conflict.Siblings {
	d, _ := s.docs.Get(memDoc{key: key})
	return d.live
}

// list collects the documents of a range.
func (s *memState) list(r node.ListRange) []conflict.Siblings {
	var out []conflict.Siblings
	size := 0
	first := conflict.Key{Collection: r.Collection, ID: max(r.After, conflict.DocID(r.Prefix))}
	s.docs.AscendGreaterOrEqual(memDoc{key: first}, func(d memDoc) bool {
		switch {
		case d.key.Collection != r.Collection || !strings.HasPrefix(string(d.key.ID), r.Prefix),
			len(out) >= r.Limit, size > r.MaxBytes:
			return false
		case d.key.ID <= r.After, r.Conflicted && len(d.live) < 2:
			return true
		}
		for _, v := range d.live {
			size += len(v.Body)
		}
		out = append(out, d.live)
		return true
	})
	return out
}

// after collects an actor's rows above a sequence.
func (s *memState) after(actor vclock.Actor, seq uint64, limit, maxBytes int) []*conflict.Version {
	if seq >= vclock.MaxSeq {
		return nil
	}
	var out []*conflict.Version
	size := 0
	first := &conflict.Version{Dot: vclock.Dot{Actor: actor, Seq: seq + 1}}
	s.rows.AscendGreaterOrEqual(first, func(v *conflict.Version) bool {
		if v.Dot.Actor != actor || len(out) >= limit || size > maxBytes {
			return false
		}
		size += len(v.Body)
		out = append(out, v)
		return true
	})
	return out
}

// actors collects the actors of all rows and of the frontier.
func (s *memState) actors() []vclock.Actor {
	var out []vclock.Actor
	for d := range s.frontier.All() {
		out = append(out, d.Actor)
	}
	last := &conflict.Version{}
	for last != nil {
		beyond := &conflict.Version{Dot: vclock.Dot{Actor: last.Dot.Actor, Seq: vclock.MaxSeq + 1}}
		last = nil
		s.rows.AscendGreaterOrEqual(beyond, func(v *conflict.Version) bool {
			last = v
			out = append(out, v.Dot.Actor)
			return false
		})
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// collections collects what was counted of collections with a live version.
func (s *memState) collections() []node.CollectionStat {
	return slices.SortedFunc(maps.Values(s.stats), func(a, b node.CollectionStat) int {
		return strings.Compare(string(a.Name), string(b.Name))
	})
}
