package client

import (
	"context"
	"iter"
	"net/url"
	"strconv"
	"time"
)

// Past is one change of a node's state, as /v1/timeline has it. What a kind does
// not use is empty.
type Past struct {
	Time    time.Time  `json:"time"`
	Kind    string     `json:"kind"` // process, write, standing, link, fault, conflicts, dropped
	State   string     `json:"state"`
	Cause   string     `json:"cause"`
	From    string     `json:"from"` // of a link or a fault
	To      string     `json:"to"`
	ID      string     `json:"id"`    // of a fault
	Fault   string     `json:"fault"` // its kind
	Both    bool       `json:"both"`
	Until   *time.Time `json:"until"`
	Opened  int        `json:"opened"` // conflicts, within the second that begins at Time
	Settled int        `json:"settled"`
	Count   int        `json:"count"` // of entries that were too many to keep
	Alive   *time.Time `json:"alive"` // process started: the last sign of life of the one before
}

// Blank is a time of which a node knows nothing.
type Blank struct {
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
	Cause string    `json:"cause"`
}

// Timeline is what became of a node's state.
type Timeline struct {
	Reply   `json:"-"`
	Name    string    `json:"node"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Before  []Past    `json:"before"` // what was in force at From
	Entries []Past    `json:"entries"`
	Unknown []Blank   `json:"unknown"`
}

// Timeline reads all changes of a node's state between two instants; use At to
// ask a certain node. It is kept for the last hour at least.
func (c *Client) Timeline(ctx context.Context, from, to time.Time) (*Timeline, error) {
	query := url.Values{"from": {from.UTC().Format(time.RFC3339Nano)}, "to": {to.UTC().Format(time.RFC3339Nano)}}
	var whole *Timeline
	for {
		var page struct {
			Timeline
			Next string `json:"next"`
		}
		reply, err := c.getJSON(ctx, &call{path: "/v1/timeline", query: query, alone: true}, &page)
		if err != nil {
			return nil, err
		}
		if whole == nil {
			whole = &page.Timeline
			whole.Reply = reply
		} else {
			whole.Entries = append(whole.Entries, page.Entries...)
		}
		if page.Next == "" {
			return whole, nil
		}
		query.Set("cursor", page.Next)
	}
}

// Copy is one document as one node has it.
type Copy struct {
	ETag    string   `json:"etag"`
	Dots    []string `json:"dots"` // of the live versions
	Deleted bool     `json:"deleted"`
}

// KeyDifference is a document that two nodes do not have alike. A side that has
// nothing of it is nil.
type KeyDifference struct {
	Collection string `json:"collection"`
	ID         string `json:"id"`
	Here       *Copy  `json:"here"` // of the node that was asked
	There      *Copy  `json:"there"`
}

// DifferencesOptions say what to compare.
type DifferencesOptions struct {
	With       string // name of the other data node
	Collection string // empty: all but the system's
	Page       int    // documents a request; 0 means the node's default
}

// Differences yields the documents that differ right now between the node that
// answers and another; use At to ask a certain one. After an error it ends.
func (c *Client) Differences(ctx context.Context, options DifferencesOptions) iter.Seq2[KeyDifference, error] {
	return func(yield func(KeyDifference, error) bool) {
		query := url.Values{"node": {options.With}}
		if options.Collection != "" {
			query.Set("c", options.Collection)
		}
		if options.Page > 0 {
			query.Set("limit", strconv.Itoa(options.Page))
		}
		for {
			var page struct {
				Documents []KeyDifference `json:"documents"`
				Next      string          `json:"next"`
			}
			_, err := c.getJSON(ctx, &call{path: "/v1/cluster/divergence/keys", query: query, alone: true}, &page)
			if err != nil {
				yield(KeyDifference{}, err)
				return
			}
			for _, d := range page.Documents {
				if !yield(d, nil) {
					return
				}
			}
			if page.Next == "" {
				return
			}
			query.Set("cursor", page.Next)
		}
	}
}
