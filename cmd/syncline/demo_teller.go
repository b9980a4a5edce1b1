package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/syncline/syncline/client"
)

const (
	// shownValue is how much of a long header is shown, in characters.
	shownValue = 56

	// keptBody is how much of an answer is kept to be shown, in bytes.
	keptBody = 64 << 10

	// pollEvery is how often the demo looks whether something has come true.
	pollEvery = 10 * time.Millisecond
)

// teller tells the story of a demo, and keeps what did not hold.
type teller struct {
	out    io.Writer
	colour bool
	claims int
	broken []string // claims that did not hold
}

// chapter begins a part of the story.
func (t *teller) chapter(format string, args ...any) {
	fmt.Fprintf(t.out, "\n%s\n", paint(fmt.Sprintf(format, args...), strong, t.colour))
}

// say tells something that is no claim.
func (t *teller) say(format string, args ...any) {
	fmt.Fprintf(t.out, "  %s\n", fmt.Sprintf(format, args...))
}

// claim tells something that must be true.
func (t *teller) claim(holds bool, format string, args ...any) {
	t.claims++
	claim := fmt.Sprintf(format, args...)
	if holds {
		fmt.Fprintf(t.out, "  %s %s\n", paint("✓", good, t.colour), claim)
		return
	}
	t.broken = append(t.broken, claim)
	fmt.Fprintf(t.out, "  %s %s\n", paint("✗ NOT TRUE:", bad, t.colour), claim)
}

// verdict ends the story: an error when a claim did not hold.
func (t *teller) verdict() error {
	if len(t.broken) == 0 {
		fmt.Fprintf(t.out, "\n%s\n", paint(fmt.Sprintf("All %d claims held.", t.claims), good, t.colour))
		return nil
	}
	return fmt.Errorf("%d of %d claims did not hold:\n  %s", len(t.broken), t.claims, strings.Join(t.broken, "\n  "))
}

// exchange is one request and its answer, as they went over the wire.
type exchange struct {
	method, url string
	asked       http.Header
	sent        []byte
	status      string
	answered    http.Header
	body        []byte
}

// recorder keeps the last exchange of a client, so that the story shows real
// answers.
type recorder struct {
	next http.RoundTripper
	mu   sync.Mutex
	last exchange
}

// RoundTrip implements http.RoundTripper.
func (r *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	x := exchange{method: request.Method, url: request.URL.String(), asked: request.Header.Clone()}
	if request.GetBody != nil {
		body, err := request.GetBody()
		if err != nil {
			return nil, err
		}
		if x.sent, err = io.ReadAll(io.LimitReader(body, keptBody)); err != nil {
			return nil, err
		}
	}
	response, err := r.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	x.status, x.answered = response.Proto+" "+response.Status, response.Header
	x.body, err = io.ReadAll(io.LimitReader(response.Body, keptBody))
	if err != nil {
		return nil, errors.Join(err, response.Body.Close())
	}
	response.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(x.body), response.Body), response.Body}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = x
	return response, nil
}

// shownHeaders are the headers of an answer that the story shows, if they are
// there.
func shownHeaders() []string {
	return []string{"Node", "Write-State", "Retry-After", "Replication-Lag", "ETag", "Conflict-Count", "Link", "Causal-Context"}
}

// show tells the last exchange: the request as curl, the answer as it came.
func (t *teller) show(r *recorder) {
	r.mu.Lock()
	x := r.last
	r.mu.Unlock()
	command := "curl -i"
	if x.method != http.MethodGet {
		command += " -X " + x.method
	}
	command += " " + x.url
	if token := x.asked.Get("Causal-Context"); token != "" {
		command += " -H 'Causal-Context: " + clip(token, shownValue) + "'"
	}
	if len(x.sent) > 0 {
		command += " -d '" + string(x.sent) + "'"
	}
	fmt.Fprintf(t.out, "  %s\n", paint("$ "+printable(command), strong, t.colour))
	fmt.Fprintf(t.out, "    %s\n", x.status)
	for _, name := range shownHeaders() {
		value := x.answered.Get(name)
		if value == "" || name == "Conflict-Count" && value == "0" {
			continue
		}
		fmt.Fprintf(t.out, "    %s\n", paint(printable(name+": "+clip(value, shownValue)), faint, t.colour))
	}
	for line := range strings.Lines(readable(x.body)) {
		fmt.Fprintf(t.out, "    %s\n", printable(strings.TrimRight(line, "\n")))
	}
}

// readable spreads a long JSON text over lines, and leaves a short one as it
// came.
func readable(body []byte) string {
	text := strings.TrimSpace(string(body))
	if len(text) <= 100 {
		return text
	}
	var spread bytes.Buffer
	if err := json.Indent(&spread, body, "", "  "); err != nil {
		return text
	}
	return strings.TrimSpace(spread.String())
}

// inTurn runs chapters until one fails.
func inTurn(ctx context.Context, chapters ...func(context.Context) error) error {
	for _, chapter := range chapters {
		if err := chapter(ctx); err != nil {
			return err
		}
	}
	return nil
}

// eventually waits until a condition holds, for a limited time. It returns
// whether it came true; the error is that of a context that ended.
func eventually(ctx context.Context, within time.Duration, holds func() bool) (bool, error) {
	deadline := time.Now().Add(within)
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		if holds() {
			return true, nil
		}
		if time.Now().After(deadline) {
			return false, nil
		}
		select {
		case <-ctx.Done():
			return false, context.Cause(ctx)
		case <-ticker.C:
		}
	}
}

// storyNode is a data node of a demo.
type storyNode struct {
	name   string
	url    string
	client *client.Client // asks this node alone, without a session
	wire   *recorder      // what it was asked last, and answered
}

// storyTimeout is how long one answer may take in a demo.
const storyTimeout = 10 * time.Second

func newStoryNode(name, url string) (*storyNode, error) {
	wire := &recorder{next: http.DefaultTransport}
	c, err := client.New(client.Config{Nodes: []string{url}, Pinned: true, NoSession: true, Timeout: storyTimeout, Transport: wire})
	return &storyNode{name: name, url: url, client: c, wire: wire}, err
}

// state is what the node says of itself; nil when it does not answer.
func (n *storyNode) state(ctx context.Context) *client.Cluster {
	c, err := n.client.Cluster(ctx)
	if err != nil {
		return nil
	}
	return c
}

// settled says whether a node is writable with all votes of the roster.
func settled(c *client.Cluster) bool {
	return c != nil && c.Write.State == stateWritable && c.Write.Votes.Have == c.Write.Votes.Of
}
