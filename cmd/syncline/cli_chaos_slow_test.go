package main

import (
	"testing"
	"time"

	"github.com/syncline/syncline/node/link"
)

// "kind: cut, delay, loss, flap … the command line and the page set it on both
// ends" (API): a delay works where it is sent, so each end adds its own.
func TestSlowAndLossyLinks(t *testing.T) {
	t.Parallel()
	s := newCLIStand(t, true, "a", "b")
	a, b := s.nodes["a"], s.nodes["b"]
	s.run("chaos", "slow", "a", "b", "--delay", "70ms", "--for", "20s").want(t, exitOK, "a ↔ b", "delay")
	for _, n := range []*cliNode{a, b} {
		if len(n.faults) != 1 || n.faults[0].Kind != link.Delay || !n.faults[0].Both || time.Duration(n.faults[0].Delay) != 70*time.Millisecond {
			t.Errorf("%s has the faults %+v", n.name, n.faults)
		}
	}
	s.run("chaos", "heal").want(t, exitOK, "2 faults ended")
	s.run("chaos", "lose", "b", "a", "--loss", "0.5", "--one-way").want(t, exitOK, "b → a", "loss")
	if f := b.faults; len(f) != 1 || f[0].Kind != link.Loss || f[0].Both || f[0].Loss != 0.5 || time.Duration(f[0].Duration) != defaultCut {
		t.Errorf("b has the faults %+v", f)
	}
	if len(a.faults) != 0 {
		t.Errorf("one way is lost where it is sent, and a has %+v", a.faults)
	}
}

func TestSlowAndLossyLinksAreChecked(t *testing.T) {
	t.Parallel()
	s := newCLIStand(t, true, "a", "b")
	for _, args := range [][]string{
		{"slow", "a", "b", "--delay", "0s"},
		{"slow", "a", "b", "--delay", "11s"},
		{"slow", "a", "b", "--for", "25h"},
		{"slow", "a", "a"},
		{"lose", "a", "b", "--loss", "0"},
		{"lose", "a", "b", "--loss", "1.5"},
		{"lose", "a", "z", "--one-way"},
	} {
		s.run(append([]string{"chaos"}, args...)...).want(t, exitUsage)
	}
	for _, n := range s.nodes {
		if len(n.faults) != 0 {
			t.Errorf("%s has the faults %+v", n.name, n.faults)
		}
	}
}
