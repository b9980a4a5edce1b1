package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/syncline/syncline/client"
)

// manyLines is an import of n documents.
func manyLines(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"id":"d-%05d","doc":{"n":%d}}`+"\n", i, i)
	}
	return b.String()
}

// summary is what import says with --output json.
func summary(t *testing.T, r result) importSummary {
	t.Helper()
	var sum importSummary
	if err := json.Unmarshal([]byte(r.out), &sum); err != nil {
		t.Fatalf("%v: %s%s", err, r.out, r.err)
	}
	return sum
}

func TestExportIsWhatImportReads(t *testing.T) {
	t.Parallel()
	s := newCLIStand(t, false, "a")
	file := filepath.Join(t.TempDir(), "out.ndjson")
	in := manyLines(2500)
	s.feed(in, "import", "things").want(t, exitOK, "2,500 documents imported", "2,500 by "+s.first)
	s.run("export", "things", file).want(t, exitOK)
	text, err := os.ReadFile(file)
	if err != nil || string(text) != in {
		t.Fatalf("the export differs from what was imported (%v)", err)
	}
	s.run("import", "copy", file).want(t, exitOK, "2,500 documents imported")
	if r := s.run("export", "copy", "--prefix", "d-0000").want(t, exitOK); strings.Count(r.out, "\n") != 10 {
		t.Errorf("the export by prefix has %d lines, want 10", strings.Count(r.out, "\n"))
	}
	s.feed(`{"id":"d-00000","delete":true}`, "import", "copy").want(t, exitOK)
	s.run("get", "copy", "d-00000").want(t, exitNotFound)
	s.run("export", "copy", filepath.Join(file, "no")).want(t, exitError)
	s.run("import", "copy", filepath.Join(file, "no")).want(t, exitError)
}

// "Each line stands alone" (API, Bulk).
func TestWrongLinesFailAlone(t *testing.T) {
	t.Parallel()
	s := newCLIStand(t, false, "a")
	in := strings.Join([]string{
		`{"id":"good","doc":{"n":1}}`, "", `no json`, `{"doc":{}}`, `{"id":"x"}`, `{"id":"x","doc":{},"delete":true}`,
		`{"id":"x","doc":[1]}`, `{"id":"..","doc":{}}`, `{"id":"gone","delete":true}`, `{"id":"late","doc":{"n":2},"conflicts":2}`,
	}, "\n")
	r := s.feed(in, "import", "things")
	r.want(t, exitError, "2 documents imported", "line 3:", "line 4: it has no \"id\"", "line 5: it has no \"doc\"",
		"line 6: it has a \"doc\" and", "line 7 (x)", "line 8 (..)", "line 9 (gone)", "7 of 9 lines were not applied")
	s.run("get", "things", "good").want(t, exitOK)
	s.run("get", "things", "late").want(t, exitOK)
	s.feed(`{"id":"x","doc":{}}`, "import", "_system").want(t, exitError, "403")
}

// "on read_only goes on at the writable node".
func TestImportGoesOnWhereWritesAreTaken(t *testing.T) {
	t.Parallel()
	s := newCLIStand(t, false, "a", "b")
	a, b := s.nodes["a"], s.nodes["b"]
	var bulks atomic.Int32
	a.wrap(func(node http.Handler, w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v1/bulk/") && bulks.Add(1) == 6 { // four are under way at once, so two have been answered
			a.turn(false, "b") // in the middle of the import
		}
		node.ServeHTTP(w, r)
	})
	sum := summary(t, s.feed(manyLines(8000), "import", "things", "--output", "json").want(t, exitOK))
	if sum.Applied != 8000 || sum.Failed != 0 || sum.PerNode[a.url] == 0 || sum.PerNode[b.url] == 0 || sum.PerNode[a.url]+sum.PerNode[b.url] != 8000 {
		t.Errorf("want 8000 documents, by both nodes: %+v", sum)
	}
}

// "on broken connection verifies by reading": what was applied is not sent
// again, and what was not, is.
func TestLostAnswersAreSettledByReading(t *testing.T) {
	t.Parallel()
	for _, applied := range []bool{true, false} {
		t.Run(fmt.Sprintf("applied=%t", applied), func(t *testing.T) {
			t.Parallel()
			s := newCLIStand(t, false, "a")
			var broken atomic.Bool
			s.nodes["a"].wrap(func(node http.Handler, w http.ResponseWriter, r *http.Request) {
				if !strings.HasPrefix(r.URL.Path, "/v1/bulk/") || !broken.CompareAndSwap(false, true) {
					node.ServeHTTP(w, r)
					return
				}
				if applied {
					node.ServeHTTP(httptest.NewRecorder(), r)
				} else if _, err := io.Copy(io.Discard, r.Body); err != nil {
					t.Error(err)
				}
				panic(http.ErrAbortHandler) // the connection breaks before the answer
			})
			sum := summary(t, s.feed(manyLines(10), "import", "things", "--output", "json").want(t, exitOK))
			if sum.Applied != 10 || sum.Failed != 0 {
				t.Errorf("want 10 documents: %+v", sum)
			}
			if applied && (sum.Read == 0 || sum.Again != 0) || !applied && (sum.Read != 0 || sum.Again == 0) {
				t.Errorf("found by reading %d, sent again %d", sum.Read, sum.Again)
			}
			s.run("verify").want(t, exitOK)
			if r := s.run("export", "things").want(t, exitOK); r.out != manyLines(10) {
				t.Errorf("the node has:\n%s", r.out)
			}
			s.run("ls", "things", "--conflicted", "--output", "ndjson").want(t, exitOK).without(t, "id")
		})
	}
}

// A node that refuses for a while is waited for.
func TestImportWaitsForAWritableNode(t *testing.T) {
	t.Parallel()
	s := newCLIStand(t, false, "a")
	a := s.nodes["a"]
	a.turn(false)
	var bulks atomic.Int32
	a.wrap(func(node http.Handler, w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v1/bulk/") && bulks.Add(1) == 6 {
			a.turn(true)
		}
		node.ServeHTTP(w, r)
	})
	s.feed(manyLines(100), "import", "things").want(t, exitOK, "100 documents imported", "waiting: no node takes the next lines")
}

// An import that nobody takes ends, and says why.
func TestImportGivesUp(t *testing.T) {
	t.Parallel()
	s := newCLIStand(t, false, "a")
	s.nodes["a"].turn(false)
	im := &importer{client: mustClient(t, s.first), collection: "things", patience: 1, done: func(imported) { t.Error("a line has an outcome") }}
	source := &lineSource{from: strings.NewReader(manyLines(3)), name: "test", wrong: func(int, error) { t.Error("a line is wrong") }}
	err := im.run(t.Context(), source.lines())
	if exitCode(err) != exitReadOnly {
		t.Errorf("error %v, want read_only", err)
	}
}

func mustClient(t *testing.T, nodes ...string) *client.Client {
	t.Helper()
	c, err := client.New(client.Config{Nodes: nodes, NoSession: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func FuzzImportLine(f *testing.F) {
	for _, line := range []string{`{"id":"a","doc":{}}`, `{"id":"a","delete":true}`, `{"id":null,"doc":{}}`, `{"doc":1}`, "", "[]", `{"id":"a","doc":null}`} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		parsed, err := parseImportLine(line)
		if err != nil {
			return
		}
		if parsed.ID == "" || parsed.Doc != nil && !json.Valid(parsed.Doc) {
			t.Errorf("%q became %+v", line, parsed)
		}
	})
}

func TestProgressIsShownNowAndThen(t *testing.T) {
	t.Parallel()
	for _, live := range []bool{true, false} {
		var out bytes.Buffer
		p := newProgress(&out, live, "documents")
		begun := p.begun
		every := map[bool]time.Duration{true: redrawEvery, false: reportEvery}[live]
		for i := range 101 { // ten times the pause, in a hundred steps
			p.add(1000, begun.Add(every*time.Duration(i)/10))
		}
		p.end()
		if n := strings.Count(out.String(), "documents"); n != 10 {
			t.Errorf("live=%t: shown %d times, want 10:\n%q", live, n, out.String())
		}
		if !strings.Contains(out.String(), "101,000 documents") {
			t.Errorf("live=%t: the last count is missing: %q", live, out.String())
		}
		if live != strings.HasSuffix(out.String(), clearLine) {
			t.Errorf("live=%t: the line is left: %q", live, out.String())
		}
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 63498: "63,498", -1234567: "-1,234,567"} {
		if got := grouped(n); got != want {
			t.Errorf("grouped(%d) = %s, want %s", n, got, want)
		}
	}
}
