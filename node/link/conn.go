package link

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// conn is a connection to a peer with what the faults do to it.
type conn struct {
	net.Conn
	link  *Link
	peer  atomic.Pointer[peerState] // nil until SetPeer
	count tally
	hole  atomic.Bool   // bytes of the stream were discarded
	shut  chan struct{} // closed by Close: no more reads and writes
	gone  chan struct{} // closed when the connection has ended
	queue queue

	closing, ending sync.Once
	writing         sync.Mutex // held by one Write at a time, so that order is kept
}

func newConn(l *Link, inner net.Conn) *conn {
	c := &conn{Conn: inner, link: l, shut: make(chan struct{}), gone: make(chan struct{})}
	c.queue.room = make(chan struct{}, 1)
	return c
}

// untouched is the effect on a connection whose peer is not known.
var untouched = &effect{}

// effect is what the faults do to this connection now.
func (c *conn) effect() *effect {
	if p := c.peer.Load(); p != nil {
		return p.effect.Load()
	}
	return untouched
}

// SetPeer says which peer is at the other end: a name that it has proved, or
// at least one of the roster. Where the link to that peer is cut, the
// connection is closed and the error is ErrCut.
func (c *conn) SetPeer(name string) error {
	if err := c.link.assign(c, name); err != nil {
		c.sever()
		return fmt.Errorf("connection with %s: %w", name, err)
	}
	return nil
}

// Read implements net.Conn.
func (c *conn) Read(b []byte) (int, error) {
	for {
		n, err := c.Conn.Read(b)
		if isClosed(c.shut) {
			return 0, c.closedError("read")
		}
		if eff := c.effect(); n > 0 && eff.cutIn {
			c.discard(eff, n)
			n = 0
			if err == nil {
				continue
			}
		}
		if n > 0 {
			c.count.in.Add(uint64(n))
			c.count.heard.Store(c.link.cfg.Now().UnixNano())
		}
		return n, err
	}
}

// Write implements net.Conn. It may return before the bytes are on the wire,
// as every Write does; a later one then returns the error, if there is one.
func (c *conn) Write(b []byte) (int, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	if isClosed(c.shut) {
		return 0, c.closedError("write")
	}
	if eff := c.effect(); eff.cutOut {
		c.discard(eff, len(b))
		return len(b), nil
	} else if eff.slow() || c.queue.busy() {
		return c.enqueue(b)
	}
	n, err := c.Conn.Write(b)
	c.count.out.Add(uint64(n))
	return n, err
}

// discard notes that n bytes of the stream are lost. Had the cut ended between
// the look at the faults and this note, applyLocked would have missed the hole:
// so look again, after the note.
func (c *conn) discard(eff *effect, n int) {
	c.count.lost.Add(uint64(n))
	c.hole.Store(true)
	if !c.effect().sameCut(eff) {
		c.sever()
	}
}

// Close implements net.Conn. What was written under a delay still goes out,
// for as long as lingerTime.
func (c *conn) Close() error {
	err := net.ErrClosed
	c.closing.Do(func() {
		close(c.shut)
		err = nil
		if c.queue.linger(c) {
			// Wake a reader; what it reads now is nobody's.
			err = c.Conn.SetReadDeadline(time.Unix(1, 0))
			return
		}
		err = c.end()
	})
	return err
}

// sever ends the connection at once.
func (c *conn) sever() {
	c.closing.Do(func() { close(c.shut) })
	_ = c.end() // nobody waits for this error: the connection is over
}

func (c *conn) end() error {
	var err error
	c.ending.Do(func() {
		close(c.gone)
		err = c.Conn.Close()
		c.link.drop(c)
	})
	return err
}

// closedError tells a connection that a fault severed from one closed here.
func (c *conn) closedError(op string) error {
	cause := net.ErrClosed
	if c.effect().cut() {
		cause = fmt.Errorf("%w: %w", ErrCut, net.ErrClosed)
	}
	return &net.OpError{Op: op, Net: c.LocalAddr().Network(), Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: cause}
}

// SetDeadline implements net.Conn.
func (c *conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline implements net.Conn.
func (c *conn) SetReadDeadline(t time.Time) error {
	if isClosed(c.shut) {
		return net.ErrClosed
	}
	return c.Conn.SetReadDeadline(t)
}

// SetWriteDeadline implements net.Conn. It bounds how long a Write blocks, not
// how long a delay keeps what was written.
func (c *conn) SetWriteDeadline(t time.Time) error {
	if isClosed(c.shut) {
		return net.ErrClosed
	}
	return c.queue.setDeadline(c, t)
}

func isClosed(ch chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}
