package script

import (
	"os"
	"os/exec"
	"testing"
	"time"
)

// "A stalled worker is not a slow script": a process that is kept from its
// processor takes no time of it, one that computes takes what it computes for.
func TestProcessorTime(t *testing.T) {
	idle := exec.CommandContext(t.Context(), "cat")
	in, err := idle.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := idle.Start(); err != nil {
		t.Fatal(err)
	}
	before, told := processorTime(os.Getpid())
	if !told {
		t.Fatal("this process's time is not told")
	}
	for now := before; now < before+50*time.Millisecond; now, _ = processorTime(os.Getpid()) {
		continue // computing
	}
	if taken, told := processorTime(idle.Process.Pid); !told || taken > 50*time.Millisecond {
		t.Errorf("an idle process took %v, %v", taken, told)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := idle.Wait(); err != nil {
		t.Fatal(err)
	}
	if taken, told := processorTime(idle.Process.Pid); told {
		t.Errorf("a process that has ended took %v", taken)
	}
}
