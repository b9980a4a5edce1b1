package link

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"sync"
	"time"
)

// Limits of delayed connections.
const (
	// QueueBytes is how much of one connection may be under way in a delay.
	QueueBytes = 4 << 20
	// chunkBytes is the largest piece that is delayed, and lost, as one.
	chunkBytes = 64 << 10
	// RetransmitTimeout is how long a lost write takes until it is sent again.
	// Each further loss doubles it.
	RetransmitTimeout = 200 * time.Millisecond
	// MaxRetransmits bounds the losses of one write: at 6 it is 12.6 s late.
	MaxRetransmits = 6
	// lingerTime is how long a closed connection goes on sending what was
	// delayed, once it is due.
	lingerTime = 30 * time.Second
)

// queue holds what a connection wrote until it is due. A goroutine drains it
// while there is something in it, and no longer.
type queue struct {
	mu       sync.Mutex
	pieces   []piece
	bytes    int
	last     time.Time     // when all pieces so far are due
	draining bool          // a goroutine is at work, and later writes queue up behind
	closing  bool          // the connection ends when the queue is empty
	deadline time.Time     // of direct writes; the drain has none
	err      error         // of the drain, for the next Write
	room     chan struct{} // signalled when pieces have left
}

type piece struct {
	due  time.Time
	data []byte
}

func (q *queue) busy() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.draining || q.err != nil
}

// latency draws how late a write under this effect arrives.
func (l *Link) latency(eff *effect) time.Duration {
	late, rto := eff.delay, RetransmitTimeout
	for range MaxRetransmits {
		if eff.loss == 0 || l.cfg.Random() >= eff.loss {
			break
		}
		late += rto
		rto *= 2
	}
	return late
}

// enqueue puts b at the end of the queue, in pieces, and waits for room where
// it must.
func (c *conn) enqueue(b []byte) (int, error) {
	done := 0
	for done < len(b) {
		data := b[done:min(len(b), done+chunkBytes)]
		if err := c.enqueuePiece(data); err != nil {
			return done, err
		}
		done += len(data)
	}
	return done, nil
}

func (c *conn) enqueuePiece(data []byte) error {
	for {
		ok, until, err := c.queue.push(c, data)
		if ok || err != nil {
			return err
		}
		if err := c.waitForRoom(until); err != nil {
			return err
		}
	}
}

// waitForRoom returns when there may be room, or when the deadline of writes
// was moved.
func (c *conn) waitForRoom(until time.Time) error {
	var late <-chan time.Time
	if !until.IsZero() {
		t := time.NewTimer(until.Sub(c.link.cfg.Now()))
		defer t.Stop()
		late = t.C
	}
	select {
	case <-c.queue.room:
		return nil
	case <-late:
		return fmt.Errorf("write under a delay: %w", os.ErrDeadlineExceeded)
	case <-c.shut:
		return c.closedError("write")
	}
}

// push takes a copy of data, or says that there is no room and until when its
// writer may wait for some.
func (q *queue) push(c *conn, data []byte) (ok bool, until time.Time, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.err != nil:
		return false, until, q.err
	case q.closing:
		return false, until, net.ErrClosed
	case q.bytes+len(data) > QueueBytes:
		return false, q.deadline, nil
	}
	due := c.link.cfg.Now().Add(c.link.latency(c.effect()))
	if due.After(q.last) {
		q.last = due
	}
	q.pieces = append(q.pieces, piece{due: due, data: bytes.Clone(data)})
	q.bytes += len(data)
	if q.draining {
		return true, until, nil
	}
	if err := c.Conn.SetWriteDeadline(time.Time{}); err != nil {
		return false, until, err
	}
	if q.draining = c.link.spawn(c.drain); !q.draining {
		return false, until, net.ErrClosed
	}
	return true, until, nil
}

// drain writes each piece when it is due, until the queue is empty.
func (c *conn) drain() {
	for {
		p, ok := c.queue.next(c)
		if !ok {
			return
		}
		if !c.waitUntil(p.due) {
			c.queue.fail(net.ErrClosed)
			return
		}
		if eff := c.effect(); eff.cutOut {
			c.discard(eff, len(p.data))
		} else if n, err := c.Conn.Write(p.data); err != nil {
			c.count.out.Add(uint64(n))
			c.queue.fail(err)
			c.sever()
			return
		} else {
			c.count.out.Add(uint64(n))
		}
		c.queue.left(len(p.data))
	}
}

// next returns the oldest piece. When there is none the drain is over.
func (q *queue) next(c *conn) (piece, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.pieces) > 0 {
		return q.pieces[0], true
	}
	q.pieces, q.draining = nil, false
	if q.closing {
		q.err = net.ErrClosed
		_ = c.end() // Close has returned: nobody is left to tell
		return piece{}, false
	}
	q.err = c.Conn.SetWriteDeadline(q.deadline)
	return piece{}, false
}

// left says that the oldest piece has left.
func (q *queue) left(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.pieces[0].data = nil
	q.pieces = q.pieces[1:]
	q.bytes -= n
	q.signal()
}

func (q *queue) fail(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.pieces, q.bytes, q.draining, q.err = nil, 0, false, err
	q.signal()
}

func (q *queue) signal() {
	select {
	case q.room <- struct{}{}:
	default:
	}
}

// linger asks for the connection to end when the queue is empty, and says
// whether there is anything to wait for.
func (q *queue) linger(c *conn) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.draining {
		return false
	}
	q.closing = true
	limit := q.last.Add(lingerTime)
	return c.Conn.SetWriteDeadline(limit) == nil
}

func (q *queue) setDeadline(c *conn, t time.Time) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.deadline = t
	q.signal() // a writer that waits looks at the new deadline
	if q.draining {
		return nil
	}
	return c.Conn.SetWriteDeadline(t)
}

// waitUntil waits for a moment, and says whether the connection still is.
func (c *conn) waitUntil(due time.Time) bool {
	for {
		left := due.Sub(c.link.cfg.Now())
		if left <= 0 {
			return !isClosed(c.gone)
		}
		t := time.NewTimer(left)
		select {
		case <-t.C:
		case <-c.gone:
			t.Stop()
			return false
		}
	}
}
