package rest

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/syncline/syncline/node"
)

const (
	// problemFile has one section for each kind of error, under a heading with
	// the code.
	problemFile = "problems.md"
	// heading begins a section of it.
	heading = "\n## "
)

// problemPages cuts the documentation into one page a problem. Without
// documentation a page has what the table says.
func problemPages(docs fs.FS) (map[string]string, error) {
	pages := map[string]string{}
	for kind, row := range Kinds() {
		pages[string(kind)] = fmt.Sprintf("%s\n\n%s. Status %d.\n", kind, row.Title, row.Status)
	}
	if docs == nil {
		return pages, nil
	}
	text, err := fs.ReadFile(docs, problemFile)
	if err != nil {
		return nil, fmt.Errorf("rest: the pages about problems: %w", err)
	}
	sections := strings.Split("\n"+string(text), heading)
	for _, section := range sections[1:] {
		title, _, _ := strings.Cut(section, "\n")
		if code := strings.Trim(title, "` "); pages[code] != "" {
			pages[code] = "## " + section
		}
	}
	return pages, nil
}

// getDocs lists the pages.
func (s *Server) getDocs(c echo.Context) error {
	var b strings.Builder
	b.WriteString("The API is described in /openapi.json.\n\nEach problem has a page:\n\n")
	codes := make([]string, 0, len(s.pages))
	for code := range s.pages {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	for _, code := range codes {
		b.WriteString("    " + typePrefix + code + "\n")
	}
	return replyText(c, b.String())
}

// getProblemPage is what a problem's type leads to.
func (s *Server) getProblemPage(c echo.Context) error {
	code, err := segment(c, 0)
	if err != nil {
		return err
	}
	page, ok := s.pages[code]
	if !ok {
		return &node.Error{Op: "docs", Kind: node.NotFound, Key: code, Err: errors.New("no problem has this code; /docs/ lists them")}
	}
	return replyText(c, page)
}

func replyText(c echo.Context, text string) error {
	c.Response().Header()[headCache] = valueNoCache
	return reply(c.Response(), http.StatusOK, []string{typeText}, []byte(text))
}
