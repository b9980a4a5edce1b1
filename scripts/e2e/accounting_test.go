package e2e

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/syncline/syncline/client"
	"github.com/syncline/syncline/vclock"
)

const (
	// blindWrites is how many acknowledged writes of one key each client makes.
	blindWrites = 5000
	// blindCuts is how often the link is cut meanwhile.
	blindCuts = 3
	// recordReaders is how many readers look at the records at once.
	recordReaders = 4
	// comparedBodies is of how many writes the old versions are read and compared.
	comparedBodies = 200
)

// blindKey is the one key that both clients write.
func blindKey() client.Key { return client.Key{Collection: "blind", ID: "one"} }

// blind is a client that writes one key at one node without a look at it.
type blind struct {
	node   string
	limit  *atomic.Int64 // of acknowledged writes, of both clients
	acked  atomic.Int64
	bodies map[vclock.Dot]string // of acknowledged writes
	failed error                 // what the writer cannot go on after
}

// work writes until enough writes were acknowledged. A write that was refused, or
// whose outcome nobody knows, is not made again: the next has another body.
func (b *blind) work(ctx context.Context, at *client.Client) {
	for n := 0; b.acked.Load() < blindWrites && ctx.Err() == nil; n++ {
		if b.acked.Load() >= b.limit.Load() {
			pauseFor(ctx, pace)
			continue
		}
		body := fmt.Sprintf(`{"by":%q,"n":%d}`, b.node, n)
		w, err := at.Put(ctx, blindKey(), []byte(body), client.PutOptions{})
		if err != nil {
			pauseFor(ctx, pace)
			continue
		}
		dot, err := vclock.ParseDot(w.Dot)
		if _, twice := b.bodies[dot]; twice || err != nil {
			b.failed = fmt.Errorf("acknowledged as %q: twice: %v, %w", w.Dot, twice, err)
			return
		}
		b.bodies[dot] = body
		b.acked.Add(1)
	}
}

// Issue 4, Proof: "Accounting: two clients write one key blindly on two nodes,
// 5,000 times each with cuts between; acknowledged = causal past + shown +
// records, one by one."
func TestAccounting(t *testing.T) {
	t.Parallel()
	c := newCluster(t, clusterConfig{data: []string{"a", "b"}, witness: true})
	c.startAll()
	c.mustConfigure("a", blindKey().Collection, `{"minority":"accept","history":"forever","records":"forever"}`)
	c.awaitEqual()
	writers := c.writeBlindly()
	c.awaitAllVotes()
	c.awaitEqual() // before that a node may not know of the last conflict
	c.awaitSettled()
	c.awaitEqual()
	acc := c.account()
	for _, w := range writers {
		acc.check(t, w)
		c.checkPast(w)
	}
	t.Logf("%d acknowledged writes, %d records, shown is %s", len(writers[0].bodies)+len(writers[1].bodies), acc.records, acc.shown)
	c.checkForgotten()
	if acc.records < blindCuts {
		t.Errorf("void: only %d conflicts in %d cuts", acc.records, blindCuts)
	}
}

// writeBlindly runs both clients to their ends, with cuts between.
func (c *cluster) writeBlindly() []*blind {
	c.t.Helper()
	var group sync.WaitGroup
	ctx, cancel := context.WithCancel(c.context())
	defer group.Wait()
	defer cancel()
	var writers []*blind
	limit := &atomic.Int64{}
	for _, node := range c.data() {
		w := &blind{node: node, limit: limit, bodies: map[vclock.Dot]string{}}
		writers = append(writers, w)
		group.Go(func() { w.work(ctx, c.at(node)) })
	}
	// A client that is faster may be one stage ahead and then waits: else it might
	// have no write left to make in a cut.
	const stages = 2*blindCuts + 1
	reach := func(stage int64) {
		c.t.Helper()
		count := stage * blindWrites / stages
		limit.Store((stage + 1) * blindWrites / stages)
		await(c.t, fmt.Sprintf("%d acknowledged writes at each node", count), func() error {
			for _, w := range writers {
				if have := w.acked.Load(); have < count {
					return fmt.Errorf("%d at %s", have, w.node)
				}
			}
			return nil
		})
	}
	for i := range int64(blindCuts) {
		reach(2*i + 1)
		c.cut("a", "b")
		// "Minority: accept": both sides go on through the cut.
		reach(2*i + 2)
		c.heal()
	}
	reach(stages)
	group.Wait()
	for _, w := range writers {
		if w.failed != nil {
			c.t.Fatal(w.failed)
		}
	}
	return writers
}

// awaitSettled waits until no conflict is open.
func (c *cluster) awaitSettled() {
	c.t.Helper()
	await(c.t, "all conflicts are settled", func() error {
		for _, name := range c.data() {
			counts, err := c.at(name).ConflictCounts(c.context(), client.Options{})
			if err != nil {
				return err
			}
			if counts.Open > 0 {
				return fmt.Errorf("%d open at %s", counts.Open, name)
			}
		}
		return nil
	})
}

// accounts are where writes are accounted for.
type accounts struct {
	mu      sync.Mutex
	shown   vclock.Dot
	live    vclock.Context        // the value shown, and its causal past
	sibling map[vclock.Dot]string // those on record, with their bodies
	past    vclock.Context        // the causal pasts of those
	records int
}

// account reads what node a shows and has on record.
func (c *cluster) account() *accounts {
	c.t.Helper()
	acc := &accounts{sibling: map[vclock.Dot]string{}}
	live, err := c.at("a").Siblings(c.context(), blindKey(), client.Options{})
	if err != nil || len(live.Siblings) != 1 {
		c.t.Fatalf("%+v, %v", live, err)
	}
	one := &live.Siblings[0]
	clock, err := contextOf(one.Clock, one.Loose)
	if err == nil {
		acc.shown, err = vclock.ParseDot(one.Dot)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	acc.live = clock.WithLoose(acc.shown)
	var ids []string
	for one, err := range c.at("a").Conflicts(c.context(), client.ConflictsOptions{State: client.ConflictSettled, Collection: blindKey().Collection, Page: 1000}) {
		if err != nil {
			c.t.Fatal(err)
		}
		ids = append(ids, one.ID)
	}
	acc.records = len(ids)
	if err := acc.readRecords(c.context(), c.at("a"), ids); err != nil {
		c.t.Fatal(err)
	}
	return acc
}

// readRecords reads the siblings of all records.
func (acc *accounts) readRecords(ctx context.Context, at *client.Client, ids []string) error {
	var group sync.WaitGroup
	errs := make([]error, recordReaders)
	for i := range recordReaders {
		group.Go(func() {
			for n := i; n < len(ids) && errs[i] == nil; n += recordReaders {
				r, err := at.Conflict(ctx, ids[n], client.Options{})
				if err == nil {
					err = acc.add(r)
				}
				errs[i] = err
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

// add takes a record into account.
func (acc *accounts) add(r *client.Conflict) error {
	acc.mu.Lock()
	defer acc.mu.Unlock()
	for i := range r.Siblings {
		s := &r.Siblings[i]
		dot, err := vclock.ParseDot(s.Dot)
		if err != nil {
			return err
		}
		clock, err := contextOf(s.Clock, s.Loose)
		if err != nil {
			return err
		}
		if s.Clock == nil {
			return fmt.Errorf("record %s has no clock of %s", r.ID, s.Dot)
		}
		acc.sibling[dot] = string(s.Doc)
		acc.past = acc.past.Join(clock)
	}
	return nil
}

// contextOf is a clock as the API shows it.
func contextOf(clock map[string]uint64, loose []string) (vclock.Context, error) {
	var v vclock.Vector
	for name, seq := range clock {
		actor, err := vclock.ParseActor(name)
		if err != nil {
			return vclock.Context{}, err
		}
		v = v.With(vclock.Dot{Actor: actor, Seq: seq})
	}
	out := vclock.ContextOf(v)
	for _, text := range loose {
		d, err := vclock.ParseDot(text)
		if err != nil {
			return vclock.Context{}, err
		}
		out = out.WithLoose(d)
	}
	return out, nil
}

// check accounts for the writes of one client, one by one, and holds what is on
// record against what was written.
func (acc *accounts) check(t *testing.T, w *blind) {
	t.Helper()
	gone := 0
	for dot, body := range w.bodies {
		recorded, onRecord := acc.sibling[dot]
		if onRecord && recorded != body {
			t.Errorf("%s is on record as %s, and was written as %s", dot, recorded, body)
		}
		if !onRecord && !acc.live.Covers(dot) && !acc.past.Covers(dot) {
			gone++
			t.Logf("acknowledged write %s (%s) is neither shown, nor in a causal past, nor on record", dot, body)
		}
	}
	if gone > 0 {
		t.Errorf("%d of %d acknowledged writes at %s are gone", gone, len(w.bodies), w.node)
	}
	// The last write of the client that lost was overwritten by nobody who had seen
	// it: only a record has it.
	last := vclock.Dot{}
	for dot := range w.bodies {
		if dot.Seq > last.Seq {
			last = dot
		}
	}
	if _, onRecord := acc.sibling[last]; !onRecord && last != acc.shown {
		t.Errorf("the last write of %s, %s, is neither shown nor on record", w.node, last)
	}
}

// checkPast looks for the writes of one client in the history of its node: all of
// them were live there once.
func (c *cluster) checkPast(w *blind) {
	c.t.Helper()
	seen := map[string]bool{}
	for page, err := range c.at(w.node).History(c.context(), blindKey(), client.HistoryOptions{Page: 1000}) {
		if err != nil {
			c.t.Fatal(err)
		}
		// What the other node overwrote before it was sent never came here: that is
		// said. The node's own is all there.
		for _, missing := range page.Missing {
			if strings.HasPrefix(missing, w.node+"~") {
				c.t.Errorf("the history of %s lacks its own %s", w.node, missing)
			}
		}
		for i := range page.Versions {
			seen[page.Versions[i].Dot] = true
		}
	}
	compared := 0
	for dot, body := range w.bodies {
		if !seen[dot.String()] {
			c.t.Errorf("the history of %s does not have %s", w.node, dot)
		}
		if compared++; compared > comparedBodies {
			continue
		}
		if v, err := c.at(w.node).GetVersion(c.context(), blindKey(), dot.String(), client.Options{}); err != nil || string(v.Doc) != body {
			c.t.Errorf("%s is remembered as %+v, %v, and was written as %s", dot, v, err, body)
		}
	}
}

// checkForgotten lets the collection keep nothing any longer. "Records … are kept
// 30 days by default (forever allowed)", and history "for the retention of the
// collection" (DESIGN 3, 7): both end, here at once, on both nodes.
func (c *cluster) checkForgotten() {
	c.t.Helper()
	c.mustConfigure("a", blindKey().Collection, `{"minority":"accept","history":"0s","records":"0s"}`)
	await(c.t, "the past is forgotten", func() error {
		for _, name := range c.data() {
			counts, err := c.at(name).ConflictCounts(c.context(), client.Options{})
			if err != nil {
				return err
			}
			versions := 0
			for page, err := range c.at(name).History(c.context(), blindKey(), client.HistoryOptions{}) {
				if err != nil {
					return err
				}
				versions += len(page.Versions)
				break // the first page tells whether there is more than the live version
			}
			if counts.Records > 0 || versions != 1 {
				return fmt.Errorf("%s has %d records and %d versions", name, counts.Records, versions)
			}
		}
		return nil
	})
	c.awaitEqual()
}
