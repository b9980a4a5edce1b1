package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/syncline/syncline/node/rest"
)

const (
	// lowWater is the free space, in bytes, below which a node turns read-only:
	// room for the write-ahead log and for what peers still send.
	lowWater = 256 << 20
	// enough is the free space, in bytes, at which it takes writes again. The gap
	// keeps it from turning over with each checkpoint.
	enough = lowWater + lowWater/4
	// diskEvery is the time between two looks at the disk.
	diskEvery = time.Second
)

// diskWatch looks how much space is left where the database is.
type diskWatch struct {
	dir  string
	log  hclog.Logger
	free func(dir string) (uint64, error)

	bytes atomic.Uint64
	low   atomic.Bool
}

// newDiskWatch has looked once.
func newDiskWatch(dir string, log hclog.Logger) (*diskWatch, error) {
	d := &diskWatch{dir: dir, log: log, free: freeBytes}
	return d, d.look()
}

func (d *diskWatch) look() error {
	free, err := d.free(d.dir)
	if err != nil {
		return fmt.Errorf("free space of %s: %w", d.dir, err)
	}
	d.bytes.Store(free)
	switch low := d.low.Load(); {
	case !low && free < lowWater:
		d.low.Store(true)
		d.log.Warn("the disk is nearly full: this node takes no writes", "free_bytes", free, "needs_bytes", enough)
	case low && free >= enough:
		d.low.Store(false)
		d.log.Info("the disk has room again", "free_bytes", free)
	}
	return nil
}

// run looks again and again until the context ends.
func (d *diskWatch) run(ctx context.Context) error {
	tick := time.NewTicker(diskEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			if err := d.look(); err != nil {
				return err
			}
		}
	}
}

// status is the disk as the API shows it.
func (d *diskWatch) status() rest.Disk {
	return rest.Disk{FreeBytes: d.bytes.Load(), Low: d.low.Load()}
}

// freeBytes is the space that an unprivileged process may still use.
func freeBytes(dir string) (uint64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return uint64(s.Bavail) * uint64(s.Bsize), nil
}
