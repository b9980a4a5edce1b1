package chaos

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/syncline/syncline/client"
	"github.com/syncline/syncline/scripts/chaos/history"
)

// questionFunctions look at the cluster and say what must be.
func questionFunctions() []function {
	within := optional("within", aWait)
	return []function{
		{name: "nodes", do: (*run).listNodes},
		{name: "writers", do: (*run).writers},
		{name: "state", params: []param{required("at", aNode)}, do: (*run).state},
		{name: "conflicts", params: []param{required("at", aNode)}, do: (*run).conflicts},
		{name: "expect", params: []param{required("holds", anyValue), required("what", aText)}, do: (*run).expect},
		{name: "eventually", params: []param{required("holds", aFunc), required("what", aText), within}, do: (*run).eventually},
		{name: "always", params: []param{required("holds", aFunc), required("what", aText), required("lasts", aWait)}, do: (*run).always},
		{name: "converged", params: []param{within}, do: (*run).convergedCall},
		{name: "accounted", do: (*run).accountedCall},
	}
}

func (r *run) listNodes(*arguments) (starlark.Value, error) { return nameList(r.spec.Data), nil }

// writers lists the data nodes that call themselves writable, in order.
func (r *run) writers(*arguments) (starlark.Value, error) {
	var out []string
	for _, name := range r.spec.Data {
		if !r.book.isDown(name) && r.stateOf(r.ctx, name) == history.Writable {
			out = append(out, name)
		}
	}
	return nameList(out), r.ctx.Err()
}

// state is what a node says of itself; all of it is empty when it is silent.
func (r *run) state(a *arguments) (starlark.Value, error) {
	c := &client.Cluster{}
	answers := false
	if name := a.text("at"); !r.book.isDown(name) {
		ctx, cancel := context.WithTimeout(r.ctx, observeTimeout)
		defer cancel()
		if asked, err := r.node(name).Cluster(ctx); err == nil {
			c, answers = asked, true
		}
	}
	return starlarkstruct.FromStringDict(starlark.String("state"), starlark.StringDict{
		"answers": starlark.Bool(answers), "write": starlark.String(c.Write.State), "cause": starlark.String(c.Write.Cause),
		"have": starlark.MakeInt(c.Write.Votes.Have), "need": starlark.MakeInt(c.Write.Votes.Need), "of": starlark.MakeInt(c.Write.Votes.Of),
		"catching_up": starlark.Bool(c.CatchingUp),
	}), r.ctx.Err()
}

// conflicts counts the conflicts since the beginning of the run; None when the
// node does not answer.
func (r *run) conflicts(a *arguments) (starlark.Value, error) {
	name := a.text("at")
	ctx, cancel := context.WithTimeout(r.ctx, observeTimeout)
	defer cancel()
	n, err := r.node(name).ConflictCounts(ctx, client.Options{})
	if err != nil {
		return starlark.None, r.ctx.Err()
	}
	return starlarkstruct.FromStringDict(starlark.String("conflicts"), starlark.StringDict{
		"open": starlark.MakeInt64(n.Open), "settled": starlark.MakeInt64(n.Records - r.before[name].Records),
	}), nil
}

// claim notes an expectation; one that does not hold ends the script.
func (r *run) claim(at position, holds bool, what string) error {
	outcome, kind, sign := history.OK, StepClaim, "✓ "
	if !holds {
		outcome, kind, sign = history.Refused, StepWrong, "✗ NOT TRUE: "
	}
	r.book.say(kind, at, sign+what)
	r.book.add(r.cfg.Now(), history.Record{Client: scriptClient, Op: history.OpClaim, Text: what, Outcome: outcome, At: at.source()})
	if holds {
		return nil
	}
	return &Failure{at.file, at.line, at.col, what}
}

func (r *run) expect(a *arguments) (starlark.Value, error) {
	return nil, r.claim(a.at, bool(a.values["holds"].Truth()), a.text("what"))
}

// eventually calls a function until what it returns is true.
func (r *run) eventually(a *arguments) (starlark.Value, error) {
	within := a.span("within", DefaultWithin)
	thread := &starlark.Thread{Name: "eventually"}
	thread.SetMaxExecutionSteps(MaxSteps)
	defer context.AfterFunc(r.ctx, func() { thread.Cancel("stopped") })()
	begun := r.cfg.Now()
	r.book.say(StepWait, a.at, fmt.Sprintf("wait for at most %s until %s", within, a.text("what")))
	last := starlark.Value(starlark.None)
	ok, err := r.await(within, func() (bool, error) {
		v, err := starlark.Call(thread, a.values["holds"], nil, nil)
		if err != nil {
			return false, err
		}
		last = v
		return bool(v.Truth()), nil
	})
	if err != nil {
		return nil, err
	}
	what := a.text("what")
	if ok {
		what += fmt.Sprintf(" (after %s)", r.cfg.Now().Sub(begun).Round(time.Millisecond))
	} else {
		what += fmt.Sprintf(" (not within %s)", within)
	}
	return last, r.claim(a.at, ok, what)
}

// converged ends every load and waits until all data nodes are equal.
func (r *run) convergedCall(a *arguments) (starlark.Value, error) {
	r.stopLoads()
	if err := r.converge(a.at, a.span("within", DefaultWithin)); err != nil {
		return nil, err
	}
	return starlark.Float(r.converged.Seconds()), nil
}

// converge waits until the data nodes have one frontier, nothing loose, equal
// digests, and no open conflict that would be settled by itself (PROTOCOL D12).
func (r *run) converge(at position, within time.Duration) error {
	begun := r.cfg.Now()
	r.book.say(StepWait, at, fmt.Sprintf("wait for at most %s until all data nodes are equal", within))
	why := errors.New("nobody was asked")
	ok, err := r.await(within, func() (bool, error) {
		why = r.differ()
		return why == nil, nil
	})
	if err != nil {
		return err
	}
	r.converged = r.cfg.Now().Sub(begun)
	r.equal = ok
	if !ok {
		return r.claim(at, false, fmt.Sprintf("all data nodes are equal (not within %s: %s)", within, why))
	}
	return r.claim(at, true, fmt.Sprintf("all data nodes are equal (after %s)", r.converged.Round(time.Millisecond)))
}

// differ says how the data nodes differ, nil when they are equal.
func (r *run) differ() error {
	var first *client.Verify
	for _, name := range r.spec.Data {
		ctx, cancel := context.WithTimeout(r.ctx, opTimeout)
		v, err := r.node(name).Verify(ctx, client.Options{})
		cancel()
		switch {
		case err != nil:
			return fmt.Errorf("%s does not answer: %w", name, err)
		case v.Loose > 0:
			return fmt.Errorf("%s has %d loose versions", name, v.Loose)
		case first == nil:
			first = v
		case !maps.Equal(first.Frontier, v.Frontier):
			return fmt.Errorf("%s and %s have other frontiers", first.Name, v.Name)
		default:
			if err := unequal(first, v); err != nil {
				return err
			}
		}
	}
	return nil
}

// unequal compares digests at equal frontiers, where nothing will mend them.
func unequal(x, y *client.Verify) error {
	all := slices.Collect(maps.Keys(x.Collections))
	for c := range y.Collections {
		if !slices.Contains(all, c) {
			all = append(all, c)
		}
	}
	for _, c := range all {
		p, q := x.Collections[c], y.Collections[c]
		if p.Documents+q.Documents > 0 && (p.Digest != q.Digest || p.Documents != q.Documents) {
			return fmt.Errorf("DIVERGED: %s differs between %s and %s at equal frontiers", c, x.Name, y.Name)
		}
	}
	return nil
}

// accounted ends every load, reads every key of the history at every node, and
// runs the checkers.
func (r *run) accountedCall(a *arguments) (starlark.Value, error) {
	r.stopLoads()
	if !r.equal {
		if err := r.converge(a.at, DefaultWithin); err != nil {
			return nil, err
		}
	}
	return nil, r.account(a.at)
}

// account claims that every acknowledged write is accounted for.
func (r *run) account(at position) error {
	begun := r.cfg.Now()
	r.book.say(StepWait, at, "read all that was written at every data node, and account for it")
	if err := r.finalReads(); err != nil {
		return fmt.Errorf("the final reads: %w", err)
	}
	results, err := history.Check(r.book.history())
	if err != nil {
		return err
	}
	r.accounted = true
	checked, wrong := 0, []string{}
	for _, one := range results {
		checked += one.Checked
		wrong = append(wrong, one.Findings...)
	}
	what := fmt.Sprintf("everything is accounted for (%d things checked in %s)", checked, r.cfg.Now().Sub(begun).Round(time.Millisecond))
	if len(wrong) > 0 {
		what += ": " + strings.Join(wrong[:min(len(wrong), 3)], "; ")
	}
	return r.claim(at, len(wrong) == 0, what)
}
