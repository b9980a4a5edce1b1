package script

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// children lists the processes of a parent, dead ones that nobody waited for
// too, whose command line has the word. A dead one has no command line.
func children(parent int, word string) []int {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		panic(err)
	}
	var out []int
	for _, file := range stats {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended meanwhile
		}
		id, rest, _ := strings.Cut(string(text), " ")
		f := strings.Fields(rest[strings.LastIndex(rest, ")")+1:]) // state parent …
		command, err := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline"))
		if err != nil || f[1] != strconv.Itoa(parent) {
			continue
		}
		if f[0] == "Z" || slices.Contains(strings.Split(string(command), "\x00"), word) {
			if pid, err := strconv.Atoi(id); err == nil {
				out = append(out, pid)
			}
		}
	}
	return out
}

// signalOnly sends a signal to the one worker whose command line has the word,
// and returns its id.
func signalOnly(t *testing.T, word string, s syscall.Signal) int {
	t.Helper()
	pids := children(os.Getpid(), word)
	if len(pids) != 1 {
		t.Fatalf("workers %v", pids)
	}
	if err := syscall.Kill(pids[0], s); err != nil {
		t.Fatal(err)
	}
	return pids[0]
}

// eventually polls a condition.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatal(what + ": not within a minute")
		}
		time.Sleep(5 * time.Millisecond) // the pace of the poll, not a wait for luck
	}
}

// Issue 4, point 3: "a warm child process of the same binary with address-space
// limit, kill timer, output limit and no inherited files or environment".
func TestWorkerIsAlone(t *testing.T) {
	t.Setenv("SYNCLINE_SECRET", "canary")
	// As systemd hands sockets over: open, and to be inherited.
	fd, err := syscall.Open(filepath.Join(t.TempDir(), "open"), syscall.O_CREAT|syscall.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Close(fd) }()
	p := startPool(t, PoolConfig{Command: workerCommand(t, "look")})
	r, err := p.Resolve(t.Context(), compile(t, goodSource), bank())
	if err != nil || r.Verdict != Defer {
		t.Fatalf("%+v %v", r, err)
	}
	want := []string{
		"address space bounded true <nil>",
		`environment []`,
		`files ["pipe" "pipe" "pipe"]`,
		"folder /",
		"leads its group true",
		"limit core 0 0",
		"limit files 16 16",
		"limit written 0 0",
		"nice 3 <nil>",
	}
	if !slices.Equal(r.Notes, want) {
		t.Errorf("it finds\n%s\nwant\n%s", strings.Join(r.Notes, "\n"), strings.Join(want, "\n"))
	}
}

// Issue 4, point 3: "restart when it dies". A worker that dies while nobody
// needs it costs no call.
func TestIdleDeath(t *testing.T) {
	died := make(chan error, 16)
	p := startPool(t, PoolConfig{Command: workerCommand(t, "good-idle"), Died: func(err error) { died <- err }})
	s := compile(t, goodSource)
	for range 3 {
		mustResolve(t, p, s)
		signalOnly(t, "good-idle", syscall.SIGKILL)
		if err := <-died; !strings.Contains(err.Error(), "signal: killed") {
			t.Error(err)
		}
	}
	mustResolve(t, p, s)
}

// FAILURES row 28: "others' latency unharmed". Two workers are killed again and
// again, and no process is left of them, dead or alive.
func TestNoProcessIsLeft(t *testing.T) {
	t.Run("run", func(t *testing.T) {
		p := startPool(t, PoolConfig{Command: workerCommand(t, "good-left"), Workers: 2})
		bomb := compile(t, "def resolve(c):\n    return {\"n\": list(range(1 << 40))}\n")
		for range 10 {
			r, err := p.Resolve(t.Context(), bomb, bank())
			if err != nil || r.Failure == nil || !r.Failure.Kind.Local() {
				t.Fatalf("%+v %v", r, err)
			}
			mustResolve(t, p, compile(t, goodSource))
		}
		if n := len(children(os.Getpid(), "good-left")); n > 2 {
			t.Errorf("%d processes for two workers", n)
		}
	})
	if pids := children(os.Getpid(), "good-left"); len(pids) > 0 {
		t.Errorf("left behind: %v", pids)
	}
}

// doc.go: a worker "does not outlive its parent", not even a busy one.
func TestParentDies(t *testing.T) {
	command := workerCommand(t, "parent")
	parent := exec.CommandContext(t.Context(), command[0], command[1:]...)
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := parent.Wait(); err == nil {
		t.Error("the parent ended by itself")
	}
	eventually(t, "the worker ends", func() bool {
		state, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		return err != nil || strings.Contains(string(state), ") Z ") // its new parent may be slow to look
	})
}

// A worker that is kept from its processor has done nothing wrong: its call
// goes on when it does.
func TestStalledWorker(t *testing.T) {
	p := startPool(t, PoolConfig{Command: workerCommand(t, "good-stalled")})
	s := compile(t, goodSource)
	mustResolve(t, p, s)
	pid := signalOnly(t, "good-stalled", syscall.SIGSTOP)
	goOn := time.AfterFunc(2*KillAfter, func() { _ = syscall.Kill(pid, syscall.SIGCONT) })
	defer goOn.Stop()
	mustResolve(t, p, s)
	if now := children(os.Getpid(), "good-stalled"); !slices.Equal(now, []int{pid}) {
		t.Errorf("worker %v is now %v", pid, now)
	}
}
