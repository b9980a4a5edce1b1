package rest

import (
	"errors"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/conflict/script"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// typeStarlark is the media type of a resolver's source.
const typeStarlark = "application/vnd.starlark"

// maxQuoted is the longest body that carries a source as a JSON string, in
// bytes: a character may take six there.
const maxQuoted = 6*script.MaxSource + maxAction

// resolverJSON is a resolver, or one version of it.
type resolverJSON struct {
	Name   string                `json:"name"`
	Hash   string                `json:"hash"` // names the version: 16 digits of the source's SHA-256
	Who    string                `json:"who"`
	At     vclock.Time           `json:"at"`
	UsedBy []conflict.Collection `json:"used_by"`
	ETag   string                `json:"etag"`
	Source string                `json:"source,omitempty"`
}

func showResolver(r *node.StoredResolver, source bool) resolverJSON {
	out := resolverJSON{Name: r.Name, Hash: r.Version, Who: r.Who, At: r.At, UsedBy: r.Used, ETag: quotedTag(&r.Doc)}
	if out.UsedBy == nil {
		out.UsedBy = []conflict.Collection{}
	}
	if source {
		out.Source = r.Source
	}
	return out
}

// resolverName is the name in the path.
func resolverName(c echo.Context) (string, error) {
	text, err := segment(c, 0)
	if err != nil {
		return "", err
	}
	name, err := conflict.ParseResolver(text)
	if err != nil {
		return "", invalid(err)
	}
	return name, nil
}

// listResolvers lists all resolvers, without their sources.
func (s *Server) listResolvers(c echo.Context) error {
	r := c.Request()
	if err := s.freshJSON(c); err != nil {
		return err
	}
	all, err := s.engine.Resolvers(r.Context())
	if err != nil {
		return err
	}
	list := make([]resolverJSON, len(all))
	for i := range all {
		list[i] = showResolver(&all[i], false)
	}
	return replyJSON(c.Response(), http.StatusOK, struct {
		Resolvers []resolverJSON `json:"resolvers"`
	}{list})
}

// getResolver shows a resolver with its source, or to who asks for text, the
// source alone.
func (s *Server) getResolver(c echo.Context) error {
	r := c.Request()
	name, err := resolverName(c)
	if err != nil {
		return err
	}
	asText := slices.ContainsFunc(r.Header["Accept"], func(v string) bool {
		return strings.HasPrefix(v, "text/plain") || strings.HasPrefix(v, typeStarlark)
	})
	if err := acceptable(r, typeJSON); err != nil && !asText {
		return err
	}
	if err := s.fresh(c); err != nil {
		return err
	}
	found, err := s.engine.Resolver(r.Context(), name)
	if err != nil {
		return err
	}
	h := c.Response().Header()
	s.setDocument(h, &found.Doc)
	if !found.Exists() {
		return &node.Error{Op: "resolver", Kind: node.NotFound, Key: name, Err: errors.New("there is no such resolver")}
	}
	if asText {
		return reply(c.Response(), http.StatusOK, []string{typeText}, []byte(found.Source))
	}
	return reply(c.Response(), http.StatusOK, valueJSON, mustJSON(showResolver(&found, true)))
}

// listVersions lists the versions of a resolver that are kept, the youngest
// first, with their sources.
func (s *Server) listVersions(c echo.Context) error {
	r := c.Request()
	name, err := resolverName(c)
	if err != nil {
		return err
	}
	if err := s.freshJSON(c); err != nil {
		return err
	}
	present, err := s.engine.Resolver(r.Context(), name)
	if err != nil {
		return err
	}
	all, err := s.engine.ResolverVersions(r.Context(), name)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return &node.Error{Op: "resolver", Kind: node.NotFound, Key: name, Err: errors.New("there is no such resolver, and never was")}
	}
	type version struct {
		Hash    string      `json:"hash"`
		Who     string      `json:"who"`
		At      vclock.Time `json:"at"` // when it was first stored
		Present bool        `json:"present"`
		Source  string      `json:"source"`
	}
	list := make([]version, len(all))
	for i, v := range all {
		list[i] = version{v.Version, v.Who, v.At, v.Version == present.Version, v.Source}
	}
	return replyJSON(c.Response(), http.StatusOK, struct {
		Name     string    `json:"name"`
		Versions []version `json:"versions"`
	}{name, list})
}

// putResolver stores a source that compiles, passes its tests, and shows one
// value on all nodes.
func (s *Server) putResolver(c echo.Context) error {
	name, err := resolverName(c)
	if err != nil {
		return err
	}
	guard, p, err := s.beginGuarded(c)
	if err != nil {
		return err
	}
	r := c.Request()
	source, err := readSource(r)
	if err != nil {
		return err
	}
	if _, err := s.await(r, p); err != nil {
		return err
	}
	if err := s.engine.MayWrite(); err != nil {
		return err // before the long look at it
	}
	now, err := s.engine.Resolver(r.Context(), name)
	if err != nil {
		return err
	}
	x, err := s.examine(r.Context(), name, source, now.Used)
	if err != nil {
		return err
	}
	if !x.OK {
		return &examinationError{name, x}
	}
	out, err := s.engine.PutResolver(r.Context(), name, node.ResolverWrite{Source: source, Who: anonymous, IfMatch: guard.IfMatch, IfAbsent: guard.IfAbsent})
	return s.answerResolver(c, stored{name, out, x, p}, err)
}

// stored is a resolver that was stored.
type stored struct {
	name    string
	written node.Written
	found   *examination // nil: nobody has looked at it again
	prefer  preferences
}

// answerResolver shows what is in force now.
func (s *Server) answerResolver(c echo.Context, w stored, err error) error {
	h := c.Response().Header()
	if !w.written.Dot.IsZero() {
		s.setDocument(h, &w.written.After) // also when it came too late to be sure
	}
	if err != nil {
		return err
	}
	present, err := s.engine.Resolver(c.Request().Context(), w.name)
	if err != nil {
		return err
	}
	w.prefer.setApplied(h, false)
	status := http.StatusOK
	if w.written.Created {
		status = http.StatusCreated
		h[headLocation] = []string{"/v1/resolvers/" + w.name}
	}
	out := struct {
		resolverJSON
		Tests []testJSON `json:"tests,omitzero"`
		Gate  *gateJSON  `json:"gate,omitempty"`
	}{resolverJSON: showResolver(&present, false)}
	if w.found != nil {
		out.Tests, out.Gate = w.found.Tests, w.found.Gate
	}
	return reply(c.Response(), status, valueJSON, mustJSON(out))
}

// readSource reads a source: JSON that says so has it as a member, any other
// body is it.
func readSource(r *http.Request) (string, error) {
	kind := ""
	if text, ok, err := single(r.Header, headType); err != nil {
		return "", err
	} else if ok {
		if kind, _, err = mime.ParseMediaType(text); err != nil {
			return "", badRequest("header Content-Type: %w", err)
		}
	}
	if kind != typeJSON {
		body, err := readBody(r, script.MaxSource)
		return string(body), err
	}
	body, err := readBody(r, maxQuoted)
	if err != nil {
		return "", err
	}
	m, err := readMembers(body)
	if err != nil {
		return "", err
	}
	m.only("source")
	source := m.source()
	if m.err != nil {
		return "", invalid(m.err)
	}
	return source, nil
}

// source is the member with a script's text.
func (m *members) source() string {
	if !m.has("source") {
		m.fail("source is missing")
	}
	return m.text("source")
}

// resolver is the member that names a resolver.
func (m *members) resolver() string {
	name := m.text("resolver")
	if m.err != nil {
		return ""
	}
	if _, err := conflict.ParseResolver(name); err != nil {
		m.fail("%w", err)
	}
	return name
}

// rollbackResolver makes an older version the present one.
func (s *Server) rollbackResolver(c echo.Context) error {
	name, err := resolverName(c)
	if err != nil {
		return err
	}
	guard, p, err := s.beginGuarded(c)
	if err != nil {
		return err
	}
	r := c.Request()
	body, err := readBody(r, maxAction)
	if err != nil {
		return err
	}
	m, err := readMembers(body)
	if err != nil {
		return err
	}
	if m.only("hash"); !m.has("hash") {
		m.fail("hash is missing: say which version is to come back")
	}
	hash := m.text("hash")
	if m.err != nil {
		return invalid(m.err)
	}
	if _, err := s.await(r, p); err != nil {
		return err
	}
	out, err := s.engine.RollbackResolver(r.Context(), name, hash, node.ResolverWrite{Who: anonymous, IfMatch: guard.IfMatch, IfAbsent: guard.IfAbsent})
	return s.answerResolver(c, stored{name: name, written: out, prefer: p}, err)
}

// deleteResolver takes a resolver away that no policy names.
func (s *Server) deleteResolver(c echo.Context) error {
	name, err := resolverName(c)
	if err != nil {
		return err
	}
	guard, p, err := s.beginGuarded(c)
	if err != nil {
		return err
	}
	r, h := c.Request(), c.Response().Header()
	if _, err := s.await(r, p); err != nil {
		return err
	}
	out, err := s.engine.DeleteResolver(r.Context(), name, guard.IfMatch)
	if !out.Dot.IsZero() {
		s.setDocument(h, &out.After)
	}
	if err != nil {
		return err
	}
	p.setApplied(h, false)
	return reply(c.Response(), http.StatusOK, valueJSON, appendWritten(nil, name, out.Dot))
}

// examinationError says why a resolver is not stored.
type examinationError struct {
	name string
	*examination
}

// Error implements error.
func (e *examinationError) Error() string {
	switch {
	case len(e.Problems) > 0:
		return (&script.CompileError{Name: e.name, Problems: e.Problems}).Error()
	case e.Gate != nil && !e.Gate.Passed:
		return e.name + ": nodes would not agree (" + e.Gate.Diverged[0].Check + "): " + e.Gate.Diverged[0].How
	}
	for _, t := range e.Tests {
		if !t.Passed {
			return e.name + ": " + t.Name + ": " + t.Failure.String()
		}
	}
	return e.name + ": it cannot be stored"
}

// Unwrap makes it an error of its kind.
func (e *examinationError) Unwrap() error {
	return &node.Error{Op: "resolver", Kind: node.InvalidResolver, Key: e.name}
}
