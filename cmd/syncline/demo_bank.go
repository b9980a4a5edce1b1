package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/syncline/syncline/client"
	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
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
}

func newBankStory(c *demoCluster, t *teller) (*bankStory, error) {
	s := &bankStory{teller: t, cluster: c, alice: client.Key{Collection: "accounts", ID: "alice"}}
	var errA, errB error
	s.a, errA = newStoryNode("a", c.url("a"))
	s.b, errB = newStoryNode("b", c.url("b"))
	return s, errors.Join(errA, errB)
}

// tell tells all chapters. Its error is what ended the story early; what did
// not hold is kept by the teller.
func (s *bankStory) tell(ctx context.Context) error {
	return inTurn(ctx, s.start, s.open, s.cut, s.writeOnBothSides, s.vote, s.refuse, s.goOn, s.heal, s.conflict, s.decide, s.compare)
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
	s.chapter("Alice has 120")
	w, err := s.put(ctx, s.a, `{"balance":120}`, client.PutOptions{})
	if err != nil {
		return err
	}
	var d *client.Document
	_, err = eventually(ctx, soon, func() bool {
		d, _ = s.b.client.Get(ctx, s.alice, client.Options{})
		return d != nil && d.Dot == w.Dot
	})
	if err != nil {
		return err
	}
	s.show(s.b.wire)
	s.claim(d != nil && d.Dot == w.Dot && balance(d.Doc) == 120, "written at a, read at b: the same version, 120")
	return nil
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
	first, err := s.put(ctx, s.a, `{"balance":20}`, client.PutOptions{})
	if err != nil {
		return err
	}
	second, err := s.put(ctx, s.b, `{"balance":70}`, client.PutOptions{})
	if err != nil {
		return err
	}
	s.claim(first.Status == 200 && second.Status == 200, "both writes were accepted, %d ms after the cut", time.Since(s.cutTime).Milliseconds())
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
			line := client.BulkLine{ID: fmt.Sprintf("customer-%03d", i), Doc: json.RawMessage(`{"balance":1}`)}
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

// conflict shows what the two writes became.
func (s *bankStory) conflict(ctx context.Context) error {
	s.chapter("Two writes met that had not seen each other: a conflict, and nothing is hidden")
	var atA, atB *client.Document
	var kept []conflict.Record
	over, err := eventually(ctx, soon, func() bool {
		atA, _ = s.a.client.Get(ctx, s.alice, client.Options{})
		atB, _ = s.b.client.Get(ctx, s.alice, client.Options{})
		kept, _ = conflictRecords(ctx, s.b.client, s.alice)
		return atA != nil && atB != nil && atA.Conflicts == 0 && atA.ETag == atB.ETag && len(kept) == 1
	})
	if err != nil {
		return err
	}
	s.show(s.a.wire)
	s.claim(over, "once both nodes had both writes, one of them settled the conflict by the collection's policy, last-write-wins")
	if !over {
		return errors.New("the conflict is not settled, so the story cannot go on")
	}
	r := kept[0]
	s.claim(string(atA.Doc) == string(atB.Doc), "both show the same value: %d, since %s", balance(atA.Doc), r.Reason)
	s.claim(len(r.Siblings) == 2 && len(r.Lost) == 1, "the record of the conflict, at both nodes, names both versions and what was lost")
	var values []int
	for _, v := range r.Siblings {
		d, err := s.b.client.Get(ctx, client.Key{Collection: string(node.LoserCollection), ID: string(r.BodyID(v.Dot))}, client.Options{})
		if err != nil {
			return err
		}
		values = append(values, balance(d.Doc))
	}
	s.show(s.b.wire)
	slices.Sort(values)
	s.claim(slices.Equal(values, []int{20, 70}), "both acknowledged writes are kept with it: 20 and 70")
	for _, l := range r.Lost {
		s.say("lost: %s of %s was %s, %s beside what is shown", l.Path, l.Dot, l.Value, l.Delta)
	}
	s.say("Last-write-wins forgets one deduction; adding both up gives -30, an overdraft. Only a rule of the bank")
	s.say("is right. Merge rules and scripts come in the next version; until then a person decides.")
	return nil
}

// conflictRecords reads what a node has on record about a document.
func conflictRecords(ctx context.Context, c *client.Client, key client.Key) ([]conflict.Record, error) {
	var out []conflict.Record
	for d, err := range c.List(ctx, string(node.RecordCollection), client.ListOptions{}) {
		if err != nil {
			return nil, err
		}
		var r conflict.Record
		if err := json.Unmarshal(d.Doc, &r); err != nil {
			return nil, err
		}
		if string(r.Collection) == key.Collection && string(r.DocID) == key.ID {
			out = append(out, r)
		}
	}
	return out, nil
}

// decide puts right what the policy made of the conflict.
func (s *bankStory) decide(ctx context.Context) error {
	s.chapter("A person decides: a's 100 came first, so 20 stands and the 50 at b are refused")
	d, err := s.a.client.Get(ctx, s.alice, client.Options{})
	if err != nil {
		return err
	}
	w, err := s.put(ctx, s.a, `{"balance":20}`, client.PutOptions{IfMatch: d.ETag})
	if err != nil {
		return err
	}
	s.say("If-Match says what the writer had seen: had somebody else written meanwhile, it would be refused.")
	var there *client.Document
	ok, err := eventually(ctx, soon, func() bool {
		there, _ = s.b.client.Get(ctx, s.alice, client.Options{})
		return there != nil && there.Dot == w.Dot
	})
	if err != nil {
		return err
	}
	s.show(s.b.wire)
	s.claim(ok && balance(there.Doc) == 20, "it is 20 on both nodes")
	return nil
}

// compare shows that both nodes have the same.
func (s *bankStory) compare(ctx context.Context) error {
	s.chapter("Are the nodes equal?")
	c, err := compareWithin(ctx, s.a.client, soon)
	if err != nil {
		return err
	}
	for _, n := range c.Nodes {
		if n.Verify != nil {
			d := n.Verify.Collections[s.alice.Collection]
			s.say("%s  %s  %d documents, %d conflicts  digest %s", n.Name, s.alice.Collection, d.Documents, d.Conflicts, d.Digest)
		}
	}
	s.claim(c.Equal, "equal digests at equal frontiers")
	return nil
}
