package rest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// serve runs the server on a free port until the test ends.
func (s *stand) serve() (address string) {
	s.t.Helper()
	l, err := new(net.ListenConfig).Listen(s.t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.server.Serve(ctx, l) }()
	s.t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			s.t.Errorf("Serve: %v", err)
		}
	})
	return l.Addr().String()
}

// dial opens a connection that the test's end closes.
func dial(t testing.TB, address string) net.Conn {
	t.Helper()
	c, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// answerOn reads one answer from a connection.
func answerOn(t testing.TB, in *bufio.Reader, method string) answer {
	t.Helper()
	res, err := http.ReadResponse(in, &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, body}
}

// "431 headers", and what cannot be parsed at all: also these answers, which
// net/http gives by itself, are problems.
func TestAnswersBeforeAnyHandler(t *testing.T) {
	s := newStand(t, nil)
	address := s.serve()
	for name, c := range map[string]struct {
		request string
		status  int
		code    string
	}{
		"headers":     {"GET / HTTP/1.1\r\nHost: localhost\r\nSession: " + strings.Repeat("x", MaxHeaderBytes+8<<10) + "\r\n\r\n", 431, "headers_too_large"},
		"no host":     {"GET / HTTP/1.1\r\n\r\n", 400, "bad_request"},
		"two hosts":   {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "bad_request"},
		"header name": {"GET / HTTP/1.1\r\nHost: localhost\r\nBad Name: x\r\n\r\n", 400, "bad_request"},
		"no request":  {"hello, is anybody there?\r\n\r\n", 400, "bad_request"},
		"escape":      {"GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "bad_request"},
		"lengths":     {"PUT " + doc + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400, "bad_request"},
		"encoding":    {"PUT " + doc + " HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n", 501, "not_built"},
	} {
		conn := dial(t, address)
		if _, err := io.WriteString(conn, c.request); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		a := answerOn(t, bufio.NewReader(conn), http.MethodGet)
		if a.status != c.status || a.code(t) != c.code {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
		if a.header.Get("Node") != "b" || a.header.Get("Session") == "" {
			t.Errorf("%s: headers %v", name, a.header)
		}
	}
}

// "a body that is too big must be read out (bounded) before the connection
// closes, or the client sees a reset instead of the 413".
func TestTooLargeBodyIsReadOut(t *testing.T) {
	s := newStand(t, nil)
	address := s.serve()
	for _, chunked := range []bool{false, true} {
		var body io.Reader = bytes.NewReader(bytes.Repeat([]byte{' '}, 8<<20))
		if chunked {
			body = io.MultiReader(body) // of no known length
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://"+address+doc, body)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatalf("chunked %v: %v", chunked, err)
		}
		got, err := io.ReadAll(res.Body)
		if err = errors.Join(err, res.Body.Close()); err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != http.StatusRequestEntityTooLarge || !bytes.Contains(got, []byte(`"limit":1048576`)) {
			t.Errorf("chunked %v: %d %s", chunked, res.StatusCode, got)
		}
	}
}

// "JSON over HTTP/1.1 and HTTP/2".
func TestHTTP2(t *testing.T) {
	s := newStand(t, nil)
	address := s.serve()
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: protocols}
	defer transport.CloseIdleConnections()
	for _, c := range []call{{method: "PUT", status: 201, body: `{"n":1}`}, {method: "GET", status: 200}} {
		req, err := http.NewRequestWithContext(t.Context(), c.method, "http://"+address+doc, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		res, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		if res.ProtoMajor != 2 || res.StatusCode != c.status {
			t.Errorf("%s: %s %d", c.method, res.Proto, res.StatusCode)
		}
		_ = res.Body.Close()
	}
}

// pipes is a listener without a network, for a bubble whose time stands still
// while everybody waits.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func newPipes() *pipes { return &pipes{make(chan net.Conn), make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 7402} }

func (p *pipes) dial() net.Conn {
	client, server := net.Pipe()
	p.conns <- server
	return client
}

// bubble runs a test of a served node in a bubble.
func bubble(t *testing.T, test func(*testing.T, *stand, *pipes)) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, nil)
		p := newPipes()
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- s.server.Serve(ctx, p) }()
		test(t, s, p)
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
}

// "408 … body too slow": a body that does not come is given up after
// readTimeout, and so is a bulk's after bulkStall of silence.
func TestSilentBodies(t *testing.T) {
	for target, patience := range map[string]time.Duration{doc: readTimeout, "/v1/bulk/accounts": bulkStall} {
		bubble(t, func(t *testing.T, _ *stand, p *pipes) {
			conn := p.dial()
			defer conn.Close()
			begun := time.Now()
			method := map[bool]string{true: "PUT", false: "POST"}[target == doc]
			fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{", method, target)
			a := answerOn(t, bufio.NewReader(conn), method)
			if a.status != 408 || a.code(t) != "slow_body" || time.Since(begun) != patience {
				t.Errorf("%s: after %s %d %s", target, time.Since(begun), a.status, a.body)
			}
		})
	}
}

// "Prefer: wait=SECONDS (at most 60)": a wait that is longer than a request's
// body may take is kept, and does not end the connection.
func TestLongWaitOverAConnection(t *testing.T) {
	bubble(t, func(t *testing.T, _ *stand, p *pipes) {
		conn := p.dial()
		defer conn.Close()
		in := bufio.NewReader(conn)
		for range 2 {
			begun := time.Now()
			fmt.Fprint(conn, "GET /v1/changes?feed=longpoll HTTP/1.1\r\nHost: localhost\r\nPrefer: wait=60\r\n\r\n")
			a := answerOn(t, in, http.MethodGet)
			if a.status != 200 || time.Since(begun) != maxWait || a.header.Get("Preference-Applied") != "wait=60" {
				t.Errorf("after %s: %d %s", time.Since(begun), a.status, a.body)
			}
		}
	})
}

// A request whose headers do not come is dropped.
func TestSilentHeaders(t *testing.T) {
	bubble(t, func(t *testing.T, _ *stand, p *pipes) {
		conn := p.dial()
		defer conn.Close()
		begun := time.Now()
		fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: loc")
		if _, err := io.ReadAll(conn); err != nil || time.Since(begun) != headerTimeout {
			t.Errorf("dropped after %s: %v", time.Since(begun), err)
		}
	})
}

// "SIGTERM drains (answers 503 to new writes, finishes requests …)": a long
// poll ends, and no new connection is taken.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, nil)
		p := newPipes()
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- s.server.Serve(ctx, p) }()
		conn := p.dial()
		defer conn.Close()
		fmt.Fprint(conn, "GET /v1/changes?feed=longpoll HTTP/1.1\r\nHost: localhost\r\n\r\n")
		synctest.Wait() // it waits for a change
		cancel()
		a := answerOn(t, bufio.NewReader(conn), http.MethodGet)
		if a.status != 200 || a.object(t)["checkpoint"] == nil {
			t.Errorf("the long poll got %d %s", a.status, a.body)
		}
		if err := <-ended; err != nil {
			t.Errorf("Serve: %v", err)
		}
		if a := s.send("GET", "/readyz", ""); a.status != 503 || a.code(t) != "draining" {
			t.Errorf("ready while stopping: %d %s", a.status, a.body)
		}
		if a := s.send("PUT", doc, `{}`); a.status != 503 || a.code(t) != "draining" || a.header.Get("Retry-After") == "" {
			t.Errorf("a write while stopping: %d %s", a.status, a.body)
		}
	})
}
