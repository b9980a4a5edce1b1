package nodetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// SuiteViews is the most views that the suite holds open at once.
const SuiteViews = 2

// OpenStore opens the store of a file that was just made. The suite closes it.
type OpenStore func(t *testing.T) node.Store

// StoreSuite tests a node.Store against the contract that its comments state.
// Every store passes the same suite (HOUSE habit 13).
func StoreSuite(t *testing.T, open OpenStore) {
	for _, c := range []struct {
		name string
		test func(*rig)
	}{
		{"new file", testNewFile},
		{"one document", testDocument},
		{"siblings", testSiblings},
		{"many covered at once", testManyCovered},
		{"all bits are kept", testKept},
		{"own writes", testOwnWrites},
		{"failed update", testFailedUpdate},
		{"ended context", testEndedContext},
		{"misuse", testMisuse},
		{"isolation", testIsolation},
		{"reader's snapshot", testSnapshots},
		{"list", testList},
		{"list limits", testListLimits},
		{"list conflicted", testListConflicted},
		{"rows", testRows},
		{"actors", testActors},
		{"collections", testCollections},
		{"cursors", testCursors},
		{"meta", testMeta},
		{"history", testHistory},
		{"dropped history", testDropHistory},
		{"filed records", testRecords},
		{"ages", testAges},
		{"closed", testClosed},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(newRig(t, open)) })
	}
	t.Run("random sequences", func(t *testing.T) { testRandom(t, open) })
}

// The actors, collections and documents of the suite.
const (
	actorA = vclock.Actor("a~aaaaaaaa")
	actorB = vclock.Actor("b~bbbbbbbb")
	actorC = vclock.Actor("c~cccccccc")

	plenty = 1 << 30 // a limit that stops nothing
)

func keyOf(collection, id string) conflict.Key {
	return conflict.Key{Collection: conflict.Collection(collection), ID: conflict.DocID(id)}
}

func dotOf(a vclock.Actor, seq uint64) vclock.Dot { return vclock.Dot{Actor: a, Seq: seq} }

// versionOf makes a sound version of a document, which says that its writer
// had seen the covered ones.
func versionOf(key conflict.Key, dot vclock.Dot, covered ...*conflict.Version) *conflict.Version {
	v := &conflict.Version{
		Key: key, Dot: dot, Time: vclock.Time(1<<16*dot.Seq + 1),
		Body: fmt.Appendf(nil, `{"id":%q,"dot":%q}`, string(key.ID), dot),
	}
	for _, c := range covered {
		v.Clock = v.Clock.Join(c.Clock).Join(vclock.ContextOf(vclock.VectorOf(c.Dot)))
		v.Time = max(v.Time, c.Time+1)
	}
	v.Sum = v.ComputeSum()
	return v
}

// tombstoneOf makes a version that says deleted.
func tombstoneOf(key conflict.Key, dot vclock.Dot, covered ...*conflict.Version) *conflict.Version {
	v := *versionOf(key, dot, covered...)
	v.Deleted, v.Body = true, nil
	v.Sum = v.ComputeSum()
	return &v
}

// withBody is the version with a body of a length.
func withBody(v *conflict.Version, length int) *conflict.Version {
	w := *v
	w.Body = bytes.Repeat([]byte{'x'}, length)
	w.Sum = w.ComputeSum()
	return &w
}

// rig is one store under test.
type rig struct {
	*testing.T
	store node.Store
}

func newRig(t *testing.T, open OpenStore) *rig {
	b := &rig{T: t, store: open(t)}
	t.Cleanup(func() { b.ok(b.store.Close()) })
	return b
}

// ok ends the test when something failed that must not.
func (b *rig) ok(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *rig) ctx() context.Context { return context.Background() }

// update runs an Update that must succeed.
func (b *rig) update(fn func(tx node.Tx) error) {
	b.Helper()
	b.ok(b.store.Update(b.ctx(), fn))
}

// write commits one version, with a look at its document before, as the engine does.
func (b *rig) write(v *conflict.Version, covered ...*conflict.Version) {
	b.Helper()
	b.update(func(tx node.Tx) error {
		if _, err := tx.Document(v.Key); err != nil {
			return err
		}
		return tx.Write(v, covered)
	})
}

// view opens a view that is closed when the test ends, if not before.
func (b *rig) view() *rigView {
	b.Helper()
	v, err := b.store.View(b.ctx())
	b.ok(err)
	bv := &rigView{View: v, b: b}
	b.Cleanup(bv.close)
	return bv
}

// rigView is a view of which every question must be answered.
type rigView struct {
	node.View
	b      *rig
	closed bool
}

func (v *rigView) close() {
	if !v.closed {
		v.closed = true
		v.b.ok(v.Close())
	}
}

func (v *rigView) live(key conflict.Key) conflict.Siblings {
	v.b.Helper()
	live, err := v.Document(key)
	v.b.ok(err)
	return live
}

func (v *rigView) list(r node.ListRange) []conflict.Siblings {
	v.b.Helper()
	docs, err := v.List(r)
	v.b.ok(err)
	return docs
}

// list asks a view of its own for a range.
func (b *rig) list(r node.ListRange) []conflict.Siblings {
	b.Helper()
	v := b.view()
	defer v.close()
	return v.list(r)
}

// rows asks a view of its own for rows.
func (b *rig) rows(a vclock.Actor, after uint64, limit, maxBytes int) conflict.Siblings {
	b.Helper()
	v := b.view()
	defer v.close()
	return v.rows(a, after, limit, maxBytes)
}

func (v *rigView) rows(a vclock.Actor, after uint64, limit, maxBytes int) conflict.Siblings {
	v.b.Helper()
	rows, err := v.Rows(a, after, limit, maxBytes)
	v.b.ok(err)
	return rows
}

// holds says that a fresh view and Read show these live versions and no others.
func (b *rig) holds(key conflict.Key, want ...*conflict.Version) {
	b.Helper()
	r, err := b.store.Read(b.ctx(), key)
	b.ok(err)
	b.same("Read "+key.String(), r.Live, want)
	v := b.view()
	defer v.close()
	b.same("Document "+key.String(), v.live(key), want)
}

func (b *rig) same(what string, got, want conflict.Siblings) {
	b.Helper()
	if !slices.EqualFunc(got, want, sameVersion) {
		b.Fatalf("%s:\n got %v\nwant %v", what, describe(got), describe(want))
	}
}

func (b *rig) sameDocs(what string, got, want []conflict.Siblings) {
	b.Helper()
	if !slices.EqualFunc(got, want, sameSiblings) {
		b.Fatalf("%s:\n got %v\nwant %v", what, describeAll(got), describeAll(want))
	}
}

func sameSiblings(a, b conflict.Siblings) bool { return slices.EqualFunc(a, b, sameVersion) }

// sameVersion compares all that a version is.
func sameVersion(a, b *conflict.Version) bool {
	return a.Key == b.Key && a.Dot == b.Dot && a.Time == b.Time && a.Deleted == b.Deleted &&
		a.Clock.Equal(b.Clock) && bytes.Equal(a.Body, b.Body) && a.Sum == b.Sum
}

func describe(s conflict.Siblings) []string {
	out := make([]string, 0, len(s))
	for _, v := range s {
		out = append(out, fmt.Sprintf("%s %s time=%d deleted=%v clock=%s body=%.60q sum=%s", v.Key, v.Dot, uint64(v.Time), v.Deleted, v.Clock, v.Body, v.Sum))
	}
	return out
}

func describeAll(docs []conflict.Siblings) [][]string {
	out := make([][]string, 0, len(docs))
	for _, s := range docs {
		out = append(out, describe(s))
	}
	return out
}

var errOwn = errors.New("the function's own error")
