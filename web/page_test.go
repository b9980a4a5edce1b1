package web

import (
	"compress/gzip"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

// get asks the page, with headers as "Name: value".
func get(t *testing.T, p *Page, target string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	rec := httptest.NewRecorder()
	p.ServeHTTP(rec, r)
	return rec
}

// script is long enough to be worth compressing.
var script = strings.Repeat("export const one = 1;\n", 50)

// page is one that was built from files like those of the dashboard.
func page(t *testing.T, files fstest.MapFS) *Page {
	t.Helper()
	base, err := fs.Sub(static, "static")
	if err != nil {
		t.Fatal(err)
	}
	p, err := newPage(base, files)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func builtPage(t *testing.T) *Page {
	return page(t, fstest.MapFS{
		"index.html":           {Data: []byte("<!doctype html><title>built</title>")},
		"assets/main-x1.js":    {Data: []byte(script)},
		"assets/main-x1.css":   {Data: []byte("p{}")},
		".gitignore":           {Data: []byte("*")},
		"assets/.hidden-thing": {Data: []byte("*")},
	})
}

// Each file is served with its type and a tag; a name with a hash is kept.
func TestFiles(t *testing.T) {
	p := builtPage(t)
	for target, want := range map[string][2]string{
		"/":                   {"text/html; charset=utf-8", "no-cache"},
		"/index.html":         {"text/html; charset=utf-8", "no-cache"},
		"/sign.svg":           {"image/svg+xml", "no-cache"},
		"/assets/main-x1.js":  {"text/javascript; charset=utf-8", "public, max-age=31536000, immutable"},
		"/assets/main-x1.css": {"text/css; charset=utf-8", "public, max-age=31536000, immutable"},
	} {
		res := get(t, p, target)
		h := res.Header()
		if !p.Has(target) || res.Code != http.StatusOK || h.Get("Content-Type") != want[0] || h.Get("Cache-Control") != want[1] || res.Body.Len() == 0 {
			t.Errorf("%s: %d %v", target, res.Code, h)
		}
		tag := h.Get("ETag")
		if again := get(t, p, target, `If-None-Match: "x", `+tag); again.Code != http.StatusNotModified || tag == "" {
			t.Errorf("%s with its tag %s: %d", target, tag, again.Code)
		}
	}
	for _, target := range []string{"/none", "/../page.go", "/static/sign.svg", "/.gitignore", "/assets/.hidden-thing", "/assets/"} {
		if res := get(t, p, target); p.Has(target) || res.Code != http.StatusNotFound {
			t.Errorf("%s: %d", target, res.Code)
		}
	}
	if _, err := newPage(fstest.MapFS{"x.exe": {}}, fstest.MapFS{}); err == nil {
		t.Error("a file of an unknown type is served")
	}
}

// The budgets of the page are of compressed files, so they are sent so.
func TestCompressed(t *testing.T) {
	p := builtPage(t)
	for accept, zipped := range map[string]bool{
		"": false, "gzip": true, "br, gzip;q=0.5": true, "deflate, gzip;q=1.0": true, "gzip;q=0": false, "gzip; q=0.0": false, "identity": false,
	} {
		res := get(t, p, "/assets/main-x1.js", "Accept-Encoding: "+accept)
		var body io.Reader = res.Body
		if got := res.Header().Get("Content-Encoding") == "gzip"; got != zipped || res.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("%q: compressed %v, %v", accept, got, res.Header())
		} else if got {
			var err error
			if body, err = gzip.NewReader(body); err != nil {
				t.Fatal(err)
			}
		}
		if content, err := io.ReadAll(body); err != nil || string(content) != script {
			t.Errorf("%q: %d bytes, %v", accept, len(content), err)
		}
	}
	if res := get(t, p, "/assets/main-x1.css", "Accept-Encoding: gzip"); res.Header().Get("Content-Encoding") != "" {
		t.Error("a file of three bytes is made longer by gzip")
	}
}

// "Without them the program says on /ui/ how to build them."
func TestUnbuilt(t *testing.T) {
	p := page(t, fstest.MapFS{".gitignore": {Data: []byte("*")}})
	if res := get(t, p, "/"); p.Built() || res.Code != http.StatusOK || !strings.Contains(res.Body.String(), "make web build") {
		t.Errorf("%d %s", res.Code, res.Body)
	}
	if !builtPage(t).Built() {
		t.Error("a built page says that it is not")
	}
}

// "Strict CSP, no inline script, no CDN, works offline": the files that are
// embedded, as they are here, hold nothing that the policy would refuse.
func TestNothingInlineAndNothingForeign(t *testing.T) {
	forbidden := map[string]*regexp.Regexp{
		".html": regexp.MustCompile(`(?i)<script[^>]*>[^<]|<style|\sstyle=|\son\w+=|javascript:|src="https?:|href="https?:`),
		".js":   regexp.MustCompile(`document\.write\(|\beval\(|new Function\(`),
		".css":  regexp.MustCompile(`@import|url\(`),
		".svg":  regexp.MustCompile(`(?i)<script|\son\w+=|href=`),
	}
	seen := 0
	for _, files := range []fs.FS{static, dist} {
		err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || path.Base(name) == ".gitignore" {
				return err
			}
			seen++
			content, err := fs.ReadFile(files, name)
			if found := forbidden[path.Ext(name)].Find(content); found != nil {
				t.Errorf("%s has %q", name, found)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if seen < 3 {
		t.Errorf("%d files were looked at", seen)
	}
}
