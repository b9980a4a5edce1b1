package client

import (
	"context"
	"encoding/json"
	"iter"
	"net/url"
	"strconv"
	"time"
)

// defaultPoll is how long one long poll waits for news.
const defaultPoll = 30 * time.Second

// Change is one event of the changes feed, or a checkpoint. Doc, ETag, Deleted
// and Conflicts are what the document showed when the feed was read, so whoever
// stores Doc under ID is right.
type Change struct {
	// Checkpoint, when it is not empty, is all that is set: everything before it
	// has been seen. It is valid on any node.
	Checkpoint string `json:"-"`

	Cursor     string          `json:"cursor"` // a place between two checkpoints; on another node it goes back to the one before
	Collection string          `json:"collection"`
	ID         string          `json:"id"`
	Dot        string          `json:"dot"`
	Time       string          `json:"time"` // RFC 3339, a logical counter in its last digits
	Deleted    bool            `json:"deleted"`
	ETag       string          `json:"etag"`
	Context    string          `json:"context"`
	Conflicts  int             `json:"conflicts"`
	Settles    json.RawMessage `json:"settles"` // the record of the conflict that it settled, or null
	Doc        json.RawMessage `json:"doc"`     // null for a tombstone
}

// ChangesOptions say what to follow, and from where.
type ChangesOptions struct {
	Collection string        // empty: all but the system's
	Since      string        // a checkpoint or cursor; empty: from the beginning
	Page       int           // events a request; 0 means the node's default
	Follow     bool          // wait for what comes; else end at the present
	Poll       time.Duration // how long one request waits with Follow, in whole seconds, at most MaxWait; 0 means 30 s
}

// Changes yields the changes feed: one event for each live version that the
// cursor does not have, and a checkpoint where all before it was seen. It goes
// on at another node when one is gone: events may repeat, none is left out.
// After an error it ends; start again from the last Checkpoint or Cursor.
func (c *Client) Changes(ctx context.Context, options ChangesOptions) iter.Seq2[Change, error] {
	return func(yield func(Change, error) bool) {
		f := feed{c: c, options: options, since: options.Since}
		for {
			page, err := f.page(ctx)
			if err != nil {
				yield(Change{}, err)
				return
			}
			for _, change := range page.Events {
				if !yield(change, nil) {
					return
				}
			}
			if page.Checkpoint == "" {
				f.since = page.Next
				continue
			}
			if page.Checkpoint != f.since || !f.present { // not again while nothing happens
				if !yield(Change{Checkpoint: page.Checkpoint}, nil) {
					return
				}
			}
			f.since, f.present = page.Checkpoint, true
			if !options.Follow {
				return
			}
		}
	}
}

// feed is one reader's place in the changes feed.
type feed struct {
	c       *Client
	options ChangesOptions
	since   string
	present bool // everything that was there has been seen once
}

type changesPage struct {
	Events     []Change `json:"events"`
	Checkpoint string   `json:"checkpoint"` // empty (null): there is more
	Next       string   `json:"next"`
}

// page reads one page; once the reader has reached the present, it waits for
// the next event.
func (f *feed) page(ctx context.Context) (*changesPage, error) {
	r := &call{path: "/v1/changes", query: url.Values{"feed": {"page"}}, alone: true, wait: f.c.cfg.Wait}
	if f.present {
		r.query.Set("feed", "longpoll")
		r.wait = min(f.options.Poll, MaxWait)
		if r.wait < time.Second {
			r.wait = defaultPoll
		}
	}
	if f.options.Collection != "" {
		r.query.Set("c", f.options.Collection)
	}
	if f.since != "" {
		r.query.Set("since", f.since)
	}
	if f.options.Page > 0 {
		r.query.Set("limit", strconv.Itoa(f.options.Page))
	}
	page := &changesPage{}
	if _, err := f.c.getJSON(ctx, r, page); err != nil {
		return nil, err
	}
	return page, nil
}
