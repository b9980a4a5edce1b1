//go:build !linux

package main

import "time"

// bootTime stands in for the boot-time clock on systems other than Linux: the
// monotonic clock of the process. It may stop while the machine is suspended;
// then the wall clock is seen to run ahead at the first step after it, and the
// node gives its leases up before it answers anything (PROTOCOL X4). What it
// does not catch is a suspend of less than a second, so B grows by that much.
func bootTime() (func() time.Duration, error) {
	start := time.Now()
	return func() time.Duration { return time.Since(start) }, nil
}
