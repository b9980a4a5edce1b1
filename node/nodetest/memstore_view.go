package nodetest

import (
	"context"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// Read implements node.Store.
func (m *MemStore) Read(ctx context.Context, key conflict.Key) (node.Reading, error) {
	s, err := m.load(ctx)
	if err != nil {
		return node.Reading{}, err
	}
	return node.Reading{Live: s.live(key), Frontier: s.frontier}, nil
}

// memView is one committed state, which nobody alters.
type memView struct{ state *memState }

func (v *memView) Frontier() vclock.Vector { return v.state.frontier }

func (v *memView) Time() vclock.Time { return v.state.time }

func (v *memView) Document(key conflict.Key) (conflict.Siblings, error) {
	return v.state.live(key), nil
}

func (v *memView) List(r node.ListRange) ([]conflict.Siblings, error) {
	return v.state.list(r), nil
}

func (v *memView) Rows(actor vclock.Actor, after uint64, limit, maxBytes int) ([]*conflict.Version, error) {
	return v.state.after(actor, after, limit, maxBytes), nil
}

func (v *memView) Actors() ([]vclock.Actor, error) { return v.state.actors(), nil }

func (v *memView) Collections() ([]node.CollectionStat, error) { return v.state.collections(), nil }

func (v *memView) Cursor(sender vclock.Actor) (vclock.Vector, error) {
	return v.state.cursors[sender], nil
}

func (v *memView) Close() error { return nil }
