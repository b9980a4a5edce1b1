package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/syncline/syncline/bench/load"
)

const (
	collectionName  = "bench"          // all documents of the bench
	freshFrom       = 100_000_000      // number of the first fresh document, above all others
	convergeTimeout = 60 * time.Second // for two nodes to become equal after load
)

// measure is one kind of load, put on the floor and on the product in turn.
type measure struct {
	name   string
	config load.Config
	target float64 // least ratio, 0 for none
}

func (b *bench) overwrite() load.Config {
	return load.Config{Method: http.MethodPut, Keys: load.Keys{Count: b.opts.ids, Random: true}}
}

func (b *bench) fresh() load.Config {
	return load.Config{Method: http.MethodPut, Keys: load.Keys{First: freshFrom}}
}

func (b *bench) read() load.Config {
	return load.Config{Method: http.MethodGet, Keys: load.Keys{Count: b.opts.ids, Random: true}}
}

// solo measures one node alone: overwriting, fresh ids, reading.
func (b *bench) solo(ctx context.Context) error {
	return b.compare(ctx, "solo", 1, false, []measure{
		{fmt.Sprintf("one node, PUT over %d ids", b.opts.ids), b.overwrite(), 0.65},
		{"one node, PUT of fresh ids", b.fresh(), 0},
		{"one node, GET", b.read(), 0.40},
	})
}

// pair measures two nodes and a witness, written on both.
func (b *bench) pair(ctx context.Context) error {
	return b.compare(ctx, "pair", 2, true, []measure{
		{fmt.Sprintf("two nodes and a witness, PUT over %d ids", b.opts.ids), b.overwrite(), 0.40},
		{"two nodes and a witness, PUT of fresh ids", b.fresh(), 0},
	})
}

// compare starts the floor and a cluster, fills both, and measures in rounds.
func (b *bench) compare(ctx context.Context, part string, nodes int, witness bool, measures []measure) (err error) {
	floor, stopFloor, err := b.startFloor(ctx, part)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopFloor()) }()
	product, err := b.newCluster(part, nodes, witness)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, product.stop()) }()
	if err := product.startAll(ctx); err != nil {
		return err
	}
	for _, targets := range [][]string{{floor}, product.targets()} {
		if err := b.fill(ctx, targets, b.opts.ids); err != nil {
			return err
		}
	}
	for _, m := range measures {
		rates, err := b.turns(ctx, m, floorAndProduct(floor, product)...)
		if err != nil {
			return err
		}
		b.report.addRates(m.name, rates[0], rates[1], m.target)
	}
	if err := product.awaitEqual(ctx, convergeTimeout); err != nil {
		return err
	}
	_, err = product.verified(ctx)
	return err
}

// side is one of those that are measured in turn.
type side struct {
	name    string
	targets []string // base URLs
}

func floorAndProduct(floor string, product *cluster) []side {
	return []side{{"floor", []string{floor}}, {"syncline", product.targets()}}
}

// turns puts a measure on each side in turn, round by round, and returns the
// ok answers a second of each side.
func (b *bench) turns(ctx context.Context, m measure, sides ...side) ([][]float64, error) {
	rates := make([][]float64, len(sides))
	for round := range b.opts.rounds {
		for i, s := range sides {
			targets := s.targets
			cfg := m.config
			cfg.Duration, cfg.Seed = b.opts.window, uint64(round)
			if !cfg.Keys.Random {
				cfg.Keys.First += b.used[targets[0]]
			}
			result, err := b.drive(ctx, targets, cfg)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", m.name, err)
			}
			rates[i] = append(rates[i], result.PerSecond())
			b.logf("%s, round %d, %s: %v", m.name, round+1, s.name, result)
		}
	}
	return rates, nil
}

// fill writes every id once.
func (b *bench) fill(ctx context.Context, targets []string, count int) error {
	_, err := b.drive(ctx, targets, load.Config{Method: http.MethodPut, Keys: load.Keys{Count: count}})
	return err
}

// drive runs one load in which nothing may fail or be refused.
func (b *bench) drive(ctx context.Context, targets []string, cfg load.Config) (load.Result, error) {
	cfg.Targets, cfg.Clients, cfg.Collection, cfg.Size = targets, b.opts.clients, collectionName, b.opts.size
	result, err := load.Run(ctx, cfg)
	if err != nil {
		return result, err
	}
	if !cfg.Keys.Random {
		b.used[targets[0]] += result.OK
	}
	if result.Failed+result.Refused > 0 || result.OK == 0 {
		return result, fmt.Errorf("%s on %v: %v", cfg.Method, targets, result)
	}
	return result, nil
}

// startFloor runs bench/bare in a folder of its own.
func (b *bench) startFloor(ctx context.Context, part string) (base string, stop func() error, err error) {
	dir, err := b.folder(part + "-floor")
	if err != nil {
		return "", nil, err
	}
	p, err := startProcess(ctx, dir, "bare", b.opts.bare, "-data", dir)
	if err != nil {
		return "", nil, err
	}
	return "http://" + p.ready["api"], p.stop, nil
}

// floor measures bare alone, where there is no product to compare it with.
func (b *bench) floor(ctx context.Context) (err error) {
	base, stop, err := b.startFloor(ctx, "floor")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	if err := b.fill(ctx, []string{base}, b.opts.ids); err != nil {
		return err
	}
	for _, m := range []measure{
		{name: fmt.Sprintf("floor, PUT over %d ids", b.opts.ids), config: b.overwrite()},
		{name: "floor, PUT of fresh ids", config: b.fresh()},
		{name: "floor, GET of constant bytes", config: b.read()},
	} {
		rates, err := b.turns(ctx, m, side{"floor", []string{base}})
		if err != nil {
			return err
		}
		b.report.addFloor(m.name, median(rates[0]))
	}
	for _, each := range []int{1, rowsOfInsert} {
		rate, err := b.bulkFloor(ctx, "floor", each)
		if err != nil {
			return err
		}
		b.report.addFloor(fmt.Sprintf("floor, bulk insert, rows of one INSERT: %d", each), rate)
	}
	return nil
}
