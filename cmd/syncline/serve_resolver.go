package main

import (
	"context"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/time/rate"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/conflict/script"
	"github.com/syncline/syncline/node"
)

const (
	// resolverWorkers is how many processes of a node run resolvers.
	resolverWorkers = 2
	// compiledScripts is how many compiled scripts a node keeps.
	compiledScripts = 256
	// killedTries is how often a call is made whose worker was killed from
	// outside: that says nothing about the script.
	killedTries = 2
	// diedEvery is the shortest time between two lines about workers that died: a
	// script that kills them does so as often as it is asked.
	diedEvery = 10 * time.Second
)

// selfProgram is the program that runs now, also when its file is replaced by a
// newer one while it runs.
func selfProgram() (string, error) {
	if runtime.GOOS == "linux" {
		return "/proc/self/exe", nil
	}
	return os.Executable()
}

// newWorkers makes the pool of processes that run resolvers.
func newWorkers(log hclog.Logger) (*script.Pool, error) {
	program, err := selfProgram()
	if err != nil {
		return nil, err
	}
	log = log.Named("resolver")
	sometimes := &rate.Sometimes{Interval: diedEvery}
	return script.NewPool(script.PoolConfig{
		Command: []string{program, workerCommand}, Workers: resolverWorkers,
		Died: func(reason error) {
			sometimes.Do(func() { log.Warn("a resolver's worker died; another one takes its place", "reason", reason) })
		},
	})
}

// scripts lets the engine run its resolvers: it compiles them and asks the
// workers.
type scripts struct {
	workers script.Evaluator

	mu       sync.Mutex
	compiled *simplelru.LRU[string, compiledScript] // by version
}

// compiledScript is a script, or why it does not compile: it did where it was
// stored, perhaps by another version of the program.
type compiledScript struct {
	script *script.Script // nil: it does not compile
	why    string
}

func newScripts(workers script.Evaluator) (*scripts, error) {
	lru, err := simplelru.NewLRU[string, compiledScript](compiledScripts, nil)
	return &scripts{workers: workers, compiled: lru}, err
}

// Resolve implements node.Resolver.
func (s *scripts) Resolve(ctx context.Context, stored node.Script, c node.Case) (conflict.Finding, error) {
	compiled := s.compile(stored)
	if compiled.script == nil {
		return conflict.Finding{Verdict: conflict.VerdictFailed, Run: conflict.Run{Failure: compiled.why}}, nil
	}
	asked := conflictOf(&c)
	for try := 1; ; try++ {
		r, err := s.workers.Resolve(ctx, compiled.script, asked)
		if err != nil {
			return conflict.Finding{}, err
		}
		if r.Failure == nil || r.Failure.Kind != script.KindKilled || try == killedTries {
			return findingOf(r), nil
		}
	}
}

// compile compiles a version once.
func (s *scripts) compile(stored node.Script) compiledScript {
	s.mu.Lock()
	defer s.mu.Unlock()
	if one, ok := s.compiled.Get(stored.Version); ok {
		return one
	}
	compiled, err := script.Compile(stored.Name, stored.Source)
	one := compiledScript{script: compiled}
	if err != nil {
		one = compiledScript{why: err.Error()}
	}
	s.compiled.Add(stored.Version, one)
	return one
}

// conflictOf is a case as scripts are asked about it.
func conflictOf(c *node.Case) *script.Conflict {
	return &script.Conflict{
		Collection: string(c.Collection), ID: string(c.ID), Siblings: script.SiblingsOf(c.Siblings),
		Base: c.Base, BaseExact: c.BaseExact, Sums: c.Sums, MaxBody: c.MaxBody,
	}
}

// findingOf is what a script made of it, as the engine takes it.
func findingOf(r *script.Result) conflict.Finding {
	f := conflict.Finding{Verdict: conflict.Verdict(r.Verdict), Doc: r.Doc, Run: conflict.Run{Notes: r.Notes, Steps: r.Steps, Output: r.Output}}
	for _, e := range r.Events {
		f.Run.Events = append(f.Run.Events, conflict.RunEvent{Name: e.Name, Data: e.Data})
	}
	if r.Failure != nil {
		f.Local, f.Run.Failure = r.Failure.Kind.Local(), r.Failure.String()
	}
	return f
}
