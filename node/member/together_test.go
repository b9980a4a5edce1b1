package member_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/syncline/syncline/node/link"
	"github.com/syncline/syncline/node/member"
	"github.com/syncline/syncline/node/peer"
)

// This file proves link, peer and member together, as cmd joins them.

// house is one process with a peer port, over a link.
type house struct {
	link   *link.Link
	client *peer.Client
	ballot func(within time.Duration) error // asks the other house
	begun  chan string                      // names of callers whose stream has begun
}

const beatTimeout = 400 * time.Millisecond // F of PROTOCOL part 2

// street is houses a and b, each with the other's address.
func street(t *testing.T) (a, b *house) {
	t.Helper()
	addrs := map[string]string{}
	listeners := map[string]net.Listener{}
	for _, name := range []string{"a", "b"} {
		ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		listeners[name], addrs[name] = ln, ln.Addr().String()
	}
	roster := func(name string) (peer.Member, bool) {
		addr, ok := addrs[name]
		return peer.Member{Name: name, Role: peer.Data, Addr: addr}, ok
	}
	return build(t, "a", "b", listeners["a"], roster), build(t, "b", "a", listeners["b"], roster)
}

func build(t *testing.T, name, other string, ln net.Listener, roster peer.Roster) *house {
	t.Helper()
	l, err := link.New(link.Config{Self: name, Peers: func() []string { return []string{"a", "b"} }})
	if err != nil {
		t.Fatal(err)
	}
	secret, err := peer.NewSecret([]byte(strings.Repeat("s", peer.MinSecret)))
	if err != nil {
		t.Fatal(err)
	}
	credentials, err := peer.NewCredentials(peer.CredentialsConfig{
		Secret: secret, Identity: peer.Identity{Cluster: "shop", Role: peer.Data, Name: name},
	})
	if err != nil {
		t.Fatal(err)
	}
	server, err := peer.NewServer(peer.ServerConfig{Credentials: credentials, Roster: roster})
	if err != nil {
		t.Fatal(err)
	}
	client, err := peer.NewClient(peer.ClientConfig{Credentials: credentials, Roster: roster, Network: l})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{link: l, client: client, begun: make(chan string, 8)}
	server.Handle("/ballot", func(_ context.Context, _ peer.Caller, w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
	})
	server.Handle("/flood", func(ctx context.Context, caller peer.Caller, w http.ResponseWriter, _ *http.Request) {
		control := http.NewResponseController(w)
		_ = control.Flush()
		h.begun <- caller.Name
		chunk := make([]byte, 16<<20) // the largest document
		for ctx.Err() == nil {
			_ = control.SetWriteDeadline(time.Now().Add(patience))
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	h.ballot = func(within time.Duration) error {
		ctx, cancel := context.WithTimeout(context.Background(), within)
		defer cancel()
		begun := time.Now()
		if _, err := client.Ballot(ctx, other, "/ballot", []byte("?"), 10); err != nil {
			return err
		}
		l.ObserveRoundTrip(other, time.Since(begun))
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx, l.Wrap(ln)) }()
	t.Cleanup(func() {
		cancel()
		_ = client.Close()
		_ = l.Close()
		if err := <-done; err != nil {
			t.Errorf("the server of %s ended with %v", name, err)
		}
	})
	return h
}

func (h *house) fault(t *testing.T, f link.Fault) {
	t.Helper()
	f.Duration = link.Span(time.Hour)
	if _, err := h.link.Add(f); err != nil {
		t.Fatal(err)
	}
}

func (h *house) ballotsPass(t *testing.T, what string) {
	t.Helper()
	eventually(t, what+": a ballot that is answered", func() bool { return h.ballot(beatTimeout) == nil })
}

// DESIGN section 5: a cut is real for all above it. A fault at one end alone
// works on connections of either direction, since each end knows its peers.
func TestCutReachesBallotsAndStreams(t *testing.T) {
	for _, at := range []string{"dialler", "acceptor"} {
		t.Run("cut at the "+at, func(t *testing.T) {
			a, b := street(t)
			a.ballotsPass(t, "before")
			stream, err := a.client.Stream(t.Context(), "b", "/flood", nil)
			if err != nil {
				t.Fatal(err)
			}
			defer stream.Close()
			cutter := a
			if at == "acceptor" {
				cutter = b
				if name := <-b.begun; name != "a" {
					t.Fatalf("the stream is from %s", name)
				}
			}
			cutter.fault(t, link.Fault{From: "a", To: "b", Kind: link.Cut, Both: true})
			if _, err := io.Copy(io.Discard, stream); err == nil {
				t.Error("a stream through a cut ended well")
			}
			if err := a.ballot(beatTimeout); err == nil {
				t.Error("a ballot passed through a cut")
			}
			if err := b.ballot(beatTimeout); err == nil {
				t.Error("a ballot passed through the cut the other way")
			}
			cutter.link.Heal(link.Which{})
			a.ballotsPass(t, "healed")
			b.ballotsPass(t, "healed")
		})
	}
}

// FAILURES row 9: "one way only: A hears B, B does not hear A: not a link".
// Neither end gets an answer; a ballot on a silently dead connection ends by
// its own deadline; and after the healing the next ones pass.
func TestOneWayCutIsNoLink(t *testing.T) {
	a, b := street(t)
	a.ballotsPass(t, "before")
	b.ballotsPass(t, "before")
	a.fault(t, link.Fault{From: "a", To: "b", Kind: link.Cut})
	for range 3 {
		for name, h := range map[string]*house{"a": a, "b": b} {
			if err := h.ballot(beatTimeout); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s's ballot through a one-way cut: %v, want its deadline", name, err)
			}
		}
	}
	a.link.Heal(link.Which{})
	a.ballotsPass(t, "healed")
	b.ballotsPass(t, "healed")
}

// DESIGN section 5: "Votes have their own connections, so that a 16 MiB
// document cannot starve a ballot", on a slow link too.
func TestBallotsBesideDocumentsOnASlowLink(t *testing.T) {
	a, b := street(t)
	for _, h := range []*house{a, b} {
		h.fault(t, link.Fault{From: "a", To: "b", Both: true, Kind: link.Delay, Delay: link.Span(20 * time.Millisecond)})
	}
	a.ballotsPass(t, "the first") // opens the connection: some round trips more
	stream, err := a.client.Stream(t.Context(), "b", "/flood", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	fastest := patience
	for range 20 {
		if _, err := io.CopyN(io.Discard, stream, 1<<20); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		if err := a.ballot(patience); err != nil {
			t.Errorf("a ballot beside a document: %v", err)
		}
		fastest = min(fastest, time.Since(begun))
	}
	// A busy machine only adds; a document that is in the way is so for each.
	if fastest > beatTimeout {
		t.Errorf("the fastest of 20 ballots beside a document took %s", fastest)
	}
	if f := a.link.Snapshot()[0]; f.RoundTripMS == nil || *f.RoundTripMS < 40 {
		t.Errorf("a round trip over 20 ms each way: %+v", f)
	}
}

// FAILURES row 25: "serf blocked, HTTP fine": ballots pass, and what serf
// thinks changes nothing for them.
func TestBlockedGossipLeavesHTTPAlone(t *testing.T) {
	tn := newTown(t, "a", "b")
	a, b := street(t)
	deaf := func(c *member.Config) {
		c.ProbeEvery = 50 * time.Millisecond
		c.Network = deafNetwork{c.Network}
	}
	pa, pb := tn.start("a", deaf), tn.start("b", deaf)
	for range 10 {
		a.ballotsPass(t, "serf blocked")
		b.ballotsPass(t, "serf blocked")
	}
	eventually(t, "attempts to join", func() bool { return strings.Contains(pa.logs.String(), "blocked") })
	if pa.is("b") != "" || pb.is("a") != "" {
		t.Errorf("gossip was not blocked: %v", pa.Members())
	}
}

// deafNetwork is a link layer through which no gossip passes.
type deafNetwork struct{ member.Network }

func (deafNetwork) Dial(context.Context, string, string, string) (net.Conn, error) {
	return nil, errors.New("gossip is blocked")
}

func (n deafNetwork) WrapPacket(pc net.PacketConn, _ func(net.Addr) string) net.PacketConn {
	return deafPackets{pc}
}

type deafPackets struct{ net.PacketConn }

func (deafPackets) WriteTo(b []byte, _ net.Addr) (int, error) { return len(b), nil }
