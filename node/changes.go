package node

import (
	"context"
	"errors"
	"fmt"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/vclock"
)

// The changes feed is a feed of present state: one event for each live version
// that the cursor does not have, read from one snapshot. What was overwritten
// meanwhile is skipped.
//
// A cursor is a frontier that the reader has (the checkpoint, valid on any
// node), and between two checkpoints a vector of the rows that this node has
// told since. That vector proves nothing at another node: rows that superseded
// others stand elsewhere there, so another node goes on from the checkpoint,
// which repeats events and leaves none out. While a transfer is open here, a
// checkpoint is such a cursor too.

// ChangesQuery asks for a page of the feed.
type ChangesQuery struct {
	Since      string              // a cursor or a checkpoint; empty: from the beginning
	Collection conflict.Collection // empty: all but the system's own
	Limit      int                 // 0 or less: DefaultPage; at most MaxPage
	MaxBytes   int                 // about how many bytes of bodies; 0: MaxPageBytes
}

// Change is one event: what its document shows in the page's snapshot.
type Change struct {
	Cursor  string // to go on behind this event
	Version *conflict.Version
	Doc     Document
	Settles string // the id of the record of the conflict that the version ended by policy, or ""
}

// ChangesPage is one page of the feed.
type ChangesPage struct {
	Changes    []Change
	Checkpoint string // only when there was nothing more in the snapshot
	Next       string // to go on behind this page
}

// MaxScan is the most rows that one page looks at, so that a feed of a small
// collection among large ones answers in bounded time.
const MaxScan = 50000

// position is what a cursor says.
type position struct {
	base  vclock.Vector // the checkpoint
	told  vclock.Vector // rows told since, by the actor's node that made the cursor
	maker vclock.Actor
}

// Changes returns a page. A node that lacks what the cursor names waits for it
// until the context ends.
func (e *Engine) Changes(ctx context.Context, q ChangesQuery) (ChangesPage, error) {
	pos, err := e.changesCursor(q.Since)
	if err != nil {
		return ChangesPage{}, err
	}
	if err := e.Await(ctx, vclock.ContextOf(pos.base)); err != nil {
		return ChangesPage{}, err
	}
	view, err := e.cfg.Store.View(ctx)
	if err != nil {
		return ChangesPage{}, e.storeError("changes", "", err)
	}
	page, err := e.changes(view, q, pos)
	if err = errors.Join(err, view.Close()); err != nil {
		return ChangesPage{}, e.storeError("changes", "", err)
	}
	return page, e.completePage(ctx, &page)
}

// AwaitCursor waits until this node has what a cursor names, or the context
// ends: for a caller whose wait is shorter than its patience for the page.
func (e *Engine) AwaitCursor(ctx context.Context, since string) error {
	pos, err := e.changesCursor(since)
	if err != nil {
		return err
	}
	return e.Await(ctx, vclock.ContextOf(pos.base))
}

// pager fills one page of the feed from one snapshot.
type pager struct {
	e        *Engine
	view     View
	q        ChangesQuery
	limit    int
	frontier vclock.Vector
	pos      position
	page     ChangesPage
	size     int // bytes of bodies in the page
	scanned  int // rows looked at
}

// changes reads the rows between the cursor and the snapshot's frontier, actor
// by actor. Loose rows wait for the frontier: else a feed would tell them with
// every page until then.
func (e *Engine) changes(view View, q ChangesQuery, pos position) (ChangesPage, error) {
	limit := q.Limit
	if limit <= 0 {
		limit = DefaultPage
	}
	if q.MaxBytes <= 0 {
		q.MaxBytes = MaxPageBytes
	}
	p := &pager{e: e, view: view, q: q, limit: min(limit, MaxPage), frontier: view.Frontier(), pos: pos}
	p.pos.maker = e.actor
	for end := range p.frontier.All() {
		full, err := p.actor(end)
		if err != nil {
			return p.page, err
		}
		if full {
			p.page.Next = e.sealPosition(p.pos)
			return p.page, nil
		}
		p.pos.told = p.pos.told.With(end)
	}
	loose, err := p.loose()
	if err != nil {
		return p.page, err
	}
	if !loose {
		p.pos = position{base: p.frontier.Join(pos.base), maker: e.actor}
	}
	p.page.Checkpoint = e.sealPosition(p.pos)
	p.page.Next = p.page.Checkpoint
	return p.page, nil
}

// loose says whether the snapshot has rows beyond its frontier. One of them may
// have covered a row that the frontier claims and that was never told, so the
// frontier would leave a gap at another node, which lacks the loose one: until
// the transfer closes, checkpoints go on here and go back to the last one there.
func (p *pager) loose() (bool, error) {
	actors, err := p.view.Actors()
	if err != nil {
		return false, err
	}
	for _, a := range actors {
		rows, err := p.view.Rows(a, p.frontier.Get(a), 1, 0)
		if err != nil || len(rows) > 0 {
			return len(rows) > 0, err
		}
	}
	return false, nil
}

// actor reads the rows of one actor up to the end, and says whether the page
// is full before that.
func (p *pager) actor(end vclock.Dot) (full bool, err error) {
	after := max(p.pos.base.Get(end.Actor), p.pos.told.Get(end.Actor))
	for after < end.Seq {
		rows, err := p.view.Rows(end.Actor, after, p.limit, p.q.MaxBytes)
		if err != nil || len(rows) == 0 {
			return false, err
		}
		for _, v := range rows {
			if v.Dot.Seq > end.Seq {
				return false, nil
			}
			if len(p.page.Changes) == p.limit || p.size >= p.q.MaxBytes || p.scanned >= MaxScan {
				return true, nil
			}
			after = v.Dot.Seq
			p.scanned++
			p.pos.told = p.pos.told.With(v.Dot)
			if err := p.tell(v); err != nil {
				return false, err
			}
		}
	}
	return false, nil
}

// tell puts one row's event into the page, unless it was not asked for.
func (p *pager) tell(v *conflict.Version) error {
	if !p.q.wants(v.Key.Collection) {
		return nil
	}
	live, err := p.view.Document(v.Key)
	if err != nil {
		return err
	}
	c := Change{Cursor: p.e.sealPosition(p.pos), Version: v, Doc: show(v.Key, live, p.frontier, p.e.policy(v.Key.Collection))}
	if c.Settles, err = p.settles(v); err != nil {
		return err
	}
	p.size += len(c.Doc.Shown.Body)
	p.page.Changes = append(p.page.Changes, c)
	return nil
}

// settles names the record that a settlement filed. One whose siblings were
// attempts of one write has none, and another may not have arrived.
func (p *pager) settles(v *conflict.Version) (string, error) {
	if v.Origin == nil || !v.Origin.Settles {
		return "", nil
	}
	id := v.Origin.Write.ConflictID()
	live, err := p.view.Document(conflict.Key{Collection: RecordCollection, ID: conflict.DocID(id)})
	if err != nil || len(live) == 0 {
		return "", err
	}
	return id, nil
}

func (q *ChangesQuery) wants(c conflict.Collection) bool {
	if q.Collection == "" {
		return !c.IsSystem()
	}
	return c == q.Collection
}

func (e *Engine) sealPosition(p position) string {
	b := append([]byte{byte(len(p.maker))}, p.maker...)
	return e.seal(kindChanges, appendContexts(b, vclock.ContextOf(p.base), vclock.ContextOf(p.told)))
}

func (e *Engine) changesCursor(s string) (position, error) {
	if s == "" {
		return position{}, nil
	}
	b, err := e.open(kindChanges, s, MaxSession)
	if err != nil {
		return position{}, &Error{Op: "changes", Kind: BadCursor, Err: fmt.Errorf("since: %w", err)}
	}
	n := 0
	if len(b) > 0 {
		n = int(b[0])
	}
	if len(b) < 1+n {
		return position{}, &Error{Op: "changes", Kind: BadCursor, Err: errors.New("since: the cursor is cut off")}
	}
	base, told, err := readContexts(b[1+n:])
	if err != nil {
		return position{}, &Error{Op: "changes", Kind: BadCursor, Err: fmt.Errorf("since: %w", err)}
	}
	p := position{base: base.Vector(), told: told.Vector(), maker: vclock.Actor(b[1 : 1+n])}
	if p.maker != e.actor {
		p.told = vclock.Vector{}
	}
	return p, nil
}
