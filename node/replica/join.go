package replica

import (
	"context"

	"golang.org/x/sync/semaphore"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/wire"
)

// A sender makes a transfer of each of its commits, and the receiver's writer
// has local writes to commit too. A receiver that applied one frame a commit
// would fall behind for as long as both are busy, so it joins all frames that
// wait: their rows in order, and the last closing frame, which covers what the
// earlier ones say and has all of their rows before it (PROTOCOL D4). A void
// frame voids the whole join.
const (
	// readAhead is how many frames wait while others are applied.
	readAhead = 64
	// readAheadBytes is about how many bytes of rows wait; a longer frame waits
	// alone.
	readAheadBytes = 8 << 20
)

// taken is a frame that was read and checked.
type taken struct {
	apply  *node.Apply
	close  *wire.Close // nil within a transfer
	weight int64
}

// waiting holds the frames that were read and not yet applied.
type waiting struct {
	frames chan taken
	room   *semaphore.Weighted
}

func newWaiting() *waiting {
	return &waiting{frames: make(chan taken, readAhead), room: semaphore.NewWeighted(readAheadBytes)}
}

// put adds a frame, and waits while there is no room for it.
func (w *waiting) put(ctx context.Context, f *wire.Frame, a *node.Apply) error {
	t := taken{apply: a, close: f.Close, weight: weight(f)}
	if err := w.room.Acquire(ctx, t.weight); err != nil {
		return err
	}
	select {
	case w.frames <- t:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// take returns all frames that wait, at least one; nil when there will be no
// more.
func (w *waiting) take() []taken {
	var out []taken
	for f := range w.frames {
		out = append(out, f)
		w.room.Release(f.weight)
		if len(w.frames) == 0 || len(out) == readAhead {
			return out
		}
	}
	return out
}

// weight is about how many bytes a frame holds in memory.
func weight(f *wire.Frame) int64 {
	size := int64(0)
	for i := range f.Rows {
		size += int64(len(f.Rows[i].Body) + len(f.Rows[i].Clock) + len(f.Rows[i].ID))
	}
	return min(size, readAheadBytes)
}

// apply applies frames that came one after the other: those up to the last
// closing frame together, and the rest of a transfer that goes on.
func (r *Replicator) apply(ctx context.Context, name string, frames []taken) error {
	closed := len(frames)
	for closed > 0 && frames[closed-1].close == nil {
		closed--
	}
	for _, part := range [][]taken{frames[:closed], frames[closed:]} {
		if len(part) == 0 {
			continue
		}
		if err := r.join(ctx, name, part); err != nil {
			return err
		}
	}
	return nil
}

// join applies frames as one.
func (r *Replicator) join(ctx context.Context, name string, frames []taken) error {
	var joined node.Apply
	for _, f := range frames {
		joined.Sender, joined.Versions = f.apply.Sender, append(joined.Versions, f.apply.Versions...)
		if f.apply.Done.Len() > 0 {
			joined.Done = f.apply.Done
		}
		if f.apply.Close != nil {
			joined.Close = f.apply.Close
			if err := r.cfg.Engine.PeerStanding(ctx, name, joined.Close.Standing); err != nil {
				return err
			}
		}
	}
	if _, err := r.cfg.Engine.Apply(ctx, joined); err != nil {
		return err
	}
	news := false
	for _, f := range frames {
		if f.close != nil {
			news = r.table.Applied(name, f.close) || news
		}
	}
	if news {
		r.cfg.Engine.Feed().Ring() // the other streams have something to relay
	}
	return nil
}
