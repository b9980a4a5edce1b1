package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"sync"
	"time"
)

const (
	cutRounds    = 3                       // at most
	cutLasts     = 30 * time.Second        // so that a bench that dies leaves no fault
	writePause   = 2 * time.Millisecond    // between two writes of the writer of a node
	watchAfter   = 2 * time.Second         // past the bound, in which the survivor must refuse nothing
	defaultBound = 2100 * time.Millisecond // B for two data nodes and a witness, default timing
)

// printedBound finds the worst case that a process prints at its start.
var printedBound = regexp.MustCompile(`\bbound=([0-9.]+(?:ms|s))\b`)

// refusals is what the writer of one node saw. It belongs to that writer until
// it has ended.
type refusals struct {
	first   time.Time // of a refusal (503 read_only), zero when there was none
	count   int
	lastAck time.Time
	err     error // the first answer that is neither an ack nor a refusal
}

// cut measures, from the moment at which the link between the two nodes is
// cut, how long until the losing side first refuses a write.
func (b *bench) cut(ctx context.Context) (err error) {
	c, err := b.newCluster("cut", 2, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	if err := c.startAll(ctx, "--chaos"); err != nil {
		return err
	}
	bound, err := c.bound()
	if err != nil {
		return err
	}
	var worst time.Duration
	for round := range min(b.opts.rounds, cutRounds) {
		took, late, err := c.cutOnce(ctx, bound)
		if err != nil {
			return err
		}
		b.logf("cut, round %d: first refusal after %s, last ack of that side after %s, bound %s", round+1,
			took.Round(time.Millisecond), late.Round(time.Millisecond), bound)
		worst = max(worst, took)
	}
	addBelow(&b.report, "cut until the minority refuses, worst round", worst, bound, showDuration)
	return nil
}

// bound is the worst case as node a printed it, or the documented one.
func (c *cluster) bound() (time.Duration, error) {
	found := printedBound.FindStringSubmatch(c.running["a"].printed())
	if found == nil {
		return defaultBound, nil
	}
	return time.ParseDuration(found[1])
}

// cutOnce cuts, watches both sides, heals and waits until all is as before. It
// returns the times of the losing side's first refusal and last ack, from
// before the first end of the cut was set.
func (c *cluster) cutOnce(ctx context.Context, bound time.Duration) (first, lastAck time.Duration, err error) {
	nodes := c.dataNodes()
	seen := make([]refusals, len(nodes))
	writing, stopWriting := context.WithCancel(ctx)
	defer stopWriting()
	var writers sync.WaitGroup
	for i, m := range nodes {
		writers.Go(func() { c.write(writing, m, &seen[i]) })
	}
	start := time.Now()
	err = c.setFault(ctx, nodes)
	if err == nil {
		select {
		case <-time.After(bound + watchAfter):
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	stopWriting()
	writers.Wait()
	if err := errors.Join(err, c.heal(ctx, nodes)); err != nil {
		return 0, 0, err
	}
	var losers []int
	for i := range seen {
		if seen[i].err != nil {
			return 0, 0, fmt.Errorf("%s: %w", nodes[i].name, seen[i].err)
		}
		if seen[i].count > 0 {
			losers = append(losers, i)
		}
	}
	if len(losers) != 1 {
		return 0, 0, fmt.Errorf("%d sides refused writes, want 1", len(losers))
	}
	loser := &seen[losers[0]]
	return loser.first.Sub(start), loser.lastAck.Sub(start), errors.Join(c.awaitVotes(ctx), c.awaitEqual(ctx, convergeTimeout))
}

// write puts documents on one node until the context ends.
func (c *cluster) write(ctx context.Context, m member, seen *refusals) {
	tick := time.NewTicker(writePause)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		url := fmt.Sprintf("%s/v1/docs/%s/%s-%d", m.url(), collectionName, m.name, n%100)
		got, err := c.do(ctx, http.MethodPut, url, nil, fmt.Appendf(nil, `{"n":%d}`, n))
		if ctx.Err() != nil {
			return
		}
		seen.note(got, err)
	}
}

func (r *refusals) note(got answer, err error) {
	now := time.Now()
	switch {
	case err != nil:
		r.err = errors.Join(r.err, err)
	case got.status == http.StatusOK, got.status == http.StatusCreated:
		r.lastAck = now
	case got.status == http.StatusServiceUnavailable:
		if r.count++; r.count == 1 {
			r.first = now
		}
	case got.status == http.StatusGatewayTimeout:
		// lease_lost: committed here after the lease had ended. The write is
		// kept, and it is neither an ack nor a refusal.
	case r.err == nil:
		r.err = fmt.Errorf("PUT: %d %s", got.status, got.body)
	}
}

// setFault cuts the link between the two nodes, at both ends.
func (c *cluster) setFault(ctx context.Context, nodes []member) error {
	for i, m := range nodes {
		fault, err := json.Marshal(map[string]any{
			"from": m.name, "to": nodes[1-i].name, "kind": "cut", "both": true, "duration": cutLasts.String(),
		})
		if err != nil {
			return err
		}
		if err := c.succeed(ctx, http.MethodPost, m.url()+"/v1/chaos/faults", fault); err != nil {
			return err
		}
	}
	return nil
}

func (c *cluster) heal(ctx context.Context, nodes []member) error {
	var err error
	for _, m := range nodes {
		err = errors.Join(err, c.succeed(ctx, http.MethodDelete, m.url()+"/v1/chaos/faults", nil))
	}
	return err
}

// succeed sends a request that must be answered with a 2xx status.
func (c *cluster) succeed(ctx context.Context, method, url string, body []byte) error {
	got, err := c.do(ctx, method, url, nil, body)
	if err == nil && (got.status < 200 || got.status > 299) {
		err = fmt.Errorf("%s %s: %d %s", method, url, got.status, got.body)
	}
	return err
}
