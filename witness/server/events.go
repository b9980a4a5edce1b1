package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/link"
	"github.com/syncline/syncline/node/stream"
)

const (
	// watchEvery is how often the vote is looked at for what passes by itself: an
	// end of a lease, a node that falls silent.
	watchEvery = 100 * time.Millisecond
	// gaugesEvery is the shortest time between two events about what is left of
	// leases.
	gaugesEvery = time.Second
)

// Kinds of events. Changes have ids and come each once; of gauges a reader gets
// the newest value only.
const (
	eventVote    = "vote"    // change: a grant or a refusal that is news
	eventHolders = "holders" // change: who has the vote
	eventPeer    = "peer"    // change: a data node is heard again, or silent
	eventView    = "view"    // change: whom a data node says it reaches
	eventVotes   = "votes"   // gauge: leases and voters, as /v1/cluster/votes has them, without the log
)

// getEvents streams what happens to the vote.
func (s *Server) getEvents(w http.ResponseWriter, r *http.Request) error {
	format, err := eventFormat(r)
	if err != nil {
		return err
	}
	if r.Method == http.MethodHead {
		w.Header().Set("Content-Type", format.MediaType())
		w.WriteHeader(http.StatusOK)
		return nil
	}
	done, ok := s.places.Take()
	if !ok {
		w.Header().Set("Retry-After", "1")
		return &node.Error{Op: "events", Kind: node.Busy, Err: fmt.Errorf("%s serves %d streams already, the most that it does: close some", s.name, stream.MaxStreams)}
	}
	defer done()
	out, err := stream.Begin(w, format)
	if err != nil {
		return nil //nolint:nilerr // a reader that has gone needs no answer
	}
	f := stream.Feed{Log: s.cfg.Events, State: s.wholeState, Stop: s.stop}
	if err := f.Serve(r.Context(), out, stream.LastID(r)); err != nil {
		s.cfg.Log.Debug("a stream of events ended", "reader", r.RemoteAddr, "error", err)
	}
	return nil
}

// eventFormat is how the reader wants the events framed: by ?feed=, else by
// Accept, else as server-sent events.
func eventFormat(r *http.Request) (stream.Format, error) {
	feed := r.URL.Query()["feed"]
	switch {
	case len(feed) == 1 && (feed[0] == string(stream.SSE) || feed[0] == string(stream.NDJSON)):
		return stream.Format(feed[0]), nil
	case len(feed) > 0:
		return "", &node.Error{Op: "events", Kind: node.BadRequest, Err: errors.New("parameter feed: want sse or ndjson, once")}
	case strings.Contains(r.Header.Get("Accept"), stream.TypeNDJSON):
		return stream.NDJSON, nil
	}
	return stream.SSE, nil
}

// wholeState is the first event of a stream, in the shapes of the routes that
// tell it one by one.
func (s *Server) wholeState(context.Context) (any, error) {
	out := struct {
		Cluster clusterJSON  `json:"cluster"`
		Votes   votesJSON    `json:"votes"`
		Faults  []link.Fault `json:"faults"`
		Chaos   bool         `json:"chaos"` // the process takes faults
	}{s.clusterJSON(), s.votesJSON(), []link.Fault{}, s.cfg.Chaos != nil}
	if s.cfg.Chaos != nil {
		out.Faults = append(out.Faults, s.cfg.Chaos.List()...)
	}
	return out, nil
}

// watched is what the events have told so far.
type watched struct {
	holders []string
	peers   map[string]bool // reachable
	views   map[string]voterJSON
	votesAt time.Time
}

// Watch tells the events what changes until the context ends, and returns its
// error. Run it once.
func (s *Server) Watch(ctx context.Context) error {
	w := watched{peers: map[string]bool{}, views: map[string]voterJSON{}}
	s.look(&w, true)
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
			s.look(&w, false)
		}
	}
}

// look compares the vote with what was told. At the first look nothing is told:
// a reader begins with the whole state.
func (s *Server) look(w *watched, first bool) {
	cluster, votes := s.clusterJSON(), s.votesJSON()
	var holders []string
	for _, h := range cluster.Vote.Holders {
		holders = append(holders, h.Name)
	}
	news := !slices.Equal(holders, w.holders)
	if news && !first {
		s.cfg.Events.Add(eventHolders, cluster.Vote)
	}
	w.holders = holders
	for _, p := range cluster.Peers {
		if was, known := w.peers[p.Name]; !first && (!known || was != p.Reachable) {
			s.cfg.Events.Add(eventPeer, p)
			news = true
		}
		w.peers[p.Name] = p.Reachable
	}
	for _, v := range votes.Voters {
		if was := w.views[v.Name]; !first && (!slices.Equal(was.Lists, v.Lists) || !slices.Equal(was.Component, v.Component)) {
			s.cfg.Events.Add(eventView, v)
		}
		w.views[v.Name] = v
	}
	if now := time.Now(); news || first || now.Sub(w.votesAt) >= gaugesEvery {
		votes.Log = []eventJSON{}
		s.cfg.Events.Set(eventVotes, votes)
		w.votesAt = now
	}
}
