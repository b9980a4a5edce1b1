package client

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
)

// Resolver is a script that settles conflicts, or one version of it.
type Resolver struct {
	Reply  `json:"-"`
	Name   string   `json:"name"`
	Hash   string   `json:"hash"` // names the version by its source
	Who    string   `json:"who"`
	At     string   `json:"at"`      // RFC 3339, a logical counter in its last digits
	UsedBy []string `json:"used_by"` // collections whose policy names it
	ETag   string   `json:"etag"`    // with its quotes: PutOptions.IfMatch
	Source string   `json:"source"`  // Starlark; only of Resolver

	// What was found out when it was stored; only of PutResolver.
	Tests []ScriptTest `json:"tests,omitempty"`
	Gate  *Gate        `json:"gate,omitempty"`
}

func (r *Resolver) setReply(reply Reply) { r.Reply = reply }

// ResolverVersion is one version of a resolver that is kept.
type ResolverVersion struct {
	Hash    string `json:"hash"`
	Who     string `json:"who"`
	At      string `json:"at"` // when it was first stored
	Present bool   `json:"present"`
	Source  string `json:"source"`
}

// ScriptProblem is a reason why a source does not compile.
type ScriptProblem struct {
	Line   int    `json:"line"`   // from 1
	Column int    `json:"column"` // from 1
	Msg    string `json:"msg"`
}

// ScriptFailure says why a call of a script failed.
type ScriptFailure struct {
	Kind   string `json:"kind"`
	Msg    string `json:"msg"`
	Line   int    `json:"line,omitempty"` // from 1; 0: no place
	Column int    `json:"column,omitempty"`
}

// String shows place and message.
func (f *ScriptFailure) String() string {
	if f.Line == 0 {
		return f.Kind + ": " + f.Msg
	}
	return fmt.Sprintf("%s at %d:%d: %s", f.Kind, f.Line, f.Column, f.Msg)
}

// ScriptTest is the outcome of one test_ function.
type ScriptTest struct {
	Name    string         `json:"name"`
	Passed  bool           `json:"passed"`
	Failure *ScriptFailure `json:"failure"` // nil: it passed
	Output  string         `json:"output"`
	Steps   uint64         `json:"steps"`
}

// Gate is what the convergence gate found: whether a result depends on anything
// but the set of siblings.
type Gate struct {
	Passed    bool       `json:"passed"`
	Conflicts int        `json:"conflicts"` // looked at
	Resolved  int        `json:"resolved"`  // 0: nothing is known
	Runs      int        `json:"runs"`
	Complete  bool       `json:"complete"`
	Diverged  []GateCase `json:"diverged"` // why it is refused
	Warnings  []GateCase `json:"warnings"` // it depends on grouping, or on spelling
	Failed    []GateCase `json:"failed"`   // conflicts on record that it fails on
}

// GateCase is an example for a finding.
type GateCase struct {
	Check    string          `json:"check"` // order, worker, grouping, fails, members
	How      string          `json:"how"`   // in words
	Conflict json.RawMessage `json:"conflict"`
	Want     *ScriptResult   `json:"want"`
	Got      *ScriptResult   `json:"got"`
}

// ScriptResult is what a script made of a conflict.
type ScriptResult struct {
	Verdict string          `json:"verdict"` // value, delete, defer, failed
	Doc     json.RawMessage `json:"doc"`
	Notes   []string        `json:"notes"`
	Events  []ScriptEvent   `json:"events"`
	Output  string          `json:"output"`
	Steps   uint64          `json:"steps"`
	Failure *ScriptFailure  `json:"failure"`
}

// ScriptEvent is a fact that a script left for the record.
type ScriptEvent struct {
	Name string          `json:"name"`
	Data json.RawMessage `json:"data,omitempty"`
}

// ConflictRun is what a resolver left of a conflict, as far as it is kept.
type ConflictRun struct {
	Notes   []string      `json:"notes,omitempty"`
	Events  []ScriptEvent `json:"events,omitempty"`
	Steps   uint64        `json:"steps"`
	Output  string        `json:"output,omitempty"`
	Failure string        `json:"failure,omitempty"`
	More    int           `json:"more,omitempty"` // notes, events and bytes that were left out
}

// typeStarlark is the media type of a source.
const typeStarlark = "application/vnd.starlark"

const resolversPath = "/v1/resolvers"

// errNoResolver is the error of a call without a name.
var errNoResolver = errors.New("the name of a resolver is not empty")

// resolverCall is a call about one resolver.
func resolverCall(method, name, action string) (*call, error) {
	r := &call{method: method, path: resolversPath + "/" + url.PathEscape(name) + action}
	if name == "" {
		return nil, &Error{Op: r.op(), Code: Invalid, Err: errNoResolver}
	}
	return r, nil
}

// Resolvers lists the resolvers by name, without their sources.
func (c *Client) Resolvers(ctx context.Context, options Options) ([]Resolver, error) {
	var page struct {
		Resolvers []Resolver `json:"resolvers"`
	}
	reply, err := c.getJSON(ctx, &call{path: resolversPath, options: options}, &page)
	for i := range page.Resolvers {
		page.Resolvers[i].Reply = reply
	}
	return page.Resolvers, err
}

// ResolverExample is a resolver that comes with a node's program.
type ResolverExample struct {
	Name   string `json:"name"`
	About  string `json:"about"`
	Source string `json:"source"`
}

// ResolverExamples lists the resolvers that come with a node's program, by name.
// None of them is stored before somebody stores it.
func (c *Client) ResolverExamples(ctx context.Context, options Options) ([]ResolverExample, error) {
	var page struct {
		Resolvers []ResolverExample `json:"resolvers"`
	}
	_, err := c.getJSON(ctx, &call{path: "/v1/examples/resolvers", options: options}, &page)
	return page.Resolvers, err
}

// Resolver reads a resolver with its source. It fails with NotFound when there
// is none.
func (c *Client) Resolver(ctx context.Context, name string, options Options) (*Resolver, error) {
	r, err := resolverCall(http.MethodGet, name, "")
	if err != nil {
		return nil, err
	}
	r.options = options
	return read[Resolver](ctx, c, r)
}

// ResolverVersions lists the versions of a resolver that are kept, the youngest
// first.
func (c *Client) ResolverVersions(ctx context.Context, name string, options Options) ([]ResolverVersion, error) {
	r, err := resolverCall(http.MethodGet, name, "/versions")
	if err != nil {
		return nil, err
	}
	r.options = options
	var page struct {
		Versions []ResolverVersion `json:"versions"`
	}
	_, err = c.getJSON(ctx, r, &page)
	return page.Versions, err
}

// PutResolver stores a source, of at most 64 KiB. It fails with InvalidResolver
// when the source does not compile, a test of it fails, or nodes would not
// agree; the Error says where.
func (c *Client) PutResolver(ctx context.Context, name string, source []byte, options PutOptions) (*Resolver, error) {
	r, err := resolverCall(http.MethodPut, name, "")
	if err != nil {
		return nil, err
	}
	r.body, r.write, r.time = source, true, bulkTimeout
	r.options, r.header = options.reading(), options.header(typeStarlark)
	return c.storeResolver(ctx, r)
}

// RollbackResolver makes the version with a hash the present one again.
func (c *Client) RollbackResolver(ctx context.Context, name, hash string, options PutOptions) (*Resolver, error) {
	r, err := resolverCall(http.MethodPost, name, "/rollback")
	if err != nil {
		return nil, err
	}
	r.body, r.write = append(append([]byte(`{"hash":`), text(hash)...), '}'), true
	r.options, r.header = options.reading(), options.header("application/json")
	return c.storeResolver(ctx, r)
}

func (c *Client) storeResolver(ctx context.Context, r *call) (*Resolver, error) {
	a, err := c.do(ctx, r)
	if err != nil {
		return nil, err
	}
	out := &Resolver{Reply: a.Reply}
	if err := a.decode(r, out); err != nil {
		return nil, err
	}
	return out, nil
}

// DeleteResolver takes a resolver away. It fails with ResolverInUse while a
// collection's policy names it.
func (c *Client) DeleteResolver(ctx context.Context, name string, options PutOptions) error {
	r, err := resolverCall(http.MethodDelete, name, "")
	if err != nil {
		return err
	}
	r.write, r.options, r.header = true, options.reading(), options.header("")
	_, err = c.do(ctx, r)
	return err
}

// DryRun says what a resolver is replayed over.
type DryRun struct {
	Options
	Source     string // a candidate for the next version; empty: the stored one
	Collection string // only records of this one; empty: of all
	By         string // only of conflicts ended by: policy, script, person, overwritten; empty: anybody
	State      string // settled or reviewed; empty: both
	Limit      int    // at most so many records; 0 means the node's default
}

// DryRunResult is the outcome for one recorded conflict, or with Totals, and
// nothing else, for all.
type DryRunResult struct {
	ID         string         `json:"id"` // of the conflict
	Collection string         `json:"collection"`
	DocID      string         `json:"doc_id"`
	By         string         `json:"by"`
	Outcome    string         `json:"outcome"`   // same, changed, failed, deferred; unknown: it is not kept what the conflict was
	Recorded   *DryRunValue   `json:"recorded"`  // what it ended with; nil: that is not kept
	Candidate  *DryRunValue   `json:"candidate"` // nil: it gave no value
	Diff       []DryRunChange `json:"diff"`
	DiffMore   bool           `json:"diff_more"` // the differences are more than are listed
	Notes      []string       `json:"notes"`
	Failure    *ScriptFailure `json:"failure"`

	Totals *DryRunTotals `json:"-"`
}

// DryRunValue is a value that a conflict ended with, or would have.
type DryRunValue struct {
	Deleted bool            `json:"deleted"`
	Doc     json.RawMessage `json:"doc"`
}

// DryRunChange is one place where the candidate differs from the record.
type DryRunChange struct {
	Path   string          `json:"path"` // JSON pointer; empty: all of the document
	Before json.RawMessage `json:"before,omitempty"`
	After  json.RawMessage `json:"after,omitempty"`
}

// DryRunTotals count the outcomes.
type DryRunTotals struct {
	Hash     string `json:"hash"` // of the source that was replayed
	Records  int    `json:"records"`
	Same     int    `json:"same"`
	Changed  int    `json:"changed"`
	Failed   int    `json:"failed"`
	Deferred int    `json:"deferred"`
	Unknown  int    `json:"unknown"`
	More     bool   `json:"more"` // the limit was reached, and there are others
}

// body is the dry run as the API has it.
func (d *DryRun) body() ([]byte, error) {
	type filter struct {
		C     string `json:"c,omitempty"`
		By    string `json:"by,omitempty"`
		State string `json:"state,omitempty"`
	}
	return json.Marshal(struct {
		Source string `json:"source,omitempty"`
		Filter filter `json:"filter"`
		Limit  int    `json:"limit,omitempty"`
	}{d.Source, filter{d.Collection, d.By, d.State}, d.Limit})
}

// DryRunResolver replays a resolver over recorded conflicts and yields each
// outcome as it comes, then Totals. It changes nothing. After an error it ends.
func (c *Client) DryRunResolver(ctx context.Context, name string, run DryRun) iter.Seq2[DryRunResult, error] {
	return func(yield func(DryRunResult, error) bool) {
		r, err := resolverCall(http.MethodPost, name, "/dry-run")
		if err != nil {
			yield(DryRunResult{}, err)
			return
		}
		r.time, r.options, r.header = bulkTimeout, run.Options, http.Header{"Content-Type": {"application/json"}}
		if r.body, err = run.body(); err != nil {
			yield(DryRunResult{}, &Error{Op: r.op(), Code: Invalid, Err: err})
			return
		}
		stopped, begun := false, false
		r.consume = func(_ string, body io.Reader) error {
			if begun {
				return errors.New("the answer broke off, and what has come would come twice")
			}
			return readDryRun(body, func(one DryRunResult) error {
				begun = true
				if stopped = !yield(one, nil); stopped {
					return errStopped
				}
				return nil
			})
		}
		if _, err := c.do(ctx, r); err != nil && !stopped {
			yield(DryRunResult{}, err)
		}
	}
}

// readDryRun takes outcomes as they come, each of at most MaxReply bytes.
func readDryRun(body io.Reader, take func(DryRunResult) error) error {
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, MaxReply)
	for n := 1; lines.Scan(); n++ {
		var line struct {
			DryRunResult
			Done bool `json:"done"`
		}
		var totals DryRunTotals
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return fmt.Errorf("outcome %d cannot be read: %w", n, err)
		}
		if !line.Done {
			if err := take(line.DryRunResult); err != nil {
				return err
			}
			continue
		}
		if err := json.Unmarshal(lines.Bytes(), &totals); err != nil {
			return fmt.Errorf("the totals cannot be read: %w", err)
		}
		if err := take(DryRunResult{Totals: &totals}); !errors.Is(err, errStopped) {
			return err
		}
		return nil // all has come
	}
	return fmt.Errorf("the answer broke off: %w", cmp.Or(lines.Err(), io.ErrUnexpectedEOF))
}
