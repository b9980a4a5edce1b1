package client

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Document is what a node showed of one document.
type Document struct {
	Reply      `json:"-"`
	Collection string          `json:"-"`
	ID         string          `json:"id"`
	Doc        json.RawMessage `json:"doc"`       // the bytes as they were stored
	Dot        string          `json:"dot"`       // of the version shown; empty where the answer does not say (Get, with siblings)
	ETag       string          `json:"etag"`      // with its quotes
	Context    string          `json:"context"`   // hand it back with a write of this document
	Conflicts  int             `json:"conflicts"` // live versions when two or more, else 0
	// ConflictReason says why the value only stands in, of Get: deferred,
	// resolver_failed, resolver_failed_here, resolver_missing; empty: it does not.
	ConflictReason string `json:"-"`
}

// Written is what a node says of a write.
type Written struct {
	Reply     `json:"-"`
	ID        string `json:"id"`
	Dot       string `json:"dot"` // the name of the write
	Ack       string `json:"ack"` // who has it durably: local
	ETag      string `json:"-"`
	Context   string `json:"-"`
	Conflicts int    `json:"-"` // 2 or more: the write stands beside others that its writer had not seen
	Created   bool   `json:"-"` // nothing was live before
}

// PutOptions say what a write depends on. At most one of IfMatch and
// IfNoneMatch is of use; both go with Context.
type PutOptions struct {
	IfMatch     string // an ETag as it came: fails with Precondition when another version is shown
	IfNoneMatch bool   // fails with Precondition when there is a document
	Context     string // of a document that was read: what the writer has seen
	Session     string // as in Options
	NoSession   bool   // as in Options
}

func (o *PutOptions) reading() Options { return Options{Session: o.Session, NoSession: o.NoSession} }

func (o *PutOptions) header(contentType string) http.Header {
	h := http.Header{}
	if contentType != "" {
		h.Set("Content-Type", contentType)
	}
	if o.IfMatch != "" {
		h.Set("If-Match", o.IfMatch)
	}
	if o.IfNoneMatch {
		h.Set("If-None-Match", "*")
	}
	if o.Context != "" {
		h.Set("Causal-Context", o.Context)
	}
	return h
}

// errNoID is the error of a call without an id: its path would be the one of
// the whole collection.
var errNoID = errors.New("the id of a document is not empty")

func collectionPath(collection string) string { return "/v1/docs/" + url.PathEscape(collection) }

// Key names a document.
type Key struct{ Collection, ID string }

func (k Key) path() string { return collectionPath(k.Collection) + "/" + url.PathEscape(k.ID) }

// Get reads a document. One that is not there is an error for which Absent
// holds; its Context is good for a write all the same.
func (c *Client) Get(ctx context.Context, key Key, options Options) (*Document, error) {
	r := &call{method: http.MethodGet, path: key.path(), options: options}
	if key.ID == "" {
		return nil, &Error{Op: r.op(), Code: Invalid, Err: errNoID}
	}
	a, err := c.do(ctx, r)
	if err != nil {
		return nil, err
	}
	d := &Document{
		Reply: a.Reply, Collection: key.Collection, ID: key.ID, Doc: a.body,
		ETag: a.header.Get("ETag"), Context: a.header.Get("Causal-Context"), Conflicts: a.conflicts(),
		ConflictReason: a.header.Get("Conflict-Reason"),
	}
	if tag := strings.Trim(strings.TrimPrefix(d.ETag, "W/"), `"`); !strings.HasPrefix(tag, "s:") {
		d.Dot = tag
	}
	return d, nil
}

// conflicts reads Conflict-Count.
func (a *answer) conflicts() int {
	n, err := strconv.Atoi(a.header.Get("Conflict-Count"))
	if err != nil {
		return 0
	}
	return n
}

// Put writes a document: a JSON object of at most the collection's limit.
// Without options it overwrites what the node shows.
func (c *Client) Put(ctx context.Context, key Key, doc []byte, options PutOptions) (*Written, error) {
	return c.write(ctx, key.ID, options.reading(), &call{
		method: http.MethodPut, path: key.path(), body: doc, header: options.header("application/json"),
	})
}

// Create writes a document under an id of the server's choice.
func (c *Client) Create(ctx context.Context, collection string, doc []byte, options Options) (*Written, error) {
	return c.write(ctx, "new", options, &call{
		method: http.MethodPost, path: collectionPath(collection), body: doc, header: http.Header{"Content-Type": {"application/json"}},
	})
}

// Delete deletes a document. One that is not there is an error for which
// Absent holds.
func (c *Client) Delete(ctx context.Context, key Key, options PutOptions) (*Written, error) {
	return c.write(ctx, key.ID, options.reading(), &call{
		method: http.MethodDelete, path: key.path(), header: options.header(""),
	})
}

// PatchKind is the form of a patch, as its media type.
type PatchKind string

// The forms of a patch.
const (
	MergePatch PatchKind = "application/merge-patch+json" // RFC 7396
	JSONPatch  PatchKind = "application/json-patch+json"  // RFC 6902
)

// Patch is a change of a document that the node applies to what it shows.
type Patch struct {
	Kind PatchKind // empty means MergePatch
	Body []byte
}

// Patch changes a document in one transaction of the node. Members that the
// patch does not name keep their bytes. A merge patch with IfNoneMatch creates.
func (c *Client) Patch(ctx context.Context, key Key, patch Patch, options PutOptions) (*Written, error) {
	if patch.Kind == "" {
		patch.Kind = MergePatch
	}
	return c.write(ctx, key.ID, options.reading(), &call{
		method: http.MethodPatch, path: key.path(), body: patch.Body, header: options.header(string(patch.Kind)),
	})
}

func (c *Client) write(ctx context.Context, id string, options Options, r *call) (*Written, error) {
	r.write, r.options = true, options
	if id == "" {
		return nil, &Error{Op: r.op(), Code: Invalid, Err: errNoID}
	}
	a, err := c.do(ctx, r)
	if err != nil {
		return nil, err
	}
	w := &Written{
		Reply: a.Reply, ETag: a.header.Get("ETag"), Context: a.header.Get("Causal-Context"),
		Conflicts: a.conflicts(), Created: a.Status == http.StatusCreated,
	}
	if err := a.decode(r, w); err != nil {
		return nil, err
	}
	return w, nil
}

// Sibling is one live version of a document.
type Sibling struct {
	Dot     string            `json:"dot"`
	Node    string            `json:"node"` // where it was written
	Time    string            `json:"time"` // RFC 3339, a logical counter in its last digits
	Deleted bool              `json:"deleted"`
	Clock   map[string]uint64 `json:"clock"`           // what its writer had seen, by actor
	Loose   []string          `json:"loose,omitempty"` // dots that its writer had seen beyond Clock; mostly none
	Doc     json.RawMessage   `json:"doc"`             // null for a tombstone
}

// Siblings are the live versions of one document.
type Siblings struct {
	Reply    `json:"-"`
	ETag     string    `json:"etag"`
	Context  string    `json:"context"`
	Siblings []Sibling `json:"siblings"`
}

// Siblings lists the live versions of a document, tombstones too.
func (c *Client) Siblings(ctx context.Context, key Key, options Options) (*Siblings, error) {
	out := &Siblings{}
	var err error
	out.Reply, err = c.getJSON(ctx, &call{path: key.path() + "/siblings", options: options}, out)
	if err != nil {
		return nil, err
	}
	return out, nil
}

// ListOptions say what to list.
type ListOptions struct {
	Options
	Prefix     string // of ids
	Conflicted bool   // only documents with siblings
	Page       int    // documents a request; 0 means the node's default
}

// List yields the documents of a collection, in the order of their ids, page by
// page. After an error it ends.
func (c *Client) List(ctx context.Context, collection string, options ListOptions) iter.Seq2[*Document, error] {
	query := url.Values{}
	if options.Prefix != "" {
		query.Set("prefix", options.Prefix)
	}
	if options.Conflicted {
		query.Set("conflicted", "true")
	}
	if options.Page > 0 {
		query.Set("limit", strconv.Itoa(options.Page))
	}
	return inPages(query, func(query url.Values) ([]Document, string, error) {
		var page struct {
			Documents []Document `json:"documents"`
			Next      string     `json:"next"`
		}
		reply, err := c.getJSON(ctx, &call{path: collectionPath(collection), query: query, options: options.Options}, &page)
		for i := range page.Documents {
			page.Documents[i].Reply, page.Documents[i].Collection = reply, collection
		}
		return page.Documents, page.Next, err
	})
}
