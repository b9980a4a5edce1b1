package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/syncline/syncline/client"
	"github.com/syncline/syncline/scripts/chaos/history"
)

// documentFunctions read and write documents at one node.
func documentFunctions() []function {
	at, key := required("at", aNode), required("key", aKey)
	session := optional("session", aText)
	guard := []param{optional("if_match", aText), optional("context", aText), session, optional("absent", aBool)}
	return []function{
		{name: "put", params: append([]param{at, key, required("doc", aDoc)}, guard...), do: (*run).put},
		{name: "delete", params: append([]param{at, key}, guard[:3]...), do: (*run).remove},
		{name: "ops", params: append([]param{at, key, required("ops", aDoc)}, guard...), do: (*run).ops},
		{name: "patch", params: append([]param{at, key, required("patch", aDoc)}, guard...), do: (*run).patch},
		{name: "get", params: []param{at, key, session}, do: (*run).get},
		{name: "bulk", params: []param{at, required("collection", aText), required("count", aCount), optional("atomic", aBool), optional("size", aCount)}, do: (*run).bulk},
		{name: "configure", params: []param{at, required("collection", aText), required("config", aDoc)}, do: (*run).configure},
		{name: "resolver", params: []param{at, required("name", aText), required("source", aText)}, do: (*run).resolver},
	}
}

// keyOf is a key that was checked.
func keyOf(text string) client.Key {
	collection, id, _ := strings.Cut(text, "/")
	return client.Key{Collection: collection, ID: id}
}

func codeOf(err error) client.Code {
	if e, ok := errors.AsType[*client.Error](err); ok {
		return e.Code
	}
	return client.Unknown // a context that ended while nobody knew
}

// answer is what a script sees of an operation.
func answer(fields starlark.StringDict, err error) starlark.Value {
	outcome, code := outcomeOf(err)
	words := map[string]string{history.OK: "ok", history.Refused: "refused", history.Unknown: "unknown"}
	fields["outcome"] = starlark.String(words[outcome])
	fields["ok"] = starlark.Bool(err == nil)
	fields["refused"] = starlark.Bool(outcome == history.Refused)
	fields["code"], fields["status"], fields["cause"], fields["detail"] = starlark.String(code), starlark.MakeInt(0), starlark.String(""), starlark.String("")
	fields["writable"] = starlark.NewList(nil)
	if e, ok := errors.AsType[*client.Error](err); ok {
		fields["status"], fields["cause"], fields["detail"] = starlark.MakeInt(e.Status), starlark.String(e.Cause), starlark.String(e.Detail)
		fields["writable"] = nameList(e.WritableNodes)
	}
	return starlarkstruct.FromStringDict(starlark.String("answer"), fields)
}

// op is one operation of a client on a document.
type op struct {
	client string // of the history
	kind   string // of the history
	node   string
	key    string
	value  string // of the history
	body   string // what is written, where it is not the value
	ops    *client.Ops
	patch  bool   // what is written is a merge patch
	dot    string // of the version that is written again
	guard  client.PutOptions
	at     position
}

// write carries out one write and notes it.
func (r *run) write(ctx context.Context, o op) (*client.Written, error) {
	ctx, cancel := context.WithTimeout(ctx, opTimeout)
	defer cancel()
	node, key, begun := r.node(o.node), keyOf(o.key), r.cfg.Now()
	body := o.body
	if body == "" {
		body = o.value
	}
	var w *client.Written
	var err error
	switch {
	case o.ops != nil:
		w, err = node.Ops(ctx, key, *o.ops, o.guard)
	case o.patch:
		w, err = node.Patch(ctx, key, client.Patch{Body: []byte(body)}, o.guard)
	case o.dot != "":
		w, err = node.RestoreVersion(ctx, key, o.dot, o.guard)
	case o.kind == history.OpDelete:
		w, err = node.Delete(ctx, key, o.guard)
	default:
		w, err = node.Put(ctx, key, []byte(body), o.guard)
	}
	rec := history.Record{
		Client: o.client, Op: o.kind, Key: o.key, Value: o.value, Node: o.node, Base: o.guard.IfMatch,
		Session: strings.HasPrefix(o.client, sessionPrefix), At: o.at.source(),
	}
	if o.guard.IfNoneMatch {
		rec.Base = noBase
	}
	rec.Outcome, rec.Code = outcomeOf(err)
	if w != nil {
		rec.Dot, rec.Conflicts, rec.Minority = w.Dot, w.Conflicts, w.WriteState == "minority" || w.WriteState == "override"
	}
	r.book.add(begun, rec)
	return w, err
}

// noBase is the base of a write that wants no document.
const noBase = "none"

// read carries out one read and notes it.
func (r *run) read(ctx context.Context, o op) (*client.Document, error) {
	ctx, cancel := context.WithTimeout(ctx, opTimeout)
	defer cancel()
	begun := r.cfg.Now()
	d, err := r.node(o.node).Get(ctx, keyOf(o.key), client.Options{Session: o.guard.Session})
	rec := history.Record{Client: o.client, Op: history.OpGet, Key: o.key, Node: o.node, Session: strings.HasPrefix(o.client, sessionPrefix), At: o.at.source()}
	switch {
	case err == nil:
		rec.Outcome, rec.Value, rec.Dot, rec.Conflicts = history.OK, string(d.Doc), d.Dot, d.Conflicts
	case client.Absent(err):
		rec.Outcome, rec.Absent = history.OK, true
	default:
		rec.Outcome, rec.Code = outcomeOf(err)
	}
	r.book.add(begun, rec)
	return d, err
}

// guardOf are the conditions of a write.
func guardOf(a *arguments) client.PutOptions {
	return client.PutOptions{IfMatch: a.text("if_match"), Context: a.text("context"), Session: a.text("session"), IfNoneMatch: a.bool("absent")}
}

// scripted carries out a write of the script itself and tells of it.
func (r *run) scripted(a *arguments, o op, words string) (starlark.Value, error) {
	r.changed()
	o.client, o.node, o.key, o.at = scriptClient, a.text("at"), a.text("key"), a.at
	w, err := r.write(r.ctx, o)
	if ctxErr := r.ctx.Err(); ctxErr != nil {
		return nil, ctxErr
	}
	fields := starlark.StringDict{"dot": starlark.String(""), "etag": starlark.String(""), "context": starlark.String(""), "session": starlark.String(""), "conflicts": starlark.MakeInt(0)}
	if w != nil {
		fields = starlark.StringDict{
			"dot": starlark.String(w.Dot), "etag": starlark.String(w.ETag), "context": starlark.String(w.Context),
			"session": starlark.String(w.Session), "conflicts": starlark.MakeInt(w.Conflicts),
		}
	}
	result := "ok"
	if err != nil {
		outcome, code := outcomeOf(err)
		result = outcome + " " + code
	}
	r.book.say(StepClient, a.at, fmt.Sprintf("%s %s at %s: %s", words, o.key, o.node, result))
	return answer(fields, err), nil
}

func (r *run) put(a *arguments) (starlark.Value, error) {
	body, err := toJSON(a.values["doc"])
	if err != nil {
		return nil, fmt.Errorf("put: the document: %w", err)
	}
	return r.scripted(a, op{kind: history.OpPut, value: string(body), guard: guardOf(a)}, "put "+string(body)+" to")
}

func (r *run) remove(a *arguments) (starlark.Value, error) {
	return r.scripted(a, op{kind: history.OpDelete, guard: guardOf(a)}, "delete")
}

func (r *run) ops(a *arguments) (starlark.Value, error) {
	text, err := toJSON(a.values["ops"])
	var ops client.Ops
	if err == nil {
		err = json.Unmarshal(text, &ops)
	}
	if err != nil {
		return nil, fmt.Errorf(`ops: want {"inc": {"/balance": -100}}, or append, add_to_set, remove: %w`, err)
	}
	// What the value is afterwards, the node alone knows: the history has the dot.
	return r.scripted(a, op{kind: history.OpOps, value: string(text), ops: &ops, guard: guardOf(a)}, "ops "+string(text)+" on")
}

func (r *run) patch(a *arguments) (starlark.Value, error) {
	body, err := toJSON(a.values["patch"])
	if err != nil {
		return nil, fmt.Errorf("patch: %w", err)
	}
	return r.scripted(a, op{kind: history.OpOps, value: string(body), patch: true, guard: guardOf(a)}, "patch "+string(body)+" on")
}

func (r *run) get(a *arguments) (starlark.Value, error) {
	d, err := r.read(r.ctx, op{client: scriptClient, node: a.text("at"), key: a.text("key"), guard: client.PutOptions{Session: a.text("session")}, at: a.at})
	if ctxErr := r.ctx.Err(); ctxErr != nil {
		return nil, ctxErr
	}
	fields := starlark.StringDict{"doc": starlark.None, "etag": starlark.String(""), "context": starlark.String(""), "dot": starlark.String(""), "session": starlark.String(""), "conflicts": starlark.MakeInt(0), "absent": starlark.Bool(client.Absent(err))}
	if e, ok := errors.AsType[*client.Error](err); ok {
		fields["context"], fields["etag"], fields["conflicts"] = starlark.String(e.Context), starlark.String(e.ETag), starlark.MakeInt(e.Conflicts)
	}
	if err == nil {
		doc, decodeErr := fromJSON(d.Doc)
		if decodeErr != nil {
			return nil, decodeErr
		}
		fields["doc"], fields["etag"], fields["context"] = doc, starlark.String(d.ETag), starlark.String(d.Context)
		fields["dot"], fields["conflicts"], fields["session"] = starlark.String(d.Dot), starlark.MakeInt(d.Conflicts), starlark.String(d.Session)
	}
	return answer(fields, err), nil
}

// bulk writes numbered documents of one collection in one go.
func (r *run) bulk(a *arguments) (starlark.Value, error) {
	count, collection, node := a.count("count", 0), a.text("collection"), a.text("at")
	if size := a.count("size", 0); count > MaxBulk || size > MaxBulkBody {
		return nil, fmt.Errorf("bulk: at most %d documents, with at most %d bytes more each", MaxBulk, MaxBulkBody)
	}
	r.changed()
	r.bulks++
	batch := fmt.Sprintf("bulk%d-%s", r.bulks, node)
	begun := r.cfg.Now()
	size := a.count("size", 0)
	body := func(i int) string { return bulkBody(batch, i, size) }
	id := func(i int) string { return fmt.Sprintf("%s-%d", batch, i) }
	lines := func(yield func(client.BulkLine) bool) {
		for i := range count {
			if !yield(client.BulkLine{ID: id(i), Doc: []byte(body(i))}) {
				return
			}
		}
	}
	tally := map[string]int{}
	answered := 0
	for one, err := range r.node(node).Bulk(r.ctx, collection, lines, client.BulkOptions{Atomic: a.bool("atomic")}) {
		if err != nil {
			break // what was not answered is unknown, and noted so below
		}
		rec := history.Record{Client: batch, Op: history.OpPut, Key: collection + "/" + id(one.Line-1), Value: body(one.Line - 1), Node: node, Dot: one.Dot, At: a.at.source()}
		rec.Outcome = history.OK
		if one.Err != nil {
			rec.Outcome, rec.Code = outcomeOf(one.Err)
		}
		tally[rec.Outcome]++
		answered = max(answered, one.Line)
		r.book.add(begun, rec)
	}
	for i := answered; i < count; i++ {
		tally[history.Unknown]++
		r.book.add(begun, history.Record{Client: batch, Op: history.OpPut, Key: collection + "/" + id(i), Value: body(i), Node: node, Outcome: history.Unknown, At: a.at.source()})
	}
	if err := r.ctx.Err(); err != nil {
		return nil, err
	}
	r.book.say(StepClient, a.at, fmt.Sprintf("bulk of %d at %s: %d acknowledged, %d refused, %d unknown", count, node, tally[history.OK], tally[history.Refused], tally[history.Unknown]))
	return starlarkstruct.FromStringDict(starlark.String("bulk"), starlark.StringDict{
		"acknowledged": starlark.MakeInt(tally[history.OK]), "refused": starlark.MakeInt(tally[history.Refused]), "unknown": starlark.MakeInt(tally[history.Unknown]),
	}), nil
}

// bulkBody is a document of a bulk. What fills it up cannot be compressed much, so
// that it is as long on the way as it is here.
func bulkBody(batch string, i, size int) string {
	if size == 0 {
		return fmt.Sprintf(`{"by":%q,"n":%d}`, batch, i)
	}
	h := fnv.New64a()
	fmt.Fprint(h, batch)
	random, fill := rand.New(rand.NewPCG(h.Sum64(), uint64(i))), make([]byte, size)
	for at := range fill {
		fill[at] = fillLetters[random.IntN(len(fillLetters))]
	}
	return fmt.Sprintf(`{"by":%q,"fill":%q,"n":%d}`, batch, fill, i)
}

const fillLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

func (r *run) configure(a *arguments) (starlark.Value, error) {
	text, err := toJSON(a.values["config"])
	if err == nil {
		ctx, cancel := context.WithTimeout(r.ctx, opTimeout)
		defer cancel()
		_, err = r.node(a.text("at")).Configure(ctx, a.text("collection"), client.Configuration{Whole: text})
	}
	if err != nil {
		return nil, fmt.Errorf("configure: %w", err)
	}
	r.changed()
	r.book.note(a.at, fmt.Sprintf("collection %s is %s", a.text("collection"), text))
	return nil, nil
}

func (r *run) resolver(a *arguments) (starlark.Value, error) {
	ctx, cancel := context.WithTimeout(r.ctx, opTimeout)
	defer cancel()
	stored, err := r.node(a.text("at")).PutResolver(ctx, a.text("name"), []byte(a.text("source")), client.PutOptions{})
	if ctxErr := r.ctx.Err(); ctxErr != nil {
		return nil, ctxErr
	}
	r.changed()
	r.book.note(a.at, fmt.Sprintf("resolver %s: %s", a.text("name"), map[bool]string{true: "stored", false: "refused"}[err == nil]))
	hash := ""
	if err == nil {
		hash = stored.Hash
	}
	return answer(starlark.StringDict{"hash": starlark.String(hash)}, err), nil
}
