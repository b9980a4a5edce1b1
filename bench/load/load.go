package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// DefaultClients is the number of clients of the published figures.
	DefaultClients = 64
	// DefaultSize is the size in bytes of a document of the published figures.
	DefaultSize = 256
	// MinSize is the smallest document, in bytes: room for what makes it unique.
	MinSize = 48
)

// Keys says which ids the load uses: "d" and nine digits.
type Keys struct {
	First  int  // the lowest number
	Count  int  // how many there are; 0 with Random false: no end
	Random bool // each request picks one; otherwise each id is used once, in order
}

// Config is one run. It ends after Duration, after so many Requests or, without
// Random, when the keys are used up, whichever comes first; one must be set.
type Config struct {
	Targets    []string      // base URLs such as http://127.0.0.1:7401; client i uses the one at i modulo their number
	Clients    int           // connections; 0 means DefaultClients
	Method     string        // PUT or GET
	Collection string        // name of the collection
	Keys       Keys          // which documents
	Size       int           // bytes of a document; 0 means DefaultSize
	Duration   time.Duration // 0 means no limit
	Requests   int           // of all clients together; 0 means no limit
	Seed       uint64        // of the random choice
}

// Result is what came back.
type Result struct {
	OK, Refused, Failed int
	Failure             string        // the first failure or refusal, "" when there was none
	Elapsed             time.Duration // from the first request to the last answer
	latencies           []time.Duration
}

// PerSecond is the number of ok answers in a second.
func (r Result) PerSecond() float64 {
	if r.Elapsed <= 0 {
		return 0
	}
	return float64(r.OK) / r.Elapsed.Seconds()
}

// Percentile is the latency that p percent of the ok answers did not pass; 0
// when there were none.
func (r Result) Percentile(p float64) time.Duration {
	if len(r.latencies) == 0 {
		return 0
	}
	i := int(p / 100 * float64(len(r.latencies)))
	return r.latencies[min(i, len(r.latencies)-1)]
}

func (r Result) String() string {
	s := fmt.Sprintf("%.0f/s ok, %d refused, %d failed, p50 %s p95 %s p99 %s", r.PerSecond(), r.Refused, r.Failed,
		r.Percentile(50).Round(time.Microsecond), r.Percentile(95).Round(time.Microsecond), r.Percentile(99).Round(time.Microsecond))
	if r.Failure != "" {
		s += ", first: " + r.Failure
	}
	return s
}

// Run puts the load on and waits for its end. Refusals and failures are in the
// result; the error is for a configuration that makes no sense, or a context
// that ended.
func Run(ctx context.Context, cfg Config) (Result, error) {
	if cfg.Clients == 0 {
		cfg.Clients = DefaultClients
	}
	if cfg.Size == 0 {
		cfg.Size = DefaultSize
	}
	clients, err := newClients(cfg)
	if err != nil {
		return Result{}, err
	}
	work := &work{cfg: cfg}
	var wait sync.WaitGroup
	start := time.Now()
	if cfg.Duration > 0 {
		defer time.AfterFunc(cfg.Duration, func() { work.over.Store(true) }).Stop()
	}
	for _, c := range clients {
		wait.Go(func() { c.run(ctx, work) })
	}
	wait.Wait()
	return collect(clients, time.Since(start)), ctx.Err()
}

// collect adds up what the clients counted.
func collect(clients []*client, elapsed time.Duration) Result {
	sum := Result{Elapsed: elapsed}
	for _, c := range clients {
		sum.OK += len(c.latencies)
		sum.Refused += c.refused
		sum.Failed += c.failed
		sum.latencies = append(sum.latencies, c.latencies...)
		if sum.Failure == "" {
			sum.Failure = c.failure
		}
	}
	slices.Sort(sum.latencies)
	return sum
}

// work hands out the keys of one run to its clients.
type work struct {
	cfg  Config
	used atomic.Int64 // keys handed out
	over atomic.Bool  // the time is up
}

// next is the number of the next document, or false at the end of the run. One
// is handed out however late the first client comes: a run has a request.
func (w *work) next(random *rand.Rand) (int, bool) {
	n, keys := int(w.used.Add(1))-1, w.cfg.Keys
	switch {
	case n > 0 && w.over.Load():
		return 0, false
	case w.cfg.Requests > 0 && n >= w.cfg.Requests:
		return 0, false
	case keys.Random:
		return keys.First + random.IntN(keys.Count), true
	default:
		return keys.First + n, keys.Count == 0 || n < keys.Count
	}
}

// client is one goroutine with one connection. Its counters are its own until
// it has ended.
type client struct {
	connection connection
	random     *rand.Rand
	request    []byte // the whole request; id and stamp are overwritten each time
	id, stamp  []byte // places within request

	latencies       []time.Duration
	refused, failed int
	failure         string
}

const digits = 9 // of an id, and of a stamp

func newClients(cfg Config) ([]*client, error) {
	switch {
	case len(cfg.Targets) == 0:
		return nil, errors.New("load: no target")
	case cfg.Method != http.MethodPut && cfg.Method != http.MethodGet:
		return nil, fmt.Errorf("load: method %q is not GET or PUT", cfg.Method)
	case cfg.Size < MinSize:
		return nil, fmt.Errorf("load: a document of %d bytes is too small, %d are the least", cfg.Size, MinSize)
	case cfg.Keys.Random && cfg.Keys.Count <= 0:
		return nil, errors.New("load: random keys need a count")
	case cfg.Duration <= 0 && cfg.Requests <= 0 && (cfg.Keys.Random || cfg.Keys.Count == 0):
		return nil, errors.New("load: neither a duration nor a number ends the run")
	}
	clients := make([]*client, cfg.Clients)
	for i := range clients {
		target, err := url.Parse(cfg.Targets[i%len(cfg.Targets)])
		if err != nil || target.Host == "" {
			return nil, fmt.Errorf("load: target %q is not a base URL", cfg.Targets[i%len(cfg.Targets)])
		}
		clients[i] = &client{
			connection: connection{address: target.Host},
			random:     rand.New(rand.NewPCG(cfg.Seed, uint64(i))),
		}
		clients[i].prepare(cfg, i, target.Host)
	}
	return clients, nil
}

// prepare lays the request out once.
func (c *client) prepare(cfg Config, number int, host string) {
	zeros := "000000000"[:digits]
	head := fmt.Sprintf("%s /v1/docs/%s/d%s HTTP/1.1\r\nHost: %s\r\n", cfg.Method, cfg.Collection, zeros, host)
	at := len(cfg.Method) + len(" /v1/docs/") + len(cfg.Collection) + len("/d")
	stampAt := 0
	if cfg.Method == http.MethodPut {
		body := fmt.Sprintf(`{"client":%d,"op":"%s","pad":"`, number, zeros)
		head += fmt.Sprintf("Content-Type: application/json\r\nContent-Length: %d\r\n", cfg.Size)
		stampAt = len(head) + len("\r\n") + len(fmt.Sprintf(`{"client":%d,"op":"`, number))
		pad := make([]byte, cfg.Size-len(body)-len(`"}`))
		for i := range pad {
			pad[i] = 'x'
		}
		head += "\r\n" + body + string(pad) + `"}`
	} else {
		head += "\r\n"
	}
	c.request = []byte(head)
	c.id = c.request[at : at+digits]
	if stampAt > 0 {
		c.stamp = c.request[stampAt : stampAt+digits]
	}
}

// run sends request after request until the work is done.
func (c *client) run(ctx context.Context, w *work) {
	defer c.connection.Close()
	for op := 0; ; op++ {
		n, more := w.next(c.random)
		if !more || ctx.Err() != nil {
			return
		}
		writeDigits(c.id, n)
		writeDigits(c.stamp, op)
		start := time.Now()
		status, err := c.connection.roundTrip(ctx, start, c.request)
		switch {
		case err == nil && status >= 200 && status <= 299:
			c.latencies = append(c.latencies, time.Since(start))
			continue
		case err == nil && status == http.StatusServiceUnavailable:
			c.refused++
		default:
			c.failed++
		}
		if c.failure == "" {
			c.failure = describe(status, err)
		}
	}
}

func describe(status int, err error) string {
	if err != nil {
		return err.Error()
	}
	return strconv.Itoa(status) + " " + http.StatusText(status)
}

// writeDigits writes n in decimal with leading zeros over all of place.
func writeDigits(place []byte, n int) {
	for i := len(place) - 1; i >= 0; i-- {
		place[i] = byte('0' + n%10)
		n /= 10
	}
}
