package server

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/wire"
)

// Limits of the API.
const (
	// MaxHeaderBytes is the most bytes of a request's line and headers.
	MaxHeaderBytes = 16 << 10
	// MaxBody is the most bytes of a request's body: a fault.
	MaxBody = 4 << 10

	headerTimeout = 10 * time.Second // for a request's headers to come
	bodyTimeout   = 30 * time.Second // for a request with its body to come
	replyTimeout  = 30 * time.Second // from a request's headers to the end of the answer
	idleTimeout   = 2 * time.Minute  // for a connection to lie idle
	drainTimeout  = 5 * time.Second  // for requests to end when the server stops

	typePrefix = "/docs/problems/" // of a problem's type, which ends in its code
	traceBytes = 8                 // random bytes of a trace id
	faultsPath = "/v1/chaos/faults"
)

// Kinds of problems of HTTP's own, which the core never has.
const (
	misdirected      node.Kind = "misdirected"
	methodNotAllowed node.Kind = "method_not_allowed"
	unknownRoute     node.Kind = "unknown_route"
	forbiddenHost    node.Kind = "forbidden_host"
	crossOrigin      node.Kind = "cross_origin"
)

// statuses are the kinds that this API answers.
var statuses = map[node.Kind]struct {
	status int
	title  string
}{
	misdirected:      {http.StatusMisdirectedRequest, "A witness stores no documents"},
	methodNotAllowed: {http.StatusMethodNotAllowed, "The path does not have this method"},
	unknownRoute:     {http.StatusNotFound, "There is no such path"},
	forbiddenHost:    {http.StatusForbidden, "The Host header names no address of this cluster"},
	crossOrigin:      {http.StatusForbidden, "A page of another site may not write here"},
	node.NotBuilt:    {http.StatusNotImplemented, "This build does not have it yet"},
	node.NotFound:    {http.StatusNotFound, "There is no such thing"},
	node.BadJSON:     {http.StatusBadRequest, "The body is not strict JSON"},
	node.BadRequest:  {http.StatusBadRequest, "The request cannot be read"},
	node.Invalid:     {http.StatusUnprocessableEntity, "The request is well-formed but wrong"},
	node.TooLarge:    {http.StatusRequestEntityTooLarge, "The body is too large"},
	node.Busy:        {http.StatusServiceUnavailable, "This process is too busy"},
	node.Draining:    {http.StatusServiceUnavailable, "The process is stopping"},
	node.Bug:         {http.StatusInternalServerError, "This is a fault of the server"},
}

// route is what a path has, by method.
type route map[string]func(http.ResponseWriter, *http.Request) error

func (s *Server) makeRoutes() map[string]route {
	metrics := promhttp.HandlerFor(s.cfg.Metrics, promhttp.HandlerOpts{})
	get := func(do func(http.ResponseWriter, *http.Request) error) route { return route{http.MethodGet: do} }
	return map[string]route{
		"/v1/cluster":       get(s.getCluster),
		"/v1/cluster/votes": get(s.getVotes),
		"/v1/events":        get(s.getEvents),
		faultsPath:          {http.MethodGet: s.listFaults, http.MethodPost: s.addFault, http.MethodDelete: s.healFaults},
		"/livez":            get(s.getLive),
		"/readyz":           get(s.getReady),
		"/version":          get(s.getVersion),
		"/metrics":          get(func(w http.ResponseWriter, r *http.Request) error { metrics.ServeHTTP(w, r); return nil }),
	}
}

// find returns what a path has; nil: the path belongs to a data node.
func (s *Server) find(path string) route {
	if r := s.routes[path]; r != nil {
		return r
	}
	if id, ok := strings.CutPrefix(path, faultsPath+"/"); ok && id != "" && !strings.Contains(id, "/") {
		return route{http.MethodGet: s.getFault, http.MethodDelete: s.healFault}
	}
	return nil
}

// ServeHTTP is the API.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Node", s.name)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	defer s.recovered(w, r)
	answered, err := s.admit(w, r)
	if answered {
		return
	}
	if err == nil {
		err = s.serve(w, r)
	}
	if err != nil {
		s.fail(w, err)
	}
}

// recovered answers for a handler that panicked. Each writes its answer as the
// last thing that it does, so nothing has been answered yet.
func (s *Server) recovered(w http.ResponseWriter, r *http.Request) {
	if p := recover(); p != nil {
		s.fail(w, fmt.Errorf("%s %s: panic: %v\n%s", r.Method, r.URL.Path, p, debug.Stack()))
	}
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) error {
	has := s.find(r.URL.Path)
	if has == nil {
		return &node.Error{Op: "request", Kind: misdirected, Err: fmt.Errorf(
			"%s is a witness: it votes and stores no documents; ask a data node, candidates lists them", s.name)}
	}
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	do := has[method]
	if do == nil {
		w.Header().Set("Allow", allow(has))
		return &node.Error{Op: "request", Kind: methodNotAllowed, Err: errors.New("this path does not have the method; Allow lists those that it has")}
	}
	return do(w, r)
}

// allow lists the methods of a route. HEAD goes with GET.
func allow(has route) string {
	methods := slices.Collect(maps.Keys(has))
	if has[http.MethodGet] != nil {
		methods = append(methods, http.MethodHead)
	}
	slices.Sort(methods)
	return strings.Join(methods, ", ")
}

// Serve answers requests on a listener until the context ends, and then lets
// those that are under way end. The error is the listener's, or nil.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	server := &http.Server{
		Handler: s, MaxHeaderBytes: MaxHeaderBytes, ReadHeaderTimeout: headerTimeout, ReadTimeout: bodyTimeout,
		WriteTimeout: replyTimeout, IdleTimeout: idleTimeout,
		ErrorLog: slog.NewLogLogger(s.cfg.Log.Handler(), slog.LevelDebug),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("witness: serve %s: %w", listener.Addr(), err)
	case <-ctx.Done():
	}
	s.stopNow()
	finish, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	if server.Shutdown(finish) != nil {
		_ = server.Close() // what has not ended by now is broken off
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("witness: serve %s: %w", listener.Addr(), err)
	}
	return nil
}

func reply(w http.ResponseWriter, status int, body any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(status)
	_, _ = w.Write(b) // a client that has gone needs no answer
	return nil
}

// problem is the body of every error (RFC 9457).
type problem struct {
	Type    string    `json:"type"`
	Title   string    `json:"title"`
	Status  int       `json:"status"`
	Detail  string    `json:"detail"`
	Code    node.Kind `json:"code"`
	Node    string    `json:"node"`
	TraceID string    `json:"trace_id"`
	// misdirected
	WritableNodes []string    `json:"writable_nodes,omitzero"`
	Candidates    []candidate `json:"candidates,omitzero"`
	// too_large
	Limit int64 `json:"limit,omitempty"`
}

// candidate is a data node.
type candidate struct {
	Name      string     `json:"name"`
	API       string     `json:"api"`
	LastHeard *time.Time `json:"last_heard"` // null: never in this run
}

// fail answers with a problem.
func (s *Server) fail(w http.ResponseWriter, err error) {
	kind := node.KindOf(err)
	row, ok := statuses[kind]
	if !ok {
		kind, row = node.Bug, statuses[node.Bug]
	}
	trace := make([]byte, traceBytes)
	_, _ = rand.Read(trace) // never fails, as its documentation says
	p := problem{
		Type: typePrefix + string(kind), Title: row.title, Status: row.status, Detail: err.Error(),
		Code: kind, Node: s.name, TraceID: hex.EncodeToString(trace),
	}
	switch kind {
	case misdirected:
		p.WritableNodes, p.Candidates = s.dataNodes()
	case node.TooLarge:
		p.Limit = MaxBody
	case node.Bug: // inner workings help nobody outside, and may tell too much
		p.Detail = "an internal error; the log of " + s.name + " has the cause beside trace_id " + p.TraceID
		s.cfg.Log.Error("a request failed", "trace_id", p.TraceID, "error", err)
	default: // the detail says all
	}
	if err := reply(problemWriter{w}, row.status, p); err != nil {
		panic(err) // a problem is plain data
	}
}

// problemWriter marks the body as a problem.
type problemWriter struct{ http.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (w problemWriter) WriteHeader(status int) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.ResponseWriter.WriteHeader(status)
}

// dataNodes are the data nodes, and those of them that have the vote.
func (s *Server) dataNodes() (writable []string, all []candidate) {
	state := s.state()
	s.mu.Lock()
	defer s.mu.Unlock()
	writable, all = s.urls(names(state.Holders)), []candidate{}
	for _, m := range s.cfg.Members {
		if m.Role == wire.RoleData {
			all = append(all, candidate{m.Name, url(m), stamped(s.contact[m.Name].heard)})
		}
	}
	return writable, all
}

// urls are the addresses of members' APIs, without those that have none.
func (s *Server) urls(names []string) []string {
	out := []string{}
	for _, m := range s.cfg.Members {
		if u := url(m); u != "" && slices.Contains(names, m.Name) {
			out = append(out, u)
		}
	}
	return out
}

func url(m Member) string {
	if m.API == "" {
		return ""
	}
	return "http://" + m.API
}

// stamped is a time as JSON shows it: null when it is not known.
func stamped(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func (s *Server) getLive(w http.ResponseWriter, _ *http.Request) error {
	return reply(w, http.StatusOK, health{"ok", s.name})
}

// getReady says that ballots are answered. A witness takes no writes, ever.
func (s *Server) getReady(w http.ResponseWriter, r *http.Request) error {
	if r.URL.Query().Has("write") {
		return &node.Error{Op: "ready", Kind: misdirected, Err: fmt.Errorf("%s is a witness and takes no writes", s.name)}
	}
	return reply(w, http.StatusOK, health{"ready", s.name})
}

type health struct {
	Status string `json:"status"`
	Node   string `json:"node"`
}

func (s *Server) getVersion(w http.ResponseWriter, _ *http.Request) error {
	return reply(w, http.StatusOK, struct {
		Build   string    `json:"build"`
		Go      string    `json:"go"`
		Node    string    `json:"node"`
		Started time.Time `json:"started"`
	}{s.cfg.Build, runtime.Version(), s.name, s.started.UTC()})
}
