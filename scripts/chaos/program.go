package chaos

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	starlarkjson "go.starlark.net/lib/json"
	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// Program is a script that was checked. It is immutable, and nothing of it has
// been executed.
type Program struct {
	name    string
	source  string
	spec    Spec
	needs   map[Ability]position // with the first call that needs it
	asks    position             // where it asks for its cluster
	about   string
	program *starlark.Program
}

// Name is the name that the script was compiled under.
func (p *Program) Name() string { return p.name }

// Source is the script's text.
func (p *Program) Source() string { return p.source }

// Spec is the cluster that the script asks for.
func (p *Program) Spec() Spec { return p.spec }

// About is the comment at the top of the script.
func (p *Program) About() string { return p.about }

// Problem is one reason why a script is refused.
type Problem struct {
	Line   int
	Column int
	Msg    string
}

// CompileError is the error of Compile: at least one problem, in order of place,
// at most MaxProblems.
type CompileError struct {
	Name     string
	Problems []Problem
}

// Error shows each problem as name:line:column: message.
func (e *CompileError) Error() string {
	var lines []string
	for _, p := range e.Problems {
		lines = append(lines, fmt.Sprintf("%s:%d:%d: %s", e.Name, p.Line, p.Column, p.Msg))
	}
	return strings.Join(lines, "\n")
}

// dialect is Starlark with statements at the top level: a script is read from its
// first line to its last.
func dialect() *syntax.FileOptions {
	return &syntax.FileOptions{Set: true, TopLevelControl: true, GlobalReassign: true}
}

// clusterName is the function that a script begins with.
const clusterName = "cluster"

// predeclared is everything that a script has beside Starlark's own names.
func predeclared(call func(*function) *starlark.Builtin) starlark.StringDict {
	out := starlark.StringDict{"json": starlarkjson.Module}
	for _, f := range functions() {
		name := f.name
		if name == loadWord {
			name = loadName
		}
		out[name] = call(&f)
	}
	// It has been read when the script is carried out.
	out[clusterName] = starlark.NewBuiltin(clusterName, func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
		return starlark.None, nil
	})
	return out
}

// Compile checks a script: syntax, names, the cluster, the arguments of every
// call of a function of this package. The error is a *CompileError.
func Compile(name, source string) (*Program, error) {
	if len(source) > MaxSource || !utf8.ValidString(source) {
		return nil, &CompileError{name, []Problem{{1, 1, fmt.Sprintf("a script is UTF-8 text of at most %d bytes", MaxSource)}}}
	}
	file, err := dialect().Parse(name, unreserve(source), 0)
	if err != nil {
		return nil, compileError(name, err)
	}
	p := &Program{name: name, source: source, needs: map[Ability]position{}, about: aboutOf(source)}
	stub := func(f *function) *starlark.Builtin { return starlark.NewBuiltin(f.name, nil) }
	if p.program, err = starlark.FileProgram(file, predeclared(stub).Has); err != nil {
		return nil, compileError(name, err)
	}
	c := &inspector{program: p}
	c.readCluster(file)
	if len(c.problems) == 0 {
		c.inspect(file)
	}
	if len(c.problems) > 0 {
		return nil, &CompileError{name, c.problems}
	}
	return p, nil
}

// aboutOf is the comment that a source begins with.
func aboutOf(source string) string {
	var out []string
	for line := range strings.Lines(source) {
		text, comment := strings.CutPrefix(strings.TrimSpace(line), "#")
		if !comment {
			break
		}
		out = append(out, strings.TrimSpace(text))
	}
	return strings.Join(out, " ")
}

// compileError turns the interpreter's errors into ours.
func compileError(name string, err error) *CompileError {
	if e, ok := errors.AsType[syntax.Error](err); ok {
		return &CompileError{name, []Problem{{int(e.Pos.Line), int(e.Pos.Col), shown(e.Msg)}}}
	}
	list, ok := errors.AsType[resolve.ErrorList](err)
	if !ok {
		return &CompileError{name, []Problem{{1, 1, err.Error()}}}
	}
	out := &CompileError{Name: name}
	for _, e := range list[:min(len(list), MaxProblems)] {
		msg := shown(e.Msg)
		if unknown, is := strings.CutPrefix(msg, "undefined: "); is {
			msg = "no function or name " + unknown
		}
		out.Problems = append(out.Problems, Problem{int(e.Pos.Line), int(e.Pos.Col), msg})
	}
	return out
}

// inspector looks through the calls of a script.
type inspector struct {
	program  *Program
	problems []Problem
}

func (c *inspector) add(pos syntax.Position, err error) {
	if len(c.problems) < MaxProblems {
		c.problems = append(c.problems, Problem{int(pos.Line), int(pos.Col), err.Error()})
	}
}

// isOurs says whether a call is one of a predeclared function, and of which.
func isOurs(call *syntax.CallExpr) string {
	id, ok := call.Fn.(*syntax.Ident)
	if !ok {
		return ""
	}
	if b, ok := id.Binding.(*resolve.Binding); !ok || b.Scope != resolve.Predeclared {
		return ""
	}
	return id.Name
}

// inspect checks every call.
func (c *inspector) inspect(file *syntax.File) {
	table := functions()
	clusters := 0
	syntax.Walk(file, func(n syntax.Node) bool {
		if n, ok := n.(*syntax.CallExpr); ok {
			name := shown(isOurs(n))
			if name == clusterName {
				if clusters++; clusters > 1 {
					c.add(start(n), errors.New("cluster: a script asks for one cluster, in its first statement"))
				}
			}
			if i := slices.IndexFunc(table, func(f function) bool { return f.name == name }); i >= 0 {
				c.checkCall(&table[i], n)
			}
		}
		return true
	})
}

func start(n syntax.Node) syntax.Position {
	pos, _ := n.Span()
	return pos
}

// checkCall holds the arguments of a call that are constants against the
// function, and looks for those that are missing.
func (c *inspector) checkCall(f *function, call *syntax.CallExpr) {
	given, open := map[string]bool{}, false
	place := 0
	for _, arg := range call.Args {
		i, value := -1, arg
		switch arg := arg.(type) {
		case *syntax.UnaryExpr:
			if arg.Op == syntax.STAR || arg.Op == syntax.STARSTAR {
				open = true
				continue
			}
			i, place = f.place(place), place+1
		case *syntax.BinaryExpr:
			if arg.Op == syntax.EQ {
				name := arg.X.(*syntax.Ident).Name
				if i, value = f.find(name), arg.Y; i < 0 {
					c.add(start(arg), f.unknownName(name))
					continue
				}
				break
			}
			i, place = f.place(place), place+1
		default:
			i, place = f.place(place), place+1
		}
		if i < 0 {
			c.add(start(arg), f.tooMany())
			return
		}
		given[f.params[i].name] = true
		if v, ok := constant(value); ok {
			if err := f.checkOne(i, v, &c.program.spec); err != nil {
				c.add(start(value), err)
			}
		}
	}
	if !open {
		if err := f.lack(func(name string) bool { return given[name] }); err != nil {
			c.add(start(call), err)
		}
	}
	if _, known := c.program.needs[f.needs]; f.needs != "" && !known {
		pos := start(call)
		c.program.needs[f.needs] = position{c.program.name, int(pos.Line), int(pos.Col)}
	}
}

// Fits says what the script needs that a cluster cannot do, and where.
func (p *Program) Fits(lacks func(Ability) string) error {
	e := &CompileError{Name: p.name}
	for ability, pos := range p.needs {
		if why := lacks(ability); why != "" {
			e.Problems = append(e.Problems, Problem{pos.line, pos.col, why})
		}
	}
	if len(e.Problems) == 0 {
		return nil
	}
	slices.SortFunc(e.Problems, func(x, y Problem) int { return x.Line - y.Line })
	return e
}

// FitsCluster says why a cluster with these members is not the one that the
// script asks for, and where it does.
func (p *Program) FitsCluster(data, witnesses []string) error {
	var witness []string
	if p.spec.Witness != "" {
		witness = []string{p.spec.Witness}
	}
	if slices.Equal(slices.Sorted(slices.Values(data)), slices.Sorted(slices.Values(p.spec.Data))) && slices.Equal(witnesses, witness) {
		return nil
	}
	has := "data nodes " + strings.Join(data, ", ")
	if len(witnesses) > 0 {
		has += ", witness " + strings.Join(witnesses, ", ")
	}
	return &CompileError{p.name, []Problem{{p.asks.line, p.asks.col, fmt.Sprintf("the script wants %s; the cluster has %s", &p.spec, has)}}}
}
