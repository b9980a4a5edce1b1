//go:build !linux

package script

import (
	"runtime"
	"runtime/debug"
)

// confine limits what the Go runtime can limit. Without Linux there is no
// address-space limit that the runtime survives: the kill timer and the limit
// of the stack remain, and the heap's limit is soft.
func confine() error {
	runtime.GOMAXPROCS(1)
	debug.SetMaxStack(workerStack)
	debug.SetMemoryLimit(workerHeap)
	debug.SetGCPercent(workerGarbage)
	return nil
}
