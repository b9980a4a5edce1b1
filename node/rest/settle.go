package rest

import (
	"errors"
	"net/http"
	"slices"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

const (
	// maxAction is the longest body of a decision, in bytes, without the
	// document in it.
	maxAction = 8 << 10
	// maxReason is the longest reason that somebody may give, in characters.
	maxReason = 1000
	// anonymous is who decides where nobody has to say who they are.
	anonymous = "anonymous"
)

// decision is a request about one conflict.
type decision struct {
	found   node.Conflict
	now     node.Document // its document at present
	ifMatch []string
	prefer  preferences
}

// beginDecision reads the headers, finds the conflict, and holds If-Match
// against what its document shows now.
func (s *Server) beginDecision(c echo.Context) (*decision, error) {
	r := c.Request()
	id, err := conflictID(c)
	if err != nil {
		return nil, err
	}
	guard, p, err := s.beginGuarded(c)
	if err != nil {
		return nil, err
	}
	if guard.IfAbsent {
		return nil, badRequest("header If-None-Match: a conflict has values; this path takes If-Match")
	}
	if _, err := s.await(r, p); err != nil {
		return nil, err
	}
	d := &decision{ifMatch: guard.IfMatch, prefer: p}
	if d.found, d.now, err = s.findConflict(r.Context(), id); err != nil {
		return nil, err
	}
	tags := d.ifMatch
	if tags != nil && !slices.Contains(tags, d.now.Tag) && (tags[0] != "*" || !d.now.Exists()) {
		return nil, &node.Error{Op: "conflict", Kind: node.Precondition, Key: d.now.Key.String(), Current: &d.now, Err: errors.New("If-Match does not name what the document shows here")}
	}
	return d, nil
}

// answerDecision says what was written, and where.
func (s *Server) answerDecision(c echo.Context, d *decision, out node.Written, err error) error {
	h := c.Response().Header()
	if !out.Dot.IsZero() {
		now := &out.After
		if now.Key.Collection.IsSystem() {
			now = &d.now // only the record was written
		}
		s.setDocument(h, now)
	}
	if err != nil {
		return err
	}
	d.prefer.setApplied(h, false)
	b := appendText([]byte(`{"conflict":`), d.found.ID)
	b = appendText(append(b, `,"collection":`...), string(d.now.Key.Collection))
	b = append(b, ',')
	return reply(c.Response(), http.StatusOK, valueJSON, append(b, appendWritten(nil, string(d.now.Key.ID), out.Dot)[1:]...))
}

// resolveConflict ends an open conflict as somebody has decided.
func (s *Server) resolveConflict(c echo.Context) error {
	d, err := s.beginDecision(c)
	if err != nil {
		return err
	}
	r := c.Request()
	body, err := readBody(r, int64(s.engine.BodyLimit(d.now.Key.Collection)+maxAction))
	if err != nil {
		return err
	}
	resolution, err := readResolution(body)
	if err != nil {
		return err
	}
	if d.found.State != node.ConflictOpen {
		return ended(&d.found, &d.now)
	}
	out, err := s.engine.Resolve(r.Context(), d.found.ID, resolution)
	return s.answerDecision(c, d, out, err)
}

// readResolution reads what somebody has decided.
func readResolution(body []byte) (node.Resolution, error) {
	m, err := readMembers(body)
	if err != nil {
		return node.Resolution{}, err
	}
	out := node.Resolution{Who: anonymous, Reason: m.reason()}
	m.only("pick", "doc", "delete", "resolver", "reason")
	said := ""
	switch m.one("pick", "doc", "delete", "resolver") {
	case "pick":
		out.Pick = m.dot("pick")
		said = "chose " + out.Pick.String()
	case "doc":
		out.Body = m.of["doc"]
		said = "wrote another value"
	case "delete":
		if out.Delete = m.flag("delete"); !out.Delete {
			m.fail("delete is not true")
		}
		said = "deleted the document"
	case "resolver":
		out.Resolver = m.resolver()
		said = "let the resolver " + out.Resolver + " decide"
	}
	if m.err != nil {
		return out, invalid(m.err)
	}
	if out.Reason == "" {
		out.Reason = "somebody " + said
	}
	return out, nil
}

// reason is why somebody decides so, empty when they do not say.
func (m *members) reason() string {
	text := m.text("reason")
	if utf8.RuneCountInString(text) > maxReason {
		m.fail("reason has more than %d characters", maxReason)
	}
	return text
}

// dot is the name of a version.
func (m *members) dot(name string) vclock.Dot {
	text := m.text(name)
	if m.err != nil {
		return vclock.Dot{}
	}
	d, err := vclock.ParseDot(text)
	if err != nil {
		m.fail("%s: %w", name, err)
	}
	return d
}

// restoreConflict brings the value of one sibling back.
func (s *Server) restoreConflict(c echo.Context) error {
	return s.undo(c, node.ActionRestore, readRestore)
}

// revertConflict takes the result of a policy back.
func (s *Server) revertConflict(c echo.Context) error {
	return s.undo(c, node.ActionRevert, withoutDot)
}

// reviewConflict notes that somebody has looked at a record.
func (s *Server) reviewConflict(c echo.Context) error {
	return s.undo(c, node.ActionReview, withoutDot)
}

func withoutDot(body []byte) (vclock.Dot, error) { return vclock.Dot{}, readNothing(body) }

// undo carries out what somebody makes of a record.
func (s *Server) undo(c echo.Context, action string, read func([]byte) (vclock.Dot, error)) error {
	d, err := s.beginDecision(c)
	if err != nil {
		return err
	}
	r := c.Request()
	body, err := readBody(r, maxAction)
	if err != nil {
		return err
	}
	dot, err := read(body)
	if err != nil {
		return err
	}
	out, err := s.engine.Undo(r.Context(), d.found.ID, node.Undo{Action: action, Dot: dot, IfMatch: d.ifMatch, Who: anonymous})
	return s.answerDecision(c, d, out, err)
}
