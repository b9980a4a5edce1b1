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

// RandomScripts is Random with resolvers.
func RandomScripts(seed uint64, verbose bool) *World {
	return random(Config{Seed: seed, Scripts: true, Verbose: verbose})
}

func random(cfg Config) *World {
	seed := cfg.Seed
	shape := rand.New(rand.NewPCG(seed, 0x7368617065))
	w := New(Config{
		Seed: seed, Nodes: 2 + shape.IntN(maxNodes-1), Witness: shape.IntN(4) > 0, Full: shape.IntN(3) > 0,
		Keys: 1 + shape.IntN(4), MinDelay: 200 * time.Microsecond,
		MaxDelay: time.Duration(1+shape.IntN(60)) * time.Millisecond,
		Loss:     shape.Float64() * 0.05, Double: shape.Float64() * 0.1,
		Hold: shape.Float64() * 0.02, Break: shape.Float64() * 0.2,
		Commit: 5 * time.Millisecond, StopInCommit: 0.002, Scripts: cfg.Scripts, Verbose: cfg.Verbose,
	})
	w.Run(quietStart)
	w.Clients(clientCount, clientsEvery)
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
