package sqlite

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// view is a reader inside a read transaction. One goroutine at a time uses it.
type view struct {
	pool     *pool
	r        *reader // nil once the view is closed
	frontier vclock.Vector
	time     vclock.Time
}

// View implements node.Store. It waits while all readers that views may take
// are in use.
func (s *Store) View(ctx context.Context) (node.View, error) {
	r, err := s.pool.takeForView(ctx)
	if err != nil {
		return nil, err
	}
	v := &view{pool: s.pool, r: r}
	if err := v.open(); err != nil {
		return nil, errors.Join(failure("open a view", err), v.Close())
	}
	if err := s.documents.level(ctx, v.frontier); err != nil {
		return nil, errors.Join(err, v.Close())
	}
	return v, nil
}

// open takes the snapshot: with the first question, not with BEGIN.
func (v *view) open() error {
	if err := v.r.begin.do(); err != nil {
		return err
	}
	return v.r.state.query(func(row values) (more bool, err error) {
		v.time = vclock.Time(row.int(1))
		v.frontier, err = v.r.shared.parseFrontier(row.blob(0))
		return false, err
	})
}

// Close implements node.View. Closing twice is no error.
func (v *view) Close() error {
	if v.r == nil {
		return nil
	}
	err := v.r.end.do()
	v.pool.putFromView(v.r)
	v.r = nil
	if err != nil {
		return failure("close a view", err)
	}
	return nil
}

func (v *view) Frontier() vclock.Vector { return v.frontier }

func (v *view) Time() vclock.Time { return v.time }

// ask runs a question of the view.
func (v *view) ask(op string, question func(r *reader) error) error {
	if v.r == nil {
		return errViewClosed
	}
	if err := question(v.r); err != nil {
		return failure(op, err)
	}
	return nil
}

// Document implements node.View.
func (v *view) Document(key conflict.Key) (conflict.Siblings, error) {
	var live conflict.Siblings
	err := v.ask("read a document", func(r *reader) error {
		number, found, err := numberOf(r.shared.names.Load().collections, r.collectionNumber, key.Collection)
		if err != nil || !found {
			return err
		}
		return r.document.query(func(row values) (bool, error) {
			u, err := r.version(row, key)
			live = append(live, u)
			return true, err
		}, string(key.ID), number)
	})
	if err != nil {
		return nil, err
	}
	sortByDot(live)
	return live, nil
}

// List implements node.View. The prefix is a range of the index: ids that have
// it stand side by side, so the walk begins at the first and ends behind the
// last.
func (v *view) List(l node.ListRange) ([]conflict.Siblings, error) {
	var docs []conflict.Siblings
	err := v.ask("list documents", func(r *reader) error {
		number, found, err := numberOf(r.shared.names.Load().collections, r.collectionNumber, l.Collection)
		if err != nil || !found || l.Limit <= 0 {
			return err
		}
		docs, err = r.walk(l, number)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, live := range docs {
		sortByDot(live)
	}
	return docs, nil
}

// walk collects the documents of a range; the versions of one stand together.
func (r *reader) walk(l node.ListRange, number int64) ([]conflict.Siblings, error) {
	const idColumn = versionWidth
	from := max(l.After, conflict.DocID(l.Prefix))
	statement := r.list
	if l.Conflicted {
		statement = r.conflicted
	}
	var docs []conflict.Siblings
	last, size := conflict.DocID(""), 0
	err := statement.query(func(row values) (bool, error) {
		id := conflict.DocID(row.text(idColumn))
		if id <= l.After {
			return true, nil
		}
		if !strings.HasPrefix(string(id), l.Prefix) {
			return false, nil
		}
		if id != last || len(docs) == 0 {
			if len(docs) == l.Limit || size > l.MaxBytes {
				return false, nil
			}
			docs, last = append(docs, nil), id
		}
		u, err := r.version(row, conflict.Key{Collection: l.Collection, ID: id})
		if err != nil {
			return false, err
		}
		docs[len(docs)-1] = append(docs[len(docs)-1], u)
		size += len(u.Body)
		return true, nil
	}, number, string(from))
	return docs, err
}

// Rows implements node.View.
func (v *view) Rows(actor vclock.Actor, after uint64, limit, maxBytes int) ([]*conflict.Version, error) {
	var rows []*conflict.Version
	err := v.ask("read the log", func(r *reader) error {
		number, found, err := numberOf(r.shared.names.Load().actors, r.actorNumber, actor)
		if err != nil || !found || limit <= 0 || after >= vclock.MaxSeq {
			return err
		}
		rows, err = r.log(actor, number, after, limit, maxBytes)
		return err
	})
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// log collects an actor's rows above a sequence.
func (r *reader) log(actor vclock.Actor, number int64, after uint64, limit, maxBytes int) ([]*conflict.Version, error) {
	const idColumn, collectionColumn = versionWidth, versionWidth + 1
	var out []*conflict.Version
	size := 0
	err := r.rows.query(func(row values) (bool, error) {
		collection, err := nameOf(r.shared.names.Load().collections, r.collectionName, row.int(collectionColumn))
		if err != nil {
			return false, err
		}
		u, err := decodeVersion(row, conflict.Key{Collection: collection, ID: conflict.DocID(row.text(idColumn))}, actor)
		if err != nil {
			return false, err
		}
		out = append(out, u)
		size += len(u.Body)
		return len(out) < limit && size <= maxBytes, nil
	}, number, int64(after))
	return out, err
}

// Actors implements node.View.
func (v *view) Actors() ([]vclock.Actor, error) {
	var actors []vclock.Actor
	for d := range v.frontier.All() {
		actors = append(actors, d.Actor)
	}
	err := v.ask("read the actors", func(r *reader) error {
		return r.actors.query(func(row values) (bool, error) {
			actors = append(actors, vclock.Actor(row.text(0)))
			return true, nil
		})
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(actors)
	return slices.Compact(actors), nil
}

// Collections implements node.View.
func (v *view) Collections() ([]node.CollectionStat, error) {
	var stats []node.CollectionStat
	err := v.ask("read the collections", func(r *reader) error {
		return r.collections.query(func(row values) (bool, error) {
			c := node.CollectionStat{
				Name: conflict.Collection(row.text(0)), Documents: row.int(2), Tombstones: row.int(3), Conflicts: row.int(4),
			}
			copy(c.Digest[:], row.blob(1))
			stats = append(stats, c)
			return true, nil
		})
	})
	if err != nil {
		return nil, err
	}
	return stats, nil
}

// Cursor implements node.View.
func (v *view) Cursor(sender vclock.Actor) (vclock.Vector, error) {
	var done vclock.Vector
	err := v.ask("read a cursor", func(r *reader) error {
		return r.cursor.query(func(row values) (bool, error) {
			if err := done.UnmarshalBinary(row.blob(0)); err != nil {
				return false, damaged("read", "the cursor of "+string(sender)+": "+err.Error())
			}
			return false, nil
		}, string(sender))
	})
	return done, err
}
