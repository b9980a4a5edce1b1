package merge

import (
	"maps"
	"slices"

	"github.com/syncline/syncline/planted"
	"github.com/syncline/syncline/vclock"
)

// Tally is what the writes of a document's past added to one number: for each
// actor, what its writes up to a sequence added together, and single writes
// beyond (PROTOCOL D10a). It is a causal context whose entries carry amounts, and
// joins as one. The zero Tally is empty.
type Tally struct {
	Upto  map[vclock.Actor]Amount
	Loose map[vclock.Dot]number
}

// Amount is the total of an actor's writes up to a sequence.
type Amount struct {
	Seq   uint64
	Total number
}

func (t *Tally) clone() *Tally {
	return &Tally{Upto: maps.Clone(t.Upto), Loose: maps.Clone(t.Loose)}
}

// add notes what one write added.
func (t *Tally) add(d vclock.Dot, n number) {
	if t.Loose == nil {
		t.Loose = map[vclock.Dot]number{}
	}
	t.Loose[d] = n
}

// has says whether a write's amount is in the tally.
func (t *Tally) has(d vclock.Dot) bool {
	_, loose := t.Loose[d]
	return loose || d.Seq <= t.Upto[d.Actor].Seq
}

// join takes up all that the other tally has.
func (t *Tally) join(o *Tally) {
	for actor, theirs := range o.Upto {
		ours, ok := t.Upto[actor]
		take := !ok || theirs.Seq > ours.Seq
		if planted.On(planted.LargerTotal) && ok {
			take = compareNumbers(theirs.Total, ours.Total) > 0
		}
		if take {
			if t.Upto == nil {
				t.Upto = map[vclock.Actor]Amount{}
			}
			t.Upto[actor] = theirs
		}
	}
	for d, n := range o.Loose {
		t.add(d, n)
	}
	maps.DeleteFunc(t.Loose, func(d vclock.Dot, _ number) bool { return d.Seq <= t.Upto[d.Actor].Seq })
}

// fold moves loose writes into the totals where the clock's vector has them: its
// version has seen all that their actors wrote up to there.
func (t *Tally) fold(clock vclock.Vector) {
	for _, d := range slices.SortedFunc(maps.Keys(t.Loose), vclock.Dot.Compare) {
		if !clock.Covers(d) {
			continue
		}
		if t.Upto == nil {
			t.Upto = map[vclock.Actor]Amount{}
		}
		t.Upto[d.Actor] = Amount{d.Seq, plus(t.Upto[d.Actor].Total, t.Loose[d])}
		delete(t.Loose, d)
	}
}

// total is the sum of all amounts.
func (t *Tally) total() number {
	var sum number
	for _, a := range t.Upto {
		sum = plus(sum, a.Total)
	}
	for _, n := range t.Loose {
		sum = plus(sum, n)
	}
	return sum
}

// meet is what both tallies have.
func (t *Tally) meet(o *Tally) *Tally {
	out := &Tally{Upto: map[vclock.Actor]Amount{}}
	for actor, a := range t.Upto {
		if b, ok := o.Upto[actor]; ok {
			if b.Seq < a.Seq {
				a = b
			}
			out.Upto[actor] = a
		}
	}
	for _, pair := range [][2]*Tally{{t, o}, {o, t}} {
		for d, n := range pair[0].Loose {
			if pair[1].has(d) {
				out.add(d, n)
			}
		}
	}
	return out
}

// tallies are those of one path, by the life of the document that they count: the
// dot of the version that made it where nothing was. A life that ended and was
// forgotten here may be known elsewhere, so lives are never added up in one tally.
type tallies map[vclock.Dot]*Tally

func (t tallies) join(o tallies) {
	for life, theirs := range o {
		if ours, ok := t[life]; ok {
			ours.join(theirs)
		} else {
			t[life] = theirs.clone()
		}
	}
}

func (t tallies) total() number {
	var sum number
	for _, one := range t {
		sum = plus(sum, one.total())
	}
	return sum
}

// life is the one that a write counts for.
func (t tallies) life(own vclock.Dot) vclock.Dot {
	if len(t) == 0 {
		return own
	}
	return slices.MinFunc(slices.Collect(maps.Keys(t)), vclock.Dot.Compare)
}

// meet is what both have.
func (t tallies) meet(o tallies) tallies {
	out := tallies{}
	for life, ours := range t {
		if theirs, ok := o[life]; ok {
			out[life] = ours.meet(theirs)
		}
	}
	return out
}
