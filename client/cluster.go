package client

import (
	"context"
	"time"
)

// Member is one process of the roster.
type Member struct {
	Name     string `json:"name"`
	Role     string `json:"role"` // data, replica or witness
	API      string `json:"api"`
	Peer     string `json:"peer"`
	Priority int    `json:"priority"`
}

// Lag says how far somebody is behind. What is not known is nil, beside since
// when.
type Lag struct {
	Versions     *uint64    `json:"versions"`
	Seconds      *float64   `json:"seconds"` // the age of the oldest version that is missing
	UnknownSince *time.Time `json:"unknown_since"`
}

// Peer is another data node as the one that answers sees it. What is not known
// is nil.
type Peer struct {
	Name          string    `json:"name"`
	Reachable     bool      `json:"reachable"`
	Since         time.Time `json:"since"` // of Reachable
	RoundTripMS   *float64  `json:"round_trip_ms"`
	ClockOffsetMS *float64  `json:"clock_offset_ms"`
	NodeLacks     Lag       `json:"node_lacks"`
	PeerLacks     Lag       `json:"peer_lacks"`
}

// WriteStatus says whether a node takes writes.
type WriteStatus struct {
	State         string    `json:"state"` // writable, read-only, override
	Cause         string    `json:"cause"` // why not
	Since         time.Time `json:"since"` // zero: not known
	Votes         Votes     `json:"votes"`
	ExpiresInMS   int64     `json:"expires_in_ms"` // until the lease ends, if nothing renews it
	WritableNodes []string  `json:"writable_nodes"`
}

// Timing is the spans of time of the vote, in milliseconds; all 0 where a node
// does not tell them, as a witness and older builds.
type Timing struct {
	BeatMS  int64 `json:"beat_ms"`  // between two ballots to one voter
	LeaseMS int64 `json:"lease_ms"` // how long a vote counts
	BoundMS int64 `json:"bound_ms"` // the longest time for which two sides of a cut may both take writes
}

// Cluster is the state of the cluster as one node sees it.
type Cluster struct {
	Reply   `json:"-"`
	Cluster string `json:"cluster"`
	Name    string `json:"node"`
	Role    string `json:"role"`
	Build   string `json:"build"`
	Roster  struct {
		Epoch   uint64   `json:"epoch"`
		Members []Member `json:"members"`
	} `json:"roster"`
	Write      WriteStatus       `json:"write"`
	Frontier   map[string]uint64 `json:"frontier"`
	CatchingUp bool              `json:"catching_up"`
	Timing     Timing            `json:"timing"`
	Disk       struct {
		FreeBytes uint64 `json:"free_bytes"`
		Low       bool   `json:"low"`
	} `json:"disk"`
	Conflicts struct {
		Open    int64 `json:"open"`
		Settled int64 `json:"settled"`
	} `json:"conflicts"`
	Peers []Peer `json:"peers"`
}

// Cluster reads the state of the cluster from the node that answers; use At to
// ask a certain one.
func (c *Client) Cluster(ctx context.Context) (*Cluster, error) {
	return read[Cluster](ctx, c, &call{path: "/v1/cluster", alone: true})
}

func (v *Cluster) setReply(r Reply) { v.Reply = r }

// Link is one direction between two members.
type Link struct {
	From        string    `json:"from"`
	To          string    `json:"to"`
	State       string    `json:"state"` // up, cut or unknown
	Cause       string    `json:"cause"`
	Since       time.Time `json:"since"`
	RoundTripMS *float64  `json:"round_trip_ms"` // nil: not known
	Bytes       uint64    `json:"bytes"`
	Faults      []string  `json:"faults"` // ids of the faults of chaos
	// Until is when the last of the faults ends by itself; nil: there is none.
	Until   *time.Time `json:"until"`
	Hearsay bool       `json:"hearsay"` // known only through another member
}

// Links is the matrix of links as one node knows it.
type Links struct {
	Reply `json:"-"`
	Name  string `json:"node"`
	Links []Link `json:"links"`
}

// Links reads the matrix of links.
func (c *Client) Links(ctx context.Context) (*Links, error) {
	return read[Links](ctx, c, &call{path: "/v1/cluster/links", alone: true})
}

func (v *Links) setReply(r Reply) { v.Reply = r }

// Voter is what a node has from one voter.
type Voter struct {
	Name          string    `json:"name"`
	Role          string    `json:"role"`
	Granted       bool      `json:"granted"`
	ExpiresInMS   int64     `json:"expires_in_ms"`
	Reason        string    `json:"reason"`     // of the last answer, where it was no grant
	LastHeard     time.Time `json:"last_heard"` // zero: never
	RoundTripMS   *float64  `json:"round_trip_ms"`
	ClockOffsetMS *float64  `json:"clock_offset_ms"`
}

// VoteEvent is one entry of the log of grants, refusals and expiries.
type VoteEvent struct {
	Time   time.Time `json:"time"`
	Kind   string    `json:"kind"`
	Voter  string    `json:"voter"`
	To     string    `json:"to"`
	Reason string    `json:"reason"`
}

// VoteState tells of the vote in detail.
type VoteState struct {
	Reply       `json:"-"`
	Name        string      `json:"node"`
	State       string      `json:"state"`
	Votes       Votes       `json:"votes"`
	ExpiresInMS int64       `json:"expires_in_ms"`
	Voters      []Voter     `json:"voters"`
	Log         []VoteEvent `json:"log"`
	Alerts      []string    `json:"alerts"`
}

// Votes reads the votes that a node holds, and why it lacks others.
func (c *Client) Votes(ctx context.Context) (*VoteState, error) {
	return read[VoteState](ctx, c, &call{path: "/v1/cluster/votes", alone: true})
}

func (v *VoteState) setReply(r Reply) { v.Reply = r }

// Gap says how much of an actor's writes a node lacks.
type Gap struct {
	Node  string `json:"node"`
	Actor string `json:"actor"`
	Lag
}

// Divergence is node by actor: who lacks how much of whose writes.
type Divergence struct {
	Reply `json:"-"`
	Name  string `json:"node"`
	Rows  []Gap  `json:"rows"`
}

// Divergence reads who lacks how much.
func (c *Client) Divergence(ctx context.Context) (*Divergence, error) {
	return read[Divergence](ctx, c, &call{path: "/v1/cluster/divergence", alone: true})
}

func (v *Divergence) setReply(r Reply) { v.Reply = r }

// Digest sums up one collection. Digest and Documents are equal on two nodes
// with equal frontiers and nothing loose; Tombstones may differ.
type Digest struct {
	Digest     string `json:"digest"`
	Documents  int64  `json:"documents"`
	Tombstones int64  `json:"tombstones"`
	Conflicts  int64  `json:"conflicts"`
}

// Verify is what a node has, in short.
type Verify struct {
	Reply       `json:"-"`
	Name        string            `json:"node"`
	Frontier    map[string]uint64 `json:"frontier"`
	Loose       int               `json:"loose"`
	Collections map[string]Digest `json:"collections"`
}

// Verify reads the digests of one node, to be compared with another's.
func (c *Client) Verify(ctx context.Context, options Options) (*Verify, error) {
	return read[Verify](ctx, c, &call{path: "/v1/verify", options: options})
}

func (v *Verify) setReply(r Reply) { v.Reply = r }

// Version says which program a node runs.
type Version struct {
	Reply   `json:"-"`
	Build   string    `json:"build"`
	Go      string    `json:"go"`
	Name    string    `json:"node"`
	Started time.Time `json:"started"`
}

// Version reads which program a node runs.
func (c *Client) Version(ctx context.Context) (*Version, error) {
	return read[Version](ctx, c, &call{path: "/version", alone: true})
}

func (v *Version) setReply(r Reply) { v.Reply = r }

// replied is a shape that keeps what its answer says about the node.
type replied[T any] interface {
	*T
	setReply(Reply)
}

// read reads a route into its shape.
func read[T any, P replied[T]](ctx context.Context, c *Client, r *call) (*T, error) {
	out := new(T)
	reply, err := c.getJSON(ctx, r, out)
	if err != nil {
		return nil, err
	}
	P(out).setReply(reply)
	return out, nil
}
