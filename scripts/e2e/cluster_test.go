package e2e

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncline/syncline/client"
)

const (
	// collection is where the load writes.
	collection = "ledger"
	// callTimeout bounds one request to a node. A stopped process answers nothing
	// until it goes on.
	callTimeout = 10 * time.Second
	// longFault is longer than any test: chaos must have an end.
	longFault = 5 * time.Minute
	// portTries is how often a port is tried that must be free for TCP and UDP.
	portTries = 20
)

// member is one process of the roster with its sockets.
type member struct {
	name, role        string
	api, peer, gossip string
	files             []*os.File // bound here, handed over at each start
	names             []string   // of files
}

// cluster is a cluster of real processes.
type cluster struct {
	root    *testing.T // for whose life it runs
	t       *testing.T // the test or subtest under way
	dir     string
	members []*member
	running map[string]*process
	clients map[string]*client.Client
	flags   []string // more arguments of the data nodes
	timing
}

// clusterConfig says which cluster is wanted.
type clusterConfig struct {
	id      string        // "" is e2e
	data    []string      // names of the data nodes
	witness bool          // with a witness w
	lease   time.Duration // 0 is the default
	extra   string        // lines for the configuration
	flags   []string      // more arguments of the data nodes
}

// newCluster binds the sockets and writes the configuration. It starts nothing.
func newCluster(t *testing.T, cfg clusterConfig) *cluster {
	t.Helper()
	c := &cluster{
		root: t, t: t, dir: t.TempDir(), running: map[string]*process{}, clients: map[string]*client.Client{},
		flags: cfg.flags, timing: timingOf(cmp.Or(cfg.lease, lease)),
	}
	for _, name := range cfg.data {
		c.members = append(c.members, bindMember(t, name, "data"))
	}
	if cfg.witness {
		c.members = append(c.members, bindMember(t, "w", "witness"))
	}
	if cfg.id == "" {
		cfg.id = "e2e"
	}
	c.write("cluster.yaml", c.text(cfg.id, cfg.extra))
	c.write("secret", strings.Repeat("0123456789abcdef", 2)+"\n")
	for _, m := range c.members {
		at, err := client.New(client.Config{Nodes: []string{m.api}, Pinned: true, NoSession: true, Timeout: callTimeout, Wait: -1})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(at.Close)
		c.clients[m.name] = at
	}
	return c
}

// bindMember binds the sockets of one process on loopback ports.
func bindMember(t *testing.T, name, role string) *member {
	t.Helper()
	m := &member{name: name, role: role}
	m.api = m.stream(t, "api")
	m.peer = m.stream(t, "peer")
	if role == "data" {
		m.bindGossip(t)
	}
	return m
}

// stream binds a TCP socket and returns its address.
func (m *member) stream(t *testing.T, name string) string {
	t.Helper()
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m.keep(t, name, ln)
	return ln.Addr().String()
}

// bindGossip binds one port for TCP and for UDP.
func (m *member) bindGossip(t *testing.T) {
	t.Helper()
	var err error
	for range portTries {
		var ln net.Listener
		if ln, err = new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0"); err != nil {
			break
		}
		var packets net.PacketConn
		if packets, err = new(net.ListenConfig).ListenPacket(t.Context(), "udp", ln.Addr().String()); err != nil {
			ln.Close()
			continue
		}
		m.gossip = ln.Addr().String()
		m.keep(t, "gossip", ln)
		m.keep(t, "gossip", packets)
		return
	}
	t.Fatal(err)
}

// keep holds a socket as a file to be handed over.
func (m *member) keep(t *testing.T, name string, socket interface{ Close() error }) {
	t.Helper()
	f, err := socket.(interface{ File() (*os.File, error) }).File()
	if err = errors.Join(err, socket.Close()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	m.files, m.names = append(m.files, f), append(m.names, name)
}

// text is the configuration.
func (c *cluster) text(id, extra string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "cluster: %s\nsecret_file: ./secret\nauth: none\ntiming: {lease: %s}\n%sroster:\n", id, c.lease, extra)
	for _, m := range c.members {
		fmt.Fprintf(&b, "  - {name: %s, role: %s, api: %s, peer: %s", m.name, m.role, m.api, m.peer)
		if m.gossip != "" {
			fmt.Fprintf(&b, ", gossip: %s", m.gossip)
		}
		b.WriteString("}\n")
	}
	return b.String()
}

func (c *cluster) write(name, text string) {
	c.t.Helper()
	if err := os.WriteFile(filepath.Join(c.dir, name), []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

func (c *cluster) member(name string) *member {
	i := slices.IndexFunc(c.members, func(m *member) bool { return m.name == name })
	return c.members[i]
}

// data lists the names of the data nodes.
func (c *cluster) data() []string {
	var out []string
	for _, m := range c.members {
		if m.role == "data" {
			out = append(out, m.name)
		}
	}
	return out
}

// start runs a member until it is ready.
func (c *cluster) start(names ...string) {
	c.t.Helper()
	for _, name := range names {
		c.launch(name)
	}
	for _, name := range names {
		c.running[name].awaitReady(c.t)
	}
}

// launch runs a member and does not wait for it.
func (c *cluster) launch(name string) {
	c.t.Helper()
	c.impersonate(name, name, "cluster.yaml", name)
}

// impersonate runs a process under some name, with some configuration and
// folder, on the sockets of a member.
func (c *cluster) impersonate(place, name, config, folder string) {
	c.t.Helper()
	m := c.member(place)
	verb := map[string]string{"data": "serve", "witness": "witness"}[m.role]
	args := []string{verb, "--config", filepath.Join(c.dir, config), "--name", name, "--data", filepath.Join(c.dir, folder), "--chaos"}
	if verb == "serve" {
		args = append(args, c.flags...)
	}
	c.running[place] = launch(c.root, command{
		name: name, dir: c.dir, files: m.files,
		args: args,
		env:  []string{fmt.Sprintf("LISTEN_FDS=%d", len(m.files)), "LISTEN_FDNAMES=" + strings.Join(m.names, ":")},
	})
}

// startAll runs all members until every vote is in place.
func (c *cluster) startAll() {
	c.t.Helper()
	for _, m := range c.members {
		c.launch(m.name)
	}
	for _, m := range c.members {
		c.running[m.name].awaitReady(c.t)
	}
	c.awaitAllVotes()
}

// kill ends members as kill -9 does.
func (c *cluster) kill(names ...string) {
	for _, name := range names {
		c.running[name].kill()
	}
}

// at is a client of one member alone.
func (c *cluster) at(name string) *client.Client { return c.clients[name] }

// url is the base URL of a member's API.
func (c *cluster) url(name string) string { return "http://" + c.member(name).api }

// cut puts a cut between members, on both ends.
func (c *cluster) cut(a, b string) {
	c.fault(a, b, client.Fault{From: a, To: b, Kind: client.FaultCut, Both: true})
}

// fault puts a fault on both ends of a link, for longer than the test.
func (c *cluster) fault(a, b string, f client.Fault) {
	c.t.Helper()
	f.Duration = client.Span(longFault)
	for _, name := range []string{a, b} {
		if !c.running[name].alive() {
			continue
		}
		if _, err := c.at(name).AddFault(c.context(), f); err != nil {
			c.t.Fatalf("fault at %s: %v", name, err)
		}
	}
}

// heal takes all faults away.
func (c *cluster) heal() {
	c.t.Helper()
	for _, m := range c.members {
		if !c.running[m.name].alive() {
			continue
		}
		if _, err := c.at(m.name).Heal(c.context()); err != nil {
			c.t.Fatalf("heal %s: %v", m.name, err)
		}
	}
}

// context ends with the cluster.
func (c *cluster) context() context.Context { return c.root.Context() }

// step runs a part of a test on the cluster as a subtest. The processes that it
// starts live on. After a failure the cluster is in no known state, so the rest
// is left out.
func (c *cluster) step(name string, do func()) {
	if c.root.Failed() {
		return
	}
	c.root.Run(name, func(t *testing.T) {
		c.t = t
		defer func() { c.t = c.root }()
		defer func() {
			if t.Failed() {
				c.showLogs()
			}
		}()
		do()
	})
}

// shownLog is how much of a process's log a failure shows, in bytes.
const shownLog = 6000

// showLogs prints the ends of all logs.
func (c *cluster) showLogs() {
	for _, m := range c.members {
		if p := c.running[m.name]; p != nil {
			text := p.printed()
			c.t.Logf("log of %s:\n%s", m.name, text[max(0, len(text)-shownLog):])
		}
	}
}
