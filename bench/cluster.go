package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/syncline/syncline/scripts/ports"
)

const (
	writableTimeout = 60 * time.Second      // from the start of a cluster until all its votes are in place
	pollEvery       = 20 * time.Millisecond // between two looks at a condition
	requestTimeout  = 90 * time.Second      // for one request that is not load; above the longest Prefer: wait
)

// cluster is one Syncline cluster of true processes.
type cluster struct {
	program string
	dir     string
	config  string // path of the cluster file
	members []member
	running map[string]*process
	client  *http.Client
	release func() error // gives the addresses back

	profiles string // folder for profiles of the data nodes, or ""
}

// member is one process of the roster.
type member struct {
	name, role        string
	api, peer, gossip string // host:port
}

func (m member) url() string { return "http://" + m.api }

// newCluster makes a cluster of the product, in a folder of the run.
func (b *bench) newCluster(name string, nodes int, witness bool) (*cluster, error) {
	c, err := newCluster(b.opts.product, filepath.Join(b.dir, name), nodes, witness)
	if err == nil {
		c.profiles = b.opts.profiles
	}
	return c, err
}

// newCluster writes the configuration of so many data nodes (named a, b, …),
// with or without a witness, and starts nothing.
func newCluster(program, dir string, nodes int, witness bool) (*cluster, error) {
	c := &cluster{
		program: program, dir: dir, config: filepath.Join(dir, "cluster.yaml"),
		running: map[string]*process{}, client: &http.Client{Timeout: requestTimeout},
	}
	for i := range nodes {
		c.members = append(c.members, member{name: string(rune('a' + i)), role: "data"})
	}
	if witness {
		c.members = append(c.members, member{name: "w", role: "witness"})
	}
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	addresses, release, err := ports.Take(context.Background(), 3*len(c.members))
	if err != nil {
		return nil, err
	}
	c.release = release
	for i := range c.members {
		m := &c.members[i]
		m.api, m.peer, m.gossip = addresses[3*i], addresses[3*i+1], addresses[3*i+2]
	}
	return c, errors.Join(
		os.WriteFile(filepath.Join(dir, "secret"), fmt.Appendf(nil, "%x\n", secret), 0o600),
		os.WriteFile(c.config, []byte(c.text()), 0o600))
}

// text is the cluster file.
func (c *cluster) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "cluster: bench\nsecret_file: %s\nauth: none\nroster:\n", filepath.Join(c.dir, "secret"))
	for _, m := range c.members {
		fmt.Fprintf(&b, "  - {name: %s, role: %s, api: %s, peer: %s", m.name, m.role, m.api, m.peer)
		if m.role == "data" {
			fmt.Fprintf(&b, ", gossip: %s", m.gossip)
		}
		b.WriteString("}\n")
	}
	return b.String()
}

// start runs one member.
func (c *cluster) start(ctx context.Context, name string, extra ...string) error {
	m := c.member(name)
	command := "serve"
	if m.role == "witness" {
		command = "witness"
	}
	args := append([]string{command, "--config", c.config, "--name", name, "--data", filepath.Join(c.dir, name)}, extra...)
	if c.profiles != "" && m.role == "data" {
		args = append(args, "--cpuprofile", filepath.Join(c.profiles, filepath.Base(c.dir)+"-"+name+".prof"))
	}
	p, err := startProcess(ctx, c.dir, name, c.program, args...)
	if err != nil {
		return err
	}
	c.running[name] = p
	return nil
}

// startAll runs all members and waits until every vote is in place.
func (c *cluster) startAll(ctx context.Context, extra ...string) error {
	// A process is ready before it has met the others, so they can start one by one.
	for _, m := range c.members {
		if err := c.start(ctx, m.name, extra...); err != nil {
			return err
		}
	}
	return c.awaitVotes(ctx)
}

func (c *cluster) member(name string) member {
	for _, m := range c.members {
		if m.name == name {
			return m
		}
	}
	panic("bench: no member " + name)
}

// dataNodes lists the running data nodes.
func (c *cluster) dataNodes() []member {
	var nodes []member
	for _, m := range c.members {
		if m.role == "data" && c.running[m.name] != nil {
			nodes = append(nodes, m)
		}
	}
	return nodes
}

// targets are the base URLs of the running data nodes.
func (c *cluster) targets() []string {
	var urls []string
	for _, m := range c.dataNodes() {
		urls = append(urls, m.url())
	}
	return urls
}

// stop ends all processes, for good.
func (c *cluster) stop() error {
	var err error
	for _, p := range c.running {
		err = errors.Join(err, p.stop())
	}
	clear(c.running)
	c.client.CloseIdleConnections()
	return errors.Join(err, c.release())
}

// state is what GET /v1/cluster says, as far as it matters here.
type state struct {
	Write struct {
		State string `json:"state"`
		Cause string `json:"cause"`
		Votes struct{ Have, Need, Of int }
	} `json:"write"`
	Frontier   map[string]uint64 `json:"frontier"`
	CatchingUp bool              `json:"catching_up"`
}

// covers says whether a node with this state has all that the other has.
func (s state) covers(other state) bool {
	for actor, seq := range other.Frontier {
		if s.Frontier[actor] < seq {
			return false
		}
	}
	return true
}

func (c *cluster) state(ctx context.Context, m member) (state, error) {
	var s state
	return s, c.getJSON(ctx, m.url()+"/v1/cluster", &s)
}

// awaitVotes waits until every running data node is writable, with the votes
// of all running voters.
func (c *cluster) awaitVotes(ctx context.Context) error {
	return await(ctx, writableTimeout, func() (bool, string, error) {
		for _, m := range c.dataNodes() {
			s, err := c.state(ctx, m)
			if err != nil {
				return false, "", err
			}
			if s.Write.State != "writable" || s.Write.Votes.Have < min(s.Write.Votes.Of, len(c.running)) {
				return false, fmt.Sprintf("%s is %s (%s) with %d of %d votes", m.name, s.Write.State, s.Write.Cause, s.Write.Votes.Have, s.Write.Votes.Of), nil
			}
		}
		return true, "", nil
	})
}

// awaitEqual waits until the data nodes have all that the others have.
func (c *cluster) awaitEqual(ctx context.Context, limit time.Duration) error {
	return await(ctx, limit, func() (bool, string, error) {
		var states []state
		for _, m := range c.dataNodes() {
			s, err := c.state(ctx, m)
			if err != nil {
				return false, "", err
			}
			states = append(states, s)
		}
		for _, s := range states {
			for _, other := range states {
				if !s.covers(other) || s.CatchingUp {
					return false, "the frontiers differ", nil
				}
			}
		}
		return true, "", nil
	})
}

// await polls until done, a limit, an error or the end of the context. The
// text says what is still missing.
func await(ctx context.Context, limit time.Duration, done func() (bool, string, error)) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		ok, missing, err := done()
		if ok || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("after %s: %s", limit, missing)
		}
	}
}

// verified compares the digests of all data nodes and returns the number of
// documents that each has.
func (c *cluster) verified(ctx context.Context) (int, error) {
	type collection struct {
		Digest    string `json:"digest"`
		Documents int    `json:"documents"`
	}
	var first collection
	for i, m := range c.dataNodes() {
		var v struct {
			Collections map[string]collection `json:"collections"`
		}
		if err := c.getJSON(ctx, m.url()+"/v1/verify", &v); err != nil {
			return 0, err
		}
		got := v.Collections[collectionName]
		if i == 0 {
			first = got
		}
		if got != first {
			return 0, fmt.Errorf("%s has %+v, the first node %+v", m.name, got, first)
		}
	}
	return first.Documents, nil
}

func (c *cluster) getJSON(ctx context.Context, url string, into any) error {
	answer, err := c.do(ctx, http.MethodGet, url, nil, nil)
	if err != nil {
		return err
	}
	if answer.status != http.StatusOK {
		return fmt.Errorf("GET %s: %d %s", url, answer.status, answer.body)
	}
	return json.Unmarshal(answer.body, into)
}

// answer is one HTTP answer, read whole.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// do sends one request that is not load. Any status is an answer.
func (c *cluster) do(ctx context.Context, method, url string, header map[string]string, body []byte) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for key, value := range header {
		req.Header.Set(key, value)
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	data, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, data}, errors.Join(err, resp.Body.Close())
}
