package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// "one JSON document a package, id name:arch": all fields are kept, and those of
// several lines are strings.
func TestPackagesBecomeDocuments(t *testing.T) {
	t.Parallel()
	file, err := os.Open("testdata/packages.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	index, err := indexPackages("fixture", file)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, p := range index.packages {
		ids = append(ids, p.id())
	}
	if got := strings.Join(ids, " "); got != "0ad:amd64 libc6:amd64 libc6:i386" {
		t.Fatalf("the packages are %s", got)
	}
	want := []string{
		`{"Package":"0ad","Version":"0.0.26-3","Architecture":"amd64","Depends":"0ad-data (>= 0.0.26), libc6 (>= 2.34)",` +
			`"Description":"Real-time strategy game of ancient warfare","Tag":"game::strategy, interface::graphical,\nuitoolkit::sdl, use::gameplaying",` +
			`"Homepage":"https://play0ad.com/?a=b&c=<d>","imported_by":"a"}`,
		`{"Package":"libc6","Status":"install ok installed","Architecture":"amd64","Multi-Arch":"same",` +
			`"Conffiles":"\n/etc/ld.so.conf.d/x86_64-linux-gnu.conf d4e7a7b88a71b5ffd9e2644e71a0cfab",` +
			`"Description":"GNU C Library: Shared libraries\nContains the standard libraries.\n\n  indented: kept \"as\" it is","imported_by":"a"}`,
		`{"Package":"libc6","Architecture":"i386","imported_by":"a"}`,
	}
	for i, p := range index.packages {
		doc, err := p.document("a")
		if err != nil {
			t.Fatal(err)
		}
		if string(doc) != want[i] {
			t.Errorf("package %s is\n%s, want\n%s", p.id(), doc, want[i])
		}
	}
}

func TestDamagedIndexesNameTheLine(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		"Package: a\nno field\n":               "line 2: it is no field",
		"\n\n and no field above\n":            "line 3: it goes on with a value",
		"Package: a\npackage: b\n":             "line 2: the field stands there twice: package",
		": no name\n":                          "line 1: it is no field",
		"A: " + strings.Repeat("x", 5<<20):     "line 1: ",
		"Package: a\n\nVery bad: name\n\nX: y": "line 3: it is no field",
	} {
		_, err := indexPackages("index", strings.NewReader(text))
		if err == nil || !strings.Contains(err.Error(), "index: "+says) {
			t.Errorf("%.40q: error %v, want %q", text, err, says)
		}
	}
	index, err := indexPackages("empty", strings.NewReader("\n \n\n"))
	if err != nil || len(index.packages) != 0 {
		t.Errorf("an empty index: %v, %v", index, err)
	}
}

// "apt-cache dumpavail, or /var/lib/dpkg/status where no lists are; fewer than
// 200 packages: it says what to install".
func TestTooFewPackagesSayWhatToInstall(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name string, mode os.FileMode, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	var many strings.Builder
	for i := range fewestPackages {
		many.WriteString("Package: p" + grouped(int64(i)) + "\nArchitecture: all\n\n")
	}
	few := write("few", 0o600, "Package: a\nArchitecture: all\n")
	enough := write("enough", 0o600, many.String())
	apt := func(name, script string) string { return write(name, 0o700, "#!/bin/sh\n"+script) }
	for _, c := range []struct {
		name, apt, status string
		from, says        string
	}{
		{"lists", apt("1", "cat "+enough), few, "apt-cache dumpavail", ""},
		{"no lists", apt("2", "cat "+few), enough, enough, ""},
		{"apt fails", apt("3", "echo broken >&2; exit 7"), enough, enough, ""},
		{"damaged lists", apt("4", "echo no field; cat "+enough+" "+enough), enough, enough, ""},
		{"too few", apt("5", "cat "+few), few, "", "this machine knows 1 packages, and the demo needs 200: run `apt-get update`"},
		{"no Debian", filepath.Join(dir, "none"), filepath.Join(dir, "none"), "", "install the package apt"},
	} {
		index, err := packageSources{aptCache: c.apt, status: c.status}.read(t.Context())
		switch {
		case c.says != "":
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: error %v, want %q", c.name, err, c.says)
			}
		case err != nil || index.from != c.from || len(index.packages) != fewestPackages:
			t.Errorf("%s: %v, %v", c.name, index, err)
		}
	}
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (packageSources{aptCache: apt("6", "sleep 60"), status: few}).read(stopped); !errors.Is(err, errInterrupted) {
		t.Errorf("error %v, want that it was interrupted", err)
	}
}

func FuzzStanzas(f *testing.F) {
	fixture, err := os.ReadFile("testdata/packages.txt")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(fixture))
	f.Add("A: b\n c\n\t.\n")
	f.Add("A:b:c\nB:\xff\n")
	f.Fuzz(func(t *testing.T, text string) {
		for s, err := range stanzas(strings.NewReader(text)) {
			if err != nil {
				return
			}
			if len(s) == 0 {
				t.Fatal("a stanza without a field")
			}
			doc, err := s.document("a")
			if err != nil {
				t.Fatal(err)
			}
			var fields map[string]string
			if err := json.Unmarshal(doc, &fields); err != nil {
				t.Fatalf("%q is no JSON object of strings: %v", doc, err)
			}
			if fields["imported_by"] != "a" {
				t.Fatalf("%q does not say who imported it", doc)
			}
		}
	})
}
