package rest

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// ResolverExample is a resolver that comes with the program, to try and to begin
// one's own with. It is not stored before somebody stores it.
type ResolverExample struct {
	Name   string `json:"name"`
	About  string `json:"about"`  // the comment that its source begins with
	Source string `json:"source"` // Starlark
}

// listExamples lists the resolvers that come with the program. They are in
// memory, so every node answers at any time.
func (s *Server) listExamples(c echo.Context) error {
	return replyJSON(c.Response(), http.StatusOK, struct {
		Resolvers []ResolverExample `json:"resolvers"`
	}{filled(s.cfg.Examples)})
}
