package script

import (
	"time"

	"golang.org/x/sys/unix"
)

// processorTime is how much of the processors a process has taken since its
// start, of all its threads. It is not told when there is no such process.
func processorTime(pid int) (taken time.Duration, told bool) {
	// The clock of a process, as clock_getcpuclockid(3) makes it of its id.
	const scheduled = 2
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|scheduled), &t); err != nil {
		return 0, false
	}
	return time.Duration(t.Nano()), true
}
