package rest

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// maxConfig is the longest body that configures a collection, in bytes.
const maxConfig = 64 << 10

// collectionJSON is a collection: its configuration, and what it has.
type collectionJSON struct {
	Name string `json:"name"`
	conflict.Config
	Dot        *vclock.Dot `json:"dot"`  // of the configuration; null: nobody configured it, and the defaults are in force
	ETag       *string     `json:"etag"` // of the configuration
	Documents  int64       `json:"documents"`
	Tombstones int64       `json:"tombstones"`
	Conflicts  int64       `json:"conflicts"`
}

func showCollection(info *node.CollectionInfo) collectionJSON {
	out := collectionJSON{
		Name: string(info.Name), Config: info.Config,
		Documents: info.Documents, Tombstones: info.Tombstones, Conflicts: info.Conflicts,
	}
	if info.Doc.Exists() {
		tag := quotedTag(&info.Doc)
		out.Dot, out.ETag = &info.Doc.Shown.Winner.Dot, &tag
	}
	return out
}

// listCollections answers one page of the collections that have documents or a
// configuration, in the order of their names.
func (s *Server) listCollections(c echo.Context) error {
	r := c.Request()
	page, err := readNamePage(r)
	if err != nil {
		return err
	}
	if err := s.freshJSON(c); err != nil {
		return err
	}
	infos, err := s.engine.Collections(r.Context())
	if err != nil {
		return err
	}
	out := struct {
		Collections []collectionJSON     `json:"collections"`
		Next        *conflict.Collection `json:"next"`
	}{Collections: []collectionJSON{}}
	for i := range infos {
		name := infos[i].Name
		if name <= page.after || !strings.HasPrefix(string(name), page.prefix) {
			continue
		}
		if len(out.Collections) == page.limit {
			out.Next = &infos[i-1].Name
			break
		}
		out.Collections = append(out.Collections, showCollection(&infos[i]))
	}
	h := c.Response().Header()
	if n := len(infos); n > 0 {
		s.setSession(h, infos[n-1].Doc.Frontier, nil)
	}
	return replyJSON(c.Response(), http.StatusOK, out)
}

// namePage says which collections are asked for.
type namePage struct {
	prefix string
	after  conflict.Collection // the last of the page before, which is its cursor
	limit  int
}

func readNamePage(r *http.Request) (namePage, error) {
	q, err := readQuery(r)
	if err != nil {
		return namePage{}, err
	}
	var p namePage
	if p.limit, err = q.limit(); err != nil {
		return p, err
	}
	if p.limit == 0 {
		p.limit = node.DefaultPage
	}
	if p.prefix, err = q.text("prefix"); err != nil {
		return p, err
	}
	cursor, err := q.text("cursor")
	if err != nil || cursor == "" {
		return p, err
	}
	if p.after, err = conflict.ParseCollection(cursor); err != nil {
		return p, &node.Error{Op: "collections", Kind: node.BadCursor, Err: fmt.Errorf("cursor: %w", err)}
	}
	return p, nil
}

// getCollection shows one collection. There is always one to show: of one that
// nobody has named before, the defaults are in force and nothing is in it.
func (s *Server) getCollection(c echo.Context) error {
	name, err := collection(c)
	if err != nil {
		return err
	}
	if err := acceptable(c.Request(), typeJSON); err != nil {
		return err
	}
	if err := s.fresh(c); err != nil {
		return err
	}
	return s.answerCollection(c, http.StatusOK, name)
}

// answerCollection shows what is in force now. The headers are those of the
// configuration, which is a document and can be in conflict like any other.
func (s *Server) answerCollection(c echo.Context, status int, name conflict.Collection) error {
	info, err := s.engine.Collection(c.Request().Context(), name)
	if err != nil {
		return err
	}
	w := c.Response()
	s.setDocument(w.Header(), &info.Doc)
	if status == http.StatusCreated {
		w.Header()[headLocation] = []string{"/v1/collections/" + string(name)}
	}
	return reply(w, status, valueJSON, mustJSON(showCollection(&info)))
}

func (s *Server) putCollection(c echo.Context) error {
	return s.configure(c, func(_ conflict.Collection, w *node.ConfigWrite) error {
		body, err := readBody(c.Request(), maxConfig)
		if err != nil {
			return err
		}
		w.Body = body
		return checkObject(body, node.MaxDepth)
	})
}

func (s *Server) patchCollection(c echo.Context) error {
	return s.configure(c, func(name conflict.Collection, w *node.ConfigWrite) error {
		patch, err := readPatch(c.Request(), string(name), maxConfig)
		w.Change = patch.change
		return err
	})
}

// deleteCollection goes back to the defaults, and says so as for a document.
func (s *Server) deleteCollection(c echo.Context) error {
	return s.configure(c, func(_ conflict.Collection, w *node.ConfigWrite) error {
		w.Delete = true
		return nil
	})
}

// configure changes a configuration by what fill reads.
func (s *Server) configure(c echo.Context, fill func(conflict.Collection, *node.ConfigWrite) error) error {
	name, err := collection(c)
	if err != nil {
		return err
	}
	guard, p, err := s.beginGuarded(c)
	if err != nil {
		return err
	}
	w := node.ConfigWrite{IfMatch: guard.IfMatch, IfAbsent: guard.IfAbsent}
	if err := fill(name, &w); err != nil {
		return err
	}
	r, h := c.Request(), c.Response().Header()
	if _, err := s.await(r, p); err != nil {
		return err
	}
	out, err := s.engine.Configure(r.Context(), name, w)
	if !out.Dot.IsZero() {
		s.setDocument(h, &out.After) // also when it came too late to be sure
	}
	if node.KindOf(err) == node.PatchConflict {
		return s.withCurrent(c, conflict.Key{Collection: node.ConfigCollection, ID: conflict.DocID(name)}, err)
	}
	if err != nil {
		return err
	}
	p.setApplied(h, false)
	switch {
	case w.Delete:
		return reply(c.Response(), http.StatusOK, valueJSON, appendWritten(nil, string(name), out.Dot))
	case out.Created:
		return s.answerCollection(c, http.StatusCreated, name)
	}
	return s.answerCollection(c, http.StatusOK, name)
}

// beginGuarded reads the headers of a write of which If-Match and If-None-Match
// say what its writer had seen. A context, which names one document, is refused
// rather than passed over.
func (s *Server) beginGuarded(c echo.Context) (node.Write, preferences, error) {
	var w node.Write
	if c.Request().Header[headContext] != nil {
		return w, preferences{}, badRequest("header Causal-Context: this path takes If-Match instead")
	}
	p, err := s.beginWrite(c, &w)
	return w, p, err
}
