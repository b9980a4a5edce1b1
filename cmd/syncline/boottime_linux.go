package main

import (
	"time"

	"golang.org/x/sys/unix"
)

// bootTime returns the boot-time clock, which leases count on: it counts
// suspends, and nobody sets it. Go's own timers stop in a suspend.
func bootTime() (func() time.Duration, error) {
	read := func() (time.Duration, error) {
		var ts unix.Timespec
		err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts)
		return time.Duration(ts.Nano()), err
	}
	if _, err := read(); err != nil {
		return nil, err
	}
	return func() time.Duration {
		now, err := read()
		if err != nil {
			panic("the boot-time clock worked at the start, and does not now: " + err.Error())
		}
		return now
	}, nil
}
