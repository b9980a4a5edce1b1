package server

import (
	"fmt"
	"net/http"
	"time"

	"github.com/syncline/syncline/node/wire"
	"github.com/syncline/syncline/witness"
)

// States of a witness.
const (
	stateWaiting  = "waiting"  // it started lately and grants nothing yet (W4)
	stateGranting = "granting" // it gives its vote
	stateSpare    = "spare"    // it answers, but has no vote beside an odd number of data nodes
)

func (s *Server) stateName(state witness.State) string {
	switch {
	case !s.cfg.Roster.WitnessVotes():
		return stateSpare
	case state.Opens > 0:
		return stateWaiting
	}
	return stateGranting
}

// voteJSON is the vote in short.
type voteJSON struct {
	State     string       `json:"state"`
	OpensInMS int64        `json:"opens_in_ms"` // nothing is granted before
	Holders   []holderJSON `json:"holders"`     // who has the vote
}

type holderJSON struct {
	Name        string `json:"name"`
	ExpiresInMS int64  `json:"expires_in_ms"`
}

// peerJSON is a data node as the witness sees it. The witness asks nobody, so
// it knows neither round trips nor clocks.
type peerJSON struct {
	Name          string     `json:"name"`
	Reachable     bool       `json:"reachable"` // its last ballot is fresh
	Since         *time.Time `json:"since"`
	LastHeard     *time.Time `json:"last_heard"`
	RoundTripMS   *float64   `json:"round_trip_ms"`
	ClockOffsetMS *float64   `json:"clock_offset_ms"`
}

func (s *Server) getCluster(w http.ResponseWriter, _ *http.Request) error {
	return reply(w, http.StatusOK, s.clusterJSON())
}

// clusterJSON is the shape of GET /v1/cluster.
type clusterJSON struct {
	Cluster       string     `json:"cluster"`
	Node          string     `json:"node"`
	Role          wire.Role  `json:"role"`
	Build         string     `json:"build"`
	Roster        rosterJSON `json:"roster"`
	Vote          voteJSON   `json:"vote"`
	WritableNodes []string   `json:"writable_nodes"`
	Peers         []peerJSON `json:"peers"`
}

type rosterJSON struct {
	Epoch   uint64   `json:"epoch"`
	Members []Member `json:"members"`
}

func (s *Server) clusterJSON() clusterJSON {
	state := s.state()
	vote := voteJSON{State: s.stateName(state), OpensInMS: state.Opens.Milliseconds(), Holders: []holderJSON{}}
	for _, h := range state.Holders {
		vote.Holders = append(vote.Holders, holderJSON{h.Name, h.Left.Milliseconds()})
	}
	return clusterJSON{
		s.cfg.Roster.Cluster, s.name, wire.RoleWitness, s.cfg.Build,
		rosterJSON{s.cfg.Roster.Epoch, s.cfg.Members},
		vote, s.urls(names(state.Holders)), s.peers(state),
	}
}

func (s *Server) peers(state witness.State) []peerJSON {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []peerJSON{}
	for _, n := range state.Nodes {
		c := s.contact[n.Name]
		p := peerJSON{Name: n.Name, Reachable: n.Live, LastHeard: stamped(c.heard)}
		switch {
		case n.Live:
			p.Since = stamped(c.since)
		case c.heard.IsZero():
			p.Since = stamped(s.started)
		default:
			p.Since = stamped(c.heard.Add(s.cfg.Timing.Fresh))
		}
		out = append(out, p)
	}
	return out
}

// voterJSON is one data node: what the witness has given it, and what it said.
type voterJSON struct {
	Name          string     `json:"name"`
	Role          wire.Role  `json:"role"`
	Granted       bool       `json:"granted"` // it has the vote
	ExpiresInMS   int64      `json:"expires_in_ms"`
	Reason        string     `json:"reason"` // of the last answer, where it was no grant
	LastHeard     *time.Time `json:"last_heard"`
	RoundTripMS   *float64   `json:"round_trip_ms"`
	ClockOffsetMS *float64   `json:"clock_offset_ms"`
	Live          bool       `json:"live"` // its last ballot is fresh
	Wants         bool       `json:"wants"`
	CatchingUp    bool       `json:"catching_up"`
	Lists         []string   `json:"lists"`     // with whom it exchanged ballots lately
	Component     []string   `json:"component"` // whom it reaches, by all that the witness was told
}

type eventJSON struct {
	Time   time.Time `json:"time"` // the first of Count in a row
	Last   time.Time `json:"last"`
	Count  int       `json:"count"`
	Kind   string    `json:"kind"` // grant, refusal
	Voter  string    `json:"voter"`
	To     string    `json:"to"`
	Reason string    `json:"reason"`
}

func (s *Server) getVotes(w http.ResponseWriter, _ *http.Request) error {
	return reply(w, http.StatusOK, s.votesJSON())
}

// votesJSON is the shape of GET /v1/cluster/votes.
type votesJSON struct {
	Node      string      `json:"node"`
	State     string      `json:"state"`
	OpensInMS int64       `json:"opens_in_ms"`
	Voters    []voterJSON `json:"voters"`
	Log       []eventJSON `json:"log"`
	Alerts    []string    `json:"alerts"`
}

func (s *Server) votesJSON() votesJSON {
	state := s.state()
	s.mu.Lock()
	entries := s.log.Entries()
	voters := make([]voterJSON, 0, len(state.Nodes))
	for _, n := range state.Nodes {
		c := s.contact[n.Name]
		voters = append(voters, voterJSON{
			Name: n.Name, Role: wire.RoleData, Granted: n.Chosen && n.Promised > 0, ExpiresInMS: n.Promised.Milliseconds(),
			Reason: string(c.reason), LastHeard: stamped(c.heard), Live: n.Live, Wants: n.Wants, CatchingUp: n.CatchingUp,
			Lists: filled(n.Lists), Component: n.Component,
		})
	}
	s.mu.Unlock()
	log := make([]eventJSON, 0, len(entries))
	for _, e := range entries {
		log = append(log, showEntry(e))
	}
	return votesJSON{s.name, s.stateName(state), state.Opens.Milliseconds(), voters, log, s.alerts(state, voters)}
}

func showEntry(e witness.Entry) eventJSON {
	kind := "grant"
	if e.Verdict == witness.Refused {
		kind = "refusal"
	}
	return eventJSON{e.First.UTC(), e.Last.UTC(), e.Count, kind, e.Voter, e.Node, string(e.Reason)}
}

// alerts says in words what an operator should look at.
func (s *Server) alerts(state witness.State, voters []voterJSON) []string {
	out := []string{}
	if state.Opens > 0 {
		out = append(out, fmt.Sprintf("%s started lately and grants nothing for another %v", s.name, state.Opens.Round(time.Millisecond)))
	}
	for _, v := range voters {
		if v.Reason == string(witness.Epoch) {
			out = append(out, fmt.Sprintf("the ballots of %s are refused: its roster or its lease differs, or a newer process runs under its name", v.Name))
		}
	}
	return out
}

func filled(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
