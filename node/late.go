package node

import (
	"context"
	"slices"

	"github.com/syncline/syncline/conflict"
)

// A node whose worker was killed by a conflict never settles it; another one does
// (DESIGN 7). Whose turn it is cannot know that. So a node settles out of its
// turn what a resolver has decided here and what nobody has settled between two
// such looks.

// lateLooks is how many calls of Once out of turn lie between two looks at what
// others have left: some five seconds at five calls a second.
const lateLooks = 25

// lateness is what a Settler remembers out of its turn.
type lateness struct {
	calls int
	seen  map[conflict.WriteID]bool // the sets that waited at the last look
}

// late settles what has waited for two looks.
func (s *Settler) late(ctx context.Context) error {
	if s.lateness.calls++; s.lateness.calls%lateLooks != 0 {
		return nil
	}
	if s.Engine.MayWrite() != nil {
		return nil //nolint:nilerr // a node that may not write settles nothing, which is no failure
	}
	found, err := s.Engine.Settlement(ctx, s.Stable())
	if err != nil || found == nil {
		s.lateness.seen = nil
		return ignoreEnded(ctx, err)
	}
	before, now := s.lateness.seen, map[conflict.WriteID]bool{}
	docs := slices.DeleteFunc(found.Documents, func(d Document) bool {
		id := d.Live.SettlementID()
		now[id] = d.script != nil
		return !before[id]
	})
	s.lateness.seen = now
	if len(docs) == 0 {
		return nil
	}
	return ignoreEnded(ctx, s.Engine.submit(ctx, s.Engine.settlementOf(docs).Request))
}
