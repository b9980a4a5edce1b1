package chaos

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/syncline/syncline/client"
	"github.com/syncline/syncline/scripts/chaos/history"
)

// pastFunctions look at what became of versions, and bring old ones back.
func pastFunctions() []function {
	at, key := required("at", aNode), required("key", aKey)
	return []function{
		{name: "restore", params: []param{at, key, required("dot", aText), optional("if_match", aText), optional("context", aText)}, do: (*run).restore},
		{name: "history", params: []param{at, key}, do: (*run).history},
		{name: "conflict", params: []param{at, key}, do: (*run).conflict},
		{name: "records", params: []param{at, key}, do: (*run).records},
		{name: "verify", params: []param{at}, do: (*run).verify},
	}
}

// restore writes an old version again.
func (r *run) restore(a *arguments) (starlark.Value, error) {
	dot := a.text("dot")
	return r.scripted(a, op{kind: history.OpOps, value: dot, dot: dot, guard: guardOf(a)}, "restore "+dot+" of")
}

// structOf is a value of a script with members.
func structOf(name string, members starlark.StringDict) starlark.Value {
	return starlarkstruct.FromStringDict(starlark.String(name), members)
}

// ask asks a node one question; a node that does not answer is None.
func (r *run) ask(answer func(ctx context.Context) (starlark.Value, error)) (starlark.Value, error) {
	ctx, cancel := context.WithTimeout(r.ctx, opTimeout)
	defer cancel()
	v, err := answer(ctx)
	if err != nil {
		return starlark.None, r.ctx.Err()
	}
	return v, nil
}

// history lists the versions of a document that a node has seen, the newest
// first; None when the node does not answer.
func (r *run) history(a *arguments) (starlark.Value, error) {
	return r.ask(func(ctx context.Context) (starlark.Value, error) {
		var out []starlark.Value
		for page, err := range r.node(a.text("at")).History(ctx, keyOf(a.text("key")), client.HistoryOptions{}) {
			if err != nil {
				return nil, err
			}
			for _, v := range page.Versions {
				out = append(out, structOf("version", starlark.StringDict{
					"dot": starlark.String(v.Dot), "node": starlark.String(v.Node), "time": starlark.String(v.Time),
					"live": starlark.Bool(v.Live), "deleted": starlark.Bool(v.Deleted),
				}))
			}
		}
		return starlark.NewList(out), nil
	})
}

// conflict is the conflict in which a document is now; None when it is in none,
// or when the node does not answer.
func (r *run) conflict(a *arguments) (starlark.Value, error) {
	return r.ask(func(ctx context.Context) (starlark.Value, error) {
		node := r.node(a.text("at"))
		e, err := node.Explain(ctx, keyOf(a.text("key")), client.Options{})
		if err != nil || e.Conflict == "" {
			return starlark.None, err
		}
		c, err := node.Conflict(ctx, e.Conflict, client.Options{})
		if err != nil {
			return nil, err
		}
		return conflictValue(c, starlark.Bool(e.Stable))
	})
}

// records lists the records of a document's conflicts, the last one first; None
// when the node does not answer.
func (r *run) records(a *arguments) (starlark.Value, error) {
	return r.ask(func(ctx context.Context) (starlark.Value, error) {
		node, key := r.node(a.text("at")), keyOf(a.text("key"))
		var found []*client.Conflict
		for _, state := range []string{client.ConflictSettled, client.ConflictReviewed} {
			for one, err := range node.Conflicts(ctx, client.ConflictsOptions{State: state, Collection: key.Collection, Page: listPage}) {
				if err != nil {
					return nil, err
				}
				if one.DocID != key.ID {
					continue
				}
				whole, err := node.Conflict(ctx, one.ID, client.Options{})
				if err != nil {
					return nil, err
				}
				found = append(found, whole)
			}
		}
		slices.SortFunc(found, func(x, y *client.Conflict) int { return cmp.Compare(y.At, x.At) })
		out := make([]starlark.Value, 0, len(found))
		for _, one := range found {
			v, err := conflictValue(one, starlark.None)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		return starlark.NewList(out), nil
	})
}

// conflictValue is a conflict, or the record of one, as a script sees it. Stable
// says of an open one whether every data node is known to have all of it.
func conflictValue(c *client.Conflict, stable starlark.Value) (starlark.Value, error) {
	base, err := fromJSON(c.Base)
	if err != nil {
		return nil, err
	}
	result := starlark.Value(starlark.None)
	if c.Result != nil {
		if result, err = fromJSON(c.Result.Doc); err != nil {
			return nil, err
		}
	}
	sums := starlark.NewDict(len(c.Sums))
	for _, path := range slices.Sorted(maps.Keys(c.Sums)) {
		n, err := fromJSON([]byte(c.Sums[path]))
		if err != nil {
			return nil, err
		}
		if err := sums.SetKey(starlark.String(path), n); err != nil {
			return nil, err
		}
	}
	var siblings []starlark.Value
	for _, s := range c.Siblings {
		doc, err := fromJSON(s.Doc)
		if err != nil {
			return nil, err
		}
		siblings = append(siblings, structOf("sibling", starlark.StringDict{
			"dot": starlark.String(s.Dot), "node": starlark.String(s.Node), "time": starlark.String(s.Time),
			"deleted": starlark.Bool(s.Deleted), "doc": doc,
		}))
	}
	return structOf("conflict", starlark.StringDict{
		"id": starlark.String(c.ID), "state": starlark.String(c.State), "by": starlark.String(c.By), "reason": starlark.String(c.Reason),
		"siblings": starlark.NewList(siblings), "base": base, "base_exact": starlark.Bool(c.BaseExact), "sums": sums, "result": result, "stable": stable,
		"policy": structOf("policy", starlark.StringDict{
			"kind": starlark.String(c.Policy.Kind), "version": starlark.String(c.Policy.Version),
			"resolver": starlark.String(c.Policy.Resolver), "resolver_version": starlark.String(c.Policy.ResolverVersion),
		}),
	}), nil
}

// verify is what a node has, in short; None when it does not answer.
func (r *run) verify(a *arguments) (starlark.Value, error) {
	return r.ask(func(ctx context.Context) (starlark.Value, error) {
		v, err := r.node(a.text("at")).Verify(ctx, client.Options{})
		if err != nil {
			return nil, err
		}
		frontier, digests := starlark.NewDict(len(v.Frontier)), starlark.NewDict(len(v.Collections))
		for _, actor := range slices.Sorted(maps.Keys(v.Frontier)) {
			if err := frontier.SetKey(starlark.String(actor), starlark.MakeUint64(v.Frontier[actor])); err != nil {
				return nil, err
			}
		}
		for _, name := range slices.Sorted(maps.Keys(v.Collections)) {
			if err := digests.SetKey(starlark.String(name), starlark.String(v.Collections[name].Digest)); err != nil {
				return nil, err
			}
		}
		return structOf("verify", starlark.StringDict{"loose": starlark.MakeInt(v.Loose), "frontier": frontier, "digests": digests}), nil
	})
}
