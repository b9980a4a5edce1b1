//go:build !linux

package script

import "time"

// processorTime is not told: the wall clock counts.
func processorTime(int) (taken time.Duration, told bool) { return 0, false }
