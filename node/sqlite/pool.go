package sqlite

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Limits of reading.
const (
	// DefaultReaders is the number of read-only connections.
	DefaultReaders = 8
	// ReservedReaders is how many of them views leave alone, so that views that
	// are held for seconds do not starve reads of one document.
	ReservedReaders = 2
	// MinReaders is the least number of read-only connections.
	MinReaders = ReservedReaders + 1
	// closeWait is how long Close waits for reads and views to end.
	closeWait = 5 * time.Second
)

// pool hands out readers. The last one that came back goes first: its cache is
// the warmest.
type pool struct {
	taken  chan struct{} // one entry for each reader that is in use
	views  chan struct{} // one entry for each view that is open or waits for a reader
	closed chan struct{}

	mu   sync.Mutex
	idle []*reader
}

func newPool(readers []*reader) *pool {
	return &pool{
		taken:  make(chan struct{}, len(readers)),
		views:  make(chan struct{}, len(readers)-ReservedReaders),
		closed: make(chan struct{}),
		idle:   readers,
	}
}

// take returns a reader when one is free.
func (p *pool) take(ctx context.Context) (*reader, error) {
	if err := p.wait(ctx, p.taken); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.idle) - 1
	if last < 0 {
		return nil, errClosed // Close did not wait any longer
	}
	r := p.idle[last]
	p.idle = p.idle[:last]
	return r, nil
}

// put brings a reader back.
func (p *pool) put(r *reader) {
	p.mu.Lock()
	p.idle = append(p.idle, r)
	p.mu.Unlock()
	<-p.taken
}

// takeForView returns a reader for longer.
func (p *pool) takeForView(ctx context.Context) (*reader, error) {
	if err := p.wait(ctx, p.views); err != nil {
		return nil, err
	}
	r, err := p.take(ctx)
	if err != nil {
		<-p.views
		return nil, err
	}
	return r, nil
}

func (p *pool) putFromView(r *reader) {
	p.put(r)
	<-p.views
}

// wait takes a place in a queue. An ended context or a closed pool counts even
// where a place is free.
func (p *pool) wait(ctx context.Context, places chan<- struct{}) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-p.closed:
		return errClosed
	default:
	}
	select {
	case places <- struct{}{}:
		return nil
	case <-p.closed:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// close takes all readers out of use and closes them. It waits for those that
// are busy, for a while.
func (p *pool) close() error {
	close(p.closed)
	timeout := time.NewTimer(closeWait)
	defer timeout.Stop()
	for range cap(p.taken) {
		select {
		case p.taken <- struct{}{}:
		case <-timeout.C:
			return errors.Join(errViews, p.closeIdle())
		}
	}
	return p.closeIdle()
}

func (p *pool) closeIdle() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	err := closeReaders(p.idle)
	p.idle = nil
	return err
}

func closeReaders(readers []*reader) error {
	var err error
	for _, r := range readers {
		err = errors.Join(err, r.Close())
	}
	return err
}
