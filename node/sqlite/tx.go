package sqlite

import (
	"fmt"
	"slices"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// tx is the write transaction. It remembers the documents that it has met, so
// that a look at one and the write of it cost one search.
type tx struct {
	w         *writer
	names     *names // committed ones, or with ownNames a copy with this transaction's
	met       map[conflict.Key]*metDocument
	documents *documents
	frontier  vclock.Vector // as this transaction leaves it

	ownNames bool
	failed   error // the first failure that leaves SQLite or the disk in doubt
}

// metDocument is a document as a transaction sees it, or as a commit left it.
// Its slices are never written after they were made.
type metDocument struct {
	live conflict.Siblings
	rows []int64 // of live, side by side
}

// check turns an error of SQLite into the caller's, and notes a bad one.
func (t *tx) check(op string, err error) error {
	if err == nil {
		return nil
	}
	if breaks(err) && t.failed == nil {
		t.failed = err
	}
	return failure(op, err)
}

// Document implements node.Tx.
func (t *tx) Document(key conflict.Key) (conflict.Siblings, error) {
	m, err := t.meet(key)
	if err != nil {
		return nil, err
	}
	return m.live, nil
}

// meet looks a document up, once in a transaction.
func (t *tx) meet(key conflict.Key) (*metDocument, error) {
	const rowColumn = 7
	if m, ok := t.met[key]; ok {
		return m, nil
	}
	if m, _, ok := t.documents.read(key); ok {
		t.met[key] = &m
		return &m, nil
	}
	m := &metDocument{}
	collection, known := t.names.collections.number[key.Collection]
	if known {
		err := t.w.document.query(func(v values) (bool, error) {
			u, err := decodeVersion(v, key, t.names.actors.name[v.int(0)])
			if err != nil {
				return false, err
			}
			m.add(u, v.int(rowColumn))
			return true, nil
		}, string(key.ID), collection)
		if err != nil {
			return nil, t.check("read "+key.String(), err)
		}
	}
	t.met[key] = m
	return m, nil
}

// add puts a version among the live ones of a document that is being made.
func (m *metDocument) add(v *conflict.Version, row int64) {
	at, _ := slices.BinarySearchFunc(m.live, v.Dot, compareDot)
	m.live, m.rows = slices.Insert(m.live, at, v), slices.Insert(m.rows, at, row)
}

func compareDot(v *conflict.Version, d vclock.Dot) int { return v.Dot.Compare(d) }

// Write implements node.Tx. The row of a covered version is taken over, which
// costs half as much as to delete one and insert another; further covered ones
// go.
func (t *tx) Write(v *conflict.Version, covered conflict.Siblings) error {
	m, err := t.meet(v.Key)
	if err != nil {
		return err
	}
	after := metDocument{live: make(conflict.Siblings, 0, len(m.live)+1), rows: make([]int64, 0, len(m.live)+1)}
	var free []int64
	for i, u := range m.live {
		if covered.Find(u.Dot) != nil {
			free = append(free, m.rows[i])
			continue
		}
		after.live, after.rows = append(after.live, u), append(after.rows, m.rows[i])
	}
	if len(free) != len(covered) {
		return misuse(v, fmt.Errorf("it covers %d versions of which %d are live", len(covered), len(free)))
	}
	row, err := t.place(v, free)
	if err != nil {
		return t.check("write "+v.Key.String(), err)
	}
	after.add(v, row)
	if err := t.noteConflict(v.Key, len(m.live), len(after.live)); err != nil {
		return t.check("write "+v.Key.String(), err)
	}
	*m = after
	return nil
}

// misuse reports a broken promise of the caller.
func misuse(v *conflict.Version, err error) error {
	return &node.Error{Op: "store write", Kind: node.Bug, Key: v.Key.String(), Err: err}
}

// place puts a version into the first of the rows that are free, or into a new
// one, and returns which.
func (t *tx) place(v *conflict.Version, free []int64) (int64, error) {
	actor, err := t.actor(v.Dot.Actor)
	if err != nil {
		return 0, err
	}
	if len(free) == 0 {
		return t.insert(v, actor)
	}
	if t.w.args, err = appendVersion(t.w.args[:0], v, actor); err != nil {
		return 0, err
	}
	t.w.args = append(t.w.args, free[0])
	if err := t.w.rewrite.one(t.w.args...); err != nil {
		return 0, err
	}
	for _, row := range free[1:] {
		if err := t.w.remove.one(row); err != nil {
			return 0, err
		}
	}
	return free[0], nil
}

func (t *tx) insert(v *conflict.Version, actor int64) (int64, error) {
	collection, err := t.collection(v.Key.Collection)
	if err != nil {
		return 0, err
	}
	if t.w.args, err = appendVersion(append(t.w.args[:0], collection, string(v.Key.ID)), v, actor); err != nil {
		return 0, err
	}
	result, err := t.w.insert.exec(t.w.args...)
	if err != nil {
		return 0, err
	}
	return result.LastInsertId()
}

// noteConflict keeps the table of documents in conflict.
func (t *tx) noteConflict(key conflict.Key, before, after int) error {
	if before > 1 == (after > 1) {
		return nil
	}
	collection, err := t.collection(key.Collection)
	if err != nil {
		return err
	}
	if after > 1 {
		return t.w.conflicted.one(collection, string(key.ID))
	}
	return t.w.agreed.one(collection, string(key.ID))
}

// SetFrontier implements node.Tx.
func (t *tx) SetFrontier(frontier vclock.Vector, last vclock.Time) error {
	form, err := frontier.MarshalBinary()
	if err != nil {
		return err
	}
	t.frontier = frontier
	return t.check("set the frontier", t.w.setState.one(form, int64(last)))
}

// SetCollection implements node.Tx.
func (t *tx) SetCollection(c node.CollectionStat) error {
	number, err := t.collection(c.Name)
	if err == nil {
		err = t.w.setCollection.one(c.Digest[:], c.Documents, c.Tombstones, c.Conflicts, number)
	}
	return t.check("set the figures of a collection", err)
}

// SetCursor implements node.Tx.
func (t *tx) SetCursor(sender vclock.Actor, done vclock.Vector) error {
	if done.Len() == 0 {
		return t.check("forget a cursor", t.w.dropCursor.do(string(sender)))
	}
	form, err := done.MarshalBinary()
	if err != nil {
		return err
	}
	return t.check("set a cursor", t.w.setCursor.do(string(sender), form))
}

// SetMeta implements node.Tx.
func (t *tx) SetMeta(m node.Meta) error {
	for key, value := range metaRows(m) {
		if err := t.w.setMeta.do(key, value); err != nil {
			return t.check("set "+key+" of the file", err)
		}
	}
	return nil
}

// actor returns the number of an actor, and gives it one when it has none.
func (t *tx) actor(name vclock.Actor) (int64, error) {
	if number, ok := t.names.actors.number[name]; ok {
		return number, nil
	}
	return addName(t, t.w.addActor, name, func(n *names) numbering[vclock.Actor] { return n.actors })
}

// collection returns the number of a collection, and gives it one when it has
// none.
func (t *tx) collection(name conflict.Collection) (int64, error) {
	if number, ok := t.names.collections.number[name]; ok {
		return number, nil
	}
	return addName(t, t.w.addCollection, name, func(n *names) numbering[conflict.Collection] { return n.collections })
}

// addName gives a name a number, for all once the transaction is committed.
func addName[N ~string](t *tx, add *stmt, name N, of func(*names) numbering[N]) (int64, error) {
	result, err := add.exec(string(name))
	if err != nil {
		return 0, err
	}
	number, err := result.LastInsertId()
	if err != nil {
		return 0, err
	}
	if !t.ownNames {
		t.names, t.ownNames = t.names.clone(), true
	}
	of(t.names).add(name, number)
	return number, nil
}
