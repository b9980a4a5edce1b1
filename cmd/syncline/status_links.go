package main

import (
	"cmp"
	"time"

	"github.com/syncline/syncline/node/link"
	"github.com/syncline/syncline/node/quorum"
	"github.com/syncline/syncline/node/rest"
)

// The states of a link.
const (
	linkUp      = "up"
	linkCut     = "cut"
	linkUnknown = "unknown"
)

// Links implements rest.Cluster: both directions between this process and each
// other member as it sees them, and those between others, of which it knows
// nothing.
func (c *clusterState) Links() []rest.Link {
	votes := c.votes()
	voters := map[string]quorum.VoterState{}
	for _, v := range votes.Voters {
		voters[v.Name] = v
	}
	figures := map[string]link.Figures{}
	for _, f := range c.links() {
		figures[f.Peer] = f
	}
	var out []rest.Link
	for _, from := range c.roster.names() {
		for _, to := range c.roster.names() {
			switch {
			case from == to:
			case from == c.self:
				out = append(out, c.outgoing(voters[to], figures[to]))
			case to == c.self:
				out = append(out, c.incoming(votes.At, voters[from], figures[from]))
			default:
				out = append(out, rest.Link{
					From: from, To: to, State: linkUnknown, Cause: "ask " + from + " or " + to,
					Since: c.started.UTC(), Hearsay: true,
				})
			}
		}
	}
	return out
}

// outgoing is the way to a member: it works when a ballot was answered.
func (c *clusterState) outgoing(v quorum.VoterState, f link.Figures) rest.Link {
	l := rest.Link{From: c.self, To: v.Name, State: linkUp, Since: v.Since.UTC(), Bytes: f.BytesOut, Faults: f.Faults}
	l.RoundTripMS, _ = measured(v)
	switch {
	case f.CutOut:
		l.State, l.Cause = linkCut, "by a fault that was put on it here"
	case !v.Reachable:
		l.State, l.Cause = linkCut, cmp.Or(v.Problem, f.LastError, "no ballot was answered lately")
	}
	return l
}

// incoming is the way from a member: it works when anything came lately.
func (c *clusterState) incoming(now time.Time, v quorum.VoterState, f link.Figures) rest.Link {
	l := rest.Link{From: v.Name, To: c.self, State: linkUp, Since: v.Since.UTC(), Bytes: f.BytesIn, Faults: f.Faults}
	l.RoundTripMS, _ = measured(v)
	switch {
	case f.CutIn:
		l.State, l.Cause = linkCut, "by a fault that was put on it here"
	case v.Reachable || f.LastHeard != nil && now.Sub(*f.LastHeard) < heardLately:
	case f.LastHeard == nil:
		l.State, l.Cause, l.Since = linkUnknown, "nothing has come since the start", c.started.UTC()
	default:
		l.State, l.Cause, l.Since = linkCut, "nothing comes", *f.LastHeard
	}
	return l
}

// heardLately is how long a direction counts as up after the last byte: gossip
// and ballots come more often.
const heardLately = 2 * time.Second
