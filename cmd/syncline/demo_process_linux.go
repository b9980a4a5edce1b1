package main

import "syscall"

// childAttributes keep a terminal's Ctrl-C away from the processes of the demo,
// which stops them in its own order, and end them when it is killed.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
