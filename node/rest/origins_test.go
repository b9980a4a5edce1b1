package rest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/syncline/syncline/node"
)

// "CORS: origins are the roster's API origins (localhost beside 127.0.0.1);
// all headers on this page allowed and exposed; no credentials mode".
func TestCORS(t *testing.T) {
	s := newStand(t, nil)
	s.must(201, "PUT", doc, `{}`)
	for _, origin := range []string{"http://127.0.0.1:7401", "http://localhost:7401", "http://[::1]:7402", "https://localhost:7402"} {
		a := s.must(204, "OPTIONS", doc, "", "Origin: "+origin, "Access-Control-Request-Method: PUT", "Access-Control-Request-Headers: if-match")
		if a.header.Get("Access-Control-Allow-Origin") != origin || a.header.Get("Vary") != "Origin" || a.header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: %v", origin, a.header)
		}
		allowed := strings.Split(a.header.Get("Access-Control-Allow-Headers"), ", ")
		for _, h := range []string{"If-Match", "If-None-Match", "Causal-Context", "Session", "Prefer", "Idempotency-Key", "Content-Type", "Last-Event-ID"} {
			if !slices.Contains(allowed, h) {
				t.Errorf("header %s is not allowed", h)
			}
		}
		for _, method := range []string{"GET", "PUT", "PATCH", "POST", "DELETE"} {
			if !strings.Contains(a.header.Get("Access-Control-Allow-Methods"), method) {
				t.Errorf("method %s is not allowed", method)
			}
		}
		s.must(200, "PUT", doc, `{}`, "Origin: "+origin, "Sec-Fetch-Site: same-site")
		a = s.must(200, "GET", doc, "", "Origin: "+origin)
		exposed := strings.Split(a.header.Get("Access-Control-Expose-Headers"), ", ")
		for name := range a.header {
			simple := []string{"Content-Type", "Content-Length", "Cache-Control", "X-Content-Type-Options", "Vary"}
			if strings.HasPrefix(name, "Access-Control-") || slices.Contains(simple, name) {
				continue
			}
			if !slices.ContainsFunc(exposed, func(e string) bool { return strings.EqualFold(e, name) }) {
				t.Errorf("header %s is not exposed", name)
			}
		}
		if a := s.must(412, "PUT", doc, `{}`, "Origin: "+origin, `If-Match: "x"`); a.header.Get("Access-Control-Allow-Origin") != origin {
			t.Error("a page cannot read the problem")
		}
	}
	for _, origin := range []string{"http://127.0.0.1:7403", "http://evil.example", "null", "http://127.0.0.1:7401.evil.example"} {
		if a := s.send("OPTIONS", doc, "", "Origin: "+origin, "Access-Control-Request-Method: PUT"); a.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s is allowed", origin)
		}
		if a := s.must(200, "GET", doc, "", "Origin: "+origin); a.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s may read", origin)
		}
	}
}

// A process that is bound to all addresses is reached under any of them, but
// under no foreign name.
func TestHosts(t *testing.T) {
	o := newOrigins(testRoster(), []string{"0.0.0.0:7402"})
	for host, want := range map[string]bool{
		"192.168.1.7:7402": true, "[fe80::1]:7402": true, "localhost": true, "Localhost.:1": true, "127.0.0.1": true,
		"evil.example:7402": false, "": false, "192.168.1.7.evil.example": false, "[": false, ":": false,
	} {
		if o.knows(host) != want {
			t.Errorf("host %q: %v", host, !want)
		}
	}
	named := newOrigins(Roster{Members: []Member{{API: "Shop.example:80"}, {API: ""}}}, nil)
	if !named.knows("shop.example:8080") || named.knows("192.168.1.7") || !named.allowed["http://shop.example:80"] {
		t.Errorf("a named member: %+v", named)
	}
}

// "405 … method (Allow)".
func TestAllow(t *testing.T) {
	s := newStand(t, nil)
	a := s.must(405, "POST", doc, `{}`)
	got := strings.Split(a.header.Get("Allow"), ", ")
	slices.Sort(got)
	if want := []string{"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "PUT"}; !slices.Equal(got, want) {
		t.Errorf("Allow %v, want %v", got, want)
	}
	if a := s.must(204, "OPTIONS", doc, ""); a.header.Get("Allow") == "" || a.header.Get("Node") == "" {
		t.Errorf("OPTIONS: %v", a.header)
	}
}

// "CSP without inline script; nosniff".
func TestPageIsGuarded(t *testing.T) {
	s := newStand(t, nil)
	a := s.must(200, "GET", "/ui/", "")
	policy := a.header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "http://127.0.0.1:7401", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy lacks %s: %s", want, policy)
		}
	}
	// "invalid source … will be ignored", say browsers of an IPv6 address.
	if strings.Contains(policy, "unsafe") || strings.Contains(policy, "[") || a.header.Get("X-Content-Type-Options") != "nosniff" || a.header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("%v", a.header)
	}
	for _, target := range []string{"/", "/ui"} {
		if a := s.must(302, "GET", target, ""); a.header.Get("Location") != "/ui/" {
			t.Errorf("%s leads to %s", target, a.header.Get("Location"))
		}
	}
	bare := newStand(t, func(c *Config) { c.UI = nil })
	if a := bare.must(404, "GET", "/ui/", ""); a.code(t) != "not_found" {
		t.Errorf("without a page: %s", a.body)
	}
}

// "type (ends in the code; a page of our documentation)": each kind has its
// section, and its status there is that of the table.
func TestProblemPages(t *testing.T) {
	s := newStand(t, nil)
	atStart := []node.Kind{node.NewerFile, node.WrongIdentity, node.Locked, node.OwnActorAhead}
	for kind, row := range Kinds() {
		a := s.must(200, "GET", typePrefix+string(kind), "")
		head := fmt.Sprintf("## `%s`\n\nStatus %d. ", kind, row.Status)
		if slices.Contains(atStart, kind) { // no reply has it
			head = fmt.Sprintf("## `%s`\n\n", kind)
		}
		if a.header.Get("Content-Type") != typeText || !strings.HasPrefix(string(a.body), head) {
			t.Errorf("%s: %.80q", kind, a.body)
		}
	}
	bare := newStand(t, func(c *Config) { c.Docs = nil })
	if a := bare.must(200, "GET", typePrefix+"read_only", ""); !strings.Contains(string(a.body), "cannot accept writes") {
		t.Errorf("without documentation: %q", a.body)
	}
	bare.server.cfg.Docs = fstest.MapFS{}
	if _, err := New(bare.server.cfg); err == nil {
		t.Error("documentation without its file is taken")
	}
	if a := s.must(200, "GET", "/docs/", ""); !strings.Contains(string(a.body), typePrefix+"wrong_context") {
		t.Errorf("the list: %s", a.body)
	}
}

// Requests are counted by route and class of status, problems by code,
// conflicts when they begin and when they end ("conflicts/min", DASHBOARD).
func TestMetrics(t *testing.T) {
	s := newStand(t, nil)
	for _, e := range []node.Event{{New: "one"}, {Old: "one", New: "two"}, {New: "three"}, {Old: "three"}} {
		e.Kind = node.EventConflict
		s.server.Conflict(e)
	}
	s.must(201, "PUT", doc, `{}`)
	s.must(400, "PUT", doc, `{`)
	s.must(404, "GET", "/nowhere", "")
	text := string(s.must(200, "GET", "/metrics", "").body)
	for _, want := range []string{
		`syncline_http_requests_total{method="PUT",route="/v1/docs/:c/:id",status="2xx"} 1`,
		`syncline_http_requests_total{method="PUT",route="/v1/docs/:c/:id",status="4xx"} 1`,
		`syncline_http_requests_total{method="any",route="none",status="4xx"} 1`,
		`syncline_http_problems_total{code="bad_json"} 1`,
		`syncline_http_request_seconds_count{method="PUT",route="/v1/docs/:c/:id"} 2`,
		"syncline_conflicts_opened_total 2", "syncline_conflicts_settled_total 1",
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no %s", want)
		}
	}
}

// A handler that has begun its answer and then fails breaks it off: half an
// answer must not look like a whole one.
func TestBrokenOffAnswer(t *testing.T) {
	s := newStand(t, nil)
	defer func() {
		if v := recover(); v != http.ErrAbortHandler { //nolint:errorlint // a panic's value, which is this very one
			t.Errorf("recovered %v", v)
		}
	}()
	s.server.cfg.UI = brokenPage{}
	s.send("GET", "/ui/", "")
	t.Error("the answer looks whole")
}

type brokenPage struct{}

func (brokenPage) Has(string) bool { return true }

func (brokenPage) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusOK)
	panic("in the middle")
}
