package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"time"
)

const (
	catchUpRounds  = 3               // at most: each fills a cluster first
	catchUpTimeout = 5 * time.Minute // for a new node to have everything
	catchUpTarget  = 0.80            // 40,000 documents a second where bulk insert does 50,000
	rowsOfInsert   = 64              // of the faster of the two floors
)

// catchUp fills a node that was founded without its peer, then starts the peer
// for the first time and measures until it has everything.
func (b *bench) catchUp(ctx context.Context) error {
	var single, grouped, product []float64
	for round := range min(b.opts.rounds, catchUpRounds) {
		name := fmt.Sprintf("catchup-%d", round+1)
		one, err := b.bulkFloor(ctx, name, 1)
		if err != nil {
			return err
		}
		many, err := b.bulkFloor(ctx, name, rowsOfInsert)
		if err != nil {
			return err
		}
		rate, err := b.catchUpOnce(ctx, name)
		if err != nil {
			return err
		}
		b.logf("catch-up, round %d: floor %.0f/s and %.0f/s, syncline %.0f/s", round+1, one, many, rate)
		single, grouped, product = append(single, one), append(grouped, many), append(product, rate)
	}
	name := fmt.Sprintf("catch-up of %d documents", b.opts.documents)
	b.report.addRates(name+", floor: one row an INSERT", single, product, catchUpTarget)
	b.report.addRates(fmt.Sprintf("%s, floor: %d rows an INSERT", name, rowsOfInsert), grouped, product, 0)
	return nil
}

// catchUpOnce returns documents a second, from the start of the new node's
// process until its frontier covers the other's.
func (b *bench) catchUpOnce(ctx context.Context, name string) (rate float64, err error) {
	c, err := b.newCluster(name, 2, true)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	if err := errors.Join(c.start(ctx, "w"), c.start(ctx, "a", "--found")); err != nil {
		return 0, err
	}
	if err := c.awaitVotes(ctx); err != nil {
		return 0, err
	}
	if err := b.fill(ctx, c.targets(), b.opts.documents); err != nil {
		return 0, err
	}
	start := time.Now()
	if err := c.start(ctx, "b"); err != nil {
		return 0, err
	}
	if err := c.awaitEqual(ctx, catchUpTimeout); err != nil {
		return 0, err
	}
	took := time.Since(start)
	if n, err := c.verified(ctx); err != nil || n != b.opts.documents {
		return 0, errors.Join(err, fmt.Errorf("%d documents after the catch-up, want %d", n, b.opts.documents))
	}
	return float64(b.opts.documents) / took.Seconds(), nil
}

// bulkFloor inserts the same number of documents of the same size in one
// process, so many rows in one INSERT, and returns rows a second.
func (b *bench) bulkFloor(ctx context.Context, name string, each int) (float64, error) {
	dir, err := b.folder(fmt.Sprintf("%s-bulk-%d", name, each))
	if err != nil {
		return 0, err
	}
	out, err := exec.CommandContext(ctx, b.opts.bare, "-data", dir, "-bulk", strconv.Itoa(b.opts.documents),
		"-each", strconv.Itoa(each), "-size", strconv.Itoa(b.opts.size)).Output()
	if err != nil {
		return 0, fmt.Errorf("bare -bulk: %w", err)
	}
	seconds, err := strconv.ParseFloat(pairs(string(out))["seconds"], 64)
	if err != nil || seconds <= 0 {
		return 0, fmt.Errorf("bare -bulk printed %q", out)
	}
	return float64(b.opts.documents) / seconds, nil
}
