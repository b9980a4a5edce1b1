package quorum

import (
	"errors"
	"slices"
	"time"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/witness"
)

// votes is the number of votes held at an instant, the node's own with them
// (X5).
func (k *Keeper) votes(at time.Duration) int {
	n := 1
	for i := range k.voters {
		if v := &k.voters[i]; v.counts && v.direct > at {
			n++
		}
	}
	return n
}

// expiry is when the majority ends: the M-th largest of the ends of all votes,
// of which the node's own never ends.
func (k *Keeper) expiry() time.Duration {
	var buf [witness.MaxData + 1]time.Duration
	ends := append(buf[:0], Forever)
	for i := range k.voters {
		if v := &k.voters[i]; v.counts {
			ends = append(ends, v.direct)
		}
	}
	slices.Sort(ends)
	return ends[len(ends)-k.roster.Majority()]
}

// settle brings the state up to date with the votes. It runs in each step
// before the step changes anything, so that no lapse goes unseen.
func (k *Keeper) settle(now Now) {
	expiry := k.expiry()
	writable := expiry > now.Boot && k.wants()
	for i := range k.voters {
		if v := &k.voters[i]; v.direct != never && v.direct <= now.Boot {
			v.direct = never
			k.tell(v, witness.Expired, "")
		}
	}
	if writable == k.writable {
		return
	}
	k.writable, k.since = writable, now.Wall
	if writable {
		return
	}
	k.term++
	if ended := now.Boot - expiry; ended > 0 && ended < Forever/2 {
		k.since = now.Wall.Add(-ended)
	}
}

// Writable says whether this node may take writes, and how long its lease
// lasts from now; Forever, when it needs nobody's vote.
func (k *Keeper) Writable(now Now) (left time.Duration, ok bool) {
	k.observe(now)
	if !k.writable {
		return 0, false
	}
	if e := k.expiry(); e != Forever {
		return e - now.Boot, true
	}
	return Forever, true
}

// Begin says whether a commit may begin: the present term while at least
// witness.Guard of the lease is left (X5), or an error of kind node.ReadOnly.
func (k *Keeper) Begin(now Now) (node.Term, error) {
	left, ok := k.Writable(now)
	if ok && left >= witness.Guard {
		return k.term, nil
	}
	s := k.State(now)
	if s.Writable {
		s.Cause = node.NoMajority // in a moment, unless a voter answers
	}
	detail := s.Detail()
	return 0, &node.Error{Op: "write", Kind: node.ReadOnly, Err: errors.New(detail), ReadOnly: &node.ReadOnlyState{
		Cause: s.Cause, Detail: detail, Have: s.Have, Need: s.Need, Of: s.Of, Since: s.Since,
		// In the last moments of a lease the state still counts this node, which refuses.
		WritableNodes: slices.DeleteFunc(s.WritableNodes, func(n string) bool { return n == k.name }),
		Candidates:    s.candidates(),
	}}
}

// Held says whether the lease lasted without a break since Begin returned the
// term: one that ended and came back does not cover what was committed in
// between.
func (k *Keeper) Held(now Now, term node.Term) bool {
	_, ok := k.Writable(now)
	return ok && k.term == term
}
