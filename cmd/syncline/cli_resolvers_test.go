package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/syncline/syncline/conflict"
)

// sources are resolvers for these tests: the sum of two balances, the newest, one
// that fails, one whose test fails, and one without syntax.
var sources = map[string]string{
	"adder":   "def resolve(c):\n    note(\"added\")\n    return {\"balance\": c.siblings[0].doc[\"balance\"] + c.siblings[1].doc[\"balance\"]}\n",
	"newest":  "def resolve(c):\n    return c.siblings[-1].doc or DELETE\n",
	"failing": "def resolve(c):\n    fail(\"no\")\n",
	"later":   "def resolve(c):\n    return DEFER\n",
	"wrong":   "def resolve(c):\n    return DEFER\ndef test_a():\n    assert_eq(1, 2)\n",
	"broken":  "def resolve(c):\n    return {\n",
}

// sourceFile writes one of the sources and returns its path.
func sourceFile(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name+".star")
	if err := os.WriteFile(path, []byte(sources[name]), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// "resolver ls/put/test/dry-run/rollback" (API), and what shows and removes.
func TestResolversFromTheCommandLine(t *testing.T) {
	t.Parallel()
	s := newCLIStand(t, false, "a")
	one, two := conflict.ScriptVersion(sources["newest"]), conflict.ScriptVersion(sources["adder"])
	s.run("resolver", "ls").want(t, exitOK, "no resolvers are stored")
	s.run("resolver", "put", "rule", sourceFile(t, "newest")).want(t, exitOK, "resolver rule is at version "+one+", written at node a")
	s.run("resolver", "put", "rule", sourceFile(t, "newest"), "--if-none-match").want(t, exitConflict, "412")
	s.run("resolver", "put", "rule", sourceFile(t, "newest"), "--if-match", `"other"`).want(t, exitConflict, "412")
	s.feed(sources["adder"], "resolver", "put", "rule", "-").want(t, exitOK, two)
	s.run("resolver", "put", "rule", "nowhere.star").want(t, exitError, "nowhere.star")
	s.run("resolver", "put", "Rule", sourceFile(t, "newest")).want(t, exitError, "422")
	s.run("resolver", "ls").want(t, exitOK, "rule", two, "anonymous", "(none)")
	s.run("resolver", "ls", "--output", "json").want(t, exitOK, `"resolvers"`, `"hash": "`+two+`"`)
	s.run("resolver", "ls", "--output", "ndjson").want(t, exitOK, `"name":"rule"`)
	if r := s.run("resolver", "show", "rule").want(t, exitOK); r.out != sources["adder"] {
		t.Errorf("%q", r.out)
	}
	if r := s.run("resolver", "show", "rule", "--version", one).want(t, exitOK); r.out != sources["newest"] {
		t.Errorf("%q", r.out)
	}
	s.run("resolver", "show", "rule", "--version", "x").want(t, exitError, "resolver versions rule")
	s.run("resolver", "show", "nobody").want(t, exitNotFound)
	s.run("resolver", "show", "rule", "--output", "json").want(t, exitOK, `"source": "def resolve(c)`)
	s.run("resolver", "versions", "rule").want(t, exitOK, one, two, "yes", "no")
	s.run("resolver", "versions", "rule", "--output", "json").want(t, exitOK, `"versions"`, `"present": true`)
	s.run("resolver", "versions", "rule", "--output", "ndjson").want(t, exitOK, `"present":false`)
	s.run("resolver", "rollback", "rule").want(t, exitOK, "is at version "+one)
	s.run("resolver", "rollback", "rule").want(t, exitError, "nothing older")
	s.run("resolver", "rollback", "rule", two).want(t, exitOK, "is at version "+two)
	s.run("resolver", "rollback", "rule", "0123456789abcdef").want(t, exitNotFound)
	s.run("collections", "set", "accounts", "--policy", "script", "--resolver", "nobody").want(t, exitError, `no resolver "nobody"`)
	s.run("collections", "set", "accounts", "--policy", "script", "--resolver", "rule").want(t, exitOK, "script rule")
	s.run("resolver", "ls").want(t, exitOK, "accounts")
	s.run("resolver", "rm", "rule").want(t, exitConflict, "resolver_in_use", "syncline resolver ls")
	s.run("collections", "set", "accounts", "--policy", "lww").want(t, exitOK)
	s.run("resolver", "rm", "rule").want(t, exitOK, "is deleted")
	s.run("resolver", "rm", "rule").want(t, exitNotFound)
	s.nodes["a"].turn(false)
	s.run("resolver", "put", "rule", sourceFile(t, "newest")).want(t, exitReadOnly)
}

// What is wrong with a source is said with its place, as `resolver test` does.
func TestResolverThatIsRefused(t *testing.T) {
	t.Parallel()
	s := newCLIStand(t, false, "a")
	s.run("resolver", "put", "r", sourceFile(t, "broken")).want(t, exitError, "broken.star:3:1: ", "invalid_resolver")
	s.run("resolver", "put", "r", sourceFile(t, "wrong")).want(t, exitError, "FAIL  test_a: error at 4:")
	s.run("resolver", "put", "r", sourceFile(t, "failing")).want(t, exitOK, "nothing is known of whether nodes agree")
	s.nodes["a"].wrap(func(_ http.Handler, w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnprocessableEntity)
		_, _ = w.Write([]byte(`{"title":"T","status":422,"code":"invalid_resolver","detail":"d","node":"a","trace_id":"t",
			"gate":{"passed":false,"resolved":1,"diverged":[{"check":"order","how":"siblings in the order [1 0]"}],"warnings":[{"check":"grouping","how":"one by one"}],
			"failed":[{"check":"fails","how":"h","want":{"verdict":"failed","failure":{"kind":"error","msg":"no","line":2,"column":5}}}]}}`))
	})
	s.run("resolver", "put", "r", sourceFile(t, "newest")).want(t, exitError, "nodes would not agree (order): siblings in the order [1 0]",
		"depends on more than the siblings (grouping)", "such as: error at 2:5: no")
}

// "Dry run … same, changed, failed" (issue 4), and decisions by a resolver.
func TestResolversDecide(t *testing.T) {
	t.Parallel()
	s := newCLIStand(t, false, "a")
	for _, name := range []string{"adder", "newest", "later"} {
		s.run("resolver", "put", name, sourceFile(t, name)).want(t, exitOK)
	}
	id := s.split("x")
	s.split("y")
	s.run("collections", "set", "accounts", "--policy", "script", "--resolver", "later").want(t, exitOK)
	s.run("get", "accounts", "x").want(t, exitOK, `{"balance":70}`, "the value only stands in (deferred)")
	s.run("put", "accounts", "x", `{}`).want(t, exitConflict, "open_conflict")
	s.run("collections", "set", "accounts", "--policy", "lww").want(t, exitOK)
	s.run("conflicts", "resolve", id, "--resolver", "later").want(t, exitError, "resolver_failed", "leaves the conflict to a person")
	s.run("conflicts", "resolve", "--all", "--resolver", "adder", "--dry-run").want(t, exitOK, `{"balance":90}`, "would change what is shown", "2 to be resolved")
	s.run("conflicts", "resolve", "--all", "--resolver", "later", "--dry-run").want(t, exitError, "2 of 2 conflicts stay open")
	s.run("conflicts", "resolve", id, "--resolver", "adder", "--reason", "both count").want(t, exitOK, "is resolved")
	s.run("get", "accounts", "x").want(t, exitOK, `{"balance":90}`)
	s.run("conflicts", "show", id).want(t, exitOK, "ended by script (anonymous)", "both count", "Note", "added", "lww; decided by the resolver adder")
	s.run("conflicts", "resolve", "--all", "--resolver", "newest").want(t, exitOK, "by newest", "1 resolved")
	s.run("conflicts", "ls", "--by", "script").want(t, exitOK, "settled by script", "accounts/x", "accounts/y")

	s.run("resolver", "dry-run", "newest").want(t, exitOK, "/balance 90 → 70", "2 conflicts: 1 same, 1 changed, 0 failed, 0 deferred, 0 unknown; nothing was changed")
	s.run("resolver", "dry-run", "--file", sourceFile(t, "failing"), "--limit", "1").want(t, exitOK, "error at 2:9: ", "1 failed", "the limit was reached")
	s.run("resolver", "dry-run", "later", "--by", "script", "--collection", "accounts").want(t, exitOK, "left to a person", "2 deferred")
	s.feed("def resolve(c):\n    return DELETE\n", "resolver", "dry-run", "x", "--file", "-").want(t, exitOK, "deleted", "2 changed")
	s.run("resolver", "dry-run", "newest", "--collection", "others").want(t, exitOK, "0 conflicts")
	r := s.run("resolver", "dry-run", "newest", "--output", "ndjson").want(t, exitOK, `"outcome":"changed"`)
	lines := strings.Split(strings.TrimSpace(r.out), "\n")
	var last struct {
		Done    bool `json:"done"`
		Records int  `json:"records"`
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || !last.Done || last.Records != 2 || len(lines) != 3 {
		t.Errorf("%v\n%s", err, r.out)
	}
	s.run("resolver", "dry-run", "nobody").want(t, exitNotFound)
	s.run("resolver", "dry-run", "--file", sourceFile(t, "broken")).want(t, exitError, "broken.star:3:1: ")
}

func TestResolverCommandsThatSayTooLittle(t *testing.T) {
	t.Parallel()
	s := newCLIStand(t, false, "a")
	for args, says := range map[string]string{
		"resolver put rule":                "resolver put NAME FILE",
		"resolver show":                    "resolver show NAME",
		"resolver dry-run":                 "which resolver?",
		"resolver dry-run --file -":        "name it beside",
		"resolver dry-run rule --limit=-1": "--limit",
		"resolver fly":                     "no command",
		"resolver rollback":                "resolver rollback NAME",
		"resolver test x.star --node y":    "asks no node",
	} {
		s.run(strings.Fields(args)...).want(t, exitUsage, says)
	}
}
