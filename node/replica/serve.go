package replica

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/syncline/syncline/node/wire"
)

// Limits of serving.
const (
	// maxRequest is the longest request for changes, in bytes.
	maxRequest = 4 << 20
	// writeTimeout is how long one frame may take to leave: a receiver that is
	// slower comes back and goes on behind its cursor.
	writeTimeout = 60 * time.Second
)

// ServeChanges answers a peer's POST /peer/v1/changes with an endless stream
// of frames. It returns when the stream ends.
func (r *Replicator) ServeChanges(ctx context.Context, caller string, w http.ResponseWriter, req *http.Request) {
	if err := r.serve(ctx, caller, w, req); err != nil && ctx.Err() == nil {
		r.event(Event{Peer: caller, Text: "stream ended", Err: err})
	}
}

func (r *Replicator) serve(ctx context.Context, caller string, w http.ResponseWriter, req *http.Request) error {
	ask, err := r.readRequest(caller, req.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return err
	}
	source := NewSource(SourceConfig{
		Self: r.cfg.Self, Actor: r.cfg.Engine.Actor(), Store: r.cfg.Store, Table: r.table, Standing: r.cfg.Engine.Standing,
		Disorder: r.cfg.Engine.Disorder,
	}, ask)
	w.Header().Set("Content-Type", "application/cbor-seq")
	w.WriteHeader(http.StatusOK)
	out, err := wire.NewWriter(w)
	if err != nil {
		return err
	}
	return errors.Join(r.send(ctx, source, out, http.NewResponseController(w)), source.Close())
}

func (r *Replicator) readRequest(caller string, body io.Reader) (*wire.ChangesRequest, error) {
	data, err := io.ReadAll(io.LimitReader(body, maxRequest+1))
	if err != nil {
		return nil, fmt.Errorf("changes: %w", err)
	}
	if len(data) > maxRequest {
		return nil, fmt.Errorf("changes: a request of more than %d bytes", maxRequest)
	}
	ask := new(wire.ChangesRequest)
	if err := wire.Decode(data, ask); err != nil {
		return nil, err
	}
	if err := ask.Check(); err != nil {
		return nil, err
	}
	if ask.Cluster != r.cfg.Cluster || ask.Node != caller {
		return nil, fmt.Errorf("changes: the request is of %q in cluster %q, the connection of %q in cluster %q", ask.Node, ask.Cluster, caller, r.cfg.Cluster)
	}
	return ask, r.cfg.Engine.OwnActorSeen("the frontier of "+caller, ask.Frontier.Get(r.cfg.Engine.Actor()))
}

// send writes what there is, then waits for the next commit.
func (r *Replicator) send(ctx context.Context, source *Source, out *wire.Writer, ctl *http.ResponseController) error {
	for {
		bell := r.cfg.Engine.Feed().Bell() // before looking, else a ring is missed
		frame, wait, err := source.Next(ctx, r.cfg.Now())
		if err != nil {
			return err
		}
		if frame == nil {
			if err := pause(ctx, bell, wait); err != nil {
				return err
			}
			continue
		}
		if err := ctl.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
			return fmt.Errorf("deadline: %w", err)
		}
		if err := out.Write(frame); err != nil {
			return err
		}
		if err := ctl.Flush(); err != nil {
			return fmt.Errorf("flush: %w", err)
		}
	}
}

func pause(ctx context.Context, bell <-chan struct{}, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-bell:
		return nil
	case <-timer.C:
		return nil
	}
}
