package member_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/memberlist"
	"go.uber.org/goleak"

	"github.com/syncline/syncline/node/link"
	"github.com/syncline/syncline/node/member"
	"github.com/syncline/syncline/scripts/ports"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 60 * time.Second // bounds every wait of these tests

// town is a set of gossip sockets and the roster that names them.
type town struct {
	t        *testing.T
	contacts []member.Contact
	sockets  map[string]sockets
}

type sockets struct {
	ln net.Listener
	pc net.PacketConn
}

// newTown binds sockets for the names. w is a witness, which does not gossip.
func newTown(t *testing.T, names ...string) *town {
	t.Helper()
	tn := &town{t: t, sockets: map[string]sockets{}, contacts: []member.Contact{{Name: "w"}}}
	at := ports.For(t, len(names))
	for i, name := range names {
		s := bind(t, at[i])
		tn.sockets[name] = s
		tn.contacts = append(tn.contacts, member.Contact{Name: name, Gossip: s.ln.Addr().String()})
	}
	return tn
}

// bind opens TCP and UDP on one port.
func bind(t *testing.T, addr string) sockets {
	t.Helper()
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	pc, err := lc.ListenPacket(t.Context(), "udp", addr)
	if err != nil {
		t.Fatal(errors.Join(err, ln.Close()))
	}
	return sockets{ln, pc}
}

func (tn *town) names() []string {
	var out []string
	for _, c := range tn.contacts {
		out = append(out, c.Name)
	}
	return out
}

// person is one running process of the town.
type person struct {
	*member.Gossip
	link  *link.Link
	alive chan string // what OnAlive was told
	logs  *lines
	stop  func()
}

// start runs a process; change may alter its configuration.
func (tn *town) start(name string, change func(*member.Config)) *person {
	tn.t.Helper()
	l, err := link.New(link.Config{Self: name, Peers: tn.names})
	if err != nil {
		tn.t.Fatal(err)
	}
	p := &person{link: l, alive: make(chan string, 100), logs: &lines{}}
	cfg := member.Config{
		Self: name, Cluster: "shop", Key: bytes.Repeat([]byte("k"), member.KeyBytes),
		Roster:  func() []member.Contact { return tn.contacts },
		Network: l, Listener: tn.sockets[name].ln, Packets: tn.sockets[name].pc,
		Build: "v1-" + name, ProbeEvery: 100 * time.Millisecond,
		OnAlive: func(name string) { p.alive <- name },
		Log:     slog.New(slog.NewTextHandler(p.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if change != nil {
		change(&cfg)
	}
	if p.Gossip, err = member.New(cfg); err != nil {
		tn.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	p.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			tn.t.Errorf("%s ended with %v", name, err)
		}
		_ = l.Close()
	})
	tn.t.Cleanup(p.stop)
	return p
}

// is says what this person's serf thinks of another.
func (p *person) is(name string) member.Status {
	for _, m := range p.Members() {
		if m.Name == name {
			return m.Status
		}
	}
	return ""
}

func (p *person) awaits(t *testing.T, name string, want member.Status) {
	t.Helper()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s is %q here:\n%s", name, p.is(name), p.logs)
		}
	})
	eventually(t, fmt.Sprintf("%s to be %s", name, want), func() bool { return p.is(name) == want })
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); time.Now().Before(end); <-tick.C {
		if ok() {
			return
		}
	}
	t.Fatalf("waited %s in vain for %s", patience, what)
}

// lines is a log that can be read while it is written.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// DESIGN section 4: "Serf says who seems alive, carries names, addresses and
// build versions, and wakes things early". Through a stop, a restart and a cut.
func TestTwoMembersFindEachOther(t *testing.T) {
	tn := newTown(t, "a", "b")
	a, b := tn.start("a", nil), tn.start("b", nil)
	a.awaits(t, "b", member.Alive)
	b.awaits(t, "a", member.Alive)
	if name := <-a.alive; name != "b" {
		t.Errorf("a was woken for %s", name)
	}
	members := a.Members()
	if len(members) != 2 || members[0].Name != "a" || members[1].Build != "v1-b" ||
		members[1].Addr != tn.contacts[2].Gossip || members[1].Since.IsZero() {
		t.Errorf("a sees %+v", members)
	}
	for _, f := range a.link.Snapshot() {
		if f.Peer == "b" && (f.BytesIn == 0 || f.BytesOut == 0 || f.LastHeard == nil) {
			t.Errorf("the link does not know of it: %+v", f)
		}
	}
	if logs := a.logs.String(); !strings.Contains(logs, "level=INFO") || strings.Contains(logs, "[INFO]") {
		t.Errorf("levels are not inferred:\n%s", logs)
	}

	b.stop()
	a.awaits(t, "b", member.Left)
	tn.sockets["b"] = bind(t, tn.contacts[2].Gossip)
	b = tn.start("b", func(c *member.Config) { c.Build = strings.Repeat("2", 1000) })
	a.awaits(t, "b", member.Alive)
	b.awaits(t, "a", member.Alive)
	if m := a.Members()[1]; m.Build != strings.Repeat("2", member.MaxBuild) {
		t.Errorf("after the restart its build is %q", m.Build)
	}

	// One end has the fault: b drops packets of a, and streams of a as soon as
	// their preamble says whose they are.
	if _, err := b.link.Add(link.Fault{From: "a", To: "b", Kind: link.Cut, Both: true, Duration: link.Span(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	a.awaits(t, "b", member.Failed)
	b.awaits(t, "a", member.Failed)
	b.link.Heal(link.Which{})
	a.awaits(t, "b", member.Alive)
	b.awaits(t, "a", member.Alive)
}

// FAILURES section 3: "gossip forged, replayed, from another cluster: packets
// ignored". Strangers with another key or label stay strangers, and what they
// send is bounded in the log.
func TestForgedGossipIsIgnored(t *testing.T) {
	for name, forge := range map[string]func(*member.Config){
		"another secret":  func(c *member.Config) { c.Key = bytes.Repeat([]byte("x"), member.KeyBytes) },
		"another cluster": func(c *member.Config) { c.Cluster = "bank" },
	} {
		t.Run(name, func(t *testing.T) {
			tn := newTown(t, "a", "b", "c")
			a, b := tn.start("a", nil), tn.start("b", nil)
			tn.start("c", forge)
			a.awaits(t, "b", member.Alive)
			eventually(t, "c to be turned away", func() bool {
				logs := a.logs.String()
				return strings.Contains(logs, "label") || strings.Contains(logs, "decrypt")
			})
			if a.is("c") != "" || b.is("c") != "" {
				t.Errorf("a forger is a member: %v, %v", a.Members(), b.Members())
			}
		})
	}
}

// A flood of forged packets neither fills the log nor upsets the members.
func TestFloodOfForgedPackets(t *testing.T) {
	tn := newTown(t, "a", "b")
	a, b := tn.start("a", nil), tn.start("b", nil)
	a.awaits(t, "b", member.Alive)
	b.awaits(t, "a", member.Alive)
	forged, err := memberlist.AddLabelHeaderToPacket(bytes.Repeat([]byte{1}, 100), "shop")
	if err != nil {
		t.Fatal(err)
	}
	flood, err := (&net.Dialer{}).DialContext(t.Context(), "udp", tn.contacts[1].Gossip)
	if err != nil {
		t.Fatal(err)
	}
	defer flood.Close()
	for range 5000 {
		_, _ = flood.Write(forged) // a full buffer loses some: fine
	}
	eventually(t, "the forged packets to be noticed", func() bool { return strings.Contains(a.logs.String(), "suppressed=") })
	if n := strings.Count(a.logs.String(), "level=ERROR"); n > 500 {
		t.Errorf("5,000 forged packets made %d lines of log", n)
	}
	// A probe that a busy machine answers late makes one fail for a moment.
	a.awaits(t, "b", member.Alive)
	b.awaits(t, "a", member.Alive)
}

// A stream without a preamble of a roster member never reaches serf.
func TestStrangersStream(t *testing.T) {
	tn := newTown(t, "a")
	tn.start("a", nil)
	for _, hello := range []string{"GET / HTTP/1.1\r\n\r\n", "SLG1\x01z", "SLG1\xff", "SLG1\x02A!"} {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", tn.contacts[1].Gossip)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(patience))
		if _, err := io.WriteString(c, hello); err != nil {
			t.Error(err)
		}
		if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%q: got %d bytes, %v; want the end", hello, n, err)
		}
		_ = c.Close()
	}
}

// DESIGN section 5: the link layer "knows the peer on each connection": on an
// accepted gossip stream by its preamble. And it cuts such a stream.
func TestAcceptedStreamIsKnownToTheLink(t *testing.T) {
	tn := newTown(t, "a", "b")
	b := tn.start("b", nil)
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", tn.contacts[2].Gossip)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(c, "SLG1\x01a"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a's stream to be known as a's", func() bool {
		figures := b.link.Snapshot()
		return figures[0].Peer == "a" && figures[0].Connections == 1
	})
	if _, err := b.link.Add(link.Fault{From: "a", To: "b", Kind: link.Cut, Both: true, Duration: link.Span(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read %d bytes, %v through the cut; want the end", n, err)
	}
	_ = tn.sockets["a"].ln.Close()
	_ = tn.sockets["a"].pc.Close()
}

// "A node without gossip address in the roster (the witness) takes no part."
func TestWitnessTakesNoPart(t *testing.T) {
	tn := newTown(t, "a")
	s := tn.sockets["a"]
	defer s.ln.Close()
	defer s.pc.Close()
	l, err := link.New(link.Config{Self: "w", Peers: tn.names})
	if err != nil {
		t.Fatal(err)
	}
	cfg := member.Config{
		Self: "w", Cluster: "shop", Key: make([]byte, member.KeyBytes), Network: l,
		Roster: func() []member.Contact { return tn.contacts }, Listener: s.ln, Packets: s.pc,
	}
	if _, err := member.New(cfg); !errors.Is(err, member.ErrNoGossip) {
		t.Errorf("got %v, want ErrNoGossip", err)
	}
	cfg.Key = cfg.Key[1:]
	if _, err := member.New(cfg); err == nil || !strings.Contains(err.Error(), "31 bytes") {
		t.Errorf("a short key: %v", err)
	}
}
