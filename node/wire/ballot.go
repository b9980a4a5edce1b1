package wire

import (
	"errors"
	"fmt"
	"time"

	"github.com/syncline/syncline/vclock"
)

// Limits of ballots and answers.
const (
	// MaxBallotBytes is the longest ballot, answer or hello, in bytes.
	MaxBallotBytes = 512 << 10
	// MaxClusterName is the longest cluster id, in bytes.
	MaxClusterName = 64
	// MaxVoters is the most names that a view or a list of holders has.
	MaxVoters = 32
	// MaxReason is the longest reason of a refusal, in bytes.
	MaxReason = 32
	// MaxBallotFrontier is the most actors in a frontier that travels in a
	// ballot, an answer or a hello. It is a hint there; a node with more actors
	// sends its own alone.
	MaxBallotFrontier = 4096
	// MaxSpan is the longest time that a ballot or an answer may name.
	MaxSpan = 366 * 24 * time.Hour
	// NeverHeld is the age of a lease that never was.
	NeverHeld time.Duration = -1
)

// Standing is how sound a node says that its past is.
type Standing string

// The standings, as PROTOCOL part 1 names them.
const (
	StandingNew        Standing = "new"
	StandingCatchingUp Standing = "catching_up"
	StandingGood       Standing = "good"
)

// Check says whether the standing is one of the three.
func (s Standing) Check() error {
	switch s {
	case StandingNew, StandingCatchingUp, StandingGood:
		return nil
	}
	return fmt.Errorf("standing %.40q: want %s, %s or %s", string(s), StandingNew, StandingCatchingUp, StandingGood)
}

// Life tells apart the processes that ever ran under one name, in their order.
type Life struct {
	Incarnation uint64 `cbor:"incarnation"` // when the life of the file began, in milliseconds since 1970 UTC
	Starts      uint64 `cbor:"starts"`      // how often a process has opened the file
	Thaws       uint64 `cbor:"thaws"`       // how often this process found that its clocks had stood still
	Boot        uint64 `cbor:"boot"`        // random, drawn at each start and thaw
}

// Stamp is an instant on a witness's own clock. The zero Stamp is none.
type Stamp struct {
	Boot uint64        `cbor:"boot"` // random id of the witness's run, never 0
	At   time.Duration `cbor:"at"`   // its boot-time clock
}

// Seen is a data node with which the sender of a ballot exchanged one lately.
type Seen struct {
	Name       string `cbor:"name"`
	CatchingUp bool   `cbor:"catching_up"` // it is a path, but gives no vote
}

// Ballot is a data node's question to a voter.
type Ballot struct {
	Cluster  string        `cbor:"cluster"`
	Epoch    uint64        `cbor:"epoch"` // of the roster
	From     string        `cbor:"from"`
	Life     Life          `cbor:"life"`
	Seq      uint64        `cbor:"seq"`   // counts the ballots of one life, from 1
	Nonce    uint64        `cbor:"nonce"` // random; the answer names it
	Lease    time.Duration `cbor:"lease"` // T
	View     []Seen        `cbor:"view"`
	Standing Standing      `cbor:"standing"`
	Actor    vclock.Actor  `cbor:"actor"`
	Frontier vclock.Vector `cbor:"frontier"`
	Want     bool          `cbor:"want"`  // the sender's own health holds
	Held     time.Duration `cbor:"held"`  // age of its last lease from the witness; NeverHeld
	Stamp    Stamp         `cbor:"stamp"` // the newest of the witness that the sender has
}

// Check says what of a ballot that came from outside is out of bounds. It
// judges form only: the voter judges whether it fits.
func (b *Ballot) Check() error {
	if err := errors.Join(
		checkCluster(b.Cluster),
		vclock.CheckNodeName(b.From),
		b.Standing.Check(),
		checkActor(b.Actor, b.From),
		checkFrontier(b.Frontier),
		checkView(b.View),
		checkStamp(b.Stamp),
	); err != nil {
		return fmt.Errorf("ballot: %w", err)
	}
	switch {
	case b.Seq == 0 || b.Nonce == 0:
		return errors.New("ballot: its sequence or its nonce is 0")
	case b.Lease <= 0 || b.Lease > MaxSpan:
		return fmt.Errorf("ballot: lease %v: want more than 0 and at most %v", b.Lease, MaxSpan)
	case b.Held != NeverHeld && (b.Held < 0 || b.Held > MaxSpan):
		return fmt.Errorf("ballot: held %v: want 0 to %v, or %d for never", b.Held, MaxSpan, NeverHeld)
	}
	return nil
}

// Holder is a node that may write, as a voter knows it.
type Holder struct {
	Name string        `cbor:"name"`
	Left time.Duration `cbor:"left"` // for how much longer, from the sending of the answer
}

// Answer is a voter's reply to a ballot: granted, or refused for a reason.
type Answer struct {
	Cluster  string        `cbor:"cluster"`
	From     string        `cbor:"from"`  // the voter
	Nonce    uint64        `cbor:"nonce"` // of the ballot
	Granted  bool          `cbor:"granted"`
	Reason   string        `cbor:"reason"` // of a refusal; empty when granted
	Have     []Holder      `cbor:"have"`   // who may write, as the voter knows it
	Stamp    Stamp         `cbor:"stamp"`  // a witness's clock; zero from a data node
	Knows    uint64        `cbor:"knows"`  // the highest sequence that the voter has heard of the asker's actor
	Wall     int64         `cbor:"wall"`   // the voter's wall clock, in microseconds since 1970 UTC
	Life     Life          `cbor:"life"`   // of a data node; zero from a witness
	Standing Standing      `cbor:"standing,omitempty"`
	Actor    vclock.Actor  `cbor:"actor,omitempty"`
	Frontier vclock.Vector `cbor:"frontier"`
}

// Check says what of an answer that came from outside is out of bounds.
func (a *Answer) Check() error {
	errs := []error{checkCluster(a.Cluster), vclock.CheckNodeName(a.From), checkFrontier(a.Frontier), checkStamp(a.Stamp)}
	if a.Stamp == (Stamp{}) {
		errs = append(errs, a.Standing.Check(), checkActor(a.Actor, a.From))
	} else if a.Standing != "" || a.Actor != "" {
		errs = append(errs, errors.New("a witness has neither standing nor actor"))
	}
	if len(a.Have) > MaxVoters {
		errs = append(errs, fmt.Errorf("%d holders: at most %d", len(a.Have), MaxVoters))
	}
	for _, h := range a.Have {
		errs = append(errs, vclock.CheckNodeName(h.Name))
		if h.Left < 0 || h.Left > MaxSpan {
			errs = append(errs, fmt.Errorf("holder %s for %v: want 0 to %v", h.Name, h.Left, MaxSpan))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	switch {
	case a.Nonce == 0:
		return errors.New("answer: its nonce is 0")
	case a.Granted != (a.Reason == ""):
		return errors.New("answer: want a reason with a refusal, and none with a grant")
	case len(a.Reason) > MaxReason:
		return fmt.Errorf("answer: the reason has %d bytes: at most %d", len(a.Reason), MaxReason)
	}
	return nil
}

func checkCluster(id string) error {
	if id == "" || len(id) > MaxClusterName {
		return fmt.Errorf("cluster id of %d bytes: want 1 to %d", len(id), MaxClusterName)
	}
	return nil
}

// checkActor takes an actor of the node itself only: what a voter knows of an
// actor is told to its owner and nobody else.
func checkActor(a vclock.Actor, node string) error {
	if _, err := vclock.ParseActor(string(a)); err != nil {
		return err
	}
	if a.Node() != node {
		return fmt.Errorf("actor %s is not of node %s", a, node)
	}
	return nil
}

func checkFrontier(v vclock.Vector) error {
	if v.Len() > MaxBallotFrontier {
		return fmt.Errorf("frontier of %d actors: at most %d", v.Len(), MaxBallotFrontier)
	}
	return nil
}

func checkView(view []Seen) error {
	if len(view) > MaxVoters {
		return fmt.Errorf("view of %d nodes: at most %d", len(view), MaxVoters)
	}
	for _, s := range view {
		if err := vclock.CheckNodeName(s.Name); err != nil {
			return fmt.Errorf("view: %w", err)
		}
	}
	return nil
}

func checkStamp(s Stamp) error {
	if (s.Boot == 0) != (s == Stamp{}) || s.At < 0 {
		return errors.New("stamp without a boot id, or before its boot")
	}
	return nil
}

// Message is what ballots, answers and hellos have in common.
type Message interface{ Check() error }

// DecodeMessage reads a ballot, an answer or a hello that came from outside,
// and holds it against its limits.
func DecodeMessage(body []byte, m Message) error {
	if len(body) > MaxBallotBytes {
		return fmt.Errorf("a message of %d bytes: at most %d", len(body), MaxBallotBytes)
	}
	if err := Decode(body, m); err != nil {
		return err
	}
	return m.Check()
}
