package script

import (
	"context"
	"errors"
	"fmt"

	lru "github.com/hashicorp/golang-lru/v2"
	"go.starlark.net/starlark"
)

// Evaluator runs functions of scripts. A script that fails is no error: the
// result says so. An error means that nothing is known about the script: the
// context ended, or there is no worker.
type Evaluator interface {
	// Resolve calls resolve with the conflict.
	Resolve(ctx context.Context, s *Script, c *Conflict) (*Result, error)
	// Test calls one of the script's test_ functions.
	Test(ctx context.Context, s *Script, name string) (*TestResult, error)
}

// TestResult is what came out of a test_ function.
type TestResult struct {
	Name    string
	Failure *Failure // nil when it passed
	Output  string
	Steps   uint64
	Samples []*Conflict // the conflicts that the test built, at most MaxSamples: food for the gate
}

// Passed says whether the test passed.
func (t *TestResult) Passed() bool { return t.Failure == nil }

// Inline runs scripts in this process, without limits of memory and time
// beyond the context's: for scripts that one trusts with this process. It
// keeps loaded scripts, and is safe for concurrent use.
type Inline struct {
	modules *lru.Cache[Hash, *module]
}

// NewInline makes an evaluator in this process.
func NewInline() *Inline {
	cache, err := lru.New[Hash, *module](workerScripts)
	if err != nil {
		panic("script: " + err.Error()) // for a size below 1 only
	}
	return &Inline{cache}
}

// Resolve implements Evaluator.
func (in *Inline) Resolve(ctx context.Context, s *Script, c *Conflict) (*Result, error) {
	m, err := in.module(ctx, s)
	if err != nil {
		return nil, err
	}
	return m.resolve(ctx, c)
}

// Test implements Evaluator.
func (in *Inline) Test(ctx context.Context, s *Script, name string) (*TestResult, error) {
	if err := s.checkTest(name); err != nil {
		return nil, err
	}
	m, err := in.module(ctx, s)
	if err != nil {
		return nil, err
	}
	return m.test(ctx, name)
}

// module returns the loaded script, from the cache where it can.
func (in *Inline) module(ctx context.Context, s *Script) (*module, error) {
	if m, ok := in.modules.Get(s.hash); ok {
		return m, nil
	}
	m, err := load(ctx, s)
	if err == nil {
		in.modules.Add(s.hash, m)
	}
	return m, err
}

// module is a script whose top level has run. Its globals are frozen, so no
// call leaves anything for the next one.
type module struct {
	script  *Script
	globals starlark.StringDict
	failure *Failure // of the top level: that of every call
}

// load runs a script's top level. The error is the context's.
func load(ctx context.Context, s *Script) (*module, error) {
	m := &module{script: s}
	top := newRun() // for its limits only: what the top level prints is dropped
	t := top.thread(s.name)
	stop := context.AfterFunc(ctx, func() { t.Cancel("the context has ended") })
	defer stop()
	globals, err := initialise(s.program, t)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	m.globals, m.failure = globals, top.failure(err)
	return m, nil
}

// thread makes a thread of the interpreter with the limits of a run.
func (r *run) thread(name string) *starlark.Thread {
	t := &starlark.Thread{Name: name, Print: r.print}
	t.SetMaxExecutionSteps(MaxSteps)
	t.OnMaxSteps = func(t *starlark.Thread) { r.breakOff(t, failure(KindSteps, "more than %d steps", MaxSteps)) }
	return t
}

// failure explains the error that ended a run, nil for none.
func (r *run) failure(err error) *Failure {
	if err == nil {
		// A limit that was broken by the very last step counts like any other.
		return r.broken
	}
	if r.broken == nil {
		return runFailure(KindError, err)
	}
	f := runFailure(r.broken.Kind, err)
	f.Msg = r.broken.Msg
	return f
}

// returned is what a function of a script returned, or how it failed.
type returned struct {
	value   starlark.Value
	steps   uint64
	failure *Failure
}

// call calls a function of the script. The error is the context's.
func (m *module) call(ctx context.Context, r *run, name string, args starlark.Tuple) (returned, error) {
	fn, ok := m.globals[name]
	if !ok {
		panic("script: the compiled script has no function " + name)
	}
	t := r.thread(name)
	t.SetLocal(runKey, r)
	stop := context.AfterFunc(ctx, func() { t.Cancel("the context has ended") })
	defer stop()
	v, err := protected(t, fn, args)
	if ctx.Err() != nil {
		return returned{}, context.Cause(ctx)
	}
	return returned{v, t.ExecutionSteps(), r.failure(err)}, nil
}

// errInterpreter is the error of a script that made the interpreter panic: a
// string or list beyond what Go can index, for example. That is the same on
// every node, and the thread is thrown away, so it is an error like others.
var errInterpreter = errors.New("the interpreter gave up")

// initialise runs a program's top level and freezes its globals.
func initialise(p *starlark.Program, t *starlark.Thread) (globals starlark.StringDict, err error) {
	defer func() {
		if v := recover(); v != nil {
			globals, err = nil, fmt.Errorf("%w: %v", errInterpreter, v)
		}
	}()
	globals, err = p.Init(t, predeclared())
	globals.Freeze()
	return globals, err
}

// protected calls a function.
func protected(t *starlark.Thread, fn starlark.Value, args starlark.Tuple) (v starlark.Value, err error) {
	defer func() {
		if broken := recover(); broken != nil {
			err = fmt.Errorf("%w: %v", errInterpreter, broken)
		}
	}()
	return starlark.Call(t, fn, args, nil)
}

// resolve calls resolve. The error is the context's.
func (m *module) resolve(ctx context.Context, c *Conflict) (*Result, error) {
	if m.failure != nil {
		return failed(m.failure), nil
	}
	r := newRun()
	value, f := r.in.conflictOf(c)
	if f != nil {
		return failed(f), nil
	}
	got, err := m.call(ctx, r, resolveName, starlark.Tuple{value})
	if err != nil {
		return nil, err
	}
	out := &Result{Verdict: Failed, Output: r.output.String(), Steps: got.steps, Failure: got.failure}
	if out.Failure == nil {
		out.Failure = r.take(out, got.value, c.maxBody())
	}
	if out.Failure == nil {
		out.Notes, out.Events = r.notes, r.events
	}
	return out, nil
}

// take turns what resolve returned into a verdict.
func (r *run) take(out *Result, v starlark.Value, most int) *Failure {
	switch v := v.(type) {
	case outcome:
		out.Verdict = Defer
		if v == deleteOutcome {
			out.Verdict = Delete
		}
		return nil
	case *starlark.Dict:
		doc, err := r.in.encode(v, most)
		if err != nil {
			return failure(KindBadResult, "the result: %v", err)
		}
		out.Verdict, out.Doc = Value, doc
		return nil
	case *siblingValue:
		return failure(KindBadResult, "resolve returned a sibling: return its .doc")
	case starlark.NoneType:
		return failure(KindBadResult, "resolve returned nothing: return an object, DELETE or DEFER")
	default:
		return failure(KindBadResult, "resolve returned a %s: return an object, DELETE or DEFER", v.Type())
	}
}

// test calls a test_ function. The error is the context's.
func (m *module) test(ctx context.Context, name string) (*TestResult, error) {
	out := &TestResult{Name: name}
	if m.failure != nil {
		out.Failure = m.failure
		return out, nil
	}
	r := newRun()
	r.test = true
	got, err := m.call(ctx, r, name, nil)
	if err != nil {
		return nil, err
	}
	out.Failure, out.Output, out.Steps, out.Samples = got.failure, r.output.String(), got.steps, r.samples
	return out, nil
}
