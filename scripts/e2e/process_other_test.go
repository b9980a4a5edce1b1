//go:build !linux

package e2e

import "syscall"

// attributes make a process the leader of a group. Without Linux nothing ends
// it when the test is killed.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// childrenOf cannot look without /proc.
func childrenOf(int) []string { return nil }
