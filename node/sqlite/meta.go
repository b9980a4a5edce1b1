package sqlite

import (
	"context"
	"database/sql/driver"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// The keys of the meta table.
const (
	metaCluster  = "cluster"
	metaNode     = "node"
	metaActor    = "actor"
	metaStanding = "standing"
	metaClean    = "clean"
	metaFull     = "full"
	metaStarts   = "starts"
	metaBorn     = "born"
	metaRoster   = "roster"
)

// Meta implements node.Store.
func (s *Store) Meta(ctx context.Context) (node.Meta, error) {
	r, err := s.pool.take(ctx)
	if err != nil {
		return node.Meta{}, err
	}
	defer s.pool.put(r)
	var m node.Meta
	err = r.meta.query(func(v values) (bool, error) {
		readMeta(&m, v)
		return true, nil
	})
	if err != nil {
		return node.Meta{}, failure("read what the file says of itself", err)
	}
	return m, nil
}

// metaRows are the rows of a Meta.
func metaRows(m node.Meta) map[string]driver.Value {
	return map[string]driver.Value{
		metaCluster:  m.Cluster,
		metaNode:     m.Node,
		metaActor:    string(m.Actor),
		metaStanding: string(m.Standing),
		metaClean:    m.Clean,
		metaFull:     m.Full,
		metaStarts:   int64(m.Starts),
		metaBorn:     int64(m.Born),
		metaRoster:   notNil(m.Roster),
	}
}

// readMeta takes one row into a Meta.
func readMeta(m *node.Meta, v values) {
	switch v.text(0) {
	case metaCluster:
		m.Cluster = v.text(1)
	case metaNode:
		m.Node = v.text(1)
	case metaActor:
		m.Actor = vclock.Actor(v.text(1))
	case metaStanding:
		m.Standing = node.Standing(v.text(1))
	case metaClean:
		m.Clean = v.int(1) != 0
	case metaFull:
		m.Full = v.int(1) != 0
	case metaStarts:
		m.Starts = uint64(v.int(1))
	case metaBorn:
		m.Born = uint64(v.int(1))
	case metaRoster:
		m.Roster = v.blob(1)
	}
}
