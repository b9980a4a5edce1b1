package link

import (
	"net"
	"sync/atomic"
	"time"
)

// MaxPackets is how many packets of one socket may be under way in a delay.
// More are lost, as in a full buffer of a router.
const MaxPackets = 1024

// WrapPacket returns a packet socket that belongs to the link. peerOf names the
// peer at an address, or returns "" for one that it does not know: no fault
// applies to such packets, and no figure counts them. Faults act without
// telling the sender, as on a real network.
func (l *Link) WrapPacket(inner net.PacketConn, peerOf func(net.Addr) string) net.PacketConn {
	return &packetConn{PacketConn: inner, link: l, peerOf: peerOf}
}

type packetConn struct {
	net.PacketConn
	link     *Link
	peerOf   func(net.Addr) string
	underway atomic.Int64
}

// ReadFrom implements net.PacketConn.
func (pc *packetConn) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, addr, err := pc.PacketConn.ReadFrom(b)
		if err != nil {
			return n, addr, err
		}
		name := pc.peerOf(addr)
		if name == "" {
			return n, addr, nil
		}
		p := pc.link.state(name)
		if p.effect.Load().cutIn {
			p.count.lost.Add(uint64(n))
			continue
		}
		p.count.in.Add(uint64(n))
		p.count.heard.Store(pc.link.cfg.Now().UnixNano())
		return n, addr, nil
	}
}

// WriteTo implements net.PacketConn.
func (pc *packetConn) WriteTo(b []byte, addr net.Addr) (int, error) {
	name := pc.peerOf(addr)
	if name == "" {
		return pc.PacketConn.WriteTo(b, addr)
	}
	p := pc.link.state(name)
	eff := p.effect.Load()
	if eff.cutOut || eff.loss > 0 && pc.link.cfg.Random() < eff.loss {
		p.count.lost.Add(uint64(len(b)))
		return len(b), nil
	}
	if eff.delay > 0 {
		pc.later(p, eff.delay, append([]byte(nil), b...), addr)
		return len(b), nil
	}
	n, err := pc.PacketConn.WriteTo(b, addr)
	p.count.out.Add(uint64(n))
	return n, err
}

// later sends a packet after a delay, if the link is not cut by then. A socket
// that was closed meanwhile loses it.
func (pc *packetConn) later(p *peerState, delay time.Duration, data []byte, addr net.Addr) {
	if pc.underway.Add(1) > MaxPackets {
		pc.underway.Add(-1)
		p.count.lost.Add(uint64(len(data)))
		return
	}
	time.AfterFunc(delay, func() {
		defer pc.underway.Add(-1)
		if !p.effect.Load().cutOut {
			if n, err := pc.PacketConn.WriteTo(data, addr); err == nil {
				p.count.out.Add(uint64(n))
				return
			}
		}
		p.count.lost.Add(uint64(len(data)))
	})
}
