package stream

import (
	"context"
	"time"
)

// Feed is a Log with what a reader must know before its events make sense.
type Feed struct {
	Log *Log
	// State is the whole present state, in the shapes of the routes that tell
	// it one by one. An error ends the stream.
	State func(ctx context.Context) (any, error)
	// Stop ends when the server drains.
	Stop context.Context
}

// Kinds of events that every Feed has.
const (
	KindState = "state" // the whole present state; first, and after each gap
	KindGap   = "gap"   // events were lost to this reader; a state follows
	KindAlive = "alive" // NDJSON's sign of life
)

// Serve sends what happens until the reader goes, does not read, or the server
// drains, of which the last event tells. last is the id to go on behind, or
// empty. An error is the reader's, but for that of State.
func (f *Feed) Serve(ctx context.Context, w *Writer, last string) error {
	position, known := f.Log.Find(last)
	if !known {
		var err error
		if position, err = f.begin(ctx, w, last != ""); err != nil {
			return err
		}
	}
	beat := time.NewTimer(BeatEvery)
	defer beat.Stop()
	for {
		bell := f.Log.Bell()
		events, gap := f.Log.Read(&position)
		var err error
		switch {
		case gap:
			position, err = f.begin(ctx, w, true)
		case len(events) > 0:
			err = w.Send(events...)
		case f.Stop.Err() != nil:
			return w.Send(Ended("draining", "this node is stopping: go on at another, or here once it is back"))
		default:
			if err = f.wait(ctx, w, bell, beat.C); err == nil {
				break
			}
			return err
		}
		if err != nil {
			return err
		}
		beat.Reset(BeatEvery)
	}
}

// wait lets time pass until something happened.
func (f *Feed) wait(ctx context.Context, w *Writer, bell <-chan struct{}, beat <-chan time.Time) error {
	select {
	case <-bell:
		return nil
	case <-f.Stop.Done():
		return nil
	case <-beat:
		return w.Beat(f.Log.event("", KindAlive, nil).Data)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// begin tells the whole state, and before it that something was lost.
func (f *Feed) begin(ctx context.Context, w *Writer, lost bool) (Position, error) {
	position, id := f.Log.Present()
	state, err := f.State(ctx)
	if err != nil {
		return position, err
	}
	var events []Event
	if lost {
		events = append(events, f.Log.event("", KindGap, struct {
			Detail string `json:"detail"`
		}{"the events since the last one that you had are not kept any more, or were of a former run; what follows is the whole state"}))
	}
	m := message{ID: id, Event: KindState, Time: f.Log.cfg.Now().UTC(), Data: state}
	return position, w.Send(append(events, Event{ID: id, Kind: KindState, Data: encode(m)})...)
}
