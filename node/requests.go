package node

import (
	"context"

	"github.com/syncline/syncline/vclock"
)

// A simulation stands in the place of Run: it makes the requests that callers of
// Write, Resolve, Undo and Sweeper.Once would hand to the writer, and commits
// them itself. What is checked before the queue is checked here, but for whether
// the node may write: Commit looks.

// Err says what has stopped the whole request, once it was committed: nil where
// each write has an Outcome of its own.
func (r *Request) Err() error { return r.err }

// WriteRequest is Write.
func (e *Engine) WriteRequest(ctx context.Context, w Write) (*Request, error) {
	return e.request(ctx, []Write{w}, false)
}

// ResolveRequest is Resolve.
func (e *Engine) ResolveRequest(ctx context.Context, id string, r Resolution) (*Request, error) {
	w, _, err := e.resolving(ctx, id, r)
	if err != nil {
		return nil, err
	}
	return e.request(ctx, []Write{w}, false)
}

// UndoRequest is Undo: the write of the document comes first, then the note in
// the record. A review is the note alone.
func (e *Engine) UndoRequest(ctx context.Context, id string, u Undo) (*Request, error) {
	writes, err := e.undoing(ctx, id, u)
	if err != nil {
		return nil, err
	}
	return e.request(ctx, writes, true)
}

// SweepRequests is one look of a Sweeper: at most SweepVersions former versions
// of each collection and, when it is this node's turn, SweepRecords records.
func (e *Engine) SweepRequests(ctx context.Context, stable vclock.Vector, turn bool) ([]*Request, error) {
	due, err := e.expired(ctx)
	if err != nil {
		return nil, err
	}
	var out []*Request
	for _, s := range due {
		out = append(out, s.request())
	}
	if !turn {
		return out, nil
	}
	r, err := e.oldRecords(ctx, stable)
	if r != nil {
		out = append(out, r)
	}
	return out, err
}

// request makes a request of writes as WriteAll does.
func (e *Engine) request(ctx context.Context, writes []Write, atomic bool) (*Request, error) {
	r := NewWrites(writes, atomic)
	for i := range writes {
		if err := e.checkWrite(&writes[i]); err != nil {
			return nil, err
		}
		if err := e.recallNamed(ctx, &writes[i]); err != nil {
			return nil, err
		}
	}
	return r, nil
}
