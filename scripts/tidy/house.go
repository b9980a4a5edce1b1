package tidy

import (
	"cmp"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// House is the source of a module as the rules see it.
type House struct {
	Module   string         // module path, as go.mod states it
	Packages []*Package     // in order of Dir
	Scripts  []*Text        // sources in other languages than Go
	GoMods   []*Text        // go.mod of the module and of modules inside it
	fset     *token.FileSet // positions of all Go files
	byDir    map[string]*Package
}

// Package is one folder with Go files. An external test package counts as a
// part of the package that it tests.
type Package struct {
	Dir   string // slash-separated, relative to the module; "." is the root
	Files []*File
}

// File is one Go file.
type File struct {
	Text
	Test   bool // its name ends in _test.go
	Syntax *ast.File
}

// Text is any file of the house.
type Text struct {
	Path  string   // slash-separated, relative to the module
	Lines []string // without line ends
}

// Problem is one broken rule at one place.
type Problem struct {
	Path string
	Line int
	Rule string // short name of the rule, as the fixtures use it
	Text string // what is wrong and what to do
}

func (p Problem) String() string {
	return fmt.Sprintf("%s:%d: %s: %s", p.Path, p.Line, p.Rule, p.Text)
}

// Load reads the module whose root is fsys. It skips hidden folders, testdata,
// what builds leave behind, and the Go files of modules inside the module. A
// file that is not Go syntax is an error.
func Load(fsys fs.FS) (*House, error) {
	h := &House{fset: token.NewFileSet(), byDir: map[string]*Package{}}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return h.enter(fsys, name)
		}
		return h.add(fsys, name)
	})
	if err != nil {
		return nil, err
	}
	if h.Module == "" {
		return nil, errors.New("tidy: no go.mod with a module line at the root")
	}
	slices.SortFunc(h.Packages, func(a, b *Package) int { return cmp.Compare(a.Dir, b.Dir) })
	return h, nil
}

// enter decides whether a folder belongs to the house.
func (h *House) enter(fsys fs.FS, dir string) error {
	if dir == "." {
		return nil
	}
	switch base := path.Base(dir); {
	case strings.HasPrefix(base, "."), base == "testdata", base == "node_modules", base == "vendor", base == "bin", base == "dist":
		return fs.SkipDir
	}
	err := h.add(fsys, path.Join(dir, "go.mod"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	return fs.SkipDir // a module of its own
}

// add files one file where the rules look for it.
func (h *House) add(fsys fs.FS, name string) error {
	ext := path.Ext(name)
	isGoMod := path.Base(name) == "go.mod"
	if !isGoMod && ext != ".go" && !slices.Contains(scriptExtensions, ext) {
		return nil
	}
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		return err
	}
	text := Text{Path: name, Lines: strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")}
	switch {
	case isGoMod:
		h.GoMods = append(h.GoMods, &text)
		if name == "go.mod" {
			h.Module = modulePath(text.Lines)
		}
	case ext == ".go":
		return h.addGo(text, data)
	default:
		h.Scripts = append(h.Scripts, &text)
	}
	return nil
}

func (h *House) addGo(text Text, data []byte) error {
	syntax, err := parser.ParseFile(h.fset, text.Path, data, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	dir := path.Dir(text.Path)
	pkg := h.byDir[dir]
	if pkg == nil {
		pkg = &Package{Dir: dir}
		h.byDir[dir] = pkg
		h.Packages = append(h.Packages, pkg)
	}
	pkg.Files = append(pkg.Files, &File{Text: text, Test: strings.HasSuffix(text.Path, "_test.go"), Syntax: syntax})
	return nil
}

// modulePath finds the path in a go.mod.
func modulePath(lines []string) string {
	for _, line := range lines {
		if rest, ok := strings.CutPrefix(line, "module "); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}

// imported is one import of a file.
type imported struct {
	path string // as written
	own  string // folder inside the house, "" when the package is not ours
	name string // explicit name, "" when there is none
	pos  token.Pos
}

// imports lists what a file imports, in order.
func (h *House) imports(f *File) []imported {
	var list []imported
	for _, spec := range f.Syntax.Imports {
		text, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue // the parser has accepted it, so this does not happen
		}
		im := imported{path: text, pos: spec.Pos()}
		if text == h.Module {
			im.own = "."
		} else if own, ok := strings.CutPrefix(text, h.Module+"/"); ok {
			im.own = own
		}
		if spec.Name != nil {
			im.name = spec.Name.Name
		}
		list = append(list, im)
	}
	return list
}

// at makes a problem for a place in a Go file.
func (h *House) at(pos token.Pos, rule, format string, args ...any) Problem {
	p := h.fset.Position(pos)
	return Problem{Path: p.Filename, Line: p.Line, Rule: rule, Text: fmt.Sprintf(format, args...)}
}

// Check applies every rule and returns what is broken, in order of place.
func Check(h *House) []Problem {
	var all []Problem
	for _, rule := range []func(*House) []Problem{
		checkLayers, checkTechnologies, checkCore, checkSizes, checkDocs,
		checkNames, checkInit, checkGlobals, checkReasons, checkGoMods,
	} {
		all = append(all, rule(h)...)
	}
	slices.SortFunc(all, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Rule, b.Rule))
	})
	return all
}
