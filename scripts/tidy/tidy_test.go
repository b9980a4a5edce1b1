package tidy

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestHouse checks the module that this package is part of. HOUSE: "Imports
// run downward only; a test holds a table of the allowed ones and fails on any
// other", and habits 1, 7, 8 and 15.
func TestHouse(t *testing.T) {
	t.Parallel()
	house, err := Load(os.DirFS(filepath.Join("..", "..")))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range Check(house) {
		t.Error(p)
	}
}

// TestFixtures runs the rules over small modules. Each archive says in its
// file "want" exactly which places must be rejected, by which rule.
func TestFixtures(t *testing.T) {
	t.Parallel()
	archives, err := filepath.Glob(filepath.Join("testdata", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	rejected := map[string]bool{}
	for _, name := range archives {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		tree, want := fixture(archive)
		for _, line := range want {
			rejected[line[strings.LastIndex(line, " ")+1:]] = true
		}
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			t.Parallel()
			if got := places(t, tree); !slices.Equal(got, want) {
				t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
	for _, rule := range []string{"layer", "technology", "core", "doc", "name", "init", "global", "reason", "go-mod"} {
		if !rejected[rule] {
			t.Errorf("no fixture is rejected by rule %q", rule)
		}
	}
}

// fixture turns an archive into a file system and the expected problems. A
// package without a doc.go gets one, unless the archive is about that rule.
func fixture(archive *txtar.Archive) (fstest.MapFS, []string) {
	tree, want := fstest.MapFS{}, []string(nil)
	for _, f := range archive.Files {
		if f.Name == "want" {
			want = strings.Split(strings.TrimSpace(string(f.Data)), "\n")
			continue
		}
		tree[f.Name] = &fstest.MapFile{Data: f.Data}
	}
	if _, ok := tree["go.mod"]; !ok {
		tree["go.mod"] = &fstest.MapFile{Data: []byte("module example.test/m\n")}
	}
	return tree, slices.DeleteFunc(want, func(line string) bool { return line == "" })
}

// places lists the problems of a tree as "path:line rule".
func places(t *testing.T, tree fstest.MapFS) []string {
	t.Helper()
	house, err := Load(tree)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range Check(house) {
		got = append(got, fmt.Sprintf("%s:%d %s", p.Path, p.Line, p.Rule))
	}
	return got
}

// TestSizes tests both limits from both sides. HOUSE: "Files up to about 500
// lines; functions up to 70".
func TestSizes(t *testing.T) {
	t.Parallel()
	const head = "// Package vclock is a fixture.\npackage vclock\n\n" // 3 lines
	function := func(lines int) string { return "func f() {\n" + strings.Repeat("\t_ = 0\n", lines-2) + "}\n" }
	literal := func(lines int) string { return "var f = func() {\n" + strings.Repeat("\t_ = 0\n", lines-2) + "}\n" }
	for _, c := range []struct {
		name, file, text string
		want             []string
	}{
		{"function of 70", "vclock/doc.go", head + function(70), nil},
		{"function of 71", "vclock/doc.go", head + function(71), []string{"vclock/doc.go:4 func-length"}},
		{"literal of 71", "vclock/doc.go", head + literal(71), []string{"vclock/doc.go:4 func-length"}},
		{"method in a test", "vclock/a_test.go", "package vclock\n\n" + function(71), []string{"vclock/a_test.go:3 func-length", "vclock/doc.go:1 doc"}},
		{"file of 500", "vclock/doc.go", head + strings.Repeat("// line\n", 497), nil},
		{"file of 501", "vclock/doc.go", head + strings.Repeat("// line\n", 498), []string{"vclock/doc.go:501 file-length"}},
		{"script of 501", "scripts/a.sh", strings.Repeat("true\n", 501), []string{"scripts/a.sh:501 file-length"}},
	} {
		tree := fstest.MapFS{
			"go.mod": {Data: []byte("module example.test/m\n")},
			c.file:   {Data: []byte(c.text)},
		}
		if got := places(t, tree); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// TestLayersBothWays tests the drawing itself: HOUSE, "Packages of one row do
// not import each other", and what is allowed one way is never allowed back.
func TestLayersBothWays(t *testing.T) {
	t.Parallel()
	all := slices.Concat(layers...)
	for dir := range beside {
		all = append(all, dir)
	}
	for _, a := range all {
		for _, b := range all {
			if a != b && allowed(a, b) && allowed(b, a) {
				t.Errorf("%s and %s may import each other", a, b)
			}
		}
	}
	for _, c := range []struct {
		from, to string
		want     bool
	}{
		{"conflict", "vclock", true},
		{"node", "conflict", true},
		{"node", "witness", false},
		{"node/quorum", "witness", true},
		{"node/replica", "node/sqlite", true},
		{"node/sqlite", "node/link", false},
		{"node/rest", "node/replica", false},
		{"cmd/syncline", "node/rest", true},
		{"client", "cmd/syncline", false},
		{"node/nodetest", "node/rest", true},
		{"node/nodetest", "client", false},
		{"bench/bare", "node", false},
	} {
		if got := allowed(c.from, c.to); got != c.want {
			t.Errorf("%s imports %s: allowed %v, want %v", c.from, c.to, got, c.want)
		}
	}
}

// TestLoadSkips names what is not part of the house.
func TestLoadSkips(t *testing.T) {
	t.Parallel()
	broken := &fstest.MapFile{Data: []byte("this is not Go")}
	house, err := Load(fstest.MapFS{
		"go.mod":               {Data: []byte("module example.test/m\n")},
		".git/a.go":            broken,
		"vclock/testdata/a.go": broken,
		"tools/go.mod":         {Data: []byte("module example.test/m/tools\n")},
		"tools/a.go":           broken,
		"bin/a.go":             broken,
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(house.Packages) != 0 || len(house.GoMods) != 2 {
		t.Errorf("found %d packages and %d go.mod files, want 0 and 2", len(house.Packages), len(house.GoMods))
	}
	if _, err := Load(fstest.MapFS{"go.mod": {Data: []byte("module m\n")}, "a.go": broken}); err == nil {
		t.Error("a file that does not parse was accepted")
	}
}
