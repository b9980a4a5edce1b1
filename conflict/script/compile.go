package script

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// The names of the functions that a script is asked for.
const (
	resolveName = "resolve"
	testPrefix  = "test_"
	loadedName  = "<toplevel>" // of the interpreter, for a script's top level
)

// Hash names a script's source: SHA-256.
type Hash [sha256.Size]byte

// String is the hash in hexadecimal digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// Script is a compiled script. It is immutable, and nothing of it has been
// executed.
type Script struct {
	name    string
	source  string
	hash    Hash
	program *starlark.Program
	tests   []string
	strings []string // literals of the source, which the gate draws from
}

// Name is the name that the script was compiled under.
func (s *Script) Name() string { return s.name }

// Source is the script's text.
func (s *Script) Source() string { return s.source }

// Hash names the source, and so what the script does.
func (s *Script) Hash() Hash { return s.hash }

// Tests lists the test_ functions in the order of the source.
func (s *Script) Tests() []string { return slices.Clone(s.tests) }

// checkTest says whether the script has a test of that name.
func (s *Script) checkTest(name string) error {
	if !slices.Contains(s.tests, name) {
		return fmt.Errorf("script: there is no test %.80q in %s", name, s.name)
	}
	return nil
}

// Problem is one reason why a script does not compile.
type Problem struct {
	Line   int    `json:"line"`   // from 1
	Column int    `json:"column"` // from 1, in characters
	Msg    string `json:"msg"`
}

// CompileError is the error of Compile: at least one problem, in order of
// place, at most MaxProblems.
type CompileError struct {
	Name     string
	Problems []Problem
}

// Error shows the first problem as name:line:column: message.
func (e *CompileError) Error() string {
	p := e.Problems[0]
	text := fmt.Sprintf("%s:%d:%d: %s", e.Name, p.Line, p.Column, p.Msg)
	if more := len(e.Problems) - 1; more > 0 {
		text += fmt.Sprintf(" (and %d more)", more)
	}
	return text
}

// dialect is the language: Starlark as it is specified, and sets.
func dialect() *syntax.FileOptions { return &syntax.FileOptions{Set: true} }

// Compile checks a script's syntax and names, and that it has what the product
// calls: a function resolve with one parameter, and test_ functions without
// any. It executes nothing. The error is a *CompileError.
func Compile(name, source string) (*Script, error) {
	switch {
	case len(source) > MaxSource:
		return nil, problem(name, 1, 1, fmt.Sprintf("the script has %d bytes, %d are allowed", len(source), MaxSource))
	case !utf8.ValidString(source):
		line, column := placeOfBadUTF8(source)
		return nil, problem(name, line, column, "the script is not UTF-8")
	}
	file, err := dialect().Parse(name, source, 0)
	if err != nil {
		return nil, compileError(name, err)
	}
	s := &Script{name: name, source: source, hash: sha256.Sum256([]byte(source))}
	if problems := s.inspect(file); len(problems) > 0 {
		return nil, &CompileError{name, problems}
	}
	builtins := predeclared()
	if s.program, err = starlark.FileProgram(file, builtins.Has); err != nil {
		return nil, compileError(name, err)
	}
	return s, nil
}

func problem(name string, line, column int, msg string) *CompileError {
	return &CompileError{name, []Problem{{line, column, msg}}}
}

// compileError turns the interpreter's errors into ours.
func compileError(name string, err error) *CompileError {
	if e, ok := errors.AsType[syntax.Error](err); ok {
		return problem(name, int(e.Pos.Line), int(e.Pos.Col), e.Msg)
	}
	list, ok := errors.AsType[resolve.ErrorList](err)
	if !ok {
		return problem(name, 1, 1, err.Error())
	}
	out := &CompileError{Name: name}
	for _, e := range list[:min(len(list), MaxProblems)] {
		out.Problems = append(out.Problems, Problem{int(e.Pos.Line), int(e.Pos.Col), cut(e.Msg, MaxMessage)})
	}
	return out
}

func placeOfBadUTF8(source string) (line, column int) {
	good := 0
	for good < len(source) {
		r, size := utf8.DecodeRuneInString(source[good:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		good += size
	}
	before := source[:good]
	return strings.Count(before, "\n") + 1, utf8.RuneCountInString(before[strings.LastIndex(before, "\n")+1:]) + 1
}

// inspect checks the functions that the product calls and collects the tests
// and the string literals.
func (s *Script) inspect(file *syntax.File) []Problem {
	var problems []Problem
	add := func(pos syntax.Position, format string, args ...any) {
		if len(problems) < MaxProblems {
			problems = append(problems, Problem{int(pos.Line), int(pos.Col), fmt.Sprintf(format, args...)})
		}
	}
	found := false
	for _, stmt := range file.Stmts {
		switch stmt := stmt.(type) {
		case *syntax.LoadStmt:
			add(stmt.Load, "load is not available: a resolver is one file")
		case *syntax.DefStmt:
			name, pos := stmt.Name.Name, stmt.Name.NamePos
			switch {
			case name == resolveName:
				found = true
				if len(stmt.Params) != 1 || !plain(stmt.Params[0]) {
					add(pos, "resolve has one parameter: def resolve(conflict)")
				}
			case strings.HasPrefix(name, testPrefix):
				if len(stmt.Params) != 0 {
					add(pos, "%s has no parameters: build conflicts with conflict(siblings=[...])", cut(name, MaxEventName))
				}
				if s.tests = append(s.tests, name); len(s.tests) == MaxTests+1 {
					add(pos, "more than %d tests", MaxTests)
				}
			}
		}
	}
	if !found && len(problems) == 0 {
		problems = append(problems, Problem{1, 1, "there is no function resolve: def resolve(conflict) must stand at the top level"})
	}
	s.strings = literals(file)
	return problems
}

// plain says whether a parameter is a name without default or star.
func plain(param syntax.Expr) bool {
	_, ok := param.(*syntax.Ident)
	return ok
}

// maxLiterals is the most string literals that are kept of one source.
const maxLiterals = 256

// literals lists the different strings of the source, in order.
func literals(file *syntax.File) []string {
	var out []string
	syntax.Walk(file, func(n syntax.Node) bool {
		lit, ok := n.(*syntax.Literal)
		if !ok || lit.Token != syntax.STRING || len(out) == maxLiterals {
			return true
		}
		if text := lit.Value.(string); !slices.Contains(out, text) {
			out = append(out, text)
		}
		return true
	})
	return out
}
