package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

const (
	syncBlock   = 4 << 10     // bytes written before each fsync
	syncFor     = time.Second // how long the disk is measured
	tmpfsMagic  = 0x01021994  // statfs type of a file system in memory, which syncs nothing
	unknownText = "unknown"
)

// describeMachine prints what the figures were measured on, with the disk's
// own limit as it is now.
func describeMachine(out io.Writer, dir, commit string) error {
	syncs, err := syncsPerSecond(dir)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "commit %s, %s, %s\n", commit, runtime.Version(), time.Now().UTC().Format(time.RFC3339))
	fmt.Fprintf(out, "machine: %d cores, %s, kernel %s\n", runtime.NumCPU(), processor(), firstLine("/proc/sys/kernel/osrelease"))
	fmt.Fprintf(out, "disk: %.0f appends of %d bytes with fsync a second, one at a time\n", syncs, syncBlock)
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err == nil && fs.Type == tmpfsMagic {
		fmt.Fprintf(out, "WARNING: %s is in memory, nothing is synced: name a folder on a disk with -dir\n", dir)
	}
	return nil
}

// syncsPerSecond measures the raw disk: append, fsync, and again.
func syncsPerSecond(dir string) (float64, error) {
	f, err := os.Create(filepath.Join(dir, "sync-probe"))
	if err != nil {
		return 0, err
	}
	block := make([]byte, syncBlock)
	start, n := time.Now(), 0
	for ; time.Since(start) < syncFor; n++ {
		if _, err := f.Write(block); err != nil {
			return 0, errors.Join(err, f.Close())
		}
		if err := f.Sync(); err != nil {
			return 0, errors.Join(err, f.Close())
		}
	}
	took := time.Since(start)
	return float64(n) / took.Seconds(), errors.Join(f.Close(), os.Remove(f.Name()))
}

// processor is the model as Linux names it.
func processor() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return unknownText
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if name, ok := strings.CutPrefix(lines.Text(), "model name"); ok {
			return strings.TrimLeft(name, "\t :")
		}
	}
	return unknownText
}

func firstLine(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return unknownText
	}
	line, _, _ := strings.Cut(string(data), "\n")
	return line
}
