package main

import (
	"context"
	"fmt"
)

const (
	queueLength = 1024 // requests that may wait for the writer
	maxGroup    = 512  // requests of one transaction
)

// write is one document on its way to the file. Its answer comes on done,
// after the commit.
type write struct {
	collection, id string
	body           []byte
	done           chan error
}

// writer is the one goroutine that writes.
type writer struct {
	store *store
	queue chan *write
}

func newWriter(s *store) *writer {
	return &writer{store: s, queue: make(chan *write, queueLength)}
}

// Put hands a document to the writer and waits for the commit.
func (w *writer) Put(ctx context.Context, collection, id string, body []byte) error {
	job := &write{collection: collection, id: id, body: body, done: make(chan error, 1)}
	select {
	case w.queue <- job:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-job.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Run commits what has queued, group by group, until the context ends or a
// commit fails: after that nothing is known of the file. A group is what is
// there when the one before is done: nobody waits for more.
func (w *writer) Run(ctx context.Context) error {
	group := make([]*write, 0, maxGroup)
	for {
		select {
		case job := <-w.queue:
			group = w.gather(append(group[:0], job))
		case <-ctx.Done():
			return nil
		}
		err := w.commit(context.WithoutCancel(ctx), group)
		for _, job := range group {
			job.done <- err
		}
		if err != nil {
			return fmt.Errorf("commit: %w", err)
		}
	}
}

// gather adds what waits in the queue.
func (w *writer) gather(group []*write) []*write {
	for len(group) < maxGroup {
		select {
		case job := <-w.queue:
			group = append(group, job)
		default:
			return group
		}
	}
	return group
}

func (w *writer) commit(ctx context.Context, group []*write) error {
	return w.store.inTransaction(ctx, func() error {
		for _, job := range group {
			if _, err := w.store.put.ExecContext(ctx, job.collection, job.id, job.body); err != nil {
				return err
			}
		}
		return nil
	})
}
