package main

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/syncline/syncline/client"
	nodes "github.com/syncline/syncline/node"
)

const (
	// mostOverlap is the most packages that both sides import.
	mostOverlap = 1000

	// heldShare is the part of its own packages that a side keeps back until one
	// node has turned read-only, so that its importer is seen being refused
	// however fast the machine is: one of so many.
	heldShare = 8

	// convergeWithin is how long the nodes may take to be equal after healing.
	convergeWithin = 5 * time.Minute

	// debianCut is how long the cut lasts if the demo does not heal it.
	debianCut = 10 * time.Minute

	// debianCollection is where the packages go.
	debianCollection = "packages"
)

// debianSide is one importer: it begins at one node, and goes on where writes
// are taken.
type debianSide struct {
	node    *storyNode
	client  *client.Client
	first   []stanza // before the cut
	overlap []stanza // at once after it, on both sides
	second  []stanza // after that
	held    []stanza // once one node has turned read-only

	half chan struct{} // closed when each line of first has an outcome

	// Guarded by the story's mu.
	done   int            // lines with an outcome
	acked  int            // lines that were acknowledged
	byNode map[string]int // those, by the URL of the node that took them
	failed error          // of the first line that was not
}

// lines is how many lines the side has.
func (side *debianSide) lines() int {
	return len(side.first) + len(side.overlap) + len(side.second) + len(side.held)
}

// debianStory imports the package index of this machine through both nodes,
// and cuts their link in the middle.
type debianStory struct {
	*teller
	index  *packageIndex
	sides  [2]*debianSide
	ledger *ledger

	mu       sync.Mutex // guards progress and the counts of the sides
	progress *progress

	cutTime time.Time
	cut     chan struct{} // closed when the link is cut
	landed  chan struct{} // closed when one node has turned read-only
	*landing
	figures table
}

// debian imports the package index instead of telling the bank story.
func (d *demo) debian(ctx context.Context, c *demoCluster, t *teller, index *packageIndex) error {
	s := &debianStory{
		teller: t, index: index, ledger: newLedger(), cut: make(chan struct{}), landed: make(chan struct{}),
		progress: newProgress(d.app.stderr, isTerminal(d.app.stderr), "packages acknowledged"),
	}
	for i, name := range []string{"a", "b"} {
		node, err := newStoryNode(name, c.url(name))
		if err != nil {
			return err
		}
		importing, err := client.New(client.Config{Nodes: []string{c.url(name)}, NoSession: true})
		if err != nil {
			return err
		}
		defer importing.Close()
		s.sides[i] = &debianSide{node: node, client: importing, half: make(chan struct{}), byNode: map[string]int{}}
	}
	s.divide()
	return s.tell(ctx)
}

// divide gives each side one half, and both what lies in the middle.
func (s *debianStory) divide() {
	all := s.index.packages
	overlap := min(mostOverlap, len(all)/4)
	from := (len(all) - overlap) / 2
	to := from + overlap
	for i, own := range [][]stanza{all[:from], all[to:]} {
		half, held := len(own)/2, len(own)-len(own)/heldShare
		side := s.sides[i]
		side.first, side.overlap, side.second, side.held = own[:half], all[from:to], own[half:held], own[held:]
	}
}

// tell tells all chapters. Both importers run beside those about the cut.
func (s *debianStory) tell(ctx context.Context) error {
	if err := s.start(ctx); err != nil {
		return err
	}
	group, importCtx := errgroup.WithContext(ctx)
	for _, side := range s.sides {
		group.Go(func() error { return s.runImport(importCtx, side) })
	}
	group.Go(func() error { return inTurn(importCtx, s.connected, s.cutLink, s.vote) })
	if err := group.Wait(); err != nil {
		return err
	}
	if err := inTurn(ctx, s.imported, s.heal, s.readBack); err != nil {
		return err
	}
	fmt.Fprintln(s.out)
	return s.figures.write(s.out, s.colour)
}

func (s *debianStory) start(ctx context.Context) error {
	s.chapter("%s packages from %s", grouped(int64(len(s.index.packages))), s.index.from)
	s.say("Half goes in through each node, and %d in the middle through both, each side with its own mark.", len(s.sides[0].overlap))
	ok, err := eventually(ctx, votesWithin, func() bool {
		return settled(s.sides[0].node.state(ctx)) && settled(s.sides[1].node.state(ctx))
	})
	if err != nil {
		return err
	}
	s.claim(ok, "both nodes take writes, with all 3 votes")
	s.progress.begun = time.Now()
	return nil
}

// runImport imports all packages of one side.
func (s *debianStory) runImport(ctx context.Context, side *debianSide) error {
	im := &importer{client: side.client, collection: debianCollection, done: func(line imported) { s.take(side, line) }}
	if err := im.run(ctx, s.lines(ctx, side)); err != nil {
		return fmt.Errorf("the importer that began at %s: %w", side.node.name, err)
	}
	return nil
}

// lines yields the packages of one side, each part when its time has come.
func (s *debianStory) lines(ctx context.Context, side *debianSide) iter.Seq2[importLine, error] {
	return func(yield func(importLine, error) bool) {
		number := 0
		for _, part := range []struct {
			after    <-chan struct{}
			packages []stanza
		}{{nil, side.first}, {s.cut, side.overlap}, {s.cut, side.second}, {s.landed, side.held}} {
			if part.after != nil {
				select {
				case <-part.after:
				case <-ctx.Done():
					yield(importLine{}, ctx.Err())
					return
				}
			}
			for _, p := range part.packages {
				number++
				doc, err := p.document(side.node.name)
				if !yield(importLine{number, client.BulkLine{ID: p.id(), Doc: doc}}, err) {
					return
				}
			}
		}
	}
}

// take notes what became of one line.
func (s *debianStory) take(side *debianSide, line imported) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := line.result.Err; e == nil || e.Code == client.LeaseLost { // that one is committed too
		s.ledger.add(line.ID, line.result.Dot, line.Doc)
		side.acked++
		side.byNode[line.result.URL]++
		s.progress.add(1, time.Now())
	} else if side.failed == nil {
		side.failed = e
	}
	if side.done++; side.done == len(side.first) {
		close(side.half)
	}
}

// pause takes the line of progress away, so that something can be told.
func (s *debianStory) pause() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.progress.end()
}

// figure keeps a figure for the end.
func (s *debianStory) figure(name, format string, args ...any) {
	s.figures.add(text("  "+name), cell{fmt.Sprintf(format, args...), strong})
}

// connected waits until both sides have imported their first part.
func (s *debianStory) connected(ctx context.Context) error {
	for _, side := range s.sides {
		select {
		case <-side.half:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	took, n := time.Since(s.progress.begun), len(s.sides[0].first)+len(s.sides[1].first)
	s.pause()
	s.say("%s packages were acknowledged in %.1f s, while both nodes copy each other's.", grouped(int64(n)), took.Seconds())
	s.figure("import through both nodes, link whole", "%s documents/s", grouped(int64(float64(n)/took.Seconds())))
	return nil
}

// cutLink cuts the link, and lets both sides import the packages that they
// share.
func (s *debianStory) cutLink(ctx context.Context) error {
	s.chapter("In the middle of it, the link between a and b is cut")
	s.say("$ syncline chaos cut a b --for %s", debianCut)
	if err := cutBetween(ctx, s.sides[0].node, s.sides[1].node, debianCut); err != nil {
		return err
	}
	s.cutTime = time.Now()
	close(s.cut)
	s.say("Both sides go on at once with the %d packages that they share.", len(s.sides[0].overlap))
	return nil
}

// vote waits until one side has turned read-only, sees it refuse, and lets the
// importers go on.
func (s *debianStory) vote(ctx context.Context) error {
	l, err := awaitLanding(ctx, s.sides[0].node, s.sides[1].node, s.cutTime)
	if err != nil {
		return err
	}
	s.landing = l
	s.pause()
	s.tellLanding(l)
	s.figure("from the cut to read-only", "%.2f s", l.readOnly.Sub(l.cutAt).Seconds())
	if err := s.tellRefusal(ctx, l, client.Key{Collection: debianCollection, ID: "refused"}, `{"Package":"refused"}`); err != nil {
		return err
	}
	close(s.landed)
	return nil
}

// imported looks at what the importers did.
func (s *debianStory) imported(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.progress.end()
	s.chapter("Both importers have ended")
	for _, side := range s.sides {
		s.claim(side.acked == side.lines(), "the one that began at %s: %s of %s acknowledged", side.node.name, grouped(int64(side.acked)), grouped(int64(side.lines())))
		if side.failed != nil {
			s.say("the first that was not: %s", side.failed)
		}
		if side.node == s.minority {
			moved := side.byNode[s.majority.url]
			s.claim(moved > 0, "refused at %s, it went on at %s: %s packages", s.minority.name, s.majority.name, grouped(int64(moved)))
		}
	}
	return nil
}

// heal ends the cut, and waits until the nodes are equal.
func (s *debianStory) heal(ctx context.Context) error {
	s.chapter("The link is healed")
	s.say("$ syncline chaos heal")
	if err := healAt(ctx, s.sides[0].node, s.sides[1].node); err != nil {
		return err
	}
	healed := time.Now()
	c, err := s.converge(ctx, healed)
	if err != nil {
		return err
	}
	s.claim(c.Equal, "equal digests at equal frontiers, %.1f s after healing", time.Since(healed).Seconds())
	s.figure("from healing to equal", "%.2f s", time.Since(healed).Seconds())
	for _, n := range c.Nodes {
		if n.Verify != nil {
			d := n.Verify.Collections[debianCollection]
			s.say("%s  %s documents, %s conflicts  digest %s", n.Name, grouped(d.Documents), grouped(d.Conflicts), d.Digest)
		}
	}
	return nil
}

// converge compares the nodes until they have had the same writes.
func (s *debianStory) converge(ctx context.Context, healed time.Time) (*comparison, error) {
	node := s.sides[0].node
	members, err := dataNodes(ctx, node.client)
	if err != nil {
		return nil, err
	}
	defer s.pause()
	var c *comparison
	_, err = eventually(ctx, convergeWithin, func() bool {
		c = compare(ctx, node.client, members)
		if state := s.minority.state(ctx); state != nil {
			s.progress.status(time.Now(), func() string {
				return fmt.Sprintf("%s lacks %s, %s after healing", s.minority.name, lagCell(lacks(state)).text, span(time.Since(healed)))
			})
		}
		return c.Comparable
	})
	return c, err
}

// awaitSettled waits until no conflict is open at either node: one of them ends
// each by the collection's policy, and files a record.
func (s *debianStory) awaitSettled(ctx context.Context) error {
	begun := time.Now()
	ok, err := eventually(ctx, convergeWithin, func() bool {
		open := int64(0)
		for _, side := range s.sides {
			v, err := side.node.client.Verify(ctx, client.Options{})
			if err != nil {
				return false
			}
			open += v.Collections[debianCollection].Conflicts
		}
		return open == 0
	})
	if err != nil {
		return err
	}
	s.claim(ok, "all conflicts are settled by the policy, last-write-wins, %.1f s later", time.Since(begun).Seconds())
	return nil
}

// readBack reads every document from both nodes, and accounts for what was
// acknowledged.
func (s *debianStory) readBack(ctx context.Context) error {
	s.chapter("Every document is read back from both nodes")
	if err := s.awaitSettled(ctx); err != nil {
		return err
	}
	var conflicts []int64
	for _, side := range s.sides {
		begun := time.Now()
		a, err := s.ledger.account(ctx, side.node.client, debianCollection)
		if err != nil {
			return err
		}
		s.claim(a.documents == len(s.index.packages), "%s has %s of %s packages", side.node.name, grouped(int64(a.documents)), grouped(int64(len(s.index.packages))))
		s.claim(len(a.lost) == 0, "%s acknowledged writes are there, byte for byte, and %s had been seen by one that is; lost: %d",
			grouped(int64(a.live)), grouped(int64(a.covered)), len(a.lost))
		if len(a.lost) > 0 {
			s.say("lost: %s", a.lostNames())
		}
		v, err := side.node.client.Verify(ctx, client.Options{})
		if err != nil {
			return err
		}
		conflicts = append(conflicts, int64(a.conflicts)+v.Collections[string(nodes.RecordCollection)].Documents)
		s.figure("read back from "+side.node.name, "%s documents/s", grouped(int64(float64(a.documents)/time.Since(begun).Seconds())))
	}
	s.claim(conflicts[0] == conflicts[1] && conflicts[0] > 0, "both have the same %s conflicts, settled and on record: the packages that both sides wrote in the moment before %s noticed the cut",
		grouped(conflicts[0]), s.minority.name)
	s.figure("conflicts, none of them hidden", "%s", grouped(conflicts[0]))
	return nil
}
