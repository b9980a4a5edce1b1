package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// "resolver … test runs embedded cases offline: fits a build server" (API): the
// examples pass, and what is wrong is named with its place and ends with 1. A
// script that eats memory ends its own process, not ours; on a busy machine its
// time is up before.
func TestResolverTest(t *testing.T) {
	resolver := func(files ...string) (string, error) {
		out, err := exec.CommandContext(t.Context(), os.Getenv(envBinary), append([]string{"resolver", "test"}, files...)...).CombinedOutput()
		return string(out), err
	}
	examples, err := filepath.Glob("../resolvers/*.star")
	if err != nil || len(examples) < 4 {
		t.Fatalf("%q, %v", examples, err)
	}
	if out, err := resolver(examples...); err != nil || strings.Contains(out, "FAIL") || !strings.Contains(out, "ok    test_bank_story") {
		t.Errorf("%v\n%s", err, out)
	}
	for name, c := range map[string]struct{ source, says string }{
		"syntax":  {"def resolve(c):\n    return {\n", `syntax\.star:3:1: `},
		"missing": {"def settle(c):\n    return {}\n", "resolve"},
		"test":    {"def resolve(c):\n    return {}\ndef test_a():\n    assert_eq(1, 2)\n", "FAIL  test_a: error at 4:"},
		"memory":  {"def resolve(c):\n    x = [1]\n    for i in range(100):\n        x = x + x\n    return {}\ndef test_a():\n    resolve(conflict(siblings = [{}, {}]))\n", "FAIL  test_a: (memory|time)"},
		"loop":    {"def resolve(c):\n    for i in range(1000000000):\n        pass\n    return {}\ndef test_a():\n    resolve(conflict(siblings = [{}, {}]))\n", "FAIL  test_a: (steps|time)"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), name+".star")
			if err := os.WriteFile(file, []byte(c.source), 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := resolver(file)
			if err == nil || !regexp.MustCompile(c.says).MatchString(out) || !strings.Contains(out, "1 of 1 resolvers failed") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	if out, err := resolver("nowhere.star"); err == nil || !strings.Contains(out, "nowhere.star") {
		t.Errorf("%v\n%s", err, out)
	}
}
