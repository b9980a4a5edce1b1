package main

import (
	"context"
	"errors"
	"time"

	"github.com/syncline/syncline/client"
	"github.com/syncline/syncline/witness"
)

// cutBetween cuts the link of two nodes, on both ends.
func cutBetween(ctx context.Context, a, b *storyNode, lasts time.Duration) error {
	fault := client.Fault{From: a.name, To: b.name, Kind: client.FaultCut, Both: true, Duration: client.Span(lasts)}
	_, err := breakLink(ctx, []end{{a.name, a.client}, {b.name, b.client}}, fault)
	return err
}

// healAt ends all faults of nodes.
func healAt(ctx context.Context, nodes ...*storyNode) error {
	for _, n := range nodes {
		if _, err := n.client.Heal(ctx); err != nil {
			return err
		}
	}
	return nil
}

// landing is what became of the vote after a cut.
type landing struct {
	cutAt              time.Time
	majority, minority *storyNode
	readOnly           time.Time // since when the minority takes no writes, as it says; zero: it does not
	writable           time.Time // since when the majority takes writes, likewise
	gap                bool      // at some moment neither node took writes
}

// errNoLanding ends a story whose vote landed nowhere.
var errNoLanding = errors.New("the vote did not land on one side within " + soon.String() + ", so the story cannot go on")

// awaitLanding waits until one of two nodes has turned read-only after a cut.
func awaitLanding(ctx context.Context, a, b *storyNode, cutAt time.Time) (*landing, error) {
	l := &landing{cutAt: cutAt}
	ok, err := eventually(ctx, soon, func() bool {
		stateA, stateB := a.state(ctx), b.state(ctx)
		if stateA == nil || stateB == nil {
			return false
		}
		writesA, writesB := !outvoted(stateA), !outvoted(stateB)
		switch {
		case !writesA && !writesB:
			l.gap = true
			return false
		case writesA && writesB:
			return false
		case writesA:
			l.majority, l.minority, l.writable, l.readOnly = a, b, stateA.Write.Since, stateB.Write.Since
		default:
			l.majority, l.minority, l.writable, l.readOnly = b, a, stateB.Write.Since, stateA.Write.Since
		}
		return true
	})
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, errNoLanding
	}
	return l, nil
}

// outvoted says whether a node lacks the votes to write. A node that is about to
// renew its lease refuses writes too, for milliseconds: that is no landing.
func outvoted(c *client.Cluster) bool {
	return c.Write.State != stateWritable && c.Write.Votes.Have < c.Write.Votes.Need
}

// demoBound is how long both sides of a cut may be writable, at most: the
// promise S of the vote, with the default timing.
func demoBound() time.Duration {
	return witness.DefaultTiming().Bound(witness.Roster{Data: []witness.Voter{{Name: "a"}, {Name: "b"}}, Witness: "w"})
}

// tellLanding tells where the vote landed, and checks what is promised of it.
func (t *teller) tellLanding(l *landing) {
	bound, took := demoBound(), l.readOnly.Sub(l.cutAt)
	t.say("%s keeps the witness's vote: 2 of 3.", l.majority.name)
	t.claim(!l.gap && !l.writable.IsZero() && l.writable.Before(l.cutAt), "%s took writes all the time", l.majority.name)
	t.claim(!l.readOnly.IsZero() && took <= bound, "%s is read-only, %.1f s after the cut; the promise is %.2f s", l.minority.name, took.Seconds(), bound.Seconds())
}

// tellRefusal writes at the minority, shows what it answers, and checks it.
func (t *teller) tellRefusal(ctx context.Context, l *landing, key client.Key, doc string) error {
	// Who may write, the minority learns from the witness with its next ballots.
	_, err := eventually(ctx, soon, func() bool {
		c := l.minority.state(ctx)
		return c != nil && len(c.Write.WritableNodes) > 0
	})
	if err != nil {
		return err
	}
	_, err = l.minority.client.Put(ctx, key, []byte(doc), client.PutOptions{})
	if err != nil && !answered(err) {
		return err
	}
	t.show(l.minority.wire)
	e, refused := errors.AsType[*client.Error](err)
	t.claim(refused && e.Code == client.ReadOnly && e.Status == 503, "refused at once: 503 read_only, and nothing was applied")
	t.claim(refused && len(e.WritableNodes) == 1 && e.WritableNodes[0] == l.majority.url, "the answer names the node that takes writes: %s", l.majority.url)
	return nil
}
