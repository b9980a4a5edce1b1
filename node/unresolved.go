package node

import (
	"context"
	"errors"

	"github.com/syncline/syncline/conflict"
)

// maxAsks is how often a write is submitted again because its document's
// resolver had to be asked. Each time somebody else has altered the siblings.
const maxAsks = 8

// unresolved is the error of a write whose document shows what a resolver makes
// of it, and nobody has asked yet. The writer never runs a resolver: whoever
// submitted the write does, and submits it again.
type unresolved struct{ doc Document }

// Error implements error.
func (u *unresolved) Error() string {
	return u.doc.Key.String() + ": the resolver has not been asked about these siblings"
}

// resolved is what a write shall take its document to show, if it has these
// siblings then: the finding may not be kept, or not that long.
type resolved struct {
	tag   string // of the set under its policy
	shown conflict.Shown
}

// known makes a document show what was found out for this write, and says
// whether nothing is left to ask.
func (w *Write) known(d *Document) bool {
	if !d.asks {
		return true
	}
	if w.found == nil || w.found.tag != d.Live.Tag(d.script) {
		return false
	}
	d.Shown, d.asks = w.found.shown, false
	d.Tag = d.script.tag(d.Live, d.Shown.Reason)
	return true
}

// foundOf is what a document shows, for a write of it; nil where no resolver has
// a say.
func foundOf(d *Document) *resolved {
	if d.script == nil {
		return nil
	}
	return &resolved{tag: d.Live.Tag(d.script), shown: d.Shown}
}

// commitWrites hands writes to the writer. Those that need a resolver's word are
// submitted again when it is known, an atomic request as a whole.
func (e *Engine) commitWrites(ctx context.Context, r *Request) error {
	if err := e.submit(ctx, r); err != nil {
		return err
	}
	for range maxAsks {
		open := r.unresolved()
		if len(open) == 0 {
			return e.completeWritten(ctx, r)
		}
		if err := e.ask(ctx, r, open); err != nil {
			return err
		}
		if err := e.again(ctx, r, open); err != nil {
			return err
		}
	}
	for _, i := range r.unresolved() {
		r.refuse(i, &Error{Op: "write", Kind: Busy, Key: r.writes[i].Key.String(), Err: errors.New(
			"the siblings changed faster than their resolver could be asked; nothing was applied")})
	}
	return e.completeWritten(ctx, r)
}

// unresolved lists the writes whose resolver has to be asked.
func (r *Request) unresolved() []int {
	var out []int
	for i := range r.outcomes {
		if _, ok := errors.AsType[*unresolved](r.outcomes[i].Err); ok {
			out = append(out, i)
		}
	}
	return out
}

// refuse answers one write with an error, and with it an atomic request.
func (r *Request) refuse(i int, err error) {
	r.outcomes[i] = Outcome{Err: err}
	if r.atomic {
		r.err = &Error{Op: "write", Kind: AtomicFailed, Line: i + 1, Err: err}
	}
}

// ask asks the resolvers of these writes' documents.
func (e *Engine) ask(ctx context.Context, r *Request, open []int) error {
	docs := make([]*Document, len(open))
	for n, i := range open {
		u, _ := errors.AsType[*unresolved](r.outcomes[i].Err) // it is one: unresolved has looked
		docs[n] = &u.doc
	}
	if err := e.complete(ctx, docs...); err != nil {
		return err
	}
	for n, i := range open {
		r.writes[i].found = foundOf(docs[n])
	}
	return nil
}

// again submits the writes that have learned what they needed.
func (e *Engine) again(ctx context.Context, r *Request, open []int) error {
	if r.atomic {
		next := NewWrites(r.writes, true)
		for i := range r.outcomes {
			// What is wrong whatever the node holds stays wrong.
			next.outcomes[i].Err = e.checkWrite(&r.writes[i])
		}
		err := e.submit(ctx, next)
		r.outcomes, r.err = next.outcomes, next.err
		return err
	}
	writes := make([]Write, len(open))
	for n, i := range open {
		writes[n] = r.writes[i]
	}
	next := NewWrites(writes, false)
	if err := e.submit(ctx, next); err != nil {
		for _, i := range open {
			r.outcomes[i].Err = err // the others have been carried out
		}
		return nil
	}
	for n, i := range open {
		r.outcomes[i] = next.outcomes[n]
	}
	return nil
}

// completeWritten lets the answers say what is shown afterwards.
func (e *Engine) completeWritten(ctx context.Context, r *Request) error {
	var docs []*Document
	for i := range r.outcomes {
		if o := &r.outcomes[i]; o.Written.After.asks {
			docs = append(docs, &o.Written.After)
		}
	}
	if len(docs) == 0 {
		return nil
	}
	// The writes are durable. That their writer does not wait for the value is no
	// failure of theirs: what stands in is flagged.
	if err := e.complete(ctx, docs...); err != nil && KindOf(err) != Busy {
		return err
	}
	return nil
}
