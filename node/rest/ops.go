package rest

import (
	"github.com/labstack/echo/v4"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/strictjson"
)

// operate carries out intents (inc, append, add_to_set, remove) in one
// transaction of the node's writer, on the value shown. What is not named keeps
// its bytes.
func (s *Server) operate(c echo.Context) error {
	key, err := documentKey(c)
	if err != nil {
		return err
	}
	w := &node.Write{Kind: node.Patch, Key: key}
	p, err := s.beginWrite(c, w)
	if err != nil {
		return err
	}
	ops, err := readBody(c.Request(), int64(s.engine.BodyLimit(key.Collection)))
	if err != nil {
		return err
	}
	// Refuse what is malformed before the writer has to.
	if err := checkObject(ops, node.MaxDepth+1); err != nil {
		return err
	}
	w.Create = w.IfAbsent
	w.Change = func(shown []byte) ([]byte, error) {
		body, err := strictjson.Ops(shown, ops)
		if err != nil {
			return nil, patchError(key.String(), err)
		}
		return body, nil
	}
	err = s.write(c, w, p)
	if node.KindOf(err) == node.PatchConflict {
		return s.withCurrent(c, w.Key, err)
	}
	return err
}
