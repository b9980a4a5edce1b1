package script

import (
	"syscall"
	"time"
)

// reapedTime is how much processor time the children of this process took that
// have ended.
func reapedTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_CHILDREN, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
