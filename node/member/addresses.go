package member

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"
)

// resolveTimeout bounds the look-up of one host name.
const resolveTimeout = 2 * time.Second

// addresses says which member is at which address. It holds roster members
// only, each with the addresses that it was last found at.
type addresses struct {
	roster func() []Contact

	mu     sync.Mutex
	byAddr map[netip.AddrPort]string
}

func newAddresses(roster func() []Contact) *addresses {
	return &addresses{roster: roster, byAddr: map[netip.AddrPort]string{}}
}

// nameOf returns the member at an address, or "".
func (a *addresses) nameOf(addr net.Addr) string {
	udp, ok := addr.(*net.UDPAddr)
	if !ok {
		return ""
	}
	return a.at(udp.AddrPort())
}

func (a *addresses) at(addr netip.AddrPort) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.byAddr[plain(addr)]
}

// learn notes that serf has a member at an address. Names that the roster does
// not have are nobody's.
func (a *addresses) learn(addr netip.AddrPort, name string) {
	if a.contact(name) == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	addr = plain(addr)
	if a.byAddr[addr] == name {
		return
	}
	for other, n := range a.byAddr {
		if n == name {
			delete(a.byAddr, other) // it has moved
		}
	}
	a.byAddr[addr] = name
}

// contact returns the roster's entry of a member that gossips, or nil.
func (a *addresses) contact(name string) *Contact {
	for _, c := range a.roster() {
		if c.Name == name && c.Gossip != "" {
			return &c
		}
	}
	return nil
}

// resolve finds the address of a member and learns it.
func (a *addresses) resolve(ctx context.Context, c Contact) (netip.AddrPort, error) {
	addr, err := lookup(ctx, c.Gossip)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("gossip address %s of %s: %w", c.Gossip, c.Name, err)
	}
	a.learn(addr, c.Name)
	return addr, nil
}

// lookup turns host:port into an address. Of several it takes the first.
func lookup(ctx context.Context, hostport string) (netip.AddrPort, error) {
	host, service, err := net.SplitHostPort(hostport)
	if err != nil {
		return netip.AddrPort{}, err
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("port %q: want a number", service)
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return plain(netip.AddrPortFrom(ip, uint16(port))), nil
	}
	ctx, cancel := context.WithTimeout(ctx, resolveTimeout)
	defer cancel()
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return netip.AddrPort{}, err
	}
	return plain(netip.AddrPortFrom(ips[0], uint16(port))), nil
}

// plain gives an IPv4 address its one spelling.
func plain(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }
