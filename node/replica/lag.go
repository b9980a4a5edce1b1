package replica

import (
	"time"

	"github.com/syncline/syncline/vclock"
)

// maxSamples bounds what a Lag remembers; beyond it samples are merged, which
// makes an age read older than it is, never younger.
const maxSamples = 256

// Lag follows how far one frontier is behind another: in versions, and in
// seconds, the age of the oldest version that is missing.
type Lag struct {
	first   sample        // when anything was first known, and all that is known
	samples []sample      // what the one behind has not reported yet
	have    vclock.Vector // what it reported last
}

// sample is a frontier of the one ahead, and when it was first known.
type sample struct {
	at       time.Duration // boot time
	frontier vclock.Vector
}

// Ahead notes the frontier of the one ahead, known since now.
func (l *Lag) Ahead(now time.Duration, frontier vclock.Vector) {
	if l.first.frontier.Dominates(frontier) {
		return
	}
	if l.first.frontier.Len() == 0 {
		l.first.at = now
	}
	l.first.frontier = l.first.frontier.Join(frontier)
	l.samples = append(l.samples, sample{now, l.first.frontier})
	if len(l.samples) <= maxSamples {
		return
	}
	kept := l.samples[:0]
	for i := 0; i+1 < len(l.samples); i += 2 {
		kept = append(kept, sample{l.samples[i].at, l.samples[i+1].frontier})
	}
	if len(l.samples)%2 == 1 {
		kept = append(kept, l.samples[len(l.samples)-1])
	}
	l.samples = kept
}

// Behind drops what the one behind has by now, and returns what it lacks.
func (l *Lag) Behind(now time.Duration, have vclock.Vector) (versions uint64, age time.Duration) {
	if !have.Dominates(l.have) {
		// Another life, with less: nobody remembers since when that was known.
		l.samples = append(l.samples[:0], l.first)
	}
	l.have = have
	done := 0
	for done < len(l.samples) && have.Dominates(l.samples[done].frontier) {
		done++
	}
	l.samples = append(l.samples[:0], l.samples[done:]...)
	if len(l.samples) == 0 {
		return 0, 0
	}
	return l.first.frontier.Beyond(have), now - l.samples[0].at
}
