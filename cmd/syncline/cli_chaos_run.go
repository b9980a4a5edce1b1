package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/syncline/syncline/node/peer"
	"github.com/syncline/syncline/scripts/chaos"
	"github.com/syncline/syncline/witness"
)

// Ways to cut links.
const (
	netLink = "link" // at the link layer of the processes
	netNS   = "ns"   // by network namespaces and nftables
)

// chaosFlags are the flags of chaos run.
type chaosFlags struct {
	seed   uint64
	keep   bool
	report string
	on     string
	net    string
}

// chaosRun is what one run of a script has of the world.
type chaosRun struct {
	folder  string // for everything that the run stores
	program string // this one, to start more of it
	environ []string
}

// ownedCluster is a cluster that a run must leave as it found it.
type ownedCluster interface {
	chaos.Cluster
	// stop heals what was broken and ends what was started, and nothing else.
	stop() error
}

// newChaosRunCommand runs scripts.
func newChaosRunCommand(a *app) *cobra.Command {
	var f chaosFlags
	cmd := &cobra.Command{
		Use: "run SCRIPT...", Short: "Run scripts that break a cluster, and say what it did", Args: cobra.MinimumNArgs(1),
		Long: "Runs each script (Starlark, such as scripts/split_brain.star) on a cluster of its own: real processes on free\n" +
			"ports of 127.0.0.1. Every script is checked before anything is started. At the end come a timeline and a verdict:\n" +
			"every acknowledged write is accounted for on every node. Exits with 1 when one did not hold.",
		Example: "  syncline chaos run scripts/split_brain.star --report ./report",
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed(flagNode) {
				return usagef("chaos run starts a cluster of its own: --on CONFIG takes a running one")
			}
			if f.net != netLink && f.net != netNS {
				return usagef("--net %q: %s or %s", f.net, netLink, netNS)
			}
			if f.on != "" && f.net != netLink {
				return usagef("--on takes a running cluster, whose links are cut at its own link layer: leave --net out")
			}
			if !cmd.Flags().Changed("seed") {
				f.seed = drawSeed()
			}
			// A terminal that is closed ends the run too, and nothing is left behind.
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGHUP)
			defer stop()
			return runScripts(ctx, a, f, args)
		},
	}
	cmd.Flags().Uint64Var(&f.seed, "seed", 0, "of everything that is random; without it, one is drawn and printed")
	cmd.Flags().BoolVar(&f.keep, "keep", false, "keep the folder with what the processes stored and logged")
	cmd.Flags().StringVar(&f.report, "report", "", "folder for the report: history, timeline, verdict, logs, index.html")
	cmd.Flags().StringVar(&f.on, "on", "", "configuration file of a running cluster, whose processes were started with --chaos")
	cmd.Flags().StringVar(&f.net, "net", netLink, "how links are cut: link, or ns for network namespaces and nftables (root)")
	return cmd
}

// drawSeed draws a seed that is short enough to type.
func drawSeed() uint64 {
	return rand.Uint64() >> 33 //nolint:gosec // it is printed
}

// netRunning is how links of a running cluster are cut, for the verdict.
const netRunning = "a running cluster, links cut at its link layer"

// runScripts checks all scripts, then runs one after the other.
func runScripts(ctx context.Context, a *app, f chaosFlags, files []string) error {
	var programs []*chaos.Program
	var wrong error
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		p, err := chaos.Compile(file, string(source))
		if err == nil {
			err = p.Fits(lacking(f))
		}
		programs, wrong = append(programs, p), errors.Join(wrong, err)
	}
	if wrong != nil {
		return wrong
	}
	var failed []string
	for _, p := range programs {
		v, err := runScript(ctx, a, f, p)
		if ctx.Err() != nil {
			return errors.Join(errors.New("interrupted: everything is healed, and what the run started has been stopped"), err)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", p.Name(), err)
		}
		if !v.Held {
			failed = append(failed, p.Name())
		}
	}
	if len(failed) > 0 {
		return fmt.Errorf("%d of %d scripts did not hold: %s (seed %d)", len(failed), len(programs), strings.Join(failed, ", "), f.seed)
	}
	if len(programs) > 1 {
		fmt.Fprintf(a.stdout, "\nAll %d scripts held.\n", len(programs))
	}
	return nil
}

// lacking says what the cluster of a run will not be able to do.
func lacking(f chaosFlags) func(chaos.Ability) string {
	switch {
	case f.on != "":
		return (&runningCluster{}).Lacks
	case f.net == netNS:
		return (&namespaceCluster{}).Lacks
	default:
		return (&chaosProcesses{}).Lacks
	}
}

// runScript runs one script on its cluster and leaves nothing behind.
func runScript(ctx context.Context, a *app, f chaosFlags, p *chaos.Program) (v *chaos.Verdict, err error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program, to start more of it: %w", err)
	}
	folder, err := os.MkdirTemp("", "syncline-chaos-")
	if err != nil {
		return nil, err
	}
	defer func() {
		if f.keep {
			fmt.Fprintf(a.stdout, "kept: %s\n", folder)
			return
		}
		err = errors.Join(err, os.RemoveAll(folder))
	}()
	spec := p.Spec()
	fmt.Fprintf(a.stdout, "\n%s, seed %d: %s\n%s\n", p.Name(), f.seed, &spec, p.About())
	bound, err := boundFor(f, spec)
	if err != nil {
		return nil, err
	}
	cluster, how, err := startCluster(ctx, f, p, chaosRun{folder, program, a.environ()})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, cluster.stop()) }()
	result, err := chaos.Run(ctx, chaos.Config{
		Program: p, Cluster: cluster, Seed: f.seed, Net: how, Bound: bound, Now: time.Now,
		Step: func(s chaos.Step) { fmt.Fprint(a.stdout, s) },
	})
	if err != nil {
		return nil, err
	}
	fmt.Fprint(a.stdout, chaos.TimelineOf(result.History).Text()+"\n")
	if err := result.Verdict.Write(a.stdout); err != nil {
		return nil, err
	}
	if f.report != "" {
		to := filepath.Join(f.report, strings.TrimSuffix(filepath.Base(p.Name()), ".star"))
		if err := chaos.WriteReport(to, p, result, folder); err != nil {
			return nil, fmt.Errorf("--report: %w", err)
		}
		fmt.Fprintf(a.stdout, "report: %s\n", filepath.Join(to, "index.html"))
	}
	return &result.Verdict, nil
}

// startCluster starts or finds the cluster of a run, and says how links are cut.
func startCluster(ctx context.Context, f chaosFlags, p *chaos.Program, r chaosRun) (ownedCluster, string, error) {
	switch {
	case f.on != "":
		c, err := findRunning(ctx, f.on, p)
		return c, netRunning, err
	case f.net == netNS:
		c, err := startNamespaces(ctx, p.Spec(), r)
		return c, "links cut by network namespaces and nftables", err
	default:
		c, err := startChaosProcesses(ctx, p.Spec(), r)
		return c, "links cut at the link layer", err
	}
}

// boundFor is for how long two sides of a cluster may both write at most.
func boundFor(f chaosFlags, spec chaos.Spec) (time.Duration, error) {
	timing := witness.DefaultTiming()
	if spec.Beat > 0 || spec.Lease > 0 {
		beat, lease := timing.Beat, timing.Lease
		if spec.Beat > 0 {
			beat = spec.Beat
		}
		if spec.Lease > 0 {
			lease = spec.Lease
		}
		timing = witness.TimingOf(beat, lease)
		if err := timing.Check(); err != nil {
			return 0, fmt.Errorf("cluster: %w", err)
		}
	}
	r := roster{}
	for _, name := range spec.Members() {
		role := peer.Data
		if name == spec.Witness {
			role = peer.Witness
		}
		r.Members = append(r.Members, roleMember{Name: name, Role: role})
	}
	if f.on == "" {
		return boundOf(timing, r.votes()), nil
	}
	doc, err := readConfigFile(f.on)
	if err != nil {
		return 0, err
	}
	set, _ := doc.values["timing"].(map[string]any)
	for key, to := range map[string]*time.Duration{"beat": &timing.Beat, "lease": &timing.Lease} {
		if text, ok := set[key].(string); ok {
			if *to, err = parseSpan(text); err != nil {
				return 0, doc.errorAt(doc.lines["timing."+key], "timing.%s: %w", key, err)
			}
		}
	}
	return boundOf(witness.TimingOf(timing.Beat, timing.Lease), r.votes()), nil
}
