package merge

import (
	"maps"
	"slices"

	"github.com/syncline/syncline/planted"
	"github.com/syncline/syncline/vclock"
)

// Base is the document that siblings come from, as far as they say (PROTOCOL
// D10c).
type Base struct {
	Body  []byte // nil: there was none
	Exact bool   // it is what the pasts of all siblings have in common
}

// Base puts the base of siblings together, member by member, from what travels
// with them: nothing that only this node knows takes part, so that it is the same
// everywhere. Tombstones may be among them.
func (r *Rules) Base(of []*Version) (Base, error) {
	siblings, err := r.readAll(of)
	if err != nil {
		return Base{}, err
	}
	b := Base{Exact: comparable(siblings) == nil && !pastOf(siblings).doubled()}
	for _, s := range siblings {
		b.Exact = b.Exact && s.aside != beyondAside
	}
	var units []unit
	for _, path := range pathsOf(siblings) {
		f, exact := baseOf(siblings, path)
		value := f.value
		if r.rule(path) == Sum && value != nil {
			value, exact = meetOf(siblings, path, value), exact || b.Exact
		}
		b.Exact = b.Exact && exact
		if value != nil {
			units = append(units, unit{path, value})
		}
	}
	units = slices.DeleteFunc(units, func(u unit) bool { // an object that was empty at one time
		return slices.ContainsFunc(units, func(part unit) bool { return inside(part.path, u.path) })
	})
	if len(units) > 0 || b.Exact && slices.ContainsFunc(siblings, func(s *sibling) bool { return len(s.formers) > 0 && s.hadDocument() }) {
		b.Body = assemble(units)
	}
	return b, nil
}

// hadDocument says whether a sibling's writer wrote over a document.
func (s *sibling) hadDocument() bool {
	for _, formers := range s.formers {
		for _, f := range formers {
			if (f.mark != mark{}) {
				return true
			}
		}
	}
	return false
}

// pathsOf are the members that siblings have or had, the newest sibling's order
// first.
func pathsOf(siblings []*sibling) []string {
	var out []string
	seen := map[string]bool{}
	add := func(path string) {
		if !seen[path] {
			seen[path] = true
			out = append(out, path)
		}
	}
	for _, s := range slices.Backward(siblings) {
		for _, u := range s.units {
			add(u.path)
		}
	}
	var gone []string
	for _, s := range siblings {
		gone = slices.AppendSeq(gone, maps.Keys(s.formers))
	}
	slices.Sort(gone)
	for _, path := range gone {
		add(path)
	}
	return out
}

// baseOf is the newest value of a member that all siblings have in their past:
// of all present and former values the highest mark that every clock covers. It
// is exact where somebody has it as the present value, or says what overwrote it
// and not everybody has seen that, and where that is so of one value only.
func baseOf(siblings []*sibling, path string) (best former, exact bool) {
	common := func(d vclock.Dot) bool {
		return !slices.ContainsFunc(siblings, func(s *sibling) bool { return !s.Clock.Covers(d) })
	}
	last := map[vclock.Dot]bool{} // marks after which nobody is known to have written in the common past
	found := false
	take := func(f former, present bool) {
		if (f.mark != mark{}) && !common(f.mark.Dot) {
			return
		}
		if !found || best.mark.before(f.mark) {
			best, found = f, true
		}
		if present || !common(f.over) {
			last[f.mark.Dot] = true
		}
	}
	for i, s := range siblings {
		if planted.On(planted.BaseLocal) && i > 0 {
			break // the last one written here knows best
		}
		if m, ok := s.mark[path]; ok {
			take(former{mark: m, value: s.value[path]}, true)
		}
		for _, f := range s.formers[path] {
			take(f, false)
		}
	}
	return best, last[best.mark.Dot] && len(last) == 1
}

// meetOf is the number that the pasts of all siblings have in common.
func meetOf(siblings []*sibling, path string, value []byte) []byte {
	common := siblings[0].tallies[path]
	for _, s := range siblings[1:] {
		common = common.meet(s.tallies[path])
	}
	if n := common.total(); inDouble(n) && compareNumbers(n, counted(value)) != 0 {
		return []byte(text(n))
	}
	return value
}
