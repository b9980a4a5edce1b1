package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/syncline/syncline/bench/load"
)

// options are the flags.
type options struct {
	product, bare string        // the programs
	commit        string        // of the source that they were built from
	dir           string        // where the data goes
	only          string        // parts, joined by commas
	rounds        int           // turns of floor and product
	window        time.Duration // of one measurement
	clients, size int           // of the load
	ids           int           // documents that are overwritten and read
	documents     int           // of the catch-up and of the memory part
	reads         int           // random reads before the memory is read
	probes        int           // of the lag
	profiles      string        // folder for profiles of the data nodes, or ""
	baseline      string        // an earlier build to compare with, or ""
	resolver      string        // file of the script that settles
	conflicts     int           // of the part heal
}

// bench is one run.
type bench struct {
	opts   options
	dir    string // removed at the end
	out    io.Writer
	report report
	used   map[string]int // fresh documents that a server has already, by its first URL
}

// part is one thing to measure.
type part struct {
	name string
	what string
	run  func(*bench, context.Context) error
}

// parts lists all of them in the order in which they run. The first needs no
// product and is left out unless it is asked for.
func parts() []part {
	return []part{
		{"floor", "bench/bare alone", (*bench).floor},
		{"solo", "one node: PUT and GET", (*bench).solo},
		{"pair", "two nodes and a witness: PUT on both", (*bench).pair},
		{"lag", "idle: from the answer until the peer shows it", (*bench).lag},
		{"catchup", "a new node takes all documents", (*bench).catchUp},
		{"memory", "resident memory after writing and reading", (*bench).memory},
		{"cut", "from the cut until the minority refuses", (*bench).cut},
		{"heal", "from the end of a cut until all conflicts are settled", (*bench).heal},
		{"earlier", "documents without siblings, against an earlier build", (*bench).earlier},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	opts, err := parse(args, out)
	if err != nil {
		return err
	}
	chosen, err := choose(opts.only)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(opts.dir, "syncline-bench-")
	if err != nil {
		return err
	}
	b := &bench{opts: opts, dir: dir, out: out, used: map[string]int{}}
	return errors.Join(b.measure(ctx, chosen), os.RemoveAll(dir))
}

func parse(args []string, out io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.StringVar(&o.product, "product", "bin/syncline", "the product's binary")
	flags.StringVar(&o.bare, "bare", "bin/bare", "the floor's binary (bench/bare)")
	flags.StringVar(&o.commit, "commit", unknownText, "commit that both were built from, printed with the figures")
	flags.StringVar(&o.dir, "dir", "", "folder on the disk to measure; empty for the system's temporary one")
	flags.StringVar(&o.only, "only", "", "parts to run, joined by commas; empty for all but floor: "+partNames())
	flags.StringVar(&o.profiles, "profiles", "", "folder for a CPU profile of each data node; empty for none")
	flags.IntVar(&o.rounds, "rounds", 5, "rounds, each of the floor and the product")
	flags.DurationVar(&o.window, "window", 4*time.Second, "length of one measurement")
	flags.IntVar(&o.clients, "clients", load.DefaultClients, "clients")
	flags.IntVar(&o.size, "size", load.DefaultSize, "bytes of a document")
	flags.IntVar(&o.ids, "ids", 100_000, "documents that are overwritten and read")
	flags.IntVar(&o.documents, "documents", 200_000, "documents of the parts catchup and memory, a multiple of 64")
	flags.IntVar(&o.reads, "reads", 100_000, "random reads of the part memory")
	flags.StringVar(&o.baseline, "baseline", "", "binary of an earlier build, for the part earlier; empty leaves it out")
	flags.StringVar(&o.resolver, "resolver", "scripts/resolvers/union_tags.star", "script of the part heal")
	flags.IntVar(&o.conflicts, "conflicts", 10_000, "conflicting documents of the part heal")
	flags.IntVar(&o.probes, "probes", 500, "writes of the part lag")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if min(o.rounds, o.clients, o.ids, o.documents, o.reads, o.probes, o.conflicts) < 1 || o.window <= 0 {
		return o, errors.New("every number is at least 1")
	}
	return o, nil
}

func partNames() string {
	var names []string
	for _, p := range parts() {
		names = append(names, p.name)
	}
	return strings.Join(names, ",")
}

// choose finds the parts to run.
func choose(only string) ([]part, error) {
	all := parts()
	if only == "" {
		return all[1:], nil
	}
	var chosen []part
	for name := range strings.SplitSeq(only, ",") {
		i := slices.IndexFunc(all, func(p part) bool { return p.name == name })
		if i < 0 {
			return nil, fmt.Errorf("no part %q; there are %s", name, partNames())
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// measure runs the parts. One that fails does not stop the others; the report
// shows what was measured.
func (b *bench) measure(ctx context.Context, chosen []part) error {
	if err := describeMachine(b.out, b.dir, b.opts.commit); err != nil {
		return err
	}
	b.logf("load: %d clients, %d-byte documents, %d rounds of %s", b.opts.clients, b.opts.size, b.opts.rounds, b.opts.window)
	var failed error
	for _, p := range chosen {
		if ctx.Err() != nil {
			return errors.Join(failed, ctx.Err())
		}
		b.logf("\n== %s: %s", p.name, p.what)
		start := time.Now()
		if err := p.run(b, ctx); err != nil {
			b.logf("failed: %v", err)
			failed = errors.Join(failed, fmt.Errorf("%s: %w", p.name, err))
		}
		b.logf("%s took %.1f s", p.name, time.Since(start).Seconds())
	}
	fmt.Fprintln(b.out)
	return errors.Join(failed, b.report.write(b.out))
}

func (b *bench) logf(format string, args ...any) { fmt.Fprintf(b.out, format+"\n", args...) }

// folder makes a folder of its own for a process.
func (b *bench) folder(name string) (string, error) {
	dir := filepath.Join(b.dir, name)
	return dir, os.Mkdir(dir, 0o700)
}
