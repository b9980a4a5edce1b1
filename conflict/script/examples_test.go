package script

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Issue 4, point 10: "Resolver examples in scripts/resolvers: sum_deltas,
// no_overdraft, union_tags, newest_by_field, each with tests." DESIGN section 7:
// "Storing one compiles it, runs the tests in it, and runs a convergence gate".
func TestExamples(t *testing.T) {
	t.Parallel()
	folder := filepath.Join("..", "..", "scripts", "resolvers")
	for _, name := range []string{"sum_deltas", "no_overdraft", "union_tags", "newest_by_field"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source, err := os.ReadFile(filepath.Join(folder, name+".star"))
			if err != nil {
				t.Fatal(err)
			}
			if lines := strings.SplitN(string(source), "\n", 4); len(lines) < 4 || !strings.HasPrefix(lines[2], "# ") {
				t.Error("the script does not begin with three lines of comment")
			}
			s, err := Compile(name, string(source))
			if err != nil {
				t.Fatal(err)
			}
			e := NewInline()
			results, err := RunTests(t.Context(), e, s)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range results {
				if !r.Passed() {
					t.Errorf("%s: %v", r.Name, r.Failure)
				}
			}
			if len(results) < 5 {
				t.Errorf("only %d tests", len(results))
			}
			report := gateInNoTime(t, GateConfig{Evaluator: e, Script: s, Tests: results, Seed: 1})
			if !report.Passed() || report.Void() || !report.Complete {
				t.Errorf("the gate refuses it: %+v", report)
			}
			if report.Resolved < report.Conflicts*9/10 {
				t.Errorf("of %d conflicts only %d were resolved", report.Conflicts, report.Resolved)
			}
			t.Logf("%d conflicts, %d resolved, %d runs, %d warnings", report.Conflicts, report.Resolved, report.Runs, len(report.Warnings))
			for _, w := range report.Warnings {
				t.Logf("%s: %s: %s or %s", w.Check, w.How, w.Want.Doc, w.Got.Doc)
			}
		})
	}
}
