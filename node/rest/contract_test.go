package rest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/web"
)

// described is openapi.json as far as the tests read it.
type described struct {
	Paths map[string]map[string]struct {
		Responses map[string]any `json:"responses"`
	} `json:"paths"`
	Components struct {
		Responses map[string]any `json:"responses"`
	} `json:"components"`
}

func readDescription(t *testing.T) described {
	t.Helper()
	var d described
	if err := json.Unmarshal(openAPI, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// described turns a route of echo's into a path of the description.
func describedPath(path string) string {
	path = regexp.MustCompile(`:(\w+)`).ReplaceAllString(path, "{$1}")
	return strings.Replace(path, "/ui/*", "/ui/{file}", 1)
}

// "every route is in it" (OpenAPI), and nothing else is.
func TestDescriptionHasEveryRoute(t *testing.T) {
	s := newStand(t, nil)
	var routes, paths []string
	for _, p := range slices.Concat(s.server.built(), unbuilt()) {
		routes = append(routes, p.method+" "+describedPath(p.path))
	}
	for path, methods := range readDescription(t).Paths {
		for method := range methods {
			paths = append(paths, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(routes)
	slices.Sort(paths)
	for _, r := range routes {
		if !slices.Contains(paths, r) {
			t.Errorf("%s is not described", r)
		}
	}
	for _, p := range paths {
		if !slices.Contains(routes, p) {
			t.Errorf("%s is described, and there is no such route", p)
		}
	}
	if len(routes) < 60 {
		t.Errorf("only %d routes", len(routes))
	}
}

// call is one request of the contract and what it must be answered.
type call struct {
	method, target, body string
	status               int
	code                 string // of the problem; empty for a success
	headers              []string
}

// world is a state of the node in which calls are made.
type world struct {
	name  string
	setup func(*stand)
	each  func(*stand)        // before each call
	make  func(*stand) []call // calls that need tokens of the node's
	calls []call
	// changes says that the calls are meant to change something.
	changes bool
}

const (
	doc    = "/v1/docs/accounts/alice"
	fresh  = "/v1/docs/accounts/new"
	gone   = "/v1/docs/accounts/gone"
	nobody = "/v1/docs/accounts/nobody"
)

// "every documented status is produced by a test"; "Every malformed request of
// API.md's table gets its status and a problem body, and changes nothing".
func TestContract(t *testing.T) {
	produced := map[string]bool{}
	for _, w := range slices.Concat(successes(t), refusals(), malformed(), unbuiltCalls(), conflictWorlds(), pastWorlds(), resolverWorlds(), eventWorlds(), chaosWorlds()) {
		t.Run(w.name, func(t *testing.T) { w.run(t, produced) })
	}
	for path, methods := range readDescription(t).Paths {
		for method, operation := range methods {
			for status := range operation.Responses {
				key := strings.ToUpper(method) + " " + path + " " + status
				if !produced[key] {
					t.Errorf("%s is described, and no test produces it", key)
				}
				delete(produced, key)
			}
		}
	}
	general := []string{"403", "405", "406", "500"}
	for key := range produced {
		f := strings.Fields(key)
		if f[0] != "OPTIONS" && f[0] != "HEAD" && !slices.Contains(general, f[2]) {
			t.Errorf("%s is produced, and not described", key)
		}
	}
}

// run makes the calls of a world on a node of its own.
func (w *world) run(t *testing.T, produced map[string]bool) {
	s := newStand(t, func(c *Config) {
		if !strings.Contains(w.name, "without chaos") {
			withChaos(c)
		}
	})
	s.must(201, "PUT", doc, `{"balance":120}`)
	s.must(201, "PUT", gone, `{}`)
	s.must(200, "DELETE", gone, "")
	s.seen = func(method, path string, status int) {
		if route := s.routeOf(method, path); route != "" {
			produced[fmt.Sprintf("%s %s %d", method, route, status)] = true
		}
	}
	if w.setup != nil {
		w.setup(s)
	}
	if w.make != nil {
		w.calls = w.make(s)
	}
	for _, c := range w.calls {
		if w.each != nil {
			w.each(s)
		}
		name := c.method + " " + c.target
		before := s.state()
		a := s.send(c.method, c.target, c.body, c.headers...)
		if a.status != c.status {
			t.Errorf("%s %v: status %d, want %d: %.300s", name, c.headers, a.status, c.status, a.body)
			continue
		}
		if c.code != "" && c.method != "HEAD" {
			if got := a.code(t); got != c.code {
				t.Errorf("%s %v: code %s, want %s: %s", name, c.headers, got, c.code, a.body)
			}
			if got := a.header.Get("Cache-Control"); got != "no-store" {
				t.Errorf("%s: an error with Cache-Control %q", name, got)
			}
		}
		for _, h := range []string{"Node", "Write-State", "Replication-Lag", "Session", "X-Content-Type-Options"} {
			if a.header.Get(h) == "" {
				t.Errorf("%s: no header %s", name, h)
			}
		}
		if !w.changes && s.state() != before {
			t.Errorf("%s %v: answered %d and changed something", name, c.headers, a.status)
		}
	}
}

// routeOf is the described path of a request, empty when it has none.
func (s *stand) routeOf(method, path string) string {
	c := s.server.echo.NewContext(httptest.NewRequestWithContext(s.t.Context(), method, path, nil), nil)
	s.server.echo.Router().Find(method, path, c)
	if c.Path() == "" {
		return ""
	}
	return describedPath(c.Path())
}

func merge(headers ...string) []string { return headers }

const asPatch = "Content-Type: application/json-patch+json"

// successes are what the API does when all is well.
func successes(t *testing.T) []world {
	t.Helper()
	minimal := merge("Prefer: return=minimal")
	return []world{{name: "all is well", changes: true, calls: []call{
		{method: "GET", target: "/v1/docs/accounts", status: 200},
		{method: "POST", target: "/v1/docs/accounts", body: `{}`, status: 201},
		{method: "POST", target: "/v1/docs/accounts", body: `{}`, status: 204, headers: minimal},
		{method: "GET", target: doc, status: 200},
		{method: "GET", target: doc, status: 304, headers: merge("If-None-Match: *")},
		{method: "PUT", target: doc, body: `{}`, status: 200},
		{method: "PUT", target: fresh, body: `{}`, status: 201},
		{method: "PUT", target: fresh, body: `{}`, status: 204, headers: minimal},
		{method: "PATCH", target: doc, body: `{"a":1}`, status: 200},
		{method: "PATCH", target: "/v1/docs/accounts/made", body: `{"a":1}`, status: 201, headers: merge("If-None-Match: *")},
		{method: "PATCH", target: doc, body: `{"a":2}`, status: 204, headers: minimal},
		{method: "GET", target: doc + "/siblings", status: 200},
		{method: "DELETE", target: doc, status: 200},
		{method: "DELETE", target: fresh, status: 204, headers: minimal},
		{method: "POST", target: "/v1/bulk/accounts", body: `{"id":"x","doc":{}}`, status: 200},
		{method: "POST", target: "/v1/bulk/accounts?atomic=true", body: `{"id":"x","delete":true}`, status: 200},
		{method: "GET", target: "/v1/changes", status: 200},
		{method: "GET", target: "/v1/cluster", status: 200},
		{method: "GET", target: "/v1/cluster/links", status: 200},
		{method: "GET", target: "/v1/cluster/votes", status: 200},
		{method: "GET", target: "/v1/cluster/divergence", status: 200},
		{method: "GET", target: "/v1/verify", status: 200},
		{method: "POST", target: "/v1/chaos/faults", body: `{"from":"b","to":"a","kind":"cut","both":true,"duration":"30s"}`, status: 201},
		{method: "GET", target: "/v1/chaos/faults", status: 200},
		{method: "GET", target: "/v1/chaos/faults/f1", status: 200},
		{method: "DELETE", target: "/v1/chaos/faults/f1", status: 200},
		{method: "DELETE", target: "/v1/chaos/faults?from=a&to=b&both=true", status: 200},
		{method: "DELETE", target: "/v1/chaos/faults?from=a", status: 400, code: "bad_request"},
		{method: "DELETE", target: "/v1/chaos/faults", status: 200},
		{method: "GET", target: "/livez", status: 200},
		{method: "GET", target: "/readyz", status: 200},
		{method: "GET", target: "/readyz?write", status: 200},
		{method: "GET", target: "/metrics", status: 200},
		{method: "GET", target: "/version", status: 200},
		{method: "GET", target: "/openapi.json", status: 200},
		{method: "GET", target: "/docs/", status: 200},
		{method: "GET", target: "/docs/problems/read_only", status: 200},
		{method: "GET", target: "/", status: 302},
		{method: "GET", target: "/ui", status: 302},
		{method: "GET", target: "/ui/", status: 200},
		{method: "GET", target: "/ui/sign.svg", status: 200},
		{method: "GET", target: "/ui/", status: 304, headers: merge("If-None-Match: " + pageTag(t))},
		{method: "OPTIONS", target: doc, status: 204},
	}}}
}

// pageTag is the entity tag of the page.
func pageTag(t *testing.T) string {
	t.Helper()
	page, err := web.New()
	if err != nil {
		t.Fatal(err)
	}
	rec := httptest.NewRecorder()
	page.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
	return rec.Header().Get("ETag")
}

// everyWrite is one write of each kind that is well-formed.
func everyWrite(status int, code string) []call {
	return []call{
		{method: "POST", target: "/v1/docs/accounts", body: `{}`, status: status, code: code},
		{method: "PUT", target: doc, body: `{}`, status: status, code: code},
		{method: "PATCH", target: doc, body: `{}`, status: status, code: code},
		{method: "DELETE", target: doc, status: status, code: code},
		{method: "POST", target: "/v1/bulk/accounts", body: `{"id":"x","doc":{}}`, status: status, code: code},
		{method: "POST", target: "/v1/bulk/accounts?atomic=true", body: `{"id":"x","doc":{}}`, status: status, code: code},
	}
}

// refusals are well-formed requests that a node cannot carry out.
func refusals() []world {
	return []world{
		{name: "read-only", setup: func(s *stand) { s.vote.set(cut(), 0) }, calls: append(everyWrite(503, "read_only"),
			call{method: "GET", target: "/readyz", status: 200},
			call{method: "GET", target: "/readyz?write", status: 503, code: "read_only"},
			call{method: "GET", target: doc, status: 200})},
		{name: "the lease is lost", changes: true, setup: func(s *stand) { s.vote.lost = true }, calls: slices.DeleteFunc(everyWrite(504, "lease_lost"), func(c call) bool {
			return c.target == "/v1/bulk/accounts" // each line has its own status
		})},
		{name: "stopping", setup: func(s *stand) { s.engine.Drain() }, calls: everyWrite(503, "draining")},
		{name: "a bug", setup: func(s *stand) { s.cluster.bug = true }, calls: []call{
			{method: "GET", target: "/v1/cluster/links", status: 500, code: "bug"},
		}},
		{name: "the disk is full", each: func(s *stand) {
			s.store.FailNext(&node.Error{Op: "commit", Kind: node.DiskFull, Err: errors.New("no space left")}, false)
		}, calls: everyWrite(507, "disk_full")},
		{name: "without chaos", calls: []call{
			{method: "GET", target: "/v1/chaos/faults", status: 404, code: "unknown_route"},
			{method: "POST", target: "/v1/chaos/faults", body: `{}`, status: 404, code: "unknown_route"},
			{method: "DELETE", target: "/v1/chaos/faults", status: 404, code: "unknown_route"},
			{method: "GET", target: "/v1/chaos/faults/f1", status: 404, code: "unknown_route"},
			{method: "DELETE", target: "/v1/chaos/faults/f1", status: 404, code: "unknown_route"},
		}},
	}
}

// Every kind of the core has a row, and no two kinds of the API differ only in
// their title.
func TestEveryKindHasARow(t *testing.T) {
	source, err := os.ReadFile("../errors.go")
	if err != nil {
		t.Fatal(err)
	}
	kinds := regexp.MustCompile(`(?m)^\t\w+\s+Kind = "(\w+)"`).FindAllStringSubmatch(string(source), -1)
	if len(kinds) < 25 {
		t.Fatalf("found only %d kinds in errors.go", len(kinds))
	}
	for _, m := range kinds {
		if row, ok := Lookup(node.Kind(m[1])); !ok || row.Title == "" || http.StatusText(row.Status) == "" {
			t.Errorf("kind %s has no row in the table", m[1])
		}
	}
	if row, ok := Lookup("no such kind"); ok || row.Status != 500 {
		t.Errorf("an unknown kind is answered as %v", row)
	}
}
