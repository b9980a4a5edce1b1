package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	readyTimeout = 60 * time.Second // from the start of a process to its "ready" line
	stopTimeout  = 20 * time.Second // from SIGTERM to the end, then it is killed
)

// process is one program under test.
type process struct {
	name  string
	cmd   *exec.Cmd
	ready map[string]string // key=value pairs of the line "ready …"
	log   string            // file with all that it printed
	ended chan struct{}
	err   error // how it ended, valid after ended
}

// startProcess runs a program until it prints its line "ready …".
func startProcess(ctx context.Context, dir, name, program string, args ...string) (*process, error) {
	p := &process{name: name, log: filepath.Join(dir, name+".log"), ended: make(chan struct{})}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	p.cmd = exec.CommandContext(ctx, program, args...)
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = stopTimeout
	p.cmd.Stderr = log
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, errors.Join(err, log.Close())
	}
	if err := p.cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", name, err), log.Close())
	}
	ready := make(chan map[string]string, 1)
	go p.follow(stdout, log, ready)

	select {
	case p.ready = <-ready:
		return p, nil
	case <-p.ended:
		return nil, fmt.Errorf("%s ended before it was ready: %w\n%s", name, p.err, p.printed())
	case <-time.After(readyTimeout):
		return nil, errors.Join(fmt.Errorf("%s is not ready after %s\n%s", name, readyTimeout, p.printed()), p.stop())
	}
}

// follow reads the standard output to its end, then waits for the process.
func (p *process) follow(stdout io.Reader, log *os.File, ready chan<- map[string]string) {
	lines, announced := bufio.NewReader(stdout), false
	for {
		line, err := lines.ReadString('\n')
		fmt.Fprint(log, line)
		if rest, ok := strings.CutPrefix(line, "ready "); ok && !announced {
			announced = true
			ready <- pairs(rest)
		}
		if err != nil {
			break
		}
	}
	p.err = errors.Join(p.cmd.Wait(), log.Close())
	close(p.ended)
}

// pairs reads words of the form key=value.
func pairs(text string) map[string]string {
	found := map[string]string{}
	for word := range strings.FieldsSeq(text) {
		if key, value, ok := strings.Cut(word, "="); ok {
			found[key] = value
		}
	}
	return found
}

// stop ends the process in order, and by force when that takes too long.
func (p *process) stop() error {
	// An error says that it has ended already, which is what is wanted.
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
		return nil
	case <-time.After(stopTimeout):
	}
	err := fmt.Errorf("%s did not end within %s of SIGTERM", p.name, stopTimeout)
	if kill := p.cmd.Process.Kill(); kill != nil {
		return errors.Join(err, kill)
	}
	<-p.ended
	return err
}

// printed is what the process has printed so far, for error messages.
func (p *process) printed() string {
	data, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// residentBytes is the memory of the process as the kernel counts it (VmRSS).
func (p *process) residentBytes() (int64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("%s: no VmRSS in its status", p.name)
}
