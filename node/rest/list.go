package rest

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
)

// listDocuments answers one page of a collection, in the order of the ids.
func (s *Server) listDocuments(c echo.Context) error {
	r := c.Request()
	name, err := collection(c)
	if err != nil {
		return err
	}
	query, err := listQuery(r)
	if err != nil {
		return err
	}
	query.Collection = name
	if err := s.freshJSON(c); err != nil {
		return err
	}
	list, err := s.engine.List(r.Context(), query)
	if err != nil {
		return err
	}
	h := c.Response().Header()
	h[headCache] = valueNoCache
	s.setSession(h, list.Frontier, loose(&list))
	return reply(c.Response(), http.StatusOK, valueJSON, s.listJSON(&list))
}

// loose are the versions of a page that its frontier does not have yet.
func loose(list *node.List) conflict.Siblings {
	var out conflict.Siblings
	for i := range list.Documents {
		for _, v := range list.Documents[i].Live {
			if !list.Frontier.Covers(v.Dot) {
				out = append(out, v)
			}
		}
	}
	return out
}

func listQuery(r *http.Request) (node.ListQuery, error) {
	var out node.ListQuery
	q, err := readQuery(r)
	if err != nil {
		return out, err
	}
	if out.Limit, err = q.limit(); err != nil {
		return out, err
	}
	if out.Cursor, err = q.text("cursor"); err != nil {
		return out, err
	}
	if out.Prefix, err = q.text("prefix"); err != nil {
		return out, err
	}
	out.Conflicted, err = q.flag("conflicted")
	return out, err
}

func (s *Server) listJSON(list *node.List) []byte {
	b := []byte(`{"documents":[`)
	for i := range list.Documents {
		d := &list.Documents[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(append(b, `{"id":`...), string(d.Key.ID))
		b = append(b, `,"dot":`...)
		if d.Shown.Winner != nil {
			b = appendText(b, d.Shown.Winner.Dot.String())
		} else {
			b = append(b, "null"...) // a resolver's value is no one version's
		}
		b = s.appendShown(append(b, ','), d)
		b = append(appendDoc(append(b, ','), d.Shown.Body, d.Shown.Deleted), '}')
	}
	b = append(b, `],"next":`...)
	if list.Next == "" {
		return append(b, "null}"...)
	}
	return append(appendText(b, list.Next), '}')
}
