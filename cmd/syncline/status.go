package main

import (
	"sync/atomic"
	"time"

	"github.com/syncline/syncline/node/link"
	"github.com/syncline/syncline/node/peer"
	"github.com/syncline/syncline/node/quorum"
	"github.com/syncline/syncline/node/replica"
	"github.com/syncline/syncline/node/rest"
	"github.com/syncline/syncline/vclock"
	"github.com/syncline/syncline/witness"
)

// lagEvery is how old the lag that a reply tells may be. It is asked with every
// request, and compares frontiers.
const lagEvery = 5 * time.Millisecond

// clusterState puts together what the API tells of the rest of the cluster,
// from the parts that know it. It implements rest.Cluster.
type clusterState struct {
	self     string
	roster   roster
	started  time.Time                   // wall clock
	origin   time.Time                   // the wall clock when the boot-time clock was 0
	votes    func() quorum.State         // who may write
	log      func() []witness.Entry      // what became of votes, newest first
	data     func() []replica.PeerStatus // who has what
	links    func() []link.Figures       // what this process's links carried
	disk     func() rest.Disk
	frontier func() vclock.Vector                    // this node's own
	stable   func() vclock.Vector                    // what every data node has
	known    func(name string) (vclock.Vector, bool) // what another data node has, as closing frames said (PROTOCOL D7)

	lag atomic.Pointer[lagAt]
}

type lagAt struct {
	lag  rest.Lag
	when time.Time
}

var _ rest.Cluster = (*clusterState)(nil)

// Lag implements rest.Cluster. As long as one data node is silent nobody knows
// what this node lacks.
func (c *clusterState) Lag() rest.Lag {
	now := time.Now()
	if l := c.lag.Load(); l != nil && now.Sub(l.when) < lagEvery {
		return l.lag
	}
	var worst rest.Lag
	for _, p := range c.data() {
		lag := c.lack(p.NodeLacks, p.Since)
		switch {
		case !lag.UnknownSince.IsZero():
			if worst.UnknownSince.IsZero() || lag.UnknownSince.Before(worst.UnknownSince) {
				worst = lag
			}
		case worst.UnknownSince.IsZero():
			worst.Versions, worst.Seconds = max(worst.Versions, lag.Versions), max(worst.Seconds, lag.Seconds)
		}
	}
	c.lag.Store(&lagAt{worst, now})
	return worst
}

// lack is a lack as the API shows it; since is a boot time.
func (c *clusterState) lack(l replica.Lack, since time.Duration) rest.Lag {
	if !l.Known {
		return rest.Lag{UnknownSince: c.origin.Add(since).UTC()}
	}
	return rest.Lag{Versions: l.Versions, Seconds: l.Age.Seconds()}
}

// Status implements rest.Cluster.
func (c *clusterState) Status() rest.Status {
	votes := c.votes()
	return rest.Status{Write: writeStatus(votes), Disk: c.disk(), Peers: c.peers(votes), Stable: c.stable()}
}

// writeStatus is what the vote says.
func writeStatus(s quorum.State) rest.WriteStatus {
	w := rest.WriteStatus{
		State: rest.StateReadOnly, Cause: s.Cause, Since: s.Since.UTC(),
		Votes:     rest.VoteCount{Have: s.Have, Need: s.Need, Of: s.Of},
		ExpiresIn: s.Expires, WritableNodes: s.WritableNodes,
	}
	if s.Writable {
		w.State = rest.StateWritable
	}
	return w
}

// peers joins what votes and data say of the other data nodes. Reachable is
// what the vote says: a ballot was answered lately.
func (c *clusterState) peers(votes quorum.State) []rest.Peer {
	lags := map[string]replica.PeerStatus{}
	for _, p := range c.data() {
		lags[p.Name] = p
	}
	var out []rest.Peer
	for _, v := range votes.Voters {
		if v.Witness {
			continue
		}
		lag := lags[v.Name]
		p := rest.Peer{
			Name: v.Name, Reachable: v.Reachable, Since: v.Since.UTC(),
			NodeLacks: c.lack(lag.NodeLacks, lag.Since), PeerLacks: c.lack(lag.PeerLacks, lag.Since),
		}
		p.RoundTripMS, p.ClockOffsetMS = measured(v)
		out = append(out, p)
	}
	return out
}

// measured is what the last ballot measured; nil while the voter is silent.
func measured(v quorum.VoterState) (roundTrip, offset *float64) {
	if !v.Reachable || !v.Answered {
		return nil, nil
	}
	trip, off := millis(v.RoundTrip), millis(v.Offset)
	return &trip, &off
}

// millis is a duration in milliseconds, to the microsecond.
func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// Votes implements rest.Cluster.
func (c *clusterState) Votes() rest.Votes {
	s := c.votes()
	w := writeStatus(s)
	out := rest.Votes{State: w.State, Votes: w.Votes, ExpiresIn: w.ExpiresIn}
	// A node's own vote needs nobody's answer and never ends.
	out.Voters = append(out.Voters, rest.Voter{Name: s.Node, Role: string(peer.Data), Granted: true, ExpiresIn: quorum.Forever, LastHeard: s.At.UTC()})
	for _, v := range s.Voters {
		out.Voters = append(out.Voters, voter(v))
	}
	for _, e := range c.log() {
		out.Log = append(out.Log, rest.VoteEvent{
			Time: e.First.UTC(), Kind: verdictNames[e.Verdict], Voter: e.Voter, To: e.Node, Reason: string(e.Reason),
		})
	}
	for _, a := range s.Alerts {
		out.Alerts = append(out.Alerts, a.Detail)
	}
	return out
}

// verdictNames are the kinds of vote events, as the API has them.
var verdictNames = map[witness.Verdict]string{
	witness.Granted: "grant", witness.Refused: "refusal", witness.Expired: "expiry",
}

func voter(v quorum.VoterState) rest.Voter {
	out := rest.Voter{Name: v.Name, Role: string(peer.Data), Granted: v.Left > 0, ExpiresIn: v.Left, LastHeard: v.LastHeard.UTC()}
	if v.LastHeard.IsZero() {
		out.LastHeard = time.Time{}
	}
	if v.Witness {
		out.Role = string(peer.Witness)
	}
	if !out.Granted {
		if out.Reason = string(v.Reason); v.Problem != "" {
			out.Reason = v.Problem
		}
	}
	out.RoundTripMS, out.ClockOffsetMS = measured(v)
	return out
}

// Fresh implements rest.Cluster.
func (c *clusterState) Fresh(session vclock.Context) []string {
	var out []string
	for _, v := range c.votes().Voters {
		if v.Reachable && !v.Witness && session.Within(v.Frontier) {
			out = append(out, v.Name)
		}
	}
	return out
}

// Lacking implements rest.Cluster.
func (c *clusterState) Lacking(dot vclock.Dot) []string {
	var out []string
	for _, name := range c.roster.others(c.self) {
		if has, ok := c.known(name); !ok || !has.Covers(dot) {
			out = append(out, name)
		}
	}
	return out
}

// Divergence implements rest.Cluster. What there is to have is what any node
// was ever heard to have; of a node that is silent that is not known.
func (c *clusterState) Divergence() []rest.Gap {
	own, votes, data := c.frontier(), c.votes(), c.data()
	all := own
	has := map[string]vclock.Vector{c.self: own}
	for _, v := range votes.Voters {
		if !v.Witness {
			has[v.Name] = v.Frontier
			all = all.Join(v.Frontier)
		}
	}
	age := 0.0 // of what this node lacks: of the oldest, since only that is followed
	for _, p := range data {
		has[p.Name] = has[p.Name].Join(p.Frontier)
		all = all.Join(p.Frontier)
		age = max(age, p.NodeLacks.Age.Seconds())
	}
	var out []rest.Gap
	// What a silent node has, and what it has written since, nobody here knows.
	unheard := map[string]time.Time{}
	for _, p := range data {
		if !p.Reachable {
			unheard[p.Name] = c.origin.Add(p.Since).UTC()
		}
	}
	add := func(name string, age float64) {
		for d := range all.All() {
			since, silent := unheard[name]
			if !silent {
				since, silent = unheard[d.Actor.Node()]
			}
			g := rest.Gap{Node: name, Actor: d.Actor, Lag: rest.Lag{UnknownSince: since}}
			if !silent {
				g.Lag = rest.Lag{Versions: d.Seq - min(d.Seq, has[name].Get(d.Actor))}
			}
			if g.Lag.Versions > 0 {
				g.Lag.Seconds = age
			}
			out = append(out, g)
		}
	}
	add(c.self, age)
	for _, p := range data {
		add(p.Name, p.PeerLacks.Age.Seconds())
	}
	return out
}
