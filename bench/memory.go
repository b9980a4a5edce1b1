package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/syncline/syncline/bench/load"
	"github.com/syncline/syncline/node/sqlite"
)

const (
	// dataMemory is 200 MB and the configured caches, in bytes.
	dataMemory    = 200_000_000 + sqlite.DefaultCacheBytes + sqlite.DefaultDocumentBytes
	witnessMemory = 30_000_000 // bytes
)

// memory reads what the processes hold after writing and reading.
func (b *bench) memory(ctx context.Context) (err error) {
	c, err := b.newCluster("memory", 2, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	if err := c.startAll(ctx); err != nil {
		return err
	}
	if err := b.fill(ctx, c.targets(), b.opts.documents); err != nil {
		return err
	}
	if err := c.awaitEqual(ctx, convergeTimeout); err != nil {
		return err
	}
	// Reads go to the first node only: it has served writes, peers and reads.
	nodes := c.dataNodes()
	reads := load.Config{Method: http.MethodGet, Keys: load.Keys{Count: b.opts.documents, Random: true}, Requests: b.opts.reads}
	if _, err := b.drive(ctx, []string{nodes[0].url()}, reads); err != nil {
		return err
	}
	for _, m := range []struct {
		name, process string
		limit         int64
	}{
		{"memory of a node with its caches, written and read", "a", dataMemory},
		{"memory of a node with its caches, written only", "b", dataMemory},
		{"memory of the witness", "w", witnessMemory},
	} {
		bytes, err := c.running[m.process].residentBytes()
		if err != nil {
			return err
		}
		addBelow(&b.report, m.name, bytes, m.limit, showMegabytes)
	}
	return nil
}
