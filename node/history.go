package node

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/vclock"
)

// Limits of looks into the past.
const (
	// MaxMissing is the most dots that one page of a history names as missing.
	MaxMissing = 100
	// MaxFollowed is the most records that are read to find out what is missing of
	// one page.
	MaxFollowed = 256
	// MaxRecordsOf is the most records that are looked at for one version.
	MaxRecordsOf = 16
)

// kindHistory is the cursor of a history; see token.go.
const kindHistory = 'h'

// PastVersion is one version of a document's history.
type PastVersion struct {
	*conflict.Version
	Live   bool
	By     vclock.Dot     // what covered it; zero for a live one
	At     int64          // when, by this node's wall clock, in milliseconds since 1970 UTC; 0 for a live one
	Record conflict.DocID // of a conflict in which it was a sibling; "": of none
}

// History is one page of what this node has seen of a document, the newest
// first: the live versions, and then those that were covered, in the opposite
// order of that.
type History struct {
	Document Document // as it is shown now
	Versions []PastVersion
	// Missing are dots of this document that this node has neither live nor kept
	// nor on record: it never had them, or has forgotten them. They are named by a
	// clock of these versions, or of the siblings of a record that such a clock leads
	// to. At most MaxMissing.
	Missing []vclock.Dot
	// Unsure says that the look for missing ones was broken off after MaxFollowed
	// records: then none is no proof.
	Unsure bool
	Next   string // cursor of the next page, which is good at this node only; empty at the end
}

// HistoryQuery asks for a page.
type HistoryQuery struct {
	Key    conflict.Key
	Cursor string // from the page before, or empty
	Limit  int    // former versions; 0 or less: DefaultPage; at most MaxPage
}

// History returns a page of a document's history.
func (e *Engine) History(ctx context.Context, q HistoryQuery) (History, error) {
	below, err := e.historyCursor(q)
	if err != nil {
		return History{}, err
	}
	if q.Limit <= 0 {
		q.Limit = DefaultPage
	}
	q.Limit = min(q.Limit, MaxPage)
	view, err := e.cfg.Store.View(ctx)
	if err != nil {
		return History{}, e.storeError("history", q.Key.String(), err)
	}
	out, err := e.history(view, q, below)
	if err = errors.Join(err, view.Close()); err != nil {
		return History{}, e.storeError("history", q.Key.String(), err)
	}
	return out, nil
}

func (e *Engine) history(view View, q HistoryQuery, below uint64) (History, error) {
	live, err := view.Document(q.Key)
	if err != nil {
		return History{}, err
	}
	out := History{Document: show(q.Key, live, view.Frontier(), e.policy(q.Key.Collection))}
	if q.Cursor == "" {
		for _, v := range slices.SortedFunc(slices.Values(live), newestFirst) {
			out.Versions = append(out.Versions, PastVersion{Version: v, Live: true})
		}
	}
	former, err := view.History(q.Key, below, q.Limit, MaxPageBytes)
	if err != nil {
		return History{}, err
	}
	for _, f := range former {
		out.Versions = append(out.Versions, PastVersion{Version: f.Version, By: f.By, At: f.At})
		below = f.Row
	}
	if len(former) > 0 {
		more, err := view.History(q.Key, below, 1, 0)
		if err != nil {
			return History{}, err
		}
		if len(more) > 0 {
			out.Next = e.sealHistory(q.Key, below)
		}
	}
	for i := range out.Versions {
		ids, err := view.RecordsOf(out.Versions[i].Dot, 1)
		if err != nil {
			return History{}, err
		}
		if len(ids) > 0 {
			out.Versions[i].Record = ids[0]
		}
	}
	return out, out.findMissing(e, view)
}

func newestFirst(a, b *conflict.Version) int {
	if conflict.Newer(a, b) {
		return -1
	}
	return 1
}

// lookup is one search for versions that are not here.
type lookup struct {
	e     *Engine
	view  View
	key   conflict.Key
	known map[vclock.Dot]bool // looked at, or about to be
	next  []vclock.Context    // clocks still to be followed
	left  int                 // records that may be read
}

// findMissing follows what the clocks of the page name.
func (h *History) findMissing(e *Engine, view View) error {
	l := &lookup{e: e, view: view, key: h.Document.Key, known: map[vclock.Dot]bool{}, left: MaxFollowed}
	for _, v := range h.Document.Live {
		l.known[v.Dot] = true
	}
	for i := range h.Versions {
		l.known[h.Versions[i].Dot] = true
		l.next = append(l.next, h.Versions[i].Clock)
	}
	for len(l.next) > 0 {
		clock := l.next[0]
		l.next = l.next[1:]
		for d := range named(clock) {
			if l.known[d] {
				continue
			}
			l.known[d] = true
			if l.left == 0 {
				h.Unsure = true
				return nil
			}
			has, err := l.remembers(d)
			if err != nil {
				return err
			}
			if !has && len(h.Missing) < MaxMissing {
				h.Missing = append(h.Missing, d)
			}
		}
	}
	slices.SortFunc(h.Missing, vclock.Dot.Compare)
	return nil
}

// remembers says whether a version that is not live is kept, or on record. The
// siblings of a record are all there: what they had seen is looked for as well,
// since a clock names only the last of one actor's.
func (l *lookup) remembers(d vclock.Dot) (bool, error) {
	f, err := l.view.Former(d)
	if err != nil || f != nil && f.Version.Key == l.key {
		return err == nil, err
	}
	ids, err := l.view.RecordsOf(d, MaxRecordsOf)
	if err != nil {
		return false, err
	}
	for _, id := range ids {
		r, err := l.e.readRecord(l.view, l.key, id)
		if err != nil {
			return false, err
		}
		if r == nil {
			continue
		}
		l.left--
		for i := range r.Siblings {
			l.known[r.Siblings[i].Dot] = true
			if c := r.Siblings[i].Clock; c != nil {
				l.next = append(l.next, *c)
			}
		}
		return true, nil
	}
	return false, nil
}

// named are the dots that stand in a clock. Each is a version of the document:
// an entry of its vector is the last that was seen of an actor's.
func named(clock vclock.Context) iter.Seq[vclock.Dot] {
	return func(yield func(vclock.Dot) bool) {
		for d := range clock.Vector().All() {
			if !yield(d) {
				return
			}
		}
		for d := range clock.Loose() {
			if !yield(d) {
				return
			}
		}
	}
}

// sealHistory makes a cursor. Rows are this file's own, so that its actor stands
// in it: no other life of any file counts as it does.
func (e *Engine) sealHistory(key conflict.Key, below uint64) string {
	return e.seal(kindHistory, binary.AppendUvarint([]byte(historyHead(e.actor, key)), below))
}

func historyHead(actor vclock.Actor, key conflict.Key) string {
	return string(actor) + "\n" + key.String() + "\n"
}

func (e *Engine) historyCursor(q HistoryQuery) (uint64, error) {
	if q.Cursor == "" {
		return math.MaxInt64, nil
	}
	b, err := e.open(kindHistory, q.Cursor, MaxSession)
	if err != nil {
		return 0, &Error{Op: "history", Kind: BadCursor, Key: q.Key.String(), Err: fmt.Errorf("cursor: %w", err)}
	}
	head := historyHead(e.actor, q.Key)
	if len(b) > len(head) && string(b[:len(head)]) == head {
		if below, n := binary.Uvarint(b[len(head):]); n > 0 && n == len(b)-len(head) {
			return below, nil
		}
	}
	return 0, &Error{Op: "history", Kind: BadCursor, Key: q.Key.String(), Err: errors.New("cursor: it is of another document or another node, and each node has its own history; begin again without a cursor")}
}

// Recalled is one version of a document, wherever it was found.
type Recalled struct {
	// Version is whole, but for the clock of one that was found on an old record,
	// which is empty there, and for the checksum of one that is on record.
	Version *conflict.Version
	Live    bool
	Record  conflict.DocID // where it was found; "": it is live or kept
	Now     Document       // as it is shown now
}

// Recall finds one version of a document by its dot: among the live ones, in
// history, or among the siblings on record. The error is of kind NotFound when
// this node has it nowhere.
func (e *Engine) Recall(ctx context.Context, key conflict.Key, d vclock.Dot) (Recalled, error) {
	view, err := e.cfg.Store.View(ctx)
	if err != nil {
		return Recalled{}, e.storeError("recall", key.String(), err)
	}
	out, err := e.recall(view, key, d)
	if err = errors.Join(err, view.Close()); err != nil {
		return out, e.storeError("recall", key.String(), err)
	}
	if out.Version == nil {
		return out, e.forgotten(key, d, out.Now.Frontier)
	}
	return out, nil
}

func (e *Engine) recall(view View, key conflict.Key, d vclock.Dot) (Recalled, error) {
	live, err := view.Document(key)
	if err != nil {
		return Recalled{}, err
	}
	out := Recalled{Now: show(key, live, view.Frontier(), e.policy(key.Collection))}
	if out.Version = live.Find(d); out.Version != nil {
		out.Live = true
		return out, nil
	}
	f, err := view.Former(d)
	if err != nil {
		return out, err
	}
	if f != nil && f.Version.Key == key {
		out.Version = f.Version
		return out, nil
	}
	ids, err := view.RecordsOf(d, MaxRecordsOf)
	if err != nil {
		return out, err
	}
	for _, id := range ids {
		if out.Version, err = e.onRecord(view, key, record{id, d}); err != nil || out.Version != nil {
			out.Record = id
			return out, err
		}
	}
	return out, nil
}

// record names a sibling of a record.
type record struct {
	id  conflict.DocID
	dot vclock.Dot
}

// onRecord reads a sibling of a record, nil where the record is of another
// document, or has it no more.
func (e *Engine) onRecord(view View, key conflict.Key, at record) (*conflict.Version, error) {
	r, err := e.readRecord(view, key, at.id)
	if err != nil || r == nil {
		return nil, err
	}
	i := slices.IndexFunc(r.Siblings, func(s conflict.RecordSibling) bool { return s.Dot == at.dot })
	if i < 0 {
		return nil, nil //nolint:nilnil // it is not there
	}
	s := &r.Siblings[i]
	v := &conflict.Version{Key: key, Dot: s.Dot, Time: s.Time, Deleted: s.Deleted}
	if s.Clock != nil {
		v.Clock = *s.Clock
	}
	if s.Deleted {
		return v, nil
	}
	v.Body, err = e.systemBody(view, conflict.Key{Collection: LoserCollection, ID: r.BodyID(s.Dot)})
	if err != nil || v.Body == nil {
		return nil, err
	}
	return v, nil
}

// readRecord reads a record, nil where it is none of the document's.
func (e *Engine) readRecord(view View, key conflict.Key, id conflict.DocID) (*conflict.Record, error) {
	facts, err := e.systemBody(view, conflict.Key{Collection: RecordCollection, ID: id})
	if err != nil || facts == nil {
		return nil, err
	}
	r := &conflict.Record{}
	if json.Unmarshal(facts, r) != nil || r.Collection != key.Collection || r.DocID != key.ID {
		return nil, nil //nolint:nilnil,nilerr // it is not there
	}
	return r, nil
}

// systemBody is what a document of the system's own shows, nil for nothing.
func (e *Engine) systemBody(view View, key conflict.Key) ([]byte, error) {
	live, err := view.Document(key)
	if err != nil || len(live) == 0 {
		return nil, err
	}
	return e.policy(key.Collection).Show(live).Body, nil
}

// forgotten says why a version is not here.
func (e *Engine) forgotten(key conflict.Key, d vclock.Dot, frontier vclock.Vector) error {
	keeps := "keeps no old versions; its configuration says how long, by \"history\""
	if h := e.setting(key.Collection).config.History; h != 0 {
		text, err := h.MarshalText()
		if err != nil {
			return &Error{Op: "recall", Kind: Bug, Key: key.String(), Err: err}
		}
		keeps = "keeps old versions for " + string(text)
	}
	why := "it is neither live nor kept nor a sibling on record"
	if !frontier.Covers(d) {
		why = "it has not arrived here, if there is such a version"
	}
	return &Error{Op: "recall", Kind: NotFound, Key: key.String(), Err: fmt.Errorf("this node does not have version %s of the document: %s (the collection %s)", d, why, keeps)}
}

// Seen is what a reader of this one version has seen of the document: nothing of
// what stood beside it, or came later.
func (r *Recalled) Seen() *Document {
	return &Document{Key: r.Version.Key, Live: conflict.Siblings{r.Version}, Tag: r.Version.Dot.String()}
}
