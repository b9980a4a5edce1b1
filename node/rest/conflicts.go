package rest

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
)

// listConflicts answers one page of the inbox: conflicts without the bodies of
// their siblings, and in meta how many there are of all.
func (s *Server) listConflicts(c echo.Context) error {
	r := c.Request()
	query, err := conflictQuery(r)
	if err != nil {
		return err
	}
	if err := s.freshJSON(c); err != nil {
		return err
	}
	page, err := s.engine.Conflicts(r.Context(), query)
	if err != nil {
		return err
	}
	view := conflictView{s: s, policies: map[conflict.Collection]conflictPolicy{}}
	b := []byte(`{"conflicts":[`)
	for i := range page.Conflicts {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = view.appendSummary(r.Context(), b, &page.Conflicts[i]); err != nil {
			return err
		}
	}
	b = append(b, `],"next":`...)
	if page.Next == "" {
		b = append(b, "null"...)
	} else {
		b = appendText(b, page.Next)
	}
	h := c.Response().Header()
	h[headSession] = s.session(s.engine.Published()) // anew: it has what the page shows
	h[headCache] = valueNoStore
	b = fmt.Appendf(b, `,"meta":{"open":%d,"records":%d}}`, page.Counts.Open, page.Counts.Records)
	return reply(c.Response(), http.StatusOK, valueJSON, b)
}

// conflictQuery reads what is asked for. Without a state these are the open
// ones, or with a decider or an episode, which only records have, the settled ones.
func conflictQuery(r *http.Request) (node.ConflictQuery, error) {
	var out node.ConflictQuery
	q, err := readQuery(r)
	if err != nil {
		return out, err
	}
	if out.Episode, err = q.text("episode"); err != nil {
		return out, err
	}
	if q.has("episode") && !isConflictID(out.Episode) {
		return out, badRequest("parameter episode is %.40q: want the id of an episode, %d characters from a to z and 2 to 7", out.Episode, conflictDigits)
	}
	state, err := choose(q, "state", node.ConflictOpen, node.ConflictSettled, node.ConflictReviewed)
	if err != nil {
		return out, err
	}
	if out.By, err = choose(q, "by", conflict.ByPolicy, conflict.ByScript, conflict.ByPerson, conflict.Overwritten); err != nil {
		return out, err
	}
	out.State = state
	switch {
	case out.By != "" && state == node.ConflictOpen:
		return out, badRequest("parameter by asks who has ended a conflict, and state=open for those that have not ended: leave one of them out")
	case out.Episode != "" && state == node.ConflictOpen:
		return out, badRequest("parameter episode asks for records, and state=open for conflicts that have not ended: leave one of them out")
	case (out.By != "" || out.Episode != "") && state == "":
		out.State = node.ConflictSettled
	case state == "":
		out.State = node.ConflictOpen
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

// choose is a parameter that has one of some values, or is absent.
func choose[T ~string](q query, name string, values ...T) (T, error) {
	text, err := q.text(name)
	if err != nil || !q.has(name) {
		return "", err
	}
	var known []string
	for _, v := range values {
		if text == string(v) {
			return v, nil
		}
		known = append(known, string(v))
	}
	return "", badRequest("parameter %s is %.40q: want %s", name, text, strings.Join(known, ", "))
}

// conflictDigits is the length of a conflict's id, in characters of base32.
const conflictDigits = 26

func conflictID(c echo.Context) (string, error) {
	id, err := segment(c, 0)
	if err != nil {
		return "", err
	}
	if !isConflictID(id) {
		return "", invalid(fmt.Errorf("conflict id %.40q: want %d characters from a to z and 2 to 7", id, conflictDigits))
	}
	return id, nil
}

func isConflictID(text string) bool {
	return len(text) == conflictDigits && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz234567") == ""
}

// getConflict shows one conflict with all that explains it. The headers are
// those of the document as it is now.
func (s *Server) getConflict(c echo.Context) error {
	r := c.Request()
	id, err := conflictID(c)
	if err != nil {
		return err
	}
	if err := s.freshJSON(c); err != nil {
		return err
	}
	found, now, err := s.findConflict(r.Context(), id)
	if err != nil {
		return err
	}
	view := conflictView{s: s}
	b, err := view.appendWhole(r.Context(), nil, &found, &now)
	if err != nil {
		return err
	}
	s.setDocument(c.Response().Header(), &now)
	return reply(c.Response(), http.StatusOK, valueJSON, b)
}

// findConflict finds a conflict, and its document as it is now.
func (s *Server) findConflict(ctx context.Context, id string) (node.Conflict, node.Document, error) {
	found, err := s.engine.Conflict(ctx, id)
	if err != nil {
		return found, node.Document{}, err
	}
	if found.State == node.ConflictOpen {
		return found, *found.Open, nil
	}
	now, err := s.engine.Get(ctx, conflict.Key{Collection: found.Record.Collection, ID: found.Record.DocID})
	return found, now, err
}
