package stream

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener whose connections have no buffer, so that a reader that
// does not read is noticed with the first byte.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// hall is a server of one feed.
type hall struct {
	t     *testing.T
	log   *Log
	ends  chan error // of streams
	stop  context.CancelFunc
	pipes *pipes
	state atomic.Value // a string: the whole present state
}

func newHall(t *testing.T, format Format) *hall {
	t.Helper()
	h := &hall{
		t: t, log: NewLog(Config{Life: "x"}), ends: make(chan error, 8),
		pipes: &pipes{make(chan net.Conn), make(chan struct{})},
	}
	h.state.Store("s")
	stop, cancel := context.WithCancel(context.Background())
	h.stop = cancel
	feed := &Feed{Log: h.log, Stop: stop, State: func(context.Context) (any, error) { return h.state.Load(), nil }}
	server := &http.Server{
		ReadHeaderTimeout: time.Second, ReadTimeout: time.Second, WriteTimeout: time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			out, err := Begin(w, format)
			if err == nil {
				err = feed.Serve(r.Context(), out, LastID(r))
			}
			h.ends <- err
		}),
	}
	served := make(chan error)
	go func() { served <- server.Serve(h.pipes) }()
	t.Cleanup(func() {
		cancel()
		_ = server.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return h
}

// reader is a client that reads line by line.
type reader struct {
	t     *testing.T
	conn  net.Conn
	lines *bufio.Reader
}

// open asks for the stream, and reads the head of the answer.
func (h *hall) open(last string) *reader {
	h.t.Helper()
	near, far := net.Pipe()
	h.pipes.conns <- far
	request := "GET / HTTP/1.1\r\nHost: x\r\n"
	if last != "" {
		request += "Last-Event-ID: " + last + "\r\n"
	}
	if _, err := io.WriteString(near, request+"\r\n"); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = near.Close() })
	response, err := http.ReadResponse(bufio.NewReader(near), nil) //nolint:bodyclose // the connection is closed
	if err != nil || response.StatusCode != http.StatusOK {
		h.t.Fatalf("%v, %v", response, err)
	}
	return &reader{h.t, near, bufio.NewReader(response.Body)}
}

// next reads up to the next line that has one of the prefixes.
func (r *reader) next(prefixes ...string) string {
	r.t.Helper()
	for {
		line, err := r.lines.ReadString('\n')
		if err != nil {
			r.t.Fatalf("waiting for %q: %v", prefixes, err)
		}
		for _, p := range prefixes {
			if strings.HasPrefix(line, p) {
				return strings.TrimSuffix(line, "\n")
			}
		}
	}
}

// "A first event state …, then deltas"; "a comment every 15 s"; the server's
// deadlines for requests that end do not end a stream; the last event tells of
// the drain.
func TestServe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, SSE)
		r := h.open("")
		if got := r.next("id:"); got != "id: x-0" {
			t.Error(got)
		}
		if got := r.next("event:"); got != "event: state" {
			t.Error(got)
		}
		if got := r.next("data:"); !strings.Contains(got, `"data":"s"`) || !strings.Contains(got, `"id":"x-0"`) {
			t.Error(got)
		}
		begun := time.Now()
		for i := range 10 { // much longer than the server's deadlines
			if got := r.next("id", "event", "data", ":"); got != ": " || time.Since(begun) != time.Duration(i+1)*BeatEvery {
				t.Errorf("%q after %s", got, time.Since(begun))
			}
		}
		h.log.Add("write", 1)
		if got := r.next("id:", ":"); got != "id: x-1" {
			t.Error(got)
		}
		h.stop()
		if got := r.next("event: end", ":"); got != "event: end" {
			t.Error(got)
		}
		if got := r.next("data:"); !strings.Contains(got, `{"end":"draining"`) {
			t.Error(got)
		}
		if err := <-h.ends; err != nil {
			t.Error(err)
		}
	})
}

// "Last-Event-ID resumes"; "with an event gap when it was too old (then a fresh
// state)".
func TestResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, NDJSON)
		for i := range 3 {
			h.log.Add("write", i)
		}
		r := h.open("x-1")
		for _, want := range []string{`"data":1`, `"data":2`} {
			if got := r.next("{"); !strings.Contains(got, want) {
				t.Errorf("%s, want %s", got, want)
			}
		}
		h.log.Add("write", 3)
		if got := r.next("{"); !strings.Contains(got, `"data":3`) {
			t.Error(got)
		}
		if got := r.next("{"); !strings.Contains(got, `"event":"alive"`) {
			t.Error(got)
		}
		for _, foreign := range []string{"y-1", "x-77"} {
			r = h.open(foreign)
			if got := r.next("{"); !strings.Contains(got, `"event":"gap"`) {
				t.Errorf("behind %s: %s", foreign, got)
			}
			if got := r.next("{"); !strings.Contains(got, `"event":"state"`) || !strings.Contains(got, `"id":"x-4"`) {
				t.Errorf("behind %s: %s", foreign, got)
			}
		}
	})
}

// "a reader that does not read is dropped, and nobody else notices".
func TestSilentReaderIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, NDJSON)
		h.open("") // and reads no further
		good := h.open("")
		good.next("{")
		begun := time.Now()
		for i := range 3 * RingSize { // more than any buffer between them takes
			h.log.Add("write", i)
			if got := good.next("{"); !strings.Contains(got, `"event":"write"`) || time.Since(begun) != 0 {
				t.Fatalf("the good reader waited %s for %s", time.Since(begun), got)
			}
		}
		if err := <-h.ends; err == nil || time.Since(begun) != WriteTimeout {
			t.Errorf("dropped after %s: %v", time.Since(begun), err)
		}
		h.log.Add("write", "still there")
		if got := good.next("{"); !strings.Contains(got, "still there") {
			t.Error(got)
		}
		select {
		case err := <-h.ends:
			t.Errorf("the good reader was dropped: %v", err)
		default:
		}
	})
}

// A reader that comes back to life after the ring has passed it by is told so,
// and gets the whole state.
func TestSlowReaderGetsTheState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, NDJSON)
		r := h.open("")
		for i := range 2 * RingSize {
			h.log.Add("write", i)
		}
		h.state.Store("fresh")
		r.next("{")
		for {
			got := r.next("{")
			if strings.Contains(got, `"event":"gap"`) {
				break
			}
		}
		if got := r.next("{"); !strings.Contains(got, `"data":"fresh"`) {
			t.Error(got)
		}
	})
}
