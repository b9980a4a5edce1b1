package peer_test

import (
	"context"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/syncline/syncline/node/peer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	secretOne = "0123456789abcdef0123456789abcdef"
	secretTwo = "another secret, as long as needed"
	patience  = 20 * time.Second // bounds every wait of these tests
)

// side is one process: who it is, what roster it has, what it reports.
type side struct {
	secret   string
	identity peer.Identity
	roster   map[string]peer.Role
	mu       sync.Mutex
	reports  []peer.Refusal
}

// newSide is process name of cluster shop: data nodes a, b and witness w.
func newSide(name string) *side {
	roles := map[string]peer.Role{"a": peer.Data, "b": peer.Data, "w": peer.Witness}
	return &side{
		secret:   secretOne,
		identity: peer.Identity{Cluster: "shop", Role: roles[name], Name: name},
		roster:   roles,
	}
}

func (s *side) credentials(t *testing.T) *peer.Credentials {
	t.Helper()
	secret, err := peer.NewSecret([]byte(s.secret))
	if err != nil {
		t.Fatal(err)
	}
	c, err := peer.NewCredentials(peer.CredentialsConfig{Secret: secret, Identity: s.identity})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// lookup is the side's roster; addr is where everybody is.
func (s *side) lookup(addr string) peer.Roster {
	return func(name string) (peer.Member, bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		role, ok := s.roster[name]
		return peer.Member{Name: name, Role: role, Addr: addr}, ok
	}
}

func (s *side) refused(r peer.Refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reports = append(s.reports, r)
}

// reported waits for a report and returns its reason.
func (s *side) reported(t *testing.T) peer.Refusal {
	t.Helper()
	var got peer.Refusal
	eventually(t, "a report of the refusal", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.reports) > 0 {
			got = s.reports[0]
		}
		return len(s.reports) > 0
	})
	return got
}

// eventually polls a condition, within patience.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); time.Now().Before(end); <-tick.C {
		if ok() {
			return
		}
	}
	t.Fatalf("waited %s in vain for %s", patience, what)
}

func listen(t *testing.T, addr string) net.Listener {
	t.Helper()
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// counted is a listener that counts connections and keeps the names that they
// were given.
type counted struct {
	net.Listener
	mu    sync.Mutex
	conns int
	names []string
}

func (l *counted) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns++
	return &countedConn{c, l}, nil
}

func (l *counted) seen() (conns int, names []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.conns, slices.Clone(l.names)
}

type countedConn struct {
	net.Conn
	l *counted
}

// SetPeer is how the server tells the link layer whom it talks to.
func (c *countedConn) SetPeer(name string) error {
	c.l.mu.Lock()
	defer c.l.mu.Unlock()
	c.l.names = append(c.l.names, name)
	return nil
}

// serving is a running server.
type serving struct {
	*counted
	stop func() // ends it and waits
}

// serve runs a server of the side with the handlers, until the test ends.
func (s *side) serve(t *testing.T, ln net.Listener, handlers map[string]peer.Handler) *serving {
	t.Helper()
	server, err := peer.NewServer(peer.ServerConfig{
		Credentials: s.credentials(t), Roster: s.lookup(""), Refused: s.refused,
	})
	if err != nil {
		t.Fatal(err)
	}
	for path, h := range handlers {
		server.Handle(path, h)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	running := &serving{counted: &counted{Listener: ln}}
	go func() { done <- server.Run(ctx, running.counted) }()
	running.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	t.Cleanup(running.stop)
	return running
}

// client makes a client of the side that finds everybody at addr.
func (s *side) client(t *testing.T, addr string) *peer.Client {
	t.Helper()
	c, err := peer.NewClient(peer.ClientConfig{
		Credentials: s.credentials(t), Roster: s.lookup(addr), Network: direct{}, Refused: s.refused,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// direct is the network without a link layer.
type direct struct{}

func (direct) Dial(ctx context.Context, _, network, addr string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, network, addr)
}

func patient(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}
