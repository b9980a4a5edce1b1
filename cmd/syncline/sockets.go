package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// The names of handed over sockets.
const (
	socketAPI    = "api"
	socketPeer   = "peer"
	socketGossip = "gossip" // twice: a TCP listener and a UDP socket
)

const (
	// firstSocket is the descriptor at which handed over sockets begin.
	firstSocket = 3
	// maxSockets is the most descriptors that may be handed over.
	maxSockets = 64
)

// sockets are what a process listens on. Each is bound by this process, or was
// handed over by the one that started it (systemd's protocol, sd_listen_fds).
type sockets struct {
	api, peer net.Listener
	gossip    net.Listener   // nil without an address for it
	packets   net.PacketConn // nil without an address for it
}

// handover says which sockets a starting process has left.
type handover struct {
	getenv func(string) string
	pid    int
	open   func(fd uintptr, name string) *os.File
	hide   func(fd uintptr) // from children of this process
}

func hide(fd uintptr) { syscall.CloseOnExec(int(fd)) }

// takeSockets takes over what was left for this process.
func takeSockets(a *app) (*sockets, error) {
	return handover{getenv: a.getenv, pid: os.Getpid(), open: os.NewFile, hide: hide}.take()
}

// take takes over the sockets that were handed over; none is no error. Where
// LISTEN_PID is set, it must name this process: the variables may have been
// meant for a parent. A parent that cannot know the number of its child before
// it starts it leaves LISTEN_PID out.
func (h handover) take() (*sockets, error) {
	s := &sockets{}
	count, pid := h.getenv("LISTEN_FDS"), h.getenv("LISTEN_PID")
	if count == "" || pid != "" && pid != strconv.Itoa(h.pid) {
		return s, nil
	}
	n, err := strconv.Atoi(count)
	if err != nil || n < 0 || n > maxSockets {
		return nil, fmt.Errorf("LISTEN_FDS is %q: want a number from 0 to %d", count, maxSockets)
	}
	names := strings.Split(h.getenv("LISTEN_FDNAMES"), ":")
	if n > 0 && len(names) != n {
		return nil, fmt.Errorf("LISTEN_FDNAMES has %d names for %d sockets", len(names), n)
	}
	for i := range n {
		fd := uintptr(firstSocket + i)
		h.hide(fd)
		if err := s.adopt(names[i], h.open(fd, names[i])); err != nil {
			return nil, oneError(fmt.Errorf("handed over socket %d (%s): %w", fd, names[i], err), s.close())
		}
	}
	return s, nil
}

// adopt puts a handed over socket into its place. The file is a second
// descriptor of it, which is not needed any more.
func (s *sockets) adopt(name string, f *os.File) (err error) {
	if f == nil {
		return errors.New("there is no such descriptor")
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if packets, err := net.FilePacketConn(f); err == nil {
		if name != socketGossip || s.packets != nil {
			return oneError(errors.New("no packet socket is wanted under this name"), packets.Close())
		}
		s.packets = packets
		return nil
	}
	ln, err := net.FileListener(f)
	if err != nil {
		return fmt.Errorf("it is no listening socket: %w", err)
	}
	place := map[string]*net.Listener{socketAPI: &s.api, socketPeer: &s.peer, socketGossip: &s.gossip}[name]
	if place == nil || *place != nil {
		return oneError(fmt.Errorf("want each of the names %s, %s, %s at most once", socketAPI, socketPeer, socketGossip), ln.Close())
	}
	*place = ln
	return nil
}

// bind binds what was not handed over. An empty address is not bound.
func (s *sockets) bind(ctx context.Context, at addresses) error {
	var err error
	for _, l := range []struct {
		name, address string
		place         *net.Listener
	}{{socketAPI, at.API, &s.api}, {socketPeer, at.Peer, &s.peer}, {socketGossip, at.Gossip, &s.gossip}} {
		if l.address == "" || *l.place != nil {
			continue
		}
		var ln net.Listener
		if ln, err = new(net.ListenConfig).Listen(ctx, "tcp", l.address); err != nil {
			return s.refused(l.name, l.address, err)
		}
		*l.place = ln
	}
	if at.Gossip == "" || s.packets != nil {
		return nil
	}
	packets, err := new(net.ListenConfig).ListenPacket(ctx, "udp", at.Gossip)
	if err != nil {
		return s.refused(socketGossip, at.Gossip, err)
	}
	s.packets = packets
	return nil
}

// refused says why an address cannot be had, and lets go of the others.
func (s *sockets) refused(name, address string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		err = fmt.Errorf("%s address %s: another process listens there: stop it, or change the address in the configuration (%w)", name, address, syscall.EADDRINUSE)
	} else {
		err = fmt.Errorf("%s address %s: %w", name, address, err)
	}
	return oneError(err, s.close())
}

// close lets go of all sockets, also of those that their servers have closed.
func (s *sockets) close() error {
	var err error
	let := func(c io.Closer) {
		if closed := c.Close(); !errors.Is(closed, net.ErrClosed) {
			err = errors.Join(err, closed)
		}
	}
	for _, ln := range []net.Listener{s.api, s.peer, s.gossip} {
		if ln != nil {
			let(ln)
		}
	}
	if s.packets != nil {
		let(s.packets)
	}
	return err
}

// exposed says whether others than this machine can reach a listener.
func exposed(ln net.Listener) bool {
	tcp, ok := ln.Addr().(*net.TCPAddr)
	return !ok || !tcp.IP.IsLoopback()
}

// bound is where a process listens: the addresses of the roster, unless the
// file says otherwise.
func bound(m roleMember, listen addresses) addresses {
	out := m.addresses
	if listen.API != "" {
		out.API = listen.API
	}
	if listen.Peer != "" {
		out.Peer = listen.Peer
	}
	if listen.Gossip != "" {
		out.Gossip = listen.Gossip
	}
	return out
}
