package script

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// confine limits this process: address space, stack, files, privileges. It
// keeps to one core and yields to others, so that scripts slow nobody down.
func confine() error {
	runtime.GOMAXPROCS(1)
	debug.SetMaxStack(workerStack)
	debug.SetMemoryLimit(workerHeap)
	debug.SetGCPercent(workerGarbage)
	// The first timer makes the runtime open its files. It must happen before
	// the limit below.
	time.NewTimer(time.Hour).Stop()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("give up new privileges: %w", err)
	}
	if err := unix.Setpriority(unix.PRIO_PGRP, 0, workerNice); err != nil {
		return fmt.Errorf("lower the priority: %w", err)
	}
	taken, err := addressSpace()
	if err != nil {
		return err
	}
	for _, limit := range []struct {
		resource int
		most     uint64
	}{
		{unix.RLIMIT_CORE, 0},
		{unix.RLIMIT_FSIZE, 0},
		{unix.RLIMIT_NOFILE, workerFiles},
		{unix.RLIMIT_AS, taken + workerMemory},
	} {
		if err := syscall.Setrlimit(limit.resource, &syscall.Rlimit{Cur: limit.most, Max: limit.most}); err != nil {
			return fmt.Errorf("set resource limit %d to %d: %w", limit.resource, limit.most, err)
		}
	}
	return nil
}

// addressSpace is what this process has taken of its addresses, in bytes.
func addressSpace() (uint64, error) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, fmt.Errorf("read the size of the address space: %w", err)
	}
	pages, _, _ := bytes.Cut(text, []byte(" "))
	n, err := strconv.ParseUint(string(pages), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read the size of the address space: %w", err)
	}
	return n * uint64(os.Getpagesize()), nil
}
