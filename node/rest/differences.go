package rest

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// Differences finds documents that differ between this node and another, which
// it asks. *replica.Replicator is one. Its errors are node.Errors; any other
// says that the other node did not answer.
type Differences interface {
	Differences(context.Context, node.DifferenceQuery) (node.DifferencePage, error)
}

// silentError says since when a node does not answer.
type silentError struct {
	err   error
	since time.Time // zero: it answers ballots, and did not answer this
}

func (e *silentError) Error() string { return e.err.Error() }
func (e *silentError) Unwrap() error { return e.err }

// copyJSON is one document as one node has it.
type copyJSON struct {
	ETag    string       `json:"etag"`
	Dots    []vclock.Dot `json:"dots"`
	Deleted bool         `json:"deleted"`
}

func showCopy(c *node.Copy) *copyJSON {
	if c == nil {
		return nil
	}
	return &copyJSON{ETag: `"` + c.Tag + `"`, Dots: filled(c.Dots), Deleted: c.Deleted}
}

type differenceJSON struct {
	Collection conflict.Collection `json:"collection"`
	ID         conflict.DocID      `json:"id"`
	Here       *copyJSON           `json:"here"` // null: this node has nothing of it
	There      *copyJSON           `json:"there"`
}

// getDifferences answers which documents differ right now.
func (s *Server) getDifferences(c echo.Context) error {
	r := c.Request()
	if err := acceptable(r, typeJSON); err != nil {
		return err
	}
	q, err := differenceQuery(r)
	if err != nil {
		return err
	}
	if s.cfg.Differences == nil {
		return notBuilt("this process has no way to ask other nodes what they have")
	}
	page, err := s.cfg.Differences.Differences(r.Context(), q)
	if err != nil {
		return s.silent(q.Node, err)
	}
	list := make([]differenceJSON, 0, len(page.Differences))
	for _, d := range page.Differences {
		list = append(list, differenceJSON{d.Key.Collection, d.Key.ID, showCopy(d.Here), showCopy(d.There)})
	}
	out := struct {
		Node      string           `json:"node"`
		With      string           `json:"with"`
		Documents []differenceJSON `json:"documents"`
		Next      *string          `json:"next"`
	}{Node: s.cfg.Node, With: q.Node, Documents: list}
	if page.Next != "" {
		out.Next = &page.Next
	}
	return replyJSON(c.Response(), http.StatusOK, out)
}

func differenceQuery(r *http.Request) (out node.DifferenceQuery, err error) {
	q, err := readQuery(r)
	if err != nil {
		return out, err
	}
	if out.Node, err = q.text("node"); err != nil {
		return out, err
	}
	if out.Node == "" {
		return out, badRequest("parameter node is missing: name the data node to compare with")
	}
	if out.Collection, err = q.collection(); err != nil {
		return out, err
	}
	if out.Limit, err = q.limit(); err != nil {
		return out, err
	}
	out.Cursor, err = q.text("cursor")
	return out, err
}

// silent makes the error of a node that did not answer say since when it does
// not. An error of this node's own stays as it is.
func (s *Server) silent(name string, err error) error {
	if _, own := errors.AsType[*node.Error](err); own {
		return err
	}
	out := &silentError{err: &node.Error{Op: "compare", Kind: PeerSilent, Key: name, Err: err}}
	for _, p := range s.cfg.Cluster.Status().Peers {
		if p.Name == name && !p.Reachable {
			out.since = p.Since
		}
	}
	return out
}
