package conflict

import (
	"bytes"
	"slices"

	"github.com/syncline/syncline/vclock"
)

// Visible returns the siblings without those that are another attempt of a write
// that is there already (PROTOCOL D5): of those with one write id and equal
// content all but the one with the smallest dot; of two settlements of one set
// the one by the older policy, whatever it says; those whose write a sibling has
// in its past; and those that were stamped again. Equal content without a common
// id is never one write. The join knows nothing of this: all of them stay live.
func (s Siblings) Visible() Siblings {
	if len(s) < 2 || !slices.ContainsFunc(s, func(v *Version) bool { return v.Origin != nil }) {
		return s
	}
	out := make(Siblings, 0, len(s))
	for _, v := range s {
		if !slices.ContainsFunc(s, func(u *Version) bool { return u != v && hides(u, v) }) {
			out = append(out, v)
		}
	}
	if len(out) == 0 {
		return s // versions that hide each other in a circle are no attempts of one write
	}
	return out
}

// Attempts are the ids of requests and settlements that a version which covers
// these has in its past: of all that may have another attempt on its way to
// somebody, which is none that is stable. At most MaxPast, the last ones.
func (s Siblings) Attempts(stable vclock.Vector) []WriteID {
	var out []WriteID
	for _, v := range s {
		if v.Origin == nil || stable.Covers(v.Dot) {
			continue
		}
		for _, id := range append(slices.Clone(v.Origin.Past), v.Origin.Write) {
			if !id.IsZero() && !slices.Contains(out, id) {
				out = append(out, id)
			}
		}
	}
	return out[max(0, len(out)-MaxPast):]
}

// hides says whether u is what v is too, so that v need not be seen.
func hides(u, v *Version) bool {
	if u.Origin == nil {
		return false
	}
	if !u.Origin.Old.IsZero() && u.Origin.Old == v.Dot {
		return true
	}
	if v.Origin == nil || v.Origin.Write.IsZero() {
		return false
	}
	if slices.Contains(u.Origin.Past, v.Origin.Write) {
		return true
	}
	if u.Origin.Write != v.Origin.Write {
		return false
	}
	if u.Origin.Settles && v.Origin.Settles {
		if u.Origin.Policy != v.Origin.Policy {
			return u.Origin.Policy > v.Origin.Policy
		}
		return u.Dot.Compare(v.Dot) < 0
	}
	return u.Deleted == v.Deleted && bytes.Equal(u.Body, v.Body) && u.Dot.Compare(v.Dot) < 0
}
