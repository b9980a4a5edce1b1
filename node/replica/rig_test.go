package replica_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/nodetest"
	"github.com/syncline/syncline/node/replica"
	"github.com/syncline/syncline/node/wire"
	"github.com/syncline/syncline/vclock"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	cluster = "shop"
	// strangers are actors of nodes that take part by their rows alone.
	actorX = vclock.Actor("x~xxxxxxxx")
	actorY = vclock.Actor("y~yyyyyyyy")
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// tester is a *testing.T or a *rapid.T.
type tester interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Context() context.Context
}

// member is one node under the test's control: no goroutine runs.
type member struct {
	tester
	*node.Engine
	name  string
	store node.Store
	table *replica.Table
	cfg   node.Config
}

func newMember(t tester, name string, alter ...func(*node.Config)) *member {
	t.Helper()
	m := &member{tester: t, name: name}
	lives := byte(0)
	m.cfg = node.Config{
		Cluster: cluster, Node: name, Guard: node.Alone{}, Full: true, Found: true, Key: []byte("key"),
		Wall:   func() time.Time { return noon },
		Random: func() [5]byte { lives++; return [5]byte{4: lives} },
	}
	for _, f := range alter {
		f(&m.cfg)
	}
	if m.cfg.Store == nil {
		m.cfg.Store = nodetest.NewMemStore(nodetest.MemConfig{Full: m.cfg.Full})
	}
	m.open(m.cfg.Store)
	return m
}

// reopen is the next process after one that ended, perhaps without its last
// commits.
func (m *member) reopen(lose int) {
	m.Helper()
	m.open(m.store.(*nodetest.MemStore).Reopen(lose))
}

// open is a new process over what it finds.
func (m *member) open(store node.Store) {
	m.Helper()
	m.store, m.cfg.Store, m.table = store, store, replica.NewTable(m.name)
	e, err := node.Open(m.Context(), m.cfg)
	m.ok(err)
	m.Engine = e
}

func (m *member) ok(err error) {
	m.Helper()
	if err != nil {
		m.Fatal(err)
	}
}

func key(id string) conflict.Key {
	return conflict.Key{Collection: "accounts", ID: conflict.DocID(id)}
}

func dot(a vclock.Actor, seq uint64) vclock.Dot { return vclock.Dot{Actor: a, Seq: seq} }

func vector(text string) vclock.Vector {
	v, err := vclock.ParseVector(text)
	if err != nil {
		panic(err) // a test's own literal
	}
	return v
}

// write carries out one local write.
func (m *member) write(w node.Write) vclock.Dot {
	m.Helper()
	q := node.NewWrites([]node.Write{w}, false)
	m.ok(m.Commit(m.Context(), []*node.Request{q}))
	m.ok(q.Outcomes()[0].Err)
	return q.Outcomes()[0].Written.Dot
}

func (m *member) put(id, body string) vclock.Dot {
	m.Helper()
	return m.write(node.Write{Kind: node.Put, Key: key(id), Body: []byte(body)})
}

// puts writes n documents of their own.
func (m *member) puts(prefix string, n int) {
	m.Helper()
	for i := range n {
		m.put(fmt.Sprint(prefix, i), `{}`)
	}
}

// apply carries out what a puller says, as the replicator does.
func (m *member) apply(from string, a *node.Apply, c *wire.Close) error {
	m.Helper()
	q := node.NewApply(*a)
	m.ok(m.Commit(m.Context(), []*node.Request{q}))
	if _, err := q.Applied(); err != nil {
		return err
	}
	if c != nil {
		m.table.Applied(from, c)
	}
	return nil
}

// hold puts rows into a node as loose ones.
func (m *member) hold(rows ...*conflict.Version) {
	m.Helper()
	m.ok(m.apply("x", &node.Apply{Sender: actorX, Versions: rows}, nil))
}

func (m *member) live(id string) conflict.Siblings {
	m.Helper()
	d, err := m.Get(m.Context(), key(id))
	m.ok(err)
	return d.Live
}

func (m *member) verify() node.Verify {
	m.Helper()
	v, err := m.Verify(m.Context())
	m.ok(err)
	return v
}

// equal says whether two nodes have the same, by frontier and digests.
func equal(a, b *member) bool {
	x, y := a.verify(), b.verify()
	return x.Frontier.Equal(y.Frontier) && x.Loose == 0 && y.Loose == 0 && slices.Equal(x.Collections, y.Collections)
}

// row makes a stranger's version.
func row(id string, d vclock.Dot, clock string) *conflict.Version {
	c, err := vclock.ParseContext(clock)
	if err != nil {
		panic(err) // a test's own literal
	}
	v := &conflict.Version{Key: key(id), Dot: d, Time: vclock.At(noon) + vclock.Time(d.Seq), Clock: c, Body: fmt.Appendf(nil, `{"by":%q}`, d)}
	v.Sum = v.ComputeSum()
	return v
}

// stream is both ends of one stream, with the wire's bytes between them.
type stream struct {
	from, to *member
	source   *replica.Source
	puller   *replica.Puller
	now      time.Duration
	frames   int
	rows     []string // the dots that went over it
	broken   bool
}

// connect opens a stream: to pulls from from, in frames of a few rows (0: as many
// as the product sends).
func connect(from, to *member, rows int) *stream {
	to.Helper()
	s := &stream{from: from, to: to}
	s.puller = replica.NewPuller(replica.PullerConfig{
		Cluster: cluster, Self: to.name, From: from.name, Actor: to.Actor(), Store: to.store, Table: to.table,
	})
	req, err := s.puller.Request(to.Context(), from.Actor())
	to.ok(err)
	b, err := wire.Encode(req)
	to.ok(err)
	asked := new(wire.ChangesRequest)
	to.ok(wire.Decode(b, asked))
	to.ok(asked.Check())
	s.source = replica.NewSource(replica.SourceConfig{
		Self: from.name, Actor: from.Actor(), Store: from.store, Table: from.table, Standing: from.Standing,
		Disorder: from.Disorder, Rows: rows,
	}, asked)
	return s
}

// next asks the sender for a frame.
func (s *stream) next() (*wire.Frame, time.Duration) {
	s.to.Helper()
	f, wait, err := s.source.Next(s.from.Context(), s.now)
	s.from.ok(err)
	if f == nil {
		return nil, wait
	}
	var buf bytes.Buffer
	w, err := wire.NewWriter(&buf)
	s.from.ok(err)
	s.from.ok(w.Write(f))
	r, err := wire.NewReader(&buf)
	s.to.ok(err)
	defer r.Close()
	f, err = r.Read()
	s.to.ok(err)
	s.frames++
	for i := range f.Rows {
		s.rows = append(s.rows, fmt.Sprintf("%s:%d", f.Rows[i].Actor, f.Rows[i].Seq))
	}
	return f, 0
}

// deliver hands a frame to the receiver, which applies it.
func (s *stream) deliver(f *wire.Frame) error {
	s.to.Helper()
	a, err := s.puller.Take(f)
	if err != nil {
		return err
	}
	return s.to.apply(s.from.name, a, f.Close)
}

// step carries one frame over, and says whether there was one.
func (s *stream) step() bool {
	s.to.Helper()
	f, _ := s.next()
	if f == nil {
		return false
	}
	s.to.ok(s.deliver(f))
	return true
}

// drain carries frames over until the sender has nothing more to say but that
// it is there.
func (s *stream) drain() {
	s.to.Helper()
	for {
		f, wait := s.next()
		switch {
		case f != nil:
			s.to.ok(s.deliver(f))
		case wait > replica.TransferEvery:
			return
		default:
			s.now += wait
		}
	}
}

// stop ends a stream.
func (s *stream) stop() {
	s.to.Helper()
	s.broken = true
	s.to.ok(s.source.Close())
}

// pull opens a stream, carries over all that there is, and ends it.
func pull(from, to *member) (rows []string) {
	to.Helper()
	s := connect(from, to, 0)
	s.drain()
	s.stop()
	return s.rows
}

// countingStore counts its open snapshots, and breaks them when told to.
type countingStore struct {
	node.Store
	open int
	fail bool
}

func (c *countingStore) View(ctx context.Context) (node.View, error) {
	v, err := c.Store.View(ctx)
	if err != nil {
		return nil, err
	}
	c.open++
	return &countedView{v, c}, nil
}

type countedView struct {
	node.View
	store *countingStore
}

func (v *countedView) Close() error {
	v.store.open--
	return v.View.Close()
}

func (v *countedView) Rows(a vclock.Actor, after uint64, limit, maxBytes int) ([]*conflict.Version, error) {
	if v.store.fail {
		return nil, errDamaged
	}
	return v.View.Rows(a, after, limit, maxBytes)
}

var errDamaged = errors.New("the page is damaged")

// hookedStore runs something in each transaction right before it commits, and
// right after.
type hookedStore struct {
	node.Store
	during, after func()
}

func (h *hookedStore) Update(ctx context.Context, fn func(node.Tx) error) error {
	err := h.Store.Update(ctx, func(tx node.Tx) error {
		err := fn(tx)
		if h.during != nil {
			h.during()
		}
		return err
	})
	if h.after != nil {
		h.after()
	}
	return err
}
