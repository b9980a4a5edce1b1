package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/planted"
	"github.com/syncline/syncline/vclock"
)

// Apply joins what a peer's transfer brought, and answers when it is durable.
// An error of kind Corrupt means that the transfer is void: its closing frame
// must not count.
func (e *Engine) Apply(ctx context.Context, a Apply) (Applied, error) {
	if f := e.failed.Load(); f != nil {
		return Applied{}, f
	}
	r := NewApply(a)
	if err := e.submit(ctx, r); err != nil {
		return Applied{}, err
	}
	return r.Applied()
}

// apply joins rows, then the closing frame. The first error voids the
// transfer, the second is the store's or ends the process.
func (b *batch) apply(a *Apply) (Applied, error, error) {
	var out Applied
	for _, v := range a.Versions {
		if err := b.ownAhead(v); err != nil {
			return out, nil, err
		}
		added, refused, err := b.join(v)
		if refused != nil || err != nil {
			return out, refused, err
		}
		if added {
			out.New++
		}
	}
	if a.Close != nil {
		return out, nil, b.close(a)
	}
	if a.Done.Len() == 0 {
		return out, nil, nil
	}
	b.dirty = true
	return out, nil, b.tx.SetCursor(a.Sender, a.Done)
}

// join makes a peer's version live unless it is known or covered (D3).
func (b *batch) join(v *conflict.Version) (added bool, refused, err error) {
	if b.frontier.Covers(v.Dot) {
		// Known: live here, or covered here. The document is not even looked up.
		return false, nil, nil
	}
	live, err := b.tx.Document(v.Key)
	if err != nil {
		return false, nil, err
	}
	if twin := live.Find(v.Dot); twin != nil && twin.Sum != v.Sum {
		b.e.event(Event{Kind: EventReusedDot, Key: v.Dot.String()})
		return false, &Error{Op: "apply", Kind: Corrupt, Key: v.Dot.String(), Err: fmt.Errorf("the dot names another write here: a file was copied or went back")}, nil
	}
	got := live.Add(v, b.frontier)
	if planted.On(planted.EarlyFrontier) {
		b.frontier = b.frontier.With(v.Dot)
	}
	if got.New == nil {
		return false, nil, nil
	}
	if err := b.write(live, got); err != nil {
		if unfit, ok := errors.AsType[*Error](err); ok && unfit.Kind == Bug {
			err = &misfit{v.Dot, unfit}
		}
		return false, nil, err
	}
	b.observe(v)
	if v.Dot.Seq < b.loose.Get(v.Dot.Actor) {
		b.disorder = true
		b.e.disorder.Add(1) // before a snapshot can show the row
	}
	b.loose = b.loose.With(v.Dot)
	return true, nil, nil
}

// misfit rolls a batch back: the store will not have a peer's version beside
// what it holds, since its dot names another document's version here. To look
// each dot up beforehand would cost more than the case is worth.
type misfit struct {
	dot vclock.Dot
	err error
}

func (m *misfit) Error() string {
	return "the dot names another write here: a file was copied or went back: " + m.err.Error()
}

func (m *misfit) Unwrap() error { return m.err }

// rollBack answers a batch of which nothing was applied because of one peer's
// version: that peer's transfer is void, and the others may try again.
func (e *Engine) rollBack(requests []*Request, m *misfit) {
	e.event(Event{Kind: EventReusedDot, Key: m.dot.String()})
	e.assigned.Store(e.frontier.Get(e.actor))
	for _, r := range requests {
		if r.brings(m.dot) {
			r.fail(&Error{Op: "apply", Kind: Corrupt, Key: m.dot.String(), Err: m})
			continue
		}
		r.fail(&Error{Op: "write", Kind: Busy, Err: errors.New("a peer's version in the same commit was refused; nothing was applied, try again")})
	}
}

// observe pulls the hybrid clock along, but not by a clock that runs too far
// ahead: that version is kept as it is, and an alarm raised.
func (b *batch) observe(v *conflict.Version) {
	wall := b.e.cfg.Wall()
	if ahead := v.Time.Sub(vclock.At(wall)); ahead > b.e.cfg.Drift {
		b.e.event(Event{Kind: EventDrift, Key: v.Dot.String(), By: ahead.Round(time.Millisecond)})
		return
	}
	b.last = max(b.last, v.Time)
}

// close moves the frontier: only here, and only after all rows (D4).
func (b *batch) close(a *Apply) error {
	own := b.e.actor
	if n := a.Close.Frontier.Get(own); n > b.e.assigned.Load() {
		return b.e.ahead("the frontier of "+string(a.Sender), n)
	}
	frontier := b.frontier.Join(a.Close.Frontier)
	if planted.On(planted.CloseLoose) {
		frontier = frontier.Join(b.held)
		for _, v := range a.Versions {
			frontier = frontier.With(v.Dot)
		}
	}
	if !frontier.Equal(b.frontier) {
		b.frontier, b.dirty = frontier, true
	}
	if a.Done.Len() > 0 {
		b.dirty = true
		if err := b.tx.SetCursor(a.Sender, vclock.Vector{}); err != nil {
			return err
		}
	}
	if a.Close.Standing == StandingGood {
		b.setStanding(StandingGood)
	}
	return nil
}

// ownAhead says whether a peer's version proves that this file went back.
func (b *batch) ownAhead(v *conflict.Version) error {
	n := b.e.ownSeq(v.Clock)
	if v.Dot.Actor == b.e.actor {
		n = max(n, v.Dot.Seq)
	}
	if n > b.e.assigned.Load() {
		return b.e.ahead("version "+v.Dot.String(), n)
	}
	return nil
}

// ownSeq is the highest sequence of this node's own actor that a context names.
func (e *Engine) ownSeq(c vclock.Context) uint64 {
	n := c.Vector().Get(e.actor)
	for d := range c.Loose() {
		if d.Actor == e.actor {
			n = max(n, d.Seq)
		}
	}
	return n
}

// OwnActorSeen is told what somebody else knows of this node's own actor. More
// than this file ever assigned means that the file went back (a copy, an old
// backup, a lost tail): going on would use dots twice, which is silent loss.
func (e *Engine) OwnActorSeen(from string, seq uint64) error {
	if seq <= e.assigned.Load() {
		return nil
	}
	err := e.ahead(from, seq)
	e.Fail(err)
	return err
}

func (e *Engine) ahead(from string, seq uint64) error {
	return &Error{Op: "join", Kind: OwnActorAhead, Key: string(e.actor), Err: fmt.Errorf(
		"%s knows write %d of this node, but its own file ends at %d: the file is a copy or went back. "+
			"Nothing is lost at the others. Stop this node, move its folder away, and start it with an empty one; it will fetch all data",
		from, seq, e.assigned.Load())}
}
