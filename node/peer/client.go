package peer

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Limits of the client.
const (
	// dialTimeout bounds the opening of a connection, handshake included. It
	// goes on when the call that wanted it has given up, for the next one.
	dialTimeout = 3 * time.Second
	// clientIdle is how long an unused connection is kept.
	clientIdle = 30 * time.Second
	// streamHeaderTimeout bounds the wait for the head of a stream's reply.
	streamHeaderTimeout = 15 * time.Second
	// streamBuffer is the read buffer of a stream's connection, in bytes.
	streamBuffer = 64 << 10
)

// Network opens connections to peers: the link layer.
type Network interface {
	Dial(ctx context.Context, peer, network, addr string) (net.Conn, error)
}

// ClientConfig is what a Client needs. Credentials, Roster and Network must be
// set.
type ClientConfig struct {
	Credentials *Credentials
	Roster      Roster
	Network     Network
	// Refused is told of refusals, by us or by the peer, at a bounded rate;
	// nil is nobody.
	Refused func(Refusal)
	// Now is the clock of that rate; nil is time.Now.
	Now func() time.Time
}

// Client asks peers. Its methods are safe for use by many goroutines. Errors
// are *RefusedError, *StatusError, those of the link, or those of the context.
type Client struct {
	cfg    ClientConfig
	report *reporter
	ctx    context.Context // ends with Close
	cancel context.CancelFunc

	mu         sync.Mutex
	transports map[transportKey]*http.Transport
}

// class keeps the connections for one use apart from those for another.
type class int

const (
	forBallots class = iota
	forData
)

type transportKey struct {
	peer string
	class
}

// StatusError is an answer that says no.
type StatusError struct {
	Peer   string
	Path   string
	Status int
	Reason string // its words, at most 512 bytes
}

// Error implements error.
func (e *StatusError) Error() string {
	return fmt.Sprintf("%s: %s answered %d: %s", e.Peer, e.Path, e.Status, e.Reason)
}

// NewClient makes a client. Close ends it.
func NewClient(cfg ClientConfig) (*Client, error) {
	if cfg.Credentials == nil || cfg.Roster == nil || cfg.Network == nil {
		return nil, errors.New("peer: ClientConfig.Credentials, Roster and Network must be set")
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &Client{
		cfg: cfg, report: newReporter(cfg.Now, cfg.Refused),
		ctx: ctx, cancel: cancel, transports: map[transportKey]*http.Transport{},
	}, nil
}

// Close breaks off all calls and streams and closes all connections.
func (c *Client) Close() error {
	c.cancel()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range c.transports {
		t.CloseIdleConnections()
	}
	return nil
}

// Ballot asks a peer on the connections for ballots and returns its answer, at
// most maxReply bytes. The deadline of ctx is the only one. When a kept
// connection turns out to have ended, the ballot is sent again on a fresh one:
// the peer may see it twice, as it may with Call and Stream.
func (c *Client) Ballot(ctx context.Context, peer, path string, body []byte, maxReply int) ([]byte, error) {
	return c.ask(ctx, question{peer, path, body, forBallots}, maxReply)
}

// Call is Ballot on the connections for data.
func (c *Client) Call(ctx context.Context, peer, path string, body []byte, maxReply int) ([]byte, error) {
	return c.ask(ctx, question{peer, path, body, forData}, maxReply)
}

// Stream asks a peer and returns its answer as it comes. It ends with ctx; the
// caller closes it.
func (c *Client) Stream(ctx context.Context, peer, path string, body []byte) (io.ReadCloser, error) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(c.ctx, cancel)
	end := func() { stop(); cancel() }
	reply, err := c.send(ctx, question{peer, path, body, forData})
	if err != nil {
		end()
		return nil, err
	}
	return &stream{ReadCloser: reply, end: end}, nil
}

type stream struct {
	io.ReadCloser
	end func()
}

// Close ends the stream and its connection.
func (s *stream) Close() error {
	s.end()
	return s.ReadCloser.Close()
}

type question struct {
	peer, path string
	body       []byte
	class      class
}

func (c *Client) ask(ctx context.Context, q question, maxReply int) ([]byte, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.ctx, cancel)()
	body, err := c.send(ctx, q)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	reply, err := io.ReadAll(io.LimitReader(body, int64(maxReply)+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %s: %w", q.peer, q.path, err)
	case len(reply) > maxReply:
		return nil, fmt.Errorf("%s: %s: the answer is longer than %d bytes", q.peer, q.path, maxReply)
	}
	return reply, nil
}

// send posts a question and returns the body of the reply when its status is 200.
func (c *Client) send(ctx context.Context, q question) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+q.peer+q.path, bytes.NewReader(q.body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/cbor")
	req.Header["Idempotency-Key"] = nil // not sent: allows net/http to repeat it on a fresh connection
	// RoundTrip, not http.Client: nothing follows a redirect.
	resp, err := c.transport(transportKey{q.peer, q.class}).RoundTrip(req)
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", q.peer, q.path, err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	return nil, c.failure(q, resp)
}

// failure reads what a peer says about its no.
func (c *Client) failure(q question, resp *http.Response) error {
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxReason))
	if err != nil {
		return fmt.Errorf("%s: %s answered %d: %w", q.peer, q.path, resp.StatusCode, err)
	}
	words := strings.Map(printable, strings.ToValidUTF8(strings.TrimSpace(string(text)), "?"))
	reason := resp.Header.Get(refusedHeader)
	if resp.StatusCode != http.StatusForbidden || reason == "" {
		return &StatusError{Peer: q.peer, Path: q.path, Status: resp.StatusCode, Reason: words}
	}
	refusal := &RefusedError{Peer: q.peer, Reason: Reason(reason), Detail: "it says of us: " + words}
	member, _ := c.cfg.Roster(q.peer)
	c.refused(q.peer, member.Addr, refusal)
	return refusal
}

// printable keeps what a peer says on one line of a log.
func printable(r rune) rune {
	if r < ' ' || r == 0x7f {
		return ' '
	}
	return r
}

func (c *Client) refused(peer, remote string, why *RefusedError) {
	c.report.refused(Refusal{Remote: remote, Peer: peer, Reason: why.Reason, Detail: why.Detail})
}

// transport returns the connections for one use with one peer.
func (c *Client) transport(key transportKey) *http.Transport {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.transports[key]
	if t == nil {
		t = &http.Transport{
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return c.connect(ctx, key.peer, network)
			},
			MaxIdleConns:           1,
			MaxIdleConnsPerHost:    1,
			IdleConnTimeout:        clientIdle,
			MaxResponseHeaderBytes: maxHeader,
			DisableCompression:     true,
		}
		if key.class == forData {
			t.ResponseHeaderTimeout = streamHeaderTimeout
			t.ReadBufferSize = streamBuffer
		}
		c.transports[key] = t
	}
	return t
}

// connect opens a connection and proves both ends. The address is the roster's
// at this moment.
func (c *Client) connect(ctx context.Context, peer, network string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	defer context.AfterFunc(c.ctx, cancel)()
	member, ok := c.cfg.Roster(peer)
	if !ok {
		return nil, &RefusedError{Peer: peer, Reason: NotInRoster, Detail: "our roster has no such member"}
	}
	raw, err := c.cfg.Network.Dial(ctx, peer, network, member.Addr)
	if err != nil {
		return nil, err
	}
	conn := tls.Client(raw, c.cfg.Credentials.clientTLS(peer))
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("handshake with %s: %w", member.Addr, err), raw.Close())
	}
	if refusal := c.check(conn.ConnectionState(), peer); refusal != nil {
		refusal.Peer = peer
		c.refused(peer, member.Addr, refusal)
		_ = conn.Close() // the refusal is the error
		return nil, refusal
	}
	return conn, nil
}

// check says why the process that was reached is not the one that was wanted,
// or nil.
func (c *Client) check(state tls.ConnectionState, wanted string) *RefusedError {
	id, err := c.cfg.Credentials.identify(state, x509.ExtKeyUsageServerAuth)
	if err == nil {
		if id.Name != wanted {
			return &RefusedError{Reason: WrongName, Detail: fmt.Sprintf("the process at its address is %s, not %s: check the roster's addresses", id.Name, wanted)}
		}
		err = c.cfg.Roster.judge(id)
	}
	refusal, _ := errors.AsType[*RefusedError](err)
	return refusal
}
