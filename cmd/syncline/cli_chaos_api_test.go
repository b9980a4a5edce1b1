package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/syncline/syncline/client"
)

// From the command line over the API: list, start and watch to the verdict, stop,
// presets, and heal; a node that is stopped heals what its run broke.
func TestServeChaos(t *testing.T) {
	defer noGoroutineIsLeft(t)()
	// A long lease, so that a busy machine loses none.
	c := newTestCluster(t, "timing: {beat: 500ms, lease: 5s}\n", "a", "b")
	scripts := folderOf(t, map[string]string{
		"quick.star":  quickScript,
		"false.star":  "cluster(nodes = 2, witness = True)\nexpect(False, what = 'the sun is cold')\n",
		"long.star":   "cluster(nodes = 2, witness = True)\ncut('b', 'w', lasts = '10m')\nnote('here')\nwait('5m')\n",
		"broken.star": "cluster(nodes = 2)\ncut(\n",
	})
	a := c.start(t, "a", "--chaos", "--chaos-scripts", scripts)
	others := []*running{c.start(t, "b", "--chaos"), c.start(t, "w", "--chaos")}
	events := c.hear(t, "a")
	defer events.stop()
	run := func(args ...string) result { return c.command(t, args...) }
	c.awaitVotes(t)

	run("chaos", "scripts").want(t, exitOK, "quick", "a b w", "Shows that it is quick.", "broken.star:3:1:")
	run("chaos", "scripts", "quick").want(t, exitOK, `what = "a write is taken"`)
	run("chaos", "scripts", "--output", "ndjson").want(t, exitOK, `{"name":"quick","about":"Shows that it is quick.","data":["a","b"],"witness":"w","fits":true,"why_not":""}`)
	run("chaos", "start", "broken").want(t, exitError, "broken.star:3:1: ", "422 invalid_script")
	run("chaos", "start", "none").want(t, exitNotFound, "no such script")
	run("chaos", "start", "quick", "--seed", "7", "--watch").want(t, exitOK, "quick, seed 7, at node a: run ", "✓ a write is taken", "HELD: quick.star, seed 7", "▆")
	events.await(t, "chaos", `"state":"begun"`, `"script":"quick"`, `"state":"running"`)
	events.await(t, "chaos", `"state":"ended"`, `"script":"quick"`, `"state":"held"`)
	run("chaos", "start", "false", "--watch").want(t, exitError, "NOT HELD", "false.star:2:7: the sun is cold", "false did not hold")
	run("chaos", "runs").want(t, exitOK, "not_held", "held", "quick")

	long := c.begin(t, "long")
	run("chaos", "start", "quick").want(t, exitConflict, "run "+long+" is under way")
	run("chaos", "runs", long).want(t, exitOK, "running", "cut b ↔ w, for 10m0s")
	c.awaitFaults(t, 2)
	run("chaos", "stop", long).want(t, exitOK, "stopped")
	c.awaitFaults(t, 0)
	run("chaos", "runs", long, "--output", "json").want(t, exitOK, `"state": "stopped"`, `"verdict": null`)
	run("chaos", "runs", long, "--watch").want(t, exitError, "long was stopped")
	run("chaos", "stop", "none").want(t, exitNotFound, "no such run")

	c.setPresets(t)
	c.interruptStart(t)

	// "The process's own drain (SIGTERM) stops a run and heals."
	c.begin(t, "long")
	c.awaitFaults(t, 2)
	if code := a.stop(t); code != exitOK {
		t.Errorf("a: exit %d\n%s", code, a.log)
	}
	for _, name := range []string{"b", "w"} {
		if faults, err := c.at(t, name).Faults(t.Context()); err != nil || len(faults) > 0 {
			t.Errorf("%s has the faults %v, %v", name, faults, err)
		}
	}
	if text := a.log.String(); !strings.Contains(text, `script=long seed=`) || !strings.Contains(text, `error="the node was stopped"`) {
		t.Errorf("the log does not tell the run:\n%s", text)
	}
	for _, r := range others {
		if code := r.stop(t); code != exitOK {
			t.Errorf("%s: exit %d\n%s", r.name, code, r.log)
		}
	}
}

// setPresets sets presets and heals, with a run under way.
func (c *testCluster) setPresets(t *testing.T) {
	t.Helper()
	run := func(args ...string) result { return c.command(t, args...) }
	run("chaos", "preset").want(t, exitOK, "witness_alone", "from to delay")
	run("chaos", "preset", "slow", "a", "b", "--delay", "1ms", "--for", "1m").want(t, exitOK, "a ↔ b", "delay")
	run("chaos", "preset", "slow", "a").want(t, exitUsage, "slow takes FROM TO")
	run("chaos", "preset", "tilt").want(t, exitUsage, `no preset "tilt"`)
	run("chaos", "preset", "slow", "a", "b").want(t, exitError, "delay is missing")
	run("chaos", "flap", "a", "b", "--period", "2s", "--for", "1m").want(t, exitOK, "flap")
	run("chaos", "flap", "a", "b", "--period", "1ms").want(t, exitUsage, "--period 1ms: 20ms to 1h")
	c.awaitFaults(t, 4)
	second := c.begin(t, "long")
	run("chaos", "heal").want(t, exitOK, "1 runs stopped")
	c.awaitFaults(t, 0)
	run("chaos", "runs", second).want(t, exitOK, "stopped")
}

// command runs a command line that asks a.
func (c *testCluster) command(t *testing.T, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*testPatience)
	defer cancel()
	return runCLI(ctx, "", map[string]string{envNode: c.api["a"]}, args...)
}

// begin starts a script at a, waits until it notes that it is here, and returns
// the run's id.
func (c *testCluster) begin(t *testing.T, script string) string {
	t.Helper()
	c.awaitVotes(t)
	at := c.at(t, "a")
	run, err := at.StartRun(t.Context(), script, nil)
	if err != nil {
		t.Fatal(err)
	}
	for event, err := range at.WatchRun(t.Context(), run.ID, 0) {
		if err != nil || event.Run != nil {
			t.Fatalf("the run ended before it was there: %+v, %v", event.Run, err)
		}
		if event.Step.Text == "here" {
			break
		}
	}
	return run.ID
}

// awaitFaults waits until so many faults are on all processes.
func (c *testCluster) awaitFaults(t *testing.T, want int) {
	t.Helper()
	await(t, strconv.Itoa(want)+" faults", func() error {
		var all []client.Fault
		for name := range c.api {
			faults, err := c.at(t, name).Faults(t.Context())
			if err != nil {
				return err
			}
			all = append(all, faults...)
		}
		if len(all) != want {
			return fmt.Errorf("there are %+v", all)
		}
		return nil
	})
}

// interruptStart presses Ctrl-C while `chaos start --watch` shows a run: it stops
// the run, and says so.
func (c *testCluster) interruptStart(t *testing.T) {
	t.Helper()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	out, notes := &buffer{}, &buffer{}
	app, _, _ := testApp(envNode + "=" + c.api["a"])
	app.stdout, app.stderr = out, notes
	code := make(chan int, 1)
	go func() { code <- run(ctx, []string{"chaos", "start", "long", "--watch"}, app) }()
	await(t, "the cut", func() error {
		if !strings.Contains(out.String(), "here") {
			return errors.New(out.String() + notes.String())
		}
		return nil
	})
	interrupt()
	if got := <-code; got != exitError || !strings.Contains(notes.String(), "interrupted: the run is stopped, and all that it broke is healed") {
		t.Errorf("exit %d: %s", got, notes)
	}
	c.awaitFaults(t, 0)
	if runs, err := c.at(t, "a").ChaosRuns(t.Context()); err != nil || len(runs) == 0 || runs[0].State != client.RunStopped {
		t.Errorf("%+v, %v", runs, err)
	}
}
