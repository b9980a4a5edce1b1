package link

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// DialTimeout bounds every dial, also one whose context has no deadline.
const DialTimeout = 10 * time.Second

// ErrCut is the cause of every refusal by a fault.
var ErrCut = errors.New("cut by a fault")

// Config is what a Link needs. Self and Peers must be set.
type Config struct {
	// Self is this process's own name in the roster.
	Self string
	// Peers returns the names of the roster's members, with or without Self.
	Peers func() []string
	// Now is the clock of faults and figures; nil is time.Now. Timers are
	// those of package time, so a test that moves a clock of its own must move
	// both, as testing/synctest does.
	Now func() time.Time
	// Random returns a number in [0, 1) for loss; nil is math/rand/v2. It is
	// called from many goroutines.
	Random func() float64
	// Dialer opens connections; nil is a net.Dialer.
	Dialer func(ctx context.Context, network, addr string) (net.Conn, error)
	// Report is told when faults begin and end, never under a lock; nil is
	// nobody.
	Report func(Change)
}

// Change says that a fault began or ended.
type Change struct {
	Fault Fault
	State State
}

// State is what happened to a fault.
type State string

// The states of a fault.
const (
	Begun   State = "begun"
	Healed  State = "healed"  // taken away before its end
	Expired State = "expired" // ended by itself
)

// Link is one process's view of the network. Its methods are safe for use by
// many goroutines.
type Link struct {
	cfg   Config
	begun time.Time

	mu      sync.Mutex
	closed  bool
	peers   map[string]*peerState
	unnamed map[*conn]struct{} // accepted, the peer not yet known
	faults  []*running         // in order of their start
	nextID  int
	timer   *time.Timer   // fires at the next change of any fault; nil without faults
	changed chan struct{} // closed, and made anew, at each change of the faults
	group   sync.WaitGroup
}

// New makes a Link. Close ends it.
func New(cfg Config) (*Link, error) {
	if cfg.Self == "" || cfg.Peers == nil {
		return nil, errors.New("link: Config.Self and Config.Peers must be set")
	}
	cfg.setDefaults()
	return &Link{
		cfg:     cfg,
		begun:   cfg.Now(),
		peers:   map[string]*peerState{},
		unnamed: map[*conn]struct{}{},
		changed: make(chan struct{}),
	}, nil
}

// Dial opens a connection to a peer. While the link is cut both ways it fails
// at once with ErrCut; while it is cut one way it waits, as a lost handshake
// would, for the end of the fault or of ctx, at most DialTimeout.
func (l *Link) Dial(ctx context.Context, peer, network, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, DialTimeout)
	defer cancel()
	c, err := l.dial(ctx, peer, network, addr)
	if err != nil {
		err = fmt.Errorf("dial %s at %s: %w", peer, addr, err)
		l.dialFailed(peer, err)
		return nil, err
	}
	return c, nil
}

func (l *Link) dial(ctx context.Context, peer, network, addr string) (net.Conn, error) {
	if err := l.passage(ctx, peer); err != nil {
		return nil, err
	}
	inner, err := l.cfg.Dialer(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	c := newConn(l, inner)
	if err := c.SetPeer(peer); err != nil {
		return nil, err // SetPeer closed it
	}
	return c, nil
}

// passage waits until a dial to the peer could complete, and as long as the
// fault delays its first packet.
func (l *Link) passage(ctx context.Context, peer string) error {
	for {
		l.mu.Lock()
		if l.closed {
			l.mu.Unlock()
			return net.ErrClosed
		}
		eff, changed := l.peerLocked(peer).effect.Load(), l.changed
		l.mu.Unlock()
		switch {
		case eff.cut():
			return fmt.Errorf("%w (%s)", ErrCut, eff.causes)
		case !eff.cutOut && !eff.cutIn:
			return wait(ctx, l.latency(eff))
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("no answer, %w one way (%s): %w", ErrCut, eff.causes, ctx.Err())
		}
	}
}

// setDefaults fills in what the caller left out.
func (cfg *Config) setDefaults() {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Random == nil {
		cfg.Random = rand.Float64
	}
	if cfg.Dialer == nil {
		cfg.Dialer = (&net.Dialer{}).DialContext
	}
	if cfg.Report == nil {
		cfg.Report = func(Change) {}
	}
}

// wait lets d pass.
func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Wrap returns a listener whose connections belong to the link. Each of them
// has a method SetPeer(name string) error, to be called once the other end has
// proved its name.
func (l *Link) Wrap(inner net.Listener) net.Listener { return &listener{Listener: inner, link: l} }

type listener struct {
	net.Listener
	link *Link
}

// Accept implements net.Listener.
func (ln *listener) Accept() (net.Conn, error) {
	inner, err := ln.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := newConn(ln.link, inner)
	if err := ln.link.admit(c); err != nil {
		c.sever()
		return nil, err
	}
	return c, nil
}

// admit registers an accepted connection whose peer is not known yet.
func (l *Link) admit(c *conn) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return net.ErrClosed
	}
	l.unnamed[c] = struct{}{}
	return nil
}

// assign makes a connection one of the peer's.
func (l *Link) assign(c *conn, peer string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return net.ErrClosed
	}
	if p := c.peer.Load(); p != nil && p.name != peer {
		return fmt.Errorf("the connection is already with %s, so it cannot be with %s", p.name, peer)
	}
	if isClosed(c.gone) {
		return net.ErrClosed
	}
	p := l.peerLocked(peer)
	if eff := p.effect.Load(); eff.cut() {
		return fmt.Errorf("%w (%s)", ErrCut, eff.causes)
	}
	delete(l.unnamed, c)
	p.conns[c] = struct{}{}
	c.peer.Store(p)
	return nil
}

// drop forgets a connection that has ended, and keeps what it counted.
func (l *Link) drop(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.unnamed, c)
	if p := c.peer.Load(); p != nil {
		if _, ok := p.conns[c]; ok {
			delete(p.conns, c)
			p.count.add(&c.count)
		}
	}
}

// spawn starts a goroutine that Close waits for, unless the link is closed.
func (l *Link) spawn(f func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.group.Go(f)
	return true
}

// Close severs every connection, ends every fault and waits for the link's
// goroutines. Listeners and packet sockets stay with who made them.
func (l *Link) Close() error {
	l.mu.Lock()
	l.closed = true
	l.faults = nil
	if l.timer != nil {
		l.timer.Stop()
	}
	var open []*conn
	for c := range l.unnamed {
		open = append(open, c)
	}
	for _, p := range l.peers {
		for c := range p.conns {
			open = append(open, c)
		}
	}
	close(l.changed)
	l.changed = make(chan struct{})
	l.mu.Unlock()
	for _, c := range open {
		c.sever()
	}
	l.group.Wait()
	return nil
}
