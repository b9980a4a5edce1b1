package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"hash/maphash"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"golang.org/x/sync/errgroup"

	"github.com/syncline/syncline/client"
)

const (
	// importWorkers is how many bulks are under way at once. The node gathers them
	// into one commit, so more would only wait in its queue.
	importWorkers = 4

	// importChunk and importChunkBytes are the lines, and the bytes of documents,
	// of one bulk: what has to be read again when its connection breaks.
	importChunk      = 1000
	importChunkBytes = 4 << 20

	// importPatience is how long lines that no node takes are tried again, since
	// the last one that was taken: long enough for a vote to move, or for a
	// restart.
	importPatience = 60 * time.Second

	// retryFirst and retryMost bound the pause between two tries.
	retryFirst = 50 * time.Millisecond
	retryMost  = 2 * time.Second
)

// importLine is one write to be imported.
type importLine struct {
	number int // of its line, from 1
	client.BulkLine
}

// imported is what became of a line.
type imported struct {
	importLine
	result client.BulkResult
	read   bool // its answer was lost, and reading showed that it had been applied
	again  int  // how many times it was sent again after its answer was lost
}

// importer writes many documents through whatever nodes take them. Lines of one
// id go to one worker, so that they are applied in their order.
type importer struct {
	client     *client.Client // without a session: on the other side of a cut it would wait in vain
	collection string
	patience   time.Duration // 0 means importPatience

	// done is told of each line, by one goroutine at a time.
	done func(imported)
	// waiting is told when no node takes the lines for now, and why; nil: nobody.
	waiting func(error)

	mu sync.Mutex // guards the calls of done and waiting
}

// run imports all lines. It fails when its context ends, when reading the lines
// fails, when a node refuses the whole bulk for good, and when no node takes
// the rest for too long. Lines that are wrong fail alone.
func (im *importer) run(ctx context.Context, lines iter.Seq2[importLine, error]) error {
	group, ctx := errgroup.WithContext(ctx)
	queues := make([]chan importLine, importWorkers)
	for i := range queues {
		queue := make(chan importLine, importChunk)
		queues[i] = queue
		group.Go(func() error { return im.work(ctx, queue) })
	}
	group.Go(func() error {
		defer func() {
			for _, queue := range queues {
				close(queue)
			}
		}()
		return deal(ctx, lines, queues)
	})
	return group.Wait()
}

// deal hands each line to the worker of its id.
func deal(ctx context.Context, lines iter.Seq2[importLine, error], queues []chan importLine) error {
	seed := maphash.MakeSeed()
	for line, err := range lines {
		if err != nil {
			return err
		}
		select {
		case queues[maphash.String(seed, line.ID)%uint64(len(queues))] <- line:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// work sends what has queued, as it comes.
func (im *importer) work(ctx context.Context, queue <-chan importLine) error {
	for line := range queue {
		chunk, size := []imported{{importLine: line}}, len(line.Doc)
		for len(chunk) < importChunk && size < importChunkBytes {
			next, ok := poll(queue)
			if !ok {
				break
			}
			chunk, size = append(chunk, imported{importLine: next}), size+len(next.Doc)
		}
		if err := im.chunk(ctx, chunk); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// poll takes a line that has queued already.
func poll(queue <-chan importLine) (importLine, bool) {
	select {
	case line, ok := <-queue:
		return line, ok
	default:
		return importLine{}, false
	}
}

// chunk sends lines until each has an outcome.
func (im *importer) chunk(ctx context.Context, lines []imported) error {
	pause := &backoff.ExponentialBackOff{InitialInterval: retryFirst, Multiplier: 2, MaxInterval: retryMost, RandomizationFactor: 0.2}
	pause.Reset()
	patience := im.patience
	if patience == 0 {
		patience = importPatience
	}
	last := time.Now()
	for {
		left, err := im.send(ctx, lines)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && !passes(err):
			return err
		case len(left) == 0:
			return nil
		case len(left) < len(lines):
			pause.Reset()
			last = time.Now()
		case time.Since(last) > patience:
			return err
		}
		lines = left
		if err == nil {
			continue
		}
		im.wait(err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause.NextBackOff()):
		}
	}
}

// passes says whether trying again later can help.
func passes(err error) bool {
	return client.NotApplied(err) && !refusedForGood(err) || errors.Is(err, client.Unknown)
}

// refusedForGood says whether a node found the request wrong.
func refusedForGood(err error) bool {
	e, ok := errors.AsType[*client.Error](err)
	return ok && e.Status >= 400 && e.Status < 500
}

// send sends lines once. It returns those that have no outcome yet, and why.
func (im *importer) send(ctx context.Context, lines []imported) (left []imported, failed error) {
	answered := make([]bool, len(lines))
	var unsure []imported
	options := client.BulkOptions{NoSession: true}
	for result, err := range im.client.Bulk(ctx, im.collection, bulkLines(lines), options) {
		if err != nil {
			failed = err
			break
		}
		i := result.Line - 1
		answered[i] = true
		line := lines[i]
		line.result = result
		switch e := result.Err; {
		case e == nil:
			im.tell(line)
		case e.Code == client.Unknown:
			unsure = append(unsure, line)
		case passes(e):
			left = append(left, line)
			failed = e
		case e.Code == client.LeaseLost:
			line.result.Dot = e.Dot
			im.tell(line)
		default:
			im.tell(line)
		}
	}
	for i, line := range lines {
		if !answered[i] {
			left = append(left, line)
		}
	}
	left = append(left, im.settle(ctx, unsure)...)
	slices.SortFunc(left, func(a, b imported) int { return a.number - b.number })
	return left, failed
}

func bulkLines(lines []imported) iter.Seq[client.BulkLine] {
	return func(yield func(client.BulkLine) bool) {
		for _, line := range lines {
			if !yield(line.BulkLine) {
				return
			}
		}
	}
}

// settle reads the documents of lines whose answer was lost. A line that is
// there has been applied; it returns the others, which must be sent again.
// Should one have been applied after all, on a node that is away, it comes back
// as a sibling with equal bytes: a conflict to be seen, and nothing lost.
func (im *importer) settle(ctx context.Context, unsure []imported) []imported {
	var again []imported
	for _, line := range unsure {
		key := client.Key{Collection: im.collection, ID: line.ID}
		d, err := im.client.Get(ctx, key, client.Options{NoSession: true})
		switch {
		case err == nil && line.Doc != nil && sameJSON(d.Doc, line.Doc):
			line.result = client.BulkResult{Line: line.result.Line, ID: line.ID, URL: d.URL, Status: d.Status, Dot: d.Dot, ETag: d.ETag, Context: d.Context, Conflicts: d.Conflicts}
			line.read = true
			im.tell(line)
		case client.Absent(err) && line.Doc == nil:
			line.result.Err, line.result.URL, line.read = nil, answeredBy(err), true
			im.tell(line)
		default:
			line.again++
			again = append(again, line)
		}
	}
	return again
}

// answeredBy is the base URL of the node whose answer an error is.
func answeredBy(err error) string {
	if e, ok := errors.AsType[*client.Error](err); ok {
		return e.URL
	}
	return ""
}

// sameJSON says whether two texts are the same JSON but for white space.
func sameJSON(a, b []byte) bool {
	var x, y bytes.Buffer
	if json.Compact(&x, a) != nil || json.Compact(&y, b) != nil {
		return false
	}
	return bytes.Equal(x.Bytes(), y.Bytes())
}

func (im *importer) tell(line imported) {
	im.mu.Lock()
	defer im.mu.Unlock()
	im.done(line)
}

func (im *importer) wait(err error) {
	im.mu.Lock()
	defer im.mu.Unlock()
	if im.waiting != nil {
		im.waiting(err)
	}
}
