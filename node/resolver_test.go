package node_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// standIn plays the part of the worker process: its scripts are single words.
//
//	sum     a document with the sum of all balances
//	del     delete the document
//	defer   leave it to a person
//	fail    fail, on every node alike
//	kill    fail on this node alone
//	down    nobody can run it now
//	big     a result above the collection's limit
type standIn struct {
	mu    sync.Mutex
	calls []node.Case
	word  func(node.Script) string         // nil: the source
	then  func(context.Context, node.Case) // runs in each call
}

func (s *standIn) Resolve(ctx context.Context, script node.Script, c node.Case) (conflict.Finding, error) {
	s.mu.Lock()
	s.calls = append(s.calls, c)
	s.mu.Unlock()
	if s.then != nil {
		s.then(ctx, c)
	}
	word := script.Source
	if s.word != nil {
		word = s.word(script)
	}
	failed := conflict.Finding{Verdict: conflict.VerdictFailed, Run: conflict.Run{Failure: "error at 3:5: no"}}
	switch word {
	case "down":
		return conflict.Finding{}, errors.New("no worker")
	case "defer":
		return conflict.Finding{Verdict: conflict.VerdictDefer}, nil
	case "del":
		return conflict.Finding{Verdict: conflict.VerdictDelete}, nil
	case "kill":
		failed.Local = true
		return failed, nil
	case "fail":
		return failed, nil
	case "big":
		return conflict.Finding{Verdict: conflict.VerdictValue, Doc: []byte(body(c.MaxBody + 1))}, nil
	}
	total := 0
	for _, v := range c.Siblings {
		var doc struct{ Balance int }
		if err := json.Unmarshal(v.Body, &doc); err != nil && !v.Deleted {
			return conflict.Finding{}, err
		}
		total += doc.Balance
	}
	return conflict.Finding{Verdict: conflict.VerdictValue, Doc: fmt.Appendf(nil, `{"balance":%d}`, total), Run: conflict.Run{
		Notes: []string{"added up"}, Events: []conflict.RunEvent{{Name: "sum", Data: []byte("1")}}, Steps: 7, Output: "hello",
	}}, nil
}

func (s *standIn) asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.calls)
}

// scripted is a running node whose accounts are resolved by a script.
func scripted(t tester, source string) (*rig, *standIn) {
	t.Helper()
	worker := &standIn{}
	r := newRig(t, func(c *node.Config) { c.Resolver = worker })
	r.start()
	r.stores("rule", source)
	r.configure(`{"policy":{"kind":"script","resolver":"rule"}}`)
	return r, worker
}

func (r *rig) stores(name, source string) node.Written {
	r.Helper()
	out, err := r.PutResolver(r.Context(), name, node.ResolverWrite{Source: source, Who: "eve"})
	r.ok(err)
	return out
}

// siblings brings versions of peers that did not see each other.
func (r *rig) siblings(balances ...int) node.Document {
	r.Helper()
	var rows []*conflict.Version
	frontier := vclock.Vector{}
	for i, n := range balances {
		d := dot([]vclock.Actor{actorB, actorC, "d~dddddddd"}[i], 1)
		frontier = frontier.With(d)
		rows = append(rows, row("alice", d, "", at(time.Duration(i)*time.Second), func(v *conflict.Version) { v.Body = fmt.Appendf(nil, `{"balance":%d}`, n) }))
	}
	_, err := r.Apply(r.Context(), node.Apply{Sender: actorB, Versions: rows, Close: &node.Closing{Frontier: frontier, Standing: node.StandingGood}})
	r.ok(err)
	return r.get("alice")
}

// "script: what a Starlark resolve(conflict) returns" (DESIGN 7); "a hash of
// their dots, of the policy's and the resolver's version (a policy change alters
// what is shown)" (API).
func TestScriptIsShown(t *testing.T) {
	r, worker := scripted(t, "sum")
	d := r.siblings(70, 20)
	r.shows("alice", `{"balance":90}`, 2)
	if d.Shown.Open || d.Shown.Reason != "" || d.Shown.Winner != nil || worker.asked() != 1 {
		t.Errorf("%+v, asked %d times", d.Shown, worker.asked())
	}
	c := worker.calls[0]
	if c.Collection != "accounts" || c.ID != "alice" || len(c.Siblings) != 2 || c.MaxBody != node.DefaultBody || c.Base != nil || c.BaseExact {
		t.Errorf("asked about %+v", c)
	}
	list, err := r.List(t.Context(), node.ListQuery{Collection: "accounts"})
	if err != nil || len(list.Documents) != 1 || string(list.Documents[0].Shown.Body) != `{"balance":90}` {
		t.Errorf("%+v, %v", list, err)
	}
	r.stores("rule", "del")
	if now := r.get("alice"); now.Exists() || now.Tag == d.Tag {
		t.Errorf("another version shows %+v as %s, before %s", now.Shown, now.Tag, d.Tag)
	}
	list, err = r.List(t.Context(), node.ListQuery{Collection: "accounts"})
	if err != nil || len(list.Documents) != 0 {
		t.Errorf("what a resolver deletes is listed: %+v, %v", list, err)
	}
	r.configure(`{"policy":{"kind":"lww"}}`)
	r.shows("alice", `{"balance":20}`, 2)
}

// "A script that fails, or passes its limit, defers: … the failure is shown, the
// LWW value stands in" (DESIGN 7); "while a script has deferred, a write to a
// conflicted document with neither is 409 open_conflict" (API).
func TestScriptStandsOpen(t *testing.T) {
	for source, want := range map[string]conflict.Reason{
		"defer": conflict.ReasonDeferred, "fail": conflict.ReasonFailed, "big": conflict.ReasonFailed, "kill": conflict.ReasonFailedHere,
	} {
		r, worker := scripted(t, source)
		r.siblings(70, 20)
		d := r.shows("alice", `{"balance":20}`, 2)
		if !d.Shown.Open || d.Shown.Reason != want || d.Shown.Run == nil || (d.Shown.Run.Failure == "") != (source == "defer") {
			t.Errorf("%s: %+v %+v", source, d.Shown, d.Shown.Run)
		}
		if worker.asked() != 1 {
			t.Errorf("%s: the same version was asked %d times about one set", source, worker.asked())
		}
		if n := r.settleable(); n != 0 {
			t.Errorf("%s: %d are settled", source, n)
		}
		_, err := r.Write(t.Context(), put("alice", `{}`))
		r.fails(err, node.OpenConflict)
		looked := put("alice", `{"balance":1}`)
		looked.IfMatch = []string{d.Tag}
		if _, err = r.Write(t.Context(), looked); err != nil {
			t.Errorf("%s: %v", source, err)
		}
		rec := r.one(d.Live.ID()).Record
		if rec.By != conflict.Overwritten || rec.Policy.ResolverVersion != conflict.ScriptVersion(source) || rec.Run == nil || rec.Run.Failure != d.Shown.Run.Failure {
			t.Errorf("%s: %+v %+v", source, rec, rec.Run)
		}
	}
}

// settleable says how many accounts the node would settle now.
func (r *rig) settleable() int {
	r.Helper()
	s, err := r.Settlement(r.Context(), r.everything())
	r.ok(err)
	if s == nil {
		return 0
	}
	return len(slices.DeleteFunc(s.Documents, func(d node.Document) bool { return d.Key.Collection.IsSystem() }))
}

// "A node on which the resolver's worker was killed shows the LWW value with
// Conflict-Reason: resolver_failed_here" (DESIGN 7): its tag is not the one of
// those that have the result, so that nobody takes one for the other.
func TestFailedHereHasItsOwnTag(t *testing.T) {
	a, _ := scripted(t, "sum")
	b, worker := scripted(t, "sum")
	worker.word = func(node.Script) string { return "kill" }
	x, y := a.siblings(70, 20), b.siblings(70, 20)
	if x.Tag == y.Tag || y.Shown.Reason != conflict.ReasonFailedHere {
		t.Errorf("both have the tag %s; %+v", x.Tag, y.Shown)
	}
}

// A worker that is not there now is no finding: the next look asks again.
func TestNoWorkerIsNotKept(t *testing.T) {
	r, worker := scripted(t, "sum")
	worker.word = func(node.Script) string { return "down" }
	d := r.siblings(70, 20)
	if d.Shown.Reason != conflict.ReasonFailedHere || !strings.Contains(d.Shown.Run.Failure, "no worker") {
		t.Errorf("%+v %+v", d.Shown, d.Shown.Run)
	}
	looked := put("alice", `{"balance":1}`)
	looked.Context = r.context()
	if _, err := r.Write(t.Context(), looked); err != nil {
		t.Fatalf("a write that has looked does not need the resolver: %v", err)
	}
	r.siblings(70, 20, 5)
	worker.mu.Lock()
	worker.word = nil
	worker.mu.Unlock()
	if d = r.get("alice"); d.Shown.Reason != "" {
		t.Errorf("%+v", d.Shown)
	}
}

// The writer never runs a resolver: one that itself writes through the same
// writer would wait for ever.
func TestWriterNeverRunsScripts(t *testing.T) {
	r, worker := scripted(t, "sum")
	var inside atomic.Int64
	worker.then = func(ctx context.Context, _ node.Case) {
		if _, err := r.Write(ctx, put("other", fmt.Sprintf(`{"n":%d}`, inside.Add(1)))); err != nil {
			t.Error(err)
		}
	}
	add := node.Write{Kind: node.Patch, Key: key("alice"), Change: func(shown []byte) ([]byte, error) {
		return []byte(strings.Replace(string(shown), "{", `{"seen":true,`, 1)), nil
	}}
	for i, write := range []func() error{
		func() error { _, err := r.Write(t.Context(), add); return err },
		func() error { // each for itself
			out, err := r.WriteAll(t.Context(), []node.Write{put("bob", `{}`), add, put("carl", `{}`)}, false)
			if err == nil && (out[0].Err != nil || out[2].Err != nil || out[0].Written.Dot == out[2].Written.Dot) {
				t.Errorf("%+v", out)
			}
			return errors.Join(err, out[1].Err)
		},
		func() error { // all or none
			_, err := r.WriteAll(t.Context(), []node.Write{put("bob", `{}`), add}, true)
			return err
		},
	} {
		r.collideAgain(i)
		if err := write(); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
		if d := r.get("alice"); len(d.Live) != 1 || !strings.Contains(string(d.Shown.Body), `"seen":true,"balance":`) {
			t.Errorf("%d: %s of %d", i, d.Shown.Body, len(d.Live))
		}
	}
	if inside.Load() != 3 {
		t.Errorf("asked %d times", inside.Load())
	}
}

// collideAgain makes a conflict of alice that nobody has looked at.
func (r *rig) collideAgain(n int) {
	r.Helper()
	seq := uint64(n + 1)
	var rows []*conflict.Version
	for _, a := range []vclock.Actor{actorB, actorC} {
		clock := ""
		if live := r.mustRead("alice"); len(live) == 1 {
			clock = vclock.ContextOf(live[0].Clock.Vector().With(live[0].Dot)).String()
		}
		rows = append(rows, row("alice", dot(a, seq), clock, at(time.Duration(n+1)*time.Minute), func(v *conflict.Version) {
			v.Body = fmt.Appendf(nil, `{"balance":%d}`, n)
		}))
	}
	_, err := r.Apply(r.Context(), node.Apply{Sender: actorB, Versions: rows})
	r.ok(err)
}

// mustRead reads the live versions past the engine, which would ask the resolver.
func (r *rig) mustRead(id string) conflict.Siblings {
	r.Helper()
	got, err := r.store.Read(r.Context(), key(id))
	r.ok(err)
	return got.Live
}

// Readers of one conflict wait for one run, and one who gives up takes nobody
// with him.
func TestOneRunForManyReaders(t *testing.T) {
	r, worker := scripted(t, "sum")
	begun, goOn := make(chan struct{}, 9), make(chan struct{})
	worker.then = func(ctx context.Context, _ node.Case) {
		begun <- struct{}{}
		select {
		case <-goOn:
		case <-ctx.Done():
		}
	}
	r.collideAgain(1)
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() {
		_, err := r.Get(ctx, key("alice"))
		gone <- err
	}()
	<-begun
	const readers = 8
	read := make(chan node.Document, readers)
	for range readers {
		go func() {
			d, err := r.Get(t.Context(), key("alice"))
			if err != nil {
				t.Error(err)
			}
			read <- d
		}()
	}
	cancel()
	r.fails(<-gone, node.Busy)
	close(goOn)
	for range readers {
		if d := <-read; string(d.Shown.Body) != `{"balance":2}` {
			t.Errorf("%+v", d.Shown)
		}
	}
	if n := worker.asked(); n > 2 {
		t.Errorf("%d runs", n)
	}
}

// "Settling … files a record in _conflicts with … the policy and script version
// and the outcome" (DESIGN 7); issue 4, point 5: "script version, steps, printed
// output".
func TestSettledByScript(t *testing.T) {
	r, _ := scripted(t, "sum")
	d := r.siblings(70, 20)
	if n := r.settleable(); n != 1 {
		t.Fatalf("%d to settle", n)
	}
	s := node.Settler{Engine: r.Engine, Stable: r.everything, Turn: func() bool { return true }}
	r.ok(s.Once(t.Context()))
	now := r.shows("alice", `{"balance":90}`, 1)
	rec := r.one(d.Live.ID()).Record
	want := conflict.RecordPolicy{Kind: conflict.KindScript, Version: rec.Policy.Version, Resolver: "rule", ResolverVersion: conflict.ScriptVersion("sum")}
	if rec.By != conflict.ByScript || rec.Who != "a" || rec.Policy != want || rec.Policy.Version == "" || !strings.Contains(rec.Reason, want.ResolverVersion) {
		t.Errorf("%+v", rec)
	}
	if rec.Run == nil || rec.Run.Notes[0] != "added up" || rec.Run.Events[0].Name != "sum" || rec.Run.Steps != 7 || rec.Run.Output != "hello" || len(rec.Lost) != 2 {
		t.Errorf("%+v %+v", rec.Run, rec.Lost)
	}
	page, err := r.Conflicts(t.Context(), node.ConflictQuery{State: node.ConflictSettled, By: conflict.ByScript})
	if err != nil || len(page.Conflicts) != 1 {
		t.Errorf("%+v, %v", page, err)
	}
	// "Of two settlements of one set the newer policy's counts" (D5): the policy is
	// as young as its script.
	again := r.stores("rule", "sum #2")
	if again.After.Shown.Winner.Time <= now.Live[0].Origin.Policy {
		t.Errorf("the settlement's policy is of %s, and the script was stored at %s", now.Live[0].Origin.Policy, again.After.Shown.Winner.Time)
	}
}

// "It never settles, another node does" (DESIGN 7): a node settles out of turn
// what has waited for it twice, and only what a resolver has decided.
func TestSettledOutOfTurn(t *testing.T) {
	r, _ := scripted(t, "sum")
	s := node.Settler{Engine: r.Engine, Stable: r.everything, Turn: func() bool { return false }}
	r.siblings(70, 20)
	looks := 0
	for ; len(r.get("alice").Live) > 1 && looks < 1000; looks++ {
		r.ok(s.Once(t.Context()))
	}
	if looks < 26 || looks > 50 {
		t.Errorf("settled at look %d", looks)
	}
	other := newRig(t)
	other.start()
	other.siblings(70, 20)
	s = node.Settler{Engine: other.Engine, Stable: other.everything, Turn: s.Turn}
	for range 300 {
		other.ok(s.Once(t.Context()))
	}
	other.shows("alice", `{"balance":20}`, 2)
}

// "{"resolver":name} for an open one" (API).
func TestResolveByResolver(t *testing.T) {
	r, _ := scripted(t, "defer")
	d := r.siblings(70, 20)
	for name, kind := range map[string]node.Kind{"rule": node.ResolverFailed, "nobody": node.NotFound} {
		_, err := r.Resolve(t.Context(), d.Live.ID(), node.Resolution{Resolver: name})
		r.fails(err, kind)
	}
	r.stores("adder", "sum")
	if _, err := r.Resolve(t.Context(), d.Live.ID(), node.Resolution{Resolver: "adder", Who: "eve", Reason: "add them up"}); err != nil {
		t.Fatal(err)
	}
	r.shows("alice", `{"balance":90}`, 1)
	rec := r.one(d.Live.ID()).Record
	if rec.By != conflict.ByScript || rec.Who != "eve" || rec.Policy.Resolver != "adder" || rec.Policy.ResolverVersion != conflict.ScriptVersion("sum") || rec.Run.Steps != 7 {
		t.Errorf("%+v %+v", rec, rec.Run)
	}
	for _, source := range []string{"kill", "fail"} {
		r.stores("adder", source)
		_, err := r.Resolve(t.Context(), r.siblingsAgain().Live.ID(), node.Resolution{Resolver: "adder"})
		r.fails(err, node.ResolverFailed)
	}
}

// siblingsAgain is the conflict that is there, or a new one.
func (r *rig) siblingsAgain() node.Document {
	r.Helper()
	if d := r.get("alice"); len(d.Live) > 1 {
		return d
	}
	r.collideAgain(9)
	return r.get("alice")
}

// Issue 4: "for every policy the shown value is the same for every order and
// every way in which the siblings arrived; two nodes with equal siblings and
// policy version show equal bytes".
func TestScriptIsAFunctionOfTheSet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		actors := []vclock.Actor{actorB, actorC, "d~dddddddd", "e~eeeeeeee"}
		var rows []*conflict.Version
		for i := range rapid.IntRange(2, len(actors)).Draw(t, "siblings") {
			rows = append(rows, row("alice", dot(actors[i], 1), "", func(v *conflict.Version) {
				if rapid.Bool().Draw(t, "tombstone") {
					grave(v)
				} else {
					v.Body = fmt.Appendf(nil, `{"balance":%d}`, rapid.IntRange(-5, 5).Draw(t, "balance"))
				}
			}))
		}
		source := rapid.SampledFrom([]string{"sum", "del", "defer", "fail"}).Draw(t, "script")
		var shown []conflict.Shown
		for range 2 {
			worker := &standIn{}
			r := newRig(t, func(c *node.Config) { c.Resolver = worker })
			q, err := node.ResolverRequest("rule", source)
			r.ok(err)
			config, err := r.ConfigureRequest("accounts", []byte(`{"policy":{"kind":"script","resolver":"rule"}}`))
			r.ok(err)
			r.commit(q)
			r.commit(config)
			for _, v := range rapid.Permutation(rows).Draw(t, "order") {
				r.takeRows(v)
				if rapid.Bool().Draw(t, "looked at") {
					r.get("alice")
				}
			}
			shown = append(shown, r.get("alice").Shown)
		}
		a, b := shown[0], shown[1]
		if string(a.Body) != string(b.Body) || a.Deleted != b.Deleted || a.Reason != b.Reason || a.Open != b.Open {
			t.Fatalf("%+v and %+v", a, b)
		}
	})
}
