package rest

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/strictjson"
)

// patchDocument changes a document in one transaction of the node's writer,
// on the value shown. Members that are not touched keep their bytes.
func (s *Server) patchDocument(c echo.Context) error {
	key, err := documentKey(c)
	if err != nil {
		return err
	}
	w := &node.Write{Kind: node.Patch, Key: key}
	p, err := s.beginWrite(c, w)
	if err != nil {
		return err
	}
	patch, err := readPatch(c.Request(), key.String(), s.engine.BodyLimit(key.Collection))
	if err != nil {
		return err
	}
	w.Change, w.Create = patch.change, patch.merges && w.IfAbsent
	err = s.write(c, w, p)
	if node.KindOf(err) == node.PatchConflict {
		return s.withCurrent(c, w.Key, err)
	}
	return err
}

// patchBody is a patch that a request brought.
type patchBody struct {
	merges bool // it is a merge patch
	change func(shown []byte) ([]byte, error)
}

// readPatch reads a patch of either kind, of at most limit bytes.
func readPatch(r *http.Request, key string, limit int) (patchBody, error) {
	kind, err := patchType(r)
	if err != nil {
		return patchBody{}, err
	}
	patch, err := readBody(r, int64(limit))
	if err != nil {
		return patchBody{}, err
	}
	apply := strictjson.JSONPatch
	if kind == typeMerge {
		// A merge patch that is no object would replace the whole document, and
		// a document is an object: refuse it before the writer has to.
		if err := checkObject(patch, node.MaxDepth); err != nil {
			return patchBody{}, err
		}
		apply = strictjson.MergePatch
	}
	return patchBody{merges: kind == typeMerge, change: func(shown []byte) ([]byte, error) {
		body, err := apply(shown, patch)
		if err != nil {
			return nil, patchError(key, err)
		}
		return body, nil
	}}, nil
}

// patchError says what kind of failure a patch's is.
func patchError(key string, err error) error {
	kind := node.Bug
	if _, ok := errors.AsType[*strictjson.Error](err); ok {
		kind = node.BadJSON
	}
	switch {
	case errors.Is(err, strictjson.ErrPatchFailed):
		kind = node.PatchConflict
	case errors.Is(err, strictjson.ErrPatchInvalid):
		kind = node.Invalid
	case errors.Is(err, strictjson.ErrPatchTooBig):
		kind = node.TooLarge
	case errors.Is(err, strictjson.ErrBadDocument):
		kind = node.Corrupt
	}
	return &node.Error{Op: "patch", Kind: kind, Key: key, Err: err}
}

// withCurrent adds to a failed patch what is there now, so that no second read
// is needed.
func (s *Server) withCurrent(c echo.Context, key conflict.Key, err error) error {
	d, readErr := s.engine.Get(c.Request().Context(), key)
	if readErr != nil {
		return readErr
	}
	return &node.Error{Op: "patch", Kind: node.PatchConflict, Key: key.String(), Err: errors.Unwrap(err), Current: &d}
}
