package node

import (
	"context"
	"slices"

	"github.com/syncline/syncline/conflict"
)

// Everything that shows documents shows first what is known, from one snapshot,
// and asks resolvers when the snapshot is closed: nobody waits for a script with
// the file held open.

// asking are those of the documents whose resolver has to be asked.
func asking(docs []Document) []*Document {
	var out []*Document
	for i := range docs {
		if docs[i].asks {
			out = append(out, &docs[i])
		}
	}
	return out
}

// completeList asks for the documents of a page. Those that turn out to be
// deleted leave it, as they would have had they been known.
func (e *Engine) completeList(ctx context.Context, l *List, q ListQuery) error {
	docs := asking(l.Documents)
	if len(docs) == 0 {
		return nil
	}
	if err := e.complete(ctx, docs...); err != nil {
		return err
	}
	if !q.Conflicted {
		l.Documents = slices.DeleteFunc(l.Documents, func(d Document) bool { return !d.Exists() })
	}
	return nil
}

// completePage asks for the documents of a page of the feed.
func (e *Engine) completePage(ctx context.Context, p *ChangesPage) error {
	var docs []*Document
	for i := range p.Changes {
		if d := &p.Changes[i].Doc; d.asks {
			docs = append(docs, d)
		}
	}
	return e.complete(ctx, docs...)
}

// decided asks for the documents that could be settled, and leaves out those
// that wait for a person, and those of which this node knows no result.
func (e *Engine) decided(ctx context.Context, docs []Document) ([]Document, error) {
	ask := asking(docs)
	if len(ask) == 0 {
		return docs, nil
	}
	if err := e.complete(ctx, ask...); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(docs, func(d Document) bool { return d.Shown.Open }), nil
}

// settlingByScript makes the settlement of a document that of its resolver,
// where one has decided.
func settlingByScript(w *Write, d *Document) {
	if w.found = foundOf(d); w.found == nil || d.Live.Conflicts() == 0 {
		return
	}
	s := d.script.script
	w.Decision.By = conflict.ByScript
	w.Decision.Reason = "the resolver " + s.Name + " (version " + s.Version + ") has decided"
	if d.Shown.Deleted {
		w.Decision.Reason += " to delete the document"
	}
}
