package chaos

import (
	"fmt"
	"time"
)

// StepKind says what a step tells.
type StepKind string

// Kinds of steps.
const (
	StepNet      StepKind = "net"      // a fault began or ended, a process was ended, started or paused
	StepNote     StepKind = "note"     // what the script says, or what was drawn
	StepClaim    StepKind = "claim"    // a claim that holds
	StepWrong    StepKind = "wrong"    // a claim that does not hold, or an error of the script
	StepWait     StepKind = "wait"     // what the run waits for now
	StepState    StepKind = "state"    // what a data node says of itself by now
	StepClient   StepKind = "client"   // a write, a bulk, the end of a load
	StepTimeline StepKind = "timeline" // the timeline so far, in several lines
)

// Step is something that a run did or saw, or waits for, told as it happens.
type Step struct {
	At    time.Time
	Since time.Duration // since the run began
	Kind  StepKind
	Line  int // of the script; 0: it is of no line
	Text  string
}

// String is the step as `chaos run` prints it, with its line's end.
func (s Step) String() string {
	if s.Kind == StepTimeline {
		return s.Text
	}
	return fmt.Sprintf("%8.3fs  %s\n", s.Since.Seconds(), s.Text)
}
