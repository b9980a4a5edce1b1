package rest

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v4"
)

// sink is a ResponseWriter that keeps nothing but its header map, which it
// empties as a server makes a new one for each request.
type sink struct {
	header http.Header
	status int
}

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) WriteHeader(status int)      { s.status = status }
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }

var document = append(append([]byte(`{"pad":"`), bytes.Repeat([]byte("x"), 246)...), `"}`...)

// run sends one request again and again to a handler.
func run(b *testing.B, h http.Handler, method, target string, status int) {
	r := httptest.NewRequestWithContext(b.Context(), method, "http://127.0.0.1:7402"+target, nil)
	body := bytes.NewReader(document)
	if method == http.MethodPut {
		r.Body, r.ContentLength = io.NopCloser(body), int64(len(document))
	}
	b.ReportAllocs()
	for b.Loop() {
		body.Reset(document)
		w := &sink{header: http.Header{}}
		h.ServeHTTP(w, r)
		if w.status != status {
			b.Fatalf("status %d", w.status)
		}
	}
}

// BenchmarkGet is a read of a 256-byte document over MemStore: what the API
// and the engine cost, without a disk or a connection.
func BenchmarkGet(b *testing.B) {
	s := newStand(b, nil)
	s.must(201, "PUT", "/v1/docs/accounts/alice", string(document))
	run(b, s.server, http.MethodGet, "/v1/docs/accounts/alice", 200)
}

// BenchmarkPut overwrites one document, one commit a write.
func BenchmarkPut(b *testing.B) {
	s := newStand(b, nil)
	s.must(201, "PUT", "/v1/docs/accounts/alice", string(document))
	run(b, s.server, http.MethodPut, "/v1/docs/accounts/alice", 200)
}

// BenchmarkEcho is the floor: an echo handler that returns constant bytes.
func BenchmarkEcho(b *testing.B) {
	e := echo.New()
	e.GET("/v1/docs/:c/:id", func(c echo.Context) error { return c.Blob(http.StatusOK, echo.MIMEApplicationJSON, document) })
	run(b, e, http.MethodGet, "/v1/docs/accounts/alice", 200)
}

// overSockets answers a stream of reads over keep-alive connections, with a
// client that costs as little as can be.
func overSockets(b *testing.B, serve func(net.Listener)) {
	l, err := new(net.ListenConfig).Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go serve(l)
	request := []byte("GET /v1/docs/accounts/alice HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
	b.SetParallelism(16)
	b.ResetTimer()
	b.RunParallel(func(p *testing.PB) {
		c, err := new(net.Dialer).DialContext(b.Context(), "tcp", l.Addr().String())
		if err != nil {
			b.Error(err)
			return
		}
		defer c.Close()
		in := make([]byte, 4<<10)
		for p.Next() {
			if _, err := c.Write(request); err != nil {
				b.Error(err)
				return
			}
			for n := 0; !bytes.HasSuffix(in[:n], document[len(document)-8:]); {
				m, err := c.Read(in[n:])
				if err != nil {
					b.Error(err)
					return
				}
				n += m
			}
		}
	})
}

func BenchmarkServeGet(b *testing.B) {
	s := newStand(b, nil)
	s.must(201, "PUT", "/v1/docs/accounts/alice", string(document))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	overSockets(b, func(l net.Listener) { ended <- s.server.Serve(ctx, l) })
	cancel()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
}

func BenchmarkServeEcho(b *testing.B) {
	e := echo.New()
	e.GET("/v1/docs/:c/:id", func(c echo.Context) error { return c.Blob(http.StatusOK, echo.MIMEApplicationJSON, document) })
	server := &http.Server{Handler: e, ReadHeaderTimeout: headerTimeout}
	overSockets(b, func(l net.Listener) { _ = server.Serve(l) })
	_ = server.Close()
}
