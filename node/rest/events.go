package rest

import (
	"context"

	"github.com/labstack/echo/v4"

	"github.com/syncline/syncline/node/link"
	"github.com/syncline/syncline/node/stream"
)

// Kinds of events. Changes have ids and come each once; of gauges a reader gets
// the newest value only.
const (
	eventWrite     = "write"     // change: may this node write, and why not
	eventVote      = "vote"      // change: a grant, a refusal, an expiry
	eventLink      = "link"      // change: one direction, as /v1/cluster/links has it
	eventConflict  = "conflict"  // change: one that began or ended, with its id
	eventLag       = "lag"       // gauge: the peers, as /v1/cluster has them
	eventVotes     = "votes"     // gauge: leases and voters, as /v1/cluster/votes has them, without the log
	eventConflicts = "conflicts" // gauge: how many are open, how many on record
)

// getEvents streams what happens at this node.
func (s *Server) getEvents(c echo.Context) error {
	w, r := c.Response(), c.Request()
	q, err := readQuery(r)
	if err != nil {
		return err
	}
	feed, err := q.feed(feedSSE, feedNDJSON)
	if err != nil {
		return err
	}
	if !q.has("feed") && acceptable(r, typeNDJSON) == nil && acceptable(r, stream.TypeSSE) != nil {
		feed = feedNDJSON
	}
	if err := acceptable(r, feed.mediaType()); err != nil {
		return err
	}
	f := stream.Feed{Log: s.cfg.Events, State: s.wholeState, Stop: s.stop}
	return s.stream(w, r, "events", stream.Format(feed), func(ctx context.Context, out *stream.Writer) error {
		return f.Serve(ctx, out, stream.LastID(r))
	})
}

// wholeState is the first event of a stream: all that the events alter, in the
// shapes of the routes that tell it one by one.
func (s *Server) wholeState(ctx context.Context) (any, error) {
	cluster, err := s.clusterJSON(ctx)
	if err != nil {
		return nil, err
	}
	out := struct {
		Cluster  clusterJSON  `json:"cluster"`
		Links    linksJSON    `json:"links"`
		Votes    votesJSON    `json:"votes"`
		Standing string       `json:"standing"`
		Faults   []link.Fault `json:"faults"`
		Chaos    bool         `json:"chaos"` // the process takes faults
		Run      *ChaosRun    `json:"run"`   // that is under way; null: none
	}{cluster, s.linksJSON(), s.votesJSON(s.cfg.Cluster.Votes()), string(s.engine.Standing()), []link.Fault{}, s.cfg.Chaos != nil, s.currentRun()}
	if s.cfg.Chaos != nil {
		out.Faults = filled(s.cfg.Chaos.List())
	}
	return out, nil
}
