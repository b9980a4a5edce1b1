package chaos_test

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"

	"github.com/syncline/syncline/client"
)

// The fake keeps every version of a document, and merges what was written with
// the context of an older one, member by member; totals add up.

type members = map[string]json.Number

func (c *fakeCluster) decode(text string) members {
	m := members{}
	_ = json.Unmarshal([]byte(text), &m) // other documents have nothing to merge
	return m
}

// merge is what a write with the context of an old version makes of the present
// one.
func (c *fakeCluster) merge(key client.Key, seen, doc string) string {
	now, was, next := c.decode(c.docs[key].doc), c.decode(c.past[seen]), c.decode(doc)
	for name, n := range next {
		if name == "total" {
			now[name] = added(now[name], added(n, "-"+was[name]))
		} else if n != was[name] {
			now[name] = n
		}
	}
	text, _ := json.Marshal(now)
	return string(text)
}

func added(x, y json.Number) json.Number {
	a, _ := x.Int64()
	b, _ := strconv.ParseInt(string(y), 10, 64)
	if len(y) > 1 && y[:2] == "--" {
		b, _ = strconv.ParseInt(string(y[2:]), 10, 64)
	}
	return json.Number(strconv.FormatInt(a+b, 10))
}

func (n *fakeNode) Configure(context.Context, string, client.Configuration) (*client.Collection, error) {
	return &client.Collection{}, nil
}

func (n *fakeNode) change(key client.Key, by func(members)) (*client.Written, error) {
	return n.writeBy(key, func() string {
		m := n.c.decode(n.c.docs[key].doc)
		by(m)
		text, _ := json.Marshal(m)
		return string(text)
	})
}

func (n *fakeNode) Ops(_ context.Context, key client.Key, ops client.Ops, _ client.PutOptions) (*client.Written, error) {
	return n.change(key, func(m members) { m["total"] = added(m["total"], ops.Inc["/total"]) })
}

func (n *fakeNode) Patch(_ context.Context, key client.Key, patch client.Patch, _ client.PutOptions) (*client.Written, error) {
	return n.change(key, func(m members) { maps.Copy(m, n.c.decode(string(patch.Body))) })
}

func (n *fakeNode) RestoreVersion(_ context.Context, key client.Key, dot string, _ client.PutOptions) (*client.Written, error) {
	return n.writeBy(key, func() string { return n.c.past[dot] })
}

func (n *fakeNode) History(_ context.Context, key client.Key, _ client.HistoryOptions) iter.Seq2[*client.HistoryPage, error] {
	return func(yield func(*client.HistoryPage, error) bool) {
		n.c.mu.Lock()
		page := &client.HistoryPage{}
		for _, dot := range slices.Backward(n.c.dots[key]) {
			page.Versions = append(page.Versions, client.PastVersion{Dot: dot, Node: dot[:1], Live: dot == n.c.docs[key].dot})
		}
		n.c.mu.Unlock()
		yield(page, nil)
	}
}

func (n *fakeNode) Explain(_ context.Context, key client.Key, _ client.Options) (*client.Explanation, error) {
	return &client.Explanation{Conflict: n.c.open[key], Stable: true}, nil
}

func (n *fakeNode) Conflict(_ context.Context, id string, _ client.Options) (*client.Conflict, error) {
	for i := range n.c.records {
		if n.c.records[i].ID == id {
			return &n.c.records[i], nil
		}
	}
	return nil, &client.Error{Code: client.NotFound, Status: 404, Title: fmt.Sprintf("no conflict %s", id)}
}
