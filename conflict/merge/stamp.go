package merge

import (
	"cmp"
	"slices"

	"github.com/syncline/syncline/planted"
	"github.com/syncline/syncline/vclock"
)

// Limits of a lineage. One that would pass MaxBytes is left out: conflicts of
// that version wait for a person.
const (
	// MaxBytes is the longest binary form.
	MaxBytes = 256 << 10
	// MaxFormers is the most bytes of former values. What does not fit is left
	// out: then no base is exact.
	MaxFormers = 64 << 10
	// MaxTaken is the most second attempts that are remembered.
	MaxTaken = 256
)

// Stamping is what Stamp has to know of a new version.
type Stamping struct {
	New     Version    // without lineage
	Named   []*Version // what its writer was shown, attempts that are hidden too
	Visible []*Version // of Named, those that are not hidden
	Covered []*Version // live versions that it covers
	Blind   bool       // the writer was shown versions that are not in Named
	Merged  bool       // what was shown was computed by Merge, when Visible are several
	Deleted bool       // what was shown was a tombstone, or nothing
	Aside   bool       // the writer was shown something else than what is live here now

	Others []vclock.Vector // what each other data node is known to have (PROTOCOL D7)
	Stable vclock.Vector   // what all data nodes are known to have
}

// Stamp lays down what a write changed, in binary form. It is empty where that
// cannot be said within the limits. An error is a document or a lineage that is
// damaged.
func (r *Rules) Stamp(s Stamping) ([]byte, error) {
	if s.Blind {
		return (&lineage{blind: true}).marshal(), nil
	}
	t := &stamping{Stamping: s, rules: r}
	for _, v := range slices.Concat(s.Named, s.Covered) {
		if slices.ContainsFunc(t.past, func(p *sibling) bool { return p.Dot == v.Dot }) {
			continue
		}
		one, err := r.read(v)
		if err != nil {
			return nil, err
		}
		t.past = append(t.past, one)
	}
	units, err := []unit(nil), error(nil)
	if !s.New.Deleted {
		if units, err = r.unitsOf(s.New.Body); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(units, func(a, b unit) int { return cmp.Compare(a.path, b.path) })
	out := &lineage{outline: r.outline, aside: t.aside(), height: t.height()}
	t.own = mark{s.New.Dot, out.height}
	t.shown()
	t.count(out, units)
	t.change(out, units)
	t.keepFormers(out, units)
	b := out.marshal()
	if len(b) > MaxBytes || len(out.taken) > MaxTaken {
		return nil, nil
	}
	return b, nil
}

// stamping is one Stamp at work.
type stamping struct {
	Stamping
	rules *Rules
	past  []*sibling // Named and Covered
	own   mark       // of what the version changes
	reset bool       // the tallies begin anew
	was   map[string][]byte
	marks map[string]mark // of what was shown; without those that are written anew
	items map[string][]item
}

// aside says whether former values tell all of the past. They do again from a
// version on that every data node has, and that is all there is: no later write
// misses it.
func (t *stamping) aside() aside {
	alone := len(t.past) == 1 && t.Stable.Covers(t.past[0].Dot)
	switch {
	case slices.ContainsFunc(t.past, func(s *sibling) bool { return s.Deleted || !alone && s.aside != notAside }):
		return beyondAside
	case t.Aside:
		return madeAside
	}
	return notAside
}

// shown finds what the writer was shown, and which marks may be kept. None may
// where what was shown was not a merge, where nothing or a tombstone was shown,
// and for a member about which what is covered does not agree.
func (t *stamping) shown() {
	t.was, t.marks = map[string][]byte{}, map[string]mark{}
	visible := t.siblings(t.Visible)
	if len(visible) == 0 || t.Deleted {
		return
	}
	switch {
	case len(visible) == 1:
		t.was, t.marks, t.items = visible[0].value, visible[0].mark, visible[0].items
	case t.Merged && !slices.ContainsFunc(visible, func(s *sibling) bool { return s.Deleted }):
		if m, refusal := merged(t.rules, visible); refusal == nil {
			t.was, t.marks, t.items = m.value, m.mark, m.items
		}
	}
	p, kept := pastOf(t.past), map[string]mark{}
	stand := newStanding(t.past, p)
	for path, m := range t.marks {
		same := p.attemptsOf(m.Dot)
		if standing := stand.of(path); len(standing) == 1 && slices.Contains(same, standing[0].mark[path].Dot) {
			kept[path] = mark{same[0], m.Height}
		}
	}
	t.marks = kept
	items := map[string][]item{}
	for path, list := range t.items {
		for _, it := range list {
			it.dot = p.attemptsOf(it.dot)[0]
			items[path] = append(items[path], it)
		}
	}
	t.items = items
}

// siblings finds the parts of versions that were read.
func (t *stamping) siblings(of []*Version) []*sibling {
	var out []*sibling
	for _, v := range of {
		at := slices.IndexFunc(t.past, func(p *sibling) bool { return p.Dot == v.Dot })
		out = append(out, t.past[at])
	}
	return out
}

// count lays down the numbers: the join of all that is known, and beyond it what
// this write adds, which is its value less the total of the join, not less the
// value that was shown.
func (t *stamping) count(out *lineage, units []unit) {
	p := pastOf(t.past)
	if origin, one := originOf(t.past); one {
		out.origin = origin
	} else {
		// Numbers that do not begin at one version cannot be told apart from here
		// on. Who merges with this version must have it in its past.
		out.origin, t.reset = t.New.Dot, true
		p = pastOf(nil)
	}
	own := t.New.Dot
	for _, path := range t.rules.sums {
		var value number
		if i, ok := find(units, path); ok {
			value = counted(units[i].value)
		}
		lives := p.tallies[path]
		if lives == nil {
			if value == nil {
				continue
			}
			lives = tallies{}
			p.tallies[path] = lives
		}
		add := minus(value, p.total(path))
		if planted.On(planted.AddToShown) {
			add = minus(value, counted(t.was[path]))
		}
		for _, tally := range lives {
			tally.fold(t.New.Clock.Vector())
		}
		life := lives.life(own)
		if lives[life] == nil {
			lives[life] = &Tally{}
		}
		lives[life].add(own, add)
	}
	p.forget(t.Stable)
	out.tallies, out.attempts, out.taken = p.tallies, p.attempts, p.taken
}

// originOf is the version that all tallies begin with. A single version without
// a lineage begins one.
func originOf(of []*sibling) (vclock.Dot, bool) {
	if len(of) == 0 {
		return vclock.Dot{}, true
	}
	for _, s := range of {
		if s.origin != of[0].origin || s.late && len(of) > 1 {
			return vclock.Dot{}, false
		}
	}
	return of[0].origin, true
}

// change lays down the marks.
func (t *stamping) change(out *lineage, units []unit) {
	out.marks = make([]mark, len(units))
	out.elements = map[string][]mark{}
	for i, u := range units {
		if list, ok := t.rules.list(u); ok && len(list) > 0 {
			out.elements[u.path] = t.changeItems(u.path, list)
		}
		if m, ok := t.marks[u.path]; ok && !t.reset && equal(t.was[u.path], u.value) {
			out.marks[i] = m
			continue
		}
		out.marks[i] = t.own
	}
}

// height is one more than that of all versions that this one comes after.
func (t *stamping) height() uint64 {
	var h uint64
	for _, s := range t.past {
		h = max(h, s.height)
	}
	return h + 1
}

func find(units []unit, path string) (int, bool) {
	return slices.BinarySearchFunc(units, path, func(u unit, path string) int { return cmp.Compare(u.path, path) })
}
