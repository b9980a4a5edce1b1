package client

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Limits and defaults.
const (
	// MaxReply is the longest answer that is read, in bytes: four documents of
	// the longest that a cluster may allow.
	MaxReply = 64 << 20

	// MaxAttempts is how many nodes one call tries.
	MaxAttempts = 6

	// DefaultTimeout is how long one attempt may take, from the connection to
	// the last byte, beyond what was asked to wait.
	DefaultTimeout = 30 * time.Second

	// DefaultWait is how long a node may wait until it has what the session
	// names.
	DefaultWait = 5 * time.Second

	// MaxWait is the longest that a node waits, as the API has it.
	MaxWait = 60 * time.Second

	// dialTimeout is how long a connection may take to be made.
	dialTimeout = 3 * time.Second

	// idleTimeout is how long an unused connection is kept.
	idleTimeout = 60 * time.Second

	// idlePerNode is how many unused connections to one node are kept.
	idlePerNode = 64
)

// Config says how to reach a cluster.
type Config struct {
	// Nodes are base URLs, such as http://127.0.0.1:7401; "http://" may be left
	// out. At least one; the first is tried first.
	Nodes []string

	// Token is sent as a bearer token; empty means none. It goes to Nodes and to
	// the nodes that they name.
	Token string

	// Timeout is how long one attempt may take; 0 means DefaultTimeout.
	Timeout time.Duration

	// Wait is how long a node may wait for the session, in whole seconds, at
	// most MaxWait; 0 means DefaultWait, below 0 not at all.
	Wait time.Duration

	// NoSession makes each call stand alone.
	NoSession bool

	// Pinned asks the first of Nodes alone, and fails over to nobody.
	Pinned bool

	// RetryUnknown sends a write again, on another node, when nobody knows
	// whether it was applied. It may then have been applied twice.
	RetryUnknown bool

	// Transport makes the requests; nil means one of the client's own.
	Transport http.RoundTripper
}

// Client talks to one cluster. It is safe for use by several goroutines.
type Client struct {
	cfg   Config
	nodes []string // normalized base URLs
	http  *http.Client

	mu      sync.Mutex
	current string // base URL of the node that answered last
	session string // the token that came last; empty at first
}

// New makes a client. It connects to nothing yet.
func New(cfg Config) (*Client, error) {
	if len(cfg.Nodes) == 0 {
		return nil, errors.New("client: Config.Nodes is empty: give the address of at least one node")
	}
	c := &Client{cfg: cfg}
	if cfg.Pinned {
		cfg.Nodes = cfg.Nodes[:1]
	}
	for _, text := range cfg.Nodes {
		base, err := parseBase(text)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(c.nodes, base) {
			c.nodes = append(c.nodes, base)
		}
	}
	c.cfg.Timeout = cmp.Or(cfg.Timeout, DefaultTimeout)
	c.cfg.Wait = max(0, min(cmp.Or(cfg.Wait, DefaultWait), MaxWait))
	if cfg.Transport == nil {
		c.cfg.Transport = newTransport()
	}
	c.http = &http.Client{
		Transport:     c.cfg.Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	c.current = c.nodes[0]
	return c, nil
}

func newTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: dialTimeout}
	return &http.Transport{
		DialContext:         dialer.DialContext,
		TLSHandshakeTimeout: dialTimeout,
		MaxIdleConnsPerHost: idlePerNode,
		IdleConnTimeout:     idleTimeout,
		ForceAttemptHTTP2:   true,
		DisableCompression:  true, // the bytes of a document are counted as they are
	}
}

// parseBase reads the address of a node.
func parseBase(text string) (string, error) {
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.User != nil {
		return "", fmt.Errorf("client: node %q: want an address such as http://127.0.0.1:7401", text)
	}
	return strings.TrimRight(u.Scheme+"://"+u.Host+u.EscapedPath(), "/"), nil
}

// At returns a client for one node alone, over the same connections, with a
// session of its own. It asks what this node says, and fails over to nobody.
func (c *Client) At(node string) (*Client, error) {
	cfg := c.cfg
	cfg.Nodes, cfg.Pinned = []string{node}, true
	cfg.Wait = cmp.Or(cfg.Wait, -1)
	return New(cfg)
}

// Nodes lists the base URLs that the client was made with.
func (c *Client) Nodes() []string { return slices.Clone(c.nodes) }

// Session is the token that came last, empty when none has come. It can be
// handed to another client by SetSession.
func (c *Client) Session() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session
}

// SetSession makes the next call ask for a node that has what the token names.
func (c *Client) SetSession(token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.session = token
}

// Close closes the connections that are not in use.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// heard notes who answered, and the session of the answer: of one that has at
// least what the client's own session names, so that it never goes back.
func (c *Client) heard(a *Reply, follows bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.current = a.URL
	if a.Session != "" && (follows || c.session == "") {
		c.session = a.Session
	}
}

// order lists the nodes to try: the one that answered last, then the others as
// they were given.
func (c *Client) order() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	order := []string{c.current}
	for _, base := range c.nodes {
		if base != c.current {
			order = append(order, base)
		}
	}
	return order
}
