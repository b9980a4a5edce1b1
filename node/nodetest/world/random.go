package world

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Shape of random worlds.
const (
	quietStart   = 3 * time.Second  // until all votes are in place, mostly
	troubledFor  = 15 * time.Second // chaos under load
	clientsEvery = 150 * time.Millisecond
	chaosEvery   = 800 * time.Millisecond
	clientCount  = 3
	maxNodes     = 5
)

// Random makes the world of a seed, its shape too, runs it and checks it.
func Random(seed uint64, verbose bool) *World { return random(Config{Seed: seed, Verbose: verbose}) }

// RandomScripts is Random with resolvers, and with people who resolve and
// restore.
func RandomScripts(seed uint64, verbose bool) *World {
	return random(Config{Seed: seed, Scripts: true, Undo: true, Sweep: true, Verbose: verbose})
}

// RandomMerge is Random with a collection whose numbers are added up from the
// start, and with people who resolve and restore.
func RandomMerge(seed uint64, verbose bool) *World {
	return random(Config{Seed: seed, Merge: true, Undo: true, Sweep: true, Verbose: verbose})
}

func random(cfg Config) *World {
	shape := rand.New(rand.NewPCG(cfg.Seed, 0x7368617065))
	cfg.Nodes, cfg.Witness, cfg.Full = 2+shape.IntN(maxNodes-1), shape.IntN(4) > 0, shape.IntN(3) > 0
	cfg.Keys, cfg.MinDelay = 1+shape.IntN(4), 200*time.Microsecond
	cfg.MaxDelay = time.Duration(1+shape.IntN(60)) * time.Millisecond
	cfg.Loss, cfg.Double = shape.Float64()*0.05, shape.Float64()*0.1
	cfg.Hold, cfg.Break = shape.Float64()*0.02, shape.Float64()*0.2
	cfg.Commit, cfg.StopInCommit = 5*time.Millisecond, 0.002
	if cfg.Sweep {
		cfg.History = []string{"0s", shortKeep, "forever"}[shape.IntN(3)]
		cfg.Records = []string{"", shortKeep, "forever"}[shape.IntN(3)]
	}
	w := New(cfg)
	w.Run(quietStart)
	if cfg.Merge && !w.mergeFromNow() {
		return w
	}
	w.Clients(clientCount, clientsEvery)
	if cfg.Merge {
		w.Run(quietStart) // more commits than a crash loses, so that none loses the policy
	}
	w.Chaos(w.now+troubledFor, chaosEvery)
	w.Run(troubledFor + chaosEvery)
	w.Finish()
	return w
}

// Add sums what runs have reached.
func (s Stats) Add(o Stats) Stats {
	return Stats{
		Writes: s.Writes + o.Writes, Acked: s.Acked + o.Acked, Refused: s.Refused + o.Refused, LeaseLost: s.LeaseLost + o.LeaseLost,
		Settled: s.Settled + o.Settled, Configured: s.Configured + o.Configured, Loose: s.Loose + o.Loose, Resumed: s.Resumed + o.Resumed, Crashes: s.Crashes + o.Crashes,
		Stops: s.Stops + o.Stops, Takeovers: s.Takeovers + o.Takeovers,
		Stored: s.Stored + o.Stored, Scripted: s.Scripted + o.Scripted, FailedHere: s.FailedHere + o.FailedHere, LeftOpen: s.LeftOpen + o.LeftOpen,
		Resolved: s.Resolved + o.Resolved, Undone: s.Undone + o.Undone, Swept: s.Swept + o.Swept, Kept: s.Kept + o.Kept, Summed: s.Summed + o.Summed,
	}
}

// String lists what was reached.
func (s Stats) String() string {
	text := fmt.Sprintf("%d writes (%d acknowledged, %d refused, %d after the lease), %d settlements, %d configurations, "+
		"%d loose rows, %d transfers resumed, %d crashes, %d stops, %d times a node became writable",
		s.Writes, s.Acked, s.Refused, s.LeaseLost, s.Settled, s.Configured, s.Loose, s.Resumed, s.Crashes, s.Stops, s.Takeovers)
	if s.Stored > 0 {
		text += fmt.Sprintf("; %d resolvers stored, %d settlements by one, %d values that stood in on one node, %d conflicts left open",
			s.Stored, s.Scripted, s.FailedHere, s.LeftOpen)
	}
	if s.Undone > 0 {
		text += fmt.Sprintf("; %d conflicts resolved, %d restored, reverted or reviewed, %d sweeps, %d former versions compared, %d sums",
			s.Resolved, s.Undone, s.Swept, s.Kept, s.Summed)
	}
	return text
}

// Void says what the runs together should have reached and have not; "" when
// they reached all. A green run that tested nothing is not green.
func (s Stats) Void() string {
	for name, n := range map[string]int{
		"acknowledged writes": s.Acked, "refused writes": s.Refused, "writes after the lease": s.LeaseLost, "settlements": s.Settled, "configurations": s.Configured,
		"loose rows": s.Loose, "resumed transfers": s.Resumed, "crashes": s.Crashes, "stops": s.Stops, "takeovers": s.Takeovers,
	} {
		if n == 0 {
			return name
		}
	}
	return ""
}

// VoidPeople is Void for worlds with people who resolve and restore.
func (s Stats) VoidPeople() string {
	for name, n := range map[string]int{
		"conflicts that a person ended": s.Resolved, "restores": s.Undone, "sweeps": s.Swept, "former versions": s.Kept,
	} {
		if n == 0 {
			return name
		}
	}
	return ""
}
