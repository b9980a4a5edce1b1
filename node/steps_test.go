package node_test

import (
	"slices"
	"testing"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
)

// undo carries out what somebody makes of a record, in a batch of its own.
func (r *rig) undo(id string, u node.Undo) {
	r.Helper()
	q, err := r.UndoRequest(r.Context(), id, u)
	r.ok(err)
	r.commit(q)
	r.ok(q.Err())
	r.ok(q.Outcomes()[0].Err)
}

// Issue 4, point 5: "each leaving a trace of who and when"; simulation: "restore
// racing with a write". The record has come here before the version that ended the
// conflict: a restore covers the siblings that still live, so that it files the
// same record in which it notes its step. Found by seed 510 of the simulation,
// where the node ended itself.
func TestRestoreBeforeTheSettlementCame(t *testing.T) {
	a, c := newRig(t), newRig(t, func(cfg *node.Config) { cfg.Node = "c" })
	d := a.collide(`{"n":20}`, `{"n":70}`)
	loser := d.Live.Visible()[0].Dot
	a.copyTo(c)
	if out := a.settle(a.everything()); len(out) != 1 || out[0].Err != nil {
		t.Fatalf("%+v", out)
	}
	id := d.Live.ID()
	a.undo(id, node.Undo{Action: node.ActionReview, Who: "eve"})
	rows, _ := a.rows(c.Frontier().Get)
	c.takeRows(slices.DeleteFunc(rows, func(v *conflict.Version) bool { return v.Key == key("alice") })...)
	if c.shows("alice", `{"n":70}`, 2); c.one(id).Record == nil {
		t.Fatal("the record has not come")
	}
	c.undo(id, node.Undo{Action: node.ActionRestore, Dot: loser, Who: "bob"})
	c.shows("alice", `{"n":20}`, 1)
	record := c.one(id).Record
	if record.By != conflict.ByPerson || !record.Reviewed || len(record.Trace) != 2 || record.Trace[0].Who != "eve" || record.Trace[1].Who != "bob" {
		t.Errorf("%+v", record)
	}
	c.write(put("bob", `{}`)) // the node goes on
}

// The same two people at two nodes at once: both steps stay, whichever node has
// them in which order.
func TestStepsOfTwoNodes(t *testing.T) {
	a, c := newRig(t), newRig(t, func(cfg *node.Config) { cfg.Node = "c" })
	id := a.collide(`{"n":20}`, `{"n":70}`).Live.ID()
	a.settle(a.everything())
	a.copyTo(c)
	a.undo(id, node.Undo{Action: node.ActionReview, Who: "eve"})
	c.undo(id, node.Undo{Action: node.ActionReview, Who: "bob"})
	a.copyTo(c)
	c.copyTo(a)
	for _, r := range []*rig{a, c} {
		var who []string
		for _, s := range r.one(id).Record.Trace {
			who = append(who, s.Who)
		}
		slices.Sort(who)
		if !slices.Equal(who, []string{"bob", "eve"}) {
			t.Errorf("the record tells of %v", who)
		}
	}
}
