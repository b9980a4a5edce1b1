package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
)

// maxMany is the longest body of a request about many conflicts, in bytes: a
// decision, and the ids of as many as it may name, with quotes, a comma and a
// blank each.
const maxMany = maxAction + MaxResolve*(conflictDigits+4)

// conflictIDs is the member "conflicts" of a filter; nil when it is absent.
func (m *members) conflictIDs() []string {
	if !m.has("conflicts") {
		return nil
	}
	out := []string{}
	if json.Unmarshal(m.of["conflicts"], &out) != nil || out == nil {
		m.fail("filter.conflicts is no array of texts")
		return nil
	}
	if len(out) > MaxResolve {
		m.fail("filter.conflicts has %d ids: want at most %d", len(out), MaxResolve)
	}
	for i, id := range out {
		switch {
		case !isConflictID(id):
			m.fail("filter.conflicts: %.40q is no id of a conflict, %d characters from a to z and 2 to 7", id, conflictDigits)
		case slices.Contains(out[:i], id):
			m.fail("filter.conflicts: %s is there twice", id)
		}
	}
	return out
}

// runNamed goes through the conflicts that a filter names. One that is not open
// any more gets its line too: whoever has chosen it wants to know.
func (r *resolveRun) runNamed(ctx context.Context) error {
	for _, id := range r.named {
		if r.done == r.limit {
			r.more = true
			break
		}
		found, err := r.s.engine.Conflict(ctx, id)
		if err == nil && found.State != node.ConflictOpen {
			err = ended(&found, nil)
		}
		if err != nil {
			r.done++
			err = r.refused(lineOf(id, &found, err), err)
		} else if r.collection == "" || r.collection == found.Open.Key.Collection {
			err = r.one(ctx, &found)
		}
		if err != nil {
			return err
		}
	}
	return r.end()
}

// lineOf is the line of a conflict that cannot be resolved, with its document
// where that is known.
func lineOf(id string, c *node.Conflict, err error) resolveLine {
	line := resolveLine{Conflict: id}
	if c.Record != nil {
		line.Collection, line.ID = c.Record.Collection, c.Record.DocID
	} else if e, ok := errors.AsType[*node.Error](err); ok && e.Current != nil {
		line.Collection, line.ID = e.Current.Key.Collection, e.Current.Key.ID
	}
	return line
}

// ended is the error of a decision about a conflict that has ended meanwhile.
// Now is its document at present; nil: it was not looked at.
func ended(c *node.Conflict, now *node.Document) error {
	key := conflict.Key{Collection: c.Record.Collection, ID: c.Record.DocID}
	return &node.Error{Op: "resolve", Kind: node.ConflictChanged, Key: key.String(), Current: now, Err: fmt.Errorf(
		"the conflict has ended, by %s; restore one of its values, or write the document", c.Record.By)}
}
