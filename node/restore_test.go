package node_test

import (
	"fmt"
	"testing"

	"github.com/syncline/syncline/node"
)

// afterRestore says what is wrong after an old version was restored; "" for
// nothing: the value is that of the old one, to the byte, and stands alone.
func afterRestore(r *rig) string {
	r.start()
	r.configure(`{"history":"1h"}`)
	old := r.put1(`{"n": 1.0}`)
	now := r.put1(`{"n":2}`)
	made, err := r.Restore(r.Context(), node.Write{Key: key("alice")}, old)
	r.ok(err)
	d := r.get("alice")
	switch {
	case len(d.Live) != 1:
		return fmt.Sprintf("%d versions are live after a restore", len(d.Live))
	case string(d.Shown.Body) != `{"n": 1.0}`:
		return fmt.Sprintf("restored as %s", d.Shown.Body)
	case d.Shown.Winner.Dot != made.Dot || made.Dot == old || !d.Shown.Winner.Clock.Covers(now):
		return fmt.Sprintf("%s is no new version over %s", d.Shown.Winner.Dot, now)
	}
	return ""
}

// "`/restore` `{"dot":…}`: a new version equal to an old one" (API).
func TestRestore(t *testing.T) {
	if wrong := afterRestore(newRig(t)); wrong != "" {
		t.Error(wrong)
	}
}

// What cannot be restored: a deletion, what nobody has, what the system writes.
func TestRestoreRefuses(t *testing.T) {
	r := newRig(t)
	r.start()
	r.configure(`{"history":"1h"}`)
	r.put1(`{}`)
	grave, err := r.Write(t.Context(), del("alice"))
	r.ok(err)
	_, err = r.Restore(t.Context(), node.Write{Key: key("alice")}, grave.Dot)
	r.fails(err, node.Invalid)
	_, err = r.Restore(t.Context(), node.Write{Key: key("bob")}, grave.Dot)
	r.fails(err, node.NotFound)
	w := node.Write{Key: key("x")}
	w.Key.Collection = node.RecordCollection
	_, err = r.Restore(t.Context(), w, grave.Dot)
	r.fails(err, node.SystemColl)
	r.guard.begin = &node.Error{Op: "write", Kind: node.ReadOnly}
	_, err = r.Restore(t.Context(), node.Write{Key: key("bob")}, grave.Dot)
	r.fails(err, node.ReadOnly)
}
