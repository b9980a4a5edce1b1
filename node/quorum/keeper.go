package quorum

import (
	"fmt"
	"slices"
	"time"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/wire"
	"github.com/syncline/syncline/vclock"
	"github.com/syncline/syncline/witness"
)

// Limits of the keeper.
const (
	// Freeze is how far the wall clock may run ahead of the boot-time clock
	// between two steps before the machine counts as frozen (X4).
	Freeze = time.Second
	// MaxOpen is the most ballots to one voter that wait for an answer; the
	// oldest is given up for a new one.
	MaxOpen = 64
	// Forever is what is left of a lease that needs nobody's vote.
	Forever time.Duration = 1 << 61

	never = -Forever // before every instant
)

// Config says what a Keeper is made of.
type Config struct {
	Name   string
	Roster witness.Roster
	Timing witness.Timing
	Life   witness.Life        // Incarnation and Starts; the keeper draws Boot
	Random func() uint64       // for nonces and boot ids
	Report func(witness.Event) // told what becomes of votes; nil: nobody is
}

// Now is the time of a step, read once for it.
type Now struct {
	Boot time.Duration // the boot-time clock (CLOCK_BOOTTIME), which counts suspends
	Wall time.Time
}

// Self is what a node says of itself in its ballots and answers.
type Self struct {
	Standing node.Standing
	Actor    vclock.Actor
	Frontier vclock.Vector
	DiskLow  bool // free space is below the low-water mark
}

// Outgoing is a ballot on its way to a voter.
type Outgoing struct {
	To     string
	Ballot wire.Ballot
}

// Keeper is a data node's side of the vote as a step machine. It is not safe
// for concurrent use; Runner is.
type Keeper struct {
	name   string
	roster witness.Roster
	timing witness.Timing
	random func() uint64
	report func(witness.Event)

	self   Self
	life   witness.Life
	seq    uint64
	voters []voter // the other data nodes in the order of names, then the witness
	last   Now     // the last step
	begun  bool    // there was one
	latest time.Duration
	hurry  bool

	stamp    witness.Stamp // the newest of the witness
	stampSeq uint64        // of the ballot whose answer brought it
	heldAt   time.Duration // when the last lease from the witness began
	restarts [restartAlarm]time.Duration

	writable bool
	since    time.Time // of the present state
	term     node.Term // counts how often the node ceased to be writable
}

// voter is what the keeper knows of one voter.
type voter struct {
	name    string
	witness bool
	counts  bool

	open      []open        // ballots that wait for an answer, oldest first
	processed uint64        // sequence of the last ballot whose answer counted
	direct    time.Duration // when its vote ends; not above now: it gives none
	exchange  time.Duration // sending of the last ballot that it answered as a path
	refuses   bool          // it answered as catching up

	life     witness.Life
	standing node.Standing
	heard    vclock.Vector // all that it ever said it had

	answer    answer
	lastHeard time.Time
	since     time.Time // of its present reachability
	reachable bool
}

// open is a ballot that waits for an answer.
type open struct {
	nonce uint64
	seq   uint64
	sent  time.Duration
	again bool // it was sent because the one before had no fresh stamp
}

// answer is the last one that counted.
type answer struct {
	known     bool
	sent      time.Duration // of its ballot
	came      time.Time
	granted   bool
	reason    witness.Reason
	have      []wire.Holder
	roundTrip time.Duration
	offset    time.Duration // of the voter's wall clock to this one
}

// NewKeeper makes the keeper of a data node of the roster.
func NewKeeper(c Config) (*Keeper, error) {
	if err := c.Roster.Check(); err != nil {
		return nil, err
	}
	if c.Roster.Index(c.Name) < 0 {
		return nil, fmt.Errorf("quorum: %s is no data node of the roster", c.Name)
	}
	k := &Keeper{
		name: c.Name, roster: c.Roster.Sorted(), timing: c.Timing, random: c.Random, report: c.Report,
		life: c.Life, heldAt: never, latest: never,
	}
	if k.report == nil {
		k.report = func(witness.Event) {}
	}
	k.life.Boot = k.draw()
	for i := range k.restarts {
		k.restarts[i] = never
	}
	for _, name := range k.roster.Names() {
		if name == k.name {
			continue
		}
		v := voter{name: name, witness: name == k.roster.Witness, direct: never, exchange: never}
		v.counts = !v.witness || k.roster.WitnessVotes()
		k.voters = append(k.voters, v)
	}
	return k, nil
}

// draw draws a random number that is not 0.
func (k *Keeper) draw() uint64 {
	for {
		if n := k.random(); n != 0 {
			return n
		}
	}
}

// Know tells the keeper what the node is. It counts from the next step on.
func (k *Keeper) Know(s Self) { k.self = s }

// NextBeat is the instant of the boot-time clock at which ballots are due next
// after those sent now. The nodes of a roster beat one after the other. It is
// at least half a beat away, so that a timer that fires a little early does
// not beat twice.
func (k *Keeper) NextBeat(now time.Duration) time.Duration {
	beat := k.timing.Beat
	stagger := beat * time.Duration(k.roster.Index(k.name)) / time.Duration(len(k.roster.Data))
	soonest := now + beat/2
	return soonest + beat - (soonest-stagger)%beat
}

// Hurry says whether ballots should go at once, without waiting for the beat:
// the machine was frozen (X4).
func (k *Keeper) Hurry() bool { return k.hurry }

// Beat returns a ballot to every voter (X1).
func (k *Keeper) Beat(now Now) []Outgoing {
	k.observe(now)
	k.hurry = false
	out := make([]Outgoing, 0, len(k.voters))
	for i := range k.voters {
		out = append(out, k.ask(now, &k.voters[i], false))
	}
	return out
}

// ask makes a ballot to one voter.
func (k *Keeper) ask(now Now, v *voter, again bool) Outgoing {
	k.seq++
	o := open{nonce: k.draw(), seq: k.seq, sent: now.Boot, again: again}
	drop := 0
	for drop < len(v.open) && (v.open[drop].sent <= now.Boot-k.timing.Lease || len(v.open)-drop >= MaxOpen) {
		drop++ // its answer could give nothing any more
	}
	v.open = slices.Concat(v.open[drop:], []open{o})
	held := wire.NeverHeld
	if k.heldAt != never {
		held = min(max(0, now.Boot-k.heldAt), wire.MaxSpan)
	}
	return Outgoing{To: v.name, Ballot: wire.Ballot{
		Cluster: k.roster.Cluster, Epoch: k.roster.Epoch, From: k.name, Life: wire.Life(k.life),
		Seq: o.seq, Nonce: o.nonce, Lease: k.timing.Lease, View: k.view(now),
		Standing: wire.Standing(k.self.Standing), Actor: k.self.Actor, Frontier: k.frontier(),
		Want: k.wants(), Held: held, Stamp: wire.Stamp(k.stamp),
	}}
}

// view lists the data nodes with which a ballot was exchanged within D.
func (k *Keeper) view(now Now) []wire.Seen {
	var seen []wire.Seen
	for i := range k.voters {
		v := &k.voters[i]
		if !v.witness && v.exchange >= now.Boot-k.timing.Exchange {
			seen = append(seen, wire.Seen{Name: v.name, CatchingUp: v.refuses})
		}
	}
	return seen
}

// frontier is this node's, as far as a ballot has room for it.
func (k *Keeper) frontier() vclock.Vector {
	if k.self.Frontier.Len() <= wire.MaxBallotFrontier {
		return k.self.Frontier
	}
	return vclock.VectorOf(vclock.Dot{Actor: k.self.Actor, Seq: k.self.Frontier.Get(k.self.Actor)})
}

// wants says whether the node's own health lets it write (X1).
func (k *Keeper) wants() bool { return k.ails() == "" }

// ails is why the node's own health keeps it from writing; "": it does not.
func (k *Keeper) ails() node.Cause {
	switch {
	case k.self.Standing != node.StandingGood:
		return node.CatchingUp
	case k.self.DiskLow:
		return node.DiskLow
	case k.last.Boot < k.latest:
		return node.ClockBad
	}
	return ""
}

// observe begins each step. A machine whose wall clock ran ahead of its
// boot-time clock was frozen, or was set: nobody can say, so it holds nothing
// (X4). A boot-time clock that runs back is broken: nothing that was counted on
// it holds, and nothing is until it has caught up with itself.
func (k *Keeper) observe(now Now) {
	now.Wall = now.Wall.Round(0) // the wall clock is meant, not the process's own
	if !k.begun {
		k.begun, k.since = true, now.Wall
	} else if passed := now.Boot - k.last.Boot; passed < 0 || now.Wall.Sub(k.last.Wall)-passed > Freeze {
		k.thaw(now)
	}
	k.last, k.latest = now, max(k.latest, now.Boot)
	k.reach(now)
	k.settle(now)
}

// thaw forgets all that was counted on the clocks.
func (k *Keeper) thaw(now Now) {
	k.life.Thaws++
	k.life.Boot = k.draw()
	k.stamp, k.stampSeq, k.heldAt, k.hurry = witness.Stamp{}, 0, never, true
	for i := range k.voters {
		v := &k.voters[i]
		if v.direct > now.Boot {
			k.tell(v, witness.Expired, "")
		}
		v.open, v.direct, v.exchange, v.answer = nil, never, never, answer{}
	}
}

func (k *Keeper) tell(v *voter, verdict witness.Verdict, why witness.Reason) {
	k.report(witness.Event{Voter: v.name, Node: k.name, Verdict: verdict, Reason: why})
}

func (k *Keeper) voter(name string) *voter {
	for i := range k.voters {
		if k.voters[i].name == name {
			return &k.voters[i]
		}
	}
	return nil
}
