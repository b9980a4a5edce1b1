package rest

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/conflict/script"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// getOldVersion answers the stored bytes of one version, live or old. ETag and
// Causal-Context are the version's, so that what is written with them does not
// cover what its reader has not seen; all else is said of the document as it is.
func (s *Server) getOldVersion(c echo.Context, q query) error {
	w, r := c.Response(), c.Request()
	key, err := documentKey(c)
	if err != nil {
		return err
	}
	dot, err := q.dot("dot")
	if err != nil {
		return err
	}
	if err := s.freshJSON(c); err != nil {
		return err
	}
	found, err := s.engine.Recall(r.Context(), key, dot)
	h := w.Header()
	if found.Now.Key == key {
		s.setDocument(h, &found.Now)
	}
	if err != nil {
		return err
	}
	seen := found.Seen()
	h[headETag] = []string{quotedTag(seen)}
	h[headContext] = []string{s.engine.ContextToken(seen)}
	if found.Version.Deleted {
		return &node.Error{Op: "get", Kind: node.Deleted, Key: key.String(), Err: fmt.Errorf("version %s is a deletion", dot)}
	}
	same, err := conditional(r, seen.Tag, &found.Now)
	if err != nil {
		return err
	}
	if same {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return reply(w, http.StatusOK, valueJSON, found.Version.Body)
}

// dot is a parameter that names a version.
func (q query) dot(name string) (vclock.Dot, error) {
	text, err := q.text(name)
	if err != nil {
		return vclock.Dot{}, err
	}
	d, err := vclock.ParseDot(text)
	if err != nil {
		return d, badRequest("parameter %s: %w", name, err)
	}
	return d, nil
}

// conditional holds a read's preconditions against an entity tag; same says that
// the reader has the value.
func conditional(r *http.Request, tag string, now *node.Document) (same bool, err error) {
	if v := r.Header["If-Match"]; v != nil {
		tags, err := parseTags("If-Match", v)
		if err != nil {
			return false, err
		}
		if tags[0] != "*" && !slices.Contains(tags, tag) {
			return false, &node.Error{Op: "get", Kind: node.Precondition, Key: now.Key.String(), Current: now, Err: errors.New("If-Match does not name what is shown here")}
		}
	}
	v := r.Header["If-None-Match"]
	if v == nil {
		return false, nil
	}
	tags, err := parseTags("If-None-Match", v)
	if err != nil {
		return false, err
	}
	return tags[0] == "*" || slices.Contains(tags, tag), nil
}

// getHistory answers a page of what this node has seen of a document, or, with
// ?diff=A..B, how two of its versions differ.
func (s *Server) getHistory(c echo.Context) error {
	r := c.Request()
	key, err := documentKey(c)
	if err != nil {
		return err
	}
	q, err := readQuery(r)
	if err != nil {
		return err
	}
	ask := node.HistoryQuery{Key: key}
	if ask.Limit, err = q.limit(); err != nil {
		return err
	}
	if ask.Cursor, err = q.text("cursor"); err != nil {
		return err
	}
	if err := s.freshJSON(c); err != nil {
		return err
	}
	if q.has("diff") {
		return s.answerDiff(c, key, q)
	}
	page, err := s.engine.History(r.Context(), ask)
	if err != nil {
		return err
	}
	s.setDocument(c.Response().Header(), &page.Document)
	if len(page.Document.Live) == 0 && len(page.Versions) == 0 {
		return absent(&page.Document)
	}
	return reply(c.Response(), http.StatusOK, valueJSON, historyJSON(&page))
}

// historyJSON is a page without the bodies of its versions.
func historyJSON(page *node.History) []byte {
	b := strconv.AppendBool([]byte(`{"complete":`), len(page.Missing) == 0 && !page.Unsure)
	b = append(b, `,"versions":[`...)
	for i := range page.Versions {
		if i > 0 {
			b = append(b, ',')
		}
		v := &page.Versions[i]
		b = appendSide(b, &side{
			dot: v.Dot, time: v.Time, deleted: v.Deleted, size: len(v.Body),
			hidden: v.Live && page.Document.Hidden(v.Version),
		})
		b = appendClock(append(b, `,"clock":`...), &v.Clock)
		b = strconv.AppendBool(append(b, `,"live":`...), v.Live)
		if !v.Live {
			b = appendText(append(b, `,"covered_by":`...), v.By.String())
			b = appendText(append(b, `,"covered_at":`...), time.UnixMilli(v.At).UTC().Format(time.RFC3339Nano))
		}
		if v.Record != "" {
			b = appendText(append(b, `,"record":`...), string(v.Record))
		}
		b = append(b, '}')
	}
	b = append(b, `],"missing":[`...)
	for i, d := range page.Missing {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, d.String())
	}
	b = append(b, `],"next":`...)
	if page.Next == "" {
		return append(b, "null}"...)
	}
	return append(appendText(b, page.Next), '}')
}

// answerDiff answers how two versions of a document differ. Without the second
// it is the value shown now.
func (s *Server) answerDiff(c echo.Context, key conflict.Key, q query) error {
	text, err := q.text("diff")
	if err != nil {
		return err
	}
	first, second, ok := strings.Cut(text, "..")
	if !ok {
		return badRequest("parameter diff is %.100q: want two versions with two points between, such as a~k3f9x2mz:3..a~k3f9x2mz:5, or A.. for A and what is shown now", text)
	}
	from, err := vclock.ParseDot(first)
	if err != nil {
		return badRequest("parameter diff: %w", err)
	}
	ctx := c.Request().Context()
	before, err := s.engine.Recall(ctx, key, from)
	if err != nil {
		return err
	}
	now := &before.Now
	out := struct {
		From    vclock.Dot      `json:"from"`
		To      *vclock.Dot     `json:"to"` // null: the value shown, which no one version has
		Changes []script.Change `json:"changes"`
		More    bool            `json:"more"`
	}{From: from}
	var after []byte
	if second == "" {
		if now.Exists() {
			after = now.Shown.Body
		}
		if now.Shown.Winner != nil {
			out.To = &now.Shown.Winner.Dot
		}
	} else {
		to, err := vclock.ParseDot(second)
		if err != nil {
			return badRequest("parameter diff: %w", err)
		}
		other, err := s.engine.Recall(ctx, key, to)
		if err != nil {
			return err
		}
		out.To, after = &to, other.Version.Body
	}
	if out.Changes, out.More, err = script.Diff(before.Version.Body, after); err != nil {
		return &node.Error{Op: "diff", Kind: node.Corrupt, Key: key.String(), Err: err}
	}
	if out.Changes == nil {
		out.Changes = []script.Change{}
	}
	s.setDocument(c.Response().Header(), now)
	return reply(c.Response(), http.StatusOK, valueJSON, mustJSON(out))
}

// restoreDocument writes a version that is equal to an old one.
func (s *Server) restoreDocument(c echo.Context) error {
	key, err := documentKey(c)
	if err != nil {
		return err
	}
	w := &node.Write{Kind: node.Put, Key: key}
	p, err := s.beginWrite(c, w)
	if err != nil {
		return err
	}
	body, err := readBody(c.Request(), maxAction)
	if err != nil {
		return err
	}
	dot, err := readRestore(body)
	if err != nil {
		return err
	}
	return s.carryOut(c, w, p, func() (node.Written, error) { return s.engine.Restore(c.Request().Context(), *w, dot) })
}

// readRestore reads whose value is to come back.
func readRestore(body []byte) (vclock.Dot, error) {
	m, err := readMembers(body)
	if err != nil {
		return vclock.Dot{}, err
	}
	if m.only("dot"); !m.has("dot") {
		m.fail("dot is missing: say whose value is to come back")
	}
	dot := m.dot("dot")
	if m.err != nil {
		return dot, invalid(m.err)
	}
	return dot, nil
}
