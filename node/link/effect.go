package link

import (
	"slices"
	"strings"
	"time"
)

// effect is what all faults together do to the link with one peer at one
// moment. It is never changed: a new moment has a new effect.
type effect struct {
	cutOut, cutIn bool
	causes        string // ids of the faults that cut
	delay         time.Duration
	loss          float64
}

// cut says whether nothing passes in either direction.
func (e *effect) cut() bool { return e.cutOut && e.cutIn }

// slow says whether what is written must wait.
func (e *effect) slow() bool { return e.delay > 0 || e.loss > 0 }

// sameCut says whether two effects cut the same directions.
func (e *effect) sameCut(o *effect) bool { return e.cutOut == o.cutOut && e.cutIn == o.cutIn }

// running is a fault in force, with its times on this process's clock.
type running struct {
	Fault
	begin, end time.Time
}

// cutting says whether the fault cuts at time now.
func (r *running) cutting(now time.Time) bool {
	switch r.Kind {
	case Cut:
		return true
	case Flap:
		return now.Sub(r.begin)%r.period() < r.period()/2
	default:
		return false
	}
}

// nextChange is when the fault next alters what it does.
func (r *running) nextChange(now time.Time) time.Time {
	if r.Kind != Flap {
		return r.end
	}
	half := r.period() / 2
	into := now.Sub(r.begin) % r.period()
	left := half - into
	if into >= half {
		left = r.period() - into
	}
	if next := now.Add(left); next.Before(r.end) {
		return next
	}
	return r.end
}

// combine computes what the faults do to the link with one peer.
func combine(faults []*running, self, peer string, now time.Time) *effect {
	var e effect
	var causes []string
	for _, f := range faults {
		if f.other(self) != peer {
			continue
		}
		if f.cutting(now) {
			out, in := f.directions(self)
			e.cutOut, e.cutIn = e.cutOut || out, e.cutIn || in
			causes = append(causes, f.ID)
		}
		switch f.Kind {
		case Delay:
			e.delay = max(e.delay, time.Duration(f.Delay))
		case Loss:
			e.loss = max(e.loss, f.Loss)
		case Cut, Flap:
		}
	}
	slices.Sort(causes)
	e.causes = strings.Join(causes, ", ")
	return &e
}
