package client

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Stream is Changes without an end, over one connection: what is committed
// comes at once. It goes on at another node, or at the same one after its
// restart, when its node is gone: events may repeat, none is left out. After an
// error it ends; start again from the last Checkpoint or Cursor.
func (c *Client) Stream(ctx context.Context, options ChangesOptions) iter.Seq2[Change, error] {
	return func(yield func(Change, error) bool) {
		r := &call{method: http.MethodGet, path: "/v1/changes", query: url.Values{"feed": {"ndjson"}}, wait: c.cfg.Wait}
		if options.Collection != "" {
			r.query.Set("c", options.Collection)
		}
		if options.Page > 0 {
			r.query.Set("limit", strconv.Itoa(options.Page))
		}
		since := func(at string) {
			if at != "" {
				r.query.Set("since", at)
			}
		}
		since(options.Since)
		e := &endless{c: c, r: r}
		told := ""
		e.line = func(from string, text []byte) (bool, error) {
			var change struct {
				Change
				Checkpoint string `json:"checkpoint"`
			}
			ended, err := e.read(from, text, &change)
			switch {
			case err != nil || ended:
				return true, err
			case change.Checkpoint == "":
				since(change.Cursor)
				return yield(change.Change, nil), nil
			case change.Checkpoint == told: // a sign of life
				return true, nil
			}
			told = change.Checkpoint
			since(told)
			return yield(Change{Checkpoint: told}, nil), nil
		}
		if err := e.run(ctx); err != nil {
			yield(Change{}, err)
		}
	}
}

// Event is something that happened at a node, as /v1/events tells it. Data is as
// its Event has it: see the route's description.
type Event struct {
	ID    string          `json:"id"`    // to go on behind it; empty: it is a gauge, of which only the newest value counts
	Event string          `json:"event"` // state, gap, write, link, vote, conflict, fault, chaos, standing, log, lag, votes, conflicts, …
	Time  time.Time       `json:"time"`  // the node's wall clock
	Data  json.RawMessage `json:"data"`
}

// errOneNode is the error of a question about one node that might go to any.
var errOneNode = errors.New("events are of one node: ask the client for it by At")

// Events yields what happens at the one node of a client that At gave: first its
// whole state (or, with since, what came after the event with that id), then each
// change, without an end. It goes on when the node is back: after a restart an
// event gap comes, and the whole state. After an error it ends.
func (c *Client) Events(ctx context.Context, since string) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		r := &call{method: http.MethodGet, path: "/v1/events", query: url.Values{"feed": {"ndjson"}}, header: http.Header{}}
		if !c.cfg.Pinned {
			yield(Event{}, &Error{Op: r.op(), Code: Invalid, Err: errOneNode})
			return
		}
		if since != "" {
			r.header.Set("Last-Event-ID", since)
		}
		e := &endless{c: c, r: r}
		e.line = func(from string, text []byte) (bool, error) {
			var event Event
			if ended, err := e.read(from, text, &event); err != nil || ended {
				return true, err
			}
			if event.ID != "" {
				r.header.Set("Last-Event-ID", event.ID)
			}
			if event.Event == "alive" {
				return true, nil
			}
			return yield(event, nil), nil
		}
		if err := e.run(ctx); err != nil {
			yield(Event{}, err)
		}
	}
}
