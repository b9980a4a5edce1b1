package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/syncline/syncline/client"
	"github.com/syncline/syncline/scripts/ports"
)

const (
	// testPatience bounds every wait for something that must happen.
	testPatience = 30 * time.Second
	// testLook is the pause between two looks at a condition.
	testLook = 10 * time.Millisecond
)

// testCluster is the files of a cluster whose processes run inside the test.
type testCluster struct {
	dir   string
	nodes []string // names of the data nodes
	api   map[string]string
}

// newTestCluster writes the configuration of data nodes and a witness w.
func newTestCluster(t *testing.T, more string, nodes ...string) *testCluster {
	t.Helper()
	c := &testCluster{dir: t.TempDir(), nodes: nodes, api: map[string]string{}}
	at := ports.For(t, 3*len(nodes)+2)
	var b strings.Builder
	b.WriteString("cluster: test\nsecret_file: secret\n" + more + "roster:\n")
	for i, name := range nodes {
		c.api[name] = at[3*i]
		fmt.Fprintf(&b, "  - {name: %s, role: data, api: %s, peer: %s, gossip: %s}\n", name, at[3*i], at[3*i+1], at[3*i+2])
	}
	n := 3 * len(nodes)
	if len(nodes) > 1 {
		c.api["w"] = at[n]
		fmt.Fprintf(&b, "  - {name: w, role: witness, api: %s, peer: %s}\n", at[n], at[n+1])
	}
	c.write(t, "cluster.yaml", b.String())
	c.write(t, "secret", strings.Repeat("s", 32))
	return c
}

func (c *testCluster) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(c.dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// running is a process inside the test.
type running struct {
	name   string
	ready  string // its line of standard output
	cancel context.CancelFunc
	done   chan struct{} // closed when it has ended
	code   int           // its exit code, once done is closed
	log    *buffer
}

// buffer is a bytes.Buffer for several goroutines.
type buffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// start runs a process until it is ready.
func (c *testCluster) start(t *testing.T, name string, flags ...string) *running {
	t.Helper()
	command := "serve"
	if name == "w" {
		command = "witness"
	}
	out, in := io.Pipe()
	r := &running{name: name, done: make(chan struct{}), log: &buffer{}}
	a, _, _ := testApp()
	a.stdout, a.stderr = in, r.log
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	args := append([]string{command, "--config", filepath.Join(c.dir, "cluster.yaml"), "--name", name, "--data", filepath.Join(c.dir, name)}, flags...)
	go func() {
		defer close(r.done)
		r.code = run(ctx, args, a)
		in.Close()
	}()
	t.Cleanup(func() { r.stop(t) })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		<-r.done
		t.Fatalf("%s ended before it was ready, with %d:\n%s", name, r.code, r.log)
	}
	r.ready = line
	return r
}

// stop ends a process as SIGTERM does, and returns its exit code.
func (r *running) stop(t *testing.T) int {
	t.Helper()
	r.cancel()
	select {
	case <-r.done:
	case <-time.After(testPatience):
		t.Fatalf("%s does not end:\n%s", r.name, r.log)
	}
	return r.code
}

// at is a client of one node alone.
func (c *testCluster) at(t *testing.T, name string) *client.Client {
	t.Helper()
	out, err := client.New(client.Config{Nodes: []string{c.api[name]}, Pinned: true, NoSession: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(out.Close)
	return out
}

// await polls until a condition holds.
func await(t *testing.T, what string, holds func() error) {
	t.Helper()
	deadline := time.Now().Add(testPatience)
	for {
		err := holds()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v", what, err)
		}
		time.Sleep(testLook)
	}
}

// hasVotes says nil when a node holds so many votes.
func (c *testCluster) hasVotes(t *testing.T, name string, n int) error {
	s, err := c.at(t, name).Cluster(t.Context())
	if err == nil && s.Write.Votes.Have != n {
		err = fmt.Errorf("%d of %d votes", s.Write.Votes.Have, n)
	}
	return err
}

// awaitVotes waits until the data nodes have every vote: what a test waits for
// afterwards is its own patience, and not that of a busy machine that starts a
// cluster. API.md: "`votes.have` = `votes.of` says that all is in place."
func (c *testCluster) awaitVotes(t *testing.T) {
	t.Helper()
	for _, name := range c.nodes {
		await(t, name+" has all votes", func() error { return c.hasVotes(t, name, len(c.api)) })
	}
}

// put writes a document at one node, as soon as that takes writes, and returns
// the actor that stamped it.
func (c *testCluster) put(t *testing.T, name, id string) (actor string) {
	t.Helper()
	at := c.at(t, name)
	await(t, name+" takes a write", func() error {
		w, err := at.Put(t.Context(), client.Key{Collection: "docs", ID: id}, []byte(`{"by":"`+name+`"}`), client.PutOptions{})
		if errors.Is(err, client.ReadOnly) {
			return err // a slow machine may lose a lease
		}
		if err != nil {
			t.Fatal(err)
		}
		actor, _, _ = strings.Cut(w.Dot, ":")
		return nil
	})
	return actor
}

func (c *testCluster) awaitDocument(t *testing.T, name, id string) {
	t.Helper()
	at := c.at(t, name)
	await(t, name+" has "+id, func() error {
		_, err := at.Get(t.Context(), client.Key{Collection: "docs", ID: id}, client.Options{})
		return err
	})
}

// issue 3: "two data nodes and a witness … that take writes on both nodes, keep
// each other equal"; API.md: "SIGTERM drains … and exits 0".
func TestServeCluster(t *testing.T) {
	defer noGoroutineIsLeft(t)()
	c := newTestCluster(t, "", "a", "b")
	all := []*running{c.start(t, "a", "--chaos"), c.start(t, "b"), c.start(t, "w")}
	for _, r := range all {
		want := "ready name=" + r.name + " api=" + c.api[r.name] + " peer="
		if !strings.HasPrefix(r.ready, want) {
			t.Errorf("said %q, want %q", r.ready, want)
		}
		if !strings.Contains(r.log.String(), " bound=2.1s ") {
			t.Errorf("%s does not print the worst case:\n%s", r.name, r.log)
		}
	}
	c.awaitVotes(t)
	actors := map[string]string{}
	for _, name := range c.nodes {
		actors[name] = c.put(t, name, "from-"+name)
	}
	for _, name := range c.nodes {
		c.awaitDocument(t, name, "from-a")
		c.awaitDocument(t, name, "from-b")
	}
	c.checkAPI(t)
	for _, r := range all {
		if code := r.stop(t); code != exitOK {
			t.Errorf("%s: exit %d\n%s", r.name, code, r.log)
		}
	}
	// PROTOCOL D14: a new actor "after an unclean stop below FULL", not after one
	// in good order.
	again := []*running{c.start(t, "w"), c.start(t, "a"), c.start(t, "b")}
	if after := c.put(t, "a", "again"); after != actors["a"] {
		t.Errorf("the actor was %s and is %s after a stop in good order", actors["a"], after)
	}
	for _, r := range again {
		r.stop(t)
	}
}

// checkAPI looks at what cmd puts together for the API.
func (c *testCluster) checkAPI(t *testing.T) {
	for _, test := range []struct {
		node, path string
		status     int
		says       string
	}{
		{"a", "/v1/cluster", 200, `"writable_nodes":["http://` + c.api["a"]},
		{"a", "/v1/cluster/links", 200, `"from":"a","to":"b","state":"up"`},
		{"a", "/v1/cluster/votes", 200, `"kind":"grant"`},
		{"a", "/v1/cluster/divergence", 200, `"node":"b"`},
		{"a", "/v1/chaos/faults", 200, `"faults"`},
		{"b", "/v1/chaos/faults", 404, "--chaos"},
		{"a", "/metrics", 200, "syncline_votes_have 3"},
		{"a", "/ui/", 200, "<html"},
		{"a", "/docs/problems/read_only", 200, "writable_nodes"},
		{"w", "/v1/cluster", 200, `"role":"witness"`},
		{"w", "/v1/docs/docs/x", 421, "data node"},
	} {
		// What is told of votes and links waits for a machine that is busy meanwhile.
		await(t, "GET "+test.path+" at "+test.node, func() error {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+c.api[test.node]+test.path, nil)
			if err != nil {
				return err
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				return err
			}
			body, err := io.ReadAll(resp.Body)
			if err = errors.Join(err, resp.Body.Close()); err != nil {
				return err
			}
			if resp.StatusCode != test.status || !strings.Contains(string(body), test.says) {
				return fmt.Errorf("%d, want %d and %s, got %.400s", resp.StatusCode, test.status, test.says, body)
			}
			return nil
		})
	}
	http.DefaultClient.CloseIdleConnections()
}

// PROTOCOL part 1: "A new node becomes good … (a single data node: at once)".
func TestServeAlone(t *testing.T) {
	c := newTestCluster(t, "storage: {sync: normal}\n", "a")
	r := c.start(t, "a")
	c.put(t, "a", "x")
	s, err := c.at(t, "a").Cluster(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s.Write.State != "writable" || s.Write.Votes != (client.Votes{Have: 1, Need: 1, Of: 1}) || len(s.Peers) != 0 {
		t.Errorf("%+v", s)
	}
	// PROTOCOL D14: below FULL a tail may be lost only by an unclean stop.
	if code := r.stop(t); code != exitOK {
		t.Errorf("exit %d\n%s", code, r.log)
	}
	c.start(t, "a")
	c.awaitDocument(t, "a", "x")
}

// PROTOCOL part 1: "`serve --found` founds a cluster without an absent one";
// without it the node waits and says for whom.
func TestServeFound(t *testing.T) {
	c := newTestCluster(t, "", "a", "b")
	c.start(t, "w")
	first := c.start(t, "a")
	_, err := c.at(t, "a").Put(t.Context(), client.Key{Collection: "docs", ID: "x"}, []byte(`{}`), client.PutOptions{})
	var e *client.Error
	if !errors.As(err, &e) || e.Code != client.ReadOnly || e.Cause != "catching_up" || !strings.Contains(e.Detail, "waits for b") {
		t.Errorf("a new node that has met nobody: %v", err)
	}
	if code := first.stop(t); code != exitOK {
		t.Errorf("exit %d", code)
	}
	c.start(t, "a", "--found")
	await(t, "a has its own vote and the witness's", func() error { return c.hasVotes(t, "a", 2) })
	c.put(t, "a", "x")
	c.start(t, "b")
	c.awaitDocument(t, "b", "x")
}

// issue 3, "Bad input": "Ports in use, folder locked, disk unwritable, file from
// a newer version, wrong secret, other cluster: one clear line, exit code not
// 0."
func TestServeRefusals(t *testing.T) {
	c := newTestCluster(t, "", "a", "b")
	for _, name := range []string{"a", "w"} {
		c.start(t, name).stop(t)
	}
	config := c.read(t, "cluster.yaml")
	busy := listen(t, "127.0.0.1:0")
	file := func(name string) string { return filepath.Join(c.dir, name) }
	for _, test := range []struct {
		what string
		args []string
		says string
		do   func()
	}{
		{"port in use", []string{"serve", "--name", "b", "--data", file("b")}, "another process listens there", func() {
			c.write(t, "cluster.yaml", strings.Replace(config, c.api["b"], busy.Addr().String(), 1))
		}},
		{"disk unwritable", []string{"serve", "--name", "a", "--data", "/proc/a"}, "/proc/a", nil},
		{"disk unwritable", []string{"witness", "--name", "w", "--data", "/proc/w"}, "/proc/w", nil},
		{"wrong secret", []string{"serve", "--name", "a", "--data", file("a")}, "the cluster secret is not the one", func() {
			c.write(t, "secret", strings.Repeat("t", 32))
		}},
		{"wrong secret", []string{"witness", "--name", "w", "--data", file("w")}, "the cluster secret is not the one", func() {
			c.write(t, "secret", strings.Repeat("t", 32))
		}},
		{"short secret", []string{"serve", "--name", "a", "--data", file("a")}, "at least 32", func() { c.write(t, "secret", "short") }},
		{"other cluster", []string{"serve", "--name", "a", "--data", file("a")}, "belongs to cluster test, not to shed", func() {
			c.write(t, "cluster.yaml", strings.Replace(config, "cluster: test", "cluster: shed", 1))
		}},
		{"other name", []string{"serve", "--name", "b", "--data", file("a")}, `the database belongs to node "a"`, nil},
		{"exposed", []string{"serve", "--name", "a", "--data", file("a")}, "add --insecure", func() {
			c.write(t, "cluster.yaml", config+"listen: {a: {api: 0.0.0.0:"+port(c.api["a"])+"}}\n")
		}},
		{"folder locked", []string{"serve", "--name", "a", "--data", file("a")}, "has this folder", func() { c.start(t, "a") }},
		{"folder locked", []string{"witness", "--name", "w", "--data", file("w")}, "another process has it", func() { c.start(t, "w") }},
	} {
		t.Run(test.what, func(t *testing.T) {
			c.write(t, "cluster.yaml", config)
			c.write(t, "secret", strings.Repeat("s", 32))
			if test.do != nil {
				test.do()
			}
			var log buffer
			a, stdout, _ := testApp("SYNCLINE_CONFIG=" + file("cluster.yaml"))
			a.stderr = &log
			code := run(t.Context(), test.args, a)
			last := lastLine(log.String())
			if code != exitError || !strings.HasPrefix(last, "syncline: ") || !strings.Contains(last, test.says) || stdout.Len() > 0 {
				t.Errorf("exit %d, want %d and %q:\n%s%s", code, exitError, test.says, &log, stdout)
			}
			if n := strings.Count(log.String(), "\nsyncline: "); n > 1 {
				t.Errorf("%d lines about it:\n%s", n, &log)
			}
		})
	}
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	return lines[len(lines)-1]
}

func port(address string) string {
	_, p, _ := net.SplitHostPort(address)
	return p
}

func (c *testCluster) read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(c.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
