package witness

import (
	"fmt"
	"time"
)

// Constants of the vote (PROTOCOL part 2).
const (
	// DefaultBeat is the time between two ballots of a data node to one voter.
	DefaultBeat = 150 * time.Millisecond
	// DefaultLease is T: how long a vote counts, from the sending of the ballot.
	DefaultLease = 1500 * time.Millisecond
	// Guard is how much of a lease must be left when a commit begins.
	Guard = 70 * time.Millisecond
	// DriftPercent is ρ: by how much a boot-time clock may run fast or slow.
	DriftPercent = 1
	// RoundTrip is the longest round trip for which a timing is checked.
	RoundTrip = 100 * time.Millisecond
	// MinBeat and MaxLease bound what can be set.
	MinBeat  = 10 * time.Millisecond
	MaxLease = time.Minute

	freshSlack    = 100 * time.Millisecond // of F over two beats
	exchangeSlack = 150 * time.Millisecond // of D over F
	promiseStep   = 50 * time.Millisecond  // to which T' is rounded up
)

// Timing holds the spans of time of the vote. Beat and Lease are set, the
// others follow: TimingOf computes them.
type Timing struct {
	Beat     time.Duration // between two ballots to one voter
	Lease    time.Duration // T: how long a vote counts, from the sending of the ballot
	Fresh    time.Duration // F: how old a ballot may be, by the witness's own stamp
	Exchange time.Duration // D: how old an exchange may be and still be a path
	Promise  time.Duration // T': how long the witness keeps a grant, from the receipt
}

// TimingOf computes the timing that follows from beat and lease.
func TimingOf(beat, lease time.Duration) Timing {
	t := Timing{Beat: beat, Lease: lease}
	t.Fresh = 2*beat + freshSlack
	t.Exchange = t.Fresh + exchangeSlack
	stretched := lease*(100+DriftPercent)/(100-DriftPercent) + Guard
	t.Promise = (stretched + promiseStep - 1) / promiseStep * promiseStep
	return t
}

// DefaultTiming is the timing of a cluster that sets none.
func DefaultTiming() Timing { return TimingOf(DefaultBeat, DefaultLease) }

// Check refuses a timing under which a healthy cluster would lose its votes.
func (t Timing) Check() error {
	if t != TimingOf(t.Beat, t.Lease) {
		return fmt.Errorf("timing %+v: want what follows from beat %v and lease %v", t, t.Beat, t.Lease)
	}
	if t.Beat < MinBeat {
		return fmt.Errorf("timing: beat %v: want at least %v", t.Beat, MinBeat)
	}
	if t.Lease > MaxLease {
		return fmt.Errorf("timing: lease %v: want at most %v", t.Lease, MaxLease)
	}
	if least := t.Exchange + t.Fresh + 2*t.Beat + 2*RoundTrip; t.Lease <= least {
		return fmt.Errorf("timing: lease %v is too short for beat %v: want more than %v "+
			"(D %v + F %v + 2 beats + 2 x %v); raise timing.lease or lower timing.beat",
			t.Lease, t.Beat, least, t.Exchange, t.Fresh, RoundTrip)
	}
	return nil
}

// Bound is B: the longest time for which two sides of a cluster without any
// path between them are both writable. It is also the longest time for which
// the losing side of a cut goes on taking writes.
func (t Timing) Bound(r Roster) time.Duration {
	span := t.Lease
	if r.WitnessVotes() {
		span += t.Exchange
		if len(r.Data) > 2 {
			span += t.Fresh
		}
	}
	return drifted(span)
}

// Gap is the longest time without a writer after a cut within T' of a start of
// the witness: T'(1+ρ).
func (t Timing) Gap() time.Duration { return drifted(t.Promise) }

func drifted(d time.Duration) time.Duration { return d * (100 + DriftPercent) / 100 }
