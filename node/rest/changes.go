package rest

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/stream"
)

// defaultPoll is how long a long poll waits that does not say how long.
const defaultPoll = 30 * time.Second

// changes answers one page of the feed of present state; as a long poll it
// waits until there is an event.
func (s *Server) changes(c echo.Context) error {
	w, r := c.Response(), c.Request()
	q, feed, err := changesQuery(r)
	if err != nil {
		return err
	}
	if err := acceptable(r, feed.mediaType()); err != nil {
		return err
	}
	p, err := parsePrefer(r.Header["Prefer"])
	if err != nil {
		return err
	}
	// One wait for all: the session, the cursor, and the events.
	wait, cancel := s.waiting(r, p.wait)
	defer cancel()
	if _, err := s.awaitSession(wait, r); err != nil {
		return err
	}
	if err := s.awaitCursor(wait, q.Since); err != nil {
		return err
	}
	switch {
	case feed == feedSSE || feed == feedNDJSON:
		return s.streamChanges(w, r, q, stream.Format(feed))
	case feed == feedPage:
		wait = s.overdue
	case !p.waits:
		var enough context.CancelFunc
		wait, enough = s.waiting(r, defaultPoll)
		defer enough()
	}
	page, err := s.nextPage(r.Context(), wait, q)
	if err != nil {
		return err
	}
	h := w.Header()
	s.stamp(h) // anew: much may have happened in the wait
	p.setApplied(h, false)
	h[headCache] = valueNoStore
	return reply(w, http.StatusOK, valueJSON, s.changesJSON(&page))
}

func changesQuery(r *http.Request) (out node.ChangesQuery, feed feedKind, err error) {
	q, err := readQuery(r)
	if err != nil {
		return out, "", err
	}
	if out.Collection, err = q.collection(); err != nil {
		return out, "", err
	}
	if out.Limit, err = q.limit(); err != nil {
		return out, "", err
	}
	if feed, err = q.feed(feedPage, feedLongPoll, feedSSE, feedNDJSON); err != nil {
		return out, "", err
	}
	if out.Since, err = q.text("since"); err != nil {
		return out, "", err
	}
	if last := stream.LastID(r); last != "" && feed == feedSSE {
		out.Since = last // a browser that comes back names it beside its first since
	}
	return out, feed, nil
}

// awaitCursor waits until the node has what the cursor names.
func (s *Server) awaitCursor(wait context.Context, since string) error {
	if since == "" {
		return nil
	}
	return s.engine.AwaitCursor(wait, since)
}

// nextPage reads pages until one has an event, or nothing more is there and
// the wait is over. The bell is taken before the look, so that no commit falls
// between the two.
func (s *Server) nextPage(ctx, wait context.Context, q node.ChangesQuery) (node.ChangesPage, error) {
	for {
		bell := s.engine.Feed().Bell()
		page, err := s.engine.Changes(ctx, q)
		if err != nil || len(page.Changes) > 0 || wait == s.overdue {
			return page, err
		}
		q.Since = page.Next
		if page.Checkpoint == "" {
			continue // only rows of other collections so far
		}
		select {
		case <-bell:
		case <-wait.Done():
			return page, nil
		}
	}
}

func (s *Server) changesJSON(page *node.ChangesPage) []byte {
	b := []byte(`{"events":[`)
	for i := range page.Changes {
		if i > 0 {
			b = append(b, ',')
		}
		b = s.appendChange(b, &page.Changes[i])
	}
	b = append(b, `],"checkpoint":`...)
	if page.Checkpoint == "" {
		b = append(b, "null"...)
	} else {
		b = appendText(b, page.Checkpoint)
	}
	return append(appendText(append(b, `,"next":`...), page.Next), '}')
}

// appendChange writes one event.
func (s *Server) appendChange(b []byte, e *node.Change) []byte {
	v := e.Version
	b = appendText(append(b, `{"cursor":`...), e.Cursor)
	b = appendText(append(b, `,"collection":`...), string(v.Key.Collection))
	b = appendText(append(b, `,"id":`...), string(v.Key.ID))
	b = appendText(append(b, `,"dot":`...), v.Dot.String())
	b = appendText(append(b, `,"time":`...), v.Time.String())
	b = strconv.AppendBool(append(b, `,"deleted":`...), e.Doc.Shown.Deleted)
	b = s.appendShown(append(b, ','), &e.Doc)
	b = appendSettles(append(b, `,"settles":`...), e.Settles)
	return append(appendDoc(append(b, ','), e.Doc.Shown.Body, e.Doc.Shown.Deleted), '}')
}

// appendSettles writes the id of a record, or null.
func appendSettles(b []byte, id string) []byte {
	if id == "" {
		return append(b, "null"...)
	}
	return appendText(b, id)
}
