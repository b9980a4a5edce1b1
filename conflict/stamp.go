package conflict

import (
	"github.com/syncline/syncline/planted"
	"github.com/syncline/syncline/vclock"
)

// Stamped is the causal half of a new version: what it covers, and what it
// has to say about its past.
type Stamped struct {
	Clock   vclock.Context
	Covered Siblings    // live versions that the write takes away
	Rest    Siblings    // live versions that its writer had not seen
	After   vclock.Time // the highest time of those covered; the write's is above
}

// Stamp computes the clock of a local write whose writer had seen the given
// context of this document (PROTOCOL D1). A dot enters the clock's vector only
// where the context's vector covers it: else a:42 would claim a:1 to a:41 too,
// which nobody saw, and acknowledged writes would be lost.
func Stamp(live Siblings, seen vclock.Context, frontier vclock.Vector) Stamped {
	var out Stamped
	var named vclock.Vector // for each actor in live dots and clocks, the highest
	clock := vclock.Context{}
	for _, u := range live {
		named = named.Join(u.Clock.Vector()).With(u.Dot)
		for d := range u.Clock.Loose() {
			named = named.With(d)
		}
		if !seen.Covers(u.Dot) {
			out.Rest = append(out.Rest, u)
			continue
		}
		out.Covered = append(out.Covered, u)
		out.After = max(out.After, u.Time)
		clock = clock.Join(u.Clock)
		if seen.Vector().Covers(u.Dot) || planted.On(planted.VVLoose) {
			clock = clock.Join(vclock.ContextOf(vclock.VectorOf(u.Dot)))
		} else {
			clock = clock.WithLoose(u.Dot)
		}
	}
	// What the context names of this document although it is covered here by
	// now, and what it names beyond this node's frontier.
	more := seen.Vector().Meet(named)
	for d := range seen.Vector().All() {
		if !frontier.Covers(d) {
			more = more.With(d)
		}
	}
	clock = clock.Join(vclock.ContextOf(more))
	for d := range seen.Loose() {
		clock = clock.WithLoose(d)
	}
	out.Clock = clock
	return out
}

// Stamped puts the new version v, whose clock by has computed, among its
// siblings.
func (s Siblings) Stamped(v *Version, by Stamped) Added {
	return s.place(v, func(u *Version) bool { return by.Covered.Find(u.Dot) != nil })
}
