package e2e

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/syncline/syncline/client"
)

// lowest is a resolver that takes the lowest balance. It counts for a while, so
// that a worker can be killed in the middle.
const lowest = `def resolve(conflict):
    docs = [s.doc for s in conflict.siblings if not s.deleted]
    for _ in range(20000):
        pass
    best = docs[0]
    for doc in docs:
        if doc["balance"] < best["balance"]:
            best = doc
    note("%d of %d" % (best["balance"], len(docs)))
    return {"balance": best["balance"], "settled": True}

def test_lowest():
    assert_eq(resolve(conflict(siblings = [{"balance": 20}, {"balance": 70}])), {"balance": 20, "settled": True})
`

const (
	// splitAccounts is how many conflicts the cut leaves.
	splitAccounts = 40
	// workerKills is how many workers are killed meanwhile.
	workerKills = 20
)

// Issue 4: "a script that fails on one node only by being killed"; DESIGN 7: "the
// writable node with the lowest name settles a conflict once all its siblings are
// stable … and files a record with … the policy and script version". Two nodes
// whose link is cut take writes of the same accounts; while the conflicts are
// settled, the workers of both are killed again and again.
func TestScriptSettles(t *testing.T) {
	t.Parallel()
	c := newCluster(t, clusterConfig{data: []string{"a", "b"}, witness: true})
	c.startAll()
	var stored *client.Resolver
	c.mustTake("the resolver", func() (err error) {
		stored, err = c.at("b").PutResolver(c.context(), "lowest", []byte(lowest), client.PutOptions{})
		return err
	})
	c.mustConfigure("b", "accounts", `{"policy":{"kind":"script","resolver":"lowest"},"minority":"accept"}`)
	c.awaitEqual()
	c.cut("a", "b")
	c.awaitOneWriter()
	for i := range splitAccounts {
		for name, balance := range map[string]int{"a": 20, "b": 70} {
			if _, err := c.at(name).Put(c.context(), account(i), fmt.Appendf(nil, `{"balance":%d}`, balance), client.PutOptions{}); err != nil {
				t.Fatalf("a write at %s: %v", name, err)
			}
		}
	}
	var killed atomic.Int64
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		c.killWorkers(stop, &killed)
	}()
	c.heal()
	await(t, "everything is settled", func() error {
		for _, name := range c.data() {
			counts, err := c.at(name).ConflictCounts(c.context(), client.Options{})
			if err != nil || counts.Open > 0 || counts.Records < splitAccounts {
				return fmt.Errorf("%s: %+v, %w", name, counts, err)
			}
		}
		return nil
	})
	close(stop)
	<-ended
	if killed.Load() == 0 {
		t.Error("no worker was there to be killed")
	}
	c.awaitEqual()
	for _, name := range c.data() {
		c.checkSettled(name, stored.Hash)
	}
}

func account(i int) client.Key {
	return client.Key{Collection: "accounts", ID: "account-" + strconv.Itoa(i)}
}

// killWorkers kills the processes that run resolvers for the data nodes, each as
// soon as it is there.
func (c *cluster) killWorkers(stop <-chan struct{}, killed *atomic.Int64) {
	gone := map[int]bool{} // a dead one is there until its parent has waited for it
	for killed.Load() < workerKills {
		for _, name := range c.data() {
			for _, stat := range childrenOf(c.running[name].cmd.Process.Pid) {
				first, _, _ := strings.Cut(stat, " ")
				if pid, err := strconv.Atoi(first); err == nil && !gone[pid] && syscall.Kill(pid, syscall.SIGKILL) == nil {
					gone[pid] = true
					killed.Add(1)
				}
			}
		}
		select {
		case <-stop:
			return
		case <-c.context().Done():
			return
		default:
		}
	}
}

// checkSettled looks at every account and its record at one node.
func (c *cluster) checkSettled(name, hash string) {
	c.t.Helper()
	at := c.at(name)
	for i := range splitAccounts {
		d, err := at.Get(c.context(), account(i), client.Options{})
		if err != nil || string(d.Doc) != `{"balance":20,"settled":true}` || d.Conflicts != 0 {
			c.t.Fatalf("%s at %s: %+v, %v", account(i).ID, name, d, err)
		}
	}
	records := 0
	for one, err := range at.Conflicts(c.context(), client.ConflictsOptions{By: "script"}) {
		if err != nil {
			c.t.Fatal(err)
		}
		whole, err := at.Conflict(c.context(), one.ID, client.Options{})
		if err != nil {
			c.t.Fatal(err)
		}
		if whole.Policy.ResolverVersion != hash || whole.Policy.Resolver != "lowest" || whole.Run == nil || !slices.Equal(whole.Run.Notes, []string{"20 of 2"}) || len(whole.Siblings) != 2 {
			c.t.Fatalf("record %s at %s: %+v %+v", one.ID, name, whole.Policy, whole.Run)
		}
		records++
	}
	if records != splitAccounts {
		c.t.Errorf("%s has %d records, want %d", name, records, splitAccounts)
	}
}
