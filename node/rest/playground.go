package rest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/conflict/script"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/strictjson"
	"github.com/syncline/syncline/vclock"
)

const (
	// maxCheck is the longest body that asks the playground, in bytes: a source,
	// and a conflict of some documents.
	maxCheck = maxQuoted + 2*node.DefaultBody
	// maxCheckSiblings is the most siblings of such a conflict.
	maxCheckSiblings = node.MaxSiblings
	// draftName is the name of a script that has none yet.
	draftName = "draft"
)

// checkResolver says all that is to be known of a source, and what it makes of a
// conflict, without storing anything. That a source is wrong is no error here.
func (s *Server) checkResolver(c echo.Context) error {
	r := c.Request()
	if err := acceptable(r, typeJSON); err != nil {
		return err
	}
	body, err := readBody(r, maxCheck)
	if err != nil {
		return err
	}
	m, err := readMembers(body)
	if err != nil {
		return err
	}
	m.only("source", "name", "conflict")
	source, name := m.source(), m.text("name")
	if name == "" {
		name = draftName
	}
	if _, err := conflict.ParseResolver(name); err != nil {
		m.fail("%w", err)
	}
	if m.err != nil {
		return invalid(m.err)
	}
	asked, err := s.askedConflict(r.Context(), m)
	if err != nil {
		return err
	}
	x, err := s.examine(r.Context(), name, source, nil)
	if err != nil {
		return err
	}
	out := struct {
		*examination
		Result *resultJSON `json:"result"` // null: no conflict was given, or the source does not compile
	}{examination: x}
	if asked != nil && x.script != nil {
		result, err := s.cfg.Scripts.Resolve(r.Context(), x.script, asked)
		if err != nil {
			return scriptError(err)
		}
		out.Result = showResult(result, script.MaxBody)
	}
	return replyJSON(c.Response(), http.StatusOK, out)
}

// askedConflict is the conflict that a request brings, or names by its id; nil
// when there is none.
func (s *Server) askedConflict(ctx context.Context, m *members) (*script.Conflict, error) {
	switch {
	case !m.has("conflict") || string(m.of["conflict"]) == "null":
		return nil, nil //nolint:nilnil // none was given, which is no error
	case m.of["conflict"][0] == '"':
		return s.namedConflict(ctx, m.text("conflict"))
	}
	c, err := readConflict(m.object("conflict"))
	if m.err != nil {
		err = m.err
	}
	if err != nil {
		return nil, invalid(fmt.Errorf("conflict: %w", err))
	}
	return c, nil
}

// namedConflict is one that is open, or on record.
func (s *Server) namedConflict(ctx context.Context, id string) (*script.Conflict, error) {
	found, err := s.engine.Conflict(ctx, id)
	if err != nil {
		return nil, err
	}
	if found.Open != nil {
		c := s.engine.CaseOf(found.Open)
		return conflictOf(&c), nil
	}
	one, err := s.engine.Recorded(ctx, found.Record)
	return conflictOf(&one.Case), err
}

// readConflict reads a conflict as somebody wrote it down: only siblings are
// needed. Those of GET …/siblings and of GET /v1/conflicts/{id} will do.
func readConflict(m *members) (*script.Conflict, error) {
	m.only("collection", "id", "siblings", "base", "base_exact", "sums")
	c := &script.Conflict{Collection: m.text("collection"), ID: m.text("id"), BaseExact: m.flag("base_exact")}
	if c.Collection == "" {
		c.Collection = draftName
	}
	if c.ID == "" {
		c.ID = draftName
	}
	if m.has("base") && string(m.of["base"]) != "null" {
		c.Base = m.of["base"]
	}
	if m.has("sums") && json.Unmarshal(m.of["sums"], &c.Sums) != nil {
		m.fail("sums is no object of texts")
	}
	var siblings []json.RawMessage
	if !m.has("siblings") || json.Unmarshal(m.of["siblings"], &siblings) != nil {
		m.fail("siblings is no array")
	}
	if len(siblings) == 0 || len(siblings) > maxCheckSiblings {
		m.fail("%d siblings: want 1 to %d", len(siblings), maxCheckSiblings)
	}
	for i, raw := range siblings {
		if m.err != nil {
			break
		}
		one, err := readSibling(raw, i)
		if err != nil {
			m.fail("siblings[%d]: %w", i, err)
		}
		c.Siblings = append(c.Siblings, one)
	}
	return c, m.err
}

// letters are the names of nodes in a conflict that names none.
const letters = "abcdefghijklmnopqrstuvwxyz"

// readSibling reads the n-th sibling. What it does not say is made up: nodes are
// a, b, c and times rise.
func readSibling(raw []byte, n int) (script.Sibling, error) {
	var out script.Sibling
	if err := strictjson.Check(raw, strictjson.Limits{Depth: node.MaxDepth + 1}); err != nil {
		return out, err
	}
	m := &members{}
	if err := json.Unmarshal(raw, &m.of); err != nil {
		return out, err
	}
	m.only("doc", "deleted", "node", "time", "dot", "clock", "loose", "hidden", "size")
	out.Deleted, out.Time = m.flag("deleted"), vclock.Time(n+1)
	if m.has("time") {
		if err := out.Time.UnmarshalText([]byte(m.text("time"))); err != nil {
			m.fail("time: %w", err)
		}
	}
	if out.Dot = m.dotOr(n); !out.Deleted {
		out.Doc = m.of["doc"]
	}
	if !out.Deleted && (len(out.Doc) == 0 || out.Doc[0] != '{') {
		m.fail("doc is no object, and deleted is not true")
	}
	return out, m.err
}

// dotOr is the member dot, or one that is made up for the n-th sibling.
func (m *members) dotOr(n int) vclock.Dot {
	if m.has("dot") {
		return m.dot("dot")
	}
	name := m.text("node")
	if name == "" {
		name = letters[n%len(letters) : n%len(letters)+1]
	}
	actor, err := vclock.NewActor(name, [5]byte{})
	if err != nil {
		m.fail("node: %w", err)
	}
	return vclock.Dot{Actor: actor, Seq: uint64(n + 1)}
}
