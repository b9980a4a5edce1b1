package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"
)

// actor is something that runs as long as its process: a loop that ends with
// its context.
type actor struct {
	name string
	run  func(context.Context) error
}

// stage is a set of actors that start and stop together.
type stage []actor

// runStages starts stages in their order and runs them until the context ends
// or any actor does. Then it stops them in the opposite order, each whole stage
// before the next: what a later one still needs to finish its work is there. It
// returns why the first actor ended, nil when the context was the cause. An
// actor that ends by itself without an error is one that failed.
func runStages(ctx context.Context, stages ...stage) error {
	ended := make(chan error, 1) // the first end
	stops := make([]func(), 0, len(stages))
	for _, s := range stages {
		stops = append(stops, s.start(ctx, ended))
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-ended:
	}
	for _, stop := range slices.Backward(stops) {
		stop()
	}
	if err == nil {
		select {
		case err = <-ended: // an actor failed while it was stopped
		default:
		}
	}
	return err
}

// start starts the actors and returns what stops them and waits for them.
func (s stage) start(ctx context.Context, ended chan<- error) (stop func()) {
	// Not the caller's end: a stage ends when its turn comes.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var group errgroup.Group
	for _, a := range s {
		group.Go(func() error {
			err := a.run(ctx)
			switch {
			case ctx.Err() != nil && (err == nil || errors.Is(err, context.Canceled)):
				return nil
			case err == nil:
				err = fmt.Errorf("%s ended by itself", a.name)
			}
			select {
			case ended <- err:
			default: // somebody else was first
			}
			return err
		})
	}
	return func() {
		cancel()
		_ = group.Wait() // the first error is in ended
	}
}
