package replica_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/replica"
	"github.com/syncline/syncline/node/wire"
)

// asking is a way to one other node, which counts.
type asking struct {
	self  string
	to    *replica.Replicator
	err   error
	calls int
	bytes int
}

func (a *asking) Stream(context.Context, string, string, []byte) (io.ReadCloser, error) {
	return nil, errors.New("comparing needs no stream")
}

func (a *asking) Call(ctx context.Context, _, path string, body []byte, maxReply int) ([]byte, error) {
	if a.err != nil {
		return nil, a.err
	}
	if path != replica.PathDigest {
		return nil, fmt.Errorf("asked %s", path)
	}
	reply, err := a.to.AnswerDigest(ctx, a.self, body)
	if err == nil && len(reply) > maxReply {
		err = fmt.Errorf("an answer of %d bytes", len(reply))
	}
	a.calls++
	a.bytes += len(body) + len(reply)
	return reply, err
}

// pair are two nodes of which the first can ask the second.
func pair(t tester) (a, b *member, ask *asking, asks *replica.Replicator) {
	t.Helper()
	a, b = newMember(t, "a"), newMember(t, "b")
	now := func() time.Duration { return 0 }
	ask = &asking{self: "a"}
	ask.to = replica.New(replica.Config{Cluster: cluster, Self: "b", Others: []string{"a"}, Engine: b.Engine, Store: b.store, Now: now})
	asks = replica.New(replica.Config{Cluster: cluster, Self: "a", Others: []string{"b"}, Engine: a.Engine, Store: a.store, Caller: ask, Now: now})
	return a, b, ask, asks
}

// differing reads all pages.
func differing(t tester, r *replica.Replicator, q node.DifferenceQuery) []node.Difference {
	t.Helper()
	var out []node.Difference
	for pages := 0; ; pages++ {
		page, err := r.Differences(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Differences) > max(q.Limit, 1) && q.Limit > 0 {
			t.Fatalf("%d differences on a page of %d", len(page.Differences), q.Limit)
		}
		out = append(out, page.Differences...)
		if q.Cursor = page.Next; q.Cursor == "" {
			return out
		}
		if pages > 10_000 {
			t.Fatal("the pages do not end")
		}
	}
}

// naive compares document by document.
func naive(a, b *member, ids []string) []string {
	var out []string
	for _, id := range ids {
		if a.live(id).Digest() != b.live(id).Digest() {
			out = append(out, id)
		}
	}
	return out
}

// "documents that differ between two nodes": those, each once, in the order of
// ids, whatever the pages.
func TestDifferencesAreThoseOfANaiveTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, _, r := pair(t)
		known := map[string]bool{}
		for range rapid.IntRange(0, 120).Draw(t, "writes") {
			id := fmt.Sprint("d", rapid.IntRange(0, 150).Draw(t, "id"))
			known[id] = true
			at := rapid.SampledFrom([]*member{a, b}).Draw(t, "at")
			kind := rapid.SampledFrom([]node.WriteKind{node.Put, node.Put, node.Delete}).Draw(t, "kind")
			if kind == node.Delete && !at.live(id).Alive() {
				continue
			}
			at.write(node.Write{Kind: kind, Key: key(id), Body: []byte(`{}`)})
			if rapid.IntRange(0, 30).Draw(t, "replicate") == 0 {
				pull(a, b)
			}
		}
		want := naive(a, b, slices.Sorted(maps.Keys(known)))
		var got []string
		for _, d := range differing(t, r, node.DifferenceQuery{Node: "b", Limit: rapid.IntRange(1, 40).Draw(t, "limit")}) {
			got = append(got, string(d.Key.ID))
			check(t, a, d.Key, d.Here)
			check(t, b, d.Key, d.There)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("got  %v\nwant %v", got, want)
		}
	})
}

// check compares a copy with what its node has.
func check(t *rapid.T, m *member, k conflict.Key, c *node.Copy) {
	d, err := m.Get(m.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	if c == nil {
		if len(d.Live) > 0 {
			t.Fatalf("%s has %s, and the difference has nothing", m.name, k)
		}
		return
	}
	if c.Tag != d.Tag || len(c.Dots) != len(d.Live) || c.Deleted == d.Live.Alive() {
		t.Fatalf("%s has %s as %q, and the difference says %+v", m.name, k, d.Tag, c)
	}
}

// "compare per-document hashes in id ranges": what is equal costs a digest a
// range, and equal collections cost nothing.
func TestComparingIsCheap(t *testing.T) {
	a, b, ask, r := pair(t)
	a.puts("d", 3*node.MaxCopies)
	pull(a, b)
	if got := differing(t, r, node.DifferenceQuery{Node: "b"}); len(got) > 0 || ask.calls != 1 || ask.bytes > 1000 {
		t.Errorf("%d differences by %d questions and %d bytes", len(got), ask.calls, ask.bytes)
	}
	b.put("d77", `{"n":1}`)
	ask.calls, ask.bytes = 0, 0
	got := differing(t, r, node.DifferenceQuery{Node: "b", Collection: "accounts"})
	if len(got) != 1 || got[0].Key != key("d77") || ask.calls > 6 || ask.bytes > 20_000 {
		t.Errorf("%v by %d questions and %d bytes", got, ask.calls, ask.bytes)
	}
	if got := differing(t, r, node.DifferenceQuery{Node: "b", Collection: "other"}); len(got) > 0 {
		t.Errorf("in a collection that nobody has: %v", got)
	}
}

// An answer names so many documents and no more; what is left comes with the
// next question. So it is from either side.
func TestComparingWithAnEmptyNode(t *testing.T) {
	const many = wire.MaxDigestCopies + node.MaxCopies + 7
	for _, full := range []string{"a", "b"} {
		a, b, ask, r := pair(t)
		map[string]*member{"a": a, "b": b}[full].puts("d", many)
		got := differing(t, r, node.DifferenceQuery{Node: "b", Limit: node.MaxPage})
		if len(got) != many || !slices.IsSortedFunc(got, func(x, y node.Difference) int { return strings.Compare(string(x.Key.ID), string(y.Key.ID)) }) {
			t.Errorf("%s is full: %d of %d differences", full, len(got), many)
		}
		if ask.calls > 20 {
			t.Errorf("%d questions", ask.calls)
		}
	}
}

// "if the other is unreachable: 503"; and what cannot be asked is refused.
func TestComparingIsRefused(t *testing.T) {
	_, _, ask, r := pair(t)
	for _, q := range []node.DifferenceQuery{{}, {Node: "a"}, {Node: "c"}, {Node: "b", Cursor: "?"}, {Node: "b", Cursor: "eHh4"}, {Node: "b", Cursor: "QQph"}} {
		_, err := r.Differences(t.Context(), q)
		if kind := node.KindOf(err); kind != node.Invalid && kind != node.BadCursor {
			t.Errorf("%+v: %v", q, err)
		}
	}
	ask.err = errCut
	_, err := r.Differences(t.Context(), node.DifferenceQuery{Node: "b"})
	if e, ok := errors.AsType[*replica.UnreachableError](err); !ok || e.Node != "b" || !errors.Is(err, errCut) {
		t.Errorf("%v", err)
	}
	good := wire.DigestRequest{Cluster: cluster, Node: "a", Collection: "accounts", Ranges: []wire.DigestRange{{}}}
	for name, spoil := range map[string]func(*wire.DigestRequest){
		"another cluster":   func(q *wire.DigestRequest) { q.Cluster = "other" },
		"somebody else":     func(q *wire.DigestRequest) { q.Node = "c" },
		"no ranges":         func(q *wire.DigestRequest) { q.Ranges = nil },
		"too many ranges":   func(q *wire.DigestRequest) { q.Ranges = make([]wire.DigestRange, wire.MaxRanges+1) },
		"out of order":      func(q *wire.DigestRequest) { q.Ranges = []wire.DigestRange{{Until: "b"}, {Until: "a"}} },
		"no such a name":    func(q *wire.DigestRequest) { q.Collection = "A b" },
		"nothing behind it": func(q *wire.DigestRequest) { q.After, q.Ranges = "b", []wire.DigestRange{{Until: "a"}} },
	} {
		q := good
		spoil(&q)
		body, err := wire.Encode(&q)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ask.to.AnswerDigest(t.Context(), "a", body); err == nil {
			t.Errorf("%s: answered", name)
		}
	}
}

// A node that answers nonsense is no source of differences.
func TestBadAnswers(t *testing.T) {
	q := &wire.DigestRequest{Cluster: cluster, Node: "a", Collection: "accounts", After: "k", Ranges: []wire.DigestRange{{}}}
	for name, a := range map[string]wire.DigestAnswer{
		"no name":         {},
		"no such range":   {Node: "b", Differs: []int{1}},
		"twice":           {Node: "b", Differs: []int{0, 0}},
		"before":          {Node: "b", Copies: []wire.DocCopy{{ID: "a"}}},
		"out of order":    {Node: "b", Copies: []wire.DocCopy{{ID: "z"}, {ID: "y"}}},
		"reaches nowhere": {Node: "b", Until: "k"},
		"a broken dot":    {Node: "b", Copies: []wire.DocCopy{{ID: "z", Dots: []string{"x"}}}},
		"too many dots":   {Node: "b", Copies: []wire.DocCopy{{ID: "z", Dots: make([]string, wire.MaxCopyDots+1)}}},
		"too many":        {Node: "b", Copies: make([]wire.DocCopy, wire.MaxDigestCopies+1)},
	} {
		if err := a.Check(q); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if err := (&wire.DigestAnswer{Node: "b", Differs: []int{0}, Copies: []wire.DocCopy{{ID: "z", Dots: []string{"a~k3f9x2mz:1"}}}, Until: "z"}).Check(q); err != nil {
		t.Error(err)
	}
}
