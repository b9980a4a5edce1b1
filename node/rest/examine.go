package rest

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/conflict/script"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

const (
	// maxGateBytes is how many bytes of recorded conflicts the gate looks at.
	maxGateBytes = 32 << 20
	// maxCaseBytes is the longest document that a report shows, in bytes; a longer
	// one is null there.
	maxCaseBytes = 16 << 10
)

// examination is what is found out about a source before it is stored.
type examination struct {
	OK       bool             `json:"ok"`
	Hash     string           `json:"hash"`
	Problems []script.Problem `json:"problems"` // why it does not compile
	Tests    []testJSON       `json:"tests"`
	Gate     *gateJSON        `json:"gate"` // null: it was not looked at, since it does not compile

	script *script.Script // nil when it does not compile
}

// testJSON is the outcome of one test_ function.
type testJSON struct {
	Name    string          `json:"name"`
	Passed  bool            `json:"passed"`
	Failure *script.Failure `json:"failure"`
	Output  string          `json:"output"`
	Steps   uint64          `json:"steps"`
}

// gateJSON is what the convergence gate found.
type gateJSON struct {
	Passed    bool       `json:"passed"`
	Conflicts int        `json:"conflicts"` // looked at
	Resolved  int        `json:"resolved"`  // of them, those that it did not fail on
	Runs      int        `json:"runs"`
	Complete  bool       `json:"complete"` // false: the gate's steps were used up
	Diverged  []caseJSON `json:"diverged"` // reasons to refuse it
	Warnings  []caseJSON `json:"warnings"` // its result depends on grouping or spelling
	Failed    []caseJSON `json:"failed"`   // recorded conflicts that it fails on
}

// caseJSON is an example for a finding.
type caseJSON struct {
	Check    string       `json:"check"`
	How      string       `json:"how"`
	Conflict caseConflict `json:"conflict"`
	Want     *resultJSON  `json:"want"`
	Got      *resultJSON  `json:"got"`
}

// caseConflict is the conflict of an example.
type caseConflict struct {
	Collection string            `json:"collection"`
	ID         string            `json:"id"`
	Siblings   []caseSibling     `json:"siblings"`
	Base       json.RawMessage   `json:"base"`
	BaseExact  bool              `json:"base_exact"`
	Sums       map[string]string `json:"sums,omitempty"`
}

type caseSibling struct {
	Dot     vclock.Dot      `json:"dot"`
	Node    string          `json:"node"`
	Time    vclock.Time     `json:"time"`
	Deleted bool            `json:"deleted"`
	Doc     json.RawMessage `json:"doc"`
}

// resultJSON is what a script made of a conflict.
type resultJSON struct {
	Verdict script.Verdict      `json:"verdict"`
	Doc     json.RawMessage     `json:"doc"`
	Notes   []string            `json:"notes"`
	Events  []conflict.RunEvent `json:"events"`
	Output  string              `json:"output"`
	Steps   uint64              `json:"steps"`
	Failure *script.Failure     `json:"failure"`
}

// errNoScripts is the answer of a process that cannot run resolvers.
func errNoScripts() error {
	return &node.Error{Op: "resolver", Kind: node.Busy, Err: errors.New("this node runs no resolvers")}
}

// scriptError is the error of a run of which nothing is known.
func scriptError(err error) error {
	return &node.Error{Op: "resolver", Kind: node.Busy, Err: err}
}

// examine compiles a source, runs its tests, and puts it through the gate, with
// the conflicts on record of the collections that use it.
func (s *Server) examine(ctx context.Context, name, source string, used []conflict.Collection) (*examination, error) {
	if s.cfg.Scripts == nil {
		return nil, errNoScripts()
	}
	x := &examination{Hash: conflict.ScriptVersion(source), Problems: []script.Problem{}, Tests: []testJSON{}}
	compiled, err := script.Compile(name, source)
	if wrong, ok := errors.AsType[*script.CompileError](err); ok {
		x.Problems = wrong.Problems
		return x, nil
	}
	if err != nil {
		return nil, err
	}
	x.script = compiled
	tests, err := script.RunTests(ctx, s.cfg.Scripts, compiled)
	if err != nil {
		return nil, scriptError(err)
	}
	x.OK = true
	for _, t := range tests {
		x.Tests = append(x.Tests, testJSON{t.Name, t.Passed(), t.Failure, t.Output, t.Steps})
		x.OK = x.OK && t.Passed()
	}
	recorded, err := s.recordedFor(ctx, used)
	if err != nil {
		return nil, err
	}
	hash := compiled.Hash()
	report, err := script.Gate(ctx, script.GateConfig{
		Evaluator: s.cfg.Scripts, Script: compiled, Recorded: recorded, Tests: tests,
		Seed: binary.BigEndian.Uint64(hash[:]), // the same on every node, whoever stores it
	})
	if err != nil {
		return nil, scriptError(err)
	}
	x.Gate = showGate(report)
	x.OK = x.OK && report.Passed()
	return x, nil
}

// recordedFor reads conflicts on record of these collections, as many as the
// gate takes.
func (s *Server) recordedFor(ctx context.Context, used []conflict.Collection) ([]*script.Conflict, error) {
	var out []*script.Conflict
	size := 0
	for _, name := range used {
		for _, state := range []node.ConflictState{node.ConflictSettled, node.ConflictReviewed} {
			page, err := s.engine.Conflicts(ctx, node.ConflictQuery{State: state, Collection: name, Limit: script.MaxRecorded})
			if err != nil {
				return nil, err
			}
			for i := range page.Conflicts {
				if len(out) == script.MaxRecorded || size > maxGateBytes {
					return out, nil
				}
				one, err := s.engine.Recorded(ctx, page.Conflicts[i].Record)
				if node.KindOf(err) == node.NotFound && err != nil {
					continue // its bodies are not kept any more
				}
				if err != nil {
					return nil, err
				}
				out = append(out, conflictOf(&one.Case))
				for _, v := range one.Siblings {
					size += len(v.Body)
				}
			}
		}
	}
	return out, nil
}

// conflictOf is a case as scripts are asked about it.
func conflictOf(c *node.Case) *script.Conflict {
	return &script.Conflict{
		Collection: string(c.Collection), ID: string(c.ID), Siblings: script.SiblingsOf(c.Siblings),
		Base: c.Base, BaseExact: c.BaseExact, Sums: c.Sums, MaxBody: c.MaxBody,
	}
}

func showGate(r *script.Report) *gateJSON {
	return &gateJSON{
		Passed: r.Passed(), Conflicts: r.Conflicts, Resolved: r.Resolved, Runs: r.Runs, Complete: r.Complete,
		Diverged: showCases(r.Diverged), Warnings: showCases(r.Warnings), Failed: showCases(r.Failed),
	}
}

func showCases(cases []script.Case) []caseJSON {
	out := make([]caseJSON, len(cases))
	for i, c := range cases {
		out[i] = caseJSON{c.Check, c.How, showConflict(c.Conflict), showResult(c.Want, maxCaseBytes), showResult(c.Got, maxCaseBytes)}
	}
	return out
}

func showConflict(c *script.Conflict) caseConflict {
	out := caseConflict{
		Collection: c.Collection, ID: c.ID, Siblings: make([]caseSibling, len(c.Siblings)),
		Base: upTo(c.Base, maxCaseBytes), BaseExact: c.BaseExact, Sums: c.Sums,
	}
	for i, one := range c.Siblings {
		out.Siblings[i] = caseSibling{one.Dot, one.Dot.Actor.Node(), one.Time, one.Deleted, upTo(one.Doc, maxCaseBytes)}
	}
	return out
}

// showResult shows a result, nil for none, with its document up to a limit in
// bytes.
func showResult(r *script.Result, limit int) *resultJSON {
	if r == nil {
		return nil
	}
	out := &resultJSON{Verdict: r.Verdict, Notes: r.Notes, Events: []conflict.RunEvent{}, Output: r.Output, Steps: r.Steps, Failure: r.Failure}
	if out.Notes == nil {
		out.Notes = []string{}
	}
	for _, e := range r.Events {
		out.Events = append(out.Events, conflict.RunEvent{Name: e.Name, Data: e.Data})
	}
	out.Doc = upTo(r.Doc, limit)
	return out
}

// upTo is a document, or null where there is none or it is longer.
func upTo(doc []byte, limit int) json.RawMessage {
	if len(doc) == 0 || len(doc) > limit {
		return nil
	}
	return doc
}
