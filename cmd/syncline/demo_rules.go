package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/syncline/syncline/client"
	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/scripts/resolvers"
)

// The resolvers of the story.
const (
	ruleAddUp = "sum_deltas"
	ruleBank  = "no_overdraft"

	// rejected is what the bank's rule notes.
	rejected = "rejected -50 from b: only 20 is left"
)

// configure gives the accounts a policy, and waits until it is in force on both
// nodes.
func (s *bankStory) configure(ctx context.Context, kind string, more ...string) error {
	args := append([]string{"collections", "set", s.alice.Collection, "--policy", kind, "--rule", "/balance=sum"}, more...)
	if err := s.command(ctx, s.a, command{args: args, quiet: true}); err != nil {
		return err
	}
	in, err := s.a.client.Collection(ctx, s.alice.Collection, client.Options{})
	if err != nil {
		return err
	}
	ok, err := eventually(ctx, soon, func() bool {
		there, err := s.b.client.Collection(ctx, s.alice.Collection, client.Options{})
		return err == nil && there.Dot == in.Dot
	})
	if err != nil {
		return err
	}
	s.claim(ok && in.Policy.Kind == kind, "in force on both nodes: the policy %s", policyText(&in.Policy))
	return nil
}

// errNotSettled ends a story whose conflict does not end.
var errNotSettled = errors.New("the conflict is not settled within " + soon.String() + ", so the story cannot go on")

// awaitSettled waits until both nodes show one value of alice and have the same
// record of one conflict more, and keeps that.
func (s *bankStory) awaitSettled(ctx context.Context) (*client.Conflict, error) {
	var found *client.Conflict
	over, err := eventually(ctx, soon, func() bool {
		atA, atB := s.newRecord(ctx, s.a), s.newRecord(ctx, s.b)
		found = atA
		return sameRecord(atA, atB)
	})
	switch {
	case err != nil:
		return nil, err
	case !over:
		return nil, errNotSettled
	}
	s.records = append(s.records, found)
	same, err := s.awaitBoth(ctx, found.Result.Dot, balance(found.Result.Doc))
	if err != nil {
		return nil, err
	}
	s.show(s.b.wire)
	s.claim(same, "once both nodes had both writes, one of them settled the conflict, and both show %d", balance(found.Result.Doc))
	return found, nil
}

// newRecord is what a node has on record about alice that the story does not
// know yet; nil where there is nothing.
func (s *bankStory) newRecord(ctx context.Context, n *storyNode) *client.Conflict {
	options := client.ConflictsOptions{State: client.ConflictSettled, Collection: s.alice.Collection}
	for one, err := range n.client.Conflicts(ctx, options) {
		if err != nil {
			return nil
		}
		known := slices.ContainsFunc(s.records, func(r *client.Conflict) bool { return r.ID == one.ID })
		if one.DocID != s.alice.ID || known {
			continue
		}
		whole, err := n.client.Conflict(ctx, one.ID, client.Options{})
		if err != nil || whole.Result == nil {
			return nil
		}
		return whole
	}
	return nil
}

// sameRecord says whether two nodes have one record with equal facts and values.
func sameRecord(a, b *client.Conflict) bool {
	if a == nil || b == nil {
		return false
	}
	textA, errA := json.Marshal(a)
	textB, errB := json.Marshal(b)
	return errors.Join(errA, errB) == nil && bytes.Equal(textA, textB)
}

// lastWriteWins shows what the default policy makes of the two writes.
func (s *bankStory) lastWriteWins(ctx context.Context) error {
	s.chapter("Two writes met that had not seen each other: a conflict, and last-write-wins forgets one")
	r, err := s.awaitSettled(ctx)
	if err != nil {
		return err
	}
	if err := s.command(ctx, s.b, command{args: []string{"conflicts", "show", r.ID}}); err != nil {
		return err
	}
	s.claim(r.By == string(conflict.ByPolicy) && balance(r.Result.Doc) == 70, "the later write won: %s", r.Reason)
	side, lost := lostAt(r, "/balance")
	s.claim(lost != nil && r.BaseExact && balance(side.Doc)-balance(r.Base) == -100 && lost.Delta == "-50",
		"the -100 of a are gone, and the record says so: from %d it made %d, which is -50 beside what is shown", balance(r.Base), balance(side.Doc))
	s.claim(slices.Equal(balances(r), []int{20, 70}), "the same record at both nodes keeps both acknowledged values: 20 and 70")
	return nil
}

// lostAt is what a record says was lost at a path, and of which sibling; nil and
// an empty sibling where it does not.
func lostAt(r *client.Conflict, path string) (client.ConflictSide, *client.LostMember) {
	for i := range r.Lost {
		for _, side := range r.Siblings {
			if r.Lost[i].Path == path && r.Lost[i].Dot == side.Dot {
				return side, &r.Lost[i]
			}
		}
	}
	return client.ConflictSide{}, nil
}

// balances are those of a record's siblings, the smallest first.
func balances(r *client.Conflict) []int {
	var out []int
	for _, side := range r.Siblings {
		out = append(out, balance(side.Doc))
	}
	slices.Sort(out)
	return out
}

// addUp tries the wrong rule on the past.
func (s *bankStory) addUp(ctx context.Context) error {
	s.chapter("Should both count, then? %s, replayed over what is on record", ruleAddUp)
	if _, err := s.store(ctx, ruleAddUp); err != nil {
		return err
	}
	would, err := s.dryRun(ctx, ruleAddUp)
	if err != nil {
		return err
	}
	s.claim(would.Outcome == "changed" && would.is(-30), "it would have made -30 of it, an overdraft: this is not the bank's rule")
	return nil
}

// store stores one of the examples.
func (s *bankStory) store(ctx context.Context, name string) (*client.Resolver, error) {
	file := name + ".star"
	source, err := resolvers.Files.ReadFile(file)
	if err != nil {
		return nil, err
	}
	put := command{args: []string{"resolver", "put", name, "-"}, in: string(source), from: "scripts/resolvers/" + file}
	if err := s.command(ctx, s.a, put); err != nil {
		return nil, err
	}
	r, err := s.a.client.Resolver(ctx, name, client.Options{})
	if err != nil {
		return nil, err
	}
	s.claim(r.Source == string(source), "stored: it compiles, its tests pass, and no order of the versions alters what it says")
	return r, nil
}

// replayed is what a resolver would have made of the one conflict on record.
type replayed struct {
	client.DryRunResult
}

// is says whether it would have made this balance of it.
func (r *replayed) is(want int) bool {
	return r.Candidate != nil && !r.Candidate.Deleted && balance(r.Candidate.Doc) == want
}

// dryRun replays a stored resolver over the record, and checks that this changes
// nothing.
func (s *bankStory) dryRun(ctx context.Context, name string) (*replayed, error) {
	before, err := s.frontiers(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.command(ctx, s.a, command{args: []string{"resolver", "dry-run", name, "--collection", s.alice.Collection}}); err != nil {
		return nil, err
	}
	out := &replayed{}
	for one, err := range s.a.client.DryRunResolver(ctx, name, client.DryRun{Collection: s.alice.Collection}) {
		if err != nil {
			return nil, err
		}
		if one.Totals == nil && one.DocID == s.alice.ID {
			out.DryRunResult = one
		}
	}
	after, err := s.frontiers(ctx)
	if err != nil {
		return nil, err
	}
	s.claim(maps.Equal(before, after), "a dry run: nothing was written, on either node")
	return out, nil
}

// frontiers waits until both nodes have the same writes, and says which.
func (s *bankStory) frontiers(ctx context.Context) (map[string]uint64, error) {
	c, err := compareWithin(ctx, s.a.client, soon)
	if err != nil {
		return nil, err
	}
	if !c.Equal {
		return nil, errors.New("the nodes did not become equal within " + soon.String())
	}
	return c.Nodes[0].Verify.Frontier, nil
}

// bankRule tries the right rule on the past, and puts it in force.
func (s *bankStory) bankRule(ctx context.Context) error {
	s.chapter("The bank's rule: no overdraft. Who comes later and finds too little is refused")
	var err error
	if s.rule, err = s.store(ctx, ruleBank); err != nil {
		return err
	}
	would, err := s.dryRun(ctx, ruleBank)
	if err != nil {
		return err
	}
	s.claim(would.Outcome == "changed" && would.is(20) && slices.Equal(would.Notes, []string{rejected}), "it would have made 20 of it, with the note: %s", strings.Join(would.Notes, "; "))
	return s.configure(ctx, client.PolicyScript, "--resolver", ruleBank)
}

// again makes the same conflict once more, under the rule.
func (s *bankStory) again(ctx context.Context) error {
	s.chapter("The same trap again: 120 on the account, the link cut, 100 taken at a and 50 at b")
	d, err := s.a.client.Get(ctx, s.alice, client.Options{})
	if err != nil {
		return err
	}
	w, err := s.put(ctx, s.a, `{"balance":120}`, client.PutOptions{IfMatch: d.ETag})
	if err != nil {
		return err
	}
	arrived, err := s.awaitBoth(ctx, w.Dot, 120)
	if err != nil {
		return err
	}
	s.claim(arrived, "120 on both nodes; If-Match says what the writer had seen")
	if err := inTurn(ctx, s.cutLink, s.withdraw); err != nil {
		return err
	}
	s.say("$ syncline chaos heal")
	if err := healAt(ctx, s.a, s.b); err != nil {
		return err
	}
	return s.ruled(ctx)
}

// ruled shows what the rule makes of it.
func (s *bankStory) ruled(ctx context.Context) error {
	r, err := s.awaitSettled(ctx)
	if err != nil {
		return err
	}
	if err := s.command(ctx, s.b, command{args: []string{"conflicts", "show", r.ID}}); err != nil {
		return err
	}
	s.claim(r.By == string(conflict.ByScript) && r.Policy.ResolverVersion == s.rule.Hash && balance(r.Result.Doc) == 20,
		"the bank's rule decided, version %s: 20", s.rule.Hash)
	node, amount := rejection(r)
	s.claim(node == s.b.name && amount == -50, "the rejected %d of %s are on record, as an event that a program can read", amount, node)
	s.claim(slices.Equal(balances(r), []int{20, 70}), "and so are both acknowledged values, at both nodes")
	return nil
}

// rejection is what the bank's rule left in a record: where a withdrawal was
// rejected, and how much it was.
func rejection(r *client.Conflict) (node string, amount int) {
	if r.Run == nil {
		return "", 0
	}
	for _, e := range r.Run.Events {
		data := struct {
			Node   string `json:"node"`
			Amount int    `json:"amount"`
		}{}
		if e.Name == "rejected" && json.Unmarshal(e.Data, &data) == nil {
			return data.Node, data.Amount
		}
	}
	return "", 0
}

// overrule restores what the rule rejected, and what it chose.
func (s *bankStory) overrule(ctx context.Context) error {
	s.chapter("A person overrules: the 50 were rent, so b's value comes back; then the bank insists")
	second := s.withdrawals[len(s.withdrawals)-2:] // both are there, since they met and were settled
	if err := s.restore(ctx, second[1], 70); err != nil {
		return err
	}
	if err := s.restore(ctx, second[0], 20); err != nil {
		return err
	}
	r, err := s.b.client.Conflict(ctx, s.records[len(s.records)-1].ID, client.Options{})
	if err != nil {
		return err
	}
	var steps []string
	for _, step := range r.Trace {
		steps = append(steps, step.Action+" of "+step.Dot+" by "+step.Who)
	}
	want := []string{"restore of " + second[1].dot + " by anonymous", "restore of " + second[0].dot + " by anonymous"}
	s.claim(slices.Equal(steps, want), "the record tells what people did with it: %s", strings.Join(steps, ", "))
	return nil
}

// restore brings a value back that is on record.
func (s *bankStory) restore(ctx context.Context, w withdrawal, want int) error {
	r := s.records[len(s.records)-1]
	if err := s.command(ctx, s.a, command{args: []string{"conflicts", "restore", r.ID, w.dot}}); err != nil {
		return err
	}
	d, err := s.a.client.Get(ctx, s.alice, client.Options{})
	if err != nil {
		return err
	}
	s.acknowledged.add(s.alice.ID, d.Dot, d.Doc)
	both, err := s.awaitBoth(ctx, d.Dot, want)
	if err != nil {
		return err
	}
	s.claim(both && string(d.Doc) == w.doc, "%d on both nodes, byte for byte what was acknowledged", want)
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

// neverLost looks for every write that was acknowledged, at both nodes.
func (s *bankStory) neverLost(ctx context.Context) error {
	s.chapter("What was lost in all this? Nothing")
	for _, n := range []*storyNode{s.a, s.b} {
		found, err := s.acknowledged.account(ctx, n.client, s.alice.Collection)
		if err != nil {
			return err
		}
		s.claim(len(found.lost) == 0 && found.live+found.covered == s.acknowledged.count && found.conflicts == 0,
			"%s: all %d acknowledged writes are shown, or what is shown has seen them", n.name, s.acknowledged.count)
		kept := 0
		for _, w := range s.withdrawals {
			if d, err := n.client.GetVersion(ctx, s.alice, w.dot, client.Options{}); err == nil && string(d.Doc) == w.doc {
				kept++
			}
		}
		s.claim(kept == len(s.withdrawals), "%s: the records have all %d withdrawals that met, those that lost too, byte for byte", n.name, len(s.withdrawals))
	}
	last, err := s.b.client.Get(ctx, s.alice, client.Options{})
	if err != nil {
		return err
	}
	both, err := s.awaitBoth(ctx, last.Dot, 20)
	if err != nil {
		return err
	}
	s.claim(both, "and the account has 20, on both nodes")
	return nil
}

// command is a call of this program that the story shows.
type command struct {
	args  []string
	in    string // standard input
	from  string // the file that in comes from
	quiet bool   // its output is not shown
}

// commandIndent stands before what a command printed.
const commandIndent = "    "

// command runs this program's own command on a node, and shows what it prints.
func (t *teller) command(ctx context.Context, n *storyNode, c command) error {
	line := "$ syncline " + strings.Join(c.args, " ")
	if c.from != "" {
		line += " <" + c.from
	}
	fmt.Fprintf(t.out, "  %s\n", paint(printable(line), strong, t.colour))
	var out, notes bytes.Buffer
	code := run(ctx, c.args, &app{
		stdin: strings.NewReader(c.in), stdout: &out, stderr: &notes,
		getenv:  func(name string) string { return map[string]string{envNode: n.url}[name] },
		environ: func() []string { return nil },
	})
	if code != exitOK {
		return fmt.Errorf("%s at %s: exit code %d: %s", line, n.name, code, strings.TrimSpace(notes.String()))
	}
	if c.quiet {
		return nil
	}
	for text := range strings.Lines(out.String()) {
		fmt.Fprintf(t.out, "%s%s\n", commandIndent, strings.TrimRight(text, "\n"))
	}
	return nil
}
