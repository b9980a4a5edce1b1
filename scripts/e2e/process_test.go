package e2e

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	// readyTimeout is how long a process may take to its line "ready …".
	readyTimeout = 30 * time.Second
	// stopTimeout is how long it may take to end after SIGTERM.
	stopTimeout = 20 * time.Second
)

// process is one process under test.
type process struct {
	t     *testing.T // for whose life it runs
	name  string
	cmd   *exec.Cmd
	log   string        // file with all that it printed
	ready chan struct{} // closed at its line "ready …"
	ended chan struct{} // closed when it has ended
	err   error         // how it ended, once ended is closed
}

// command is how a process is started.
type command struct {
	name  string // of the process, for logs
	dir   string // where its log goes
	args  []string
	env   []string
	files []*os.File // handed over from descriptor 3 on
}

// launch starts a process that runs for the life of a test at most, and does
// not wait for it.
func launch(t *testing.T, c command) *process {
	t.Helper()
	p := &process{
		t: t, name: c.name, log: filepath.Join(c.dir, c.name+".log"),
		ready: make(chan struct{}), ended: make(chan struct{}),
	}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	p.cmd = exec.CommandContext(t.Context(), os.Getenv(envBinary), c.args...)
	p.cmd.Env = append(os.Environ(), c.env...)
	p.cmd.ExtraFiles = c.files
	p.cmd.Stderr = log
	p.cmd.SysProcAttr = attributes()
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	started := make(chan error)
	go func() {
		// The kernel ends the process with the thread that started it, not with
		// this whole program, so the thread must stay.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(p.ended)
		err := p.cmd.Start()
		started <- err
		if err != nil {
			p.err = errors.Join(err, log.Close())
			return
		}
		announced := false
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			fmt.Fprintln(log, lines.Text())
			if strings.HasPrefix(lines.Text(), "ready ") && !announced {
				announced = true
				close(p.ready)
			}
		}
		p.err = p.cmd.Wait()
		log.Close()
	}()
	if err := <-started; err != nil {
		t.Fatalf("start %s: %v", c.name, err)
	}
	t.Cleanup(p.kill)
	return p
}

// awaitReady waits for the line "ready …".
func (p *process) awaitReady(t *testing.T) {
	t.Helper()
	select {
	case <-p.ready:
	case <-p.ended:
		t.Fatalf("%s ended before it was ready: %v\n%s", p.name, p.err, p.printed())
	case <-time.After(readyTimeout):
		t.Fatalf("%s is not ready after %s\n%s", p.name, readyTimeout, p.printed())
	}
}

// kill ends the process and all that it may have started, at once.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.ended
}

// signal sends a signal to the process's group, unless it has ended.
func (p *process) signal(s syscall.Signal) {
	select {
	case <-p.ended:
		return
	default:
	}
	if err := syscall.Kill(-p.cmd.Process.Pid, s); err != nil && !errors.Is(err, syscall.ESRCH) {
		p.t.Errorf("%s: %v: %v", p.name, s, err)
	}
}

// terminate asks the process to end, and fails unless it exits with 0.
func (p *process) terminate(t *testing.T) {
	t.Helper()
	p.signal(syscall.SIGTERM)
	select {
	case <-p.ended:
		if p.err != nil {
			t.Errorf("%s ended with %v after SIGTERM\n%s", p.name, p.err, p.printed())
		}
	case <-time.After(stopTimeout):
		t.Errorf("%s did not end within %s of SIGTERM\n%s", p.name, stopTimeout, p.printed())
		p.kill()
	}
}

// alive says whether the process runs.
func (p *process) alive() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// printed is what the process has printed so far.
func (p *process) printed() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
