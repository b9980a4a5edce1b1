package main

import (
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// passed are the sockets that a parent binds and hands over.
type passed struct {
	tcp net.Listener
	udp net.PacketConn
}

func bindPassed(t *testing.T) *passed {
	t.Helper()
	p := &passed{tcp: listen(t, "127.0.0.1:0")}
	var err error
	if p.udp, err = new(net.ListenConfig).ListenPacket(t.Context(), "udp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.udp.Close() })
	return p
}

// listen binds a TCP socket for the life of the test.
func listen(t *testing.T, address string) net.Listener {
	t.Helper()
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln
}

// stream and packet are second descriptors, as a child has them.
func (p *passed) stream(t *testing.T) *os.File { return fileOf(t, p.tcp) }
func (p *passed) packet(t *testing.T) *os.File { return fileOf(t, p.udp) }

func fileOf(t *testing.T, of any) *os.File {
	t.Helper()
	f, err := of.(interface{ File() (*os.File, error) }).File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// handed is a handover of files under names.
func handed(pid, names string, files ...*os.File) handover {
	env := map[string]string{"LISTEN_FDS": strconv.Itoa(len(files)), "LISTEN_FDNAMES": names, "LISTEN_PID": pid}
	return handover{
		getenv: func(name string) string { return env[name] }, pid: 7, hide: func(uintptr) {},
		open: func(fd uintptr, _ string) *os.File { return files[fd-firstSocket] },
	}
}

// API.md: "Bound sockets may be handed over by systemd's protocol (LISTEN_FDS,
// names api, peer, gossip)".
func TestHandover(t *testing.T) {
	api, peer, gossip := bindPassed(t), bindPassed(t), bindPassed(t)
	for _, pid := range []string{"", "7"} {
		s, err := handed(pid, "gossip:api:peer:gossip", gossip.packet(t), api.stream(t), peer.stream(t), gossip.stream(t)).take()
		if err != nil {
			t.Fatal(err)
		}
		if s.api.Addr().String() != api.tcp.Addr().String() || s.peer.Addr().String() != peer.tcp.Addr().String() ||
			s.gossip.Addr().String() != gossip.tcp.Addr().String() || s.packets.LocalAddr().String() != gossip.udp.LocalAddr().String() {
			t.Errorf("mixed up: %v %v %v %v", s.api.Addr(), s.peer.Addr(), s.gossip.Addr(), s.packets.LocalAddr())
		}
		// What was handed over is not bound again, whatever the configuration says.
		if err := s.bind(t.Context(), addresses{API: api.tcp.Addr().String(), Peer: "127.0.0.1:1", Gossip: "127.0.0.1:1"}); err != nil {
			t.Error(err)
		}
		connected := make(chan error, 1)
		go func() {
			c, err := new(net.Dialer).DialContext(t.Context(), "tcp", api.tcp.Addr().String())
			if err == nil {
				err = c.Close()
			}
			connected <- err
		}()
		c, err := s.api.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(c); err != nil {
			t.Error(err)
		}
		c.Close()
		if err := <-connected; err != nil {
			t.Error(err)
		}
		if err := s.close(); err != nil {
			t.Error(err)
		}
		if err := s.close(); err != nil {
			t.Errorf("closing twice: %v", err)
		}
	}
}

func TestHandoverNotForUs(t *testing.T) {
	api := bindPassed(t)
	s, err := handed("8", "api", api.stream(t)).take()
	if err != nil || s.api != nil {
		t.Errorf("sockets of another process were taken: %v", err)
	}
}

func TestHandoverRefused(t *testing.T) {
	p := bindPassed(t)
	plain, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	tests := []struct {
		says string
		from handover
	}{
		{"1 names for 2 sockets", handed("", "api", p.stream(t), p.stream(t))},
		{"at most once", handed("", "api:api", p.stream(t), p.stream(t))},
		{"at most once", handed("", "rest", p.stream(t))},
		{"packet socket", handed("", "api", p.packet(t))},
		{"packet socket", handed("", "gossip:gossip", p.packet(t), p.packet(t))},
		{"no listening socket", handed("", "api", plain)},
		{"no such descriptor", handed("", "api", nil)},
		{"LISTEN_FDS is", handover{getenv: func(name string) string { return map[string]string{"LISTEN_FDS": "many"}[name] }}},
		{"LISTEN_FDS is", handover{getenv: func(name string) string { return map[string]string{"LISTEN_FDS": "65"}[name] }}},
	}
	for _, test := range tests {
		if _, err := test.from.take(); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("want %q, got %v", test.says, err)
		}
	}
}

// issue 3, "Bad input": "Ports in use: one clear line".
func TestBindRefused(t *testing.T) {
	p := bindPassed(t)
	taken := p.tcp.Addr().String()
	var s sockets
	err := s.bind(t.Context(), addresses{API: "127.0.0.1:0", Peer: taken})
	if err == nil || !strings.Contains(err.Error(), "peer address "+taken+": another process listens there") || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v", err)
	}
	if _, err := s.api.Accept(); err == nil {
		t.Error("the API's socket was kept")
	}
}

// DESIGN section 11: "Loopback by default; any other address needs TLS and
// credentials, or an explicit --insecure with a banner."
func TestExposure(t *testing.T) {
	for _, test := range []struct {
		address  string
		insecure bool
		ok       bool
	}{
		{"127.0.0.1:0", false, true},
		{"127.1.2.3:0", false, true},
		{"0.0.0.0:0", false, false},
		{":0", false, false},
		{"0.0.0.0:0", true, true},
	} {
		err := checkExposure(&config{insecure: test.insecure}, listen(t, test.address))
		if (err == nil) != test.ok {
			t.Errorf("%s insecure=%t: %v", test.address, test.insecure, err)
		}
	}
}

// What a descriptor is must not leak into children of this process.
func TestHandoverHidesDescriptors(t *testing.T) {
	f := bindPassed(t).stream(t)
	hide(f.Fd())
	if flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
		t.Errorf("flags %d, %v", flags, err)
	}
}
