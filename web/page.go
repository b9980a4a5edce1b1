package web

import (
	"bytes"
	"compress/gzip"
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
	"sync"
)

var (
	// static is what there is without a build: the page that says how to build.
	//
	//go:embed static
	static embed.FS
	// dist is what `make web` has built; without it, a file that Git reads.
	//
	//go:embed all:dist
	dist embed.FS
)

// hashedFolder is where the build puts the files whose names have a hash of
// their content.
const hashedFolder = "/assets/"

// file is one file of the page, ready to be sent.
type file struct {
	body      []byte
	zipped    func() []byte // by gzip, at the first call; nil where it is not shorter
	mediaType string
	tag       string // entity tag with quotes
}

// Page serves the files. It is an http.Handler for paths from "/".
type Page struct {
	files map[string]file
	built bool
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
	base, err := fs.Sub(static, "static")
	if err != nil {
		return nil, err
	}
	built, err := fs.Sub(dist, "dist")
	if err != nil {
		return nil, err
	}
	return newPage(base, built)
}

// newPage lays the built files, when there are any, over those that are always
// there.
func newPage(base, built fs.FS) (*Page, error) {
	p := &Page{files: map[string]file{}}
	if err := p.read(base); err != nil {
		return nil, err
	}
	if _, err := fs.Stat(built, "index.html"); err != nil {
		return p, nil //nolint:nilerr // it was not built, and says so itself
	}
	p.built = true
	return p, p.read(built)
}

// read adds all files but hidden ones.
func (p *Page) read(root fs.FS) error {
	return fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), ".") {
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
		zipped := sync.OnceValue(func() []byte { return zip(body) })
		sum := sha256.Sum256(body)
		p.files["/"+name] = file{body, zipped, mediaType, `"` + hex.EncodeToString(sum[:8]) + `"`}
		return nil
	})
}

// zip compresses a file; nil where that does not make it shorter.
func zip(body []byte) []byte {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(body)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil || out.Len() >= len(body) {
		return nil
	}
	return out.Bytes()
}

// Built says whether the dashboard is there, or only the page that says how to
// build it.
func (p *Page) Built() bool { return p.built }

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
	if strings.HasPrefix(r.URL.Path, hashedFolder) {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	h.Set("ETag", f.tag)
	h.Add("Vary", "Accept-Encoding")
	if slices.Contains(strings.Split(r.Header.Get("If-None-Match"), ", "), f.tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := f.body
	if takesGzip(r) {
		if zipped := f.zipped(); zipped != nil {
			body = zipped
			h.Set("Content-Encoding", "gzip")
		}
	}
	h.Set("Content-Type", f.mediaType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // a client that has gone needs no answer
}

// takesGzip says whether a client takes gzip. One that gives it a weight of
// zero gets the file as it is.
func takesGzip(r *http.Request) bool {
	for one := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(one), ";")
		if strings.TrimSpace(name) == "gzip" {
			return !strings.HasPrefix(strings.ReplaceAll(weight, " ", ""), "q=0") || strings.ContainsAny(weight, "123456789")
		}
	}
	return false
}
