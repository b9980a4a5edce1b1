package main

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/syncline/syncline/scripts/chaos"
)

// A run that was killed leaves its namespaces; the next one takes them away, and
// nothing else.
func TestSweepNamespaces(t *testing.T) {
	t.Parallel()
	if err := canNamespaces(); err != nil {
		t.Skip(err)
	}
	gone := exec.CommandContext(t.Context(), "true")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	dead, own := fmt.Sprintf("sl%d-", gone.Process.Pid), fmt.Sprintf("sl%d-", os.Getpid())
	n := &namespaceCluster{chaosProcesses: newChaosProcesses(chaos.Spec{}, chaosRun{})}
	made := []string{dead + "hub", dead + "a", dead + "b", own + "hub", own + "a", strings.TrimSuffix(dead, "-") + "0-a", fmt.Sprintf("slow%d-hub", os.Getpid())}
	left := made[3:]
	for _, space := range made {
		if err := n.ip(t.Context(), "netns add "+space); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", space).Run() }) //nolint:noctx // the test's own has ended
	}
	tenant := exec.CommandContext(t.Context(), "ip", "netns", "exec", dead+"b", "cat")
	hold, err := tenant.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := tenant.Start(); err != nil {
		t.Fatal(err)
	}
	for !nsInhabited(t.Context(), dead+"b") { // ip enters it before it becomes the command
		if t.Context().Err() != nil {
			t.Fatal("nothing lives in the namespace")
		}
	}
	// While a process of the run lives, its network is left alone.
	for _, want := range [][]string{made, left} {
		if err := n.sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, space := range made {
			if _, err := os.Stat("/run/netns/" + space); (err == nil) != slices.Contains(want, space) {
				t.Errorf("%s: %v; want to see %v", space, err, want)
			}
		}
		if slices.Contains(want, dead+"b") {
			_ = hold.Close()
			if err := tenant.Wait(); err != nil {
				t.Fatal(err)
			}
		}
	}
}
