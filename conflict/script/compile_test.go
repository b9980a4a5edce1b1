package script

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// API.md, errors: "422 … resolver (line:column)". Issue 4, point 3: "compile …
// errors with line and column".
func TestCompileErrors(t *testing.T) {
	t.Parallel()
	const ok = "def resolve(conflict):\n    return {}\n"
	for _, c := range []struct {
		name, source string
		line, column int
		msg          string
	}{
		{"syntax", "def resolve(conflict):\n    return {\n", 3, 1, "got outdent, want primary expression"},
		{"undefined name", ok + "x = 1 + y\n", 3, 9, "undefined: y"},
		{"no resolve", "x = 1\n", 1, 1, "there is no function resolve"},
		{"resolve is a lambda", "resolve = lambda c: {}\n", 1, 1, "there is no function resolve"},
		{"resolve inside another", "def f():\n    def resolve(c):\n        return {}\n", 1, 1, "there is no function resolve"},
		{"two parameters", "def resolve(a, b):\n    return {}\n", 1, 5, "one parameter"},
		{"no parameter", "def resolve():\n    return {}\n", 1, 5, "one parameter"},
		{"a default", "def resolve(a = 1):\n    return {}\n", 1, 5, "one parameter"},
		{"a star", "def resolve(*a):\n    return {}\n", 1, 5, "one parameter"},
		{"load", ok + "load(\"x.star\", \"y\")\n", 3, 1, "load is not available"},
		{"a test with a parameter", ok + "def test_x(c):\n    pass\n", 3, 5, "no parameters"},
		{"reassigned", ok + "x = 1\nx = 2\n", 4, 1, "cannot reassign global x"},
		{"while", "def resolve(c):\n    while True:\n        pass\n", 2, 5, "while"},
		{"loop at the top", ok + "for x in []:\n    pass\n", 3, 1, "for loop not within a function"},
		{"clock", "def resolve(c):\n    return {\"t\": time.now()}\n", 2, 18, "undefined: time"},
		{"not UTF-8", "# é\n# a\xff\n" + ok, 2, 4, "not UTF-8"},
		{"too long", ok + strings.Repeat("#", MaxSource), 1, 1, "bytes"},
		{"too many tests", ok + strings.Repeat("def test_x():\n    pass\n", MaxTests+1), 2*MaxTests + 3, 5, "more than 256 tests"},
	} {
		_, err := Compile("mine", c.source)
		e, ok := errors.AsType[*CompileError](err)
		if !ok {
			t.Errorf("%s: %v is no CompileError", c.name, err)
			continue
		}
		if p := e.Problems[0]; p.Line != c.line || p.Column != c.column || !strings.Contains(p.Msg, c.msg) {
			t.Errorf("%s: %v, want %d:%d and %q", c.name, e, c.line, c.column, c.msg)
		}
	}
}

// Several unknown names are several problems, each with its place.
func TestCompileProblems(t *testing.T) {
	t.Parallel()
	_, err := Compile("mine", "def resolve(c):\n    return a + b\n")
	e, ok := errors.AsType[*CompileError](err)
	want := []Problem{{2, 12, "undefined: a"}, {2, 16, "undefined: b"}}
	if !ok || !slices.Equal(e.Problems, want) {
		t.Fatalf("%v, want %v", err, want)
	}
	if got := err.Error(); got != "mine:2:12: undefined: a (and 1 more)" {
		t.Error(got)
	}
	var many strings.Builder
	for i := range 100 {
		fmt.Fprintf(&many, "x%d,", i)
	}
	_, err = Compile("mine", "def resolve(c):\n    return ["+many.String()+"]\n")
	if e, ok := errors.AsType[*CompileError](err); !ok || len(e.Problems) != MaxProblems {
		t.Errorf("%v: want %d problems", err, MaxProblems)
	}
}

func TestCompileKeeps(t *testing.T) {
	t.Parallel()
	const source = "def test_b():\n    pass\n\ndef resolve(c):\n    return {}\n\ndef test_a():\n    pass\n\ndef helper():\n    pass\n"
	s, err := Compile("mine", source)
	if err != nil {
		t.Fatal(err)
	}
	if s.Name() != "mine" || s.Source() != source || !slices.Equal(s.Tests(), []string{"test_b", "test_a"}) {
		t.Errorf("%q, %q", s.Name(), s.Tests())
	}
	if s.Hash() != sha256.Sum256([]byte(source)) || len(s.Hash().String()) != 64 {
		t.Errorf("hash %s", s.Hash())
	}
}

// FAILURES section 2: "fuzz: every decoder: … scripts: no panic". Compile runs
// in the process of the node, so it must not fail in any other way either.
func FuzzCompile(f *testing.F) {
	f.Add(goodSource)
	f.Add("def resolve(c):\n    return [x for x in c if (lambda: 1)()]\n")
	f.Add("load(\"a\", b=\"c\")\ndef resolve(c): return {\"a\": 1 if 2 else not -3}\n")
	f.Fuzz(func(t *testing.T, source string) {
		s, err := Compile("fuzz", source)
		if err != nil {
			e, ok := errors.AsType[*CompileError](err)
			if !ok || len(e.Problems) == 0 || e.Problems[0].Line < 1 || e.Problems[0].Column < 1 {
				t.Fatalf("%v", err)
			}
			return
		}
		again, err := Compile("fuzz", source)
		if err != nil || again.Hash() != s.Hash() || !slices.Equal(again.Tests(), s.Tests()) {
			t.Fatalf("the second time: %v", err)
		}
	})
}
