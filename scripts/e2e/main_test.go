package e2e

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"go.uber.org/goleak"
)

const (
	// envBinary names the binary under test.
	envBinary = "SYNCLINE_BIN"
	// buildTimeout bounds the building of one.
	buildTimeout = 5 * time.Minute
	// atOnce is how many tests run at once at least: most of the time of most of
	// them goes into waiting for a lease to end.
	atOnce = 4
)

func TestMain(m *testing.M) {
	os.Exit(runTests(m))
}

// runTests finds or builds the binary, runs the tests, and looks whether they
// left anything running.
func runTests(m *testing.M) (code int) {
	if os.Getenv(envBinary) == "" {
		dir, err := os.MkdirTemp("", "syncline-e2e-")
		if err != nil {
			return failed(err)
		}
		defer func() {
			if err := os.RemoveAll(dir); err != nil {
				code = failed(err)
			}
		}()
		if err := buildBinary(filepath.Join(dir, "syncline")); err != nil {
			return failed(err)
		}
	}
	if err := flag.Set("test.parallel", strconv.Itoa(max(atOnce, runtime.GOMAXPROCS(0)))); err != nil {
		return failed(err)
	}
	if code = m.Run(); code != 0 {
		return code
	}
	// The connections of plain requests may be idle yet, and take a while to end.
	http.DefaultClient.CloseIdleConnections()
	err := goleak.Find()
	for deadline := time.Now().Add(patience); err != nil && time.Now().Before(deadline); {
		err = goleak.Find()
	}
	if err != nil {
		return failed(err)
	}
	if children := childrenOf(os.Getpid()); len(children) > 0 {
		return failed(fmt.Errorf("processes were left running: %v", children))
	}
	return 0
}

func failed(err error) int {
	fmt.Fprintln(os.Stderr, "e2e:", err)
	return 1
}

func buildBinary(file string) error {
	ctx, cancel := context.WithTimeout(context.Background(), buildTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "build", "-o", file, "github.com/syncline/syncline/cmd/syncline")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, out)
	}
	return os.Setenv(envBinary, file)
}
