package merge

import (
	"slices"

	"github.com/syncline/syncline/planted"
	"github.com/syncline/syncline/vclock"
)

// standing finds whose values stand. Siblings share most of their marks, so who
// has seen one is looked up once.
type standing struct {
	siblings []*sibling
	past     *past
	seen     map[vclock.Dot]*sighting
}

// sighting is a mark under all its dots, and which siblings have seen it.
type sighting struct {
	same []vclock.Dot // the smallest first
	by   []bool       // of siblings
}

func newStanding(siblings []*sibling, p *past) *standing {
	return &standing{siblings: siblings, past: p, seen: map[vclock.Dot]*sighting{}}
}

func (s *standing) sighting(d vclock.Dot) *sighting {
	out, ok := s.seen[d]
	if !ok {
		out = &sighting{same: s.past.attemptsOf(d)}
		for _, u := range s.siblings {
			out.by = append(out.by, slices.ContainsFunc(out.same, u.covers))
		}
		s.seen[d] = out
	}
	return out
}

// of returns the siblings whose value of a member stands, one for each mark, in
// the order of the siblings. A value stands unless another sibling had its mark in
// its past and has another mark, or lacks the member: then that one's writer
// replaced it, or took it out. A change beats a removal that did not see it. Marks
// of two attempts of one write are one mark.
func (s *standing) of(path string) []*sibling {
	var out []*sibling
	for _, v := range s.siblings {
		m, has := v.mark[path]
		if !has {
			continue
		}
		seen := s.sighting(m.Dot)
		at := slices.IndexFunc(out, func(u *sibling) bool { return slices.Contains(seen.same, u.mark[path].Dot) })
		switch {
		case at >= 0:
			out[at] = v // the newest of those that have one value: which spelling does not matter
		case !s.replaced(seen, path):
			out = append(out, v)
		}
	}
	return out
}

// replaced says whether somebody who had seen a mark no longer has it.
func (s *standing) replaced(seen *sighting, path string) bool {
	for i, u := range s.siblings {
		if !seen.by[i] {
			continue
		}
		if planted.On(planted.MarksWhole) && u.Dot != seen.same[0] {
			return true // as if one change made all members new
		}
		if !slices.Contains(seen.same, u.mark[path].Dot) {
			return true
		}
	}
	return false
}
