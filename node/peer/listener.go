package peer

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// Limits of accepting.
const (
	// handshakeTimeout bounds a handshake that a peer began.
	handshakeTimeout = 5 * time.Second
	// maxHandshakes is how many connections may be in the handshake at once.
	// Members hold a handful; more are strangers.
	maxHandshakes = 512
	// acceptPause is the wait after a failed Accept (out of file descriptors).
	acceptPause = 100 * time.Millisecond
)

// proved is a connection whose other end has proved who it is. It hides that
// it is TLS from http.Server, which then speaks HTTP/1.1 on it and no more.
type proved struct {
	*tls.Conn
	id     Identity
	wanted string // the name that the caller wants to reach; empty: it did not say
}

// named is what a connection of the link layer can be told.
type named interface{ SetPeer(name string) error }

// shaker is a listener that hands on only connections that have proved
// themselves. A slow handshake holds up nobody else.
type shaker struct {
	net.Listener
	server *Server
	slots  chan struct{}
	ready  chan net.Conn
	failed chan error
	done   chan struct{}
	once   sync.Once
	group  sync.WaitGroup
}

func newShaker(s *Server, ln net.Listener) *shaker {
	return &shaker{
		Listener: ln,
		server:   s,
		slots:    make(chan struct{}, maxHandshakes),
		ready:    make(chan net.Conn),
		failed:   make(chan error, 1),
		done:     make(chan struct{}),
	}
}

// Accept implements net.Listener.
func (sh *shaker) Accept() (net.Conn, error) {
	select {
	case c := <-sh.ready:
		return c, nil
	case err := <-sh.failed:
		return nil, err
	case <-sh.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (sh *shaker) Close() error {
	err := error(nil)
	sh.once.Do(func() {
		close(sh.done)
		err = sh.Listener.Close()
	})
	return err
}

// run accepts until the listener is closed, then waits for the handshakes.
func (sh *shaker) run(ctx context.Context) {
	defer sh.group.Wait()
	for {
		raw, err := sh.Listener.Accept()
		if err == nil {
			sh.begin(ctx, raw)
			continue
		}
		if errors.Is(err, net.ErrClosed) {
			sh.failed <- err
			return
		}
		select {
		case <-time.After(acceptPause):
		case <-sh.done:
			return
		}
	}
}

func (sh *shaker) begin(ctx context.Context, raw net.Conn) {
	select {
	case sh.slots <- struct{}{}:
	default:
		sh.server.refused(raw, "", &RefusedError{Reason: TooMany, Detail: fmt.Sprintf("%d handshakes are under way", maxHandshakes)})
		_ = raw.Close()
		return
	}
	sh.group.Go(func() {
		defer func() { <-sh.slots }()
		c, err := sh.handshake(ctx, raw)
		if err != nil {
			_ = raw.Close() // refused or cut: reported where it was decided
			return
		}
		select {
		case sh.ready <- c:
		case <-sh.done:
			_ = c.Close()
		}
	})
}

// handshake proves the other end. One that proved an identity which this
// process does not accept is handed on all the same: it is answered with the
// reason, and nothing else.
func (sh *shaker) handshake(ctx context.Context, raw net.Conn) (*proved, error) {
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	s := sh.server
	c := tls.Server(raw, s.tls)
	if err := c.HandshakeContext(ctx); err != nil {
		refusal, ok := errors.AsType[*RefusedError](err)
		if !ok {
			refusal = &RefusedError{Reason: NoHandshake, Detail: err.Error()}
		}
		if !errors.Is(err, net.ErrClosed) {
			s.refused(raw, "", refusal)
		}
		return nil, err
	}
	state := c.ConnectionState()
	id, err := s.cfg.Credentials.identify(state, x509.ExtKeyUsageClientAuth)
	if err != nil {
		return nil, err // the handshake checked the same: not reached
	}
	p := &proved{Conn: c, id: id, wanted: state.ServerName}
	if refusal := s.judge(p); refusal != nil {
		s.refused(raw, id.Name, refusal)
		return p, nil
	}
	if n, ok := raw.(named); ok {
		if err := n.SetPeer(id.Name); err != nil {
			return nil, err
		}
	}
	return p, nil
}
