package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
)

//go:embed static
var static embed.FS

// file is one file of the page, ready to be sent.
type file struct {
	body      []byte
	mediaType string
	tag       string // entity tag with quotes
}

// Page serves the files. It is an http.Handler for paths from "/".
type Page struct {
	files map[string]file
}

// mediaTypes are those of the files that there are, by extension.
var mediaTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

// New reads the embedded files.
func New() (*Page, error) {
	root, err := fs.Sub(static, "static")
	if err != nil {
		return nil, err
	}
	p := &Page{files: map[string]file{}}
	err = fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		mediaType, ok := mediaTypes[path.Ext(name)]
		if !ok {
			return fmt.Errorf("web: no media type is known for %s", name)
		}
		sum := sha256.Sum256(body)
		p.files["/"+name] = file{body, mediaType, `"` + hex.EncodeToString(sum[:8]) + `"`}
		return nil
	})
	return p, err
}

// Has says whether there is a file for a path.
func (p *Page) Has(path string) bool {
	_, ok := p.files[index(path)]
	return ok
}

// index is the name of the file that a path means.
func index(path string) string {
	if path == "/" {
		return "/index.html"
	}
	return path
}

// ServeHTTP implements http.Handler. The method is GET or HEAD.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, ok := p.files[index(r.URL.Path)]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", f.tag)
	if slices.Contains(strings.Split(r.Header.Get("If-None-Match"), ", "), f.tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", f.mediaType)
	h.Set("Content-Length", strconv.Itoa(len(f.body)))
	_, _ = w.Write(f.body) // a client that has gone needs no answer
}
