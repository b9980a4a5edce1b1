package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// readyWithin is how long a process of the demo may take until it serves.
	readyWithin = 20 * time.Second

	// stopWithin is how long it may take to stop when it is asked to.
	stopWithin = 5 * time.Second

	// logTail is how many lines of the log of a process that failed are shown.
	logTail = 5
)

// demoProcess is one process of the demo: a member of its cluster.
type demoProcess struct {
	name    string
	role    string
	api     string // addresses, host:port
	peer    string
	gossip  string // of data nodes
	log     string // file with what it wrote to standard error
	sockets []handedSocket

	cmd    *exec.Cmd
	exited chan struct{} // closed when it has ended
}

// handedSocket is a socket that is bound here and given to the process, so that
// its port is known before anything is started, and nobody else can take it.
type handedSocket struct {
	name string
	file *os.File
}

// bind binds the sockets of a member on free loopback ports.
func (p *demoProcess) bind(ctx context.Context) error {
	var err error
	if p.api, err = p.listen(ctx, socketAPI); err != nil {
		return err
	}
	if p.peer, err = p.listen(ctx, socketPeer); err != nil {
		return err
	}
	if p.role == roleData {
		p.gossip, err = p.listenBoth(ctx, socketGossip)
	}
	return err
}

// listen binds a TCP socket on a free port.
func (p *demoProcess) listen(ctx context.Context, name string) (string, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return ln.Addr().String(), p.keep(name, ln.(*net.TCPListener))
}

// bothTries is how many free TCP ports are tried until one is free for UDP too.
const bothTries = 20

// listenBoth binds TCP and UDP on one free port.
func (p *demoProcess) listenBoth(ctx context.Context, name string) (string, error) {
	var failed error
	for range bothTries {
		ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return "", err
		}
		at := ln.Addr().String()
		packets, err := new(net.ListenConfig).ListenPacket(ctx, "udp", at)
		if err != nil {
			failed = errors.Join(err, ln.Close())
			continue
		}
		return at, errors.Join(p.keep(name, ln.(*net.TCPListener)), p.keep(name, packets.(*net.UDPConn)))
	}
	return "", failed
}

// keep holds a socket for the process that is to have it.
func (p *demoProcess) keep(name string, socket interface {
	File() (*os.File, error)
	Close() error
},
) error {
	file, err := socket.File()
	if err == nil {
		p.sockets = append(p.sockets, handedSocket{name, file})
	}
	return errors.Join(err, socket.Close())
}

// release closes this process's copies of the sockets.
func (p *demoProcess) release() {
	for _, s := range p.sockets {
		_ = s.file.Close() // the copy of a socket: there is nothing to lose
	}
	p.sockets = nil
}

// start starts the process and waits until it serves. ended is told when it
// ends after that.
func (p *demoProcess) start(ctx context.Context, program string, args, environ []string, ended func(error)) error {
	logFile, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer logFile.Close()
	p.cmd = exec.Command(program, args...) //nolint:noctx // it ends by stop, which lets it drain; a context would kill it
	p.cmd.Stderr = logFile
	p.cmd.Env = p.environment(environ)
	for _, s := range p.sockets {
		p.cmd.ExtraFiles = append(p.cmd.ExtraFiles, s.file)
	}
	p.cmd.SysProcAttr = childAttributes()
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	p.exited = make(chan struct{})
	ready := make(chan error, 1)
	go func() {
		early := awaitReady(out)
		ready <- early
		_, _ = io.Copy(io.Discard, out) // until it ends
		err := p.cmd.Wait()
		close(p.exited)
		if early == nil {
			ended(err)
		}
	}()
	select {
	case err = <-ready:
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(readyWithin):
		err = fmt.Errorf("it was not ready within %s", readyWithin)
	}
	if err != nil {
		return p.failure(err)
	}
	return nil
}

// awaitReady reads until the process says that it serves.
func awaitReady(out io.Reader) error {
	scanner := bufio.NewScanner(out)
	for scanner.Scan() {
		if strings.HasPrefix(scanner.Text(), "ready ") {
			return nil
		}
	}
	return errors.New("it ended before it was ready")
}

// plantVariable names the bug of a build that has planted ones. It configures
// nothing, so that processes inherit it.
const plantVariable = "SYNCLINE_PLANT="

// environment is this process's own, without what configures a Syncline
// process, and with the sockets.
func (p *demoProcess) environment(environ []string) []string {
	var out []string
	for _, v := range environ {
		foreign := !strings.HasPrefix(v, envPrefix) && !strings.HasPrefix(v, "LISTEN_")
		if foreign || strings.HasPrefix(v, plantVariable) {
			out = append(out, v)
		}
	}
	var names []string
	for _, s := range p.sockets {
		names = append(names, s.name)
	}
	return append(out, "LISTEN_FDS="+strconv.Itoa(len(names)), "LISTEN_FDNAMES="+strings.Join(names, ":"))
}

// failure adds the end of the process's log to an error.
func (p *demoProcess) failure(err error) error {
	text, readErr := os.ReadFile(p.log)
	if readErr != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	lines = lines[max(0, len(lines)-logTail):]
	return fmt.Errorf("%s: %w; the end of its log:\n  %s", p.name, err, strings.Join(lines, "\n  "))
}

// stop asks the process to drain and end, and kills it when it does not.
func (p *demoProcess) stop() {
	if p.exited == nil {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	select {
	case <-p.exited:
		return
	case <-time.After(stopWithin):
	}
	_ = p.cmd.Process.Kill() // as above
	<-p.exited
}
