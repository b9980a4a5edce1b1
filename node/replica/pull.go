package replica

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/cenkalti/backoff/v5"
	"golang.org/x/sync/errgroup"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/wire"
	"github.com/syncline/syncline/vclock"
)

// Limits of the pull loop.
const (
	// helloTimeout bounds the question who a peer is.
	helloTimeout = 3 * time.Second
	// firstRetry and lastRetry bound the wait between two attempts.
	firstRetry = 50 * time.Millisecond
	lastRetry  = 2 * time.Second
)

// pullLoop pulls from one peer, again and again.
func (r *Replicator) pullLoop(ctx context.Context, name string) error {
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = firstRetry, lastRetry
	failing := false
	for ctx.Err() == nil {
		began := r.cfg.Now()
		err := r.pull(ctx, name)
		r.silent(name)
		if ctx.Err() != nil {
			break
		}
		if node.KindOf(err) == node.OwnActorAhead || node.KindOf(err) == node.Unknown {
			return err
		}
		if r.cfg.Now()-began > Heartbeat {
			wait.Reset()
			failing = false
		}
		if alarm := node.KindOf(err) == node.Corrupt; alarm || !failing {
			r.event(Event{Peer: name, Text: "pull broke off", Err: err, Alarm: alarm})
			failing = true
		}
		timer := time.NewTimer(wait.NextBackOff())
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-r.peers[name].wake:
			wait.Reset()
		}
		timer.Stop()
	}
	return ctx.Err()
}

// errSilent ends a stream whose sender says nothing.
var errSilent = fmt.Errorf("no frame for %s", Silence)

// pull opens one stream and applies what it brings until it breaks.
func (r *Replicator) pull(ctx context.Context, name string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	req, p, err := r.request(ctx, name)
	if err != nil {
		return err
	}
	body, err := wire.Encode(req)
	if err != nil {
		return err
	}
	silence := time.AfterFunc(Silence, func() { cancel(errSilent) })
	defer silence.Stop()
	stream, err := r.cfg.Caller.Stream(ctx, name, PathChanges, body)
	if err == nil {
		err = (&following{r, name, p, stream, silence}).run(ctx)
	}
	// Whatever broke first because of it, an Apply that was under way too.
	if errors.Is(context.Cause(ctx), errSilent) {
		return fmt.Errorf("pull from %s: %w", name, errSilent)
	}
	return err
}

// request asks a peer who it is, and makes the request that fits.
func (r *Replicator) request(ctx context.Context, name string) (*wire.ChangesRequest, *Puller, error) {
	helloCtx, stop := context.WithTimeout(ctx, helloTimeout)
	defer stop()
	h, err := r.hello(helloCtx, name)
	if err != nil {
		return nil, nil, err
	}
	if err := r.cfg.Engine.PeerStanding(ctx, name, node.Standing(h.Standing)); err != nil {
		return nil, nil, err
	}
	p := NewPuller(PullerConfig{
		Cluster: r.cfg.Cluster, Self: r.cfg.Self, From: name, Actor: r.cfg.Engine.Actor(), Store: r.cfg.Store, Table: r.table,
	})
	req, err := p.Request(ctx, h.Actor)
	return req, p, err
}

// following is the receiver's end of one open stream.
type following struct {
	r       *Replicator
	name    string
	puller  *Puller
	stream  io.ReadCloser
	silence *time.Timer
}

// run reads frames while those before are applied.
func (f *following) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	frames := newWaiting()
	// A read does not hear the context: closing the stream ends it.
	stop := context.AfterFunc(ctx, func() { _ = f.stream.Close() })
	defer stop()
	defer f.stream.Close() // a second close says nothing new
	g.Go(func() error {
		defer close(frames.frames)
		return f.read(ctx, frames)
	})
	g.Go(func() error {
		for {
			batch := frames.take()
			if len(batch) == 0 {
				return nil
			}
			if err := f.r.apply(ctx, f.name, batch); err != nil {
				return err
			}
		}
	})
	return g.Wait()
}

// read checks frames and hands them on until the stream ends. It does so while
// earlier ones are committed.
func (f *following) read(ctx context.Context, frames *waiting) error {
	reader, err := wire.NewReader(f.stream)
	if err != nil {
		return err
	}
	defer reader.Close()
	for {
		frame, err := reader.Read()
		if err != nil {
			return fmt.Errorf("read from %s: %w", f.name, err)
		}
		f.r.spoke(f.name, frame)
		f.silence.Stop() // while we are slow ourselves, the sender is not silent
		apply, err := f.puller.Take(frame)
		if err != nil {
			return &node.Error{Op: "pull", Kind: node.Corrupt, Key: f.name, Err: err}
		}
		if err := frames.put(ctx, frame, apply); err != nil {
			return err
		}
		f.silence.Reset(Silence)
	}
}

// Ahead is told what a peer's ballot says of its frontier: for the lag that is
// shown, never for what is stable.
func (r *Replicator) Ahead(name string, frontier vclock.Vector) {
	now := r.cfg.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if p, ok := r.peers[name]; ok {
		p.ours.Ahead(now, frontier)
	}
}
