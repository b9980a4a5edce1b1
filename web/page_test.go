package web

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"strings"
	"testing"
)

// get asks the page, with an If-None-Match when it is not empty.
func get(t *testing.T, p *Page, target, ifNoneMatch string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	if ifNoneMatch != "" {
		r.Header.Set("If-None-Match", ifNoneMatch)
	}
	rec := httptest.NewRecorder()
	p.ServeHTTP(rec, r)
	return rec
}

// "A plain first page at /ui/": each file is served with its type and a tag.
func TestFiles(t *testing.T) {
	p, err := New()
	if err != nil {
		t.Fatal(err)
	}
	for target, mediaType := range map[string]string{
		"/": "text/html; charset=utf-8", "/index.html": "text/html; charset=utf-8", "/page.js": "text/javascript; charset=utf-8",
		"/page.css": "text/css; charset=utf-8", "/sign.svg": "image/svg+xml",
	} {
		res := get(t, p, target, "")
		if !p.Has(target) || res.Code != http.StatusOK || res.Header().Get("Content-Type") != mediaType || res.Body.Len() == 0 {
			t.Errorf("%s: %d %v", target, res.Code, res.Header())
		}
		tag := res.Header().Get("ETag")
		if again := get(t, p, target, `"x", `+tag); again.Code != http.StatusNotModified || tag == "" {
			t.Errorf("%s with its tag %s: %d", target, tag, again.Code)
		}
	}
	for _, target := range []string{"/none", "/../page.go", "/static/page.js"} {
		if res := get(t, p, target, ""); p.Has(target) || res.Code != http.StatusNotFound {
			t.Errorf("%s: %d", target, res.Code)
		}
	}
}

// "Strict CSP, no inline script, no CDN"; "a document is only ever text": the
// files hold nothing that the policy would refuse or that sets markup.
func TestNothingInlineAndNothingForeign(t *testing.T) {
	forbidden := map[string]*regexp.Regexp{
		".html": regexp.MustCompile(`(?i)<script[^>]*>[^<]|<style|\sstyle=|\son\w+=|javascript:|src="https?:|href="https?:`),
		".js":   regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|\.style\b|https://`),
		".css":  regexp.MustCompile(`@import|url\(`),
		".svg":  regexp.MustCompile(`(?i)<script|\son\w+=|href=`),
	}
	seen := 0
	err := fs.WalkDir(static, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := fs.ReadFile(static, name)
		if err != nil {
			return err
		}
		seen++
		if found := forbidden[path.Ext(name)].Find(body); found != nil {
			t.Errorf("%s holds %q", name, found)
		}
		return nil
	})
	if err != nil || seen < 4 {
		t.Errorf("looked at %d files: %v", seen, err)
	}
}

// The script finds every element that it names.
func TestElementsExist(t *testing.T) {
	script, err := fs.ReadFile(static, "static/page.js")
	if err != nil {
		t.Fatal(err)
	}
	page, err := fs.ReadFile(static, "static/index.html")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`byId\("([\w-]+)"\)`).FindAllStringSubmatch(string(script), -1)
	if len(names) < 5 {
		t.Fatalf("the script names %d elements", len(names))
	}
	for _, m := range names {
		if !strings.Contains(string(page), `id="`+m[1]+`"`) {
			t.Errorf("the page has no element %s", m[1])
		}
	}
}
