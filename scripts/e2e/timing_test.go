package e2e

import "time"

const (
	// stall is for how long the machine may keep any process waiting, now and
	// then. What must come within a bound is given so much more; how exactly a
	// bound is met, the simulation shows (node/nodetest/world).
	stall = 5 * time.Second
	// longLease is a lease that no such stall can end. A row that says that no
	// write is refused needs it; one that does not is shown at the default lease.
	longLease = stall + time.Second

	beat    = 150 * time.Millisecond
	lease   = 1500 * time.Millisecond // the default
	drift   = 1                       // ρ, in per cent
	guarded = 70 * time.Millisecond   // the guard
)

// timing is what follows from a lease (PROTOCOL part 2).
type timing struct {
	lease   time.Duration
	promise time.Duration // T'
	bound   time.Duration // B for two data nodes and a witness
}

func timingOf(lease time.Duration) timing {
	const step = 50 * time.Millisecond // to which T' is rounded up
	stretched := lease*(100+drift)/(100-drift) + guarded
	exchange := 2*beat + 250*time.Millisecond // D
	return timing{lease: lease, promise: (stretched + step - 1) / step * step, bound: drifted(lease + exchange)}
}

// drifted is d on a clock that is slow by ρ.
func drifted(d time.Duration) time.Duration { return d * (100 + drift) / 100 }
