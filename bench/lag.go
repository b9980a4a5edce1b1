package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

const (
	probePause = 20 * time.Millisecond // between two probes, so that the cluster is idle
	lagP50     = 2 * time.Millisecond  // targets of the issue
	lagP99     = 20 * time.Millisecond
)

// lag measures, in an idle cluster, from the answer to a write on one node
// until the other node has answered a read with it. The read carries the
// write's session and waits, so its own round trip is part of the figure.
func (b *bench) lag(ctx context.Context) (err error) {
	c, err := b.newCluster("lag", 2, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	if err := c.startAll(ctx); err != nil {
		return err
	}
	nodes := c.dataNodes()
	lags := make([]time.Duration, 0, b.opts.probes)
	tick := time.NewTicker(probePause)
	defer tick.Stop()
	for n := range b.opts.probes {
		<-tick.C
		took, err := c.probe(ctx, nodes[n%2], nodes[1-n%2], n)
		if err != nil {
			return err
		}
		lags = append(lags, took)
	}
	addBelow(&b.report, fmt.Sprintf("idle lag, p50 of %d", len(lags)), percentile(lags, 50), lagP50, showDuration)
	addBelow(&b.report, fmt.Sprintf("idle lag, p99 of %d", len(lags)), percentile(lags, 99), lagP99, showDuration)
	return nil
}

// probe writes on one node and waits for it on the other.
func (c *cluster) probe(ctx context.Context, from, to member, n int) (time.Duration, error) {
	path := fmt.Sprintf("/v1/docs/%s/probe%d", collectionName, n%10)
	body := fmt.Appendf(nil, `{"probe":%d}`, n)
	written, err := c.do(ctx, http.MethodPut, from.url()+path, nil, body)
	if err != nil {
		return 0, err
	}
	if written.status != http.StatusOK && written.status != http.StatusCreated {
		return 0, fmt.Errorf("PUT at %s: %d %s", from.name, written.status, written.body)
	}
	start := time.Now()
	read, err := c.do(ctx, http.MethodGet, to.url()+path, map[string]string{"Session": written.header.Get("Session"), "Prefer": "wait=5"}, nil)
	took := time.Since(start)
	switch {
	case err != nil:
		return 0, err
	case read.status != http.StatusOK || !bytes.Equal(read.body, body):
		return 0, fmt.Errorf("GET at %s: %d %s, want %s", to.name, read.status, read.body, body)
	}
	return took, nil
}
