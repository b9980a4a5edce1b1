package tidy

import (
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strings"
)

const (
	maxFileLines = 500 // lines of a source file
	maxFuncLines = 70  // lines of a function, from "func" to the closing brace
)

// scriptExtensions are the sources, Go apart, whose length is limited too.
var scriptExtensions = []string{".sh", ".sql", ".star", ".ts", ".tsx", ".js", ".css"}

// emptyNames say nothing about what is inside.
var emptyNames = []string{"util", "utils", "common", "helper", "helpers", "types", "manager", "managers"}

// checkSizes reports long files and long functions, tests included. A longer
// function hides a missing noun.
func checkSizes(h *House) []Problem {
	var out []Problem
	for _, s := range h.Scripts {
		out = append(out, checkFileSize(s)...)
	}
	for _, pkg := range h.Packages {
		for _, f := range pkg.Files {
			out = append(out, checkFileSize(&f.Text)...)
			out = append(out, h.checkFuncSizes(f)...)
		}
	}
	return out
}

func checkFileSize(t *Text) []Problem {
	if len(t.Lines) <= maxFileLines {
		return nil
	}
	return []Problem{{Path: t.Path, Line: maxFileLines + 1, Rule: "file-length", Text: "more than 500 lines: split it by feature"}}
}

func (h *House) checkFuncSizes(f *File) []Problem {
	var out []Problem
	ast.Inspect(f.Syntax, func(n ast.Node) bool {
		name := "function literal"
		switch fn := n.(type) {
		case *ast.FuncDecl:
			name = fn.Name.Name
		case *ast.FuncLit:
		default:
			return true
		}
		first, last := h.fset.Position(n.Pos()).Line, h.fset.Position(n.End()).Line
		if last-first+1 > maxFuncLines {
			out = append(out, h.at(n.Pos(), "func-length", "%s has %d lines, %d are allowed", name, last-first+1, maxFuncLines))
		}
		return true
	})
	return out
}

// packageComment is how a package comment begins.
var packageComment = regexp.MustCompile(`^(Package [a-z0-9]+|Command [a-z0-9-]+) `)

// checkDocs reports packages without a doc.go that holds the package comment.
func checkDocs(h *House) []Problem {
	var out []Problem
	for _, pkg := range h.Packages {
		name := path.Join(pkg.Dir, "doc.go")
		i := slices.IndexFunc(pkg.Files, func(f *File) bool { return f.Path == name })
		if i < 0 {
			out = append(out, Problem{Path: name, Line: 1, Rule: "doc", Text: "missing: it says what the package is and which invariants it keeps"})
			continue
		}
		if doc := pkg.Files[i].Syntax.Doc; doc == nil || !packageComment.MatchString(doc.Text()) {
			out = append(out, Problem{Path: name, Line: 1, Rule: "doc", Text: `needs a package comment that begins "Package name " or "Command name "`})
		}
	}
	return out
}

// checkNames reports packages and files whose name says nothing. A word of a
// name with underscores counts too.
func checkNames(h *House) []Problem {
	var out []Problem
	for _, pkg := range h.Packages {
		if slices.Contains(emptyNames, path.Base(pkg.Dir)) {
			out = append(out, Problem{Path: pkg.Files[0].Path, Line: 1, Rule: "name", Text: "a package is named for what it provides, not " + path.Base(pkg.Dir)})
		}
		for _, f := range pkg.Files {
			stem := strings.TrimSuffix(path.Base(f.Path), ".go")
			for word := range strings.SplitSeq(stem, "_") {
				if slices.Contains(emptyNames, word) {
					out = append(out, Problem{Path: f.Path, Line: 1, Rule: "name", Text: "a file is named for its feature, not " + word})
				}
			}
		}
	}
	return out
}
