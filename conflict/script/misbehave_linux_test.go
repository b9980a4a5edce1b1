package script

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// look is a worker that tells what it finds around it, as notes of a result.
func look() *reply {
	files, err := os.ReadDir("/proc/self/fd") // the folder itself is one more
	if err != nil {
		return &reply{result: failed(failure(KindError, "%v", err))}
	}
	var names []string
	for _, f := range files {
		target, err := os.Readlink("/proc/self/fd/" + f.Name())
		// The Go runtime opens what waits for others, and reads its share of
		// the processors in cgroup.
		own := strings.HasPrefix(target, "anon_inode:") || strings.HasPrefix(target, "/sys/fs/cgroup/") || strings.HasPrefix(target, "/proc/")
		if kind, _, _ := strings.Cut(target, ":["); err == nil && !own {
			names = append(names, kind)
		}
	}
	slices.Sort(names)
	folder, _ := os.Getwd()
	r := &Result{Verdict: Defer, Notes: []string{
		fmt.Sprintf("environment %q", os.Environ()),
		fmt.Sprintf("files %q", names),
		fmt.Sprintf("folder %s", folder),
		fmt.Sprintf("leads its group %v", unix.Getpgrp() == os.Getpid()),
	}}
	if err := confine(); err != nil {
		return &reply{result: failed(failure(KindError, "%v", err))}
	}
	var limit syscall.Rlimit
	for name, resource := range map[string]int{"core": unix.RLIMIT_CORE, "files": unix.RLIMIT_NOFILE, "written": unix.RLIMIT_FSIZE} {
		if err := syscall.Getrlimit(resource, &limit); err != nil {
			return &reply{result: failed(failure(KindError, "%v", err))}
		}
		r.Notes = append(r.Notes, fmt.Sprintf("limit %s %d %d", name, limit.Cur, limit.Max))
	}
	if err := syscall.Getrlimit(unix.RLIMIT_AS, &limit); err == nil {
		taken, err := addressSpace()
		r.Notes = append(r.Notes, fmt.Sprintf("address space bounded %v %v", limit.Max < taken+workerMemory+1<<20, err))
	}
	nice, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	r.Notes = append(r.Notes, fmt.Sprintf("nice %d %v", 20-nice, err))
	slices.Sort(r.Notes)
	return &reply{result: r}
}

// beParent runs a pool whose worker is busy, and says the worker's id.
func beParent() int {
	self, err := os.Executable()
	if err != nil {
		return 1
	}
	s, err := Compile("endless", "def resolve(c):\n    return {\"n\": max(range(1 << 60))}\n")
	if err != nil {
		return 1
	}
	p, err := NewPool(PoolConfig{Command: []string{self, workerArgument, "good"}})
	if err != nil {
		return 1
	}
	go func() { _ = p.Run(context.Background()) }() // the process is killed
	good, err := Compile("good", goodSource)
	if err != nil {
		return 1
	}
	if _, err := p.Resolve(context.Background(), good, bank()); err != nil {
		return 1
	}
	for _, pid := range children(os.Getpid(), "good") {
		fmt.Println(pid)
	}
	for {
		_, _ = p.Resolve(context.Background(), s, bank())
	}
}
