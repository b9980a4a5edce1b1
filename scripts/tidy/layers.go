package tidy

import (
	"path"
	"slices"
	"strings"
)

// layers is the drawing of the house, lowest row first. A package may import
// every package of the rows below its own and none of its own row: two
// packages of one row are joined in cmd, through interfaces that the user of
// the interface declares.
var layers = [][]string{
	{"vclock", "scripts/ports"},
	{"conflict/merge"},
	{"conflict", "witness", "node/wire", "node/strictjson"},
	{"node"},
	{
		"node/peer", "node/link", "node/sqlite", "node/stream", "node/timeline", "conflict/script", "client", "web", "docs",
		"scripts", "scripts/resolvers", "scripts/chaos/history",
	},
	{"node/rest", "node/replica", "node/quorum", "node/member", "witness/server", "scripts/chaos"},
	{"cmd/syncline"},
}

// denied narrows the drawing. What happened and who may act are separate
// questions: node declares a Guard and does not know who votes.
var denied = map[string][]string{
	"node": {"witness"},
}

// beside are the packages outside the drawing with all that they may import;
// a last element "*" stands for every package of that folder.
var beside = map[string][]string{
	"planted":      {},
	"scripts/tidy": {},
	"scripts/e2e":  {"client", "vclock", "conflict", "node", "scripts/chaos"},
	"bench":        {"client", "bench/load", "scripts/ports", "node/sqlite"}, // the last for the sizes of its caches
	"bench/bare":   {},
	"bench/load":   {},

	"node/nodetest":       {"vclock", "conflict", "witness", "node", "node/*"},
	"node/nodetest/world": {"vclock", "conflict", "witness", "node", "node/*"},
}

// everywhere is imported by whom it pleases: named bugs for testing the tests.
const everywhere = "planted"

// testSupport are the packages that only tests import, and each other.
var testSupport = []string{"node/nodetest", "node/nodetest/world"}

// technology is a foreign module that only the packages named may import.
type technology struct {
	prefixes []string // import paths, or folders of them
	users    []string
}

// technologies: one package each knows the library, so that it can be replaced
// there. bench/bare is the floor that the product is compared with, and stands
// on the same two libraries.
var technologies = []technology{
	{prefixes: []string{"github.com/labstack/echo"}, users: []string{"node/rest", "bench/bare"}},
	{prefixes: []string{"github.com/hashicorp/serf", "github.com/hashicorp/memberlist"}, users: []string{"node/member"}},
	{prefixes: []string{"modernc.org"}, users: []string{"node/sqlite", "bench/bare"}},
	{prefixes: []string{"github.com/knadh/koanf"}, users: []string{"cmd/syncline"}},
	{prefixes: []string{"github.com/fxamacker/cbor"}, users: []string{"node/wire"}},
	{prefixes: []string{"go.starlark.net"}, users: []string{"conflict/script", "scripts/chaos"}},
}

// checkLayers reports every import of ours that the drawing does not allow.
func checkLayers(h *House) []Problem {
	var out []Problem
	for _, pkg := range h.Packages {
		if known(pkg.Dir) {
			for _, f := range pkg.Files {
				out = append(out, h.checkImports(pkg.Dir, f)...)
			}
			continue
		}
		out = append(out, Problem{
			Path: pkg.Files[0].Path, Line: 1, Rule: "layer",
			Text: "package " + pkg.Dir + " is in no row: say in scripts/tidy/layers.go what it may import",
		})
	}
	return out
}

func (h *House) checkImports(dir string, f *File) []Problem {
	var out []Problem
	for _, im := range h.imports(f) {
		if im.own == "" || im.own == dir || im.own == everywhere && dir != everywhere {
			continue
		}
		switch {
		case slices.Contains(testSupport, im.own):
			if !f.Test && !slices.Contains(testSupport, dir) {
				out = append(out, h.at(im.pos, "layer", "%s is test support: only _test.go files import it", im.own))
			}
		case !allowed(dir, im.own):
			out = append(out, h.at(im.pos, "layer", "%s may not import %s: imports run downward only, and not within a row", dir, im.own))
		}
	}
	return out
}

// row is the place of a package in the drawing, -1 when it is not in it.
func row(dir string) int {
	return slices.IndexFunc(layers, func(l []string) bool { return slices.Contains(l, dir) })
}

func known(dir string) bool {
	_, ok := beside[dir]
	return ok || row(dir) >= 0
}

// allowed says whether package from may import package to, both ours.
func allowed(from, to string) bool {
	if list, ok := beside[from]; ok {
		return slices.Contains(list, to) || slices.Contains(list, path.Dir(to)+"/*")
	}
	if slices.Contains(denied[from], to) {
		return false
	}
	below := row(to)
	return below >= 0 && below < row(from)
}

// checkTechnologies reports libraries that are imported outside their package.
func checkTechnologies(h *House) []Problem {
	var out []Problem
	for _, pkg := range h.Packages {
		for _, f := range pkg.Files {
			for _, im := range h.imports(f) {
				for _, t := range technologies {
					if within(im.path, t.prefixes) && !slices.Contains(t.users, pkg.Dir) {
						out = append(out, h.at(im.pos, "technology", "%s may not import %s: that is for %s",
							pkg.Dir, im.path, strings.Join(t.users, ", ")))
					}
				}
			}
		}
	}
	return out
}

// within says whether an import path is one of the prefixes or lies below one.
func within(importPath string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool {
		return importPath == p || strings.HasPrefix(importPath, p+"/")
	})
}
