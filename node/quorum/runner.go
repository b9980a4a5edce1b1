package quorum

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/wire"
	"github.com/syncline/syncline/vclock"
	"github.com/syncline/syncline/witness"
)

// Limits of the runner.
const (
	// MaxInFlight is the most ballots that are on their way to one voter at
	// once; a beat that finds as many leaves the voter out.
	MaxInFlight = 16
	// MaxBallots is the most ballots of others that are answered at once; what
	// is above is refused as busy.
	MaxBallots = 64
)

// Caller carries a message to a peer and brings its answer, of at most
// wire.MaxBallotBytes.
type Caller interface {
	Call(ctx context.Context, peer string, body []byte) ([]byte, error)
}

// Heard is what another data node said of itself, in a ballot or an answer. It
// is a hint: what it names was not received with it (D7).
type Heard struct {
	Name     string
	Standing wire.Standing
	Actor    vclock.Actor
	Frontier vclock.Vector
}

// RunnerConfig says what a Runner is made of.
type RunnerConfig struct {
	Keeper Config // its Report is the runner's own
	Caller Caller
	Boot   func() time.Duration // the boot-time clock
	Wall   func() time.Time
	// Self is asked before each beat and each vote. It must return soon.
	Self func() Self
	// OwnActor is told what somebody knows of this node's own actor, before the
	// vote that came with it counts (D14). With an error the vote is dropped.
	OwnActor func(from string, seq uint64) error
	// Heard is told of each ballot and answer of a data node; nil: nobody is.
	Heard func(Heard)
	// Changed is told when the node becomes writable or read-only, from Run's
	// own goroutine; nil: nobody is.
	Changed func(State)
}

// Runner is the loop around a Keeper, and the guard of an engine's commits. It
// is safe for concurrent use.
type Runner struct {
	cfg     RunnerConfig
	ballots chan struct{} // a place for each ballot that is being answered
	poke    chan struct{} // something happened that the loop must look at

	mu       sync.Mutex
	keeper   *Keeper
	log      witness.Log
	wall     time.Time // of the step under way, for the log
	told     bool      // Changed was told that the node is writable
	inFlight map[string]int
	problems map[string]string // of each voter, why its last answer did not come
}

// NewRunner makes a runner. Until Run has been at work the node holds no vote
// but its own.
func NewRunner(c RunnerConfig) (*Runner, error) {
	r := &Runner{
		cfg: c, ballots: make(chan struct{}, MaxBallots), poke: make(chan struct{}, 1),
		inFlight: map[string]int{}, problems: map[string]string{},
	}
	if r.cfg.Heard == nil {
		r.cfg.Heard = func(Heard) {}
	}
	if r.cfg.Changed == nil {
		r.cfg.Changed = func(State) {}
	}
	c.Keeper.Report = func(e witness.Event) { r.log.Add(r.wall, e) }
	var err error
	if r.keeper, err = NewKeeper(c.Keeper); err != nil {
		return nil, err
	}
	r.keeper.Know(c.Self())
	return r, nil
}

// step does one step of the keeper: the clocks are read inside, once, so that
// no step goes back in time.
func (r *Runner) step(do func(k *Keeper, now Now)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := Now{Boot: r.cfg.Boot(), Wall: r.cfg.Wall()}
	r.wall = now.Wall
	do(r.keeper, now)
	if r.keeper.Hurry() || r.keeper.writable != r.told {
		select {
		case r.poke <- struct{}{}:
		default: // the loop will look anyway
		}
	}
}

// Run sends the ballots until the context ends, and returns its error. Ballots
// that are on their way then are given up before it returns.
func (r *Runner) Run(ctx context.Context) error {
	var calls sync.WaitGroup
	defer calls.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	var next time.Duration // of the boot-time clock
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		case <-r.poke:
		}
		self := r.cfg.Self()
		var out []Outgoing
		var wait time.Duration
		r.step(func(k *Keeper, now Now) {
			k.Know(self)
			if k.Hurry() || now.Boot >= next {
				out = k.Beat(now)
				next = k.NextBeat(now.Boot)
			}
			wait = next - now.Boot
		})
		for _, o := range out {
			r.send(ctx, &calls, o)
		}
		r.tell()
		timer.Reset(wait)
	}
}

// tell reports a change of state.
func (r *Runner) tell() {
	var changed *State
	r.step(func(k *Keeper, now Now) {
		if s := k.State(now); s.Writable != r.told {
			r.told, changed = s.Writable, &s
		}
	})
	if changed != nil {
		r.cfg.Changed(*changed)
	}
}

// send carries a ballot to its voter, unless too many are on their way there.
func (r *Runner) send(ctx context.Context, calls *sync.WaitGroup, o Outgoing) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.inFlight[o.To] >= MaxInFlight {
		r.problems[o.To] = fmt.Sprintf("%d ballots wait for an answer", MaxInFlight)
		return
	}
	r.inFlight[o.To]++
	calls.Go(func() {
		again, err := r.call(ctx, o)
		r.mu.Lock()
		r.inFlight[o.To]--
		switch {
		case err == nil:
			delete(r.problems, o.To)
		case ctx.Err() == nil:
			r.problems[o.To] = err.Error()
		}
		r.mu.Unlock()
		for _, o := range again {
			r.send(ctx, calls, o)
		}
	})
}

// call sends one ballot and takes in its answer. An answer that takes as long
// as the lease could give nothing any more.
func (r *Runner) call(ctx context.Context, o Outgoing) ([]Outgoing, error) {
	ctx, cancel := context.WithTimeout(ctx, o.Ballot.Lease)
	defer cancel()
	body, err := wire.Encode(&o.Ballot)
	if err != nil {
		return nil, err
	}
	reply, err := r.cfg.Caller.Call(ctx, o.To, body)
	if err != nil {
		return nil, err
	}
	var a wire.Answer
	if err := wire.DecodeMessage(reply, &a); err != nil {
		return nil, err
	}
	if a.From != o.To || a.Nonce != o.Ballot.Nonce {
		return nil, fmt.Errorf("the answer is of %s and not of %s, or to another ballot", a.From, o.To)
	}
	if err := r.cfg.OwnActor(a.From, max(a.Knows, a.Frontier.Get(o.Ballot.Actor))); err != nil {
		return nil, fmt.Errorf("the vote of %s does not count: %w", a.From, err)
	}
	if a.Actor != "" { // a data node's
		r.cfg.Heard(Heard{a.From, a.Standing, a.Actor, a.Frontier})
	}
	var again []Outgoing
	r.step(func(k *Keeper, now Now) { again, err = k.Answered(now, a) })
	return again, err
}

// HandleBallot answers the ballot of another data node. caller is the name that
// the peer has proved; a ballot of somebody else is an error, as is one that
// cannot be read.
func (r *Runner) HandleBallot(caller string, body []byte) ([]byte, error) {
	var b wire.Ballot
	if err := wire.DecodeMessage(body, &b); err != nil {
		return nil, err
	}
	if b.From != caller {
		return nil, fmt.Errorf("a ballot of %s was sent by %s", b.From, caller)
	}
	self := r.cfg.Self()
	var a wire.Answer
	select {
	case r.ballots <- struct{}{}:
		defer func() { <-r.ballots }()
		if err := r.cfg.OwnActor(b.From, b.Frontier.Get(self.Actor)); err != nil {
			return nil, err
		}
		r.cfg.Heard(Heard{b.From, b.Standing, b.Actor, b.Frontier})
		r.step(func(k *Keeper, now Now) {
			k.Know(self)
			a = k.Vote(now, b)
		})
	default:
		r.step(func(k *Keeper, now Now) { a = k.Busy(now, b) })
	}
	return wire.Encode(&a)
}

// Begin implements node.Guard.
func (r *Runner) Begin() (term node.Term, err error) {
	r.step(func(k *Keeper, now Now) { term, err = k.Begin(now) })
	return term, err
}

// Held implements node.Guard.
func (r *Runner) Held(term node.Term) (held bool) {
	r.step(func(k *Keeper, now Now) { held = k.Held(now, term) })
	return held
}

// State returns what the node knows about its right to write.
func (r *Runner) State() State {
	var s State
	r.step(func(k *Keeper, now Now) { s = k.State(now) })
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range s.Voters {
		s.Voters[i].Problem = r.problems[s.Voters[i].Name]
	}
	return s
}

// Log returns the last grants, refusals and expiries, oldest first: those that
// this node was given, and those that it gave.
func (r *Runner) Log() []witness.Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Entries()
}
