package script

import (
	"errors"
	"time"
)

// timing watches the time of one call, and ends the call by the deadlines of the
// worker's pipes when it passes a limit.
type timing struct {
	p      *process
	limit  time.Duration // of processor time
	before time.Duration // the worker's processor time when the call began
	over   chan struct{} // closed when the call is over
	passed chan *Failure // of one: which limit was passed, or nil
}

// time begins to watch a call. The caller calls stop when it is over.
func (p *process) time(limit time.Duration) *timing {
	t := &timing{p: p, limit: limit, over: make(chan struct{}), passed: make(chan *Failure, 1)}
	t.before, _ = processorTime(p.pid)
	go func() { t.passed <- t.watch() }()
	return t
}

// stop ends the watch: no deadline is set after it. It says which limit was
// passed, or nil.
func (t *timing) stop() *Failure {
	close(t.over)
	return <-t.passed
}

func (t *timing) watch() *Failure {
	wall, look := time.NewTimer(MaxCall), time.NewTimer(t.limit)
	defer wall.Stop()
	defer look.Stop()
	for {
		select {
		case <-t.over:
			return nil
		case <-wall.C:
			return t.end(failure(KindKilled, "the worker was killed: it stood still for %s", MaxCall))
		case <-look.C:
			now, told := processorTime(t.p.pid)
			left := t.limit - (now - t.before)
			if !told || left <= 0 {
				return t.end(failure(KindTime, "the worker was killed after %s", t.limit))
			}
			look.Reset(max(left, minLook))
		}
	}
}

// end ends the call. A pipe that takes no deadline is one that is closed: its
// call is over already.
func (t *timing) end(f *Failure) *Failure {
	now := time.Now()
	if err := errors.Join(t.p.in.SetWriteDeadline(now), t.p.out.SetReadDeadline(now)); err != nil {
		return nil
	}
	return f
}
