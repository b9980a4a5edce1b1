package link_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/syncline/syncline/node/link"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// place is one process, a, with a network made of pipes, for tests on the
// synthetic clock.
type place struct {
	*link.Link
	t       *testing.T
	far     chan net.Conn // the other ends of what a dialled
	accept  chan net.Conn // what a's listener accepts
	changes []link.Change
	mu      sync.Mutex
	draws   []float64 // what Random returns, then 1
}

func newPlace(t *testing.T) *place {
	t.Helper()
	p := &place{t: t, far: make(chan net.Conn, 8), accept: make(chan net.Conn, 8)}
	l, err := link.New(link.Config{
		Self:  "a",
		Peers: func() []string { return []string{"a", "b", "w"} },
		Dialer: func(context.Context, string, string) (net.Conn, error) {
			near, far := net.Pipe()
			p.far <- far
			return near, nil
		},
		Random: p.draw,
		Report: func(c link.Change) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.changes = append(p.changes, c)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	p.Link = l
	t.Cleanup(func() { _ = l.Close() })
	return p
}

func (p *place) draw() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.draws) == 0 {
		return 1
	}
	d := p.draws[0]
	p.draws = p.draws[1:]
	return d
}

// dial opens a connection from a to the peer and returns both ends.
func (p *place) dial(peer string) (near net.Conn, far net.Conn) {
	p.t.Helper()
	near, err := p.Dial(p.t.Context(), peer, "tcp", peer+":1")
	if err != nil {
		p.t.Fatal(err)
	}
	return near, <-p.far
}

// accepted makes a connection from the peer to a and returns both ends.
func (p *place) accepted() (near net.Conn, far net.Conn) {
	p.t.Helper()
	inner, far := net.Pipe()
	p.accept <- inner
	near, err := p.Wrap(pipeListener{p.accept}).Accept()
	if err != nil {
		p.t.Fatal(err)
	}
	return near, far
}

type pipeListener struct{ conns chan net.Conn }

func (l pipeListener) Accept() (net.Conn, error) { return <-l.conns, nil }
func (pipeListener) Close() error                { return nil }
func (pipeListener) Addr() net.Addr              { return &net.TCPAddr{} }

func (p *place) add(f link.Fault) link.Fault {
	p.t.Helper()
	got, err := p.Add(f)
	if err != nil {
		p.t.Fatal(err)
	}
	return got
}

func span(d time.Duration) link.Span { return link.Span(d) }

// inbox collects what arrives at one end, with the time of each arrival.
type inbox struct {
	mu   sync.Mutex
	data []byte
	at   []time.Time
	err  error
}

func collect(c net.Conn) *inbox {
	in := &inbox{}
	go func() {
		buf := make([]byte, 64<<10)
		for {
			n, err := c.Read(buf)
			in.mu.Lock()
			in.data = append(in.data, buf[:n]...)
			if n > 0 {
				in.at = append(in.at, time.Now())
			}
			in.err = err
			in.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return in
}

func (in *inbox) got() (string, error) {
	synctest.Wait()
	in.mu.Lock()
	defer in.mu.Unlock()
	return string(in.data), in.err
}

func write(t *testing.T, c net.Conn, s string) {
	t.Helper()
	if n, err := io.WriteString(c, s); err != nil || n != len(s) {
		t.Fatalf("write %q: %d, %v", s, n, err)
	}
}

// DESIGN section 5: "a cut is real for everything above it: existing
// connections are severed, dials fail, packets vanish"; "each with an end time".
func TestCutBothWays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		near, far := p.dial("b")
		toW, atW := p.dial("w")
		fromW := collect(atW)
		atB := collect(far)
		write(t, near, "before ")

		f := p.add(link.Fault{From: "b", To: "a", Kind: link.Cut, Both: true, Duration: span(30 * time.Second)})
		if data, err := atB.got(); data != "before " || !errors.Is(err, io.EOF) {
			t.Errorf("the far end has %q, %v; want what was sent before, and the end", data, err)
		}
		if _, err := near.Write([]byte("x")); !errors.Is(err, link.ErrCut) || !errors.Is(err, net.ErrClosed) {
			t.Errorf("write on a severed connection: %v", err)
		}
		begun := time.Now()
		if _, err := p.Dial(t.Context(), "b", "tcp", "b:1"); !errors.Is(err, link.ErrCut) {
			t.Errorf("dial: %v, want ErrCut", err)
		}
		if waited := time.Since(begun); waited != 0 {
			t.Errorf("the dial failed after %s, want at once", waited)
		}
		in, _ := p.accepted()
		if err := in.(interface{ SetPeer(string) error }).SetPeer("b"); !errors.Is(err, link.ErrCut) {
			t.Errorf("an accepted connection of b: %v, want ErrCut", err)
		}
		if _, err := in.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("it can still be read: %v", err)
		}
		write(t, toW, "others are not touched")
		if data, _ := fromW.got(); data != "others are not touched" {
			t.Errorf("w got %q", data)
		}

		time.Sleep(time.Until(f.Expires))
		synctest.Wait()
		if left := p.List(); len(left) != 0 {
			t.Errorf("after its end the fault is still listed: %v", left)
		}
		near, far = p.dial("b")
		atB = collect(far)
		write(t, near, "after")
		if data, _ := atB.got(); data != "after" {
			t.Errorf("after the end b got %q", data)
		}
		if n := len(p.changes); n != 2 || p.changes[0].State != link.Begun || p.changes[1].State != link.Expired {
			t.Errorf("reported %v, want begun and expired", p.changes)
		}
	})
}

// DESIGN section 5: "A one-way cut over TCP: the end that has the fault
// discards what it writes and reads as before."
func TestCutOneWay(t *testing.T) {
	for _, c := range []struct {
		name, from, to string
		atA, atB       string // what arrives while the fault is there
		cutOut, cutIn  bool
	}{
		{name: "out", from: "a", to: "b", atA: "heard", atB: "", cutOut: true},
		{name: "in", from: "b", to: "a", atA: "", atB: "said", cutIn: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPlace(t)
				near, far := p.dial("b")
				atB, atA := collect(far), collect(near)
				f := p.add(link.Fault{From: c.from, To: c.to, Kind: link.Cut, Duration: span(time.Minute)})
				write(t, near, "said")
				write(t, far, "heard")
				gotB, errB := atB.got()
				gotA, errA := atA.got()
				if gotA != c.atA || gotB != c.atB || errA != nil || errB != nil {
					t.Errorf("a read %q, %v and b %q, %v; want %q and %q", gotA, errA, gotB, errB, c.atA, c.atB)
				}
				fig := p.Snapshot()[0]
				if fig.CutOut != c.cutOut || fig.CutIn != c.cutIn || fig.BytesLost == 0 {
					t.Errorf("figures: %+v", fig)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				if _, err := p.Dial(ctx, "b", "tcp", "b:1"); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, link.ErrCut) {
					t.Errorf("dial: %v, want a deadline that names the cut", err)
				}
				// A dial under way completes when the link heals; a stream
				// with a hole must not.
				done := make(chan error, 1)
				go func() {
					_, err := p.Dial(t.Context(), "b", "tcp", "b:1")
					done <- err
				}()
				synctest.Wait()
				if err := p.Remove(f.ID); err != nil {
					t.Fatal(err)
				}
				if err := <-done; err != nil {
					t.Errorf("a dial that waited for the healing: %v", err)
				}
				if _, err := atB.got(); !errors.Is(err, io.EOF) {
					t.Errorf("the stream with a hole goes on: %v", err)
				}
			})
		})
	}
}

// A fault that ends without having swallowed anything leaves the connection.
func TestIdleConnectionOutlivesOneWayCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		near, far := p.dial("b")
		atB := collect(far)
		p.add(link.Fault{From: "a", To: "b", Kind: link.Cut, Duration: span(time.Second)})
		time.Sleep(2 * time.Second)
		write(t, near, "on")
		if data, err := atB.got(); data != "on" || err != nil {
			t.Errorf("b got %q, %v", data, err)
		}
	})
}

// Faults of an accepted connection begin with the name of its peer.
func TestAcceptedConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		p.add(link.Fault{From: "a", To: "b", Kind: link.Cut, Duration: span(time.Minute)})
		near, far := p.accepted()
		atB := collect(far)
		write(t, near, "hello")
		named := near.(interface{ SetPeer(string) error })
		if err := named.SetPeer("b"); err != nil {
			t.Fatal(err)
		}
		write(t, near, "lost")
		if data, _ := atB.got(); data != "hello" {
			t.Errorf("b got %q, want only what was sent before it was known", data)
		}
		if err := named.SetPeer("w"); err == nil {
			t.Error("a connection changed its peer")
		}
		if b := p.Snapshot()[0]; b.BytesOut != 5 || b.BytesLost != 4 {
			t.Errorf("b's figures: %+v", b)
		}
	})
}

// Close of the link severs all, and a link that is closed opens nothing.
func TestCloseEndsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		near, far := p.dial("b")
		unnamed, other := p.accepted()
		p.add(link.Fault{From: "a", To: "b", Kind: link.Delay, Delay: span(time.Second), Duration: span(time.Minute)})
		write(t, near, "never arrives")
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		for _, c := range []net.Conn{far, other} {
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
				t.Errorf("the far end reads %v, want the end", err)
			}
		}
		if _, err := unnamed.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("write after Close: %v", err)
		}
		if _, err := p.Dial(t.Context(), "b", "tcp", "b:1"); !errors.Is(err, net.ErrClosed) {
			t.Errorf("dial after Close: %v", err)
		}
		if _, err := p.Add(link.Fault{From: "a", To: "b", Kind: link.Cut, Duration: span(time.Second)}); err == nil {
			t.Error("a fault was added after Close")
		}
	})
}

// The same on the real network: what synctest cannot see is that TCP agrees.
func TestCutOnTCP(t *testing.T) {
	here, there := tcpPair(t)
	buf := make([]byte, 5)
	write(t, here.conn, "hello")
	if _, err := io.ReadFull(there, buf); err != nil || !bytes.Equal(buf, []byte("hello")) {
		t.Fatalf("read %q, %v", buf, err)
	}
	if _, err := here.link.Add(link.Fault{From: "a", To: "b", Kind: link.Cut, Both: true, Duration: span(time.Minute)}); err != nil {
		t.Fatal(err)
	}
	if err := there.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := there.Read(buf); !errors.Is(err, io.EOF) {
		t.Errorf("the far end of a cut connection reads %v, want the end", err)
	}
	if _, err := here.conn.Write(buf); !errors.Is(err, link.ErrCut) {
		t.Errorf("write: %v, want ErrCut", err)
	}
	if n := here.link.Heal(link.Which{}); n != 1 {
		t.Errorf("healed %d faults, want 1", n)
	}
}

type end struct {
	link *link.Link
	conn net.Conn
}

// tcpPair is a connection over loopback from process a to a bare socket b.
func tcpPair(t *testing.T) (end, net.Conn) {
	t.Helper()
	l, err := link.New(link.Config{Self: "a", Peers: func() []string { return []string{"a", "b"} }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	near, err := l.Dial(t.Context(), "b", "tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	far, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = far.Close() })
	return end{l, near}, far
}
