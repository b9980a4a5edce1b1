package rest

import (
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/syncline/syncline/node"
)

// endpoint is one method of one path.
type endpoint struct {
	method, path string
	handler      echo.HandlerFunc
}

// built are the routes of this build. HEAD goes with every GET.
func (s *Server) built() []endpoint {
	const get, put, patch, post, del = http.MethodGet, http.MethodPut, http.MethodPatch, http.MethodPost, http.MethodDelete
	return append(s.builtChaos(), []endpoint{
		{get, "/v1/collections", s.listCollections},
		{get, "/v1/collections/:c", s.getCollection},
		{put, "/v1/collections/:c", s.putCollection},
		{patch, "/v1/collections/:c", s.patchCollection},
		{del, "/v1/collections/:c", s.deleteCollection},
		{get, "/v1/docs/:c", s.listDocuments},
		{post, "/v1/docs/:c", s.createDocument},
		{get, "/v1/docs/:c/:id", s.getDocument},
		{put, "/v1/docs/:c/:id", s.putDocument},
		{patch, "/v1/docs/:c/:id", s.patchDocument},
		{del, "/v1/docs/:c/:id", s.deleteDocument},
		{get, "/v1/docs/:c/:id/siblings", s.getSiblings},
		{get, "/v1/docs/:c/:id/history", s.getHistory},
		{get, "/v1/docs/:c/:id/explain", s.getExplanation},
		{post, "/v1/docs/:c/:id/ops", s.operate},
		{post, "/v1/docs/:c/:id/restore", s.restoreDocument},
		{post, "/v1/bulk/:c", s.bulk},
		{get, "/v1/changes", s.changes},
		{get, "/v1/conflicts", s.listConflicts},
		{post, "/v1/conflicts/resolve", s.resolveConflicts},
		{get, "/v1/conflicts/:id", s.getConflict},
		{post, "/v1/conflicts/:id/resolve", s.resolveConflict},
		{post, "/v1/conflicts/:id/restore", s.restoreConflict},
		{post, "/v1/conflicts/:id/revert", s.revertConflict},
		{post, "/v1/conflicts/:id/review", s.reviewConflict},
		{get, "/v1/examples/resolvers", s.listExamples},
		{get, "/v1/resolvers", s.listResolvers},
		{post, "/v1/resolvers/check", s.checkResolver},
		{get, "/v1/resolvers/:name", s.getResolver},
		{put, "/v1/resolvers/:name", s.putResolver},
		{del, "/v1/resolvers/:name", s.deleteResolver},
		{get, "/v1/resolvers/:name/versions", s.listVersions},
		{post, "/v1/resolvers/:name/rollback", s.rollbackResolver},
		{post, "/v1/resolvers/:name/dry-run", s.dryRunResolver},
		{get, "/v1/cluster", s.getCluster},
		{get, "/v1/cluster/links", s.getLinks},
		{get, "/v1/cluster/votes", s.getVotes},
		{get, "/v1/cluster/divergence", s.getDivergence},
		{get, "/v1/cluster/divergence/keys", s.getDifferences},
		{get, "/v1/verify", s.getVerify},
		{get, "/v1/events", s.getEvents},
		{get, "/v1/timeline", s.getTimeline},
		{get, "/livez", s.getLive},
		{get, "/readyz", s.getReady},
		{get, "/metrics", echo.WrapHandler(promhttp.HandlerFor(s.cfg.Metrics, promhttp.HandlerOpts{}))},
		{get, "/version", s.getVersion},
		{get, "/openapi.json", s.getOpenAPI},
		{get, "/docs/", s.getDocs},
		{get, "/docs/problems/:code", s.getProblemPage},
		{get, "/", s.goToPage},
		{get, "/ui", s.goToPage},
		{get, "/ui/*", s.getPage},
	}...)
}

// builtChaos are those that break things, and mend them.
func (s *Server) builtChaos() []endpoint {
	const get, post, del = http.MethodGet, http.MethodPost, http.MethodDelete
	return []endpoint{
		{get, "/v1/chaos/faults", s.listFaults},
		{post, "/v1/chaos/faults", s.addFault},
		{del, "/v1/chaos/faults", s.healFaults},
		{get, "/v1/chaos/faults/:id", s.getFault},
		{del, "/v1/chaos/faults/:id", s.healFault},
		{get, "/v1/chaos/scripts", s.listScripts},
		{get, "/v1/chaos/scripts/:name", s.getScript},
		{post, "/v1/chaos/scripts/:name/run", s.runScript},
		{get, "/v1/chaos/runs", s.listRuns},
		{get, "/v1/chaos/runs/:id", s.getRun},
		{del, "/v1/chaos/runs/:id", s.stopRun},
		{get, "/v1/chaos/presets", s.listPresets},
		{post, "/v1/chaos/presets/:name", s.setPreset},
		{post, "/v1/chaos/heal", s.healCluster},
	}
}

// promised are the routes of API.md that this build answers with not_built.
const promised = `
POST   /v1/cluster/roster
POST   /v1/cluster/forget
POST   /v1/cluster/override
GET    /v1/receipts/:dot
POST   /v1/verify/repair
GET    /v1/admin/backup
POST   /v1/admin/compact
GET    /v1/admin/tokens
POST   /v1/admin/tokens
DELETE /v1/admin/tokens
GET    /v1/admin/audit
`

func unbuilt() []endpoint {
	var out []endpoint
	for line := range strings.Lines(promised) {
		if f := strings.Fields(line); len(f) > 0 {
			out = append(out, endpoint{f[0], f[1], answerNotBuilt})
		}
	}
	return out
}

func answerNotBuilt(c echo.Context) error {
	return notBuilt("the API promises " + c.Request().Method + " " + c.Path() + ", and this build does not have it yet")
}

// route makes the routes. What all of them have in common is wrapped around
// each handler here, once.
func (s *Server) route() {
	e := echo.New()
	e.IPExtractor = echo.ExtractIPDirect()
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		s.fail(c.Response(), c.Request(), err)
		s.metrics.other.count(c.Response().Status, 0)
	}
	endpoints := slices.Concat(s.built(), unbuilt())
	for _, p := range endpoints {
		e.Add(p.method, p.path, s.wrap(p))
		if p.method == http.MethodGet {
			e.Add(http.MethodHead, p.path, s.wrap(endpoint{http.MethodHead, p.path, p.handler}))
		}
	}
	s.echo = e
}

// wrap answers a handler's error, catches its panic, and counts.
func (s *Server) wrap(p endpoint) echo.HandlerFunc {
	counters, handler := s.metrics.route(p.path, p.method), p.handler
	ofCollection := strings.HasPrefix(p.path, "/v1/docs/:c") || strings.HasPrefix(p.path, "/v1/bulk/:c")
	return func(c echo.Context) error {
		begun := time.Now()
		defer func() {
			if v := recover(); v != nil {
				s.panicked(c, v)
			}
			counters.count(c.Response().Status, time.Since(begun))
		}()
		if ofCollection {
			s.speakOf(c)
		}
		if err := handler(c); err != nil {
			s.answer(c, err)
		}
		return nil
	}
}

// answer sends a handler's error. Where the answer has begun already there is
// nothing to send it with: the connection is broken off.
func (s *Server) answer(c echo.Context, err error) {
	if c.Response().Committed {
		panic(http.ErrAbortHandler)
	}
	s.fail(c.Response(), c.Request(), err)
}

// panicked turns a panic into the answer that this is our fault. The stack
// goes to the log, and to nobody else.
func (s *Server) panicked(c echo.Context, v any) {
	if v == http.ErrAbortHandler { //nolint:errorlint // a panic's value, which is this very one
		panic(v)
	}
	s.cfg.Log.Error("a handler panicked", "path", c.Path(), "panic", v, "stack", string(debug.Stack()))
	if c.Response().Committed {
		panic(http.ErrAbortHandler)
	}
	s.fail(c.Response(), c.Request(), &node.Error{Op: "request", Kind: node.Bug, Err: fmt.Errorf("panic: %v", v)})
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.stamp(w.Header())
	answered, err := s.admit(w, r)
	switch {
	case err != nil:
		s.fail(w, r, err)
	case !answered:
		s.echo.ServeHTTP(w, r)
	}
}
