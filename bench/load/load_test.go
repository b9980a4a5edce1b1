package load

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// recorder counts what reaches a server.
type recorder struct {
	mu   sync.Mutex
	seen map[string]int // requests by method and path
	bad  []string
}

func (r *recorder) note(req *http.Request) {
	body, err := io.ReadAll(req.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen[req.Method+" "+req.URL.Path]++
	switch {
	case err != nil:
		r.bad = append(r.bad, err.Error())
	case req.Method == http.MethodPut && (len(body) != DefaultSize || !json.Valid(body)):
		r.bad = append(r.bad, fmt.Sprintf("%d bytes: %s", len(body), body))
	}
}

func start(t *testing.T, answer http.HandlerFunc) (*recorder, string) {
	t.Helper()
	r := &recorder{seen: map[string]int{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.note(req)
		answer(w, req)
	}))
	t.Cleanup(server.Close)
	return r, server.URL
}

func run(t *testing.T, cfg Config) Result {
	t.Helper()
	result, err := Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// TestEachKeyOnce: what is loaded before a measurement must be complete, and
// spread over all targets.
func TestEachKeyOnce(t *testing.T) {
	t.Parallel()
	ok := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) }
	first, urlA := start(t, ok)
	second, urlB := start(t, ok)
	result := run(t, Config{Targets: []string{urlA, urlB}, Clients: 4, Method: http.MethodPut, Collection: "c", Keys: Keys{First: 10, Count: 500}})
	if result.OK != 500 || result.Refused+result.Failed != 0 || result.Percentile(50) <= 0 || result.Percentile(50) > result.Percentile(99) {
		t.Errorf("result: %v", result)
	}
	if len(first.seen) == 0 || len(second.seen) == 0 || len(first.bad)+len(second.bad) != 0 {
		t.Errorf("%d and %d requests, bad: %q %q", len(first.seen), len(second.seen), first.bad, second.bad)
	}
	for n := range 500 {
		key := fmt.Sprintf("PUT /v1/docs/c/d%09d", n+10)
		if count := first.seen[key] + second.seen[key]; count != 1 {
			t.Errorf("%s: %d times", key, count)
		}
	}
}

func TestRandomForATime(t *testing.T) {
	t.Parallel()
	r, url := start(t, func(http.ResponseWriter, *http.Request) {})
	result := run(t, Config{Targets: []string{url}, Clients: 2, Method: http.MethodGet, Collection: "c", Keys: Keys{Count: 3, Random: true}, Duration: 50 * time.Millisecond})
	total := 0
	for key, count := range r.seen {
		if !strings.HasPrefix(key, "GET /v1/docs/c/d00000000") {
			t.Errorf("unexpected %s", key)
		}
		total += count
	}
	if result.OK == 0 || total != result.OK || len(r.seen) > 3 || result.Elapsed < 50*time.Millisecond {
		t.Errorf("%d requests, result %v", total, result)
	}
}

func TestRandomForANumber(t *testing.T) {
	t.Parallel()
	r, url := start(t, func(http.ResponseWriter, *http.Request) {})
	result := run(t, Config{Targets: []string{url}, Clients: 3, Method: http.MethodGet, Collection: "c", Keys: Keys{First: 5, Count: 10, Random: true}, Requests: 300})
	if result.OK != 300 || len(r.seen) != 10 {
		t.Errorf("%d of 10 keys, result %v", len(r.seen), result)
	}
}

// TestCounts: every request that was begun is counted once, as what it was.
func TestCounts(t *testing.T) {
	t.Parallel()
	_, url := start(t, func(w http.ResponseWriter, req *http.Request) {
		switch req.URL.Path[len(req.URL.Path)-1] {
		case '0':
			w.WriteHeader(http.StatusServiceUnavailable)
		case '1':
			w.WriteHeader(http.StatusConflict)
		case '2':
			panic(http.ErrAbortHandler) // a broken connection
		}
	})
	result := run(t, Config{Targets: []string{url}, Clients: 3, Method: http.MethodPut, Collection: "c", Keys: Keys{Count: 100}})
	if result.OK != 70 || result.Refused != 10 || result.Failed != 20 || result.Failure == "" {
		t.Errorf("result: %v", result)
	}
}

// TestAnswers walks the ways in which a server may frame an answer.
func TestAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, answer string
		ok           bool
		cut          bool // the server closes the connection behind it
	}{
		{"length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", true, false},
		{"lower case", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", true, false},
		{"nothing", "HTTP/1.1 204 No Content\r\n\r\n", true, false},
		{"chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA;x=y\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n", true, false},
		{"close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx", true, false},
		{"other status", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", false, false},
		{"no length", "HTTP/1.1 200 OK\r\n\r\nhello", false, false},
		{"length below 0", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", false, false},
		{"not HTTP", "SSH-2.0-nothing\r\n", false, false},
		{"cut in the header", "HTTP/1.1 200 OK\r\nContent-Len", false, true},
		{"cut in the body", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", false, true},
		{"chunk of wrong length", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhello\r\n0\r\n\r\n", false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			result := run(t, Config{Targets: []string{"http://" + speak(t, c.answer, c.cut)}, Clients: 1, Method: http.MethodGet, Collection: "c", Keys: Keys{Count: 3}})
			if want := map[bool]int{true: 3, false: 0}[c.ok]; result.OK != want || result.OK+result.Failed != 3 {
				t.Errorf("result: %v", result)
			}
		})
	}
}

// speak answers every request with the same bytes, and closes the connection
// behind them where cut says so. It returns its address.
func speak(t *testing.T, answer string, cut bool) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serveAnswers(conn, answer, cut)
		}
	}()
	t.Cleanup(func() {
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
		<-ended
	})
	return listener.Addr().String()
}

func serveAnswers(conn net.Conn, answer string, cut bool) {
	defer conn.Close()
	request := make([]byte, 4096)
	for {
		if _, err := conn.Read(request); err != nil {
			return
		}
		if _, err := io.WriteString(conn, answer); err != nil || cut {
			return
		}
	}
}

func TestConfigRefused(t *testing.T) {
	t.Parallel()
	good := Config{Targets: []string{"http://127.0.0.1:1"}, Method: http.MethodPut, Collection: "c", Keys: Keys{Count: 1}}
	for name, change := range map[string]func(*Config){
		"no target":      func(c *Config) { c.Targets = nil },
		"no base URL":    func(c *Config) { c.Targets = []string{"127.0.0.1"} },
		"method":         func(c *Config) { c.Method = http.MethodDelete },
		"size":           func(c *Config) { c.Size = MinSize - 1 },
		"random of none": func(c *Config) { c.Keys = Keys{Random: true}; c.Duration = time.Second },
		"no end":         func(c *Config) { c.Keys = Keys{} },
		"endless random": func(c *Config) { c.Keys = Keys{Count: 1, Random: true} },
	} {
		cfg := good
		change(&cfg)
		if _, err := Run(t.Context(), cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if result, err := Run(t.Context(), good); err != nil || result.Failed != 1 {
		t.Errorf("nobody listens: %v, %v", result, err)
	}
}
