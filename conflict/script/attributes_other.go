//go:build !unix

package script

import (
	"os"
	"syscall"
)

// attributes are none: there are no process groups. A worker ends with its
// parent by the end of its input, or by its fuse.
func attributes() *syscall.SysProcAttr { return nil }

// killGroup ends a worker.
func killGroup(pid int) error {
	p, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	return p.Kill()
}

// sealFiles does nothing: what Go opens is not inherited, and what this process
// has inherited is not known without /proc.
func sealFiles() error { return nil }
