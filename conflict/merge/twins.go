package merge

import (
	"maps"
	"slices"

	"github.com/syncline/syncline/planted"
	"github.com/syncline/syncline/vclock"
)

// takeBack notes which attempts of a write count for nothing: all but that with
// the smallest dot. They are taken back by their dots, so once, however often
// they meet.
func (p *past) takeBack() {
	if planted.On(planted.TwinsTwice) {
		return
	}
	for _, dots := range p.attempts {
		for _, d := range slices.SortedFunc(maps.Keys(dots), vclock.Dot.Compare)[1:] {
			p.taken[d] = dots[d]
		}
	}
}

// attemptsOf are the dots under which the write of a dot stands, the smallest
// first: that is its mark for whoever has seen several. Else it is the dot itself.
func (p *past) attemptsOf(d vclock.Dot) []vclock.Dot {
	for _, dots := range p.attempts {
		if _, ok := dots[d]; ok && len(dots) > 1 {
			return slices.SortedFunc(maps.Keys(dots), vclock.Dot.Compare)
		}
	}
	return []vclock.Dot{d}
}

// forget drops the attempts that every data node has: whoever made another one
// had not seen them, so that one is known here by now, and taken back.
func (p *past) forget(stable vclock.Vector) {
	maps.DeleteFunc(p.attempts, func(_ WriteID, dots map[vclock.Dot]amounts) bool {
		for d := range dots {
			if !stable.Covers(d) {
				return false
			}
		}
		return true
	})
}

// doubled says whether a write stands under two dots.
func (p *past) doubled() bool {
	for _, dots := range p.attempts {
		if len(dots) > 1 {
			return true
		}
	}
	return false
}
