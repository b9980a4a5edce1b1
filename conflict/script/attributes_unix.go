//go:build unix && !linux

package script

import "syscall"

// attributes make a worker the leader of a process group of its own. It ends
// with its parent by the end of its input, or by its fuse.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// killGroup ends a worker and whatever it might have started.
func killGroup(pid int) error { return syscall.Kill(-pid, syscall.SIGKILL) }

// sealFiles does nothing: what Go opens is not inherited, and what this process
// has inherited is not known without /proc.
func sealFiles() error { return nil }
