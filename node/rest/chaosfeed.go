package rest

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/stream"
)

// Events of the stream of a run.
const (
	runStep = "step" // one step; its id is the step's number
	runEnd  = "run"  // the run without its steps: it has ended, and so does the stream
)

// runFeed is how a client wants a run: as it is now, which is the default, or as
// a stream.
func runFeed(r *http.Request) (feedKind, error) {
	q, err := readQuery(r)
	if err != nil {
		return "", err
	}
	feed, err := q.feed(feedPage, feedSSE, feedNDJSON)
	if err != nil {
		return "", err
	}
	if !q.has("feed") {
		for _, other := range []feedKind{feedSSE, feedNDJSON} {
			if acceptable(r, feed.mediaType()) != nil && acceptable(r, other.mediaType()) == nil {
				feed = other
			}
		}
	}
	return feed, acceptable(r, feed.mediaType())
}

// streamRun sends the steps of a run as they come, and at the end the run.
func (s *Server) streamRun(c echo.Context, run ChaosRunReader, feed feedKind) error {
	w, r := c.Response(), c.Request()
	format := stream.Format(feed)
	f := &runStream{s: s, run: run, format: format}
	if last := stream.LastID(r); last != "" {
		var err error
		if f.after, err = strconv.ParseUint(last, 10, 64); err != nil || !f.known() {
			return errNoStep(last)
		}
	}
	return s.stream(w, r, "a run", format, func(ctx context.Context, out *stream.Writer) error {
		f.out = out
		return f.follow(ctx)
	})
}

// runStream is one reader's stream of a run.
type runStream struct {
	s      *Server
	run    ChaosRunReader
	out    *stream.Writer
	format stream.Format
	after  uint64 // number of the step that was sent last
}

// known says whether the run has come to the step that the reader had last.
func (f *runStream) known() bool {
	if f.after == 0 {
		return true
	}
	steps, _ := f.run.Steps(f.after-1, 1)
	return len(steps) > 0
}

// follow sends until the run has ended, or the server drains, of which the last
// event tells.
func (f *runStream) follow(ctx context.Context) error {
	beat := time.NewTimer(stream.BeatEvery)
	defer beat.Stop()
	for {
		run := f.run.Run() // before the steps: when it has ended, they are all there
		steps, changed := f.run.Steps(f.after, stream.MaxBatch)
		switch {
		case len(steps) > 0:
			if err := f.send(steps); err != nil {
				return err
			}
			beat.Reset(stream.BeatEvery)
			continue
		case run.Ended != nil:
			return f.out.Send(f.event("", runEnd, run))
		}
		select {
		case <-changed:
		case <-beat.C:
			if err := f.out.Beat(f.event("", stream.KindAlive, nil).Data); err != nil {
				return err
			}
			beat.Reset(stream.BeatEvery)
		case <-f.s.stop.Done():
			return f.out.Send(stream.Ended(string(node.Draining), "this node is stopping, and its runs end with it"))
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (f *runStream) send(steps []ChaosStep) error {
	events := make([]stream.Event, 0, len(steps))
	for _, step := range steps {
		events = append(events, f.event(strconv.FormatUint(step.Seq, 10), runStep, step))
		f.after = step.Seq
	}
	return f.out.Send(events...)
}

// event frames a value. A line of NDJSON says by itself what it is.
func (f *runStream) event(id, kind string, data any) stream.Event {
	e := stream.Event{ID: id, Kind: kind}
	if f.format == stream.NDJSON {
		data = struct {
			ID    string `json:"id,omitempty"`
			Event string `json:"event"`
			Data  any    `json:"data"`
		}{id, kind, data}
	}
	e.Data = mustJSON(data)
	return e
}
