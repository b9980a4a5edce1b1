package conflict

import (
	"bytes"
	"slices"

	"github.com/syncline/syncline/planted"
	"github.com/syncline/syncline/vclock"
)

// Siblings are the live versions of one document: an antichain, sorted by
// dot. Two or more are a conflict. Siblings are immutable.
type Siblings []*Version

// Find returns the sibling with the dot, or nil.
func (s Siblings) Find(d vclock.Dot) *Version {
	for _, v := range s {
		if v.Dot == d {
			return v
		}
	}
	return nil
}

// Added is what Add did.
type Added struct {
	Live    Siblings // the siblings afterwards
	Covered Siblings // those that were live before and are covered now
	New     *Version // the version that came to live; nil when nothing changed
}

// Add joins one version that came from elsewhere into the siblings of its
// document (PROTOCOL D3). A dot that the frontier covers and that is not live
// was covered here, and is dropped, whatever its sender thinks; so is one that
// a live version covers. Nothing else happens: no coalescing of equal content,
// no shortening of clocks, no look at times.
func (s Siblings) Add(v *Version, frontier vclock.Vector) Added {
	same := Added{Live: s}
	if frontier.Covers(v.Dot) || s.Find(v.Dot) != nil {
		return same
	}
	if planted.On(planted.CoalesceContent) {
		s, v = coalesce(s, v)
	}
	for _, u := range s {
		if u.Covers(v) || planted.On(planted.LWWBeforeCausality) && u.Time > v.Time {
			return same
		}
	}
	return s.place(v, func(u *Version) bool {
		return v.Covers(u) || planted.On(planted.LWWBeforeCausality) && v.Time > u.Time
	})
}

// place puts v among the siblings and takes those away that it covers.
func (s Siblings) place(v *Version, covered func(*Version) bool) Added {
	out := Added{Live: make(Siblings, 0, len(s)+1), New: v}
	for _, u := range s {
		if covered(u) {
			out.Covered = append(out.Covered, u)
			continue
		}
		out.Live = append(out.Live, u)
	}
	at, _ := slices.BinarySearchFunc(out.Live, v.Dot, func(u *Version, d vclock.Dot) int { return u.Dot.Compare(d) })
	out.Live = slices.Insert(out.Live, at, v)
	return out
}

// coalesce is the planted bug CoalesceContent: equal bodies become one write.
func coalesce(s Siblings, v *Version) (Siblings, *Version) {
	for i, u := range s {
		if bytes.Equal(u.Body, v.Body) {
			one, other := u, v
			if v.Dot.Compare(u.Dot) < 0 {
				one, other = v, u
			}
			m := *one
			m.Clock = one.Clock.Join(other.Clock).WithLoose(other.Dot)
			return slices.Delete(slices.Clone(s), i, i+1), &m
		}
	}
	return s, v
}

// Seen is what a reader of these siblings has seen of the document: the join
// of their dots and clocks (PROTOCOL D2). A dot that the frontier covers may
// stand for all before it; a loose one stands for itself.
func (s Siblings) Seen(frontier vclock.Vector) vclock.Context {
	var seen vclock.Context
	for _, v := range s {
		seen = seen.Join(v.Clock)
		if frontier.Covers(v.Dot) {
			seen = seen.Join(vclock.ContextOf(vclock.VectorOf(v.Dot)))
		} else {
			seen = seen.WithLoose(v.Dot)
		}
	}
	return seen
}

// Alive says whether a live version is no tombstone.
func (s Siblings) Alive() bool {
	return slices.ContainsFunc(s, func(v *Version) bool { return !v.Deleted })
}

// Conflicts is the number of live versions when there are two or more that are
// not one write, else 0.
func (s Siblings) Conflicts() int {
	if n := len(s.Visible()); n > 1 {
		return n
	}
	return 0
}

// Digest is the document's share in its collection's digest (PROTOCOL D12):
// the XOR of the checksums, of a document that has a live version that is no
// tombstone.
func (s Siblings) Digest() Sum {
	var d Sum
	if s.Alive() {
		for _, v := range s {
			d = d.XOR(v.Sum)
		}
	}
	return d
}
