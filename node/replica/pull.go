package replica

import (
	"context"
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
	// readAhead is how many frames wait while one is applied.
	readAhead = 2
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

// pull opens one stream and applies what it brings until it breaks.
func (r *Replicator) pull(ctx context.Context, name string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	helloCtx, stop := context.WithTimeout(ctx, helloTimeout)
	h, err := r.hello(helloCtx, name)
	stop()
	if err != nil {
		return err
	}
	if err := r.cfg.Engine.PeerStanding(ctx, name, node.Standing(h.Standing)); err != nil {
		return err
	}
	p := NewPuller(PullerConfig{
		Cluster: r.cfg.Cluster, Self: r.cfg.Self, From: name, Actor: r.cfg.Engine.Actor(), Store: r.cfg.Store, Table: r.table,
	})
	req, err := p.Request(ctx, h.Actor)
	if err != nil {
		return err
	}
	body, err := wire.Encode(req)
	if err != nil {
		return err
	}
	stream, err := r.cfg.Caller.Stream(ctx, name, PathChanges, body)
	if err != nil {
		return err
	}
	return r.follow(ctx, name, p, stream)
}

// follow reads frames while the one before is applied.
func (r *Replicator) follow(ctx context.Context, name string, p *Puller, stream io.ReadCloser) error {
	g, ctx := errgroup.WithContext(ctx)
	frames := make(chan *wire.Frame, readAhead)
	silence := time.AfterFunc(Silence, func() { _ = stream.Close() })
	defer silence.Stop()
	// A read does not hear the context: closing the stream ends it.
	stop := context.AfterFunc(ctx, func() { _ = stream.Close() })
	defer stop()
	g.Go(func() error {
		defer close(frames)
		reader, err := wire.NewReader(stream)
		if err != nil {
			return err
		}
		defer reader.Close()
		for {
			f, err := reader.Read()
			if err != nil {
				return fmt.Errorf("read from %s: %w", name, err)
			}
			silence.Reset(Silence)
			r.spoke(name, f)
			select {
			case frames <- f:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	})
	g.Go(func() error {
		for f := range frames {
			if err := r.take(ctx, name, p, f); err != nil {
				return err
			}
		}
		return nil
	})
	defer stream.Close() // a second close says nothing new
	return g.Wait()
}

// take applies one frame.
func (r *Replicator) take(ctx context.Context, name string, p *Puller, f *wire.Frame) error {
	a, err := p.Take(f)
	if err != nil {
		return &node.Error{Op: "pull", Kind: node.Corrupt, Key: name, Err: err}
	}
	if f.Close != nil {
		if err := r.cfg.Engine.PeerStanding(ctx, name, node.Standing(f.Close.Standing)); err != nil {
			return err
		}
	}
	if _, err := r.cfg.Engine.Apply(ctx, *a); err != nil {
		return err
	}
	if f.Close != nil {
		if r.table.Applied(name, f.Close) {
			r.cfg.Engine.Feed().Ring() // the other streams have news to relay
		}
	}
	return nil
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
