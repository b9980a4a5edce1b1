package rest

import (
	"errors"

	"github.com/labstack/echo/v4"

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
	r := c.Request()
	kind, err := patchType(r)
	if err != nil {
		return err
	}
	patch, err := readBody(r, node.DefaultBody)
	if err != nil {
		return err
	}
	apply := strictjson.JSONPatch
	if kind == typeMerge {
		// A merge patch that is no object would replace the whole document, and
		// a document is an object: refuse it before the writer has to.
		if err := checkMergePatch(patch); err != nil {
			return err
		}
		apply = strictjson.MergePatch
		w.Create = w.IfAbsent
	}
	w.Change = func(shown []byte) ([]byte, error) {
		body, err := apply(shown, patch)
		if err != nil {
			return nil, patchError(key.String(), err)
		}
		return body, nil
	}
	err = s.write(c, w, p)
	if node.KindOf(err) == node.PatchConflict {
		return s.withCurrent(c, w, err)
	}
	return err
}

func checkMergePatch(patch []byte) error {
	err := strictjson.Check(patch, strictjson.Limits{Depth: node.MaxDepth})
	if err == nil {
		return nil
	}
	kind := node.BadJSON
	if errors.Is(err, strictjson.ErrNotObject) {
		kind = node.Invalid
	}
	return &node.Error{Op: "patch", Kind: kind, Err: err}
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
func (s *Server) withCurrent(c echo.Context, w *node.Write, err error) error {
	d, readErr := s.engine.Get(c.Request().Context(), w.Key)
	if readErr != nil {
		return readErr
	}
	return &node.Error{Op: "patch", Kind: node.PatchConflict, Key: w.Key.String(), Err: errors.Unwrap(err), Current: &d}
}
