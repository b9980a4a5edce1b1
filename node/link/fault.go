package link

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/syncline/syncline/node"
)

// Limits of faults.
const (
	// MaxDuration is the longest that a fault may last. Chaos that is forgotten
	// must end by itself.
	MaxDuration = 24 * time.Hour
	// MaxDelay is the longest latency that a fault may add to one direction.
	MaxDelay = 10 * time.Second
	// DefaultFlapPeriod is one cut and one healed half of a flap that names no
	// period of its own.
	DefaultFlapPeriod = time.Second
	// MinFlapPeriod is the shortest period of a flap: below it, a link is
	// mostly the noise of timers.
	MinFlapPeriod = 20 * time.Millisecond
	// MaxFlapPeriod is the longest period of a flap.
	MaxFlapPeriod = time.Hour
	// MaxFaults is the number of faults that a process holds at once.
	MaxFaults = 64
)

// Kind is what a fault does to a link.
type Kind string

// The kinds of faults.
const (
	Cut   Kind = "cut"   // nothing passes
	Delay Kind = "delay" // all passes, later
	Loss  Kind = "loss"  // some is lost
	Flap  Kind = "flap"  // cut and healed in turn
)

// Span is a duration that is written as Go writes it, such as "30s".
type Span time.Duration

// String implements fmt.Stringer.
func (s Span) String() string { return time.Duration(s).String() }

// MarshalText implements encoding.TextMarshaler.
func (s Span) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler. No text is 0.
func (s *Span) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*s = 0
		return nil
	}
	d, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("duration %.40q: write a number and a unit, such as 30s or 500ms", text)
	}
	*s = Span(d)
	return nil
}

// Fault is one fault on the link between two members, as this process has it.
// Its JSON is the shape of the chaos routes.
type Fault struct {
	ID   string `json:"id"`   // given by Add
	From string `json:"from"` // the member whose sending is disturbed
	To   string `json:"to"`
	Kind Kind   `json:"kind"`
	// Both makes the fault work in both directions. Delay and loss work on what
	// this process sends; the other end adds its own.
	Both     bool      `json:"both"`
	Duration Span      `json:"duration"`        // above 0, at most MaxDuration
	Delay    Span      `json:"delay,omitempty"` // delay: latency one way; flap: the period
	Loss     float64   `json:"loss,omitempty"`  // loss: probability, above 0 and at most 1
	Started  time.Time `json:"started"`         // given by Add, UTC
	Expires  time.Time `json:"expires"`         // given by Add, UTC
}

// period is one cut and one healed half of a flap.
func (f *Fault) period() time.Duration { return time.Duration(f.Delay) }

// other is the member at the far end of the fault's link.
func (f *Fault) other(self string) string {
	if f.From == self {
		return f.To
	}
	return f.From
}

// directions says which directions the fault works on at this process.
func (f *Fault) directions(self string) (out, in bool) {
	return f.Both || f.From == self, f.Both || f.To == self
}

// refuse names the field that is wrong and what to do about it.
func refuse(field, format string, args ...any) error {
	return &node.Error{Op: "add fault", Kind: node.Invalid, Key: field, Err: fmt.Errorf(format, args...)}
}

// check reports the first thing that is wrong with a new fault, and clears the
// fields that its kind does not use, so that what is listed is what is done.
func (f *Fault) check(self string, members []string) error {
	if err := f.checkEnds(self, members); err != nil {
		return err
	}
	if f.Duration <= 0 {
		return refuse("duration", "a fault needs an end: say how long it lasts, such as \"30s\"")
	}
	if time.Duration(f.Duration) > MaxDuration {
		return refuse("duration", "%s is too long: at most %s", f.Duration, MaxDuration)
	}
	return f.checkKind(self)
}

func (f *Fault) checkEnds(self string, members []string) error {
	for _, end := range []struct{ field, name string }{{"from", f.From}, {"to", f.To}} {
		if end.name != self && !slices.Contains(members, end.name) {
			return refuse(end.field, "no member %.40q in the roster, which has %s", end.name, strings.Join(members, ", "))
		}
	}
	switch {
	case f.From == f.To:
		return refuse("to", "is the same member as from: a link has two ends")
	case f.From != self && f.To != self:
		return refuse("from", "this process is %s, which is neither end: send the fault to %s or %s", self, f.From, f.To)
	}
	return nil
}

func (f *Fault) checkKind(self string) error {
	switch f.Kind {
	case Cut:
		f.Delay, f.Loss = 0, 0
		return nil
	case Flap:
		f.Loss = 0
		if f.Delay == 0 {
			f.Delay = Span(DefaultFlapPeriod)
		}
		if p := f.period(); p < MinFlapPeriod || p > MaxFlapPeriod {
			return refuse("delay", "as the period of a flap, %s is out of range: %s to %s", f.Delay, MinFlapPeriod, MaxFlapPeriod)
		}
		return nil
	case Delay:
		f.Loss = 0
		if d := time.Duration(f.Delay); d <= 0 || d > MaxDelay {
			return refuse("delay", "%s is out of range: above 0, at most %s", f.Delay, MaxDelay)
		}
	case Loss:
		f.Delay = 0
		if !(f.Loss > 0 && f.Loss <= 1) {
			return refuse("loss", "%v is out of range: above 0, at most 1", f.Loss)
		}
	default:
		return refuse("kind", "no kind %.40q: one of cut, delay, loss, flap", f.Kind)
	}
	if !f.Both && f.From != self {
		return refuse("from", "a one-way %s works where %s sends: send it to that process", f.Kind, f.From)
	}
	return nil
}
