package rest

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"
)

const (
	// maxResults is how many bytes of results wait for a client that does not
	// read while it sends. It is more than the results of a whole request
	// usually have, since many clients do not read before they have sent all.
	maxResults = 16 << 20
	// writeStall is how long one write to a client may take, and how long a
	// full buffer waits for it.
	writeStall = 30 * time.Second
)

var errNotRead = errors.New("the client does not read its results")

// resultSink sends results while the request's body is still being read. A
// goroutine of its own writes, so that a client that does not read holds up
// nothing until maxResults wait for it.
type resultSink struct {
	w  http.ResponseWriter
	rc *http.ResponseController

	mu     sync.Mutex
	buffer []byte
	closed bool

	more chan struct{} // one token: there is something to write, or the end
	room chan struct{} // one token: the buffer was emptied
	done chan struct{} // closed when the writer has ended; nil until it starts
	err  error         // of the writer, once done is closed
}

func newResultSink(w http.ResponseWriter, rc *http.ResponseController) *resultSink {
	return &resultSink{
		w: w, rc: rc,
		more: make(chan struct{}, 1), room: make(chan struct{}, 1),
	}
}

// started says whether anything was handed over; from then on the status is
// 200.
func (s *resultSink) started() bool { return s.done != nil }

// append hands results over. It copies them, waits only while the buffer is
// full, and fails when the client is gone or does not read.
func (s *resultSink) append(ctx context.Context, b []byte) error {
	if s.done == nil {
		s.done = make(chan struct{})
		go s.run()
	}
	var timeout <-chan time.Time
	for {
		s.mu.Lock()
		fits := len(s.buffer) == 0 || len(s.buffer)+len(b) <= maxResults
		if fits {
			s.buffer = append(s.buffer, b...)
		}
		s.mu.Unlock()
		if fits {
			signal(s.more)
			return nil
		}
		if timeout == nil {
			t := time.NewTimer(writeStall)
			defer t.Stop()
			timeout = t.C
		}
		select {
		case <-s.room:
		case <-s.done:
			return errors.Join(errNotRead, s.err)
		case <-timeout:
			return errNotRead
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// finish waits until all is written. It may be called twice.
func (s *resultSink) finish() error {
	if s.done == nil {
		return nil
	}
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	signal(s.more)
	<-s.done
	return s.err
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// run writes until finish, or until a write fails; a write that takes longer
// than writeStall does.
func (s *resultSink) run() {
	defer close(s.done)
	for range s.more {
		s.mu.Lock()
		b, closed := s.buffer, s.closed
		s.buffer = nil
		s.mu.Unlock()
		signal(s.room)
		if s.err = s.write(b); s.err != nil || closed {
			return
		}
	}
}

func (s *resultSink) write(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	// A writer without a connection (a test's) has no deadline to set.
	_ = s.rc.SetWriteDeadline(time.Now().Add(writeStall))
	if _, err := s.w.Write(b); err != nil {
		return err
	}
	return s.rc.Flush()
}
