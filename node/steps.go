package node

import (
	"encoding/json"
	"errors"
	"slices"

	"github.com/syncline/syncline/conflict"
)

// A record may be here before the version that ended its conflict: rows of one
// transaction arrive one by one. Then the siblings still live here, and a write
// over them files a record of the same conflict.

// keepSteps puts into a record that is about to be filed what people have left in
// one that is there already.
func (b *batch) keepSteps(r *conflict.Record, key conflict.Key) error {
	live, err := b.tx.Document(key)
	if err != nil || !live.Alive() {
		return err
	}
	var there conflict.Record
	if json.Unmarshal(b.e.policy(RecordCollection).Show(live).Body, &there) != nil {
		return nil //nolint:nilerr // what cannot be read has no steps to keep
	}
	r.Trace, r.Reviewed = slices.Concat(there.Trace, r.Trace), there.Reviewed
	return nil
}

// anew plans a note once more where a write of the same request has filed the
// record that it stands in. It was planned over what that has covered.
func (b *batch) anew(p plan) (plan, error) {
	if p.w.Kind != Patch || p.w.Key.Collection != RecordCollection {
		return p, nil
	}
	again, refused, err := b.plan(p.w)
	if refused != nil {
		err = &Error{Op: "write", Kind: Bug, Key: p.w.Key.String(), Err: errors.Join(errors.New("a note that was accepted is refused in its own transaction"), refused)}
	}
	return again, err
}
