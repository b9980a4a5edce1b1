package tidy

import (
	"go/ast"
	"path"
	"slices"
)

// corePackages take clock, randomness and ids as arguments and do no I/O, so
// that a seed replays them.
var corePackages = []string{"vclock", "conflict", "witness", "node", "node/wire", "node/strictjson"}

// coreImports are what the core does without: the network (addresses and URLs
// too), the file system, databases, randomness, logs (the core reports events).
var coreImports = []string{"net", "os", "syscall", "database/sql", "math/rand", "crypto/rand", "log"}

// realClock are the functions of package time that read the machine's clock or
// wait on it. Types and arithmetic of package time are free to use.
var realClock = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick"}

// checkCore reports I/O, the real clock and randomness in the core. Tests of
// the core may use what they like.
func checkCore(h *House) []Problem {
	var out []Problem
	for _, pkg := range h.Packages {
		if !slices.Contains(corePackages, pkg.Dir) {
			continue
		}
		for _, f := range pkg.Files {
			if !f.Test {
				out = append(out, h.checkCoreFile(f)...)
			}
		}
	}
	return out
}

func (h *House) checkCoreFile(f *File) []Problem {
	var out []Problem
	timeName := ""
	for _, im := range h.imports(f) {
		if within(im.path, coreImports) {
			out = append(out, h.at(im.pos, "core", "the core does not import %s: take it as an argument", im.path))
		}
		if im.path != "time" {
			continue
		}
		timeName = im.name
		switch im.name {
		case ".":
			out = append(out, h.at(im.pos, "core", "a dot import hides calls of the real clock"))
		case "":
			timeName = path.Base(im.path)
		}
	}
	ast.Inspect(f.Syntax, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok || timeName == "" {
			return true
		}
		if x, ok := sel.X.(*ast.Ident); ok && x.Name == timeName && slices.Contains(realClock, sel.Sel.Name) {
			out = append(out, h.at(sel.Pos(), "core", "the core does not use time.%s: take the time as an argument", sel.Sel.Name))
		}
		return true
	})
	return out
}
