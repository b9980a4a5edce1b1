package chaos

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.starlark.net/starlark"

	"github.com/syncline/syncline/client"
	"github.com/syncline/syncline/scripts/chaos/history"
)

const (
	// feedPoll is how long one request for changes waits.
	feedPoll = time.Second
	// feedPause is the time between two tries of a feed that broke.
	feedPause = 100 * time.Millisecond
)

// feed is a consumer of the changes feed. It begins at one node and goes on at
// another when that one fails, from its last checkpoint.
type feed struct {
	r     *run
	name  string
	node  string
	since string
	stop  context.CancelFunc
	ended chan struct{}
}

// feed starts a consumer. It ends with the accounting, once it has caught up.
func (r *run) feed(a *arguments) (starlark.Value, error) {
	ctx, cancel := context.WithCancel(r.ctx)
	f := &feed{r: r, name: fmt.Sprintf("feed-%d", len(r.feeds)+1), node: a.text("at"), stop: cancel, ended: make(chan struct{})}
	r.feeds = append(r.feeds, f)
	r.book.note(a.at, fmt.Sprintf("%s reads the changes at %s", f.name, f.node))
	r.background.Go(func() {
		defer close(f.ended)
		f.follow(ctx)
	})
	return nil, nil
}

// follow reads until it is stopped.
func (f *feed) follow(ctx context.Context) {
	for ctx.Err() == nil {
		err := f.read(ctx, true)
		if ctx.Err() != nil {
			return
		}
		f.move(err)
		select {
		case <-ctx.Done():
		case <-time.After(feedPause):
		}
	}
}

// move goes on at the next data node.
func (f *feed) move(err error) {
	data := f.r.spec.Data
	next := data[(slices.Index(data, f.node)+1)%len(data)]
	if next != f.node {
		f.r.book.say(StepClient, position{}, fmt.Sprintf("%s goes on at %s: %s failed (%s)", f.name, next, f.node, codeOf(err)))
	}
	f.node = next
}

// read reads the changes since the last checkpoint.
func (f *feed) read(ctx context.Context, follow bool) error {
	options := client.ChangesOptions{Since: f.since, Follow: follow, Poll: feedPoll}
	for change, err := range f.r.node(f.node).Changes(ctx, options) {
		switch {
		case err != nil:
			return err
		case change.Checkpoint != "":
			f.since = change.Checkpoint
		default:
			f.r.book.add(f.r.cfg.Now(), history.Record{
				Client: f.name, Op: history.OpEvent, Node: f.node, Key: change.Collection + "/" + change.ID,
				Value: string(change.Doc), Absent: change.Deleted, Dot: change.Dot, Conflicts: change.Conflicts,
			})
		}
	}
	return nil
}

// catchUp reads what is left, once the consumer follows no more.
func (f *feed) catchUp() error {
	f.stop()
	<-f.ended
	if err := f.read(f.r.ctx, false); err != nil {
		return fmt.Errorf("%s at %s: %w", f.name, f.node, err)
	}
	return nil
}

// catchUpFeeds lets all consumers read what is left.
func (r *run) catchUpFeeds() error {
	var failed error
	for _, f := range r.feeds {
		failed = errors.Join(failed, f.catchUp())
	}
	return failed
}

// endFeeds notes that all consumers have read everything.
func (r *run) endFeeds() {
	for _, f := range r.feeds {
		r.book.add(r.cfg.Now(), history.Record{Client: f.name, Op: history.OpEvent, Node: f.node, Code: history.CaughtUp})
	}
	r.feeds = nil
}
