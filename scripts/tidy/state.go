package tidy

import (
	"go/ast"
	"go/token"
	"go/types"
	"path"
	"slices"
	"strings"
)

// This file holds the rule on package-level state: there is none. A
// package-level var is allowed only as a name for something that never
// changes: an error, a regular expression, a table, an embedded file. In
// syntax, so that the rule stays simple:
//
//   - it is given its value where it is declared (or by go:embed);
//   - that value is not an empty container made to be filled (make, new), nor
//     a lock, pool, counter or channel of package sync or sync/atomic;
//   - nothing assigns to it, to a field of it or to an element of it, counts
//     it up, deletes from it or takes its address, in any package of ours.
//
// A table passed to a function that changes it is not noticed. One package is
// exempt: planted, whose one chosen bug must reach every layer without showing
// in a signature, and which is empty in every build that ships.

// checkInit reports init functions: what must happen is called by somebody.
func checkInit(h *House) []Problem {
	var out []Problem
	for _, pkg := range h.Packages {
		for _, f := range pkg.Files {
			for _, d := range f.Syntax.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
					out = append(out, h.at(fn.Pos(), "init", "no init functions: call it where it is needed"))
				}
			}
		}
	}
	return out
}

// global is the full name of a package-level var.
type global struct{ pkg, name string }

// checkGlobals reports package-level vars that change or are made to change.
func checkGlobals(h *House) []Problem {
	var out []Problem
	vars := map[global]bool{}
	for _, pkg := range h.Packages {
		if pkg.Dir == everywhere {
			continue
		}
		for _, f := range pkg.Files {
			for _, d := range f.Syntax.Decls {
				gen, ok := d.(*ast.GenDecl)
				if !ok || gen.Tok != token.VAR {
					continue
				}
				for _, s := range gen.Specs {
					spec := s.(*ast.ValueSpec)
					for _, name := range spec.Names {
						vars[global{h.scopeOf(pkg, f), name.Name}] = true
					}
					out = append(out, h.checkDeclaration(gen, spec)...)
				}
			}
		}
	}
	for _, pkg := range h.Packages {
		out = append(out, h.checkChanges(pkg, vars)...)
	}
	return out
}

// scopeOf names the scope that a file's package-level names live in: the
// import path, with a mark for an external test package.
func (h *House) scopeOf(pkg *Package, f *File) string {
	scope := path.Join(h.Module, pkg.Dir)
	if strings.HasSuffix(f.Syntax.Name.Name, "_test") {
		scope += "_test"
	}
	return scope
}

// mutableOf are the names of package sync whose values change; the rest of it
// (OnceValue, OnceFunc) makes lazy constants.
var mutableOf = []string{"Mutex", "RWMutex", "Pool", "Map", "WaitGroup", "Once", "Cond"}

func (h *House) checkDeclaration(gen *ast.GenDecl, spec *ast.ValueSpec) []Problem {
	const rule = "global"
	name := spec.Names[0].Name
	if name == "_" {
		return nil // an assertion that a type satisfies an interface
	}
	if len(spec.Values) == 0 && !embedded(gen) && !embedded(spec) {
		return []Problem{h.at(spec.Pos(), rule, "%s has no value where it is declared, so it is there to be changed", name)}
	}
	var out []Problem
	ast.Inspect(spec, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit, *ast.FuncType:
			return false // what a function does when called is its own matter
		case *ast.CallExpr:
			if id, ok := n.Fun.(*ast.Ident); ok && (id.Name == "make" || id.Name == "new") {
				out = append(out, h.at(n.Pos(), rule, "%s begins empty (%s), so it is there to be changed", name, id.Name))
			}
		case *ast.SelectorExpr:
			x, ok := n.X.(*ast.Ident)
			if ok && (x.Name == "atomic" || x.Name == "sync" && slices.Contains(mutableOf, n.Sel.Name)) {
				out = append(out, h.at(n.Pos(), rule, "%s is state (%s.%s): put it into a struct", name, x.Name, n.Sel.Name))
			}
		}
		return true
	})
	return out
}

// embedded says whether a go:embed directive stands above a declaration.
func embedded(n ast.Node) bool {
	var doc *ast.CommentGroup
	switch n := n.(type) {
	case *ast.GenDecl:
		doc = n.Doc
	case *ast.ValueSpec:
		doc = n.Doc
	}
	return doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool {
		return strings.HasPrefix(c.Text, "//go:embed ")
	})
}

// checkChanges reports every place of a package that changes a known var.
func (h *House) checkChanges(pkg *Package, vars map[global]bool) []Problem {
	scopes := map[string][]*ast.File{}
	for _, f := range pkg.Files {
		scope := h.scopeOf(pkg, f)
		scopes[scope] = append(scopes[scope], f.Syntax)
	}
	var out []Problem
	for scope, files := range scopes {
		uses := resolve(h.fset, scope, files)
		for _, file := range files {
			for _, target := range changed(file) {
				if g, ok := globalAt(target, scope, uses); ok && vars[g] {
					out = append(out, h.at(target.Pos(), "global", "%s is changed here: a package-level var never changes", g.name))
				}
			}
		}
	}
	return out
}

// emptyImporter answers every import with an empty package: names of other
// packages stay unresolved, names of this one are told from local ones.
type emptyImporter struct{}

func (emptyImporter) Import(p string) (*types.Package, error) {
	pkg := types.NewPackage(p, path.Base(p))
	pkg.MarkComplete()
	return pkg, nil
}

// resolve finds what each name in the files refers to. Type errors are
// expected, since imports are empty; names are resolved all the same.
func resolve(fset *token.FileSet, scope string, files []*ast.File) map[*ast.Ident]types.Object {
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	conf := types.Config{Importer: emptyImporter{}, Error: func(error) {}}
	_, _ = conf.Check(scope, fset, files, info) // its errors are those of the empty imports
	return info.Uses
}

// changed lists the expressions of a file that are assigned to, counted up,
// deleted from or have their address taken.
func changed(file *ast.File) []ast.Expr {
	var out []ast.Expr
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok != token.DEFINE {
				out = append(out, n.Lhs...)
			}
		case *ast.IncDecStmt:
			out = append(out, n.X)
		case *ast.RangeStmt:
			if n.Tok == token.ASSIGN {
				out = append(out, n.Key)
				if n.Value != nil {
					out = append(out, n.Value)
				}
			}
		case *ast.UnaryExpr:
			if n.Op == token.AND {
				out = append(out, n.X)
			}
		case *ast.CallExpr:
			if id, ok := n.Fun.(*ast.Ident); ok && len(n.Args) > 0 && slices.Contains([]string{"delete", "clear", "copy"}, id.Name) {
				out = append(out, n.Args[0])
			}
		}
		return true
	})
	return out
}

// globalAt finds the package-level var at the root of an expression such as
// v, v.field, v[i], *v, or pkg.V.
func globalAt(e ast.Expr, scope string, uses map[*ast.Ident]types.Object) (global, bool) {
	for {
		switch x := e.(type) {
		case *ast.ParenExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.SliceExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.SelectorExpr:
			if id, ok := x.X.(*ast.Ident); ok {
				if p, ok := uses[id].(*types.PkgName); ok {
					return global{p.Imported().Path(), x.Sel.Name}, true
				}
			}
			e = x.X
		case *ast.Ident:
			v, ok := uses[x].(*types.Var)
			if !ok || v.Pkg() == nil || v.Parent() != v.Pkg().Scope() {
				return global{}, false
			}
			return global{scope, x.Name}, true
		default:
			return global{}, false
		}
	}
}
