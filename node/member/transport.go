package member

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

// Limits of the transport.
const (
	// preambleTimeout bounds the wait for the preamble of an accepted stream.
	preambleTimeout = 3 * time.Second
	// maxPreambles is how many accepted streams may owe their preamble at once.
	maxPreambles = 64
	// maxPacket is the largest packet that is read, in bytes: UDP's own limit.
	maxPacket = 65536
	// socketPause is the wait after a socket failed for another reason than
	// being closed.
	socketPause = 100 * time.Millisecond
)

// transport carries memberlist over the link layer.
type transport struct {
	self      string
	network   Network
	table     *addresses
	listener  net.Listener
	packets   net.PacketConn
	packetCh  chan *memberlist.Packet
	streamCh  chan net.Conn
	preambles chan struct{}   // one slot for each stream that owes its preamble
	dialing   context.Context // ends the dials
	ctx       context.Context // ends the rest
	cancel    context.CancelFunc
	group     sync.WaitGroup
}

var _ memberlist.NodeAwareTransport = (*transport)(nil)

// named is what a connection of the link layer can be told.
type named interface{ SetPeer(name string) error }

// newTransport takes over the sockets of cfg. It dials until dialing ends, and
// works until Shutdown.
func newTransport(dialing context.Context, cfg Config, table *addresses) *transport {
	ctx, cancel := context.WithCancel(context.Background())
	t := &transport{
		self:      cfg.Self,
		network:   cfg.Network,
		table:     table,
		listener:  cfg.Network.Wrap(cfg.Listener),
		packets:   cfg.Network.WrapPacket(cfg.Packets, table.nameOf),
		packetCh:  make(chan *memberlist.Packet),
		streamCh:  make(chan net.Conn),
		preambles: make(chan struct{}, maxPreambles),
		dialing:   dialing,
		ctx:       ctx,
		cancel:    cancel,
	}
	t.group.Go(t.receive)
	t.group.Go(t.accept)
	return t
}

// FinalAdvertiseAddr implements memberlist.Transport: we always say what to
// advertise, namely the roster's address.
func (t *transport) FinalAdvertiseAddr(ip string, port int) (net.IP, int, error) {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return nil, 0, err
	}
	return addr.AsSlice(), port, nil
}

// WriteTo implements memberlist.Transport.
func (t *transport) WriteTo(b []byte, addr string) (time.Time, error) {
	return t.WriteToAddress(b, memberlist.Address{Addr: addr})
}

// WriteToAddress implements memberlist.NodeAwareTransport.
func (t *transport) WriteToAddress(b []byte, a memberlist.Address) (time.Time, error) {
	addr, _, err := t.identify(a)
	if err != nil {
		return time.Time{}, err
	}
	_, err = t.packets.WriteTo(b, net.UDPAddrFromAddrPort(addr))
	return time.Now(), err
}

// PacketCh implements memberlist.Transport.
func (t *transport) PacketCh() <-chan *memberlist.Packet { return t.packetCh }

// DialTimeout implements memberlist.Transport.
func (t *transport) DialTimeout(addr string, timeout time.Duration) (net.Conn, error) {
	return t.DialAddressTimeout(memberlist.Address{Addr: addr}, timeout)
}

// DialAddressTimeout implements memberlist.NodeAwareTransport.
func (t *transport) DialAddressTimeout(a memberlist.Address, timeout time.Duration) (net.Conn, error) {
	addr, name, err := t.identify(a)
	if err != nil {
		return nil, err
	}
	if name == "" {
		return nil, fmt.Errorf("gossip stream to %s: no member of the roster is there", addr)
	}
	ctx, cancel := context.WithTimeout(t.dialing, timeout)
	defer cancel()
	c, err := t.network.Dial(ctx, name, "tcp", addr.String())
	if err != nil {
		return nil, err
	}
	if err := sendPreamble(c, t.self, timeout); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func sendPreamble(c net.Conn, self string, timeout time.Duration) error {
	if err := c.SetWriteDeadline(time.Now().Add(timeout)); err != nil {
		return err
	}
	if _, err := c.Write(preamble(self)); err != nil {
		return err
	}
	return c.SetWriteDeadline(time.Time{})
}

// identify returns an address and the member there, as memberlist or the
// roster knows it; the name is "" when neither does.
func (t *transport) identify(a memberlist.Address) (netip.AddrPort, string, error) {
	addr, err := netip.ParseAddrPort(a.Addr)
	if err != nil {
		return addr, "", fmt.Errorf("gossip address %q: %w", a.Addr, err)
	}
	if a.Name != "" {
		t.table.learn(addr, a.Name)
	}
	return addr, t.table.at(addr), nil
}

// StreamCh implements memberlist.Transport.
func (t *transport) StreamCh() <-chan net.Conn { return t.streamCh }

// Shutdown implements memberlist.Transport. It closes the sockets and waits
// for the transport's goroutines. It may be called again.
func (t *transport) Shutdown() error {
	t.cancel()
	err := errors.Join(ignoreClosed(t.listener.Close()), ignoreClosed(t.packets.Close()))
	t.group.Wait()
	return err
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// receive hands packets on until the socket is closed.
func (t *transport) receive() {
	for {
		buf := make([]byte, maxPacket)
		n, from, err := t.packets.ReadFrom(buf)
		switch {
		case err != nil && !t.goesOn(err):
			return
		case err != nil || n == 0:
			continue
		}
		select {
		case t.packetCh <- &memberlist.Packet{Buf: buf[:n:n], From: from, Timestamp: time.Now()}:
		case <-t.ctx.Done():
			return
		}
	}
}

// accept hands streams on until the listener is closed.
func (t *transport) accept() {
	for {
		c, err := t.listener.Accept()
		if err != nil {
			if !t.goesOn(err) {
				return
			}
			continue
		}
		select {
		case t.preambles <- struct{}{}:
			t.group.Go(func() {
				defer func() { <-t.preambles }()
				t.welcome(c)
			})
		default:
			_ = c.Close() // strangers fill the slots; members try again
		}
	}
}

// goesOn pauses after a failure of a socket that is still open.
func (t *transport) goesOn(err error) bool {
	if errors.Is(err, net.ErrClosed) {
		return false
	}
	select {
	case <-time.After(socketPause):
		return true
	case <-t.ctx.Done():
		return false
	}
}

// welcome reads the preamble, tells the link layer who is there, and hands the
// stream on. A stream that fails here is closed: its sender tries again.
func (t *transport) welcome(c net.Conn) {
	stop := context.AfterFunc(t.ctx, func() { _ = c.Close() })
	defer stop()
	if err := t.meet(c); err != nil {
		_ = c.Close()
		return
	}
	select {
	case t.streamCh <- c:
	case <-t.ctx.Done():
		_ = c.Close()
	}
}

func (t *transport) meet(c net.Conn) error {
	if err := c.SetReadDeadline(time.Now().Add(preambleTimeout)); err != nil {
		return err
	}
	name, err := readPreamble(c)
	if err != nil {
		return err
	}
	if t.table.contact(name) == nil {
		return fmt.Errorf("gossip stream from %s, which the roster does not have", name)
	}
	if n, ok := c.(named); ok {
		if err := n.SetPeer(name); err != nil {
			return err
		}
	}
	return c.SetReadDeadline(time.Time{})
}
