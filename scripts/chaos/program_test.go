package chaos_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/syncline/syncline/scripts/chaos"
)

const two = "cluster(nodes = 2, witness = True)\n"

// Issue 5: "A wrong script names line and cause before anything is started; a cut
// of an unknown node, a missing duration". "Errors with file, line, column."
func TestCompileSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ source, want string }{
		{"", "s.star:1:1: a script begins with the cluster"},
		{"wait('1s')\n", "s.star:1:1: a script begins with the cluster"},
		{"x = 1\n", "s.star:1:1: a script begins with the cluster"},
		{"cluster()\n", "s.star:1:1: cluster: nodes is missing"},
		{"cluster(nodes = 0)\n", "1 to 9"},
		{"cluster(nodes = 'ab')\n", "a number or a list"},
		{"cluster(nodes = ['a', 'A'])\n", `the name "A"`},
		{"cluster(nodes = ['a', 'a'])\n", "no name twice"},
		{"cluster(nodes = 1 + 1)\n", "s.star:1:17: cluster: want a constant"},
		{"cluster(nodes = 2, size = 1)\n", `no argument "size"`},
		{"cluster(nodes = 2, lease = '1ms')\n", "at least 200ms"},
		{two + two, "s.star:2:1: cluster: a script asks for one cluster"},
		{two + "cut('a', 'b'\n", "s.star:3:1: got end of file"},
		{two + "\n  cat('a')\n", "s.star:3:3: "},
		{two + "cat('a', 'b')\n", "s.star:2:1: no function or name cat"},
		{two + "cut('a', 'c', lasts = '1s')\n", `s.star:2:10: cut: b: no node "c" in this cluster, which has a, b, w`},
		{two + "cut('a', 'b')\n", "s.star:2:1: cut: lasts is missing: every fault has an end"},
		{two + "cut('a', 'b', lasts = 1)\n", `s.star:2:23: cut: lasts: want a duration as text, such as "2s"`},
		{two + "cut('a', 'b', lasts = '1')\n", "want a duration"},
		{two + "cut('a', 'b', lasts = '-1s')\n", "above 0s"},
		{two + "cut('a', 'b', lasts = '300h')\n", "too long"},
		{two + "cut('a', 'b', '1s', True, 3)\n", "too many arguments: cut(a, b, lasts, one_way=…)"},
		{two + "cut('a', 'b', lasts = '1s', oneway = True)\n", `s.star:2:29: cut: no argument "oneway"`},
		{two + "cut('a', 'b', lasts = '1s', one_way = 'yes')\n", "want True or False"},
		{two + "lose('a', 'b', 1.5, lasts = '1s')\n", "a share above 0 and at most 1"},
		{two + "halves(['a'], ['b', 'z'], lasts = '1s')\n", `no node "z"`},
		{two + "halves(['a', 'a'], ['b'], lasts = '1s')\n", "twice"},
		{two + "bridge('w', lasts = '1s')\n", `"w" is the witness, which stores no documents`},
		{two + "put('a', 'alice', {})\n", "want a key as COLLECTION/ID"},
		{two + "load(rate = 0)\n", "s.star:2:13: load: rate: want a whole number above 0"},
		{two + "load(kind = 'heavy')\n", `no load of kind "heavy": one of ledger`},
		{two + "def f():\n    kill('a', 'x')\n", `s.star:3:15: kill: node: no node "x"`},
		{two + "clock('a', drift = 3, lasts = '1s')\n", "a drift of at most"},
		{two + "block('a', 'b', port = 'api', lasts = '1s')\n", `want "peer" or "gossip"`},
		{"cluster(nodes = 2, sync = 'off')\n", `s.star:1:1: cluster: sync: want "full" or "normal", not "off"`},
		{two + "always(lambda: True, what = 'x')\n", "s.star:2:1: always: lasts is missing: always(holds, what, lasts)"},
		{two + "restore('a', 'k/1')\n", "s.star:2:1: restore: dot is missing"},
		{two + "patch('a', 'k/1', 7)\n", "s.star:2:19: patch: patch: want a document"},
		{two + "records('w', 'k/1')\n", `"w" is the witness, which stores no documents`},
		{two + "rollback('x')\n", `s.star:2:10: rollback: node: no node "x"`},
		{two + "eventually(writers(), what = 1)\n", "s.star:2:30: eventually: what: want a text"},
	} {
		_, err := chaos.Compile("s.star", test.source)
		if _, is := errors.AsType[*chaos.CompileError](err); !is || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", strings.TrimPrefix(test.source, two), err, test.want)
		}
	}
	_, err := chaos.Compile("s.star", two+"cut('a', 'x')\ncut('y', 'b', lasts = '1s')\n")
	if strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("want all three problems: %v", err)
	}
}

// What is computed cannot be checked before the start, and what the script
// defines itself is not ours.
func TestCompileLeavesTheRestAlone(t *testing.T) {
	t.Parallel()
	for _, source := range []string{
		"for n in nodes():\n    cut(n, 'w', lasts = '1s')\n",
		"def cut(x):\n    return x\ncut(7)\n",
		"args = {'lasts': '1s'}\ncut('a', 'b', **args)\n",
		"note('load # not a comment')  # load(\nload(rate = 10)\nx = \"\"\"load\nload(\"\"\"\ny = r'load\\'s'\n",
	} {
		p, err := chaos.Compile("s.star", "# One.\n# Two.\n"+two+source)
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		if spec := p.Spec(); spec.String() != "data nodes a, b, witness w" || p.About() != "One. Two." {
			t.Errorf("%s, %q", &spec, p.About())
		}
	}
}

// "a fault on a node without --chaos, no root …: one clear line": what a cluster
// cannot do is said with the place where the script wants it.
func TestFits(t *testing.T) {
	t.Parallel()
	p, err := chaos.Compile("s.star", two+"wait('1s')\nkill('a')\n")
	if err != nil {
		t.Fatal(err)
	}
	err = p.Fits(func(a chaos.Ability) string { return map[chaos.Ability]string{chaos.Processes: "not here"}[a] })
	if err == nil || err.Error() != "s.star:3:1: not here" {
		t.Errorf("%v", err)
	}
	if err := p.Fits(func(chaos.Ability) string { return "" }); err != nil {
		t.Error(err)
	}
}

// Issue 5: "At least 16 scripts that ship, each a page of plain Starlark with a
// comment of three lines that says what is shown".
func TestShippedScripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../*.star")
	if err != nil || len(files) < 16 {
		t.Fatalf("%d scripts, %v", len(files), err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := chaos.Compile(file, string(source)); err != nil {
			t.Error(err)
		}
		comment := 0
		for line := range strings.Lines(string(source)) {
			if !strings.HasPrefix(line, "#") {
				break
			}
			comment++
		}
		if lines := strings.Count(string(source), "\n"); comment != 3 || lines > 60 {
			t.Errorf("%s has a comment of %d lines and %d lines in all: want 3, and at most 60", file, comment, lines)
		}
	}
}

// "every decoder: … scripts: no panic" (FAILURES section 2).
func FuzzCompile(f *testing.F) {
	f.Add(two + "load(kind = 'ledger')\ncut('a', 'b', lasts = '1s')\n")
	f.Add("cluster(nodes = ['x'], *a)\n'''load")
	f.Fuzz(func(t *testing.T, source string) {
		if p, err := chaos.Compile("s.star", source); err == nil && len(p.Spec().Data) == 0 {
			t.Error("a script without a cluster was taken")
		}
	})
}
