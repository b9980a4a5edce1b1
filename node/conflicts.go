package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/vclock"
)

// ConflictState says where a conflict stands.
type ConflictState string

// The states.
const (
	ConflictOpen     ConflictState = "open"     // its siblings are live
	ConflictSettled  ConflictState = "settled"  // it has a record
	ConflictReviewed ConflictState = "reviewed" // a person has looked at the record
)

// Conflict is a document with two live versions or more, or the record of one
// that had them.
type Conflict struct {
	ID     string
	State  ConflictState
	Open   *Document        // with ConflictOpen
	Record *conflict.Record // with the others
}

// ConflictQuery asks for a page of conflicts.
type ConflictQuery struct {
	State      ConflictState       // "": open
	Collection conflict.Collection // "": all
	By         conflict.Decider    // of a record; "": all
	Episode    string              // of a record; "": all
	Cursor     string              // from the page before, or empty
	Limit      int                 // 0 or less: DefaultPage; at most MaxPage
}

// ConflictPage is one page, with the counts of all.
type ConflictPage struct {
	Conflicts []Conflict
	Next      string // cursor of the next page; empty at the end
	Counts    ConflictCounts
}

// ConflictCounts are known without a look at any document.
type ConflictCounts struct {
	Open    int64 // documents with two live versions or more
	Records int64 // settled and reviewed
}

// Conflicts returns a page: the open ones by collection and id, or records by
// their id.
func (e *Engine) Conflicts(ctx context.Context, q ConflictQuery) (ConflictPage, error) {
	if q.Limit <= 0 {
		q.Limit = DefaultPage
	}
	q.Limit = min(q.Limit, MaxPage)
	counts, names, err := e.countConflicts(ctx)
	if err != nil {
		return ConflictPage{}, err
	}
	page := ConflictPage{Counts: counts}
	if q.State == "" || q.State == ConflictOpen {
		page.Conflicts, page.Next, err = e.openConflicts(ctx, q, names)
	} else {
		page.Conflicts, page.Next, err = e.records(ctx, q)
	}
	return page, err
}

// ConflictCounts counts the conflicts.
func (e *Engine) ConflictCounts(ctx context.Context) (ConflictCounts, error) {
	counts, _, err := e.countConflicts(ctx)
	return counts, err
}

// countConflicts counts, and names the collections that have open ones.
func (e *Engine) countConflicts(ctx context.Context) (ConflictCounts, []conflict.Collection, error) {
	view, err := e.cfg.Store.View(ctx)
	if err != nil {
		return ConflictCounts{}, nil, e.storeError("conflicts", "", err)
	}
	stats, err := view.Collections()
	if err = errors.Join(err, view.Close()); err != nil {
		return ConflictCounts{}, nil, e.storeError("conflicts", "", err)
	}
	var counts ConflictCounts
	var names []conflict.Collection
	for _, s := range stats {
		switch {
		case s.Name == RecordCollection:
			counts.Records = s.Documents
		case !s.Name.IsSystem() && s.Conflicts > 0:
			counts.Open += s.Conflicts
			names = append(names, s.Name)
		}
	}
	return counts, names, nil
}

// openConflicts goes through the documents in conflict. The cursor is a
// collection and a list's cursor in it.
func (e *Engine) openConflicts(ctx context.Context, q ConflictQuery, names []conflict.Collection) ([]Conflict, string, error) {
	at, inner, ok := strings.Cut(q.Cursor, ".")
	if q.Cursor != "" && !ok {
		return nil, "", &Error{Op: "conflicts", Kind: BadCursor, Err: errors.New("the cursor is none of a list of open conflicts")}
	}
	var out []Conflict
	for _, name := range names {
		if q.Collection != "" && name != q.Collection || string(name) < at {
			continue
		}
		cursor := ""
		if string(name) == at {
			cursor = inner
		}
		list, err := e.List(ctx, ListQuery{Collection: name, Cursor: cursor, Limit: q.Limit - len(out), Conflicted: true})
		if err != nil {
			return nil, "", err
		}
		for i := range list.Documents {
			d := &list.Documents[i]
			out = append(out, Conflict{ID: e.ConflictID(d), State: ConflictOpen, Open: d})
		}
		if list.Next != "" {
			return out, string(name) + "." + list.Next, nil
		}
		if len(out) == q.Limit {
			return out, string(name) + "!.", nil // behind all of this collection's, and before the next name
		}
	}
	return out, "", nil
}

// records goes through the records, and leaves out those that are not asked for.
func (e *Engine) records(ctx context.Context, q ConflictQuery) ([]Conflict, string, error) {
	var out []Conflict
	cursor := q.Cursor
	for {
		list, err := e.List(ctx, ListQuery{Collection: RecordCollection, Cursor: cursor, Limit: q.Limit - len(out)})
		if err != nil {
			return nil, "", err
		}
		for i := range list.Documents {
			c, err := recordOf(&list.Documents[i])
			if err != nil {
				return nil, "", err
			}
			if c.State == q.State && (q.Collection == "" || c.Record.Collection == q.Collection) && (q.By == "" || c.Record.By == q.By) && (q.Episode == "" || c.Record.Episode == q.Episode) {
				out = append(out, c)
			}
		}
		cursor = list.Next
		if cursor == "" || len(out) == q.Limit {
			return out, cursor, nil
		}
	}
}

// recordOf reads a record's document.
func recordOf(d *Document) (Conflict, error) {
	r := new(conflict.Record)
	if err := json.Unmarshal(d.Shown.Body, r); err != nil {
		return Conflict{}, &Error{Op: "conflict", Kind: Corrupt, Key: d.Key.String(), Err: fmt.Errorf("the record cannot be read: %w", err)}
	}
	state := ConflictSettled
	if r.Reviewed {
		state = ConflictReviewed
	}
	return Conflict{ID: r.ID, State: state, Record: r}, nil
}

// Conflict finds one by its id: the record, or else the open one. Where the id
// was handed out here and the document has other siblings by now, the error is
// of kind ConflictChanged and says what is there.
func (e *Engine) Conflict(ctx context.Context, id string) (Conflict, error) {
	d, err := e.Get(ctx, conflict.Key{Collection: RecordCollection, ID: conflict.DocID(id)})
	if err != nil {
		return Conflict{}, err
	}
	if d.Exists() {
		return recordOf(&d)
	}
	key, known := e.conflicts.keyOf(id)
	if !known {
		if key, known, err = e.searchConflict(ctx, id); err != nil {
			return Conflict{}, err
		}
	}
	missing := &Error{Op: "conflict", Kind: NotFound, Key: id, Err: errors.New("there is no such conflict here, open or on record")}
	if !known {
		return Conflict{}, missing
	}
	if d, err = e.Get(ctx, key); err != nil {
		return Conflict{}, err
	}
	switch {
	case len(d.Live) < 2:
		return Conflict{}, missing
	case d.Live.ID() != id:
		return Conflict{}, &Error{Op: "conflict", Kind: ConflictChanged, Key: key.String(), Current: &d, Err: fmt.Errorf(
			"the document has other siblings by now, and the conflict another id: %s", e.ConflictID(&d))}
	}
	return Conflict{ID: id, State: ConflictOpen, Open: &d}, nil
}

// searchConflict goes through all open conflicts for an id that nobody was told
// here, such as after a start.
func (e *Engine) searchConflict(ctx context.Context, id string) (conflict.Key, bool, error) {
	q := ConflictQuery{State: ConflictOpen, Limit: MaxPage}
	for {
		page, err := e.Conflicts(ctx, q)
		if err != nil {
			return conflict.Key{}, false, err
		}
		for i := range page.Conflicts {
			if page.Conflicts[i].ID == id {
				return page.Conflicts[i].Open.Key, true, nil
			}
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return conflict.Key{}, false, nil
		}
	}
}

// Resolution ends an open conflict. Exactly one of Pick, Delete, Body and
// Resolver is given.
type Resolution struct {
	Pick     vclock.Dot // the sibling whose value it shall be
	Delete   bool
	Body     []byte
	Resolver string // the stored one that shall decide
	Who      string
	Reason   string
}

// Resolve ends an open conflict by a write that covers its siblings, and no
// others: with one more the id is another one.
func (e *Engine) Resolve(ctx context.Context, id string, r Resolution) (Written, error) {
	w, d, err := e.resolving(ctx, id, r)
	if err != nil {
		return Written{}, err
	}
	out, err := e.Write(ctx, w)
	if KindOf(err) == Precondition {
		return out, changed(d, err)
	}
	return out, err
}

// resolving is the write that ends an open conflict, and the document that has
// it.
func (e *Engine) resolving(ctx context.Context, id string, r Resolution) (Write, *Document, error) {
	c, err := e.Conflict(ctx, id)
	if err != nil {
		return Write{}, nil, err
	}
	if c.State != ConflictOpen {
		return Write{}, nil, &Error{Op: "resolve", Kind: Invalid, Key: id, Err: errors.New("the conflict is settled: restore one of its values, or write the document")}
	}
	d := c.Open
	w := Write{
		Kind: Put, Key: d.Key, Body: r.Body, IfMatch: []string{d.Tag},
		Decision: &Decision{By: conflict.ByPerson, Who: r.Who, Reason: r.Reason},
	}
	if !r.Pick.IsZero() {
		v := d.Live.Find(r.Pick)
		if v == nil {
			return Write{}, nil, &Error{Op: "resolve", Kind: Invalid, Key: id, Err: fmt.Errorf("pick: %s is none of the siblings %s", r.Pick, dots(d.Live))}
		}
		w.Body, r.Delete = v.Body, v.Deleted
	}
	if r.Delete {
		w.Kind, w.Body = Delete, nil
	}
	if r.Resolver != "" {
		if w, err = e.resolveBy(ctx, d, r); err != nil {
			return Write{}, nil, err
		}
	}
	return w, d, nil
}

// changed turns a failed If-Match into what it means for a conflict.
func changed(d *Document, err error) error {
	f, ok := errors.AsType[*Error](err)
	if !ok || f.Current == nil || len(f.Current.Live) < 2 {
		return &Error{Op: "conflict", Kind: ConflictChanged, Key: d.Key.String(), Err: errors.New("the conflict has ended meanwhile")}
	}
	return &Error{Op: "conflict", Kind: ConflictChanged, Key: d.Key.String(), Current: f.Current, Err: fmt.Errorf(
		"the document has other siblings by now, and the conflict another id: %s", f.Current.Live.ID())}
}

func dots(s conflict.Siblings) string {
	var out []string
	for _, v := range s {
		out = append(out, v.Dot.String())
	}
	return strings.Join(out, ", ")
}

// Loser reads the body of one sibling of a record.
func (e *Engine) Loser(ctx context.Context, r *conflict.Record, d vclock.Dot) ([]byte, error) {
	doc, err := e.Get(ctx, conflict.Key{Collection: LoserCollection, ID: r.BodyID(d)})
	if err != nil {
		return nil, err
	}
	if !doc.Exists() {
		return nil, &Error{Op: "conflict", Kind: NotFound, Key: r.ID, Err: fmt.Errorf("the body of %s is not on record", d)}
	}
	return doc.Shown.Body, nil
}

// Undo says what to make of a settled conflict.
type Undo struct {
	Action  string     // restore, revert or review: how the record names it
	Dot     vclock.Dot // of a restore: the sibling whose value comes back
	IfMatch []string   // of the document, when not nil
	Who     string
}

// The actions of an Undo.
const (
	ActionRestore = "restore"
	ActionRevert  = "revert"
	ActionReview  = "review"
)

// Undo carries out what somebody makes of a record, and notes it there, in one
// transaction. Restore writes the value of a sibling over what is there now.
// Revert takes an automatic result back: the value comes back that was shown
// while the conflict was open, by time and actor alone. Review notes that a
// person has looked.
func (e *Engine) Undo(ctx context.Context, id string, u Undo) (Written, error) {
	writes, err := e.undoing(ctx, id, u)
	if err != nil {
		return Written{}, err
	}
	out, err := e.WriteAll(ctx, writes, true)
	if f, ok := errors.AsType[*Error](err); ok && f.Kind == AtomicFailed && u.Action != ActionReview {
		return Written{}, f.Err // what is wrong is wrong with the one or the other
	}
	if err != nil {
		return Written{}, err
	}
	return out[0].Written, out[0].Err
}

// undoing is what an Undo writes, all or none: the document, where its value
// changes, and the note in the record.
func (e *Engine) undoing(ctx context.Context, id string, u Undo) ([]Write, error) {
	c, err := e.Conflict(ctx, id)
	if err != nil {
		return nil, err
	}
	if c.State == ConflictOpen {
		return nil, &Error{Op: u.Action, Kind: Invalid, Key: id, Err: errors.New("the conflict is open: resolve it first")}
	}
	r := c.Record
	note := Write{Kind: Patch, Key: conflict.Key{Collection: RecordCollection, ID: conflict.DocID(id)}, system: true, Change: noteIn(e, u)}
	if u.Action == ActionRevert {
		if r.By != conflict.ByPolicy && r.By != conflict.ByScript {
			return nil, &Error{Op: u.Action, Kind: Invalid, Key: id, Err: fmt.Errorf("the conflict was ended by %s, not by a policy: restore one of its values", r.By)}
		}
		u.Dot = r.Siblings[len(r.Siblings)-1].Dot
	}
	if u.Action == ActionReview {
		return []Write{note}, nil
	}
	w, err := e.restoring(ctx, r, u)
	if err != nil {
		return nil, err
	}
	return []Write{w, note}, nil
}

// restoring is the write that brings a sibling's value back.
func (e *Engine) restoring(ctx context.Context, r *conflict.Record, u Undo) (Write, error) {
	at := slices.IndexFunc(r.Siblings, func(s conflict.RecordSibling) bool { return s.Dot == u.Dot })
	if at < 0 {
		return Write{}, &Error{Op: u.Action, Kind: Invalid, Key: r.ID, Err: fmt.Errorf("dot: %s is none of the siblings on record", u.Dot)}
	}
	w := Write{
		Kind: Put, Key: conflict.Key{Collection: r.Collection, ID: r.DocID}, IfMatch: u.IfMatch,
		Decision: &Decision{By: conflict.ByPerson, Who: u.Who, Reason: u.Action + " of " + u.Dot.String() + " from conflict " + r.ID},
	}
	if r.Siblings[at].Deleted {
		w.Kind = Delete
		return w, nil
	}
	var err error
	w.Body, err = e.Loser(ctx, r, u.Dot)
	return w, err
}

// noteIn adds a step to a record.
func noteIn(e *Engine, u Undo) func([]byte) ([]byte, error) {
	return func(body []byte) ([]byte, error) {
		var r conflict.Record
		if err := json.Unmarshal(body, &r); err != nil {
			return nil, &Error{Op: u.Action, Kind: Corrupt, Err: fmt.Errorf("the record cannot be read: %w", err)}
		}
		step := conflict.TraceStep{Action: u.Action, Who: u.Who, At: vclock.At(e.cfg.Wall())}
		if !u.Dot.IsZero() {
			step.Of = &u.Dot
		}
		r.Add(step)
		r.Reviewed = r.Reviewed || u.Action == ActionReview
		return json.Marshal(r)
	}
}
