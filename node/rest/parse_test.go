package rest

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParsePrefer(t *testing.T) {
	for text, want := range map[string]preferences{
		"":                                      {},
		"return=minimal":                        {minimal: true},
		"return=representation":                 {},
		"return=representation, return=minimal": {}, // the first counts
		"RETURN=minimal; x=1, Wait=5":           {minimal: true, waits: true, wait: 5 * time.Second},
		`foo="a,b;wait=9", wait="7"`:            {waits: true, wait: 7 * time.Second},
		`foo="a\",wait=9", wait=3`:              {waits: true, wait: 3 * time.Second},
		"wait=0":                                {waits: true},
		"wait=61":                               {waits: true, wait: maxWait},
		"wait = 2 ,, respond-async":             {waits: true, wait: 2 * time.Second},
		"handling=lenient":                      {},
	} {
		if got, err := parsePrefer([]string{text}); err != nil || got != want {
			t.Errorf("%q: %+v %v, want %+v", text, got, err, want)
		}
	}
}

// Whatever a client sends, the parsers of headers end, and what they accept is
// within its limits.
func FuzzHeaders(f *testing.F) {
	for _, s := range []string{`"a"`, `W/"a", "b"`, "*", `"*"`, `"`, "return=minimal, wait=5", `x="a\"b,"; y, wait=9`, "text/html;q=0.5, */*", "wait=99999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tags, err := parseTags("If-Match", []string{text})
		if err == nil && (len(tags) == 0 || len(tags) > maxTags || len(tags) > 1 && slices.Contains(tags, "*")) {
			t.Errorf("tags %q of %q", tags, text)
		}
		if err == nil {
			again, err := parseTags("If-Match", []string{`"` + strings.Join(tags, `", W/"`) + `"`})
			if !slices.ContainsFunc(tags, func(s string) bool { return strings.Contains(s, "*") }) && (err != nil || !slices.Equal(tags, again)) {
				t.Errorf("%q became %q: %v", tags, again, err)
			}
		}
		if p, err := parsePrefer([]string{text}); err == nil && (p.wait < 0 || p.wait > maxWait || p.wait > 0 && !p.waits) {
			t.Errorf("preferences %+v of %q", p, text)
		}
		r := &http.Request{Header: http.Header{"Accept": {text}, "Content-Type": {text}}}
		if err := acceptable(r, typeJSON); err == nil && strings.TrimSpace(text) != "" && !strings.Contains(text, "*") && !strings.Contains(strings.ToLower(text), "json") {
			t.Errorf("%q accepts JSON", text)
		}
		if kind, err := patchType(r); err == nil && kind != typeMerge && kind != typePatch {
			t.Errorf("patch type %q of %q", kind, text)
		}
	})
}

// Whatever stands in Host, only names of the cluster are known.
func FuzzHost(f *testing.F) {
	o := newOrigins(testRoster(), nil)
	for _, s := range []string{"localhost", "[::1]:1", "127.0.0.1.", "::1", "[", ":"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, host string) {
		if !o.knows(host) {
			return
		}
		plain := strings.ToLower(host)
		if !strings.Contains(plain, "localhost") && !strings.Contains(plain, "127.0.0.1") && !strings.Contains(plain, "::1") {
			t.Errorf("%q is known", host)
		}
	})
}
