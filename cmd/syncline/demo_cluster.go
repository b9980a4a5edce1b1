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

	"golang.org/x/sync/errgroup"

	"github.com/syncline/syncline/node/peer"
)

// demoCluster is two data nodes and a witness: real processes of this program,
// on free loopback ports, with all that they store in a temporary folder.
type demoCluster struct {
	folder    string
	processes []*demoProcess // a, b, w

	fail     context.CancelCauseFunc // ends the context of the demo
	stopping chan struct{}           // closed when processes are meant to end
	stopOnce sync.Once
}

// startDemoCluster starts the processes and waits until they serve. The context
// that it returns ends when the one given does, or when a process ends by
// itself; its cause says which. stop must be called in any case but an error.
func startDemoCluster(ctx context.Context, program string, environ []string) (*demoCluster, context.Context, error) {
	folder, err := os.MkdirTemp("", "syncline-demo-")
	if err != nil {
		return nil, nil, err
	}
	c := &demoCluster{
		folder: folder, stopping: make(chan struct{}),
		processes: []*demoProcess{{name: "a", role: roleData}, {name: "b", role: roleData}, {name: "w", role: roleWitness}},
	}
	ctx, c.fail = context.WithCancelCause(ctx)
	if err := c.start(ctx, program, environ); err != nil {
		return nil, nil, errors.Join(err, c.stop())
	}
	return c, ctx, nil
}

func (c *demoCluster) start(ctx context.Context, program string, environ []string) error {
	defer func() {
		for _, p := range c.processes {
			p.release()
		}
	}()
	for _, p := range c.processes {
		p.log = filepath.Join(c.folder, p.name+".log")
		if err := p.bind(ctx); err != nil {
			return fmt.Errorf("bind free ports on 127.0.0.1: %w", err)
		}
	}
	config, err := c.configure()
	if err != nil {
		return err
	}
	group, startCtx := errgroup.WithContext(ctx)
	for _, p := range c.processes {
		command := "serve"
		if p.role == roleWitness {
			command = "witness"
		}
		args := []string{command, "--config", config, "--name", p.name, "--data", filepath.Join(c.folder, p.name), "--chaos"}
		group.Go(func() error {
			return p.start(startCtx, program, args, environ, func(err error) { c.ended(p, err) })
		})
	}
	return group.Wait()
}

// ended notes that a process has ended: unless it was told to, the demo is
// over.
func (c *demoCluster) ended(p *demoProcess, err error) {
	select {
	case <-c.stopping:
		return
	default:
	}
	if err == nil {
		err = errors.New("exit status 0")
	}
	c.fail(p.failure(fmt.Errorf("the process ended by itself: %w", err)))
}

// configure writes the file that describes the cluster, and its secret.
func (c *demoCluster) configure() (string, error) {
	secret := make([]byte, peer.MinSecret)
	if _, err := rand.Read(secret); err != nil {
		return "", err
	}
	if err := writeSecret(filepath.Join(c.folder, "secret"), hex.EncodeToString(secret)+"\n"); err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("cluster: demo\nsecret_file: ./secret\nroster:\n")
	for _, p := range c.processes {
		fmt.Fprintf(&b, "  - {name: %s, role: %s, api: %q, peer: %q", p.name, p.role, p.api, p.peer)
		if p.gossip != "" {
			fmt.Fprintf(&b, ", gossip: %q", p.gossip)
		}
		b.WriteString("}\n")
	}
	file := filepath.Join(c.folder, "demo.yaml")
	return file, os.WriteFile(file, []byte(b.String()), 0o600)
}

// url is the base URL of a member.
func (c *demoCluster) url(name string) string {
	for _, p := range c.processes {
		if p.name == name {
			return "http://" + p.api
		}
	}
	return ""
}

// stop stops all processes and removes the folder. It may be called again.
func (c *demoCluster) stop() error {
	var err error
	c.stopOnce.Do(func() {
		close(c.stopping)
		c.fail(context.Canceled)
		var group sync.WaitGroup
		for _, p := range c.processes {
			group.Go(p.stop)
		}
		group.Wait()
		err = os.RemoveAll(c.folder)
	})
	return err
}
