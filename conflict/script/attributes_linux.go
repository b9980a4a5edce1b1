package script

import (
	"fmt"
	"os"
	"strconv"
	"syscall"
)

// sealFiles lets no file of this process be inherited. Go opens its files so
// that none is; but what this process has inherited itself, such as sockets
// from systemd, would go on to a worker.
func sealFiles() error {
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return fmt.Errorf("list the open files: %w", err)
	}
	for _, name := range names {
		if fd, err := strconv.Atoi(name.Name()); err == nil && fd > syscall.Stderr {
			syscall.CloseOnExec(fd)
		}
	}
	return nil
}

// attributes make a worker the leader of a process group of its own, and let
// the kernel end it with the thread that started it.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// killGroup ends a worker and whatever it might have started.
func killGroup(pid int) error { return syscall.Kill(-pid, syscall.SIGKILL) }
