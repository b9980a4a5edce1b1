package rest

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/timeline"
)

// timelineJSON is the shape of GET /v1/timeline.
type timelineJSON struct {
	Node    string           `json:"node"`
	From    time.Time        `json:"from"`
	To      time.Time        `json:"to"`
	Before  []timeline.Entry `json:"before"` // what was in force at from
	Entries []timeline.Entry `json:"entries"`
	Unknown []timeline.Gap   `json:"unknown"`
	Next    *string          `json:"next"`
}

// getTimeline answers the changes of state of a time that is over.
func (s *Server) getTimeline(c echo.Context) error {
	r := c.Request()
	if err := acceptable(r, typeJSON); err != nil {
		return err
	}
	q, err := s.timelineQuery(r)
	if err != nil {
		return err
	}
	if s.cfg.Timeline == nil {
		return &node.Error{Op: "timeline", Kind: UnknownRoute, Err: errors.New("this process keeps no timeline")}
	}
	p := s.cfg.Timeline.Between(q)
	out := timelineJSON{
		Node: s.cfg.Node, From: q.From.UTC(), To: q.To.UTC(),
		Before: filled(p.Before), Entries: filled(p.Entries), Unknown: filled(p.Gaps),
	}
	if p.Next > 0 {
		next := s.timelineCursor() + strconv.FormatUint(p.Next, 10)
		out.Next = &next
	}
	return replyJSON(c.Response(), http.StatusOK, out)
}

// timelineCursor is what a cursor of this run begins with: numbers of entries
// are those of one run of the process.
func (s *Server) timelineCursor() string { return strconv.FormatInt(s.started.UnixNano(), 36) + "-" }

func (s *Server) timelineQuery(r *http.Request) (out timeline.Query, err error) {
	q, err := readQuery(r)
	if err != nil {
		return out, err
	}
	if out.Limit, err = q.limit(); err != nil {
		return out, err
	}
	if out.Limit == 0 {
		out.Limit = node.MaxPage
	}
	if out.To, err = q.time("to", time.Now()); err != nil {
		return out, err
	}
	if out.From, err = q.time("from", out.To.Add(-timeline.Span)); err != nil {
		return out, err
	}
	if out.From.After(out.To) {
		return out, badRequest("parameter from is later than to")
	}
	cursor, err := q.text("cursor")
	if err != nil || !q.has("cursor") {
		return out, err
	}
	number, ok := strings.CutPrefix(cursor, s.timelineCursor())
	if ok {
		out.After, err = strconv.ParseUint(number, 10, 64)
	}
	if !ok || err != nil || out.After == 0 {
		return out, &node.Error{Op: "timeline", Kind: node.BadCursor, Err: fmt.Errorf("parameter cursor is %.40q: none of this run of the process; ask without it", cursor)}
	}
	return out, nil
}

// time is a parameter that is an instant.
func (q query) time(name string, absent time.Time) (time.Time, error) {
	text, err := q.text(name)
	if err != nil || !q.has(name) {
		return absent, err
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return at, badRequest("parameter %s is %.40q: want an instant such as 2026-11-21T14:02:11Z", name, text)
	}
	return at, nil
}
