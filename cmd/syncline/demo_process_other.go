//go:build !linux

package main

import "syscall"

// childAttributes keep a terminal's Ctrl-C away from the processes of the demo,
// which stops them in its own order.
func childAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
