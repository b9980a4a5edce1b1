package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/syncline/syncline/scripts/chaos"
)

const (
	// chaosRig and scriptsRig mark these tests' lines in the ledger of long runs.
	chaosRig   = "chaos"
	scriptsRig = "scripts"
	// shrinkTries is how often a failing composition is run again to shrink it.
	shrinkTries = 12
)

// chaosLine is one run in the ledger of long runs.
type chaosLine struct {
	Rig     string    `json:"rig"`
	At      time.Time `json:"at"`
	Commit  string    `json:"commit"`
	Machine string    `json:"machine"`
	Script  string    `json:"script,omitempty"`
	Net     string    `json:"net"`
	Seed    uint64    `json:"seed"`
	Seconds float64   `json:"seconds"`
	Failed  bool      `json:"failed"`
	verdict
}

// soakEnvironment is what `make soak` says: how much, and where the ledger is.
func soakEnvironment(t *testing.T, name string) (amount uint64, ledger string) {
	t.Helper()
	ledger, text := os.Getenv("SYNCLINE_SOAK_LEDGER"), os.Getenv(name)
	if ledger == "" || text == "" {
		t.Skip("make soak runs it")
	}
	amount, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return amount, ledger
}

func newChaosLine(rig string, seed uint64, net string) chaosLine {
	return chaosLine{
		Rig: rig, At: time.Now().UTC(), Seed: seed, Net: net, Commit: os.Getenv("SYNCLINE_SOAK_COMMIT"),
		Machine: fmt.Sprintf("%s/%s, %d cores", runtime.GOOS, runtime.GOARCH, runtime.NumCPU()),
	}
}

// soakOne runs one script and says whether it held.
func (l *chaosLine) soakOne(t *testing.T, file string) (text string, held bool) {
	t.Helper()
	report := t.TempDir()
	text, err := chaosCommand(t, "run", file, "--seed", strconv.FormatUint(l.Seed, 10), "--net", l.Net, "--report", report)
	l.Seconds = time.Since(l.At).Seconds()
	content, readErr := os.ReadFile(filepath.Join(report, strings.TrimSuffix(filepath.Base(file), ".star"), "verdict.json"))
	if readErr == nil {
		readErr = json.Unmarshal(content, &l.verdict)
	}
	l.Failed = err != nil || readErr != nil || !l.Held
	return text, !l.Failed
}

// chaosSeed is the first seed that the ledger has not seen.
func chaosSeed(t *testing.T, ledger string) uint64 {
	t.Helper()
	return unseen(t, ledger, func(l *chaosLine) uint64 {
		if l.Rig != chaosRig || l.Failed {
			return 0
		}
		return l.Seed + 1
	})
}

// soakNets are the ways to cut that this machine has.
func soakNets(t *testing.T) []string {
	t.Helper()
	if why := noNamespaces(); why != "" {
		t.Logf("by the link layer only: %s", why)
		return []string{"link"}
	}
	return []string{"link", "ns"}
}

// Issue 5: "All shipped scripts pass on both ways to cut in `make soak`":
// SCRIPTS=n rounds of them.
func TestSoakScripts(t *testing.T) {
	rounds, ledger := soakEnvironment(t, "SYNCLINE_SOAK_SCRIPTS")
	files, err := filepath.Glob(scriptFile("*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for range rounds {
		seed := uint64(time.Now().UnixNano()) % 1_000_000
		for _, file := range files {
			for _, net := range soakNets(t) {
				name := strings.TrimSuffix(filepath.Base(file), ".star")
				t.Run(name+" "+net, func(t *testing.T) {
					line := newChaosLine(scriptsRig, seed, net)
					line.Script = name
					text, held := line.soakOne(t, file)
					appendSoak(t, ledger, line)
					if !held {
						t.Error(text)
					}
				})
			}
		}
	}
}

// `make soak MINUTES=n` draws compositions of faults for so long, from the first
// seed on that the ledger has not seen, by each way to cut in turn, and adds a
// line for each. A failure is shrunk to a script, soak/failed-SEED.star.
func TestSoakChaos(t *testing.T) {
	minutes, ledger := soakEnvironment(t, "SYNCLINE_SOAK_MINUTES")
	nets := soakNets(t)
	deadline := time.Now().Add(time.Duration(minutes) * time.Minute)
	for seed := chaosSeed(t, ledger); time.Now().Before(deadline) && !t.Failed(); seed++ {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "drawn.star")
			run := func(c chaos.Composition) (*chaosLine, string, bool) {
				if err := os.WriteFile(file, []byte(c.Script()), 0o600); err != nil {
					t.Fatal(err)
				}
				line := newChaosLine(chaosRig, seed, nets[seed%uint64(len(nets))])
				text, held := line.soakOne(t, file)
				return &line, text, held
			}
			c := chaos.Compose(seed)
			line, text, held := run(c)
			appendSoak(t, ledger, line)
			if held {
				return
			}
			small := c.Shrink(shrinkTries, func(c chaos.Composition) bool {
				_, _, held := run(c)
				return !held
			})
			kept := filepath.Join(filepath.Dir(ledger), fmt.Sprintf("failed-%d.star", seed))
			if err := os.WriteFile(kept, []byte(small.Script()), 0o644); err != nil {
				t.Error(err)
			}
			t.Errorf("seed %d does not hold; shrunk to %s\n%s", seed, kept, text)
		})
	}
}
