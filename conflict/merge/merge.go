package merge

import (
	"cmp"
	"errors"
	"slices"
)

// Why a set of siblings cannot be merged.
var (
	// ErrBlind: a sibling's writer had a context with versions that its node did
	// not have, so nobody knows what it changed.
	ErrBlind = errors.New("a sibling was written with a context whose versions its node did not have")
	// ErrBeforePolicy: a sibling says nothing of what it changed, since it was
	// stamped before these rules were in force.
	ErrBeforePolicy = errors.New("a sibling was written before these rules were in force")
	// ErrOrigins: the siblings' numbers do not begin at one version.
	ErrOrigins = errors.New("the siblings do not go back to one version from which their changes are known")
)

// Merged is what siblings have become.
type Merged struct {
	Body    []byte
	Decided []Decided // members that several siblings have changed, in the order of Body

	value map[string][]byte
	mark  map[string]mark // of those members that stand in one sibling only
	items map[string][]item
}

// Decided is how a member that several siblings have changed was decided.
type Decided struct {
	Path string
	Rule Rule
	// Instead says why another rule than the collection's was taken, or is empty.
	Instead string
}

// Together says whether all values are in what was made of them.
func (d *Decided) Together() bool {
	switch d.Rule {
	case Sum, Union, Concat, KeepBoth:
		return d.Instead == ""
	case LWW, Max, Min:
	}
	return false
}

// Merge computes the document of versions of which none covers another and none
// is a tombstone. Its error is one of those above, or of a damaged version.
func (r *Rules) Merge(of []*Version) (*Merged, error) {
	siblings, err := r.readAll(of)
	if err != nil {
		return nil, err
	}
	return merged(r, siblings)
}

// readAll takes versions apart, and puts them in the order of time and actor.
func (r *Rules) readAll(of []*Version) ([]*sibling, error) {
	var out []*sibling
	for _, v := range of {
		s, err := r.read(v)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	sortByTime(out)
	return out, nil
}

func sortByTime(of []*sibling) {
	slices.SortFunc(of, func(a, b *sibling) int { return cmp.Or(cmp.Compare(a.Time, b.Time), a.Dot.Compare(b.Dot)) })
}

// merged is Merge for versions that were taken apart.
func merged(r *Rules, siblings []*sibling) (*Merged, error) {
	siblings = slices.Clone(siblings)
	sortByTime(siblings)
	if len(siblings) > 1 {
		if err := comparable(siblings); err != nil {
			return nil, err
		}
	}
	m := &merging{rules: r, siblings: siblings, past: pastOf(siblings), items: map[string][]item{}}
	m.stand = newStanding(siblings, m.past)
	out := &Merged{value: map[string][]byte{}, mark: map[string]mark{}, items: m.items}
	units := m.all()
	for _, u := range units {
		out.value[u.path] = u.value
		if standing := m.stand.of(u.path); len(standing) == 1 {
			out.mark[u.path] = standing[0].mark[u.path]
			out.items[u.path] = standing[0].items[u.path]
		}
	}
	out.Decided = m.decided
	out.Body = assemble(units)
	if len(siblings) == 1 {
		out.Body = siblings[0].Body
	}
	return out, nil
}

// comparable says why siblings cannot be merged.
func comparable(siblings []*sibling) error {
	for _, s := range siblings {
		switch {
		case s.blind:
			return ErrBlind
		case s.late:
			return ErrBeforePolicy
		case s.origin != siblings[0].origin:
			return ErrOrigins
		}
	}
	return nil
}

// merging is one Merge at work.
type merging struct {
	rules    *Rules
	siblings []*sibling // by time and actor
	stand    *standing
	past     *past
	decided  []Decided
	items    map[string][]item // of arrays that were merged
}

// all are the units of the merged document: those of the newest sibling in its
// order, then what the others have beyond, newest first.
func (m *merging) all() []unit {
	var out []unit
	seen := map[string]bool{}
	for _, s := range slices.Backward(m.siblings) {
		for _, u := range s.units {
			if seen[u.path] {
				continue
			}
			seen[u.path] = true
			if standing := m.stand.of(u.path); len(standing) > 0 {
				out = append(out, unit{u.path, m.decide(u.path, standing)})
			}
		}
	}
	return m.untangle(out)
}

// decide is the value of a member.
func (m *merging) decide(path string, standing []*sibling) []byte {
	rule := m.rules.rule(path)
	newest := slices.MaxFunc(standing, func(a, b *sibling) int {
		if newer(a, b) {
			return 1
		}
		return -1
	})
	var value []byte
	instead := ""
	switch {
	case rule == Sum && len(m.siblings) > 1:
		value, instead = m.sum(path, standing)
	case len(standing) > 1:
		value, instead = m.apply(rule, path, standing)
	default:
		return standing[0].value[path]
	}
	if value == nil {
		value = newest.value[path]
	}
	if len(standing) > 1 {
		m.decided = append(m.decided, Decided{path, rule, instead})
	}
	return value
}

// untangle decides where one sibling has a value and another has members in its
// place: the newer one's stands. An empty object is no value then.
func (m *merging) untangle(units []unit) []unit {
	for i := 0; i < len(units); i++ {
		whole := units[i]
		parts := m.newestOf(units, func(path string) bool { return inside(path, whole.path) })
		if parts == nil {
			continue
		}
		own := m.newestOf(units, func(path string) bool { return path == whole.path })
		whichGoes := func(u unit) bool { return inside(u.path, whole.path) }
		if whole.value[0] == '{' || newer(parts, own) {
			whichGoes = func(u unit) bool { return u.path == whole.path }
		}
		if whole.value[0] != '{' {
			m.decided = append(m.decided, Decided{whole.path, LWW, "one has a value there, and another has members"})
		}
		units = slices.DeleteFunc(units, whichGoes)
		i = -1
	}
	return units
}

// newestOf is the newest sibling that has one of some units standing.
func (m *merging) newestOf(units []unit, which func(path string) bool) *sibling {
	var best *sibling
	for _, u := range units {
		if !which(u.path) {
			continue
		}
		for _, s := range m.stand.of(u.path) {
			if best == nil || newer(s, best) {
				best = s
			}
		}
	}
	return best
}

// Sums are the numbers of the paths with the rule sum, as JSON: what all writes
// that any of the siblings has in its past have added. It is nil where the
// siblings cannot be merged; see Merge.
func (r *Rules) Sums(of []*Version) (map[string]string, error) {
	siblings, err := r.readAll(of)
	if err != nil {
		return nil, err
	}
	if len(siblings) > 1 && comparable(siblings) != nil {
		return nil, nil //nolint:nilerr // what cannot be merged has no sums, which is no error
	}
	out := map[string]string{}
	p := pastOf(siblings)
	for _, path := range r.sums {
		if n := p.total(path); inDouble(n) && slices.ContainsFunc(siblings, func(s *sibling) bool { return s.value[path] != nil }) {
			out[path] = text(n)
		}
	}
	return out, nil
}
