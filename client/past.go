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

// errNoDot is the error of a call about a version that names none.
var errNoDot = errors.New("the dot of a version is not empty")

// GetVersion reads one version of a document, live or old. Its ETag and Context
// are the version's; its Conflicts are the document's. One that the node has
// nowhere is an error with NotFound, and one that is a deletion with Deleted.
func (c *Client) GetVersion(ctx context.Context, key Key, dot string, options Options) (*Document, error) {
	r := &call{method: http.MethodGet, path: key.path(), query: url.Values{"dot": {dot}}, options: options}
	switch {
	case key.ID == "":
		return nil, &Error{Op: r.op(), Code: Invalid, Err: errNoID}
	case dot == "":
		return nil, &Error{Op: r.op(), Code: Invalid, Err: errNoDot}
	}
	a, err := c.do(ctx, r)
	if err != nil {
		return nil, err
	}
	return &Document{
		Reply: a.Reply, Collection: key.Collection, ID: key.ID, Doc: a.body, Dot: dot,
		ETag: a.header.Get("ETag"), Context: a.header.Get("Causal-Context"), Conflicts: a.conflicts(),
	}, nil
}

// PastVersion is one version of a document's history.
type PastVersion struct {
	Dot       string            `json:"dot"`
	Node      string            `json:"node"` // where it was written
	Time      string            `json:"time"` // RFC 3339, a logical counter in its last digits
	Deleted   bool              `json:"deleted"`
	Hidden    bool              `json:"hidden"` // of a live one: another attempt of a write that is live too
	Size      int               `json:"size"`   // bytes of the body
	Clock     map[string]uint64 `json:"clock"`  // what its writer had seen, by actor
	Loose     []string          `json:"loose,omitempty"`
	Live      bool              `json:"live"`
	CoveredBy string            `json:"covered_by,omitempty"` // empty: it is live
	CoveredAt string            `json:"covered_at,omitempty"` // by the node's own clock
	Record    string            `json:"record,omitempty"`     // a conflict on record in which it was a sibling; empty: none
}

// HistoryPage is one page of what a node has seen of a document.
type HistoryPage struct {
	Reply    `json:"-"`
	Complete bool          `json:"complete"` // no clock of these versions names one that the node does not have
	Versions []PastVersion `json:"versions"` // the newest first
	Missing  []string      `json:"missing"`  // those that a clock names and the node does not have
	Next     string        `json:"next"`     // empty: it is the last
}

// HistoryOptions say how much is asked for at once.
type HistoryOptions struct {
	Options
	Page int // old versions a request; 0 means the node's default
}

// History yields what a node has seen of a document, page by page: the live
// versions first, then those that were covered, the last first. After an error it
// ends; each node has a history of its own, so that a page of another one is an
// error with BadCursor.
func (c *Client) History(ctx context.Context, key Key, options HistoryOptions) iter.Seq2[*HistoryPage, error] {
	return func(yield func(*HistoryPage, error) bool) {
		query := url.Values{}
		if options.Page > 0 {
			query.Set("limit", strconv.Itoa(options.Page))
		}
		if key.ID == "" {
			yield(nil, &Error{Op: "GET " + key.path() + "/history", Code: Invalid, Err: errNoID})
			return
		}
		for {
			page := &HistoryPage{}
			var err error
			page.Reply, err = c.getJSON(ctx, &call{path: key.path() + "/history", query: query, options: options.Options}, page)
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(page, nil) || page.Next == "" {
				return
			}
			query.Set("cursor", page.Next)
		}
	}
}

// Explanation says why a document shows what it shows.
type Explanation struct {
	Reply     `json:"-"`
	ETag      string `json:"etag"`
	Context   string `json:"context"`
	Conflicts int    `json:"conflicts"`
	Conflict  string `json:"conflict"` // its id; empty: it is in none
	Policy    struct {
		Kind     string `json:"kind"`
		Version  string `json:"version"` // dot of the configuration; empty: there is none
		Resolver string `json:"resolver"`
	} `json:"policy"`
	Shown struct {
		Dot     string `json:"dot"` // empty: no one version has the value
		Deleted bool   `json:"deleted"`
	} `json:"shown"`
	Reason   string             `json:"reason"` // in words
	Waits    string             `json:"waits"`  // what the conflict waits for, in words; empty: there is none
	Stable   bool               `json:"stable"` // every data node is known to have all live versions
	WaitsFor []Misser           `json:"waits_for"`
	Siblings []ExplainedSibling `json:"siblings"` // by time and actor, the newest last
	LostMore int                `json:"lost_more"`
}

// Misser is a data node that may lack versions.
type Misser struct {
	Node  string   `json:"node"`
	Lacks []string `json:"lacks"`
}

// ExplainedSibling is one live version, and what of it is not shown.
type ExplainedSibling struct {
	Dot     string            `json:"dot"`
	Node    string            `json:"node"`
	Time    string            `json:"time"`
	Deleted bool              `json:"deleted"`
	Hidden  bool              `json:"hidden"`
	Size    int               `json:"size"`
	Clock   map[string]uint64 `json:"clock"`
	Loose   []string          `json:"loose,omitempty"`
	Stable  bool              `json:"stable"`
	Lost    []LostMember      `json:"lost"`
}

// Explain asks why a document shows what it shows.
func (c *Client) Explain(ctx context.Context, key Key, options Options) (*Explanation, error) {
	out := &Explanation{}
	r := &call{path: key.path() + "/explain", options: options}
	if key.ID == "" {
		return nil, &Error{Op: "GET " + r.path, Code: Invalid, Err: errNoID}
	}
	var err error
	if out.Reply, err = c.getJSON(ctx, r, out); err != nil {
		return nil, err
	}
	return out, nil
}

// RestoreVersion writes a version that is equal to an old one of the document.
// One that the node has nowhere is an error with NotFound.
func (c *Client) RestoreVersion(ctx context.Context, key Key, dot string, options PutOptions) (*Written, error) {
	r := &call{
		method: http.MethodPost, path: key.path() + "/restore", header: options.header("application/json"),
		body: append(append([]byte(`{"dot":`), text(dot)...), '}'),
	}
	if dot == "" {
		return nil, &Error{Op: r.op(), Code: Invalid, Err: errNoDot}
	}
	return c.write(ctx, key.ID, options.reading(), r)
}

// Ops are intents: what shall become of members, whatever they are. The keys are
// JSON pointers.
type Ops struct {
	Inc      map[string]json.Number       `json:"inc,omitempty"`        // adds, exactly
	Append   map[string][]json.RawMessage `json:"append,omitempty"`     // puts elements at the end
	AddToSet map[string][]json.RawMessage `json:"add_to_set,omitempty"` // puts those there that no element equals
	Remove   map[string][]json.RawMessage `json:"remove,omitempty"`     // takes all out that equal one
}

// Ops carries out intents in one transaction of the node, on the value that it
// shows. With IfNoneMatch it creates. One that does not fit what is there is an
// error with PatchFailed.
func (c *Client) Ops(ctx context.Context, key Key, ops Ops, options PutOptions) (*Written, error) {
	r := &call{method: http.MethodPost, path: key.path() + "/ops", header: options.header("application/json")}
	var err error
	if r.body, err = json.Marshal(ops); err != nil {
		return nil, &Error{Op: r.op(), Code: Invalid, Err: err}
	}
	return c.write(ctx, key.ID, options.reading(), r)
}

// Versions are two versions of a document by their dots. To is empty for what is
// shown.
type Versions struct{ From, To string }

// Difference says how two versions of a document differ.
type Difference struct {
	Reply   `json:"-"`
	From    string         `json:"from"`
	To      string         `json:"to"` // empty: the value shown, which no one version has
	Changes []MemberChange `json:"changes"`
	More    bool           `json:"more"` // there are more than are listed
}

// MemberChange is one place where two documents differ.
type MemberChange struct {
	Path   string          `json:"path"`             // JSON pointer; empty: all of the document
	Before json.RawMessage `json:"before,omitempty"` // nil: there was nothing
	After  json.RawMessage `json:"after,omitempty"`  // nil: there is nothing
}

// Diff asks how two versions of a document differ.
func (c *Client) Diff(ctx context.Context, key Key, versions Versions, options Options) (*Difference, error) {
	out := &Difference{}
	r := &call{path: key.path() + "/history", query: url.Values{"diff": {versions.From + ".." + versions.To}}, options: options}
	switch {
	case key.ID == "":
		return nil, &Error{Op: "GET " + r.path, Code: Invalid, Err: errNoID}
	case versions.From == "":
		return nil, &Error{Op: "GET " + r.path, Code: Invalid, Err: errNoDot}
	}
	var err error
	if out.Reply, err = c.getJSON(ctx, r, out); err != nil {
		return nil, err
	}
	return out, nil
}
