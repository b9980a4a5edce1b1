package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"github.com/syncline/syncline/node"
)

// What makes a disk fail in a commit holds for a whole process. So these tests
// run in a process of their own: this binary, told by its environment which
// fault to make in the folder that is its argument.

const (
	faultEnv  = "SYNCLINE_SQLITE_FAULT"
	exitSkip  = 77 // the machine does not let the child make the fault
	childRows = 10 // documents that it has committed before
)

// "Every goroutine ends with its context."
func TestMain(m *testing.M) {
	fault := os.Getenv(faultEnv)
	if fault == "" {
		goleak.VerifyTestMain(m)
		return
	}
	err := runFault(context.Background(), fault, os.Args[len(os.Args)-1])
	switch {
	case errors.Is(err, errSkip):
		fmt.Println(err)
		os.Exit(exitSkip)
	case err != nil:
		fmt.Println(err)
		os.Exit(1)
	}
}

var errSkip = errors.New("not on this machine")

func runFault(ctx context.Context, fault, dir string) error {
	switch fault {
	case "failing":
		return failingDisk(ctx, dir)
	case "full":
		return fullDisk(ctx, dir)
	}
	return fmt.Errorf("no fault is called %q", fault)
}

// child runs a fault in a process of its own.
func child(t *testing.T, fault, dir string, attr *syscall.SysProcAttr) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, dir)
	cmd.Env = append(os.Environ(), faultEnv+"="+fault)
	cmd.SysProcAttr = attr
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) {
		t.Skipf("this user may not give a process mounts of its own: %v", err)
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == exitSkip {
		t.Skip(string(out))
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// running opens a store as a node does, and commits some documents.
func running(ctx context.Context, dir string) (*Store, error) {
	s, err := Open(ctx, Config{Dir: dir, Full: true})
	if err != nil {
		return nil, err
	}
	err = s.Update(ctx, func(tx node.Tx) error { return tx.SetMeta(node.Meta{Actor: actor, Full: true}) })
	return s, errors.Join(err, put(ctx, s, 1, childRows, 100))
}

// "An I/O or fsync error on commit ends the process … the restart checks the
// file" (DESIGN 12); "an fsync is never retried".
func TestFailingDisk(t *testing.T) {
	dir := t.TempDir()
	child(t, "failing", dir, nil)
	holds(t, open(t, Config{Dir: dir, Full: true}), childRows)
}

// failingDisk makes writes fail by a limit on the size of files.
func failingDisk(ctx context.Context, dir string) error {
	s, err := running(ctx, dir)
	if err != nil {
		return err
	}
	sizes, err := s.Sizes()
	if err != nil {
		return err
	}
	signal.Ignore(syscall.SIGXFSZ)
	limit := syscall.Rlimit{}
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	limit.Cur = uint64(max(sizes.Log, sizes.File) + 2*pageSize)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	failed := put(ctx, s, childRows+1, childRows+20, pageSize)
	if failed == nil || node.KindOf(failed) == node.DiskFull {
		return fmt.Errorf("a commit that could not be written: %w, want an error of no kind that promises anything", failed)
	}
	// The disk is well again, but nobody knows what it has kept.
	limit.Cur = limit.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	err = s.Update(ctx, func(node.Tx) error { return errors.New("it ran") })
	if !errors.Is(err, errBroken) {
		return fmt.Errorf("an update after the failure: %w, want that it is refused", err)
	}
	if err := s.Sync(ctx); !errors.Is(err, errBroken) {
		return fmt.Errorf("a sync after the failure: %w, want that it is refused", err)
	}
	if err := check(ctx, s, childRows); err != nil {
		return fmt.Errorf("reading after the failure: %w", err)
	}
	before, err := os.Stat(s.cfg.logPath())
	if err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return err
	}
	after, err := os.Stat(s.cfg.logPath())
	if err != nil || after.Size() != before.Size() {
		return fmt.Errorf("Close touched the log after a failure: %w", err)
	}
	return nil
}

// "DiskFull: nothing was applied" also where the disk fills in the commit, and
// the store goes on once there is room.
func TestFullDisk(t *testing.T) {
	child(t, "full", t.TempDir(), &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS})
}

// fullDisk fills a small file system, which goes with this process.
func fullDisk(ctx context.Context, dir string) error {
	const ballast = 256 << 10
	if err := syscall.Mount("none", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("%w: %w", errSkip, err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		return fmt.Errorf("%w: %w", errSkip, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "ballast"), make([]byte, ballast), 0o600); err != nil {
		return err
	}
	s, err := running(ctx, dir)
	if err != nil {
		return err
	}
	rows := childRows
	for err == nil && rows < 1000 {
		if err = put(ctx, s, rows+1, rows+1, pageSize); err == nil {
			rows++
		}
	}
	if node.KindOf(err) != node.DiskFull {
		return fmt.Errorf("a full disk after %d documents: %w, want kind %s", rows, err, node.DiskFull)
	}
	if err := check(ctx, s, rows); err != nil {
		return fmt.Errorf("after the disk was full: %w", err)
	}
	if err := os.Remove(filepath.Join(dir, "ballast")); err != nil {
		return err
	}
	if err := put(ctx, s, rows+1, rows+1, pageSize); err != nil {
		return fmt.Errorf("with room again: %w", err)
	}
	if err := s.Close(); err != nil {
		return err
	}
	if s, err = Open(ctx, Config{Dir: dir}); err != nil {
		return err
	}
	return errors.Join(check(ctx, s, rows+1), s.Close())
}
