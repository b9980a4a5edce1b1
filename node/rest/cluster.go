package rest

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// RoleData is the role of a member that votes and takes writes.
const RoleData = "data"

// States of a node, as Write-State shows them.
const (
	StateWritable = "writable"
	StateReadOnly = "read-only"
)

// VoteCount counts votes.
type VoteCount struct {
	Have int `json:"have"`
	Need int `json:"need"`
	Of   int `json:"of"`
}

// Status is what a node knows of votes, disk and peers.
type Status struct {
	Write WriteStatus
	Disk  Disk
	Peers []Peer
	// Stable is what every data node has, as far as this one knows.
	Stable vclock.Vector
}

// WriteStatus says whether a node takes writes, by the votes that it has.
type WriteStatus struct {
	State         string     // StateWritable or StateReadOnly
	Cause         node.Cause // why not
	Since         time.Time  // zero: not known
	Votes         VoteCount
	ExpiresIn     time.Duration // until the lease ends, if nothing renews it
	WritableNodes []string      // names of nodes that may write, as far as it is known
}

// Disk is the state of the disk that the database is on.
type Disk struct {
	FreeBytes uint64 `json:"free_bytes"`
	Low       bool   `json:"low"` // below the mark at which the node turns read-only
}

// Peer is another data node as this one sees it. What is not known is nil, or
// a Lag with UnknownSince.
type Peer struct {
	Name          string    `json:"name"`
	Reachable     bool      `json:"reachable"`
	Since         time.Time `json:"since"` // of Reachable
	RoundTripMS   *float64  `json:"round_trip_ms"`
	ClockOffsetMS *float64  `json:"clock_offset_ms"` // its clock less ours
	NodeLacks     Lag       `json:"node_lacks"`
	PeerLacks     Lag       `json:"peer_lacks"`
}

// Link is one direction between two members.
type Link struct {
	From        string    `json:"from"`
	To          string    `json:"to"`
	State       string    `json:"state"` // up, cut or unknown
	Cause       string    `json:"cause"` // in words, where the state is not up
	Since       time.Time `json:"since"`
	RoundTripMS *float64  `json:"round_trip_ms"` // nil: not known
	Bytes       uint64    `json:"bytes"`         // sent in this direction, as this node has counted
	Faults      []string  `json:"faults"`        // ids of the faults that chaos has put on it here
	// Until is when the last of the faults ends by itself; nil: there is none.
	Until   *time.Time `json:"until"`
	Hearsay bool       `json:"hearsay"` // known only through another member
}

// Votes tells of the vote in detail.
type Votes struct {
	State     string
	Votes     VoteCount
	ExpiresIn time.Duration
	Voters    []Voter
	Log       []VoteEvent
	Alerts    []string // in words, such as "no spare vote"
}

// Voter is what a node has from one voter.
type Voter struct {
	Name          string        `json:"name"`
	Role          string        `json:"role"`
	Granted       bool          `json:"granted"`
	ExpiresIn     time.Duration `json:"-"`
	Reason        string        `json:"reason"` // of the last answer, where it was no grant
	LastHeard     time.Time     `json:"-"`      // zero: never in this life
	RoundTripMS   *float64      `json:"round_trip_ms"`
	ClockOffsetMS *float64      `json:"clock_offset_ms"`
}

// VoteEvent is one entry of the log of grants, refusals and expiries.
type VoteEvent struct {
	Time   time.Time `json:"time"`
	Kind   string    `json:"kind"`  // grant, refusal, expiry
	Voter  string    `json:"voter"` // who gave or refused
	To     string    `json:"to"`    // who asked
	Reason string    `json:"reason"`
}

// Gap says how much of an actor's writes a node lacks.
type Gap struct {
	Node  string
	Actor vclock.Actor
	Lag   Lag
}

// clusterJSON is the shape of GET /v1/cluster.
type clusterJSON struct {
	Cluster    string         `json:"cluster"`
	Node       string         `json:"node"`
	Role       string         `json:"role"`
	Build      string         `json:"build"`
	Roster     Roster         `json:"roster"`
	Write      writeJSON      `json:"write"`
	Frontier   vclock.Vector  `json:"frontier"`
	Stable     vclock.Vector  `json:"stable"`
	CatchingUp bool           `json:"catching_up"`
	Timing     Timing         `json:"timing"`
	Disk       Disk           `json:"disk"`
	Conflicts  conflictCounts `json:"conflicts"`
	Peers      []Peer         `json:"peers"`
}

type writeJSON struct {
	State         string     `json:"state"`
	Cause         node.Cause `json:"cause"`
	Since         *time.Time `json:"since"`
	Votes         VoteCount  `json:"votes"`
	ExpiresInMS   int64      `json:"expires_in_ms"`
	WritableNodes []string   `json:"writable_nodes"`
}

type conflictCounts struct {
	Open    int64 `json:"open"`
	Settled int64 `json:"settled"` // those on record, reviewed or not
}

func (s *Server) getCluster(c echo.Context) error {
	if err := acceptable(c.Request(), typeJSON); err != nil {
		return err
	}
	out, err := s.clusterJSON(c.Request().Context())
	if err != nil {
		return err
	}
	return replyJSON(c.Response(), http.StatusOK, out)
}

// clusterJSON is the state of the cluster as this node sees it now.
func (s *Server) clusterJSON(ctx context.Context) (clusterJSON, error) {
	verify, err := s.engine.Verify(ctx)
	if err != nil {
		return clusterJSON{}, err
	}
	counts, err := s.engine.ConflictCounts(ctx)
	if err != nil {
		return clusterJSON{}, err
	}
	status := s.cfg.Cluster.Status()
	return clusterJSON{
		Cluster: s.cfg.ClusterID, Node: s.cfg.Node, Role: RoleData, Build: s.cfg.Build, Roster: s.cfg.Roster,
		Write:    s.writeJSON(status.Write),
		Frontier: verify.Frontier, Stable: status.Stable,
		CatchingUp: s.engine.Standing() == node.StandingCatchingUp, Timing: s.cfg.Timing,
		Disk: status.Disk, Peers: filled(status.Peers),
		Conflicts: conflictCounts{Open: counts.Open, Settled: counts.Records},
	}, nil
}

// writeJSON is what a node says of its right to write.
func (s *Server) writeJSON(status WriteStatus) writeJSON {
	w := s.writeStatus(status)
	return writeJSON{
		State: w.State, Cause: w.Cause, Since: stamped(w.Since), Votes: w.Votes,
		ExpiresInMS: w.ExpiresIn.Milliseconds(), WritableNodes: s.urls(w.WritableNodes),
	}
}

// writeStatus is what the vote says, unless the engine refuses writes for a
// reason of its own. So no reply contradicts what a write would be told.
func (s *Server) writeStatus(w WriteStatus) WriteStatus {
	err := s.engine.MayWrite()
	if err == nil {
		return w
	}
	w.State = StateReadOnly
	if e, ok := errors.AsType[*node.Error](err); ok && e.ReadOnly != nil {
		return s.refusal(e.ReadOnly)
	}
	return w
}

// refusal is the write status of a node that refuses for a stated reason. What
// the reason does not say about votes, the vote does.
func (s *Server) refusal(state *node.ReadOnlyState) WriteStatus {
	w := s.cfg.Cluster.Status().Write
	w.State, w.Cause = StateReadOnly, state.Cause
	if state.Of > 0 {
		w.Votes = VoteCount{Have: state.Have, Need: state.Need, Of: state.Of}
		w.WritableNodes = state.WritableNodes
	}
	if !state.Since.IsZero() {
		w.Since = state.Since
	}
	return w
}

// filled makes JSON show an empty list, not null.
func filled[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func (s *Server) getLinks(c echo.Context) error {
	if err := acceptable(c.Request(), typeJSON); err != nil {
		return err
	}
	return replyJSON(c.Response(), http.StatusOK, s.linksJSON())
}

// linksJSON is the shape of GET /v1/cluster/links.
type linksJSON struct {
	Node  string `json:"node"`
	Links []Link `json:"links"`
}

// linksJSON is the matrix of links with until when chaos disturbs each.
func (s *Server) linksJSON() linksJSON {
	links := filled(s.cfg.Cluster.Links())
	ends := map[string]time.Time{}
	if s.cfg.Chaos != nil {
		for _, f := range s.cfg.Chaos.List() {
			ends[f.ID] = f.Expires
		}
	}
	for i := range links {
		l := &links[i]
		l.Faults = filled(l.Faults)
		for _, id := range l.Faults {
			if end, ok := ends[id]; ok && (l.Until == nil || end.After(*l.Until)) {
				l.Until = &end
			}
		}
	}
	return linksJSON{s.cfg.Node, links}
}

// voterJSON adds to a Voter what is shown in another form.
type voterJSON struct {
	Voter
	ExpiresInMS int64      `json:"expires_in_ms"`
	LastHeard   *time.Time `json:"last_heard"`
}

func (s *Server) getVotes(c echo.Context) error {
	if err := acceptable(c.Request(), typeJSON); err != nil {
		return err
	}
	return replyJSON(c.Response(), http.StatusOK, s.votesJSON(s.cfg.Cluster.Votes()))
}

// votesJSON is the shape of GET /v1/cluster/votes.
type votesJSON struct {
	Node        string      `json:"node"`
	State       string      `json:"state"`
	Votes       VoteCount   `json:"votes"`
	ExpiresInMS int64       `json:"expires_in_ms"`
	Voters      []voterJSON `json:"voters"`
	Log         []VoteEvent `json:"log"`
	Alerts      []string    `json:"alerts"`
}

func (s *Server) votesJSON(v Votes) votesJSON {
	voters := make([]voterJSON, 0, len(v.Voters))
	for _, voter := range v.Voters {
		voters = append(voters, voterJSON{voter, voter.ExpiresIn.Milliseconds(), stamped(voter.LastHeard)})
	}
	return votesJSON{s.cfg.Node, v.State, v.Votes, v.ExpiresIn.Milliseconds(), voters, filled(v.Log), filled(v.Alerts)}
}

func (s *Server) getDivergence(c echo.Context) error {
	if err := acceptable(c.Request(), typeJSON); err != nil {
		return err
	}
	b := appendText([]byte(`{"node":`), s.cfg.Node)
	b = append(b, `,"rows":[`...)
	for i, gap := range s.cfg.Cluster.Divergence() {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(append(b, `{"node":`...), gap.Node)
		b = appendText(append(b, `,"actor":`...), string(gap.Actor))
		b = gap.Lag.appendJSON(append(b, ','))
	}
	c.Response().Header()[headCache] = valueNoStore
	return reply(c.Response(), http.StatusOK, valueJSON, append(b, "]}"...))
}

// getVerify answers the digests. They are comparable between two nodes with
// equal frontiers and nothing loose.
func (s *Server) getVerify(c echo.Context) error {
	if err := acceptable(c.Request(), typeJSON); err != nil {
		return err
	}
	if err := s.fresh(c); err != nil {
		return err
	}
	v, err := s.engine.Verify(c.Request().Context())
	if err != nil {
		return err
	}
	type stat struct {
		Digest     string `json:"digest"`
		Documents  int64  `json:"documents"`
		Tombstones int64  `json:"tombstones"`
		Conflicts  int64  `json:"conflicts"`
	}
	stats := map[string]stat{}
	for _, k := range v.Collections {
		stats[string(k.Name)] = stat{k.Digest.String(), k.Documents, k.Tombstones, k.Conflicts}
	}
	s.setSession(c.Response().Header(), v.Frontier, nil)
	return replyJSON(c.Response(), http.StatusOK, struct {
		Node        string          `json:"node"`
		Frontier    vclock.Vector   `json:"frontier"`
		Loose       int             `json:"loose"`
		Collections map[string]stat `json:"collections"`
	}{s.cfg.Node, v.Frontier, v.Loose, stats})
}
