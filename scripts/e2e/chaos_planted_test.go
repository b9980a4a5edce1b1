package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/syncline/syncline/planted"
)

// Issue 5: "a planted bug of each earlier table is caught by at least one shipped
// script". Each of these scripts holds without the bug, and says what is wrong
// with it. `make soak` runs them, on a binary with planted bugs.
func TestSoakPlantedScripts(t *testing.T) {
	soakEnvironment(t, "SYNCLINE_SOAK_SCRIPTS")
	binary := filepath.Join(t.TempDir(), "syncline-planted")
	build := exec.CommandContext(t.Context(), "go", "build", "-tags", "planted", "-o", binary, "github.com/syncline/syncline/cmd/syncline")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	for _, test := range []struct {
		bug          planted.Bug
		script, want string
	}{
		{"", "one_way", "HELD: "},
		{planted.NoBootWait, "witness_restarts", "why not     sides: "},
		{planted.FirstCome, "one_way", "why not     sides: "},
		{planted.LWWBeforeCausality, "clock_skew", "why not     ledger: "},
		{planted.LoseLoser, "isolate_each", "why not     append: "},
	} {
		t.Run(test.script+" with "+string(test.bug), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), scriptTimeout)
			defer cancel()
			cmd := exec.CommandContext(ctx, binary, "chaos", "run", scriptFile(test.script))
			cmd.Env = append(os.Environ(), "SYNCLINE_PLANT="+string(test.bug))
			out, err := cmd.CombinedOutput()
			if held := err == nil; held != (test.bug == "") || !strings.Contains(string(out), test.want) {
				t.Errorf("%v, want %q\n%s", err, test.want, out)
			}
		})
	}
}
