package rest

import (
	"errors"
	"net/http"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// getDocument answers the stored bytes of what the policy shows, and says all
// about them in headers.
func (s *Server) getDocument(c echo.Context) error {
	w, r := c.Response(), c.Request()
	if r.URL.RawQuery != "" {
		q, err := readQuery(r)
		if err != nil {
			return err
		}
		if q.has("dot") {
			return s.getOldVersion(c, q)
		}
	}
	d, err := s.readDocument(c)
	if err != nil {
		return err
	}
	h := w.Header()
	s.setDocument(h, &d)
	if !d.Exists() {
		return absent(&d)
	}
	same, err := conditional(r, d.Tag, &d)
	if err != nil {
		return err
	}
	if same {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return reply(w, http.StatusOK, valueJSON, d.Shown.Body)
}

// readDocument reads the document that the path names, once the node has what
// the session asks for.
func (s *Server) readDocument(c echo.Context) (node.Document, error) {
	r := c.Request()
	key, err := documentKey(c)
	if err != nil {
		return node.Document{}, err
	}
	if _, err := readQuery(r); err != nil {
		return node.Document{}, err
	}
	if err := acceptable(r, typeJSON); err != nil {
		return node.Document{}, err
	}
	if err := s.fresh(c); err != nil {
		return node.Document{}, err
	}
	return s.engine.Get(r.Context(), key)
}

// fresh makes a read wait for its session.
func (s *Server) fresh(c echo.Context) error {
	r := c.Request()
	if r.Header[headSession] == nil && r.Header["Prefer"] == nil {
		return nil
	}
	p, err := parsePrefer(r.Header["Prefer"])
	if err != nil {
		return err
	}
	if _, err := s.await(r, p); err != nil {
		return err
	}
	p.setApplied(c.Response().Header(), false)
	return nil
}

// freshJSON is fresh for what is answered as JSON alone: who wants something else
// need not wait.
func (s *Server) freshJSON(c echo.Context) error {
	if err := acceptable(c.Request(), typeJSON); err != nil {
		return err
	}
	return s.fresh(c)
}

// absent says that a document has no value to show.
func absent(d *node.Document) error {
	if len(d.Live) > 0 {
		return &node.Error{Op: "get", Kind: node.Deleted, Key: d.Key.String(), Err: errors.New("the document was deleted")}
	}
	return &node.Error{Op: "get", Kind: node.NotFound, Key: d.Key.String(), Err: errors.New("there is no such document")}
}

// getSiblings lists the live versions of one document, tombstones too.
func (s *Server) getSiblings(c echo.Context) error {
	d, err := s.readDocument(c)
	if err != nil {
		return err
	}
	h := c.Response().Header()
	s.setDocument(h, &d)
	if len(d.Live) == 0 {
		return absent(&d)
	}
	b := appendText([]byte(`{"etag":`), quotedTag(&d))
	b = appendText(append(b, `,"context":`...), h[headContext][0])
	b = appendSiblings(append(b, `,"siblings":`...), d.Live)
	return reply(c.Response(), http.StatusOK, valueJSON, append(b, '}'))
}

func (s *Server) putDocument(c echo.Context) error {
	key, err := documentKey(c)
	if err != nil {
		return err
	}
	return s.writeBody(c, &node.Write{Kind: node.Put, Key: key})
}

// createDocument makes a document under an id of the server's.
func (s *Server) createDocument(c echo.Context) error {
	name, err := collection(c)
	if err != nil {
		return err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	key := conflict.Key{Collection: name, ID: conflict.DocID(id.String())}
	return s.writeBody(c, &node.Write{Kind: node.Put, Key: key, IfAbsent: true})
}

func (s *Server) writeBody(c echo.Context, w *node.Write) error {
	p, err := s.beginWrite(c, w)
	if err != nil {
		return err
	}
	if w.Body, err = readBody(c.Request(), int64(s.engine.BodyLimit(w.Key.Collection))); err != nil {
		return err
	}
	return s.write(c, w, p)
}

func (s *Server) deleteDocument(c echo.Context) error {
	key, err := documentKey(c)
	if err != nil {
		return err
	}
	w := &node.Write{Kind: node.Delete, Key: key}
	p, err := s.beginWrite(c, w)
	if err != nil {
		return err
	}
	return s.write(c, w, p)
}

// beginWrite reads the headers of a write into it, before its body.
func (s *Server) beginWrite(c echo.Context, w *node.Write) (preferences, error) {
	r := c.Request()
	if err := acceptable(r, typeJSON); err != nil {
		return preferences{}, err
	}
	if err := refuseUnbuilt(r); err != nil {
		return preferences{}, err
	}
	p, err := parsePrefer(r.Header["Prefer"])
	if err != nil {
		return p, err
	}
	return p, s.preconditions(r.Header, w)
}

// write carries out a write of one document and answers it.
func (s *Server) write(c echo.Context, w *node.Write, p preferences) error {
	return s.carryOut(c, w, p, func() (node.Written, error) { return s.engine.Write(c.Request().Context(), *w) })
}

// carryOut is write by a function that does it, once the node has what the
// session asks for.
func (s *Server) carryOut(c echo.Context, w *node.Write, p preferences, do func() (node.Written, error)) error {
	rw, r := c.Response(), c.Request()
	var err error
	if w.Session, err = s.await(r, p); err != nil {
		return err
	}
	out, err := do()
	h := rw.Header()
	if !out.Dot.IsZero() {
		s.setDocument(h, &out.After) // also when it came too late to be sure
	}
	if err != nil {
		return err
	}
	if p.minimal || p.waits {
		p.setApplied(h, p.minimal)
	}
	status := http.StatusOK
	if out.Created && w.Kind != node.Delete {
		status = http.StatusCreated
		h[headLocation] = []string{path(w.Key)}
	}
	if p.minimal {
		rw.WriteHeader(http.StatusNoContent)
		return nil
	}
	b := make([]byte, 0, len(`{"id":,"dot":,"ack":"local"}`)+len(w.Key.ID)+maxDotText)
	return reply(rw, status, valueJSON, appendWritten(b, string(w.Key.ID), out.Dot))
}

// appendWritten appends the answer to a write of one document.
func appendWritten(b []byte, id string, dot vclock.Dot) []byte {
	b = appendText(append(b, `{"id":`...), id)
	b = appendText(append(b, `,"dot":`...), dot.String())
	return append(b, `,"ack":"local"}`...)
}

// maxDotText is about the longest text of a dot with its quotes, in bytes.
const maxDotText = 72
