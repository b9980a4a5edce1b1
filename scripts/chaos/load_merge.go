package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/syncline/syncline/client"
	"github.com/syncline/syncline/scripts/chaos/history"
)

// mergeConfig is the collection of the loads that all clients share and that a
// merge has to put together. Both sides of a cut write. History is kept, so that
// a context names nothing that its node has forgotten (PROTOCOL D10b).
const mergeConfig = `{"policy":{"kind":"merge","rules":{"/total":"sum"}},"minority":"accept","history":"1h"}`

// maxAmount is the largest amount that one write of a sum adds or takes away.
const maxAmount = 9

// merges says whether a merge puts the load's documents together.
func (l *load) merges() bool { return l.kind == loadSum || l.kind == loadMembers }

func (l *load) mergedID(i int) string { return fmt.Sprintf("%s-%d", l.kind, i) }

// prepare configures the collection of a load whose documents are merged, makes
// them, and waits until all data nodes have them: a version that was stamped
// before the policy was in force waits for a person.
func (l *load) prepare(r *run) error {
	if !l.merges() {
		return nil
	}
	node := l.nodes[0]
	ctx, cancel := context.WithTimeout(r.ctx, opTimeout)
	defer cancel()
	if _, err := r.node(node).Configure(ctx, l.collection, client.Configuration{Whole: []byte(mergeConfig)}); err != nil {
		return fmt.Errorf("load: configure %s at %s: %w", l.collection, node, err)
	}
	for i := range l.keys {
		first := op{client: fmt.Sprintf("load-%d", l.number), kind: history.OpPut, node: node, key: l.collection + "/" + l.mergedID(i), value: `{"total":0}`}
		if _, err := r.write(r.ctx, first); err != nil {
			return fmt.Errorf("load: make %s at %s: %w", first.key, node, err)
		}
	}
	why := errors.New("nobody was asked")
	ok, err := r.await(DefaultWithin, func() (bool, error) {
		why = l.missing(r)
		return why == nil, nil
	})
	if err == nil && !ok {
		err = fmt.Errorf("load: a load of kind %s begins when all data nodes have its documents: %w", l.kind, why)
	}
	return err
}

// missing says which data node lacks a document of the load.
func (l *load) missing(r *run) error {
	ctx, cancel := context.WithTimeout(r.ctx, observeTimeout)
	defer cancel()
	for _, name := range r.spec.Data {
		for i := range l.keys {
			if _, err := r.node(name).Get(ctx, client.Key{Collection: l.collection, ID: l.mergedID(i)}, client.Options{}); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return nil
}

// pickMerged draws one of the documents that all write.
func (w *worker) pickMerged() string { return w.key(w.load.mergedID(w.random.IntN(w.load.keys))) }

// sum adds an amount to a number that all clients add to, or takes it away: by an
// intent, or by the value that comes out, with the context that it was read with.
func (w *worker) sum(ctx context.Context) {
	amount := w.random.IntN(maxAmount) + 1
	if w.random.IntN(2) == 0 {
		amount = -amount
	}
	o := op{kind: history.OpInc, key: w.pickMerged(), value: strconv.Itoa(amount)}
	if w.random.IntN(2) == 0 {
		o.ops = &client.Ops{Inc: map[string]json.Number{"/total": json.Number(o.value)}}
		w.write(ctx, o)
		return
	}
	doc, seen, ok := w.readMerged(ctx, o.key)
	total, err := strconv.ParseInt(string(doc["total"]), 10, 64)
	if !ok || err != nil {
		return // the final reads say what is wrong with it
	}
	o.body, o.guard.Context = fmt.Sprintf(`{"total":%d}`, total+int64(amount)), seen
	w.write(ctx, o)
}

// member counts up a member of the client's own, of a document in which every
// client has one: by a patch, or by the whole document, with the context that it
// was read with.
func (w *worker) member(ctx context.Context) {
	w.n++
	o := op{kind: history.OpMember, key: w.pickMerged(), value: fmt.Sprintf(`{%q:%d}`, w.name, w.n)}
	if w.random.IntN(2) == 0 {
		o.patch = true
		w.write(ctx, o)
		return
	}
	doc, seen, ok := w.readMerged(ctx, o.key)
	if !ok {
		return
	}
	doc[w.name] = json.RawMessage(strconv.Itoa(w.n))
	body, err := json.Marshal(doc)
	if err != nil {
		return // members that were read can be written
	}
	o.body, o.guard.Context = string(body), seen
	w.write(ctx, o)
}

// readMerged reads a document that all write, and what the reader has seen.
func (w *worker) readMerged(ctx context.Context, key string) (doc map[string]json.RawMessage, seen string, ok bool) {
	d, err := w.r.read(ctx, op{client: w.name, node: w.node, key: key})
	if err != nil || json.Unmarshal(d.Doc, &doc) != nil {
		return nil, "", false
	}
	return doc, d.Context, true
}
