package node

import (
	"context"
	"fmt"

	"github.com/syncline/syncline/planted"
	"github.com/syncline/syncline/vclock"
)

// Restore writes a version that is equal to an old one, byte for byte, with the
// preconditions of w. The old one may be live, kept or on record; the error is of
// kind NotFound where it is none of these, and Invalid for a deletion.
func (e *Engine) Restore(ctx context.Context, w Write, from vclock.Dot) (Written, error) {
	w.Kind = Put
	if w.Key.Collection.IsSystem() {
		return Written{}, e.checkWrite(&w)
	}
	// Refuse before the look: a node that may not write answers at once.
	if err := e.MayWrite(); err != nil && !e.goesOn(err, []Write{w}) {
		return Written{}, err
	}
	if err := e.Await(ctx, w.Session); err != nil {
		return Written{}, err
	}
	old, err := e.Recall(ctx, w.Key, from)
	if err != nil {
		return Written{}, err
	}
	if old.Version.Deleted {
		return Written{}, &Error{Op: "restore", Kind: Invalid, Key: w.Key.String(), Err: fmt.Errorf("version %s is a deletion, and has no value to come back; delete the document instead", from)}
	}
	w.Body = old.Version.Body
	if planted.On(planted.RestoreKeeps) {
		w.Context = &Token{}
	}
	return e.Write(ctx, w)
}
