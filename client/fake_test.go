package client

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/syncline/syncline/scripts/ports"
)

// HOUSE habit 11: every goroutine stops with its context. Nothing that a test
// starts, and nothing that the client starts, is left at the end.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a node that answers as API.md says, by a script of the test's.
type fake struct {
	*httptest.Server
	mu   sync.Mutex
	seen []recorded
}

// recorded is a request that a fake has had.
type recorded struct {
	method, path, query, body string
	header                    http.Header
}

// newFake starts a node. Its handler finds the body already read.
func newFake(t *testing.T, name string, handle func(w http.ResponseWriter, r *http.Request, body string)) *fake {
	t.Helper()
	f := &fake{}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		f.mu.Lock()
		f.seen = append(f.seen, recorded{r.Method, r.URL.EscapedPath(), r.URL.RawQuery, string(body), r.Header.Clone()})
		f.mu.Unlock()
		w.Header().Set("Node", name)
		w.Header().Set("Write-State", "writable")
		w.Header().Set("Replication-Lag", "versions=0, seconds=0.0")
		w.Header().Set("Session", "session-"+name)
		handle(w, r, string(body))
	}))
	t.Cleanup(f.Close)
	return f
}

// requests lists what has come so far.
func (f *fake) requests() []recorded {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.seen)
}

// said is a handler that always answers the same.
func said(status int, body string) func(http.ResponseWriter, *http.Request, string) {
	return func(w http.ResponseWriter, _ *http.Request, _ string) { answerWith(w, status, body) }
}

func answerWith(w http.ResponseWriter, status int, body string) {
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// hangUp breaks the connection without an answer.
func hangUp(http.ResponseWriter, *http.Request, string) { panic(http.ErrAbortHandler) }

// written answers a write as API.md's Shapes has it.
func written(w http.ResponseWriter, r *http.Request, _ string) {
	w.Header().Set("ETag", `"a~k3f9x2mz:43"`)
	w.Header().Set("Causal-Context", "ctx-43")
	w.Header().Set("Conflict-Count", "0")
	id := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	answerWith(w, http.StatusOK, `{"id":"`+id+`","dot":"a~k3f9x2mz:43","ack":"local"}`)
}

// refusal is the problem of a node that takes no writes.
func refusal(writable, candidates []string) string {
	type candidate struct {
		Name      string  `json:"name"`
		API       string  `json:"api"`
		LastHeard *string `json:"last_heard"`
	}
	list := []candidate{}
	for _, url := range candidates {
		list = append(list, candidate{Name: "x", API: url})
	}
	if writable == nil {
		writable = []string{}
	}
	return encode(map[string]any{
		"type": "/docs/problems/read_only", "title": "This node cannot accept writes", "status": 503, "code": "read_only",
		"cause": "no_majority", "detail": "b lost a and the witness and has 1 of 3 votes.", "node": "b",
		"votes": map[string]int{"have": 1, "need": 2, "of": 3}, "since": "2026-03-01T14:02:11Z",
		"writable_nodes": writable, "candidates": list, "trace_id": "t1",
	})
}

// problemOf is a problem with a code and nothing special.
func problemOf(status int, code string) string {
	return encode(map[string]any{"title": "A title", "status": status, "code": code, "detail": "some words", "node": "b", "trace_id": "t1"})
}

func encode(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// client makes a client of fakes that closes its connections at the end.
func newTestClient(t *testing.T, cfg Config, nodes ...*fake) *Client {
	t.Helper()
	for _, n := range nodes {
		cfg.Nodes = append(cfg.Nodes, n.URL)
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// nobody is an address at which nothing listens until the test ends.
func nobody(t *testing.T) string {
	t.Helper()
	return "http://" + ports.For(t, 1)[0]
}

func alice() Key { return Key{Collection: "accounts", ID: "alice"} }

func put(t *testing.T, c *Client) (*Written, error) {
	t.Helper()
	return c.Put(context.WithoutCancel(t.Context()), alice(), []byte(`{"balance":20}`), PutOptions{})
}
