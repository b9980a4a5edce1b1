package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/syncline/syncline/node/link"
	"github.com/syncline/syncline/node/stream"
	"github.com/syncline/syncline/node/wire"
	"github.com/syncline/syncline/witness"
)

// MaxBallots is the most ballots that are answered at once; what is above is
// refused as busy.
const MaxBallots = 64

// Member is one process of the roster, as the API shows it.
type Member struct {
	Name     string    `json:"name"`
	Role     wire.Role `json:"role"`
	API      string    `json:"api"` // host:port as others dial it; a witness may have none
	Peer     string    `json:"peer"`
	Priority int       `json:"priority"`
}

// Chaos puts faults on this process's own side of its links.
type Chaos interface {
	Add(link.Fault) (link.Fault, error)
	Remove(id string) error
	Heal(link.Which) int
	List() []link.Fault
}

// Config says what a Server is made of.
type Config struct {
	Roster  witness.Roster // of the votes; its Witness is this process
	Members []Member       // all members, in the order in which they are shown
	Timing  witness.Timing
	Boot    uint64               // random id of this run, not 0
	Longest time.Duration        // the largest promise that any run ever gave (W4)
	Clock   func() time.Duration // the boot-time clock
	Wall    func() time.Time
	Listen  []string // host:port that the API is bound to: hosts that a request may name
	Chaos   Chaos    // nil without --chaos
	Build   string   // of this program
	// Changed is told who has the vote whenever a ballot changes that; nil:
	// nobody is.
	Changed func(holders []string)
	// Events keeps what /v1/events tells; nil: one of its own. Whoever makes the
	// parts of the process may add to it.
	Events  *stream.Log
	Metrics *prometheus.Registry // nil: one of its own
	Log     *slog.Logger         // of faults of this program; nil: nowhere
}

// Server is a witness that answers ballots and shows itself. It is safe for
// concurrent use.
type Server struct {
	cfg     Config
	name    string
	started time.Time
	ballots chan struct{} // a place for each ballot that is being answered
	hosts   hosts
	cross   *http.CrossOriginProtection
	routes  map[string]route
	metrics *metrics
	places  stream.Places   // of streams
	stop    context.Context // ends when the API drains
	stopNow context.CancelFunc

	mu      sync.Mutex
	witness *witness.Witness
	log     witness.Log
	contact map[string]contact // with each data node
	holders []string
}

// contact is what passed between the witness and a data node.
type contact struct {
	heard  time.Time      // the last ballot; zero: never in this run
	since  time.Time      // since when ballots have come without a break
	reason witness.Reason // of the last refusal; "": the last ballot was granted
}

// New makes the server of a witness that starts now.
func New(c Config) (*Server, error) {
	w, err := witness.New(witness.Config{
		Roster: c.Roster, Timing: c.Timing, Boot: c.Boot, Started: c.Clock(), Longest: c.Longest,
	})
	if err != nil {
		return nil, err
	}
	if c.Changed == nil {
		c.Changed = func([]string) {}
	}
	if c.Events == nil {
		c.Events = stream.NewLog(stream.Config{Life: strconv.FormatUint(c.Boot, 36)})
	}
	if c.Metrics == nil {
		c.Metrics = prometheus.NewRegistry()
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{
		cfg: c, name: c.Roster.Witness, started: c.Wall(), ballots: make(chan struct{}, MaxBallots),
		hosts: newHosts(c.Members, c.Listen), witness: w, contact: map[string]contact{},
	}
	if s.cross, err = s.hosts.protection(); err != nil {
		return nil, err
	}
	if s.metrics, err = newMetrics(s); err != nil {
		return nil, err
	}
	s.stop, s.stopNow = context.WithCancel(context.Background())
	s.routes = s.makeRoutes()
	return s, nil
}

// HandleBallot answers a ballot. caller is the name that the peer has proved; a
// ballot of somebody else is an error, as is one that cannot be read.
func (s *Server) HandleBallot(caller string, body []byte) ([]byte, error) {
	var b wire.Ballot
	if err := wire.DecodeMessage(body, &b); err != nil {
		return nil, err
	}
	if b.From != caller {
		return nil, fmt.Errorf("a ballot of %s was sent by %s", b.From, caller)
	}
	var a witness.Answer
	var wall time.Time
	select {
	case s.ballots <- struct{}{}:
		a, wall = s.ask(b)
		<-s.ballots
	default:
		a, wall = s.busy()
	}
	s.metrics.count(a)
	out := wire.Answer{
		Cluster: s.cfg.Roster.Cluster, From: s.name, Nonce: b.Nonce, Granted: a.Granted, Reason: string(a.Reason),
		Stamp: wire.Stamp(a.Stamp), Knows: a.Knows, Wall: wall.UnixMicro(),
	}
	for _, h := range a.Have {
		out.Have = append(out.Have, wire.Holder(h))
	}
	return wire.Encode(&out)
}

// ask lets the witness decide.
func (s *Server) ask(b wire.Ballot) (witness.Answer, time.Time) {
	q := witness.Ballot{
		Cluster: b.Cluster, Epoch: b.Epoch, From: b.From, Life: witness.Life(b.Life), Seq: b.Seq, Lease: b.Lease,
		CatchingUp: b.Standing != wire.StandingGood, Want: b.Want, Held: b.Held,
		Stamp: witness.Stamp(b.Stamp), Actor: b.Actor, Frontier: b.Frontier,
	}
	for _, seen := range b.View {
		q.View = append(q.View, witness.Seen(seen))
	}
	s.mu.Lock()
	wall := s.cfg.Wall()
	a := s.witness.Ask(s.cfg.Clock(), q)
	s.note(wall, b.From, a)
	holders, changed := names(a.Have), false
	if changed = !slices.Equal(holders, s.holders); changed {
		s.holders = holders
	}
	s.mu.Unlock()
	if changed {
		s.cfg.Changed(holders)
	}
	return a, wall
}

func names(holders []witness.Holder) []string {
	var out []string
	for _, h := range holders {
		out = append(out, h.Name)
	}
	return out
}

// note keeps what became of a ballot.
func (s *Server) note(wall time.Time, from string, a witness.Answer) {
	e := witness.Event{Voter: s.name, Node: from, Verdict: witness.Granted, Reason: a.Reason}
	if !a.Granted {
		e.Verdict = witness.Refused
	}
	s.log.Add(wall, e)
	c := s.contact[from]
	if member := s.cfg.Roster.Index(from) >= 0; member && (c.heard.IsZero() || c.reason != a.Reason) {
		s.cfg.Events.Add(eventVote, showEntry(witness.Entry{Event: e, First: wall, Last: wall, Count: 1}))
	}
	if wall.Sub(c.heard) > s.cfg.Timing.Fresh {
		c.since = wall
	}
	c.heard, c.reason = wall, a.Reason
	if s.cfg.Roster.Index(from) >= 0 { // else anybody could make it grow
		s.contact[from] = c
	}
}

// busy refuses without looking at the ballot.
func (s *Server) busy() (witness.Answer, time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return witness.Answer{Reason: witness.Busy, Stamp: witness.Stamp{Boot: s.cfg.Boot, At: s.cfg.Clock()}}, s.cfg.Wall()
}

// HandleHello answers how a process presents itself with how this one does.
func (s *Server) HandleHello(caller string, body []byte) ([]byte, error) {
	var h wire.Hello
	if err := wire.DecodeMessage(body, &h); err != nil {
		return nil, err
	}
	if h.Name != caller {
		return nil, fmt.Errorf("a hello of %s was sent by %s", h.Name, caller)
	}
	if h.Cluster != s.cfg.Roster.Cluster {
		return nil, errors.New("the hello is of another cluster")
	}
	return wire.Encode(&wire.Hello{
		Version: wire.Version, Cluster: s.cfg.Roster.Cluster, Epoch: s.cfg.Roster.Epoch, Name: s.name,
		Role: wire.RoleWitness, Build: s.cfg.Build, Life: wire.Life{Boot: s.cfg.Boot},
	})
}

// state is the witness's at this instant.
func (s *Server) state() witness.State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.witness.State(s.cfg.Clock())
}
