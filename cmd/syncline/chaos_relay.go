package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"
)

const (
	// relayChunk is how much a relay reads at once, in bytes.
	relayChunk = 32 << 10
	// relayQueue is how many chunks are under way in one direction of a
	// connection at most; then the sender waits, as on a full window.
	relayQueue = 128
	// relayDial bounds one connection of a relay.
	relayDial = 5 * time.Second
)

// slowRelay takes connections for one member and hands all that goes over them
// on later, in order. It stands between two members whose link is slow where
// the kernel cannot delay packets by itself.
type slowRelay struct {
	at     netip.AddrPort // where it listens
	target string         // host:port that it connects to
	there  *relayLine     // towards the target
	back   *relayLine

	listener net.Listener
	cancel   context.CancelFunc
	group    sync.WaitGroup
}

// startRelay listens at an address on a free port.
func startRelay(at netip.Addr, target string, there, back time.Duration) (*slowRelay, error) {
	ctx, cancel := context.WithCancel(context.Background())
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", netip.AddrPortFrom(at, 0).String())
	if err != nil {
		cancel()
		return nil, err
	}
	bound, err := netip.ParseAddrPort(ln.Addr().String())
	if err != nil {
		cancel()
		return nil, errors.Join(err, ln.Close())
	}
	r := &slowRelay{at: bound, target: target, there: newRelayLine(there), back: newRelayLine(back), listener: ln, cancel: cancel}
	r.group.Go(func() { r.accept(ctx) })
	return r, nil
}

// close ends the relay and every connection over it.
func (r *slowRelay) close() {
	r.cancel()
	_ = r.listener.Close() // nothing is lost that was not to be lost
	r.group.Wait()
}

func (r *slowRelay) accept(ctx context.Context) {
	for {
		c, err := r.listener.Accept()
		if err != nil {
			return // it was closed
		}
		r.group.Go(func() { r.serve(ctx, c) })
	}
}

// serve hands on one connection in both directions until one end closes it.
func (r *slowRelay) serve(ctx context.Context, c net.Conn) {
	defer c.Close()
	dialer := net.Dialer{Timeout: relayDial}
	t, err := dialer.DialContext(ctx, "tcp", r.target)
	if err != nil {
		return // the caller sees a closed connection, as with a target that is down
	}
	defer t.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		_, _ = c.Close(), t.Close() // so that reads end
	})
	defer stop()
	var both sync.WaitGroup
	both.Go(func() {
		defer cancel()
		r.there.carry(ctx, t, c)
	})
	both.Go(func() {
		defer cancel()
		r.back.carry(ctx, c, t)
	})
	both.Wait()
}

// late is a chunk and when it may go on.
type late struct {
	data []byte
	due  time.Time
}

// relayLine is one direction of a relay. It can be dead for a time, as a link is
// that a packet filter has cut: what is under way waits, and goes on afterwards.
type relayLine struct {
	delay time.Duration

	mu    sync.Mutex
	alive chan struct{} // closed while all passes
}

func newRelayLine(delay time.Duration) *relayLine {
	l := &relayLine{delay: delay, alive: make(chan struct{})}
	close(l.alive)
	return l
}

// set says whether the line is dead from now on.
func (l *relayLine) set(dead bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.alive:
		if dead {
			l.alive = make(chan struct{})
		}
	default:
		if !dead {
			close(l.alive)
		}
	}
}

// wait waits until something is due and the line is alive.
func (l *relayLine) wait(ctx context.Context, due time.Time) error {
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	l.mu.Lock()
	alive := l.alive
	l.mu.Unlock()
	select {
	case <-alive:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// carry copies what is read to w, each piece as much later as the line is long.
func (l *relayLine) carry(ctx context.Context, w io.Writer, from io.Reader) {
	queue := make(chan late, relayQueue)
	var reader sync.WaitGroup
	defer reader.Wait()
	reader.Go(func() {
		defer close(queue)
		for {
			chunk := make([]byte, relayChunk)
			n, err := from.Read(chunk)
			if n > 0 {
				select {
				case queue <- late{chunk[:n], time.Now().Add(l.delay)}:
				case <-ctx.Done():
					return
				}
			}
			if err != nil {
				return
			}
		}
	})
	for one := range queue {
		if l.wait(ctx, one.due) != nil {
			return
		}
		if _, err := w.Write(one.data); err != nil {
			return
		}
	}
}
