package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	// readmeFile is the page whose examples are run.
	readmeFile = "../../README.md"
	// readmeSection is the part of it.
	readmeSection = "Conflicts"
	// readmeTimeout bounds one run of all examples.
	readmeTimeout = 3 * time.Minute
	// fewestExamples is how many blocks of commands the page has at least.
	fewestExamples = 30
	// anything stands in an output for what differs from run to run; on a line of
	// its own, for any number of lines.
	anything = "…"
	// refusedMark ends a command that has to end with an error.
	refusedMark = "# refused"
)

// example is one block of commands of the page, with what they print.
type example struct {
	commands []shellCommand
	prints   string // "": nothing is said of it
	line     int    // of prints
}

// shellCommand is one command of an example.
type shellCommand struct {
	text    string
	line    int // of the page, from 1
	refused bool
}

// Issue 4: "README has a page on conflicts with runnable examples that a test
// runs." The cluster is the one of the page itself: its file, its secret, its
// command lines. Only the addresses are others, so that nothing else is in the
// way, and the lease is longer.
func TestReadmeConflicts(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(readmeFile)
	if err != nil {
		t.Fatal(err)
	}
	c := newCluster(t, clusterConfig{data: []string{"a", "b"}, witness: true})
	root := t.TempDir()
	if err := os.CopyFS(filepath.Join(root, "scripts", "resolvers"), os.DirFS("../resolvers")); err != nil {
		t.Fatal(err)
	}
	r := &readmeRun{cluster: c, text: string(page), dir: filepath.Join(root, "shop"), out: t.TempDir(), bin: t.TempDir()}
	if err := os.Symlink(os.Getenv(envBinary), filepath.Join(r.bin, "syncline")); err != nil {
		t.Fatal(err)
	}
	r.node = c.url("a")
	r.found(t)
	r.serve(t)
	blocks := examplesOf(section(r.text, readmeSection))
	if len(blocks) < fewestExamples {
		t.Errorf("the page has %d examples, want %d or more", len(blocks), fewestExamples)
	}
	r.run(t, blocks)
	for _, differs := range r.check(blocks) {
		t.Error(differs)
	}
}

// A page and a program that differ are noticed: another output, a command that
// fails, one that does not although it should, and a variable without a value.
func TestReadmeNoticesDifferences(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ page, differs string }{
		"same":     {"```sh\nN=$(echo 7)\necho \"it  is $N\" \\\n and\n```\n```text\nit is … and\n```\n```sh\nfalse   # refused\n```\n", ""},
		"lines":    {"```sh\nprintf 'one\\ntwo\\nthree\\n'\n```\n```text\none\n…\nthree\n```\n", ""},
		"output":   {"```sh\necho yes\n```\n```text\nno\n```\n", "README.md:7: it says\nno\nand what was printed is\nyes\n"},
		"more":     {"```sh\necho yes; echo and no\n```\n```text\nyes\n```\n", "README.md:7: it says\n"},
		"fails":    {"```sh\necho why; false\n```\n", "README.md:4: exit code 1 of echo why; false\nwhy\n"},
		"succeeds": {"```sh\ntrue # refused\n```\n```sh\ntrue\n```\n", "README.md:4: exit code 0 of true # refused\n"},
		"empty":    {"```sh\nN=$(true)\necho $N\n```\n", "README.md:5: it was not run"},
	} {
		r := &readmeRun{dir: t.TempDir(), out: t.TempDir(), bin: t.TempDir()}
		blocks := examplesOf(section("x\n## A\n"+c.page+"## B\n```sh\nfalse\n```\n", "A"))
		r.run(t, blocks)
		differs := strings.Join(r.check(blocks), "\n")
		if !strings.HasPrefix(differs, c.differs) || c.differs == "" && differs != "" {
			t.Errorf("%s: noticed %q, want %q", name, differs, c.differs)
		}
	}
}

// readmeRun is one run of the page's examples.
type readmeRun struct {
	*cluster
	node string // where commands go that name no node
	text string // of the page, with the addresses of this cluster
	dir  string // where a reader of the page is
	out  string // what was printed, and the exit codes
	bin  string // has the program
}

// memberLine is a line of the page's roster.
var memberLine = regexp.MustCompile(`\{name: (\w+), .*?api: ([\d.:]+), peer: ([\d.:]+)(?:, gossip: ([\d.:]+))?\}`)

// found makes the folder as the page says: a secret, and a file that describes
// the cluster.
func (r *readmeRun) found(t *testing.T) {
	t.Helper()
	var addresses []string
	for _, m := range memberLine.FindAllStringSubmatch(r.text, -1) {
		member := r.member(m[1])
		for i, address := range []string{member.api, member.peer, member.gossip} {
			if m[2+i] != "" {
				addresses = append(addresses, m[2+i], address)
			}
		}
	}
	if len(addresses) != 16 {
		t.Fatalf("the file of the page has the addresses %q, want those of a, b and w", addresses)
	}
	r.text = strings.NewReplacer(addresses...).Replace(r.text)
	_, rest, begins := strings.Cut(r.text, "    syncline token secret secret\n    cat >shop.yaml <<'END'\n")
	file, _, ends := strings.Cut(rest, "    END\n")
	if !begins || !ends {
		t.Fatal("the page does not say how a secret and the file shop.yaml are made")
	}
	setUp := "set -e\nmkdir shop && cd shop\nsyncline token secret secret\ncat >shop.yaml <<'END'\n" + strings.ReplaceAll(file, "    ", "") + "END\n"
	if out, err := r.shell(t.Context(), filepath.Dir(r.dir), setUp).CombinedOutput(); err != nil {
		t.Fatalf("%s\n%v\n%s", setUp, err, out)
	}
}

// processLine is a line of the page that starts a process.
var processLine = regexp.MustCompile(`(?m)^    syncline ((?:serve|witness) +--config shop.yaml --name (\w+) .*) 2>\w+\.log &$`)

// serve starts the processes with the page's command lines, on sockets that were
// bound before.
func (r *readmeRun) serve(t *testing.T) {
	t.Helper()
	for _, p := range processLine.FindAllStringSubmatch(r.text, -1) {
		args := strings.Fields(p[1])
		for i, arg := range args {
			if arg == "shop.yaml" || strings.HasPrefix(arg, "./") {
				args[i] = filepath.Join(r.dir, arg)
			}
		}
		m := r.member(p[2])
		r.running[m.name] = launch(t, command{
			name: m.name, dir: r.out, files: m.files, args: args,
			// A command of the page is made once, so a busy machine must lose no lease.
			env: []string{"SYNCLINE_TIMING_LEASE=" + longLease.String(), fmt.Sprintf("LISTEN_FDS=%d", len(m.files)), "LISTEN_FDNAMES=" + strings.Join(m.names, ":")},
		})
	}
	for _, m := range r.members {
		if r.running[m.name] == nil {
			t.Fatalf("the page does not start %s", m.name)
		}
		r.running[m.name].awaitReady(t)
	}
	r.awaitAllVotes()
}

// shell runs a script as a reader of the page would, but for the answers that are
// errors: curl ends with them, so that they are noticed.
func (r *readmeRun) shell(ctx context.Context, dir, script string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "sh", "-c", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+r.bin+":"+os.Getenv("PATH"), "CURL_HOME="+r.bin, "SYNCLINE_NODE="+r.node, "OUT="+r.out)
	return cmd
}

// variableLine is a command that sets a variable to what another one printed.
var variableLine = regexp.MustCompile(`^([A-Z]+)=\$\(`)

// run runs all commands in one shell, which ends with the first that does not do
// as the page says.
func (r *readmeRun) run(t *testing.T, blocks []example) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(r.bin, ".curlrc"), []byte("silent\nfail-with-body\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var script strings.Builder
	for _, b := range blocks {
		for _, c := range b.commands {
			wanted := "-eq"
			if c.refused {
				wanted = "-ne"
			}
			fmt.Fprintf(&script, "{\n%s\n} >\"$OUT/%d.out\" 2>&1\ncode=$?; echo $code >\"$OUT/%d.code\"; [ $code %s 0 ] || exit 0\n", c.text, c.line, c.line, wanted)
			// A variable that is empty would make other commands mean something else.
			if set := variableLine.FindStringSubmatch(c.text); set != nil {
				fmt.Fprintf(&script, "[ -n \"$%s\" ] || exit 0\n", set[1])
			}
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), readmeTimeout)
	defer cancel()
	if out, err := r.shell(ctx, r.dir, "set -u\n"+script.String()).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("the shell: %v\n%s", err, out)
	}
}

// check compares exit codes and outputs with the page, and says what differs.
func (r *readmeRun) check(blocks []example) []string {
	var differs []string
	for _, b := range blocks {
		printed := ""
		for _, c := range b.commands {
			out, errOut := os.ReadFile(filepath.Join(r.out, strconv.Itoa(c.line)+".out"))
			code, errCode := os.ReadFile(filepath.Join(r.out, strconv.Itoa(c.line)+".code"))
			if errOut != nil || errCode != nil {
				return append(differs, fmt.Sprintf("README.md:%d: it was not run, since what is before it failed: %s", c.line, c.text))
			}
			if exit := strings.TrimSpace(string(code)); exit != "0" != c.refused {
				return append(differs, fmt.Sprintf("README.md:%d: exit code %s of %s\n%s", c.line, exit, c.text, out))
			}
			printed += string(out)
		}
		if b.prints != "" && !prints(b.prints, printed) {
			differs = append(differs, fmt.Sprintf("README.md:%d: it says\n%s\nand what was printed is\n%s", b.line, b.prints, printed))
		}
	}
	return differs
}

// section is a part of a page, from its heading to the next of its rank, with
// empty lines for what is before it.
func section(page, heading string) string {
	before, after, _ := strings.Cut(page, "\n## "+heading+"\n")
	part, _, _ := strings.Cut(after, "\n## ")
	return strings.Repeat("\n", strings.Count(before, "\n")+2) + part
}

// examplesOf lists the blocks of commands (```sh) with what they print (```text,
// right behind).
func examplesOf(text string) []example {
	var out []example
	kind, body, start := "", []string(nil), 0
	for i, line := range strings.Split(text, "\n") {
		switch fence, ok := strings.CutPrefix(line, "```"); {
		case ok && kind == "" && fence != "":
			kind, body, start = fence, nil, i+2
		case ok && kind == "sh":
			out, kind = append(out, example{commands: commandsOf(body, start)}), ""
		case ok && kind == "text" && len(out) > 0:
			last := &out[len(out)-1]
			last.prints, last.line, kind = strings.Join(body, "\n"), start, ""
		default:
			body = append(body, line)
		}
	}
	return out
}

// commandsOf divides a block into commands; a line that ends with \ goes on.
func commandsOf(lines []string, first int) []shellCommand {
	var out []shellCommand
	for i := 0; i < len(lines); i++ {
		c := shellCommand{text: lines[i], line: first + i}
		for strings.HasSuffix(c.text, `\`) && i+1 < len(lines) {
			i++
			c.text += "\n" + lines[i]
		}
		c.refused = strings.Contains(c.text, refusedMark)
		out = append(out, c)
	}
	return out
}

// prints says whether a text was printed: blanks count as one, anything stands
// for anything in its line, and alone for any lines.
func prints(want, got string) bool {
	var pattern strings.Builder
	pattern.WriteString(`^\s*`)
	for line := range strings.Lines(want) {
		line = strings.TrimSpace(line)
		if line == anything {
			pattern.WriteString(`(?:.*\n)*?`)
			continue
		}
		var words []string
		for word := range strings.FieldsSeq(line) {
			words = append(words, strings.ReplaceAll(regexp.QuoteMeta(word), anything, `.*?`))
		}
		pattern.WriteString(`[ \t]*` + strings.Join(words, `[ \t]+`) + `[ \t\r]*\n`)
	}
	pattern.WriteString(`\s*$`)
	return regexp.MustCompile(pattern.String()).MatchString(got + "\n")
}
