package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/stream"
)

const (
	// streamPause is how long a stream of changes rests between two looks into
	// the store: what is committed meanwhile comes with the next one, and many
	// streams cost the writer no more than few do.
	streamPause = 50 * time.Millisecond
	// streamBytes is about how many bytes of bodies a stream holds for its
	// reader at once.
	streamBytes = 256 << 10
)

// streamChanges sends the feed without an end. The session and the cursor have
// been waited for, as for a page.
func (s *Server) streamChanges(w http.ResponseWriter, r *http.Request, q node.ChangesQuery, format stream.Format) error {
	q.MaxBytes = streamBytes
	return s.stream(w, r, "changes", format, func(ctx context.Context, out *stream.Writer) error {
		c := changeStream{s: s, out: out, q: q}
		return c.run(ctx)
	})
}

// changeStream is one reader's stream.
type changeStream struct {
	s    *Server
	out  *stream.Writer
	q    node.ChangesQuery
	told string // the checkpoint that was sent last
}

// run sends pages as they come. It returns nil when the server drains, of which
// the last event tells.
func (c *changeStream) run(ctx context.Context) error {
	beat := time.NewTimer(stream.BeatEvery)
	defer beat.Stop()
	for {
		bell := c.s.engine.Feed().Bell() // before the look, else a commit in between is missed
		page, err := c.s.engine.Changes(ctx, c.q)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			p := c.s.problemOf(err, newTrace())
			return c.out.Send(stream.Ended(string(p.Code), p.Detail))
		}
		c.q.Since = page.Next
		sent, err := c.send(&page)
		if err != nil {
			return err
		}
		if sent {
			beat.Reset(stream.BeatEvery)
		}
		if page.Checkpoint == "" {
			if c.s.stop.Err() == nil {
				continue // there is more
			}
			return c.end()
		}
		if over, err := c.rest(ctx, bell, beat); over || err != nil {
			return err
		}
	}
}

// send sends a page. A checkpoint that no event led to waits for the beat, so
// that the writes of other collections wake nobody.
func (c *changeStream) send(page *node.ChangesPage) (bool, error) {
	events := make([]stream.Event, 0, len(page.Changes)+1)
	for i := range page.Changes {
		e := &page.Changes[i]
		events = append(events, stream.Event{ID: e.Cursor, Data: c.s.appendChange(nil, e)})
	}
	if page.Checkpoint != "" && (len(events) > 0 || c.told == "") {
		events = append(events, c.checkpoint(page.Checkpoint))
	}
	if len(events) == 0 {
		return false, nil
	}
	return true, c.out.Send(events...)
}

func (c *changeStream) checkpoint(at string) stream.Event {
	c.told = at
	return stream.Event{ID: at, Kind: "checkpoint", Data: append(appendText([]byte(`{"checkpoint":`), at), '}')}
}

// rest waits for the next commit, and meanwhile says that the stream lives.
func (c *changeStream) rest(ctx context.Context, bell <-chan struct{}, beat *time.Timer) (over bool, err error) {
	pause := time.NewTimer(streamPause)
	defer pause.Stop()
	rested := pause.C
	for {
		ring := bell
		if rested != nil {
			ring = nil // not before the pause is over
		}
		select {
		case <-rested:
			rested = nil
		case <-ring:
			return false, nil
		case <-beat.C:
			if err := c.beat(); err != nil {
				return true, err
			}
			beat.Reset(stream.BeatEvery)
		case <-c.s.stop.Done():
			return true, c.end()
		case <-ctx.Done():
			return true, ctx.Err()
		}
	}
}

// beat sends the checkpoint when it has moved, and else a sign of life.
func (c *changeStream) beat() error {
	moved := c.told != c.q.Since
	at := c.checkpoint(c.q.Since)
	if moved {
		return c.out.Send(at)
	}
	return c.out.Beat(at.Data)
}

func (c *changeStream) end() error {
	return c.out.Send(stream.Ended(string(node.Draining), "this node is stopping: go on at another, from the last checkpoint or cursor"))
}
