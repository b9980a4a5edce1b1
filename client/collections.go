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

// Kinds of policies: how a collection's conflicts are shown and settled.
const (
	PolicyLWW    = "lww"    // the newest, or the largest by a number of the document
	PolicyMerge  = "merge"  // field by field
	PolicyScript = "script" // as a resolver says
	PolicyManual = "manual" // a person decides
)

// Policy says how conflicts of a collection are shown.
type Policy struct {
	Kind     string          `json:"kind"`
	Path     string          `json:"path,omitempty"`     // lww: JSON pointer of a number
	Rules    json.RawMessage `json:"rules,omitempty"`    // by JSON pointer; see API, collections
	Default  string          `json:"default,omitempty"`  // merge
	Resolver string          `json:"resolver,omitempty"` // script
}

// Collection is a collection: the configuration that is in force, and what it
// has.
type Collection struct {
	Reply          `json:"-"`
	Name           string `json:"name"`
	Policy         Policy `json:"policy"`
	Ack            string `json:"ack"`
	Minority       string `json:"minority"`
	RequireContext bool   `json:"require_context"`
	Delete         string `json:"delete"`  // lww, update_wins, delete_wins
	History        string `json:"history"` // how long covered versions are kept
	Records        string `json:"records"` // how long records of conflicts are kept
	Limits         struct {
		Body int `json:"body"` // bytes of a document
	} `json:"limits"`
	Dot        string `json:"dot"`  // of the configuration; empty: nobody configured it, and the defaults are in force
	ETag       string `json:"etag"` // of the configuration, with its quotes; empty as Dot is
	Documents  int64  `json:"documents"`
	Tombstones int64  `json:"tombstones"`
	Conflicts  int64  `json:"conflicts"`
}

func (v *Collection) setReply(r Reply) { v.Reply = r }

const collectionsPath = "/v1/collections"

// Collections yields the collections that have documents or a configuration, in
// the order of their names. After an error it ends.
func (c *Client) Collections(ctx context.Context, options ListOptions) iter.Seq2[*Collection, error] {
	query := url.Values{}
	if options.Prefix != "" {
		query.Set("prefix", options.Prefix)
	}
	if options.Page > 0 {
		query.Set("limit", strconv.Itoa(options.Page))
	}
	return inPages(query, func(query url.Values) ([]Collection, string, error) {
		var page struct {
			Collections []Collection `json:"collections"`
			Next        string       `json:"next"`
		}
		reply, err := c.getJSON(ctx, &call{path: collectionsPath, query: query, options: options.Options}, &page)
		for i := range page.Collections {
			page.Collections[i].Reply = reply
		}
		return page.Collections, page.Next, err
	})
}

// Collection reads one collection. Of one that nobody has named before the
// defaults are in force, which is no error.
func (c *Client) Collection(ctx context.Context, name string, options Options) (*Collection, error) {
	r := &call{path: collectionsPath + "/" + url.PathEscape(name), options: options}
	if name == "" {
		return nil, &Error{Op: http.MethodGet + " " + r.path, Code: Invalid, Err: errNoCollection}
	}
	return read[Collection](ctx, c, r)
}

// errNoCollection is the error of a call without a name: its path would be that
// of all collections.
var errNoCollection = errors.New("the name of a collection is not empty")

// Configuration is a change of a collection's configuration: all of it, or what
// a patch says of it.
type Configuration struct {
	// Whole is all of it, as JSON; what it does not say has its default. Empty
	// means Patch.
	Whole []byte
	Patch Patch
	// IfMatch is the ETag of the configuration that is changed, as it came; it
	// fails with Precondition when another one is in force. IfNoneMatch fails so
	// when there is one. Context is of no use here.
	PutOptions
}

// Configure changes a collection's configuration, where writes are accepted, and
// returns what is in force then.
func (c *Client) Configure(ctx context.Context, name string, change Configuration) (*Collection, error) {
	r := &call{path: collectionsPath + "/" + url.PathEscape(name), write: true, options: change.reading()}
	if len(change.Whole) > 0 {
		r.method, r.body, r.header = http.MethodPut, change.Whole, change.header("application/json")
	} else {
		kind := change.Patch.Kind
		if kind == "" {
			kind = MergePatch
		}
		r.method, r.body, r.header = http.MethodPatch, change.Patch.Body, change.header(string(kind))
	}
	if name == "" {
		return nil, &Error{Op: r.op(), Code: Invalid, Err: errNoCollection}
	}
	a, err := c.do(ctx, r)
	if err != nil {
		return nil, err
	}
	out := &Collection{Reply: a.Reply}
	if err := a.decode(r, out); err != nil {
		return nil, err
	}
	return out, nil
}

// Unconfigure goes back to the defaults. It fails with NotEmpty while the
// collection has documents, and with NotFound where there is no configuration.
func (c *Client) Unconfigure(ctx context.Context, name string, options PutOptions) error {
	r := &call{
		method: http.MethodDelete, path: collectionsPath + "/" + url.PathEscape(name), write: true,
		options: options.reading(), header: options.header(""),
	}
	if name == "" {
		return &Error{Op: r.op(), Code: Invalid, Err: errNoCollection}
	}
	_, err := c.do(ctx, r)
	return err
}
