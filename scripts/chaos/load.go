package chaos

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/syncline/syncline/client"
	"github.com/syncline/syncline/scripts/chaos/history"
)

// Kinds of loads.
const (
	loadLedger  = "ledger"  // each client writes, reads and deletes keys of its own
	loadShared  = "shared"  // all write the same few keys, blindly
	loadAppend  = "append"  // all append to the same few lists, with If-Match
	loadSession = "session" // clients move between nodes with their sessions
	loadCounter = "counter" // each client counts up a counter of its own
	loadSum     = "sum"     // all add to the same few numbers, which a merge adds up
	loadMembers = "members" // each client writes members of its own, of the same few documents
)

func loadKinds() []string {
	return []string{loadLedger, loadShared, loadAppend, loadSession, loadCounter, loadSum, loadMembers}
}

// sessionPrefix begins the names of clients that carry a session.
const sessionPrefix = "session-"

// load is a group of background clients.
type load struct {
	number     int
	kind       string
	collection string
	nodes      []string
	clients    int           // at each node
	every      time.Duration // between two operations of one client
	keys       int           // of those that are shared
	deletes    float64       // share of the writes
	reads      float64       // share of the operations
	enough     int           // acknowledged writes below which it proves nothing

	acked, refused, unknown atomic.Int64
	stop                    context.CancelFunc // nil: it has ended
	group                   sync.WaitGroup
}

// start runs the clients.
func (l *load) start(r *run) {
	ctx, cancel := context.WithCancel(r.ctx)
	l.stop = cancel
	for _, node := range l.nodes {
		for i := range l.clients {
			c := l.newWorker(r, node, i)
			l.group.Go(func() { c.work(ctx) })
		}
	}
}

// end stops the clients and waits for the operations under way.
func (l *load) end() {
	l.stop()
	l.group.Wait()
	l.stop = nil
}

// worker is one client of a load.
type worker struct {
	r      *run
	load   *load
	name   string
	node   string
	random *rand.Rand
	n      int            // writes so far
	keys   []string       // of its own, that exist for certain
	token  string         // its session
	counts map[string]int // versions of its own keys
	others []string       // names of all clients of the load
}

func (l *load) newWorker(r *run, node string, i int) *worker {
	name := func(node string, i int) string {
		prefix := "load"
		if l.kind == loadSession {
			prefix = "session"
		}
		return fmt.Sprintf("%s-%d-%s%d", prefix, l.number, node, i)
	}
	w := &worker{r: r, load: l, name: name(node, i), node: node, counts: map[string]int{}}
	for _, n := range l.nodes {
		for j := range l.clients {
			w.others = append(w.others, name(n, j))
		}
	}
	h := fnv.New64a()
	fmt.Fprint(h, w.name)
	w.random = rand.New(rand.NewPCG(r.cfg.Seed, h.Sum64()))
	return w
}

// work does one operation after the other at the load's pace. What is behind is
// not made up for: a node that stands still is not flooded afterwards.
func (w *worker) work(ctx context.Context) {
	act := map[string]func(context.Context){
		loadLedger: w.ledger, loadShared: w.shared, loadAppend: w.append, loadSession: w.session, loadCounter: w.counter,
		loadSum: w.sum, loadMembers: w.member,
	}[w.load.kind]
	tick := time.NewTicker(w.load.every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if ctx.Err() != nil {
			return // both were there after a long operation, and either may be taken
		}
		// An operation that has begun is carried to its end: a context that ends
		// in the middle would make it unknown for no reason.
		act(context.WithoutCancel(ctx))
	}
}

// write carries out one write of the load.
func (w *worker) write(ctx context.Context, o op) (*client.Written, string) {
	o.client, o.node = w.name, w.node
	written, err := w.r.write(ctx, o)
	outcome, _ := outcomeOf(err)
	w.load.tally(outcome)
	return written, outcome
}

func (w *worker) key(id string) string { return w.load.collection + "/" + id }

// body is the body of the client's next write.
func (w *worker) body() string {
	w.n++
	return fmt.Sprintf(`{"by":%q,"n":%d}`, w.name, w.n)
}

// maxOwn is how many keys a client remembers.
const maxOwn = 200

// ledger reads, writes or deletes a key of the client's own. A key whose outcome
// is unknown is left alone.
func (w *worker) ledger(ctx context.Context) {
	pick := func() int { return w.random.IntN(len(w.keys)) }
	draw := w.random.Float64()
	switch {
	case len(w.keys) > 0 && draw < w.load.reads:
		_, _ = w.r.read(ctx, op{client: w.name, node: w.node, key: w.keys[pick()]}) // the history has what came of it
	case len(w.keys) > 0 && draw < w.load.reads+(1-w.load.reads)*w.load.deletes:
		i := pick()
		_, outcome := w.write(ctx, op{kind: history.OpDelete, key: w.keys[i]})
		if outcome != history.Refused {
			w.keys = slices.Delete(w.keys, i, i+1)
		}
	default:
		body := w.body()
		key := w.key(fmt.Sprintf("%s-%d", w.name, w.n))
		_, outcome := w.write(ctx, op{kind: history.OpPut, key: key, value: body})
		if outcome == history.OK && len(w.keys) < maxOwn {
			w.keys = append(w.keys, key)
		}
	}
}

// shared writes one of the keys that all write, or deletes it.
func (w *worker) shared(ctx context.Context) {
	key := w.key(fmt.Sprintf("shared-%d", w.random.IntN(w.load.keys)))
	if draw := w.random.Float64(); draw < w.load.deletes {
		w.write(ctx, op{kind: history.OpDelete, key: key})
		return
	}
	w.write(ctx, op{kind: history.OpPut, key: key, value: w.body()})
}

// append reads a list and puts it back with one element more, if nobody else
// did meanwhile.
func (w *worker) append(ctx context.Context) {
	key := w.key(fmt.Sprintf("list-%d", w.random.IntN(w.load.keys)))
	d, err := w.r.read(ctx, op{client: w.name, node: w.node, key: key})
	var body struct {
		List []string `json:"list"`
	}
	var guard client.PutOptions
	switch {
	case err == nil && json.Unmarshal(d.Doc, &body) == nil:
		guard.IfMatch = d.ETag
	case client.Absent(err):
		guard.IfNoneMatch = true
	default:
		return
	}
	w.n++
	element := fmt.Sprintf("%s.%d", w.name, w.n)
	body.List = append(body.List, element)
	text, err := json.Marshal(body)
	if err != nil {
		return // a list of texts can always be written
	}
	w.write(ctx, op{kind: history.OpAppend, key: key, value: element, body: string(text), guard: guard})
}

// session moves to some node, with the session of the one before, and writes the
// next version of a key of its own, or reads one of anybody's.
func (w *worker) session(ctx context.Context) {
	w.node = w.load.nodes[w.random.IntN(len(w.load.nodes))]
	guard := client.PutOptions{Session: w.token}
	if w.random.IntN(2) == 0 {
		whose := w.others[w.random.IntN(len(w.others))]
		key := w.key(fmt.Sprintf("%s.%d", whose, w.random.IntN(2)))
		d, err := w.r.read(ctx, op{client: w.name, node: w.node, key: key, guard: guard})
		if err == nil && d.Session != "" {
			w.token = d.Session
		}
		return
	}
	key := w.key(fmt.Sprintf("%s.%d", w.name, w.random.IntN(2)))
	if w.counts[key] < 0 {
		return // nobody knows its last version
	}
	written, outcome := w.write(ctx, op{kind: history.OpPut, key: key, value: fmt.Sprintf(`{"n":%d}`, w.counts[key]+1), guard: guard})
	switch {
	case outcome == history.Unknown:
		w.counts[key] = -1
	case outcome == history.OK:
		w.counts[key]++
		w.token = cmp.Or(written.Session, w.token)
	}
}

// counter counts up a counter of the client's own.
func (w *worker) counter(ctx context.Context) {
	key := w.key(w.name)
	if w.n == 0 {
		if _, outcome := w.write(ctx, op{kind: history.OpPut, key: key, value: `{"total":0}`}); outcome == history.OK {
			w.n = 1
		}
		return
	}
	w.n++
	amount := w.random.IntN(9) + 1
	ops := client.Ops{Inc: map[string]json.Number{"/total": json.Number(fmt.Sprint(amount))}}
	w.write(ctx, op{kind: history.OpInc, key: key, value: fmt.Sprint(amount), ops: &ops})
}
