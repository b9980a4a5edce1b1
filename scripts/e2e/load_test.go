package e2e

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/syncline/syncline/client"
)

const (
	// workersPerNode is how many clients write at one node at once.
	workersPerNode = 4
	// pace is the shortest time between two writes of one client, at the default
	// lease: a refused one returns at once, and must not fill the ledger.
	pace = 4 * time.Millisecond
	// enough is how many acknowledged writes make a load, below which a test
	// proves nothing.
	enough = 50
)

// load writes unique keys at every data node until it is stopped.
type load struct {
	t      *testing.T
	c      *cluster
	ledger *ledger
	stop   context.CancelFunc
	group  sync.WaitGroup
	acks   map[string]*atomic.Int64 // by node
	errors map[string]*atomic.Int64 // by node
	once   sync.Once
	done   history
}

// newLoad starts a load; name stands in its keys, which no other load writes.
func (c *cluster) newLoad(name string) *load {
	c.t.Helper()
	l := &load{t: c.t, c: c, ledger: newLedger(c.t), acks: map[string]*atomic.Int64{}, errors: map[string]*atomic.Int64{}}
	ctx, cancel := context.WithCancel(c.context())
	l.stop = cancel
	c.t.Cleanup(func() { l.finish() })
	for _, node := range c.data() {
		l.acks[node], l.errors[node] = &atomic.Int64{}, &atomic.Int64{}
		for i := range workersPerNode {
			l.group.Go(func() { l.work(ctx, node, fmt.Sprintf("%s-%s%d", name, node, i)) })
		}
	}
	return l
}

// work is one client: it writes at one node, one key after the other. A write
// that was begun is waited for, so that its outcome is known.
func (l *load) work(ctx context.Context, node, name string) {
	tick := time.NewTicker(pace * l.c.lease / lease)
	defer tick.Stop()
	whole := context.WithoutCancel(ctx)
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		l.write(whole, node, name, n)
	}
}

func (l *load) write(ctx context.Context, node, name string, n int) {
	r := record{Client: name, Op: "put", Key: fmt.Sprintf("%s-%d", name, n), Node: node}
	r.Value = fmt.Sprintf(`{"client":%q,"n":%d}`, name, n)
	r.InvokeNS = l.ledger.since(time.Now())
	w, err := l.c.at(node).Put(ctx, client.Key{Collection: collection, ID: r.Key}, []byte(r.Value), client.PutOptions{})
	r.ReturnNS = l.ledger.since(time.Now())
	r.Outcome, r.Code = outcomeOf(err)
	if err == nil {
		r.Dot = w.Dot
		l.acks[node].Add(1)
	} else {
		l.errors[node].Add(1)
	}
	l.ledger.add(r)
}

// awaitAcks waits until so many more writes were acknowledged at nodes.
func (l *load) awaitAcks(more int64, nodes ...string) {
	l.c.t.Helper()
	goal := map[string]int64{}
	for _, node := range nodes {
		goal[node] = l.acks[node].Load() + more
	}
	for _, node := range nodes {
		await(l.c.t, "acknowledged writes at "+node, func() error {
			if have := l.acks[node].Load(); have < goal[node] {
				return fmt.Errorf("%d of %d", have, goal[node])
			}
			return nil
		})
	}
}

// finish stops the load and returns all that it did.
func (l *load) finish() history {
	l.once.Do(func() {
		l.stop()
		l.group.Wait()
		l.done = l.ledger.close()
	})
	return l.done
}

// now is this instant as the ledger counts it.
func (l *load) now() int64 { return l.ledger.since(time.Now()) }
