package node

import (
	"context"
	"errors"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/sync/errgroup"

	"github.com/syncline/syncline/conflict"
)

const (
	// maxFindings is the most findings that a node keeps: many more than one page
	// of conflicts has.
	maxFindings = 200_000
	// maxFindingBytes is about how many bytes they may take together.
	maxFindingBytes = 64 << 20
	// maxRuns is how many resolvers a node runs at once.
	maxRuns = 4
)

// findingKey names what a finding is of: a set of siblings, and the policy with
// its resolver's version.
type findingKey struct {
	set    conflict.WriteID
	policy string
}

// findings keeps what resolvers have found. A failure of this node alone is kept
// like a result: the same version of a script is not asked again about the same
// set, since what has killed one worker kills the next. What was not used for
// longest makes room, and is found again when somebody asks.
type findings struct {
	slots chan struct{} // one for each resolver that may run now

	mu      sync.Mutex
	lru     *simplelru.LRU[findingKey, *conflict.Finding]
	size    int // bytes
	flights map[findingKey]*flight
}

// flight is a run that others wait for.
type flight struct {
	done    chan struct{}
	finding *conflict.Finding // once done: nil when the run was broken off
	err     error
}

func newFindings() (*findings, error) {
	f := &findings{slots: make(chan struct{}, maxRuns), flights: map[findingKey]*flight{}}
	var err error
	f.lru, err = simplelru.NewLRU(maxFindings, func(_ findingKey, one *conflict.Finding) { f.size -= one.Size() })
	return f, err
}

func (f *findings) get(k findingKey) (*conflict.Finding, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.lru.Get(k)
}

// put keeps a finding. The caller holds mu.
func (f *findings) put(k findingKey, one *conflict.Finding) {
	f.lru.Remove(k)
	f.size += one.Size()
	f.lru.Add(k, one)
	for f.size > maxFindingBytes && f.lru.Len() > 1 {
		f.lru.RemoveOldest()
	}
}

// begin joins the run of a key, or says that the caller is the one to run.
func (f *findings) begin(k findingKey) (known *conflict.Finding, other *flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if one, ok := f.lru.Get(k); ok {
		return one, nil
	}
	if other := f.flights[k]; other != nil {
		return nil, other
	}
	f.flights[k] = &flight{done: make(chan struct{})}
	return nil, nil
}

// end tells those who wait what came out.
func (f *findings) end(k findingKey, one *conflict.Finding, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if one != nil {
		f.put(k, one)
	}
	mine := f.flights[k]
	delete(f.flights, k)
	mine.finding, mine.err = one, err
	close(mine.done)
}

// find returns what the policy's resolver makes of a document's siblings, and
// runs it where nobody knows. An error means that nothing is known, and nothing
// is kept.
func (e *Engine) find(ctx context.Context, p *scriptPolicy, d *Document) (*conflict.Finding, error) {
	k := p.key(d.Live)
	for {
		known, other := e.findings.begin(k)
		if known != nil {
			return known, nil
		}
		if other == nil {
			one, err := e.run(ctx, p.script, caseOf(p.set, d.Key, d.Live))
			e.findings.end(k, one, err)
			return one, err
		}
		select {
		case <-other.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if other.finding != nil {
			return other.finding, nil
		}
		// Its caller may have gone; that is nothing to this one.
		if !errors.Is(other.err, context.Canceled) && !errors.Is(other.err, context.DeadlineExceeded) {
			return nil, other.err
		}
	}
}

// complete asks the resolvers of those documents for which a stand-in is shown
// only because nobody has asked yet. It runs outside of the writer, and with no
// snapshot open: a resolver may take long. Where none can be run now the
// stand-in stays, flagged; once that is known, the rest is not asked. The error
// is that of the context.
func (e *Engine) complete(ctx context.Context, docs ...*Document) error {
	var (
		group errgroup.Group
		mu    sync.Mutex
		down  error
	)
	group.SetLimit(maxRuns)
	for _, d := range docs {
		if !d.asks {
			continue
		}
		group.Go(func() error {
			p := d.script
			mu.Lock()
			err := down
			mu.Unlock()
			var f *conflict.Finding
			if err == nil {
				f, err = e.find(ctx, p, d)
			}
			if ctx.Err() != nil {
				return &Error{Op: "resolve", Kind: Busy, Key: d.Key.String(), Err: ctx.Err()}
			}
			if err != nil {
				mu.Lock()
				down = err
				mu.Unlock()
				f = noResult(err)
			}
			p.applyFinding(d, f)
			return nil
		})
	}
	return group.Wait()
}
