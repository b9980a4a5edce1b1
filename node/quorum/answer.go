package quorum

import (
	"fmt"
	"slices"
	"time"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/wire"
	"github.com/syncline/syncline/planted"
	"github.com/syncline/syncline/vclock"
	"github.com/syncline/syncline/witness"
)

// Answered takes in the answer of a voter (X2) and returns the ballot that it
// calls for, if any. The error says why an answer was dropped; one that was
// overtaken by a newer one is dropped without.
//
// The caller has heard what the answer knows of this node's actor (D14).
func (k *Keeper) Answered(now Now, a wire.Answer) ([]Outgoing, error) {
	k.observe(now)
	v := k.voter(a.From)
	if v == nil || a.Cluster != k.roster.Cluster {
		return nil, fmt.Errorf("answer of %s of cluster %s: no voter of this cluster", a.From, a.Cluster)
	}
	if v.witness != (a.Stamp != wire.Stamp{}) {
		return nil, fmt.Errorf("answer of %s: it is not in the role that the roster gives it", a.From)
	}
	if !v.witness && !witness.Life(a.Life).Follows(v.life) {
		return nil, fmt.Errorf("answer of %s: a newer process runs under this name", a.From)
	}
	why := witness.Reason(a.Reason)
	if !a.Granted && !why.Known() {
		return nil, fmt.Errorf("answer of %s: unknown reason %q", a.From, a.Reason)
	}
	o, ok := v.take(a.Nonce)
	if !ok {
		return nil, nil // of a former run, given up, or answered before
	}
	k.hear(now, v, witness.Life(a.Life), a.Standing, a.Frontier)
	k.takeStamp(now, v, o, a)
	if o.seq <= v.processed {
		return nil, nil // overtaken
	}
	v.processed = o.seq
	k.count(now, v, o, a)
	k.reach(now)
	k.settle(now)
	if why == witness.Stale && !o.again && v.witness {
		return []Outgoing{k.ask(now, v, true)}, nil
	}
	return nil, nil
}

// take finds the open ballot of a nonce and closes it.
func (v *voter) take(nonce uint64) (open, bool) {
	for i, o := range v.open {
		if o.nonce == nonce {
			v.open = slices.Concat(v.open[:i], v.open[i+1:])
			return o, true
		}
	}
	return open{}, false
}

// hear notes what a data node says of itself.
func (k *Keeper) hear(now Now, v *voter, l witness.Life, s wire.Standing, f vclock.Vector) {
	v.lastHeard = now.Wall
	if v.witness {
		return
	}
	v.life, v.standing = l, node.Standing(s)
	if v.heard = v.heard.Join(f); v.heard.Len() > witness.MaxHeard {
		v.heard = f
	}
}

// takeStamp keeps the newest stamp of the witness. Of two runs the newer is
// the one that answered the later ballot.
func (k *Keeper) takeStamp(now Now, v *voter, o open, a wire.Answer) {
	s := witness.Stamp(a.Stamp)
	switch {
	case !v.witness:
		return
	case s.Boot == k.stamp.Boot:
		if s.At < k.stamp.At {
			return
		}
	case o.seq < k.stampSeq:
		return
	case k.stamp.Boot != 0:
		copy(k.restarts[1:], k.restarts[:])
		k.restarts[0] = now.Boot
	}
	k.stamp, k.stampSeq = s, max(k.stampSeq, o.seq)
}

// count is what an answer does to the vote.
func (k *Keeper) count(now Now, v *voter, o open, a wire.Answer) {
	why := witness.Reason(a.Reason)
	roundTrip := now.Boot - o.sent
	v.answer = answer{
		known: true, sent: o.sent, came: now.Wall, granted: a.Granted, reason: why, have: a.Have,
		roundTrip: roundTrip, offset: time.UnixMicro(a.Wall).Sub(now.Wall.Add(-roundTrip / 2)),
	}
	switch {
	case a.Granted:
		v.direct, v.refuses = o.sent+k.timing.Lease, false
		if planted.On(planted.LeaseFromReply) {
			v.direct = now.Boot + k.timing.Lease
		}
		if v.witness {
			k.heldAt = o.sent
		} else {
			v.exchange = o.sent
		}
		k.tell(v, witness.Granted, "")
		return
	case why.Voids():
		v.direct = never
	}
	if why == witness.CatchingUp {
		v.exchange, v.refuses = o.sent, true // it is still a path
	}
	k.tell(v, witness.Refused, why)
}
