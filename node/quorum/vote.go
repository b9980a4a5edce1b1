package quorum

import (
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/wire"
	"github.com/syncline/syncline/vclock"
	"github.com/syncline/syncline/witness"
)

// Vote answers the ballot of another data node (V1, V2). The vote is evidence
// of a path, since data travels where the ballot did, so everybody gets it.
func (k *Keeper) Vote(now Now, b wire.Ballot) wire.Answer {
	k.observe(now)
	a := k.reply(now, b)
	a.Reason = string(k.judge(now, b))
	if a.Granted = a.Reason == ""; a.Granted {
		k.report(witness.Event{Voter: k.name, Node: b.From, Verdict: witness.Granted})
	} else {
		k.report(witness.Event{Voter: k.name, Node: b.From, Verdict: witness.Refused, Reason: witness.Reason(a.Reason)})
	}
	return a
}

// Busy refuses a ballot without looking at it.
func (k *Keeper) Busy(now Now, b wire.Ballot) wire.Answer {
	k.observe(now)
	a := k.reply(now, b)
	a.Reason = string(witness.Busy)
	return a
}

// reply is an answer without a decision.
func (k *Keeper) reply(now Now, b wire.Ballot) wire.Answer {
	a := wire.Answer{
		Cluster: k.roster.Cluster, From: k.name, Nonce: b.Nonce, Life: wire.Life(k.life),
		Standing: wire.Standing(k.self.Standing), Actor: k.self.Actor, Frontier: k.frontier(),
		Knows: k.knows(b.Actor), Wall: now.Wall.UnixMicro(),
	}
	if k.writable {
		a.Have = []wire.Holder{{Name: k.name, Left: min(k.expiry()-now.Boot, wire.MaxSpan)}}
	}
	return a
}

// judge returns the reason of a refusal, or "".
func (k *Keeper) judge(now Now, b wire.Ballot) witness.Reason {
	v := k.voter(b.From)
	if v == nil || v.witness || b.Cluster != k.roster.Cluster || b.Epoch != k.roster.Epoch || b.Lease > k.timing.Lease {
		if b.From == k.name && b.Cluster == k.roster.Cluster {
			return witness.Duplicate
		}
		return witness.Epoch
	}
	life := witness.Life(b.Life)
	if !life.Follows(v.life) {
		return witness.Duplicate
	}
	k.hear(now, v, life, b.Standing, b.Frontier)
	if k.self.Standing != node.StandingGood {
		return witness.CatchingUp
	}
	return ""
}

// knows is the highest sequence of an actor that this node has, or that
// another has named to it (D14).
func (k *Keeper) knows(a vclock.Actor) uint64 {
	seq := k.self.Frontier.Get(a)
	for i := range k.voters {
		seq = max(seq, k.voters[i].heard.Get(a))
	}
	return seq
}
