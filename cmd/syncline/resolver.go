package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/syncline/syncline/conflict/script"
)

// workerCommand is the hidden command that a resolver's worker process runs.
const workerCommand = "resolver-worker"

func newResolverCommand(a *app) *cobra.Command {
	c := &cobra.Command{Use: "resolver", Short: "Scripts that settle conflicts"}
	seed := uint64(1)
	test := &cobra.Command{
		Use:   "test FILE...",
		Short: "Compile resolvers, run their tests, and look whether all nodes would agree",
		Long: "Compile resolvers, run their test_ functions, and look whether all nodes would agree:\n" +
			"whether the result depends on anything but the set of siblings. It needs no node, so\n" +
			"it fits a build server. The scripts run in a process of their own, with its limits.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error { return testResolvers(cmd.Context(), a, files, seed) },
	}
	test.Flags().Uint64Var(&seed, "seed", seed, "seed of the conflicts that are made up")
	c.AddCommand(test)
	addStoredResolvers(c, a)
	return c
}

// newWorkerCommand is the child process: it confines itself before it reads.
func newWorkerCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: workerCommand, Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return script.ServeWorker(cmd.Context(), a.stdin, a.stdout)
		},
	}
}

// testResolvers tests files one by one. The error counts those that failed.
func testResolvers(ctx context.Context, a *app, files []string, seed uint64) (err error) {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	pool, err := script.NewPool(script.PoolConfig{Command: []string{program, workerCommand}, Workers: 1})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- pool.Run(ctx) }()
	defer func() {
		stop()
		err = errors.Join(err, <-ended)
	}()
	failed := 0
	for _, file := range files {
		ok, err := testResolver(ctx, a, pool, file, seed)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if !ok {
			failed++
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d resolvers failed", failed, len(files))
	}
	return nil
}

// testResolver tests one file, and says whether it may be stored.
func testResolver(ctx context.Context, a *app, pool *script.Pool, file string, seed uint64) (bool, error) {
	source, err := os.ReadFile(file)
	if err != nil {
		return false, err
	}
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(a.stdout, format+"\n", args...) }
	name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	s, err := script.Compile(name, string(source))
	if wrong, ok := errors.AsType[*script.CompileError](err); ok {
		for _, p := range wrong.Problems {
			say("%s:%d:%d: %s", file, p.Line, p.Column, p.Msg)
		}
		return false, nil
	}
	if err != nil {
		return false, err
	}
	results, err := script.RunTests(ctx, pool, s)
	if err != nil {
		return false, err
	}
	good := true
	for _, r := range results {
		if r.Passed() {
			say("%s: ok    %s", file, r.Name)
			continue
		}
		good = false
		say("%s: FAIL  %s: %s", file, r.Name, r.Failure)
	}
	report, err := script.Gate(ctx, script.GateConfig{Evaluator: pool, Script: s, Tests: results, Seed: seed})
	if err != nil {
		return false, err
	}
	for _, c := range report.Diverged {
		say("%s: FAIL  nodes would not agree (%s): %s", file, c.Check, c.How)
	}
	for _, c := range report.Warnings {
		say("%s: note  the result depends on more than the siblings (%s): %s", file, c.Check, c.How)
	}
	if report.Void() {
		say("%s: note  no conflict was resolved, so nothing is known of whether nodes agree; add tests that build conflicts", file)
	}
	say("%s: %d tests; %d conflicts, of which %d were resolved, in %d runs", file, len(results), report.Conflicts, report.Resolved, report.Runs)
	return good && report.Passed(), nil
}
