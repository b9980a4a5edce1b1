package rest

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/conflict/script"
	"github.com/syncline/syncline/node"
)

const (
	// MaxDryRun is the most recorded conflicts of one dry run.
	MaxDryRun = 10_000
	// defaultDryRun is how many it takes when nobody says.
	defaultDryRun = 1000
	// dryRunPage is how many records are read at once.
	dryRunPage = 100
)

// The outcomes of a dry run for one conflict.
const (
	drySame     = "same"
	dryChanged  = "changed"
	dryFailed   = "failed"
	dryDeferred = "deferred"
	dryUnknown  = "unknown" // what the conflict ended with, or was, is not kept
)

// dryRun is a replay of a candidate over conflicts on record. It writes nothing.
type dryRun struct {
	s         *Server
	w         http.ResponseWriter
	rc        *http.ResponseController
	candidate *script.Script
	query     node.ConflictQuery // without a state: settled, then reviewed
	limit     int

	begun  bool
	counts dryCounts
}

// dryCounts end the answer.
type dryCounts struct {
	Done     bool   `json:"done"`
	Hash     string `json:"hash"` // of the candidate
	Records  int    `json:"records"`
	Same     int    `json:"same"`
	Changed  int    `json:"changed"`
	Failed   int    `json:"failed"`
	Deferred int    `json:"deferred"`
	Unknown  int    `json:"unknown"`
	More     bool   `json:"more"` // the limit was reached, and there are others
}

// dryValue is a value that a conflict ended with, or would have.
type dryValue struct {
	Deleted bool            `json:"deleted"`
	Doc     json.RawMessage `json:"doc"`
}

// dryLine is the outcome for one conflict.
type dryLine struct {
	ID         string              `json:"id"`
	Collection conflict.Collection `json:"collection"`
	DocID      conflict.DocID      `json:"doc_id"`
	By         conflict.Decider    `json:"by"` // who ended it
	Outcome    string              `json:"outcome"`
	Recorded   *dryValue           `json:"recorded"`
	Candidate  *dryValue           `json:"candidate"` // null: it gave no value
	Diff       []script.Change     `json:"diff"`
	DiffMore   bool                `json:"diff_more"`
	Notes      []string            `json:"notes"`
	Failure    *script.Failure     `json:"failure"`
	Reason     string              `json:"reason,omitempty"` // why the outcome is unknown
}

// dryRunResolver replays a resolver, or a candidate for its next version.
func (s *Server) dryRunResolver(c echo.Context) error {
	r := c.Request()
	name, err := resolverName(c)
	if err != nil {
		return err
	}
	if err := acceptable(r, typeNDJSON); err != nil {
		return err
	}
	body, err := readBody(r, maxQuoted)
	if err != nil {
		return err
	}
	run, err := s.readDryRun(body, name)
	if err != nil {
		return err
	}
	if err := s.fresh(c); err != nil {
		return err
	}
	if s.cfg.Scripts == nil {
		return errNoScripts()
	}
	h := c.Response().Header()
	h[headType], h[headCache] = valueNDJSON, valueNoStore
	run.w, run.rc = c.Response().Writer, http.NewResponseController(c.Response().Writer)
	err = run.run(r.Context())
	if err != nil && run.begun {
		s.cfg.Log.Debug("a dry run was broken off", "resolver", name, "error", err)
		panic(http.ErrAbortHandler) // without its last line, the rest is unknown
	}
	return err
}

// readDryRun reads what is to be replayed over what.
func (s *Server) readDryRun(body []byte, name string) (*dryRun, error) {
	run := &dryRun{s: s, limit: defaultDryRun}
	m := &members{}
	var err error
	if len(body) > 0 {
		if m, err = readMembers(body); err != nil {
			return nil, err
		}
	}
	m.only("source", "filter", "limit")
	if n := m.number("limit", MaxDryRun); n > 0 {
		run.limit = n
	}
	filter := m.object("filter")
	filter.only("c", "by", "state")
	if filter.has("c") {
		if run.query.Collection, err = conflict.ParseCollection(filter.text("c")); err != nil {
			filter.fail("filter.c: %w", err)
		}
	}
	run.query.By = conflict.Decider(filter.oneOf("by", string(conflict.ByPolicy), string(conflict.ByScript), string(conflict.ByPerson), string(conflict.Overwritten)))
	run.query.State = node.ConflictState(filter.oneOf("state", string(node.ConflictSettled), string(node.ConflictReviewed)))
	if filter.err != nil {
		m.fail("filter: %w", filter.err)
	}
	if m.err != nil {
		return nil, invalid(m.err)
	}
	source := m.text("source")
	if !m.has("source") {
		stored, err := s.engine.ScriptOf(name)
		if err != nil {
			return nil, err
		}
		source = stored.Source
	}
	if m.err != nil {
		return nil, invalid(m.err)
	}
	run.counts.Hash = conflict.ScriptVersion(source)
	run.candidate, err = script.Compile(name, source)
	if wrong, ok := errors.AsType[*script.CompileError](err); ok {
		return nil, &examinationError{name, &examination{Problems: wrong.Problems}}
	}
	return run, err
}

// oneOf is a member that has one of some texts, or is absent.
func (m *members) oneOf(name string, values ...string) string {
	if !m.has(name) {
		return ""
	}
	text := m.text(name)
	if slices.Contains(values, text) {
		return text
	}
	m.fail("%s is %.40q: want one of %q", name, text, values)
	return ""
}

// run goes through the records. An error breaks the answer off, without its last
// line.
func (d *dryRun) run(ctx context.Context) error {
	states := []node.ConflictState{d.query.State}
	if d.query.State == "" {
		states = []node.ConflictState{node.ConflictSettled, node.ConflictReviewed}
	}
	for _, state := range states {
		q := d.query
		q.State, q.Limit = state, dryRunPage
		for {
			page, err := d.s.engine.Conflicts(ctx, q)
			if err != nil {
				return err
			}
			for i := range page.Conflicts {
				if d.counts.Records == d.limit {
					d.counts.More = true
					return d.end()
				}
				if err := d.one(ctx, page.Conflicts[i].Record); err != nil {
					return err
				}
			}
			if q.Cursor = page.Next; q.Cursor == "" {
				break
			}
		}
	}
	return d.end()
}

func (d *dryRun) end() error {
	d.counts.Done = true
	return d.write(d.counts)
}

// one asks the candidate about one conflict.
func (d *dryRun) one(ctx context.Context, r *conflict.Record) error {
	d.counts.Records++
	line := dryLine{ID: r.ID, Collection: r.Collection, DocID: r.DocID, By: r.By, Diff: []script.Change{}, Notes: []string{}}
	was, err := d.s.engine.Recorded(ctx, r)
	if node.KindOf(err) == node.NotFound && err != nil {
		line.Reason = err.Error()
		return d.count(line, dryUnknown)
	}
	if err != nil {
		return err
	}
	if was.Deleted || was.Result != nil {
		line.Recorded = &dryValue{was.Deleted, was.Result}
	}
	result, err := d.s.cfg.Scripts.Resolve(ctx, d.candidate, conflictOf(&was.Case))
	if err != nil {
		return scriptError(err)
	}
	line.Failure = result.Failure
	if result.Notes != nil {
		line.Notes = result.Notes
	}
	switch result.Verdict {
	case script.Failed:
		return d.count(line, dryFailed)
	case script.Defer:
		return d.count(line, dryDeferred)
	case script.Value, script.Delete:
	}
	line.Candidate = &dryValue{result.Verdict == script.Delete, result.Doc}
	if line.Recorded == nil {
		line.Reason = "what the conflict ended with is not on record"
		return d.count(line, dryUnknown)
	}
	if line.Diff, line.DiffMore, err = script.Diff(was.Result, result.Doc); err != nil {
		return &node.Error{Op: "dry-run", Kind: node.Corrupt, Key: r.ID, Err: err}
	}
	if line.Diff == nil {
		line.Diff = []script.Change{}
	}
	if len(line.Diff) == 0 && line.Candidate.Deleted == was.Deleted {
		return d.count(line, drySame)
	}
	return d.count(line, dryChanged)
}

// count counts an outcome and sends its line.
func (d *dryRun) count(line dryLine, outcome string) error {
	line.Outcome = outcome
	switch outcome {
	case drySame:
		d.counts.Same++
	case dryChanged:
		d.counts.Changed++
	case dryFailed:
		d.counts.Failed++
	case dryDeferred:
		d.counts.Deferred++
	default:
		d.counts.Unknown++
	}
	return d.write(line)
}

// write sends one line. A client that does not read it in time has gone.
func (d *dryRun) write(line any) error {
	d.begun = true
	// A writer without a connection (a test's) has no deadline to set.
	_ = d.rc.SetWriteDeadline(time.Now().Add(writeStall))
	if _, err := d.w.Write(append(mustJSON(line), '\n')); err != nil {
		return err
	}
	return d.rc.Flush()
}
