package merge

import (
	"cmp"
	"maps"
	"slices"

	"github.com/syncline/syncline/vclock"
)

// WriteID names a request or a settlement; zero names none.
type WriteID [16]byte

// Version is what is merged.
type Version struct {
	Dot     vclock.Dot
	Time    vclock.Time
	Clock   vclock.Context
	Deleted bool
	Body    []byte
	Write   WriteID
	Lineage []byte // as Stamp has laid it down; empty when it was stamped without
}

// Covers says whether v's writer had seen a dot, or v is it.
func (v *Version) covers(d vclock.Dot) bool { return v.Dot == d || v.Clock.Covers(d) }

// newer says whether a comes after b by (time, actor, sequence).
func newer(a, b *sibling) bool {
	if a.Time != b.Time {
		return a.Time > b.Time
	}
	return a.Dot.Compare(b.Dot) > 0
}

// mark says which version has last changed a member, and that version's height:
// one more than that of all versions that it came after.
type mark struct {
	Dot    vclock.Dot
	Height uint64
}

// before orders marks by height, then dot.
func (m mark) before(o mark) bool {
	if m.Height != o.Height {
		return m.Height < o.Height
	}
	return m.Dot.Compare(o.Dot) < 0
}

// former is an earlier value of a member. The zero mark is that of a member that
// was never there.
type former struct {
	mark  mark
	over  vclock.Dot // the version that overwrote it
	value []byte     // nil: the member was absent
}

// amounts are what one write added, by path. What is zero is left out.
type amounts map[string]number

// aside says whether former values tell all. A write that was made beside what was
// live, or over a tombstone, leaves gaps for those who come after it.
type aside byte

const (
	notAside    aside = iota
	madeAside         // the version itself
	beyondAside       // one of its past: no base is exact
)

// lineage is the decoded form.
type lineage struct {
	blind    bool // the version's context named versions that its node did not have
	aside    aside
	outline  outline           // of the rules that it was stamped by
	origin   vclock.Dot        // the version whose value the tallies begin with; zero: an empty document
	height   uint64            // one more than the highest that the version came after
	marks    []mark            // of the units, sorted by path
	elements map[string][]mark // of the arrays that are merged by elements: who added each
	tallies  map[string]tallies
	attempts map[WriteID]map[vclock.Dot]amounts // writes of the past that may have another attempt
	taken    map[vclock.Dot]amounts             // second attempts: they count for nothing
	formers  map[string][]former
}

// sibling is a version with its document taken apart.
type sibling struct {
	*Version
	lineage

	units []unit // in the order of the document
	value map[string][]byte
	mark  map[string]mark
	items map[string][]item // of the arrays that are merged by elements
	late  bool              // it has no lineage of its own, by these rules
}

// read takes a version apart. One that was stamped without a lineage, by other
// rules or blindly begins a lineage: whoever writes over it alone counts from its
// value.
func (r *Rules) read(v *Version) (*sibling, error) {
	s := &sibling{Version: v, value: map[string][]byte{}, mark: map[string]mark{}, items: map[string][]item{}}
	if !v.Deleted {
		var err error
		if s.units, err = r.unitsOf(v.Body); err != nil {
			return nil, err
		}
	}
	if err := s.lineage.unmarshal(v.Lineage); err != nil {
		return nil, err
	}
	s.late = len(v.Lineage) == 0 || s.blind || s.outline != r.outline || len(s.marks) != len(s.units)
	if s.late {
		s.begin(r)
	}
	sorted := slices.Clone(s.units)
	slices.SortFunc(sorted, func(a, b unit) int { return cmp.Compare(a.path, b.path) })
	for i, u := range sorted {
		s.value[u.path] = u.value
		s.mark[u.path] = s.marks[i]
		if list, ok := r.list(u); ok {
			s.items[u.path] = itemsOf(list, s.elements[u.path], s.marks[i])
		}
	}
	return s, nil
}

// begin gives a sibling the lineage of a beginning: its value, and nothing before.
func (s *sibling) begin(r *Rules) {
	s.lineage = lineage{blind: s.blind, outline: r.outline, origin: s.Dot, tallies: map[string]tallies{}}
	s.marks = make([]mark, len(s.units))
	for i := range s.marks {
		s.marks[i] = mark{Dot: s.Dot}
	}
	for _, u := range s.units {
		if r.rule(u.path) == Sum {
			t := &Tally{}
			t.add(s.Dot, counted(u.value))
			s.tallies[u.path] = tallies{s.Dot: t}
		}
	}
}

// counted is the number that a member counts with: none counts as zero.
func counted(value []byte) number {
	if !isNumber(value) {
		return nil
	}
	n, err := parseNumber(string(value))
	if err != nil {
		return nil
	}
	return n
}

// own is what the version itself added.
func (s *sibling) own() amounts {
	out := amounts{}
	for path, lives := range s.tallies {
		for _, t := range lives {
			if n := t.Loose[s.Dot]; n != nil {
				out[path] = n
			}
		}
	}
	return out
}

// past is the join of the numbers of several versions.
type past struct {
	tallies  map[string]tallies
	attempts map[WriteID]map[vclock.Dot]amounts
	taken    map[vclock.Dot]amounts
}

func pastOf(of []*sibling) *past {
	p := &past{tallies: map[string]tallies{}, attempts: map[WriteID]map[vclock.Dot]amounts{}, taken: map[vclock.Dot]amounts{}}
	for _, s := range of {
		for path, t := range s.tallies {
			if p.tallies[path] == nil {
				p.tallies[path] = tallies{}
			}
			p.tallies[path].join(t)
		}
		for id, dots := range s.attempts {
			for d, a := range dots {
				p.attempt(id, d, a)
			}
		}
		if s.Write != (WriteID{}) {
			p.attempt(s.Write, s.Dot, s.own())
		}
		maps.Copy(p.taken, s.taken)
	}
	p.takeBack()
	return p
}

func (p *past) attempt(id WriteID, d vclock.Dot, a amounts) {
	if p.attempts[id] == nil {
		p.attempts[id] = map[vclock.Dot]amounts{}
	}
	p.attempts[id][d] = a
}

// total is the number of a path: everything that was added, without what second
// attempts of a write have added.
func (p *past) total(path string) number {
	sum := p.tallies[path].total()
	for _, a := range p.taken {
		sum = minus(sum, a[path])
	}
	return sum
}
