package node

import (
	"errors"
	"fmt"
	"slices"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/vclock"
)

// checkLooked holds a write against what its collection asks of writers: to have
// looked first. Nobody ends a conflict by accident that waits for a person, and
// nobody piles up siblings without end.
func (w *Write) checkLooked(doc *Document, seen vclock.Context, config *conflict.Config) error {
	fail := func(kind Kind, format string, args ...any) error {
		return &Error{Op: "write", Kind: kind, Key: w.Key.String(), Err: fmt.Errorf(format, args...), Current: doc}
	}
	if w.system || w.Decision != nil {
		return nil
	}
	looked := w.IfMatch != nil || w.Context != nil || w.IfAbsent
	switch {
	case config.RequireContext && !looked:
		return fail(ContextRequired, "this collection takes no write without If-Match or Causal-Context: read the document first, and send the Causal-Context that came with it")
	case config.RequireContext && w.Context != nil && slices.ContainsFunc(doc.Live, func(v *conflict.Version) bool { return !seen.Covers(v.Dot) }):
		return &Error{Op: "write", Kind: StaleContext, Key: w.Key.String(), Err: errors.New("the context is older than what is shown here, and this collection takes no such write"), Current: doc}
	case !looked && doc.Shown.Open:
		return fail(OpenConflict, "this conflict waits for a person: look at its siblings, and send their ETag as If-Match or their Causal-Context")
	case !looked && len(doc.Live) >= MaxSiblings:
		return fail(OpenConflict, "the document has %d live versions: look at its siblings, and send their ETag as If-Match or their Causal-Context", len(doc.Live))
	}
	return nil
}
