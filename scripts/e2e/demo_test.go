package e2e

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// demoTimeout bounds one run of the demo: the long one imports the package
// index of the machine through both nodes.
const demoTimeout = 5 * time.Minute

// API.md: "`--story` ends after the story, exits 0 only if every claim held;
// `--data debian` the main job on real input".
//
// Issue 4: "LWW loses −100 and says so; sum_deltas dry-runs to −30; no_overdraft
// settles 20 with the rejected −50 on record; both nodes equal; then restore of a
// loser … the story ends with 20 on both nodes".
func TestDemo(t *testing.T) {
	for name, c := range map[string]struct{ args, tells []string }{
		"story": {[]string{"demo", "--story"}, []string{
			"✓ the -100 of a are gone, and the record says so", "/balance 70 → -30", "/balance 70 → 20",
			"Note     rejected -50 from b: only 20 is left", "✓ the rejected -50 of b are on record", "✓ 70 on both nodes",
			"✓ equal digests", "✓ and the account has 20, on both nodes",
		}},
		"debian": {[]string{"demo", "--data", "debian"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "debian" {
				if _, err := exec.LookPath("dpkg"); err != nil {
					t.Skip("this machine has no package index of Debian")
				}
			}
			ctx, cancel := context.WithTimeout(context.Background(), demoTimeout)
			defer cancel()
			out, err := exec.CommandContext(ctx, os.Getenv(envBinary), c.args...).CombinedOutput()
			if err != nil || !strings.Contains(string(out), "claims held.") {
				t.Errorf("syncline %s: %v\n%s", strings.Join(c.args, " "), err, out)
			}
			rest := string(out)
			for _, words := range c.tells { // in this order
				_, after, told := strings.Cut(rest, words)
				if !told {
					t.Fatalf("it does not tell %q in its place:\n%s", words, out)
				}
				rest = after
			}
		})
	}
}
