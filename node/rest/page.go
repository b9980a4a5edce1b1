package rest

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/syncline/syncline/node"
)

// policy is the Content-Security-Policy of the page: its own files, and the
// API of every member. No inline script, no foreign site, no frame. IPv6
// addresses are left out: the grammar of policies has none (CSP3, host-source),
// and browsers complain. A page that was opened by one still reaches its own
// node, and the others by their names.
func (o *origins) policy() string {
	members := slices.Sorted(maps.Keys(o.allowed))
	members = slices.DeleteFunc(members, func(origin string) bool { return strings.Contains(origin, "[") })
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
		"connect-src 'self' " + strings.Join(members, " ") +
		"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

// uiRoot is the path below which the page is.
const uiRoot = "/ui"

// getPage serves the page's files.
func (s *Server) getPage(c echo.Context) error {
	r := c.Request()
	if s.cfg.UI == nil || !s.cfg.UI.Has(strings.TrimPrefix(r.URL.Path, uiRoot)) {
		return &node.Error{Op: "page", Kind: node.NotFound, Key: r.URL.Path, Err: errors.New("no file of the page has this name")}
	}
	h := c.Response().Header()
	h["Content-Security-Policy"] = s.policy
	h["Referrer-Policy"] = valueNoReferrer
	http.StripPrefix(uiRoot, s.cfg.UI).ServeHTTP(c.Response(), r)
	return nil
}

// goToPage leads from the bare address to the page.
func (s *Server) goToPage(c echo.Context) error {
	return c.Redirect(http.StatusFound, uiRoot+"/")
}
