package rest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncline/syncline/client"
)

// "The command line, the chaos runner and the tests use it" (API.md on the Go
// client): what the client says and what the server says are one language.

func (s *stand) client() *client.Client {
	s.t.Helper()
	c, err := client.New(client.Config{Nodes: []string{s.serve()}})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(c.Close)
	return c
}

func TestClientAndDocuments(t *testing.T) {
	s := newStand(t, nil)
	c, ctx := s.client(), t.Context()
	key := client.Key{Collection: "accounts", ID: "a/b c"}
	put, err := c.Put(ctx, key, []byte(`{"balance":120}`), client.PutOptions{IfNoneMatch: true})
	if err != nil || !put.Created || put.Ack != "local" || put.Node != "b" || put.WriteState != "writable" {
		t.Fatalf("%+v %v", put, err)
	}
	got, err := c.Get(ctx, key, client.Options{})
	if err != nil || string(got.Doc) != `{"balance":120}` || got.Dot != put.Dot || got.ETag != put.ETag {
		t.Errorf("%+v %v", got, err)
	}
	_, err = c.Patch(ctx, key, client.Patch{Body: []byte(`{"owner":"alice"}`)}, client.PutOptions{IfMatch: got.ETag})
	if err != nil {
		t.Error(err)
	}
	_, err = c.Put(ctx, key, []byte(`{}`), client.PutOptions{IfMatch: got.ETag})
	if e, ok := errors.AsType[*client.Error](err); !ok || !errors.Is(err, client.Precondition) || e.Status != 412 || len(e.Siblings) != 1 || e.Siblings[0].Node != "b" {
		t.Errorf("%+v", err)
	}
	beside, err := c.Put(ctx, key, []byte(`{"balance":20}`), client.PutOptions{Context: got.Context})
	if err != nil || beside.Conflicts != 2 {
		t.Errorf("%+v %v", beside, err)
	}
	siblings, err := c.Siblings(ctx, key, client.Options{})
	if err != nil || len(siblings.Siblings) != 2 || siblings.Context != beside.Context {
		t.Errorf("%+v %v", siblings, err)
	}
	for d, err := range c.List(ctx, "accounts", client.ListOptions{Conflicted: true}) {
		if err != nil || d.ID != key.ID || d.Conflicts != 2 || d.ETag != siblings.ETag {
			t.Errorf("%+v %v", d, err)
		}
	}
	if _, err := c.Delete(ctx, key, client.PutOptions{}); err != nil {
		t.Error(err)
	}
	if _, err := c.Get(ctx, key, client.Options{}); !client.Absent(err) || !errors.Is(err, client.Deleted) {
		t.Error(err)
	}
	s.vote.set(cut(), 0)
	_, err = c.Put(ctx, key, []byte(`{}`), client.PutOptions{})
	if e, ok := errors.AsType[*client.Error](err); !ok || !client.NotApplied(err) {
		t.Errorf("%+v", err)
	} else if errors.Is(err, client.ReadOnly) && (e.Cause != "no_majority" || e.WritableNodes[0] != "http://127.0.0.1:7401" || e.Votes.Need != 2) {
		t.Errorf("%+v", e)
	}
}

func TestClientAndBulk(t *testing.T) {
	s := newStand(t, nil)
	c, ctx := s.client(), t.Context()
	const n = MaxBulkLines + 500 // more than one request
	lines := func(yield func(client.BulkLine) bool) {
		for i := range n {
			line := client.BulkLine{ID: fmt.Sprintf("d%d", i), Doc: json.RawMessage(`{"n":1}`)}
			if i == 7 {
				line.IfMatch = `"other"`
			}
			if !yield(line) {
				return
			}
		}
	}
	got := 0
	for r, err := range c.Bulk(ctx, "accounts", lines, client.BulkOptions{}) {
		got++
		if err != nil || r.Line != got || (r.Status == 201) != (r.Line != 8) || r.Line == 8 && !errors.Is(r.Err, client.Precondition) {
			t.Fatalf("result %d: %+v %v", got, r, err)
		}
	}
	seen := map[string]bool{}
	for e, err := range c.Changes(ctx, client.ChangesOptions{Collection: "accounts", Page: 1000}) {
		if err != nil {
			t.Fatal(err)
		}
		seen[e.ID] = true
	}
	if got != n || len(seen) < n-1 {
		t.Errorf("%d results and %d events of %d lines", got, len(seen), n)
	}
	atomic := slices.Values([]client.BulkLine{{ID: "x", Doc: json.RawMessage(`{}`)}, {ID: "y", Doc: json.RawMessage(`[]`)}})
	var last error
	for _, err := range c.Bulk(ctx, "accounts", atomic, client.BulkOptions{Atomic: true}) {
		last = err
	}
	e, ok := errors.AsType[*client.Error](last)
	if !ok || e.Code != client.AtomicFailed || len(e.Failed) != 1 || e.Failed[0].Line != 2 || e.Failed[0].Problem.Code != client.Invalid {
		t.Errorf("%+v", last)
	}
}

func TestClientAndCluster(t *testing.T) {
	s := newStand(t, func(c *Config) { c.Chaos = &faults{} })
	s.cluster.status.Peers = []Peer{{Name: "a", NodeLacks: Lag{UnknownSince: at(1)}}}
	s.cluster.gaps = []Gap{{Node: "a", Actor: "b~77xq01ab", Lag: Lag{Versions: 2}}}
	s.cluster.links = []Link{{From: "b", To: "a", State: "up"}}
	s.cluster.votes = Votes{Voters: []Voter{{Name: "w", Granted: true, ExpiresIn: time.Second}}}
	first, ctx := s.client(), t.Context()
	c, err := first.At(first.Nodes()[0])
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	cl, err := c.Cluster(ctx)
	if err != nil || cl.Write.State != "writable" || len(cl.Roster.Members) != 3 || cl.Peers[0].NodeLacks.Versions != nil || cl.Peers[0].NodeLacks.UnknownSince == nil {
		t.Errorf("%+v %v", cl, err)
	}
	links, err := c.Links(ctx)
	if err != nil || links.Links[0].State != "up" {
		t.Errorf("%+v %v", links, err)
	}
	votes, err := c.Votes(ctx)
	if err != nil || votes.Voters[0].ExpiresInMS != 1000 {
		t.Errorf("%+v %v", votes, err)
	}
	gaps, err := c.Divergence(ctx)
	if err != nil || *gaps.Rows[0].Versions != 2 {
		t.Errorf("%+v %v", gaps, err)
	}
	if v, err := c.Verify(ctx, client.Options{}); err != nil || v.Loose != 0 {
		t.Errorf("%+v %v", v, err)
	}
	if v, err := c.Version(ctx); err != nil || v.Build != "test" || !strings.HasPrefix(v.Go, "go") {
		t.Errorf("%+v %v", v, err)
	}
	f, err := c.AddFault(ctx, client.Fault{From: "b", To: "a", Kind: "cut", Both: true, Duration: client.Span(30 * time.Second)})
	if err != nil || f.ID != "f1" || f.Expires.IsZero() {
		t.Fatalf("%+v %v", f, err)
	}
	if list, err := c.Faults(ctx); err != nil || len(list) != 1 || list[0].Duration != f.Duration {
		t.Errorf("%+v %v", list, err)
	}
	if err := c.RemoveFault(ctx, "f9"); !errors.Is(err, client.NotFound) {
		t.Error(err)
	}
	if n, err := c.Heal(ctx); err != nil || n != 1 {
		t.Errorf("%d %v", n, err)
	}
}

func TestClientAndConflicts(t *testing.T) {
	s := newStand(t, nil)
	c, ctx := s.client(), t.Context()
	config, err := c.Configure(ctx, "accounts", client.Configuration{Whole: []byte(`{"policy":{"kind":"manual"}}`), PutOptions: client.PutOptions{IfNoneMatch: true}})
	if err != nil || config.Policy.Kind != client.PolicyManual || config.Records != "720h" {
		t.Fatalf("%+v %v", config, err)
	}
	id, own, other := s.meet("alice", `{"n":1}`, `{"n":2}`, 1, early)
	_, err = c.Put(ctx, client.Key{Collection: "accounts", ID: "alice"}, []byte(`{}`), client.PutOptions{})
	if e, ok := errors.AsType[*client.Error](err); !ok || e.Code != client.OpenConflict || e.Conflict != id || len(e.Siblings) != 2 {
		t.Errorf("%+v", err)
	}
	open, err := c.Conflict(ctx, id, client.Options{})
	if err != nil || open.State != client.ConflictOpen || open.Siblings[1].Dot != own || string(open.Siblings[0].Doc) != `{"n":2}` || open.Policy.Version != config.Dot || open.Result != nil {
		t.Errorf("%+v %v", open, err)
	}
	done, err := c.Resolve(ctx, id, client.Resolution{Guard: client.Guard{IfMatch: open.ETag}, Doc: []byte(`{ "n": 3 }`)})
	if err != nil || done.Conflict != id || done.Conflicts != 0 {
		t.Fatalf("%+v %v", done, err)
	}
	if _, err := c.Resolve(ctx, id, client.Resolution{Pick: own}); !errors.Is(err, client.ConflictChanged) {
		t.Errorf("%v", err)
	}
	if _, err := c.Restore(ctx, id, other, client.Guard{IfMatch: done.ETag}); err != nil {
		t.Error(err)
	}
	if _, err := c.Revert(ctx, id, client.Guard{}); !errors.Is(err, client.Invalid) {
		t.Errorf("%v", err)
	}
	if _, err := c.Review(ctx, id, client.Guard{}); err != nil {
		t.Error(err)
	}
	for one, err := range c.Conflicts(ctx, client.ConflictsOptions{State: client.ConflictReviewed}) {
		if err != nil || one.ID != id || one.By != "person" || one.LostCount != 2 {
			t.Errorf("%+v %v", one, err)
		}
	}
	s.meet("bob", `{"n":1}`, `{"n":2}`, 2, early)
	for one, err := range c.ResolveMany(ctx, client.ResolveRule{Node: "a", Collection: "accounts", DryRun: true}) {
		if err != nil || one.Totals == nil && one.ID != "bob" || one.Totals != nil && one.Totals.OK != 1 {
			t.Errorf("%+v %v", one, err)
		}
	}
	if counts, err := c.ConflictCounts(ctx, client.Options{}); err != nil || counts != (client.ConflictCounts{Open: 1, Records: 1}) {
		t.Errorf("%+v %v", counts, err)
	}
	if err := c.Unconfigure(ctx, "accounts", client.PutOptions{}); !errors.Is(err, client.NotEmpty) {
		t.Error(err)
	}
	for one, err := range c.Collections(ctx, client.ListOptions{}) {
		if err != nil || one.Name != "accounts" || one.ETag != config.ETag || one.Conflicts != 1 {
			t.Errorf("%+v %v", one, err)
		}
	}
}
