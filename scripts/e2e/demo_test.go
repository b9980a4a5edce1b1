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
func TestDemo(t *testing.T) {
	for name, args := range map[string][]string{
		"story":  {"demo", "--story"},
		"debian": {"demo", "--data", "debian"},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "debian" {
				if _, err := exec.LookPath("dpkg"); err != nil {
					t.Skip("this machine has no package index of Debian")
				}
			}
			ctx, cancel := context.WithTimeout(context.Background(), demoTimeout)
			defer cancel()
			out, err := exec.CommandContext(ctx, os.Getenv(envBinary), args...).CombinedOutput()
			if err != nil || !strings.Contains(string(out), "claims held.") {
				t.Errorf("syncline %s: %v\n%s", strings.Join(args, " "), err, out)
			}
		})
	}
}
