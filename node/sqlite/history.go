package sqlite

import (
	"math"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// pastReads are the statements of a reader about the past.
type pastReads struct {
	history, former             *stmt
	recordsOf, oldRecords, ages *stmt
}

func (p *pastReads) statements() map[**stmt]string {
	const former = "SELECT " + versionColumns + ", v.row, v.by_actor, v.by_seq, v.covered_at, v.collection, v.id FROM history v WHERE "
	return map[**stmt]string{
		&p.history:    former + "v.collection = ? AND v.id = ? AND v.row < ? ORDER BY v.row DESC",
		&p.former:     former + "v.actor = ? AND v.seq = ?",
		&p.recordsOf:  "SELECT record FROM filed_siblings WHERE dot = ? ORDER BY record LIMIT ?",
		&p.oldRecords: "SELECT record FROM filed WHERE collection = ? AND at < ? ORDER BY at, record LIMIT ?",
		&p.ages: "SELECT name, former, record FROM (SELECT c.name, coalesce((SELECT min(h.covered_at) FROM history h WHERE h.collection = c.number), 0) AS former," +
			" coalesce((SELECT min(f.at) FROM filed f WHERE f.collection = c.number), 0) AS record FROM collections c) WHERE former <> 0 OR record <> 0 ORDER BY name",
	}
}

// pastWrites are the statements of the writer about the past.
type pastWrites struct {
	keep, dropHistory          *stmt
	file, unfile               *stmt
	fileSibling, unfileSibling *stmt
}

func (p *pastWrites) statements() map[**stmt]string {
	return map[**stmt]string{
		&p.keep: "INSERT INTO history (collection, id, by_actor, by_seq, covered_at, actor, seq, time, deleted, clock, sum, body, origin)" +
			" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
		&p.dropHistory: "DELETE FROM history WHERE row IN (SELECT row FROM history WHERE collection = ? AND covered_at < ? ORDER BY covered_at, row LIMIT ?)",

		&p.file:          "INSERT INTO filed (record, collection, at) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET collection = excluded.collection, at = excluded.at",
		&p.unfile:        "DELETE FROM filed WHERE record = ?",
		&p.fileSibling:   "INSERT INTO filed_siblings (dot, record) VALUES (?, ?)",
		&p.unfileSibling: "DELETE FROM filed_siblings WHERE record = ?",
	}
}

// Keep implements node.Tx.
func (t *tx) Keep(covered conflict.Siblings, by vclock.Dot, at int64) error {
	for _, v := range covered {
		if err := t.keep(v, by, at); err != nil {
			return t.check("keep "+v.Dot.String(), err)
		}
	}
	return nil
}

func (t *tx) keep(v *conflict.Version, by vclock.Dot, at int64) error {
	collection, err := t.collection(v.Key.Collection)
	if err != nil {
		return err
	}
	actor, err := t.actor(v.Dot.Actor)
	if err != nil {
		return err
	}
	byActor, err := t.actor(by.Actor)
	if err != nil {
		return err
	}
	args, err := appendVersion(append(t.w.args[:0], collection, string(v.Key.ID), byActor, int64(by.Seq), at), v, actor)
	if err != nil {
		return err
	}
	t.w.args = args
	return t.w.past.keep.do(args...)
}

// DropHistory implements node.Tx.
func (t *tx) DropHistory(name conflict.Collection, before int64, limit int) (int, error) {
	number, known := t.names.collections.number[name]
	if !known || limit <= 0 {
		return 0, nil
	}
	result, err := t.w.past.dropHistory.exec(number, before, int64(limit))
	if err != nil {
		return 0, t.check("drop history", err)
	}
	n, err := result.RowsAffected()
	return int(n), t.check("drop history", err)
}

// FileRecord implements node.Tx.
func (t *tx) FileRecord(record conflict.DocID, under *node.Filing) error {
	return t.check("file a record", t.fileRecord(record, under))
}

func (t *tx) fileRecord(record conflict.DocID, under *node.Filing) error {
	p := &t.w.past
	if err := p.unfileSibling.do(string(record)); err != nil {
		return err
	}
	if under == nil {
		return p.unfile.do(string(record))
	}
	collection, err := t.collection(under.Collection)
	if err != nil {
		return err
	}
	if err := p.file.do(string(record), collection, under.At); err != nil {
		return err
	}
	for _, d := range under.Siblings {
		if err := p.fileSibling.do(d.String(), string(record)); err != nil {
			return err
		}
	}
	return nil
}

// formerOf reads a row of history.
func (r *reader) formerOf(row values) (node.Former, error) {
	const rowColumn, byActor, bySeq, at, collectionColumn, idColumn = versionWidth, versionWidth + 1, versionWidth + 2, versionWidth + 3, versionWidth + 4, versionWidth + 5
	known := r.shared.names.Load()
	collection, err := nameOf(known.collections, r.collectionName, row.int(collectionColumn))
	if err != nil {
		return node.Former{}, err
	}
	actor, err := nameOf(known.actors, r.actorName, row.int(byActor))
	if err != nil {
		return node.Former{}, err
	}
	f := node.Former{Row: uint64(row.int(rowColumn)), By: vclock.Dot{Actor: actor, Seq: uint64(row.int(bySeq))}, At: row.int(at)}
	f.Version, err = r.version(row, conflict.Key{Collection: collection, ID: conflict.DocID(row.text(idColumn))})
	return f, err
}

// History implements node.View.
func (v *view) History(key conflict.Key, below uint64, limit, maxBytes int) ([]node.Former, error) {
	var out []node.Former
	size := 0
	err := v.ask("read history", func(r *reader) error {
		number, found, err := numberOf(r.shared.names.Load().collections, r.collectionNumber, key.Collection)
		if err != nil || !found || limit <= 0 {
			return err
		}
		return r.past.history.query(func(row values) (bool, error) {
			f, err := r.formerOf(row)
			if err != nil {
				return false, err
			}
			out = append(out, f)
			size += len(f.Version.Body)
			return len(out) < limit && size <= maxBytes, nil
		}, number, string(key.ID), int64(min(below, math.MaxInt64)))
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Former implements node.View.
func (v *view) Former(dot vclock.Dot) (*node.Former, error) {
	var out *node.Former
	err := v.ask("read a former version", func(r *reader) error {
		number, found, err := numberOf(r.shared.names.Load().actors, r.actorNumber, dot.Actor)
		if err != nil || !found {
			return err
		}
		return r.past.former.query(func(row values) (bool, error) {
			f, err := r.formerOf(row)
			out = &f
			return false, err
		}, number, int64(dot.Seq))
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// RecordsOf implements node.View.
func (v *view) RecordsOf(dot vclock.Dot, limit int) ([]conflict.DocID, error) {
	var out []conflict.DocID
	err := v.ask("find records", func(r *reader) error {
		return r.past.recordsOf.query(appendID(&out), dot.String(), int64(max(limit, 0)))
	})
	return out, err
}

// OldRecords implements node.View.
func (v *view) OldRecords(name conflict.Collection, before int64, limit int) ([]conflict.DocID, error) {
	var out []conflict.DocID
	err := v.ask("find old records", func(r *reader) error {
		number, found, err := numberOf(r.shared.names.Load().collections, r.collectionNumber, name)
		if err != nil || !found {
			return err
		}
		return r.past.oldRecords.query(appendID(&out), number, before, int64(max(limit, 0)))
	})
	return out, err
}

func appendID(to *[]conflict.DocID) func(values) (bool, error) {
	return func(row values) (bool, error) {
		*to = append(*to, conflict.DocID(row.text(0)))
		return true, nil
	}
}

// Ages implements node.View.
func (v *view) Ages() ([]node.Ages, error) {
	var out []node.Ages
	err := v.ask("read ages", func(r *reader) error {
		return r.past.ages.query(func(row values) (bool, error) {
			out = append(out, node.Ages{Collection: conflict.Collection(row.text(0)), Former: row.int(1), Record: row.int(2)})
			return true, nil
		})
	})
	return out, err
}
