package script

import (
	"context"
	"errors"
	"math/rand/v2"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/syncline/syncline/vclock"
)

// leak is an evaluator that lets something through to the script that it must
// not see: what the gate is there to find.
type leak struct {
	*Inline
	resolve func(*Inline, context.Context, *Script, *Conflict) (*Result, error)
}

func (l *leak) Resolve(ctx context.Context, s *Script, c *Conflict) (*Result, error) {
	return l.resolve(l.Inline, ctx, s, c)
}

func gateOf(t *testing.T, source string, e Evaluator, recorded ...*Conflict) *Report {
	t.Helper()
	return gateInNoTime(t, GateConfig{Evaluator: e, Script: compile(t, source), Recorded: recorded, Seed: 7})
}

// gateInNoTime is Gate where time stands still while it computes: a busy machine
// cannot end it early.
func gateInNoTime(t *testing.T, c GateConfig) (r *Report) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var err error
		if r, err = Gate(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	})
	return r
}

const lastWins = "def resolve(c):\n    return c.siblings[-1].doc or DELETE\n"

// DESIGN section 7: "a convergence gate: on recorded and generated conflicts the
// result must not depend on the order of siblings".
func TestGateFindsLeaks(t *testing.T) {
	t.Parallel()
	calls := 0
	for name, resolve := range map[string]func(*Inline, context.Context, *Script, *Conflict) (*Result, error){
		"siblings by arrival": func(in *Inline, ctx context.Context, s *Script, c *Conflict) (*Result, error) {
			r, err := in.Resolve(ctx, s, c)
			r.Output = string(c.Siblings[0].Dot.Actor)
			return r, err
		},
		"time of arrival": func(in *Inline, ctx context.Context, s *Script, c *Conflict) (*Result, error) {
			other := *c
			other.Siblings = append([]Sibling(nil), c.Siblings...)
			for i := range other.Siblings { // as if stamped by the clock of this node
				other.Siblings[i].Time = vclockTime(i)
			}
			return in.Resolve(ctx, s, &other)
		},
		"state between calls": func(in *Inline, ctx context.Context, s *Script, c *Conflict) (*Result, error) {
			r, err := in.Resolve(ctx, s, c)
			calls++
			r.Steps += uint64(calls % 2)
			return r, err
		},
	} {
		r := gateOf(t, lastWins, &leak{NewInline(), resolve}, bank())
		if r.Passed() || len(r.Diverged) == 0 || r.Diverged[0].Check != CheckOrder || r.Diverged[0].Got == nil {
			t.Errorf("%s: not found: %+v", name, r)
		}
	}
	if r := gateOf(t, lastWins, NewInline(), bank()); !r.Passed() || r.Void() || !r.Complete || len(r.Failed) != 0 {
		t.Errorf("without a leak: %+v", r)
	}
}

// DESIGN section 7: "a rule that depends on grouping is stored with a warning".
func TestGateWarnsOfGrouping(t *testing.T) {
	t.Parallel()
	three := &Conflict{Siblings: []Sibling{sib("a", 1, `{"n":0}`), sib("b", 2, `{"n":0}`), sib("c", 3, `{"n":9}`)}}
	const mean = `
def resolve(c):
    docs = [s.doc for s in c.siblings if not s.deleted]
    total = 0
    for d in docs:
        total += d.get("n", 0)
    return {"n": total // len(docs)} if docs else DELETE
`
	const most = `
def resolve(c):
    return {"n": max([s.doc.get("n", 0) if s.doc else 0 for s in c.siblings])}
`
	r := gateOf(t, mean, NewInline(), three)
	if !r.Passed() || len(r.Warnings) == 0 {
		t.Fatalf("a mean does not depend on grouping? %+v", r)
	}
	w := r.Warnings[0]
	if w.Check != CheckGrouping || string(w.Want.Doc) == string(w.Got.Doc) || w.How == "" || len(w.Conflict.Siblings) < 3 {
		t.Errorf("no counterexample: %+v", w)
	}
	if r := gateOf(t, most, NewInline(), three); !r.Passed() || len(r.Warnings) != 0 {
		t.Errorf("a maximum depends on grouping? %+v", r.Warnings)
	}
	if r := gateOf(t, lastWins, NewInline(), three); len(r.Warnings) != 0 {
		t.Errorf("last write wins depends on grouping? %+v", r.Warnings[0])
	}
}

// A sum of the deltas does not depend on grouping where base and sums say so,
// but one that takes the newest two only does.
func TestGateSums(t *testing.T) {
	t.Parallel()
	c := bank()
	c.Siblings = append(c.Siblings, sib("c", 3, `{"balance": 121, "tags": ["x"]}`))
	c.Sums = map[string]string{"/balance": "-29"}
	const sum = "def resolve(c):\n    return {\"balance\": c.sum(\"/balance\")}\n"
	if r := gateOf(t, sum, NewInline(), c); !r.Passed() || len(r.Warnings) != 0 || r.Resolved == 0 {
		t.Errorf("%+v", r)
	}
	const two = "def resolve(c):\n    return {\"balance\": c.sum(\"/balance\") + len(c.siblings)}\n"
	if r := gateOf(t, two, NewInline(), c); !r.Passed() || len(r.Warnings) == 0 {
		t.Errorf("%+v", r)
	}
}

// The order of members is the same on every node, but a script that builds on
// it surprises its owner.
func TestGateWarnsOfMembers(t *testing.T) {
	t.Parallel()
	r := gateOf(t, "def resolve(c):\n    return {\"first\": list(c.siblings[0].doc or {\"none\": 0})[:1]}\n", NewInline(), bank())
	if !r.Passed() || len(r.Warnings) == 0 || r.Warnings[0].Check != CheckMembers {
		t.Errorf("%+v", r)
	}
}

// Issue 4, point 3: scripts that are killed are not stored. One death is enough
// to see it; no more than MaxCases processes are wasted on it.
func TestGateStopsAtDeaths(t *testing.T) {
	t.Parallel()
	killed := func(*Inline, context.Context, *Script, *Conflict) (*Result, error) {
		return failed(failure(KindTime, "the worker was killed")), nil
	}
	r := gateOf(t, lastWins, &leak{NewInline(), killed}, bank())
	if r.Passed() || r.Diverged[0].Check != CheckWorker || r.Runs > MaxCases || !r.Void() {
		t.Errorf("%+v", r)
	}
	busy := func(*Inline, context.Context, *Script, *Conflict) (*Result, error) { return nil, ErrBusy }
	_, err := Gate(t.Context(), GateConfig{Evaluator: &leak{NewInline(), busy}, Script: compile(t, lastWins)})
	if !errors.Is(err, ErrBusy) {
		t.Errorf("no worker: %v", err)
	}
}

// What fails on recorded conflicts is listed; a gate that saw no result is
// void. Without conflicts the gate makes them up from the script's own words.
func TestGateReports(t *testing.T) {
	t.Parallel()
	r := gateOf(t, "def resolve(c):\n    fail(\"no\")\n", NewInline(), bank())
	if !r.Passed() || !r.Void() || len(r.Failed) != 1 || r.Failed[0].Want.Failure.Msg != "no" {
		t.Errorf("%+v", r)
	}
	r = gateOf(t, "def resolve(c):\n    return {\"n\": [type(s.doc[\"amount\"]) for s in c.siblings]}\n", NewInline())
	if !r.Passed() || r.Void() || r.Conflicts != generated {
		t.Errorf("%+v", r)
	}
	slow := gateOf(t, "def resolve(c):\n    for i in range(50000):\n        pass\n    return {}\n", NewInline())
	if slow.Complete || slow.Conflicts == 0 {
		t.Errorf("no end by steps: %+v", slow)
	}
}

// The same seed gives the same report.
func TestGateRepeats(t *testing.T) {
	t.Parallel()
	const source = "def resolve(c):\n    return {\"all\": [s.doc for s in c.siblings]}\n"
	one, other := gateOf(t, source, NewInline(), bank()), gateOf(t, source, NewInline(), bank())
	if !reflect.DeepEqual(one, other) {
		t.Errorf("%+v and %+v", one, other)
	}
}

// Up to four siblings all orders are tried, each once, the sorted one first and
// again.
func TestOrders(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]int{1: 2, 2: 3, 3: 7, 4: 25, 5: someOrders, 9: someOrders} {
		if got := orders(n, newRand()); len(got) != want || !reflect.DeepEqual(got[0], []int{0, 1, 2, 3, 4, 5, 6, 7, 8}[:n]) {
			t.Errorf("%d siblings: %v, want %d orders", n, got, want)
		}
	}
}

func newRand() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

func vclockTime(i int) vclock.Time { return vclock.Time(i + 1) }

// slowly is an evaluator that takes a second for each call.
type slowly struct{ Evaluator }

func (s slowly) Resolve(context.Context, *Script, *Conflict) (*Result, error) {
	time.Sleep(time.Second) // in the bubble's time
	return &Result{Verdict: Delete, Steps: 1}, nil
}

// "Every limit is a named constant": whoever stores a script does not wait for
// ever, and hears that the gate has not seen all.
func TestGateHasItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := Compile("r", "def resolve(conflict):\n    return DELETE\n")
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		report, err := Gate(t.Context(), GateConfig{Evaluator: slowly{}, Script: s, Seed: 1})
		if err != nil || report.Complete || report.Conflicts == 0 || !report.Passed() {
			t.Errorf("%+v, %v", report, err)
		}
		if took := time.Since(start); took > MaxGateTime+time.Second {
			t.Errorf("it took %s", took)
		}
	})
}
