package rest

import (
	_ "embed"
	"errors"
	"net/http"
	"runtime"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/syncline/syncline/node"
)

//go:embed openapi.json
var openAPI []byte

type health struct {
	Status string `json:"status"`
	Node   string `json:"node"`
}

// getLive says that the process runs.
func (s *Server) getLive(c echo.Context) error {
	return replyJSON(c.Response(), http.StatusOK, health{"ok", s.cfg.Node})
}

// getReady says whether requests may be sent here. A read-only node is ready;
// with ?write it is not, so that a balancer can split reads and writes.
func (s *Server) getReady(c echo.Context) error {
	q, err := readQuery(c.Request())
	if err != nil {
		return err
	}
	if s.stop.Err() != nil {
		return &node.Error{Op: "ready", Kind: node.Draining, Err: errors.New("the process is stopping")}
	}
	if q.has("write") {
		if err := s.engine.MayWrite(); err != nil {
			return err
		}
	}
	return replyJSON(c.Response(), http.StatusOK, health{"ready", s.cfg.Node})
}

func (s *Server) getVersion(c echo.Context) error {
	return replyJSON(c.Response(), http.StatusOK, struct {
		Build   string    `json:"build"`
		Go      string    `json:"go"`
		Node    string    `json:"node"`
		Started time.Time `json:"started"`
	}{s.cfg.Build, runtime.Version(), s.cfg.Node, s.started.UTC()})
}

func (s *Server) getOpenAPI(c echo.Context) error {
	c.Response().Header()[headCache] = valueNoCache
	return reply(c.Response(), http.StatusOK, valueJSON, openAPI)
}
