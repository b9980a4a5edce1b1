package script

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// The checks of the gate.
const (
	// CheckOrder: siblings handed over in another order gave another result.
	// The script, or what runs it, is no function of the set.
	CheckOrder = "order"
	// CheckWorker: a worker did not survive the script on this node.
	CheckWorker = "worker"
	// CheckGrouping: settling two siblings first and the rest later gives
	// another result than settling all at once. Both are the same on every
	// node; but what people see depends on when the cut ended.
	CheckGrouping = "grouping"
	// CheckFails: the script fails on the conflict, on every node alike.
	CheckFails = "fails"
	// CheckMembers: the same documents with their members in another order
	// gave another result.
	CheckMembers = "members"
)

// GateConfig is what the convergence gate works on.
type GateConfig struct {
	Evaluator Evaluator
	Script    *Script
	Recorded  []*Conflict // conflicts that happened; at most MaxRecorded are looked at
	Tests     []*TestResult
	Seed      uint64 // of the conflicts that are made up
}

// Report is what the gate found.
type Report struct {
	Conflicts int    // looked at
	Resolved  int    // of them, those that the script did not fail on
	Runs      int    // calls of resolve
	Complete  bool   // false when MaxGateSteps or MaxGateTime ended it early
	Diverged  []Case // reasons to refuse the script: CheckOrder, CheckWorker
	Warnings  []Case // CheckGrouping, CheckMembers
	Failed    []Case // CheckFails, of recorded conflicts only
}

// Case is an example for a finding.
type Case struct {
	Check    string
	Conflict *Conflict
	How      string  // in words
	Want     *Result // for the siblings all at once, sorted
	Got      *Result // what came out otherwise; nil for CheckFails and a first CheckWorker
}

// Passed says whether the script may be stored.
func (r *Report) Passed() bool { return len(r.Diverged) == 0 }

// Void says that the gate proved nothing, since no conflict was resolved.
func (r *Report) Void() bool { return r.Resolved == 0 }

// Gate looks for a conflict on which a script's result depends on more than
// the set of siblings. It takes recorded conflicts, those of the script's
// tests, and made-up ones; hands the siblings over in each order (up to four;
// beyond, in a sample of orders); then groups them and turns their members
// round. The same seed gives the same report, if it had the time to complete.
func Gate(ctx context.Context, c GateConfig) (*Report, error) {
	g := &gate{GateConfig: c, report: &Report{Complete: true}, rnd: rand.New(rand.NewPCG(c.Seed, 0)), until: time.Now().Add(MaxGateTime)}
	recorded := c.Recorded[:min(len(c.Recorded), MaxRecorded)]
	var samples []*Conflict
	for _, t := range c.Tests {
		samples = append(samples, t.Samples...)
	}
	made := generator{rnd: g.rnd, samples: slices.Concat(recorded, samples), words: c.Script.strings}.all()
	for i, one := range slices.Concat(recorded, samples, made) {
		if g.steps > MaxGateSteps || len(g.report.Diverged) >= MaxCases {
			g.report.Complete = false
			break
		}
		err := g.examine(ctx, one, i < len(recorded))
		if errors.Is(err, errGateTime) {
			g.report.Complete = false
			break
		}
		if err != nil {
			return nil, err
		}
	}
	return g.report, nil
}

// gate is one run of the gate.
type gate struct {
	GateConfig
	report *Report
	rnd    *rand.Rand
	steps  uint64
	until  time.Time // when it has taken long enough
}

// errGateTime ends a gate that has taken long enough.
var errGateTime = errors.New("script: the gate has had its time")

// resolve runs the script once.
func (g *gate) resolve(ctx context.Context, c *Conflict) (*Result, error) {
	if time.Now().After(g.until) {
		return nil, errGateTime
	}
	r, err := g.Evaluator.Resolve(ctx, g.Script, c)
	if err != nil {
		return nil, err
	}
	g.report.Runs++
	g.steps += r.Steps
	return r, nil
}

// note keeps a finding, up to MaxCases of a sort.
func note(list *[]Case, c Case) {
	if len(*list) < MaxCases {
		*list = append(*list, c)
	}
}

// examine puts one conflict to all checks.
func (g *gate) examine(ctx context.Context, c *Conflict, recorded bool) error {
	sorted := *c
	sorted.Siblings = slices.SortedFunc(slices.Values(c.Siblings), Sibling.before)
	want, err := g.resolve(ctx, &sorted)
	if err != nil {
		return err
	}
	g.report.Conflicts++
	if want.Verdict == Failed && want.Failure.Kind.Local() {
		note(&g.report.Diverged, Case{CheckWorker, c, "the worker did not survive", want, nil})
		return nil
	}
	if want.Verdict != Failed {
		g.report.Resolved++
	} else if recorded {
		note(&g.report.Failed, Case{CheckFails, c, "the script fails", want, nil})
	}
	if err := g.orders(ctx, &sorted, want); err != nil || want.Verdict == Failed {
		return err
	}
	if err := g.members(ctx, &sorted, want); err != nil {
		return err
	}
	return g.groupings(ctx, &sorted, want)
}

// orders hands the siblings over in other orders. The first one is repeated, so
// that a script's second call is compared too.
func (g *gate) orders(ctx context.Context, c *Conflict, want *Result) error {
	for _, order := range orders(len(c.Siblings), g.rnd) {
		other := *c
		other.Siblings = make([]Sibling, len(order))
		for i, from := range order {
			other.Siblings[i] = c.Siblings[from]
		}
		got, err := g.resolve(ctx, &other)
		switch {
		case err != nil:
			return err
		case got.Verdict == Failed && got.Failure.Kind.Local():
			note(&g.report.Diverged, Case{CheckWorker, &other, "the worker did not survive", want, got})
			return nil
		case !sameResult(want, got):
			note(&g.report.Diverged, Case{CheckOrder, &other, fmt.Sprintf("siblings in the order %v", order), want, got})
			return nil
		}
	}
	return nil
}

const (
	// allOrders is up to how many siblings all orders are tried.
	allOrders = 4
	// someOrders is how many orders are tried beyond: as many as 4 siblings have.
	someOrders = 24
)

// orders lists orders of n things, the sorted one first.
func orders(n int, rnd *rand.Rand) [][]int {
	first := make([]int, n)
	for i := range first {
		first[i] = i
	}
	out := [][]int{first}
	if n > allOrders {
		for len(out) < someOrders {
			out = append(out, rnd.Perm(n))
		}
		return out
	}
	var extend func(prefix []int)
	extend = func(prefix []int) {
		if len(prefix) == n {
			out = append(out, slices.Clone(prefix))
			return
		}
		for i := range n {
			if !slices.Contains(prefix, i) {
				extend(append(prefix, i))
			}
		}
	}
	extend(nil)
	return out
}

// sameResult says whether two results are the same in everything.
func sameResult(a, b *Result) bool {
	sameFailure := (a.Failure == nil) == (b.Failure == nil)
	if sameFailure && a.Failure != nil {
		x, y := a.Failure, b.Failure
		sameFailure = x.Kind == y.Kind && x.Msg == y.Msg && x.Line == y.Line && x.Column == y.Column && slices.Equal(x.Backtrace, y.Backtrace)
	}
	return sameFailure && a.Verdict == b.Verdict && bytes.Equal(a.Doc, b.Doc) && a.Output == b.Output && a.Steps == b.Steps &&
		slices.Equal(a.Notes, b.Notes) &&
		slices.EqualFunc(a.Events, b.Events, func(x, y Event) bool { return x.Name == y.Name && bytes.Equal(x.Data, y.Data) })
}

// sameValue says whether two results are the same document.
func sameValue(a, b *Result) (bool, error) {
	if a.Verdict != b.Verdict {
		return false, nil
	}
	changes, _, err := Diff(a.Doc, b.Doc)
	return len(changes) == 0, err
}

// members turns the members of all documents round.
func (g *gate) members(ctx context.Context, c *Conflict, want *Result) error {
	other, err := turned(c)
	if err != nil {
		return err
	}
	got, err := g.resolve(ctx, other)
	if err != nil {
		return err
	}
	if got.Verdict == Failed && got.Failure.Kind.Local() {
		note(&g.report.Diverged, Case{CheckWorker, other, "the worker did not survive", want, got})
		return nil
	}
	if same, err := sameValue(want, got); err != nil || same {
		return err
	}
	note(&g.report.Warnings, Case{CheckMembers, other, "members of all objects in the other order", want, got})
	return nil
}

// groupings settles two siblings first, and then the rest with the outcome, one
// by one. A set that the script defers or fails on does not get smaller.
func (g *gate) groupings(ctx context.Context, c *Conflict, want *Result) error {
	n := len(c.Siblings)
	if n < 3 || !summable(c) {
		return nil
	}
	for _, order := range orders(min(n, 3), g.rnd)[1:] {
		for i := len(order); i < n; i++ {
			order = append(order, i)
		}
		got, err := g.fold(ctx, c, order)
		if err != nil {
			return err
		}
		if got == nil {
			continue
		}
		if same, err := sameValue(want, got); err != nil {
			return err
		} else if !same {
			note(&g.report.Warnings, Case{CheckGrouping, c, "settled one after the other: " + dots(c, order), want, got})
			return nil
		}
	}
	return nil
}

func dots(c *Conflict, order []int) string {
	var names []string
	for _, i := range order {
		names = append(names, c.Siblings[i].Dot.String())
	}
	return strings.Join(names, ", ")
}

// fold settles siblings one after the other. It is nil where that is not
// possible.
func (g *gate) fold(ctx context.Context, c *Conflict, order []int) (*Result, error) {
	settled := c.Siblings[order[0]]
	var last *Result
	for _, i := range order[1:] {
		next := c.Siblings[i]
		part := *c
		part.Siblings = []Sibling{settled, next}
		if !resum(&part) {
			return nil, nil //nolint:nilnil // no result and no error: nothing to compare
		}
		r, err := g.resolve(ctx, &part)
		if err != nil {
			return nil, err
		}
		if r.Verdict != Value && r.Verdict != Delete {
			return nil, nil //nolint:nilnil // a deferred set stays as it is
		}
		last = r
		if settled.before(next) < 0 { // a settlement has the time of its newest sibling (D8)
			settled = next
		}
		settled.Deleted, settled.Doc = r.Verdict == Delete, r.Doc
	}
	return last, nil
}
