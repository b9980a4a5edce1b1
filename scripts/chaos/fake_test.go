package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/syncline/syncline/client"
	"github.com/syncline/syncline/scripts/chaos"
)

// fakeCluster is a cluster in memory: all nodes share one set of documents, and a
// node that is cut from the first one refuses writes. What a test plants goes
// wrong.
type fakeCluster struct {
	mu      sync.Mutex
	nodes   map[string]*fakeNode
	docs    map[client.Key]fakeDoc
	seq     uint64
	cuts    []chaos.Fault
	done    []string // calls, in order
	lacks   map[chaos.Ability]string
	breaks  error // the error of every fault
	diverge bool
	lose    bool   // acknowledged writes are forgotten
	idle    bool   // what is written with a context changes nothing
	still   string // the node that answers no write

	past    map[string]string // bodies by dot
	dots    map[client.Key][]string
	open    map[client.Key]string // ids of open conflicts
	records []client.Conflict
}

type fakeDoc struct {
	doc string
	dot string
}

func newFake(names ...string) *fakeCluster {
	c := &fakeCluster{
		nodes: map[string]*fakeNode{}, docs: map[client.Key]fakeDoc{}, lacks: map[chaos.Ability]string{},
		past: map[string]string{}, dots: map[client.Key][]string{},
	}
	for _, name := range names {
		c.nodes[name] = &fakeNode{name: name, c: c}
	}
	return c
}

func (c *fakeCluster) did(format string, args ...any) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done = append(c.done, fmt.Sprintf(format, args...))
	return nil
}

func (c *fakeCluster) Lacks(a chaos.Ability) string { return c.lacks[a] }

func (c *fakeCluster) Break(_ context.Context, f chaos.Fault) error {
	if c.breaks != nil {
		return c.breaks
	}
	c.mu.Lock()
	c.cuts = append(c.cuts, f)
	c.mu.Unlock()
	return c.did("%s", f)
}

func (c *fakeCluster) Heal(_ context.Context, a, b string) error {
	c.mu.Lock()
	c.cuts = slices.DeleteFunc(c.cuts, func(f chaos.Fault) bool { return a == "" || f.From == a && f.To == b })
	c.mu.Unlock()
	return c.did("heal %s%s", a, b)
}

func (c *fakeCluster) Pause(_ context.Context, name string, d time.Duration) error {
	return c.did("pause %s %s", name, d)
}

func (c *fakeCluster) Resume(_ context.Context, name string) error { return c.did("resume %s", name) }
func (c *fakeCluster) Kill(_ context.Context, name string) error   { return c.did("kill %s", name) }
func (c *fakeCluster) Start(_ context.Context, name string) error  { return c.did("start %s", name) }
func (c *fakeCluster) Wipe(_ context.Context, name string) error   { return c.did("wipe %s", name) }
func (c *fakeCluster) Copy(_ context.Context, name string) error   { return c.did("copy %s", name) }

func (c *fakeCluster) Rollback(_ context.Context, name string) error {
	return c.did("rollback %s", name)
}

func (c *fakeCluster) Shift(_ context.Context, name string, s chaos.Shift) error {
	return c.did("clock %s %s %v", name, s.Offset, s.Drift)
}

func (c *fakeCluster) Node(name string) chaos.Node { return c.nodes[name] }

// calls lists what was done to the cluster, but for what every end does.
func (c *fakeCluster) calls() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.done)
}

// fakeNode is one data node. What a test does not use is not there.
type fakeNode struct {
	chaos.Node
	name string
	c    *fakeCluster
}

// refuses says whether the node is on the side that refuses.
func (n *fakeNode) refuses() bool {
	return slices.ContainsFunc(n.c.cuts, func(f chaos.Fault) bool { return f.To == n.name })
}

func (n *fakeNode) write(key client.Key, doc string) (*client.Written, error) {
	return n.writeBy(key, func() string { return doc })
}

func (n *fakeNode) writeBy(key client.Key, body func() string) (*client.Written, error) {
	n.c.mu.Lock()
	defer n.c.mu.Unlock()
	if n.refuses() {
		return nil, &client.Error{Code: client.ReadOnly, Status: 503, Cause: "no_majority", Title: "read only", WritableNodes: []string{"http://a"}}
	}
	n.c.seq++
	w := &client.Written{ID: key.ID, Dot: fmt.Sprintf("%s~k3f9x2mz:%d", n.name, n.c.seq)}
	if doc := body(); !n.c.lose {
		n.c.docs[key], n.c.past[w.Dot], n.c.dots[key] = fakeDoc{doc, w.Dot}, doc, append(n.c.dots[key], w.Dot)
	}
	return w, nil
}

func (n *fakeNode) Put(ctx context.Context, key client.Key, doc []byte, options client.PutOptions) (*client.Written, error) {
	if n.name == n.c.still {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return n.writeBy(key, func() string {
		switch {
		case options.Context == "":
			return string(doc)
		case n.c.idle:
			return n.c.docs[key].doc
		}
		return n.c.merge(key, options.Context, string(doc))
	})
}

func (n *fakeNode) Delete(_ context.Context, key client.Key, _ client.PutOptions) (*client.Written, error) {
	return n.write(key, "")
}

func (n *fakeNode) Get(_ context.Context, key client.Key, _ client.Options) (*client.Document, error) {
	n.c.mu.Lock()
	defer n.c.mu.Unlock()
	d, ok := n.c.docs[key]
	if !ok || d.doc == "" {
		return nil, &client.Error{Code: client.NotFound, Status: 404, Title: "not found"}
	}
	return &client.Document{ID: key.ID, Doc: []byte(d.doc), Dot: d.dot, Context: d.dot}, nil
}

func (n *fakeNode) List(_ context.Context, collection string, _ client.ListOptions) iter.Seq2[*client.Document, error] {
	n.c.mu.Lock()
	docs := maps.Clone(n.c.docs)
	n.c.mu.Unlock()
	return func(yield func(*client.Document, error) bool) {
		for key, d := range docs {
			if key.Collection == collection && d.doc != "" && !yield(&client.Document{ID: key.ID, Doc: []byte(d.doc), Dot: d.dot}, nil) {
				return
			}
		}
	}
}

func (n *fakeNode) Siblings(_ context.Context, key client.Key, _ client.Options) (*client.Siblings, error) {
	n.c.mu.Lock()
	defer n.c.mu.Unlock()
	d, ok := n.c.docs[key]
	if !ok {
		return nil, &client.Error{Code: client.NotFound, Status: 404, Title: "not found"}
	}
	clock := map[string]uint64{}
	for name := range n.c.nodes {
		clock[name+"~k3f9x2mz"] = n.c.seq
	}
	return &client.Siblings{Siblings: []client.Sibling{{Dot: d.dot, Doc: []byte(d.doc), Clock: clock}}}, nil
}

func (n *fakeNode) Conflicts(_ context.Context, options client.ConflictsOptions) iter.Seq2[*client.Conflict, error] {
	return func(yield func(*client.Conflict, error) bool) {
		for i := range n.c.records {
			if r := &n.c.records[i]; r.State == options.State && r.Collection == options.Collection && !yield(r, nil) {
				return
			}
		}
	}
}

func (n *fakeNode) ConflictCounts(context.Context, client.Options) (client.ConflictCounts, error) {
	return client.ConflictCounts{}, nil
}

func (n *fakeNode) Cluster(context.Context) (*client.Cluster, error) {
	n.c.mu.Lock()
	defer n.c.mu.Unlock()
	c := &client.Cluster{Name: n.name}
	c.Write.State = "writable"
	if n.refuses() {
		c.Write.State, c.Write.Cause = "read-only", "no_majority"
	}
	return c, nil
}

func (n *fakeNode) Verify(context.Context, client.Options) (*client.Verify, error) {
	n.c.mu.Lock()
	defer n.c.mu.Unlock()
	v := &client.Verify{Name: n.name, Frontier: map[string]uint64{"a": n.c.seq}, Collections: map[string]client.Digest{"k": {Digest: "1", Documents: 1}}}
	if n.c.diverge && n.name != "a" {
		v.Collections["k"] = client.Digest{Digest: "2", Documents: 1}
	}
	return v, nil
}

var errPlanted = errors.New("planted")
