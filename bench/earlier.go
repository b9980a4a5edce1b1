package main

import (
	"context"
	"errors"
	"path/filepath"
)

// earlierTarget is the least ratio of this build to an earlier one, for documents
// without siblings.
const earlierTarget = 0.95

// earlier measures this build against an earlier one, turn by turn: what was
// added must cost those nothing who do not use it.
func (b *bench) earlier(ctx context.Context) (err error) {
	if b.opts.baseline == "" {
		b.logf("left out: no earlier build was given (make bench BASELINE=commit)")
		return nil
	}
	before, err := b.startEarlier(ctx, "earlier-before", b.opts.baseline)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, before.stop()) }()
	now, err := b.startEarlier(ctx, "earlier-now", b.opts.product)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, now.stop()) }()
	sides := []side{{"earlier", before.targets()}, {"syncline", now.targets()}}
	for _, m := range []measure{
		{"against the earlier build, PUT", b.overwrite(), earlierTarget},
		{"against the earlier build, PUT of fresh ids", b.fresh(), earlierTarget},
		{"against the earlier build, GET", b.read(), earlierTarget},
	} {
		rates, err := b.turns(ctx, m, sides...)
		if err != nil {
			return err
		}
		b.report.addRates(m.name, rates[0], rates[1], m.target)
	}
	return nil
}

// startEarlier runs one node of a program, with documents.
func (b *bench) startEarlier(ctx context.Context, name, program string) (*cluster, error) {
	c, err := newCluster(program, filepath.Join(b.dir, name), 1, false)
	if err != nil {
		return nil, err
	}
	err = c.startAll(ctx)
	if err == nil {
		err = b.fill(ctx, c.targets(), b.opts.ids)
	}
	if err != nil {
		return nil, errors.Join(err, c.stop())
	}
	return c, nil
}
