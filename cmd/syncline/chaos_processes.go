package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/syncline/syncline/node/peer"
	"github.com/syncline/syncline/scripts/chaos"
)

// allVotesWithin is how long a cluster may take until every vote is in place.
const allVotesWithin = 30 * time.Second

// chaosProcess is one process of a chaos run's own cluster.
type chaosProcess struct {
	demoProcess
	folder string
	clock  string // file of its wrong wall clock
	paused *time.Timer
	down   bool
}

// chaosProcesses is a cluster of real processes on free loopback ports, whose
// links are cut at the link layer of the processes. Its methods are those of
// chaos.Cluster; they may be called by several goroutines.
type chaosProcesses struct {
	chaosMembers
	folder  string
	program string
	environ []string
	config  string

	// place settles where a process listens, before the file is written.
	place func(context.Context, *chaosProcess) error
	// enter is the command before that of a process; empty: none.
	enter func(*chaosProcess) []string
	extra []string // arguments of every process

	mu        sync.Mutex
	processes []*chaosProcess
	stopped   bool
}

// startChaosProcesses starts the cluster that a script asks for, in a folder, and
// waits until every vote is in place. stop must be called in any case but an
// error.
func startChaosProcesses(ctx context.Context, spec chaos.Spec, cfg chaosRun) (*chaosProcesses, error) {
	c := newChaosProcesses(spec, cfg)
	c.place = func(ctx context.Context, p *chaosProcess) error {
		if err := p.bind(ctx); err != nil {
			return fmt.Errorf("bind free ports on 127.0.0.1 for %s: %w", p.name, err)
		}
		return nil
	}
	c.enter = func(*chaosProcess) []string { return nil }
	if err := c.begin(ctx, spec); err != nil {
		return nil, errors.Join(err, c.stop())
	}
	return c, nil
}

// newChaosProcesses names the processes and starts none.
func newChaosProcesses(spec chaos.Spec, cfg chaosRun) *chaosProcesses {
	c := &chaosProcesses{folder: cfg.folder, program: cfg.program, environ: cfg.environ}
	for _, name := range spec.Members() {
		role := roleData
		if name == spec.Witness {
			role = roleWitness
		}
		p := &chaosProcess{demoProcess: demoProcess{name: name, role: role}, folder: filepath.Join(c.folder, name), clock: filepath.Join(c.folder, name+".clock")}
		p.log = filepath.Join(c.folder, name+".log")
		c.processes = append(c.processes, p)
	}
	return c
}

func (c *chaosProcesses) begin(ctx context.Context, spec chaos.Spec) error {
	for _, p := range c.processes {
		if err := c.place(ctx, p); err != nil {
			return err
		}
		m, err := newChaosMember(p.name, p.role == roleData, "http://"+p.api)
		if err != nil {
			return err
		}
		c.chaosMembers = append(c.chaosMembers, m)
	}
	if err := c.configure(spec); err != nil {
		return err
	}
	group, startCtx := errgroup.WithContext(ctx)
	for _, p := range c.processes {
		group.Go(func() error { return c.launch(startCtx, p) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return c.awaitVotes(ctx, allVotesWithin)
}

// configure writes the file that describes the cluster, and its secret.
func (c *chaosProcesses) configure(spec chaos.Spec) error {
	secret := make([]byte, peer.MinSecret)
	if _, err := rand.Read(secret); err != nil {
		return err
	}
	if err := writeSecret(filepath.Join(c.folder, "secret"), hex.EncodeToString(secret)+"\n"); err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString("cluster: chaos\nsecret_file: ./secret\n" + timingText(spec) + storageText(spec) + "roster:\n")
	for _, p := range c.processes {
		fmt.Fprintf(&b, "  - {name: %s, role: %s, api: %q, peer: %q", p.name, p.role, p.api, p.peer)
		if p.gossip != "" {
			fmt.Fprintf(&b, ", gossip: %q", p.gossip)
		}
		b.WriteString("}\n")
	}
	c.config = filepath.Join(c.folder, "cluster.yaml")
	return os.WriteFile(c.config, []byte(b.String()), 0o600)
}

// timingText is the timing that a script asks for, as a configuration says it.
func timingText(spec chaos.Spec) string {
	var parts []string
	if spec.Beat > 0 {
		parts = append(parts, "beat: "+spec.Beat.String())
	}
	if spec.Lease > 0 {
		parts = append(parts, "lease: "+spec.Lease.String())
	}
	if len(parts) == 0 {
		return ""
	}
	return "timing: {" + strings.Join(parts, ", ") + "}\n"
}

// storageText is how durable commits are, as a configuration says it.
func storageText(spec chaos.Spec) string {
	if spec.Sync == "" {
		return ""
	}
	return "storage: {sync: " + spec.Sync + "}\n"
}

// launch starts one process on its sockets and waits until it serves.
func (c *chaosProcesses) launch(ctx context.Context, p *chaosProcess) error {
	command := append(c.enter(p), c.program)
	if p.role == roleWitness {
		command = append(command, "witness")
	} else {
		command = append(command, "serve", "--"+flagChaosClock, p.clock)
	}
	command = append(command, "--config", c.config, "--name", p.name, "--data", p.folder, "--chaos")
	command = append(command, c.extra...)
	// Who ends by itself is seen by the run: the node does not answer any more.
	return p.start(ctx, command[0], command[1:], c.environ, func(error) {})
}

func (c *chaosProcesses) process(name string) *chaosProcess {
	for _, p := range c.processes {
		if p.name == name {
			return p
		}
	}
	return nil
}

// deaf says whether a process takes no requests: it is down, or stands still.
func (c *chaosProcesses) deaf(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.process(name)
	return p.down || p.paused != nil
}

// Lacks implements chaos.Cluster.
func (c *chaosProcesses) Lacks(a chaos.Ability) string {
	if a == chaos.Ports {
		return "the link layer cuts whole links: run the script with --net=ns, as root"
	}
	return ""
}

// Break implements chaos.Cluster.
func (c *chaosProcesses) Break(ctx context.Context, f chaos.Fault) error {
	return c.breakOn(ctx, f, c.deaf)
}

// Heal implements chaos.Cluster. A process that stands still goes on before its
// faults are taken back, if all are.
func (c *chaosProcesses) Heal(ctx context.Context, a, b string) error {
	if a == "" {
		if err := c.resumeAll(ctx); err != nil {
			return err
		}
	}
	return c.healOn(ctx, a, b, c.deaf)
}

// resumeAll lets every process go on that stands still.
func (c *chaosProcesses) resumeAll(ctx context.Context) error {
	var failed error
	for _, p := range c.processes {
		failed = errors.Join(failed, c.Resume(ctx, p.name))
	}
	return failed
}

// Pause implements chaos.Cluster.
func (c *chaosProcesses) Pause(_ context.Context, name string, lasts time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.process(name)
	if p.paused != nil {
		p.paused.Stop()
	}
	if err := freeze(p.cmd.Process); err != nil {
		return err
	}
	// The process may have been ended meanwhile: then there is nothing to go on.
	p.paused = time.AfterFunc(lasts, func() { _ = c.Resume(context.Background(), name) })
	return nil
}

// Resume implements chaos.Cluster.
func (c *chaosProcesses) Resume(_ context.Context, name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.process(name)
	if p.paused == nil {
		return nil
	}
	p.paused.Stop()
	p.paused = nil
	if p.down {
		return nil
	}
	return thaw(p.cmd.Process)
}

// Kill implements chaos.Cluster.
func (c *chaosProcesses) Kill(_ context.Context, name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.process(name)
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-p.exited
	if p.paused != nil {
		p.paused.Stop()
		p.paused = nil
	}
	p.down = true
	return nil
}

// Start implements chaos.Cluster.
func (c *chaosProcesses) Start(ctx context.Context, name string) error {
	p := c.process(name)
	if err := c.launch(ctx, p); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	p.down = false
	return nil
}

// Wipe implements chaos.Cluster.
func (c *chaosProcesses) Wipe(_ context.Context, name string) error {
	return os.RemoveAll(c.process(name).folder)
}

// copyOf is where a process's folder is kept as it was.
func (c *chaosProcesses) copyOf(name string) string { return filepath.Join(c.folder, name+".copy") }

// Copy implements chaos.Cluster.
func (c *chaosProcesses) Copy(_ context.Context, name string) error {
	to := c.copyOf(name)
	return errors.Join(os.RemoveAll(to), os.CopyFS(to, os.DirFS(c.process(name).folder)))
}

// Rollback implements chaos.Cluster.
func (c *chaosProcesses) Rollback(ctx context.Context, name string) error {
	from := c.copyOf(name)
	if _, err := os.Stat(from); err != nil {
		return fmt.Errorf("there is no copy of it: %w", err)
	}
	return errors.Join(c.Wipe(ctx, name), os.CopyFS(c.process(name).folder, os.DirFS(from)))
}

// Shift implements chaos.Cluster.
func (c *chaosProcesses) Shift(_ context.Context, name string, s chaos.Shift) error {
	return shiftClock(c.process(name).clock, s)
}

// shiftClock makes the clock that reads a file wrong from now on.
func shiftClock(file string, s chaos.Shift) error {
	now := time.Now()
	return writeWrongClock(file, wrongClock{Offset: s.Offset, Drift: s.Drift, From: now, Until: now.Add(s.Lasts)})
}

// stop ends all processes. It may be called again.
func (c *chaosProcesses) stop() error {
	if c.stopped {
		return nil
	}
	c.stopped = true
	// One that stands still would not hear that it shall end.
	failed := c.resumeAll(context.Background())
	var group sync.WaitGroup
	for _, p := range c.processes {
		group.Go(func() {
			p.demoProcess.stop()
			p.release()
		})
	}
	group.Wait()
	c.close()
	return failed
}
