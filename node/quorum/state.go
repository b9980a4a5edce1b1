package quorum

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
	"github.com/syncline/syncline/witness"
)

const (
	// restartAlarm is how many restarts of the witness within restartWindow
	// raise an alert.
	restartAlarm  = 3
	restartWindow = time.Minute
)

// State is what a data node knows about its right to write.
type State struct {
	Node          string
	At            time.Time // this instant
	Writable      bool
	Cause         node.Cause    // "" while writable
	Since         time.Time     // of being writable, or not
	Had           bool          // it was writable before, in this life
	Have          int           // votes held
	Need          int           // votes that make a majority
	Of            int           // votes that there are
	Expires       time.Duration // what is left of the lease; 0: none, Forever: nobody's vote is needed
	Life          witness.Life
	Voters        []VoterState // the other data nodes in the order of names, then the witness
	WritableNodes []string     // who may write: told by a voter within the lease, and this node
	Alerts        []Alert
}

// VoterState is one voter as this node knows it.
type VoterState struct {
	Name       string
	Witness    bool
	Counts     bool          // it has a vote; a witness beside an odd number of data nodes has none
	Left       time.Duration // of its vote; 0: it gives none
	Reachable  bool          // it answered a ballot that was sent within the lease
	Since      time.Time     // of being reachable, or not
	LastHeard  time.Time     // of an answer or a ballot; zero: never
	Answered   bool          // it answered, and what follows holds
	AnsweredAt time.Time
	Granted    bool
	Reason     witness.Reason
	RoundTrip  time.Duration
	Offset     time.Duration // its wall clock less this one, exact to half of RoundTrip
	Standing   node.Standing // of a data node; "": unknown
	Problem    string        // why its last answer did not come; "": it came
	Says       []string      // who may write, as it told within the lease
	Frontier   vclock.Vector // of a data node: all that it ever said it had
}

// AlertCode names an alert.
type AlertCode string

// The alerts.
const (
	NoSpareVote      AlertCode = "no_spare_vote"      // one vote less, and the node is read-only
	WitnessRestarts  AlertCode = "witness_restarts"   // the witness restarts again and again
	DuplicateName    AlertCode = "duplicate_name"     // another process runs under this node's name
	DifferentCluster AlertCode = "different_settings" // a voter has another roster or timing
	ClockOffset      AlertCode = "clock_offset"       // the wall clocks differ by more than node.DefaultDrift
)

// Alert is something that an operator should look at.
type Alert struct {
	Code   AlertCode
	Detail string
}

// State returns what the keeper knows.
func (k *Keeper) State(now Now) State {
	k.observe(now)
	s := State{
		Node: k.name, At: now.Wall, Writable: k.writable, Since: k.since, Had: k.term > 0, Have: k.votes(now.Boot),
		Need: k.roster.Majority(), Of: k.roster.Votes(), Life: k.life,
	}
	switch e := k.expiry(); {
	case e == Forever:
		s.Expires = Forever
	case e > now.Boot:
		s.Expires = e - now.Boot
	}
	if !s.Writable {
		if s.Cause = k.ails(); s.Cause == "" {
			s.Cause = node.NoMajority
		}
	}
	for i := range k.voters {
		v := k.voterState(now, &k.voters[i])
		s.Voters = append(s.Voters, v)
		s.WritableNodes = append(s.WritableNodes, v.Says...)
	}
	if s.Writable {
		s.WritableNodes = append(s.WritableNodes, k.name)
	}
	slices.Sort(s.WritableNodes)
	s.WritableNodes = slices.Compact(s.WritableNodes)
	s.Alerts = k.alerts(now, s)
	return s
}

func (k *Keeper) voterState(now Now, v *voter) VoterState {
	return VoterState{
		Name: v.name, Witness: v.witness, Counts: v.counts, Left: max(0, v.direct-now.Boot),
		Reachable: v.reachable, Since: v.since, LastHeard: v.lastHeard,
		Answered: v.answer.known, AnsweredAt: v.answer.came, Granted: v.answer.granted, Reason: v.answer.reason,
		RoundTrip: v.answer.roundTrip, Offset: v.answer.offset, Standing: v.standing, Says: k.says(now, v), Frontier: v.heard,
	}
}

// reach notes which voters answer.
func (k *Keeper) reach(now Now) {
	for i := range k.voters {
		v := &k.voters[i]
		reachable := v.answer.known && v.answer.sent+k.timing.Lease > now.Boot
		if reachable != v.reachable || v.since.IsZero() {
			v.reachable, v.since = reachable, now.Wall
		}
	}
}

// says are the other nodes of which the voter has said within the lease that
// they may write.
func (k *Keeper) says(now Now, v *voter) []string {
	if !v.reachable {
		return nil
	}
	var names []string
	for _, h := range v.answer.have {
		if h.Name != k.name && v.answer.sent+h.Left > now.Boot && k.voter(h.Name) != nil {
			names = append(names, h.Name)
		}
	}
	return names
}

func (k *Keeper) alerts(now Now, s State) []Alert {
	var out []Alert
	alert := func(code AlertCode, format string, args ...any) {
		out = append(out, Alert{code, fmt.Sprintf(format, args...)})
	}
	if s.Writable && s.Have == s.Need && s.Have < s.Of {
		alert(NoSpareVote, "%s has %d of %d votes and needs all of them: the loss of one more makes it read-only", k.name, s.Have, s.Of)
	}
	if oldest := k.restarts[restartAlarm-1]; oldest > now.Boot-restartWindow {
		alert(WitnessRestarts, "the witness %s has restarted %d times within %v", k.roster.Witness, restartAlarm, restartWindow)
	}
	for _, v := range s.Voters {
		switch {
		case !v.Reachable:
			continue
		case v.Reason == witness.Duplicate:
			alert(DuplicateName, "%s says that a newer process runs as %s: stop one of the two", v.Name, k.name)
		case v.Reason == witness.Epoch:
			alert(DifferentCluster, "%s refuses the ballots of %s: its roster, its lease or its idea of who %s is differs", v.Name, k.name, k.name)
		}
		if off := v.Offset.Abs() - v.RoundTrip/2; off > node.DefaultDrift {
			alert(ClockOffset, "the wall clock of %s is %v off that of %s: set both by NTP", v.Name, v.Offset.Round(time.Millisecond), k.name)
		}
	}
	return out
}

// candidates are the other data nodes, which may be writable for all that this
// node knows.
func (s State) candidates() []node.Candidate {
	var out []node.Candidate
	for _, v := range s.Voters {
		if !v.Witness {
			out = append(out, node.Candidate{Name: v.Name, LastHeard: v.LastHeard})
		}
	}
	return out
}

// Detail says in plain words why the node may write or not, and who may.
func (s State) Detail() string {
	at := s.Since.UTC().Format("15:04:05Z")
	var why string
	switch s.Cause {
	case "":
		return fmt.Sprintf("%s takes writes: it has %d of %d votes.", s.Node, s.Have, s.Of)
	case node.CatchingUp:
		why = s.Node + " has not caught up with the other data nodes yet."
	case node.DiskLow:
		why = fmt.Sprintf("%s is low on disk space since %s.", s.Node, at)
	case node.ClockBad:
		why = fmt.Sprintf("The boot-time clock of %s ran backwards.", s.Node)
	default:
		why = s.missing(at)
	}
	return why + " Reads still work." + s.told()
}

// missing says whose votes a node without a majority lacks.
func (s State) missing(at string) string {
	var lost []string
	for _, v := range s.Voters {
		if v.Counts && v.Left == 0 {
			lost = append(lost, v.called())
		}
	}
	switch {
	case s.Have >= s.Need:
		return fmt.Sprintf("The lease of %s ends in a moment, unless it is renewed.", s.Node)
	case s.Had:
		return fmt.Sprintf("%s lost %s at %s and has %d of %d votes.", s.Node, and(lost), at, s.Have, s.Of)
	}
	return fmt.Sprintf("%s started at %s, waits for the votes of %s, and has %d of %d votes.", s.Node, at, and(lost), s.Have, s.Of)
}

// told says who may write, as the best-informed voter said: the witness, else
// the first data node that names somebody.
func (s State) told() string {
	for _, v := range slices.Backward(s.Voters) {
		if len(v.Says) > 0 {
			who := v.Name
			if v.Witness {
				who = "The witness"
			}
			return fmt.Sprintf(" %s said %.1f s ago that %s may write.", who, max(0, s.At.Sub(v.AnsweredAt).Seconds()), and(v.Says))
		}
	}
	return ""
}

func (v VoterState) called() string {
	if v.Witness {
		return "the witness"
	}
	return v.Name
}

// and joins names as a sentence does.
func and(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
