package merge

import (
	"maps"
	"slices"

	"github.com/syncline/syncline/planted"
	"github.com/syncline/syncline/vclock"
)

// keepFormers lays down earlier values (PROTOCOL D10c): for each other data node
// that is not known to have a member's present value the newest one that it is
// known to have, and the one that this write has overwritten. Where all nodes are
// in step that is one value for each member that changed.
func (t *stamping) keepFormers(out *lineage, units []unit) {
	if planted.On(planted.BaseDropped) && t.allStable() {
		return
	}
	paths := map[string]bool{}
	for _, u := range units {
		paths[u.path] = true
	}
	for _, s := range t.past {
		for path := range s.value {
			paths[path] = true
		}
		for path := range s.formers {
			paths[path] = true
		}
	}
	out.formers = map[string][]former{}
	room := MaxFormers
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		for _, f := range t.formersOf(out, units, path) {
			if room -= len(f.value) + formerCost; room < 0 {
				return
			}
			out.formers[path] = append(out.formers[path], f)
		}
	}
}

// formerCost is about what a former value takes beside its bytes.
const formerCost = 24

// allStable is what the planted bug BaseDropped looks at.
func (t *stamping) allStable() bool {
	return !slices.ContainsFunc(t.past, func(s *sibling) bool { return !t.Stable.Covers(s.Dot) })
}

// formersOf chooses the former values of one member, sorted by mark.
func (t *stamping) formersOf(out *lineage, units []unit, path string) []former {
	i, there := find(units, path)
	changed := there && out.marks[i].Dot == t.New.Dot
	if !there { // it was taken out now, or before
		changed = slices.ContainsFunc(t.past, func(s *sibling) bool { return s.value[path] != nil })
	}
	var candidates []former
	for _, s := range t.past {
		if m, had := s.mark[path]; changed && had {
			candidates = append(candidates, former{m, t.New.Dot, s.value[path]})
		} else if changed {
			candidates = append(candidates, former{mark{}, t.New.Dot, nil})
		}
		candidates = append(candidates, s.formers[path]...)
	}
	if len(t.past) == 0 {
		candidates = append(candidates, former{mark{}, t.New.Dot, nil})
	}
	var kept []former
	keep := func(has func(vclock.Dot) bool) {
		best := -1
		for i, c := range candidates {
			if (c.mark == mark{} || has(c.mark.Dot)) && (best < 0 || candidates[best].mark.before(c.mark)) {
				best = i
			}
		}
		if best >= 0 && !slices.ContainsFunc(kept, func(f former) bool { return f.mark == candidates[best].mark }) {
			kept = append(kept, candidates[best])
		}
	}
	if changed {
		keep(func(vclock.Dot) bool { return true })
	}
	for _, other := range t.Others {
		// Of a member that is gone the newest mark is that of who removed it.
		if there && other.Covers(out.marks[i].Dot) || !there && !slices.ContainsFunc(candidates, func(c former) bool { return !other.Covers(c.over) }) {
			continue
		}
		keep(other.Covers)
	}
	slices.SortFunc(kept, func(a, b former) int {
		if a.mark.before(b.mark) {
			return -1
		}
		return 1
	})
	return kept
}
