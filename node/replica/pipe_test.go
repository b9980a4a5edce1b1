package replica_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/replica"
	"github.com/syncline/syncline/node/wire"
)

// network joins replicators by pipes in memory. It can be cut, and made to hang.
type network struct {
	t     *testing.T
	began time.Time

	mu     sync.Mutex
	peers  map[string]*peer
	cut    map[[2]string]bool
	calls  map[[2]string]int // streams asked for
	frames map[[2]string]int // that went over: from, to
	pipes  map[*pipe]bool
	hangs  bool // opening a stream gets no answer
}

// peer is one node with its loops running.
type peer struct {
	*member
	*replica.Replicator
	stop   func() error
	events []replica.Event
}

var errCut = errors.New("the link is cut")

func newNetwork(t *testing.T) *network {
	return &network{
		t: t, began: time.Now(), peers: map[string]*peer{}, cut: map[[2]string]bool{}, calls: map[[2]string]int{},
		frames: map[[2]string]int{}, pipes: map[*pipe]bool{},
	}
}

// start runs nodes of one roster until the test ends.
func (n *network) start(alter func(*node.Config), names ...string) []*peer {
	var out []*peer
	for _, name := range names {
		m := newMember(n.t, name, func(c *node.Config) {
			c.Others, c.Found = slices.DeleteFunc(slices.Clone(names), func(o string) bool { return o == name }), false
			if alter != nil {
				alter(c)
			}
		})
		out = append(out, n.add(m))
	}
	for _, p := range out {
		p.run()
	}
	n.t.Cleanup(func() {
		n.each(func(*pipe) bool { return true }, (*pipe).sever)
		for _, name := range names {
			_ = n.peers[name].stop() // what it said is of interest to those who ask
		}
	})
	return out
}

// add makes a process of a member.
func (n *network) add(m *member) *peer {
	p := &peer{member: m}
	p.Replicator = replica.New(replica.Config{
		Cluster: cluster, Self: m.name, Others: m.cfg.Others, Engine: p.Engine, Store: m.store, Caller: &caller{n, m.name},
		Now:   func() time.Duration { return time.Since(n.began) },
		Hello: p.hello,
		Events: func(e replica.Event) {
			n.mu.Lock()
			defer n.mu.Unlock()
			p.events = append(p.events, e)
		},
	})
	n.mu.Lock()
	defer n.mu.Unlock()
	n.peers[m.name] = p
	return p
}

// restart kills a process and starts the next one, over what the disk kept.
func (n *network) restart(p *peer, lose int) *peer {
	n.each(func(s *pipe) bool { return s.from == p.name || s.to == p.name }, (*pipe).sever)
	_ = p.stop() // it was killed
	p.member.reopen(lose)
	next := n.add(p.member)
	next.run()
	return next
}

func (p *peer) hello() wire.Hello {
	return wire.Hello{
		Version: wire.Version, Cluster: cluster, Name: p.name, Role: wire.RoleData,
		Standing: wire.Standing(p.Standing()), Actor: p.Actor(), Frontier: p.Frontier(),
	}
}

// run starts the writer and the pull loops; stop ends both.
func (p *peer) run() {
	ctx, cancel := context.WithCancel(context.Background())
	engine, loops := make(chan error, 1), make(chan error, 1)
	go func() { engine <- p.Engine.Run(ctx) }()
	go func() { loops <- p.Replicator.Run(ctx) }()
	p.stop = sync.OnceValue(func() error {
		cancel()
		return errors.Join(<-loops, <-engine)
	})
}

func (p *peer) write(id, body string) {
	p.Helper()
	_, err := p.Write(p.Context(), node.Write{Key: key(id), Body: []byte(body)})
	p.ok(err)
}

// alarms counts the events that an operator has to look at.
func (n *network) alarms(p *peer) (alarms, all int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, e := range p.events {
		if e.Alarm {
			alarms++
		}
	}
	return alarms, len(p.events)
}

// sever cuts the link between a and b or heals it: open streams die, new ones
// fail.
func (n *network) sever(cut bool) {
	n.mu.Lock()
	n.cut[[2]string{"a", "b"}], n.cut[[2]string{"b", "a"}] = cut, cut
	n.mu.Unlock()
	if cut {
		n.each(func(p *pipe) bool { return p.from+p.to == "ab" || p.from+p.to == "ba" }, (*pipe).sever)
	}
}

// each does something with the open pipes that are meant.
func (n *network) each(meant func(*pipe) bool, do func(*pipe)) {
	n.mu.Lock()
	var list []*pipe
	for p := range n.pipes {
		if meant(p) {
			list = append(list, p)
		}
	}
	n.mu.Unlock()
	for _, p := range list {
		do(p)
	}
}

func (n *network) count(m map[[2]string]int, from, to string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return m[[2]string{from, to}]
}

// caller is one node's way into the network.
type caller struct {
	n    *network
	self string
}

func (c *caller) reach(peer string) (*peer, error) {
	c.n.mu.Lock()
	defer c.n.mu.Unlock()
	if c.n.cut[[2]string{c.self, peer}] {
		return nil, errCut
	}
	return c.n.peers[peer], nil
}

// Call answers hello.
func (c *caller) Call(_ context.Context, peer, path string, body []byte, _ int) ([]byte, error) {
	p, err := c.reach(peer)
	if err != nil {
		return nil, err
	}
	h := new(wire.Hello)
	if err := errors.Join(wire.Decode(body, h), h.Check()); err != nil || path != replica.PathHello {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	mine := p.hello()
	return wire.Encode(&mine)
}

// Stream lets the peer serve one request over a pipe.
func (c *caller) Stream(ctx context.Context, name, path string, body []byte) (io.ReadCloser, error) {
	p, err := c.reach(name)
	c.n.mu.Lock()
	c.n.calls[[2]string{c.self, name}]++
	hangs := c.n.hangs
	c.n.mu.Unlock()
	if err != nil || path != replica.PathChanges {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if hangs {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+name+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r, w := io.Pipe()
	serving, end := context.WithCancel(context.Background())
	out := &pipe{n: c.n, from: name, to: c.self, PipeReader: r, w: w, end: end, status: make(chan int, 1)}
	c.n.mu.Lock()
	c.n.pipes[out] = true
	c.n.mu.Unlock()
	go func() {
		p.ServeChanges(serving, c.self, &answer{pipe: out, header: http.Header{}}, req)
		out.sever()
	}()
	if status := <-out.status; status != http.StatusOK {
		text, _ := io.ReadAll(r) // the refusal's words
		return nil, fmt.Errorf("status %d: %s", status, text)
	}
	return out, nil
}

// pipe is one open stream.
type pipe struct {
	*io.PipeReader
	n        *network
	from, to string
	w        *io.PipeWriter
	end      context.CancelFunc
	status   chan int

	mu     sync.Mutex
	silent bool // what is written vanishes
	spoil  bool // the next frame is damaged on its way
}

// Close is the receiver's: the server hears of it by its context.
func (p *pipe) Close() error {
	p.end()
	return p.PipeReader.Close()
}

// sever ends the stream at both ends.
func (p *pipe) sever() {
	p.n.mu.Lock()
	delete(p.n.pipes, p)
	p.n.mu.Unlock()
	p.end()
	_ = p.w.CloseWithError(errCut) // it never fails
}

func (p *pipe) mute() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.silent = true
}

func (p *pipe) damage() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spoil = true
}

// answer is the server's side of a pipe.
type answer struct {
	*pipe
	header  http.Header
	started bool
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) { a.started = true; a.status <- status }

func (a *answer) Write(b []byte) (int, error) {
	a.n.mu.Lock()
	a.n.frames[[2]string{a.from, a.to}]++
	a.n.mu.Unlock()
	a.mu.Lock()
	silent, spoil := a.silent, a.spoil
	a.spoil = false
	a.mu.Unlock()
	if silent {
		return len(b), nil
	}
	if spoil {
		b = bytes.Clone(b)
		b[len(b)/2] ^= 0x10
	}
	return a.w.Write(b)
}

func (a *answer) Flush() {}

func (a *answer) SetWriteDeadline(time.Time) error { return nil }
