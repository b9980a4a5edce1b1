package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/syncline/syncline/client"
)

const (
	// votesWithin is how long the votes may take to be in place: a witness that
	// has just started grants nothing for 1.65 s.
	votesWithin = 15 * time.Second

	// soon is how long other things may take that take milliseconds on an idle
	// machine.
	soon = 10 * time.Second

	// demoCut is how long the cut lasts if the demo does not heal it.
	demoCut = 60 * time.Second

	// meanwhile is how many documents are written at the majority during the cut.
	meanwhile = 200

	// customerDoc is each of them.
	customerDoc = `{"balance":1}`
)

// bankStory is the story of an account with a balance of 120, from which 100
// are taken on one side of a cut and 50 on the other.
type bankStory struct {
	*teller
	cluster *demoCluster
	a, b    *storyNode
	alice   client.Key

	cutTime  time.Time
	*landing // once the vote has landed

	acknowledged *ledger
	withdrawals  []withdrawal
	records      []*client.Conflict // of the conflicts that have ended, the oldest first
	rule         *client.Resolver   // the bank's, once it is stored
}

// withdrawal is a write that took money, as it was acknowledged.
type withdrawal struct{ dot, doc string }

func newBankStory(c *demoCluster, t *teller) (*bankStory, error) {
	s := &bankStory{teller: t, cluster: c, alice: client.Key{Collection: "accounts", ID: "alice"}, acknowledged: newLedger()}
	var errA, errB error
	s.a, errA = newStoryNode("a", c.url("a"))
	s.b, errB = newStoryNode("b", c.url("b"))
	return s, errors.Join(errA, errB)
}

// tell tells all chapters. Its error is what ended the story early; what did
// not hold is kept by the teller.
func (s *bankStory) tell(ctx context.Context) error {
	return inTurn(ctx, s.start, s.open, s.cut, s.writeOnBothSides, s.vote, s.refuse, s.goOn, s.heal,
		s.lastWriteWins, s.addUp, s.bankRule, s.again, s.overrule, s.compare, s.neverLost)
}

// start waits until both nodes have all votes.
func (s *bankStory) start(ctx context.Context) error {
	s.chapter("Two data nodes and a witness, three processes on this machine")
	for _, p := range s.cluster.processes {
		s.say("%s  %-7s http://%s", p.name, p.role, p.api)
	}
	s.say("The witness votes and stores no documents. It grants nothing in its first 1.65 s: it may just have restarted.")
	ok, err := eventually(ctx, votesWithin, func() bool { return settled(s.a.state(ctx)) && settled(s.b.state(ctx)) })
	if err != nil {
		return err
	}
	s.claim(ok, "both nodes take writes, with all 3 votes")
	return nil
}

// open writes the account at A, and reads it at B.
func (s *bankStory) open(ctx context.Context) error {
	s.chapter("Alice has 120, in accounts whose conflicts last-write-wins ends")
	if err := s.configure(ctx, client.PolicyLWW); err != nil {
		return err
	}
	s.say("Last-write-wins needs no rules. With them each version says what it changed, so that other policies can be tried later.")
	w, err := s.put(ctx, s.a, `{"balance":120}`, client.PutOptions{})
	if err != nil {
		return err
	}
	arrived, err := s.awaitBoth(ctx, w.Dot, 120)
	if err != nil {
		return err
	}
	s.show(s.b.wire)
	s.claim(arrived, "written at a, read at b: the same version, 120")
	return nil
}

// awaitBoth waits until both nodes show one version of alice, with one text and
// this balance.
func (s *bankStory) awaitBoth(ctx context.Context, dot string, want int) (bool, error) {
	return eventually(ctx, soon, func() bool {
		atA, errA := s.a.client.Get(ctx, s.alice, client.Options{})
		atB, errB := s.b.client.Get(ctx, s.alice, client.Options{})
		return errA == nil && errB == nil && atA.Dot == dot && atB.Dot == dot &&
			bytes.Equal(atA.Doc, atB.Doc) && balance(atA.Doc) == want
	})
}

// put writes alice at one node, and shows what went over the wire. The error is
// one without an answer; a refusal is an answer, and returned as nil, nil.
func (s *bankStory) put(ctx context.Context, n *storyNode, doc string, options client.PutOptions) (*client.Written, error) {
	w, err := n.client.Put(ctx, s.alice, []byte(doc), options)
	if err != nil && !answered(err) {
		return nil, err
	}
	s.show(n.wire)
	if err != nil {
		s.claim(false, "%s takes the write: %s", n.name, err)
		return &client.Written{}, nil
	}
	s.acknowledged.add(s.alice.ID, w.Dot, []byte(doc))
	return w, nil
}

// answered says whether an error is what a node answered.
func answered(err error) bool {
	e, ok := errors.AsType[*client.Error](err)
	return ok && e.Status != 0
}

// balance reads the balance of a document, -1 when there is none.
func balance(doc []byte) int {
	account := struct {
		Balance *int `json:"balance"`
	}{}
	if err := json.Unmarshal(doc, &account); err != nil || account.Balance == nil {
		return -1
	}
	return *account.Balance
}

// cut cuts the link between the data nodes, on both ends.
func (s *bankStory) cut(ctx context.Context) error {
	s.chapter("The link between a and b is cut; both still reach the witness")
	return s.cutLink(ctx)
}

func (s *bankStory) cutLink(ctx context.Context) error {
	s.say("$ syncline chaos cut a b --for %s", demoCut)
	if err := cutBetween(ctx, s.a, s.b, demoCut); err != nil {
		return err
	}
	s.cutTime = time.Now()
	return nil
}

// writeOnBothSides is the trap: neither side has noticed yet.
func (s *bankStory) writeOnBothSides(ctx context.Context) error {
	s.chapter("In the moment before anybody notices: 100 are taken at a, and at once 50 at b")
	return s.withdraw(ctx)
}

// withdraw takes 100 at A and 50 at B, each from the 120 that both show.
func (s *bankStory) withdraw(ctx context.Context) error {
	accepted := 0
	for _, side := range []struct {
		node *storyNode
		doc  string
	}{{s.a, `{"balance":20}`}, {s.b, `{"balance":70}`}} {
		w, err := s.put(ctx, side.node, side.doc, client.PutOptions{})
		if err != nil {
			return err
		}
		if w.Status == http.StatusOK {
			accepted++
			s.withdrawals = append(s.withdrawals, withdrawal{w.Dot, side.doc})
		}
	}
	s.claim(accepted == 2, "both writes were accepted, %d ms after the cut", time.Since(s.cutTime).Milliseconds())
	return nil
}

// vote waits until one side has lost its votes.
func (s *bankStory) vote(ctx context.Context) error {
	s.chapter("The leases run out, and the witness's vote lands on one side")
	l, err := awaitLanding(ctx, s.a, s.b, s.cutTime)
	if err != nil {
		return err
	}
	s.landing = l
	s.tellLanding(l)
	return nil
}

// refuse writes at the minority, and reads there.
func (s *bankStory) refuse(ctx context.Context) error {
	s.chapter("A third write, at %s", s.minority.name)
	if err := s.tellRefusal(ctx, s.landing, s.alice, `{"balance":60}`); err != nil {
		return err
	}
	d, err := s.minority.client.Get(ctx, s.alice, client.Options{})
	if err != nil {
		return err
	}
	s.show(s.minority.wire)
	s.claim(d.WriteState == "read-only" && balance(d.Doc) > 0, "reads still work at %s, and say how stale they may be", s.minority.name)
	s.say("No split brain from here on. The write in the moment before is why conflicts are handled;")
	s.say("ack=majority, which comes in a later version, closes even that.")
	return nil
}

// goOn writes at the majority while the link is cut.
func (s *bankStory) goOn(ctx context.Context) error {
	s.chapter("Life goes on at %s: %d more accounts", s.majority.name, meanwhile)
	lines := func(yield func(client.BulkLine) bool) {
		for i := range meanwhile {
			line := client.BulkLine{ID: fmt.Sprintf("customer-%03d", i), Doc: json.RawMessage(customerDoc)}
			if !yield(line) {
				return
			}
		}
	}
	applied := 0
	for result, err := range s.majority.client.Bulk(ctx, s.alice.Collection, lines, client.BulkOptions{}) {
		if err != nil {
			return err
		}
		if result.Err == nil {
			applied++
			s.acknowledged.add(result.ID, result.Dot, []byte(customerDoc))
		}
	}
	s.claim(applied == meanwhile, "%d of %d written", applied, meanwhile)
	return nil
}

// heal ends the cut, and watches the lag count down.
func (s *bankStory) heal(ctx context.Context) error {
	s.chapter("The link is healed")
	s.say("$ syncline chaos heal")
	if err := healAt(ctx, s.a, s.b); err != nil {
		return err
	}
	healed, last := time.Now(), ""
	ok, err := eventually(ctx, soon, func() bool {
		caught := true
		for _, n := range []*storyNode{s.minority, s.majority} {
			c := n.state(ctx)
			if c == nil {
				return false
			}
			lag := lacks(c)
			if line := fmt.Sprintf("%s lacks %s", n.name, lagCell(lag).text); n == s.minority && line != last {
				s.say("%4d ms  %s", time.Since(healed).Milliseconds(), line)
				last = line
			}
			caught = caught && lag.Versions != nil && *lag.Versions == 0 && settled(c)
		}
		return caught
	})
	if err != nil {
		return err
	}
	s.claim(ok, "both nodes lack nothing, and both take writes again, %.1f s after healing", time.Since(healed).Seconds())
	return nil
}
