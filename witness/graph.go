package witness

import (
	"cmp"
	"math/bits"
	"time"
)

// group is a set of data nodes: bit i is the i-th of the sorted roster.
type group uint16

func only(i int) group              { return 1 << i }
func (g group) has(i int) bool      { return g&only(i) != 0 }
func (g group) within(o group) bool { return g&^o == 0 }
func (g group) size() int           { return bits.OnesCount16(uint16(g)) }
func (g group) first() int          { return bits.TrailingZeros16(uint16(g)) }

// live says whether the last ballot of y is fresh (W3).
func (w *Witness) live(now time.Duration, y int) bool {
	v := &w.views[y]
	return v.known && v.stamp >= now-w.timing.Fresh
}

// lists says whether y names z as a path (W5).
func (w *Witness) lists(now time.Duration, y, z int) bool {
	return w.live(now, y) && w.views[y].lists.has(z)
}

// edge says whether y and z are joined: one lists the other, and the other
// lists it back or is not live. (One end alone would do for a link that works
// one way only; both ends, always, would cut off the survivor of a crash.)
func (w *Witness) edge(now time.Duration, y, z int) bool {
	to, back := w.lists(now, y, z), w.lists(now, z, y)
	return to && (back || !w.live(now, z)) || back && (to || !w.live(now, y))
}

// components returns K(y) of each data node: whom it reaches over edges.
func (w *Witness) components(now time.Duration) [MaxData]group {
	n := len(w.roster.Data)
	var k [MaxData]group
	for y := range n {
		k[y] |= only(y)
		for z := range y {
			if w.edge(now, y, z) {
				k[y] |= only(z)
				k[z] |= only(y)
			}
		}
	}
	for via := range n { // Warshall's closure
		for y := range n {
			if k[y].has(via) {
				k[y] |= k[via]
			}
		}
	}
	return k
}

// catchingUp says whether z gives no vote: by its own fresh word, or else by
// that of somebody whom it refused.
func (w *Witness) catchingUp(now time.Duration, z int) bool {
	if w.live(now, z) {
		return w.views[z].catchingUp
	}
	for y := range w.roster.Data {
		if w.live(now, y) && w.views[y].refused.has(z) {
			return true
		}
	}
	return false
}

// fit says whether x may be given the vote, by its own word. (With a journal
// it must also have pulled that to its head.)
func (w *Witness) fit(x int) bool { return w.views[x].want }

// eligible says whether a component may have the vote: with the witness's it
// makes a majority, and somebody in it asks and can use it. (Without the size
// the vote would stick to a side that it does not help.)
func (w *Witness) eligible(now time.Duration, k group) bool {
	votes, usable := 0, false
	for y := range w.roster.Data {
		if !k.has(y) {
			continue
		}
		if !w.catchingUp(now, y) {
			votes++
		}
		usable = usable || w.live(now, y) && w.fit(y)
	}
	return 2*votes >= len(w.roster.Data) && usable
}

// rank compares two components by priority, then name: above 0 when a is
// preferred. Every voter comes to the same result.
func (w *Witness) rank(a, b group) int {
	return cmp.Or(cmp.Compare(w.priority(a), w.priority(b)), cmp.Compare(b.first(), a.first()))
}

// priority is the highest one in a component.
func (w *Witness) priority(k group) int {
	best := w.roster.Data[k.first()].Priority
	for y, v := range w.roster.Data {
		if k.has(y) {
			best = max(best, v.Priority)
		}
	}
	return best
}

// lastHeld is when a component last had a lease of the witness, by the word of
// its live members. It stays still while the ages that they tell grow, so that
// two components never each find the other younger.
func (w *Witness) lastHeld(now time.Duration, k group) time.Duration {
	last := never
	for y := range w.roster.Data {
		if k.has(y) && w.live(now, y) {
			last = max(last, w.views[y].heldAt)
		}
	}
	return last
}

// preferred says whether component a has a better claim than b on a vote that
// nobody has: whose last lease is younger by more than the age of a ballot,
// then rank (W6).
func (w *Witness) preferred(now time.Duration, a, b group) bool {
	heldA, heldB := w.lastHeld(now, a), w.lastHeld(now, b)
	if heldA-heldB > w.timing.Fresh {
		return true
	}
	if heldB-heldA > w.timing.Fresh {
		return false
	}
	return w.rank(a, b) > 0
}
