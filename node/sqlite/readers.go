package sqlite

import (
	"context"
	"errors"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/vclock"
)

// reader is a read-only connection with its statements. Outside a transaction
// each statement has a snapshot of its own.
type reader struct {
	*conn
	shared *shared

	begin, end                       *stmt
	state, meta, cursor, collections *stmt
	read, readByName, document       *stmt
	list, conflicted, rows, actors   *stmt
	actorNumber, actorName           *stmt
	collectionNumber, collectionName *stmt
	past                             pastReads
}

func openReader(ctx context.Context, a access, s *shared) (*reader, error) {
	c, err := openConn(ctx, a)
	if err != nil {
		return nil, err
	}
	r := &reader{conn: c, shared: s}
	for _, texts := range []map[**stmt]string{r.statements(), r.past.statements()} {
		if err := c.prepareAll(texts); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	return r, nil
}

func (r *reader) statements() map[**stmt]string {
	const logged = " FROM log l CROSS JOIN versions v ON v.row = l.row AND v.actor = l.actor AND v.seq = l.seq"
	const live = " FROM state s LEFT JOIN versions v ON v.id = ? AND v.collection = "
	return map[**stmt]string{
		&r.begin: "BEGIN",
		&r.end:   "COMMIT",

		&r.state:       "SELECT frontier, time FROM state WHERE one = 1",
		&r.meta:        "SELECT key, value FROM meta",
		&r.cursor:      "SELECT done FROM cursors WHERE sender = ?",
		&r.collections: "SELECT name, digest, documents, tombstones, conflicts FROM collections WHERE documents <> 0 OR tombstones <> 0 ORDER BY name",

		&r.read:       "SELECT " + versionColumns + ", s.frontier, v.row" + live + "? WHERE s.one = 1",
		&r.readByName: "SELECT " + versionColumns + ", s.frontier, v.row" + live + "(SELECT number FROM collections WHERE name = ?) WHERE s.one = 1",
		&r.document:   "SELECT " + versionColumns + " FROM versions v WHERE v.id = ? AND v.collection = ?",

		&r.list: "SELECT " + versionColumns + ", v.id FROM versions v WHERE v.collection = ? AND v.id >= ? ORDER BY v.id",
		// The cross join keeps the planner from walking the whole collection.
		&r.conflicted: "SELECT " + versionColumns + ", v.id FROM conflicted c CROSS JOIN versions v" +
			" WHERE c.collection = ? AND c.id >= ? AND v.collection = c.collection AND v.id = c.id ORDER BY c.id",
		&r.rows:   "SELECT " + versionColumns + ", v.id, v.collection" + logged + " WHERE l.actor = ? AND l.seq > ? ORDER BY l.seq",
		&r.actors: "SELECT a.name FROM actors a WHERE EXISTS (SELECT 1" + logged + " WHERE l.actor = a.number)",

		&r.actorNumber:      "SELECT number FROM actors WHERE name = ?",
		&r.actorName:        "SELECT name FROM actors WHERE number = ?",
		&r.collectionNumber: "SELECT number FROM collections WHERE name = ?",
		&r.collectionName:   "SELECT name FROM collections WHERE number = ?",
	}
}

// numberOf returns a name's number. False means that no row has it.
func numberOf[N ~string](known numbering[N], ask *stmt, name N) (number int64, found bool, err error) {
	if number, found = known.number[name]; found {
		return number, true, nil
	}
	err = ask.query(func(v values) (bool, error) {
		number, found = v.int(0), true
		return false, nil
	}, string(name))
	return number, found, err
}

// nameOf returns the name of a number that stands in a row.
func nameOf[N ~string](known numbering[N], ask *stmt, number int64) (N, error) {
	name, found := known.name[number]
	if found {
		return name, nil
	}
	err := ask.query(func(v values) (bool, error) {
		name, found = N(v.text(0)), true
		return false, nil
	}, number)
	if err == nil && !found {
		err = damaged("read", "a row has a name's number that no name has")
	}
	return name, err
}

// version reads a row's version of a document.
func (r *reader) version(v values, key conflict.Key) (*conflict.Version, error) {
	actor, err := nameOf(r.shared.names.Load().actors, r.actorName, v.int(0))
	if err != nil {
		return nil, err
	}
	return decodeVersion(v, key, actor)
}

// readDocument returns a document with its rows and the frontier, from one
// snapshot.
func (r *reader) readDocument(key conflict.Key) (m metDocument, frontier vclock.Vector, err error) {
	const (
		frontierColumn = versionWidth
		rowColumn      = versionWidth + 1
	)
	ask := func(st *stmt, collection any) error {
		return st.query(func(v values) (bool, error) {
			if frontier.Len() == 0 {
				if frontier, err = r.shared.parseFrontier(v.blob(frontierColumn)); err != nil {
					return false, err
				}
			}
			if v[0] == nil {
				return false, nil // the document has no row
			}
			u, err := r.version(v, key)
			if err == nil {
				m.add(u, v.int(rowColumn))
			}
			return true, err
		}, string(key.ID), collection)
	}
	if number, ok := r.shared.names.Load().collections.number[key.Collection]; ok {
		err = ask(r.read, number)
	} else {
		err = ask(r.readByName, string(key.Collection))
	}
	if err != nil {
		return metDocument{}, vclock.Vector{}, err
	}
	return m, frontier, nil
}
