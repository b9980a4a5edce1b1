package peer_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/syncline/syncline/node/peer"
)

// pipes is a network in memory, for the synthetic clock.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	most  atomic.Int64 // bytes that a connection carries from now on; 0: all
}

func (p *pipes) Dial(context.Context, string, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	p.conns <- far
	return &leaky{Conn: near, most: &p.most}, nil
}

// leaky swallows what is written beyond a number of bytes.
type leaky struct {
	net.Conn
	most *atomic.Int64
	sent int64
}

func (l *leaky) Write(b []byte) (int, error) {
	if most := l.most.Load(); most > 0 {
		if l.sent += int64(len(b)); l.sent > most {
			return len(b), nil
		}
	}
	return l.Conn.Write(b)
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error { close(p.done); return nil }
func (*pipes) Addr() net.Addr { return &net.TCPAddr{} }

// onPipes runs a test on the synthetic clock: b serves the handlers, a asks.
func onPipes(t *testing.T, handlers map[string]peer.Handler, test func(*testing.T, *peer.Client, *pipes)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		network := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
		a, b := newSide("a"), newSide("b")
		server, err := peer.NewServer(peer.ServerConfig{Credentials: b.credentials(t), Roster: b.lookup("")})
		if err != nil {
			t.Fatal(err)
		}
		for path, h := range handlers {
			server.Handle(path, h)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- server.Run(ctx, network) }()
		client, err := peer.NewClient(peer.ClientConfig{Credentials: a.credentials(t), Roster: a.lookup("b:1"), Network: network})
		if err != nil {
			t.Fatal(err)
		}
		test(t, client, network)
		cancel()
		_ = client.Close()
		if err := <-done; err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
}

// A stream may be silent for long: the deadline of its request's body does not
// end it. (After 15 s without a frame its reader drops it, PROTOCOL D4: that is
// the reader's decision.)
func TestSilentStream(t *testing.T) {
	handlers := map[string]peer.Handler{
		"/stream": func(ctx context.Context, _ peer.Caller, w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			control := http.NewResponseController(w)
			_ = control.Flush()
			select {
			case <-time.After(10 * time.Minute):
				_ = control.SetWriteDeadline(time.Now().Add(time.Minute))
				_, _ = io.WriteString(w, "at last\n")
			case <-ctx.Done():
			}
		},
	}
	onPipes(t, handlers, func(t *testing.T, client *peer.Client, _ *pipes) {
		for _, body := range []string{"", "a frontier"} {
			stream, err := client.Stream(t.Context(), "b", "/stream", []byte(body))
			if err != nil {
				t.Fatal(err)
			}
			if lines := bufio.NewScanner(stream); !lines.Scan() || lines.Text() != "at last" {
				t.Errorf("with body %q: got %q, %v", body, lines.Text(), lines.Err())
			}
			_ = stream.Close()
		}
	})
}

// FAILURES section 3, "slow and silent clients: header and body deadlines": a
// reply that nobody reads and a body that does not come end.
func TestSilentPeers(t *testing.T) {
	var ended chan error // made on the synthetic clock
	handlers := map[string]peer.Handler{
		"/flood": func(_ context.Context, _ peer.Caller, w http.ResponseWriter, _ *http.Request) {
			_, err := w.Write(make([]byte, 1<<20))
			ended <- err
		},
		"/slow": func(_ context.Context, _ peer.Caller, w http.ResponseWriter, r *http.Request) {
			_, err := io.Copy(io.Discard, r.Body)
			ended <- err
			http.Error(w, "too slow", http.StatusRequestTimeout)
		},
	}
	onPipes(t, handlers, func(t *testing.T, client *peer.Client, network *pipes) {
		ended = make(chan error, 1)
		begun := time.Now()
		flood, err := client.Stream(t.Context(), "b", "/flood", nil) // and nobody reads
		if err != nil {
			t.Fatal(err)
		}
		// TLS gives the farewell of a broken connection 5 s more.
		if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begun) > 35*time.Second {
			t.Errorf("a reply that is not read ends with %v after %s", err, time.Since(begun))
		}
		_ = flood.Close()

		network.most.Store(100_000)
		begun = time.Now()
		if _, err := client.Ballot(t.Context(), "b", "/slow", make([]byte, 1_000_000), 1); err == nil {
			t.Error("a request without its body was answered")
		}
		if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begun) != 30*time.Second {
			t.Errorf("a body that does not come ends with %v after %s", err, time.Since(begun))
		}
	})
}
