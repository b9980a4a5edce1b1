package node

import (
	"context"
	"errors"
	"fmt"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/vclock"
)

// Limits of lists.
const (
	// DefaultPage and MaxPage are documents or events of one page.
	DefaultPage = 100
	MaxPage     = 1000
	// MaxPageBytes is about how many bytes of bodies one page carries.
	MaxPageBytes = 8 << 20
)

// Get reads one document. It is never an error that there is none: see
// Document.Exists.
func (e *Engine) Get(ctx context.Context, key conflict.Key) (Document, error) {
	r, err := e.cfg.Store.Read(ctx, key)
	if err != nil {
		return Document{}, e.storeError("get", key.String(), err)
	}
	d := show(key, r.Live, r.Frontier, e.policy(key.Collection))
	if d.asks {
		err = e.complete(ctx, &d)
	}
	return d, err
}

func (e *Engine) storeError(op, key string, err error) error {
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return &Error{Op: op, Kind: Busy, Key: key, Err: err}
	}
	return &Error{Op: op, Kind: Bug, Key: key, Err: err}
}

// List is one page of a collection.
type List struct {
	Documents []Document
	Next      string // cursor of the next page; empty at the end
	Frontier  vclock.Vector
}

// ListQuery asks for a page.
type ListQuery struct {
	Collection conflict.Collection
	Prefix     string
	Cursor     string // from the page before, or empty
	Limit      int    // 0 or less: DefaultPage; at most MaxPage
	Conflicted bool   // only documents in conflict
}

// List returns the documents of a collection that have a value to show, in the
// order of their ids. With Conflicted, documents in conflict of which a
// tombstone is shown are in it too.
func (e *Engine) List(ctx context.Context, q ListQuery) (List, error) {
	after, err := e.listCursor(q)
	if err != nil {
		return List{}, err
	}
	limit := q.Limit
	if limit <= 0 {
		limit = DefaultPage
	}
	view, err := e.cfg.Store.View(ctx)
	if err != nil {
		return List{}, e.storeError("list", string(q.Collection), err)
	}
	out, err := e.list(view, q, after, min(limit, MaxPage))
	if err = errors.Join(err, view.Close()); err != nil {
		return List{}, e.storeError("list", string(q.Collection), err)
	}
	err = e.completeList(ctx, &out, q) // before out is returned, which it changes
	return out, err
}

func (e *Engine) list(view View, q ListQuery, after conflict.DocID, limit int) (List, error) {
	out := List{Frontier: view.Frontier()}
	policy := e.policy(q.Collection)
	size := 0
	for {
		found, err := view.List(ListRange{
			Collection: q.Collection, Prefix: q.Prefix, After: after, Conflicted: q.Conflicted,
			Limit: limit + 1, MaxBytes: MaxPageBytes,
		})
		if err != nil || len(found) == 0 {
			return out, err
		}
		for _, live := range found {
			if len(out.Documents) == limit || size >= MaxPageBytes {
				out.Next = e.seal(kindList, []byte(string(q.Collection)+"\n"+q.Prefix+"\n"+string(after)))
				return out, nil
			}
			after = live[0].Key.ID
			d := show(live[0].Key, live, out.Frontier, policy)
			if d.Exists() || q.Conflicted || d.asks {
				out.Documents = append(out.Documents, d)
				size += len(d.Shown.Body)
			}
		}
	}
}

func (e *Engine) listCursor(q ListQuery) (conflict.DocID, error) {
	if q.Cursor == "" {
		return "", nil
	}
	b, err := e.open(kindList, q.Cursor, MaxSession)
	if err != nil {
		return "", &Error{Op: "list", Kind: BadCursor, Err: fmt.Errorf("cursor: %w", err)}
	}
	head := string(q.Collection) + "\n" + q.Prefix + "\n"
	if len(b) < len(head) || string(b[:len(head)]) != head {
		return "", &Error{Op: "list", Kind: BadCursor, Err: errors.New("cursor: it is of another collection or prefix; send the same query as for the first page")}
	}
	return conflict.DocID(b[len(head):]), nil
}

// Await waits until this node has what a session names, or the context ends.
func (e *Engine) Await(ctx context.Context, session vclock.Context) error {
	if session.IsZero() {
		return nil
	}
	if err := e.OwnActorSeen("a client's session or cursor", e.ownSeq(session)); err != nil {
		return err
	}
	for {
		bell := e.feed.Bell()
		// The wait may be over, or none; the look is always taken.
		ok, err := e.has(context.WithoutCancel(ctx), session)
		if ok || err != nil {
			return err
		}
		select {
		case <-bell:
		case <-ctx.Done():
			return &Error{Op: "await", Kind: Behind, Err: fmt.Errorf(
				"this node lacks %d versions of what the session or cursor names; ask another node, or wait longer with Prefer: wait",
				session.Vector().Beyond(e.Frontier())+uint64(session.LooseLen()))}
		}
	}
}

// has says whether the node holds all that a session names: within the
// frontier, or, for a loose dot, as a live row.
func (e *Engine) has(ctx context.Context, session vclock.Context) (bool, error) {
	frontier := e.Frontier()
	if !frontier.Dominates(session.Vector()) {
		return false, nil
	}
	var loose []vclock.Dot
	for d := range session.Loose() {
		if !frontier.Covers(d) {
			loose = append(loose, d)
		}
	}
	if len(loose) == 0 {
		return true, nil
	}
	view, err := e.cfg.Store.View(ctx)
	if err != nil {
		return false, e.storeError("await", "", err)
	}
	ok, err := holds(view, loose)
	if err = errors.Join(err, view.Close()); err != nil {
		return false, e.storeError("await", "", err)
	}
	return ok, nil
}

func holds(view View, dots []vclock.Dot) (bool, error) {
	for _, d := range dots {
		rows, err := view.Rows(d.Actor, d.Seq-1, 1, 0)
		if err != nil || len(rows) == 0 || rows[0].Dot != d {
			return false, err
		}
	}
	return true, nil
}

// Verify is what GET /v1/verify reports.
type Verify struct {
	Frontier    vclock.Vector
	Loose       int // live versions beyond the frontier
	Collections []CollectionStat
}

// Verify reads the digests, from one snapshot. They are comparable between two
// nodes at equal frontiers without loose versions (PROTOCOL D12).
func (e *Engine) Verify(ctx context.Context) (Verify, error) {
	view, err := e.cfg.Store.View(ctx)
	if err != nil {
		return Verify{}, e.storeError("verify", "", err)
	}
	out := Verify{Frontier: view.Frontier()}
	err = eachLoose(view, func(*conflict.Version) { out.Loose++ })
	if err == nil {
		out.Collections, err = view.Collections()
	}
	if err = errors.Join(err, view.Close()); err != nil {
		return Verify{}, e.storeError("verify", "", err)
	}
	return out, nil
}

// eachLoose goes through the rows beyond the frontier: by actor, in order of
// sequence.
func eachLoose(view View, fn func(*conflict.Version)) error {
	actors, err := view.Actors()
	if err != nil {
		return err
	}
	for _, a := range actors {
		after := view.Frontier().Get(a)
		for {
			rows, err := view.Rows(a, after, MaxPage, MaxPageBytes)
			if err != nil {
				return err
			}
			if len(rows) == 0 {
				break
			}
			for _, v := range rows {
				fn(v)
				after = v.Dot.Seq
			}
		}
	}
	return nil
}
