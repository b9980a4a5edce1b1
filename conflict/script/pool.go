package script

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// Errors of a Pool. They say nothing about the script.
var (
	// ErrBusy means that too many calls wait, or that no worker was free
	// within MaxWait: try again later.
	ErrBusy = errors.New("script: all resolver workers are busy: try again later")
	// ErrClosed means that the pool has ended.
	ErrClosed = errors.New("script: the resolver workers have been stopped")
)

// PoolConfig says how a pool gets its workers.
type PoolConfig struct {
	// Command starts a worker: a program by its absolute path, and arguments.
	// It must call ServeWorker with its standard streams and nothing else. It
	// gets no environment, and the root as its folder. A path such as
	// /proc/self/exe stays the same program when the file is replaced.
	Command []string
	Workers int // processes; 0 means DefaultWorkers, at most MaxWorkers
	Queue   int // waiting calls; 0 means DefaultQueue, at most MaxQueue
	// Died is told of each worker that died or did not start. It may be nil,
	// and must not block. It is called from several goroutines.
	Died func(reason error)
}

// Pool is an Evaluator that runs scripts in child processes: with limits of
// memory and time, and with a kill for whoever passes them. Run must be running.
type Pool struct {
	config PoolConfig
	jobs   chan *job
	closed chan struct{} // closed when Run has ended
}

// job is one waiting call.
type job struct {
	request request
	source  string
	limit   time.Duration
	taken   atomic.Bool // by a worker, or by a caller who gave up
	done    chan answer // of one
}

// take says whether the caller of this method is the first.
func (j *job) take() bool { return j.taken.CompareAndSwap(false, true) }

type answer struct {
	reply   *reply
	failure *Failure
}

// NewPool makes a pool. The error says what is wrong with the configuration.
func NewPool(c PoolConfig) (*Pool, error) {
	if c.Workers == 0 {
		c.Workers = DefaultWorkers
	}
	if c.Queue == 0 {
		c.Queue = DefaultQueue
	}
	if c.Died == nil {
		c.Died = func(error) {}
	}
	switch {
	case len(c.Command) == 0 || !filepath.IsAbs(c.Command[0]):
		return nil, fmt.Errorf("script: the worker's command %q: want a program by its absolute path", c.Command)
	case c.Workers < 0 || c.Workers > MaxWorkers:
		return nil, fmt.Errorf("script: %d workers: want 1 to %d", c.Workers, MaxWorkers)
	case c.Queue < 0 || c.Queue > MaxQueue:
		return nil, fmt.Errorf("script: a queue of %d calls: want 1 to %d", c.Queue, MaxQueue)
	}
	c.Command = slices.Clone(c.Command)
	return &Pool{config: c, jobs: make(chan *job, c.Queue), closed: make(chan struct{})}, nil
}

// Run keeps the workers alive until the context ends, and leaves no process
// behind. Call it once. A worker that cannot be started is tried again with
// growing pauses. It returns nil.
func (p *Pool) Run(ctx context.Context) error {
	defer close(p.closed)
	var group errgroup.Group
	for range p.config.Workers {
		group.Go(func() error {
			p.keep(ctx)
			return nil
		})
	}
	return group.Wait()
}

// Resolve implements Evaluator. The error is the context's, ErrBusy or
// ErrClosed.
func (p *Pool) Resolve(ctx context.Context, s *Script, c *Conflict) (*Result, error) {
	if f := c.check(); f != nil {
		return failed(f), nil
	}
	more := max(0, (c.size()-1)>>20)
	answer, err := p.do(ctx, &job{
		request: request{hash: s.hash, conflict: c}, source: s.source,
		limit: KillAfter + time.Duration(more)*KillAfterMore,
	})
	switch {
	case err != nil:
		return nil, err
	case answer.failure != nil:
		return failed(answer.failure), nil
	}
	return answer.reply.result, nil
}

// Test implements Evaluator. The error is the context's, ErrBusy, ErrClosed,
// or that there is no such test.
func (p *Pool) Test(ctx context.Context, s *Script, name string) (*TestResult, error) {
	if err := s.checkTest(name); err != nil {
		return nil, err
	}
	answer, err := p.do(ctx, &job{request: request{hash: s.hash, test: name}, source: s.source, limit: KillAfter})
	switch {
	case err != nil:
		return nil, err
	case answer.failure != nil:
		return &TestResult{Name: name, Failure: answer.failure}, nil
	}
	return answer.reply.test, nil
}

// do queues a job and waits for its answer. Whoever gives up leaves the job to
// be skipped; one that is running comes to its end by its own limit.
func (p *Pool) do(ctx context.Context, j *job) (answer, error) {
	j.done = make(chan answer, 1)
	select {
	case p.jobs <- j:
	default:
		return answer{}, ErrBusy
	}
	patience := time.NewTimer(MaxWait)
	defer patience.Stop()
	for {
		select {
		case a := <-j.done:
			return a, nil
		case <-ctx.Done():
			j.take()
			return answer{}, context.Cause(ctx)
		case <-p.closed:
			return answer{}, ErrClosed
		case <-patience.C:
			if j.take() {
				return answer{}, ErrBusy
			}
		}
	}
}

// keep starts a worker again and again, with pauses that grow while workers die
// without having finished a call.
func (p *Pool) keep(ctx context.Context) {
	pause := MinPause
	for ctx.Err() == nil {
		served, err := p.life(ctx)
		if ctx.Err() != nil {
			return
		}
		p.config.Died(err)
		if served {
			pause = MinPause
		}
		wait := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			wait.Stop()
		case <-wait.C:
		}
		pause = min(2*pause, MaxPause)
	}
}

// life is that of one worker: served says whether it finished a call, the error
// what it died of.
func (p *Pool) life(ctx context.Context) (served bool, err error) {
	w, err := start(ctx, p.config.Command)
	if err != nil {
		return false, fmt.Errorf("script: start a resolver worker: %w", err)
	}
	for {
		select {
		case <-ctx.Done():
			return served, w.stop()
		case <-w.gone:
			return served, errors.Join(fmt.Errorf("script: an idle resolver worker died: %s", w.state), w.stop())
		case j := <-p.jobs:
			if !j.take() {
				continue
			}
			reply, err := w.ask(&j.request, j.source, j.limit)
			if dead, ok := errors.AsType[*workerError](err); ok {
				if ctx.Err() != nil {
					return served, ctx.Err() // killed by us: the caller hears that the pool has ended
				}
				j.done <- answer{failure: dead.failure}
				return served, err
			}
			j.done <- answer{reply: reply}
			served = true
		}
	}
}
