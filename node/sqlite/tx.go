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
	changes   *changes
	stale     *staleLog
	swept     []entry       // out of the log with this transaction
	frontier  vclock.Vector // as this transaction leaves it

	ownNames bool
	closing  bool  // the process says goodbye to the file
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
	if m := t.known(key); m != nil {
		return m, nil
	}
	if err := t.lookUp(key.Collection, []conflict.DocID{key.ID}); err != nil {
		return nil, err
	}
	return t.met[key], nil
}

// known returns a document that this transaction has met, or that is cached,
// and nil for others.
func (t *tx) known(key conflict.Key) *metDocument {
	if m, ok := t.met[key]; ok {
		return m
	}
	m, _, ok := t.documents.read(key)
	if !ok {
		return nil
	}
	t.met[key] = &m
	return &m
}

// Expect implements node.Tx.
func (t *tx) Expect(keys []conflict.Key) error {
	unknown := map[conflict.Collection][]conflict.DocID{}
	for _, key := range keys {
		if t.known(key) != nil {
			continue
		}
		ids := append(unknown[key.Collection], key.ID)
		if len(ids) == rowsAtOnce {
			if err := t.lookUp(key.Collection, ids); err != nil {
				return err
			}
			ids = ids[:0]
		}
		unknown[key.Collection] = ids
	}
	for collection, ids := range unknown {
		if err := t.lookUp(collection, ids); err != nil {
			return err
		}
	}
	return nil
}

// lookUp reads up to rowsAtOnce documents of a collection from the file. The
// statement has a fixed number of places: the last id fills those that are left.
func (t *tx) lookUp(name conflict.Collection, ids []conflict.DocID) error {
	const rowColumn, idColumn = versionWidth, versionWidth + 1
	for _, id := range ids {
		t.met[conflict.Key{Collection: name, ID: id}] = &metDocument{}
	}
	collection, known := t.names.collections.number[name]
	if !known || len(ids) == 0 {
		return nil
	}
	statement, args := t.w.document, append(t.w.args[:0], collection)
	if len(ids) > 1 {
		statement = t.w.documents
		for i := range rowsAtOnce - 1 {
			args = append(args, string(ids[min(i, len(ids)-1)]))
		}
	}
	args = append(args, string(ids[len(ids)-1]))
	err := statement.query(func(v values) (bool, error) {
		key := conflict.Key{Collection: name, ID: conflict.DocID(v.text(idColumn))}
		u, err := decodeVersion(v, key, t.names.actors.name[v.int(0)])
		if err != nil {
			return false, err
		}
		t.met[key].add(u, v.int(rowColumn))
		return true, nil
	}, args...)
	if err != nil {
		for _, id := range ids { // nobody may take them for new
			delete(t.met, conflict.Key{Collection: name, ID: id})
		}
	}
	return t.check("read documents of "+string(name), err)
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
	left, row := v, int64(0)
	for i, u := range m.live {
		if covered.Find(u.Dot) == nil {
			after.live, after.rows = append(after.live, u), append(after.rows, m.rows[i])
			continue
		}
		actor, err := t.actor(u.Dot.Actor)
		if err != nil {
			return t.check("write "+v.Key.String(), err)
		}
		t.changes.replace(m.rows[i], left, entry{actor, int64(u.Dot.Seq)})
		if left != nil {
			left, row = nil, m.rows[i]
		}
	}
	if gone := len(m.live) - len(after.live); gone != len(covered) {
		return misuse(v, fmt.Errorf("it covers %d versions of which %d are live", len(covered), gone))
	}
	if left != nil {
		row = t.changes.add(v)
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
	t.closing = m.Clean
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
