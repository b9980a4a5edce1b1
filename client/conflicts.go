package client

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"strconv"
)

// States of a conflict.
const (
	ConflictOpen     = "open"     // its siblings are live
	ConflictSettled  = "settled"  // it has ended, and is on record
	ConflictReviewed = "reviewed" // somebody has looked at the record
)

// Conflict is a document that several writers have changed without having seen
// each other, or the record of one that has ended.
type Conflict struct {
	Reply      `json:"-"`
	ID         string         `json:"id"` // the same on every node
	State      string         `json:"state"`
	By         string         `json:"by"` // who has ended it: policy, script, person, overwritten; empty: it is open
	Collection string         `json:"collection"`
	DocID      string         `json:"doc_id"`
	Siblings   []ConflictSide `json:"siblings"` // by time and actor, the newest last
	Policy     struct {
		Kind     string `json:"kind"`
		Version  string `json:"version"` // dot of the configuration; empty: there was none
		Resolver string `json:"resolver"`
		// ResolverVersion names the source that is asked, or was.
		ResolverVersion string `json:"resolver_version"`
	} `json:"policy"`
	Reason string `json:"reason"` // in words
	// OpenReason says why an open one waits for a person: deferred,
	// resolver_failed, resolver_failed_here, resolver_missing, or of a merge blind,
	// before_policy, too_large, damaged; empty: it does not, or its policy is manual.
	OpenReason string       `json:"open_reason"`
	Run        *ConflictRun `json:"run"` // what the resolver left; nil: none was asked
	Who        string       `json:"who"`
	At         string       `json:"at"` // when it ended; RFC 3339, a logical counter in its last digits
	LostCount  int          `json:"lost_count"`
	Episode    string       `json:"episode"` // empty: it is in none

	// What a list leaves out.
	Base      json.RawMessage `json:"base"` // null: not known
	BaseExact bool            `json:"base_exact"`
	// Sums are, by JSON pointer, what all writes together made of the numbers that
	// the collection adds up.
	Sums   map[string]string `json:"sums"`
	Shown  *ConflictValue    `json:"shown"`  // what is shown, or was as long as it was open
	Result *ConflictValue    `json:"result"` // what ended it; nil: it is open
	Lost   []LostMember      `json:"lost"`
	Trace  []ConflictStep    `json:"trace"` // what people did with the record
	// ETag is of the document as it is now, with its quotes: Decision.IfMatch.
	ETag string `json:"-"`
}

// ConflictSide is one sibling of a conflict.
type ConflictSide struct {
	Dot     string            `json:"dot"`
	Node    string            `json:"node"` // where it was written
	Time    string            `json:"time"` // RFC 3339, a logical counter in its last digits
	Deleted bool              `json:"deleted"`
	Hidden  bool              `json:"hidden"`          // another attempt of a write that is there too
	Size    int               `json:"size"`            // bytes of the body
	Clock   map[string]uint64 `json:"clock"`           // what its writer had seen, by actor; nil: not on record
	Loose   []string          `json:"loose,omitempty"` // dots that its writer had seen beyond Clock; mostly none
	Doc     json.RawMessage   `json:"doc"`             // null: a tombstone, or not kept; absent in lists
}

// ConflictValue is a value, and the version that it is of.
type ConflictValue struct {
	Dot     string          `json:"dot"` // empty: no one version has it
	Deleted bool            `json:"deleted"`
	Doc     json.RawMessage `json:"doc"` // null: a tombstone, or not known any more
}

// LostMember is a member of a sibling that the result does not have as it was.
type LostMember struct {
	Dot   string          `json:"dot"`
	Path  string          `json:"path"`  // JSON pointer; empty: all of the document
	Value json.RawMessage `json:"value"` // null where the sibling has no such member, too
	Delta string          `json:"delta"` // of numbers: the sibling's less the result's, exactly; empty: no numbers
	// Change is, of numbers, what the sibling's writer had added to what the
	// siblings come from; empty: not known for certain.
	Change string `json:"change"`
}

// ConflictStep is what somebody did with a record.
type ConflictStep struct {
	Action string `json:"action"` // restore, revert, review
	Dot    string `json:"dot"`    // whose value came back; empty: none did
	Who    string `json:"who"`
	At     string `json:"at"`
}

// ConflictsOptions say which conflicts are asked for.
type ConflictsOptions struct {
	Options
	State      string // empty: the open ones, or with By or Episode the settled ones
	By         string // who has ended it; empty: anybody
	Episode    string // only records of this group; empty: all
	Collection string // empty: all
	Page       int    // conflicts a request; 0 means the node's default
}

// ConflictCounts count all conflicts of a node.
type ConflictCounts struct {
	Open    int64 `json:"open"`
	Records int64 `json:"records"` // settled and reviewed
}

const conflictsPath = "/v1/conflicts"

func (o *ConflictsOptions) query() url.Values {
	query := url.Values{}
	for name, value := range map[string]string{"state": o.State, "by": o.By, "c": o.Collection, "episode": o.Episode} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if o.Page > 0 {
		query.Set("limit", strconv.Itoa(o.Page))
	}
	return query
}

// Conflicts yields conflicts without the bodies of their siblings: the open ones
// by collection and id, records by their id. After an error it ends.
func (c *Client) Conflicts(ctx context.Context, options ConflictsOptions) iter.Seq2[*Conflict, error] {
	return inPages(options.query(), func(query url.Values) ([]Conflict, string, error) {
		var page struct {
			Conflicts []Conflict `json:"conflicts"`
			Next      string     `json:"next"`
		}
		reply, err := c.getJSON(ctx, &call{path: conflictsPath, query: query, options: options.Options}, &page)
		for i := range page.Conflicts {
			page.Conflicts[i].Reply = reply
		}
		return page.Conflicts, page.Next, err
	})
}

// ConflictCounts counts the conflicts of the node that answers.
func (c *Client) ConflictCounts(ctx context.Context, options Options) (ConflictCounts, error) {
	var page struct {
		Meta ConflictCounts `json:"meta"`
	}
	_, err := c.getJSON(ctx, &call{path: conflictsPath, query: url.Values{"limit": {"1"}}, options: options}, &page)
	return page.Meta, err
}

// errNoConflict is the error of a call without an id.
var errNoConflict = errors.New("the id of a conflict is not empty")

func conflictPath(id, action string) string { return conflictsPath + "/" + url.PathEscape(id) + action }

// Conflict reads one conflict with all that explains it. An id whose document
// has other siblings by now fails with ConflictChanged, and Error.Conflict is
// the new one.
func (c *Client) Conflict(ctx context.Context, id string, options Options) (*Conflict, error) {
	r := &call{method: http.MethodGet, path: conflictPath(id, ""), options: options}
	if id == "" {
		return nil, &Error{Op: r.op(), Code: Invalid, Err: errNoConflict}
	}
	a, err := c.do(ctx, r)
	if err != nil {
		return nil, err
	}
	out := &Conflict{Reply: a.Reply, ETag: a.header.Get("ETag")}
	if err := a.decode(r, out); err != nil {
		return nil, err
	}
	return out, nil
}

// Guard says what a decision about a conflict depends on.
type Guard struct {
	Options
	IfMatch string // an ETag as it came: fails with Precondition when the document shows another version
}

// Resolution ends an open conflict. Exactly one of Pick, Doc, Delete and Resolver
// is given.
type Resolution struct {
	Guard
	Pick     string // dot of the sibling whose value it shall be
	Doc      []byte // another value: a JSON object
	Delete   bool
	Resolver string // name of the stored resolver that shall decide; fails with ResolverFailed when it does not
	Reason   string // in words, for the record
}

// body is the resolution as the API has it. The document keeps its bytes.
func (r *Resolution) body() []byte {
	b := []byte{'{'}
	if r.Pick != "" {
		b = append(append(append(b, `"pick":`...), text(r.Pick)...), ',')
	}
	if len(r.Doc) > 0 {
		b = append(append(append(b, `"doc":`...), r.Doc...), ',')
	}
	if r.Delete {
		b = append(b, `"delete":true,`...)
	}
	if r.Resolver != "" {
		b = append(append(append(b, `"resolver":`...), text(r.Resolver)...), ',')
	}
	return append(append(append(b, `"reason":`...), text(r.Reason)...), '}')
}

// Decided is what a node says of a decision about a conflict.
type Decided struct {
	Reply      `json:"-"`
	Conflict   string `json:"conflict"` // names the record
	Collection string `json:"collection"`
	ID         string `json:"id"`  // of the document
	Dot        string `json:"dot"` // of the version that was written; of Review, the record's
	Ack        string `json:"ack"`
	ETag       string `json:"-"` // of the document as it is now
	Context    string `json:"-"`
	Conflicts  int    `json:"-"` // 2 or more: others came meanwhile
}

// Resolve ends an open conflict. It fails with ConflictChanged when the document
// has other siblings by now, or when the conflict has ended.
func (c *Client) Resolve(ctx context.Context, id string, resolution Resolution) (*Decided, error) {
	return c.decide(ctx, decision{id, "/resolve", resolution.Guard, resolution.body()})
}

// Restore brings the value of one sibling of a record back, over what the
// document shows now.
func (c *Client) Restore(ctx context.Context, id, dot string, guard Guard) (*Decided, error) {
	return c.decide(ctx, decision{id, "/restore", guard, append(append([]byte(`{"dot":`), text(dot)...), '}')})
}

// Revert takes the result of a policy back: the value comes back that time and
// actor alone would show.
func (c *Client) Revert(ctx context.Context, id string, guard Guard) (*Decided, error) {
	return c.decide(ctx, decision{id, "/revert", guard, nil})
}

// Review notes on a record that somebody has looked at it.
func (c *Client) Review(ctx context.Context, id string, guard Guard) (*Decided, error) {
	return c.decide(ctx, decision{id, "/review", guard, nil})
}

// decision is a call about one conflict that changes something.
type decision struct {
	id, action string
	guard      Guard
	body       []byte
}

func (c *Client) decide(ctx context.Context, d decision) (*Decided, error) {
	put := PutOptions{IfMatch: d.guard.IfMatch}
	r := &call{
		method: http.MethodPost, path: conflictPath(d.id, d.action), body: d.body, write: true,
		options: d.guard.Options, header: put.header("application/json"),
	}
	if d.id == "" {
		return nil, &Error{Op: r.op(), Code: Invalid, Err: errNoConflict}
	}
	a, err := c.do(ctx, r)
	if err != nil {
		return nil, err
	}
	out := &Decided{Reply: a.Reply, ETag: a.header.Get("ETag"), Context: a.header.Get("Causal-Context"), Conflicts: a.conflicts()}
	if err := a.decode(r, out); err != nil {
		return nil, err
	}
	return out, nil
}
