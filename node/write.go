package node

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node/strictjson"
	"github.com/syncline/syncline/planted"
	"github.com/syncline/syncline/vclock"
)

// Limits of documents.
const (
	// DefaultBody is the longest body of a document, in bytes.
	DefaultBody = 1 << 20
	// MaxBody is the longest body that any configuration may allow, in bytes.
	MaxBody = 16 << 20
	// MaxDepth is the deepest nesting of a document.
	MaxDepth = 64
)

// Write carries out one local write and answers when it is durable here. Its
// errors are of kind *Error; see Kind for which mean that nothing was applied.
func (e *Engine) Write(ctx context.Context, w Write) (Written, error) {
	out, err := e.WriteAll(ctx, []Write{w}, false)
	if err != nil {
		return Written{}, err
	}
	return out[0].Written, out[0].Err
}

// WriteAll carries out several local writes: each for itself, or with atomic
// all or none, seen whole by peers too. The error is for all of them.
func (e *Engine) WriteAll(ctx context.Context, writes []Write, atomic bool) ([]Outcome, error) {
	// Refuse before the queue: a node that may not write answers at once.
	if err := e.MayWrite(); err != nil && !e.goesOn(err, writes) {
		return nil, err
	}
	r := NewWrites(writes, atomic)
	for i := range writes {
		if err := e.checkWrite(&writes[i]); err != nil {
			r.outcomes[i].Err = err
			continue
		}
		if err := e.Await(ctx, writes[i].Session); err != nil {
			return nil, err
		}
		if err := e.recallNamed(ctx, &writes[i]); err != nil {
			return nil, err
		}
	}
	if err := e.commitWrites(ctx, r); err != nil {
		return nil, err
	}
	if r.err != nil {
		return nil, r.err
	}
	return r.outcomes, nil
}

// checkWrite refuses what is wrong whatever the node holds.
func (e *Engine) checkWrite(w *Write) error {
	if w.Key.Collection.IsSystem() && !w.system {
		return &Error{Op: "write", Kind: SystemColl, Key: w.Key.String(), Err: errors.New("collections that begin with an underscore are written only through their own routes")}
	}
	if w.Kind != Put {
		return nil
	}
	return e.checkBody(w.Key, w.Body)
}

func (e *Engine) checkBody(key conflict.Key, body []byte) error {
	limit := e.setting(key.Collection).config.Limits.Body
	if len(body) > limit {
		return &Error{Op: "write", Kind: TooLarge, Key: key.String(), Err: fmt.Errorf("a body of %d bytes: at most %d", len(body), limit)}
	}
	err := strictjson.Check(body, strictjson.Limits{Depth: MaxDepth})
	switch {
	case err == nil:
		return nil
	case errors.Is(err, strictjson.ErrNotObject):
		return &Error{Op: "write", Kind: Invalid, Key: key.String(), Err: err}
	}
	return &Error{Op: "write", Kind: BadJSON, Key: key.String(), Err: err}
}

// plan is a write whose preconditions hold.
type plan struct {
	w       *Write
	live    conflict.Siblings
	shown   conflict.Shown // of live
	body    []byte
	seen    vclock.Context
	after   vclock.Time
	created bool
}

// writeEach carries out the writes of a request, each for itself: one that
// fails writes nothing and fails alone. Its error is the store's.
func (b *batch) writeEach(r *Request) error {
	for i := range r.writes {
		o := &r.outcomes[i]
		if o.Err != nil {
			continue
		}
		p, refused, err := b.plan(&r.writes[i])
		if err != nil {
			return err
		}
		if refused != nil {
			o.Err = refused
			continue
		}
		if o.Written, err = b.stamp(p); err != nil {
			return err
		}
	}
	return nil
}

// writeAtomic plans all writes before it makes the first: no id stands twice
// in an atomic request, so no plan depends on another's write, but for a note in a
// record that a write of the request files.
func (b *batch) writeAtomic(r *Request) error {
	plans := make([]plan, len(r.writes))
	seen := map[conflict.Key]bool{}
	failed := 0
	for i := range r.writes {
		o := &r.outcomes[i]
		w := &r.writes[i]
		if o.Err == nil && seen[w.Key] {
			o.Err = &Error{Op: "write", Kind: Invalid, Key: w.Key.String(), Err: errors.New("the id stands twice in an atomic batch")}
		}
		seen[w.Key] = true
		if o.Err == nil {
			var err error
			if plans[i], o.Err, err = b.plan(w); err != nil {
				return err
			}
		}
		if o.Err != nil && failed == 0 {
			failed = i + 1
		}
	}
	if failed > 0 {
		r.err = &Error{Op: "write", Kind: AtomicFailed, Line: failed, Err: r.outcomes[failed-1].Err}
		return nil
	}
	for i := range plans {
		p, err := b.anew(plans[i])
		if err != nil {
			return err
		}
		if r.outcomes[i].Written, err = b.stamp(p); err != nil {
			return err
		}
	}
	return nil
}

// plan looks at what the node shows and decides whether the write may go
// ahead. The first error is the writer's, the second the store's.
func (b *batch) plan(w *Write) (plan, error, error) {
	live, err := b.tx.Document(w.Key)
	if err != nil {
		return plan{}, nil, err
	}
	doc := show(w.Key, live, b.frontier, b.e.policy(w.Key.Collection))
	if !w.known(&doc) {
		return plan{}, &unresolved{doc}, nil
	}
	p := plan{w: w, live: live, body: w.Body, shown: doc.Shown, created: !doc.Exists()}
	if w.Context == nil {
		p.seen = doc.Seen()
	} else {
		p.seen, p.after = w.Context.Seen, w.Context.Time
		if planted.On(planted.SessionCtx) {
			p.seen = p.seen.Join(w.Session)
		}
		if n := b.e.ownSeq(p.seen); n > b.e.assigned.Load() {
			return plan{}, nil, b.e.ahead("a causal context", n)
		}
	}
	if refused := w.check(&doc, p.seen, b.frontier); refused != nil {
		return plan{}, refused, nil
	}
	if refused := w.checkLooked(&doc, p.seen, &b.e.setting(w.Key.Collection).config); refused != nil {
		return plan{}, refused, nil
	}
	if w.Kind == Patch {
		base := []byte("{}")
		if doc.Exists() {
			base = doc.Shown.Body
		}
		if p.body, err = w.Change(base); err != nil {
			return plan{}, err, nil
		}
		if err = b.e.checkBody(w.Key, p.body); err != nil {
			return plan{}, err, nil
		}
	}
	if w.allowed != nil {
		if err = w.allowed(b.nowSettings(), p.body); err != nil {
			return plan{}, err, nil
		}
	}
	return p, nil, nil
}

// check holds the write's preconditions against what is shown.
func (w *Write) check(doc *Document, seen vclock.Context, frontier vclock.Vector) error {
	fail := func(kind Kind, text string) error {
		return &Error{Op: "write", Kind: kind, Key: w.Key.String(), Err: errors.New(text), Current: doc}
	}
	switch {
	case w.IfMatch != nil && !w.matches(doc):
		return fail(Precondition, "If-Match does not name what is shown here")
	case w.IfAbsent && doc.Exists():
		return fail(Precondition, "If-None-Match: * was asked for, and there is a value")
	}
	gone := func() error {
		if len(doc.Live) > 0 {
			return fail(Deleted, "the document was deleted")
		}
		return fail(NotFound, "there is no such document")
	}
	switch w.Kind {
	case Put: // it overwrites whatever is there
	case Delete:
		// A context beyond the frontier names a value that is on its way here:
		// the delete is meant for that one.
		if w.settles == nil && !doc.Live.Alive() && (w.Context == nil || seen.Within(frontier)) {
			return gone()
		}
	case Patch:
		// Carried out on what is shown here, it would cover a version of which it
		// kept nothing.
		if !w.baseIsHere(doc, frontier) {
			return fail(Behind, "the context names a version that has not arrived here, and a patch needs its base; ask another node, or wait")
		}
		if !doc.Exists() && !(w.Create && w.IfAbsent) {
			return gone()
		}
		if slices.ContainsFunc(doc.Live, func(v *conflict.Version) bool { return !seen.Covers(v.Dot) }) {
			return fail(StaleContext, "a patch needs a context that has every live version")
		}
	}
	return nil
}

// baseIsHere says whether this node has all that the writer had seen.
func (w *Write) baseIsHere(doc *Document, frontier vclock.Vector) bool {
	if w.Context == nil {
		return true
	}
	if !frontier.Dominates(w.Context.Seen.Vector()) {
		return false
	}
	have := doc.Seen()
	for d := range w.Context.Seen.Loose() {
		if !frontier.Covers(d) && !have.Covers(d) {
			return false
		}
	}
	return true
}

func (w *Write) matches(doc *Document) bool {
	return doc.Exists() && slices.Contains(w.IfMatch, "*") || len(doc.Live) > 0 && slices.Contains(w.IfMatch, doc.Tag)
}

// stamp gives a planned write its dot, time and clock, and makes it live.
func (b *batch) stamp(p plan) (Written, error) {
	e := b.e
	s := conflict.Stamp(p.live, p.seen, b.frontier)
	wall := e.cfg.Wall()
	t := vclock.Next(b.last, wall)
	b.last = t
	// Above all that it covers, also where a peer's clock ran far ahead: the
	// version must say so, and the local clock must not follow.
	v := &conflict.Version{
		Key:     p.w.Key,
		Dot:     vclock.Dot{Actor: e.actor, Seq: b.frontier.Get(e.actor) + 1},
		Time:    max(t, s.After.Above(), p.after.Above()),
		Deleted: p.w.Kind == Delete,
		Clock:   s.Clock,
		Body:    p.body,
	}
	if v.Deleted {
		v.Body = nil
	}
	b.origin(p, s.Covered, v)
	if err := b.layDown(p, s.Covered, v); err != nil {
		return Written{}, err
	}
	v.Sum = v.ComputeSum()
	// Raised before the commit: a peer may report the row before this process
	// has published it.
	e.assigned.Store(v.Dot.Seq)
	b.frontier = b.frontier.With(v.Dot)
	added := p.live.Stamped(v, s)
	if err := b.write(p.live, added); err != nil {
		return Written{}, err
	}
	if len(s.Covered.Visible()) > 1 && !v.Key.Collection.IsSystem() && !planted.On(planted.LoseLoser) {
		if err := b.file(p, s.Covered, v); err != nil {
			return Written{}, err
		}
	}
	return Written{Dot: v.Dot, Created: p.created, After: show(v.Key, added.Live, b.frontier, e.policy(v.Key.Collection))}, nil
}
