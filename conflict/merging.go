package conflict

import (
	"errors"
	"fmt"
	"slices"

	"github.com/syncline/syncline/conflict/merge"
	"github.com/syncline/syncline/vclock"
)

// Merge merges siblings member by member (PROTOCOL D10). A tombstone beside
// updates is decided by the delete policy first; one that loses takes nothing
// with it. What cannot be merged for certain waits for a person, and the newest
// version stands in.
type Merge struct {
	Rules   *merge.Rules
	Delete  DeletePolicy
	MaxBody int    // bytes; a longer result waits for a person
	Version string // of the configuration
}

// MaxMerge is the most bytes of bodies that are merged, together: a read computes
// the merge as long as the conflict is open.
const MaxMerge = 32 << 20

// Reasons why a merge defers.
const (
	ReasonBlind        Reason = "blind"
	ReasonBeforePolicy Reason = "before_policy"
	ReasonTooLarge     Reason = "too_large"
	ReasonDamaged      Reason = "damaged"
)

// Show implements Policy.
func (p Merge) Show(s Siblings) Shown {
	seen := s.Visible()
	shown := LWW{Delete: p.Delete}.Show(seen)
	alive := slices.DeleteFunc(slices.Clone(seen), func(v *Version) bool { return v.Deleted })
	if shown.Deleted || len(alive) == 1 {
		return shown
	}
	size := 0
	for _, v := range alive {
		size += len(v.Body)
	}
	if size > MaxMerge {
		return shown.deferred(ReasonTooLarge, fmt.Sprintf("the versions have %d bytes together: at most %d are merged", size, MaxMerge))
	}
	m, err := p.Rules.Merge(mergeable(alive))
	if err != nil {
		return shown.deferred(reasonOf(err), err.Error())
	}
	if len(m.Body) > p.MaxBody {
		return shown.deferred(ReasonTooLarge, fmt.Sprintf("merged, the document would have %d bytes: at most %d", len(m.Body), p.MaxBody))
	}
	shown.Body, shown.Decided = m.Body, m.Decided
	shown.Merged, shown.Winner = len(alive), nil
	return shown
}

// deferred is what stands in until a person has decided.
func (s Shown) deferred(reason Reason, detail string) Shown {
	s.Open, s.Reason, s.Detail = true, reason, detail
	return s
}

func reasonOf(err error) Reason {
	switch {
	case errors.Is(err, merge.ErrBlind):
		return ReasonBlind
	case errors.Is(err, merge.ErrBeforePolicy), errors.Is(err, merge.ErrOrigins):
		return ReasonBeforePolicy
	}
	return ReasonDamaged
}

// Name implements Policy.
func (p Merge) Name() string { return string(KindMerge) + " " + p.Version }

// mergeable are versions as the package merge takes them.
func mergeable(s Siblings) []*merge.Version {
	out := make([]*merge.Version, len(s))
	for i, v := range s {
		out[i] = v.mergeable()
	}
	return out
}

func (v *Version) mergeable() *merge.Version {
	m := &merge.Version{Dot: v.Dot, Time: v.Time, Clock: v.Clock, Deleted: v.Deleted, Body: v.Body}
	if v.Origin != nil {
		m.Write, m.Lineage = merge.WriteID(v.Origin.Write), v.Origin.Lineage
	}
	return m
}

// Writing is what has to be known of a new version to say what it changed.
type Writing struct {
	New     *Version // with its clock and write id; without lineage and sum
	Shown   Siblings // what its writer was shown, hidden attempts too
	Covered Siblings
	Blind   bool   // its writer was shown more, which this node does not have
	Aside   bool   // its writer was shown something else than what is live now
	By      Policy // that showed it
	Others  []vclock.Vector
	Stable  vclock.Vector
}

// Lineage is what a new version says of its change, in binary form; see
// merge.Stamp.
func Lineage(rules *merge.Rules, w Writing) ([]byte, error) {
	_, merged := w.By.(Merge)
	deleted := len(w.Shown) == 0 || w.By.Show(w.Shown).Deleted
	return rules.Stamp(merge.Stamping{
		New: *w.New.mergeable(), Named: mergeable(w.Shown), Visible: mergeable(w.Shown.Visible()), Covered: mergeable(w.Covered),
		Blind: w.Blind, Aside: w.Aside, Merged: merged, Deleted: deleted, Others: w.Others, Stable: w.Stable,
	})
}

// Past is what siblings say of where they come from: for a script, for a record
// and for display.
type Past struct {
	Base  merge.Base
	Sums  map[string]string // by path: what all writes added, as JSON numbers
	Known bool              // lineages are laid down in this collection
}

// PastOf puts together what siblings say. Those of a collection without lineages
// say nothing.
func PastOf(rules *merge.Rules, s Siblings) (Past, error) {
	if rules == nil {
		return Past{}, nil
	}
	seen := mergeable(s.Visible())
	base, err := rules.Base(seen)
	if err != nil {
		return Past{}, err
	}
	sums, err := rules.Sums(slices.DeleteFunc(seen, func(v *merge.Version) bool { return v.Deleted }))
	return Past{Base: base, Sums: sums, Known: true}, err
}
