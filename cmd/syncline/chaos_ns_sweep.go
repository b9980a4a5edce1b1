package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const (
	// nsFolder is where ip keeps the namespaces that have names.
	nsFolder = "/run/netns"
	// nsPrefix and the number of the process that runs the script begin the names
	// of all that a run makes.
	nsPrefix = "sl"
	// nsHub is the namespace of the bridge, which every run has.
	nsHub = "hub"
)

// sweep takes away the namespaces of runs that were killed and so could not do
// it themselves. Those of a run of which a process still lives stay.
func (n *namespaceCluster) sweep(ctx context.Context) error {
	hubs, err := filepath.Glob(nsSpacePath(nsPrefix+"[0-9]*", nsHub))
	if err != nil {
		return err
	}
	for _, hub := range hubs {
		base := strings.TrimSuffix(filepath.Base(hub), "-"+nsHub)
		if !nsAbandoned(base) {
			continue
		}
		paths, err := filepath.Glob(nsSpacePath(base, "*"))
		if err != nil {
			return err
		}
		if slices.ContainsFunc(paths, func(path string) bool { return nsInhabited(ctx, filepath.Base(path)) }) {
			continue
		}
		for _, path := range paths {
			if err := n.ip(ctx, "netns del "+filepath.Base(path)); err != nil {
				if _, gone := os.Stat(path); gone != nil {
					continue // by another run, which sweeps as well
				}
				return fmt.Errorf("namespaces of a run that was killed are in the way, see ip netns: %w", err)
			}
		}
	}
	return nil
}

func nsSpacePath(base, name string) string { return filepath.Join(nsFolder, base+"-"+name) }

// nsAbandoned says whether names that begin like this are those of a run that
// has ended.
func nsAbandoned(base string) bool {
	pid, err := strconv.Atoi(strings.TrimPrefix(base, nsPrefix))
	if err != nil {
		return false
	}
	_, err = os.Stat(fmt.Sprintf("/proc/%d", pid))
	return errors.Is(err, fs.ErrNotExist)
}

// nsInhabited says whether a process lives in a namespace; where that cannot be
// told, it says so.
func nsInhabited(ctx context.Context, space string) bool {
	ctx, cancel := context.WithTimeout(ctx, nsCommand)
	defer cancel()
	pids, err := exec.CommandContext(ctx, "ip", "netns", "pids", space).Output()
	return err != nil || len(pids) > 0
}
