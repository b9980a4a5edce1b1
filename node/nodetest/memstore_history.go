package nodetest

import (
	"cmp"
	"slices"
	"strings"

	"github.com/google/btree"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// memPast is what a memState has of the past. It asks little of the trees: who
// looks for a record goes through all of them.
type memPast struct {
	formers *btree.BTreeG[node.Former] // by row
	dots    *btree.BTreeG[node.Former] // by the dot of the version
	filed   *btree.BTreeG[memFiling]
}

type memFiling struct {
	record conflict.DocID
	under  node.Filing
}

func newMemPast() memPast {
	return memPast{
		formers: btree.NewG(branching, func(a, b node.Former) bool { return a.Row < b.Row }),
		dots:    btree.NewG(branching, func(a, b node.Former) bool { return a.Version.Dot.Compare(b.Version.Dot) < 0 }),
		filed:   btree.NewG(branching, func(a, b memFiling) bool { return a.record < b.record }),
	}
}

func (p memPast) clone() memPast { return memPast{p.formers.Clone(), p.dots.Clone(), p.filed.Clone()} }

func formerOf(d vclock.Dot) node.Former { return node.Former{Version: &conflict.Version{Dot: d}} }

// Keep implements node.Tx.
func (t *memTx) Keep(covered conflict.Siblings, by vclock.Dot, at int64) error {
	for _, v := range covered {
		if t.dots.Has(formerOf(v.Dot)) {
			continue
		}
		last, _ := t.formers.Max()
		f := node.Former{Version: v, Row: last.Row + 1, By: by, At: at}
		t.formers.ReplaceOrInsert(f)
		t.dots.ReplaceOrInsert(f)
	}
	return nil
}

// DropHistory implements node.Tx.
func (t *memTx) DropHistory(name conflict.Collection, before int64, limit int) (int, error) {
	var old []node.Former
	t.formers.Ascend(func(f node.Former) bool {
		if f.Version.Key.Collection == name && f.At < before {
			old = append(old, f)
		}
		return true
	})
	slices.SortStableFunc(old, func(a, b node.Former) int { return cmp.Compare(a.At, b.At) })
	old = old[:min(len(old), max(limit, 0))]
	for _, f := range old {
		t.formers.Delete(f)
		t.dots.Delete(f)
	}
	return len(old), nil
}

// FileRecord implements node.Tx.
func (t *memTx) FileRecord(record conflict.DocID, under *node.Filing) error {
	if under == nil {
		t.filed.Delete(memFiling{record: record})
		return nil
	}
	t.filed.ReplaceOrInsert(memFiling{record, *under})
	return nil
}

// History implements node.View.
func (v *memView) History(key conflict.Key, below uint64, limit, maxBytes int) ([]node.Former, error) {
	var out []node.Former
	size := 0
	v.state.formers.Descend(func(f node.Former) bool {
		if len(out) >= limit || size > maxBytes {
			return false
		}
		if f.Version.Key == key && f.Row < below {
			out = append(out, f)
			size += len(f.Version.Body)
		}
		return true
	})
	return out, nil
}

// Former implements node.View.
func (v *memView) Former(dot vclock.Dot) (*node.Former, error) {
	if f, ok := v.state.dots.Get(formerOf(dot)); ok {
		return &f, nil
	}
	return nil, nil //nolint:nilnil // that none is kept is no error
}

// RecordsOf implements node.View.
func (v *memView) RecordsOf(dot vclock.Dot, limit int) ([]conflict.DocID, error) {
	var out []conflict.DocID
	v.state.filed.Ascend(func(f memFiling) bool {
		if len(out) < limit && slices.Contains(f.under.Siblings, dot) {
			out = append(out, f.record)
		}
		return true
	})
	return out, nil
}

// OldRecords implements node.View.
func (v *memView) OldRecords(name conflict.Collection, before int64, limit int) ([]conflict.DocID, error) {
	var old []memFiling
	v.state.filed.Ascend(func(f memFiling) bool {
		if f.under.Collection == name && f.under.At < before {
			old = append(old, f)
		}
		return true
	})
	slices.SortStableFunc(old, func(a, b memFiling) int { return cmp.Compare(a.under.At, b.under.At) })
	var out []conflict.DocID
	for _, f := range old[:min(len(old), max(limit, 0))] {
		out = append(out, f.record)
	}
	return out, nil
}

// Ages implements node.View.
func (v *memView) Ages() ([]node.Ages, error) {
	ages := map[conflict.Collection]node.Ages{}
	v.state.formers.Ascend(func(f node.Former) bool {
		a := ages[f.Version.Key.Collection]
		a.Former = older(a.Former, f.At)
		ages[f.Version.Key.Collection] = a
		return true
	})
	v.state.filed.Ascend(func(f memFiling) bool {
		a := ages[f.under.Collection]
		a.Record = older(a.Record, f.under.At)
		ages[f.under.Collection] = a
		return true
	})
	var out []node.Ages
	for name, a := range ages {
		a.Collection = name
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b node.Ages) int { return strings.Compare(string(a.Collection), string(b.Collection)) })
	return out, nil
}

// older is the smaller of two times of which 0 is none.
func older(a, b int64) int64 {
	if a == 0 {
		return b
	}
	return min(a, b)
}
