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
)

// MaxResolve is the most conflicts that one ResolveMany ends.
const MaxResolve = 1000

// ResolveRule ends many conflicts. Exactly one of Pick, Node and Resolver is
// given.
type ResolveRule struct {
	Options
	Collection string   // only of this one; empty: of all
	Policy     string   // only of collections with this policy; empty: of all
	Conflicts  []string // only these, by their ids, at most MaxResolve; nil: all that are open
	Pick       string   // newest or oldest
	Node       string   // what was written at this node; conflicts without one are skipped
	Resolver   string   // the stored one that shall decide
	DryRun     bool     // say what would happen, and change nothing
	Limit      int      // at most so many; 0 means MaxResolve
	Reason     string   // in words, for the records
}

// ResolveResult is what became of one conflict, or with Totals, and nothing
// else, of all.
type ResolveResult struct {
	Conflict   string `json:"conflict"`
	Collection string `json:"collection"`
	ID         string `json:"id"`    // of the document
	Pick       string `json:"pick"`  // dot of the sibling chosen; empty: none fits, and it was skipped
	Shown      string `json:"shown"` // dot of the sibling that was shown; empty: no one sibling's value
	Same       bool   `json:"same"`  // what was shown has that value already
	Status     int    `json:"status"`
	Dot        string `json:"dot"` // of the version that ended it; empty in a dry run, and with Err
	Err        *Error `json:"-"`
	// With Resolver, of a dry run.
	Verdict string          `json:"verdict,omitempty"` // value, delete, defer, failed
	Doc     json.RawMessage `json:"doc,omitempty"`
	Run     *ConflictRun    `json:"run,omitempty"` // what it left

	Totals *ResolveTotals `json:"-"`
}

// ResolveTotals count what became of all.
type ResolveTotals struct {
	DryRun  bool `json:"dry_run"`
	OK      int  `json:"ok"`
	Failed  int  `json:"failed"`
	Skipped int  `json:"skipped"`
	More    bool `json:"more"` // the limit was reached, and there are others
}

// body is the rule as the API has it.
func (r *ResolveRule) body() ([]byte, error) {
	type filter struct {
		C         string   `json:"c,omitempty"`
		Policy    string   `json:"policy,omitempty"`
		Conflicts []string `json:"conflicts,omitzero"`
	}
	var pick any = r.Pick
	switch {
	case r.Resolver != "":
		pick = nil
	case r.Node != "":
		pick = map[string]string{"node": r.Node}
	}
	return json.Marshal(struct {
		Filter filter `json:"filter"`
		Pick   any    `json:"pick,omitempty"`
		By     string `json:"resolver,omitempty"`
		DryRun bool   `json:"dry_run"`
		Limit  int    `json:"limit,omitempty"`
		Reason string `json:"reason,omitempty"`
	}{filter{r.Collection, r.Policy, r.Conflicts}, pick, r.Resolver, r.DryRun, r.Limit, r.Reason})
}

// ResolveMany ends open conflicts by one rule, each for itself, and yields what
// became of each as it happens, then Totals. After an error it ends: without
// Totals nobody knows of the rest.
func (c *Client) ResolveMany(ctx context.Context, rule ResolveRule) iter.Seq2[ResolveResult, error] {
	return func(yield func(ResolveResult, error) bool) {
		r := &call{
			// A dry run is not sent again either: what came of it would come twice.
			method: http.MethodPost, path: conflictsPath + "/resolve", write: true, time: bulkTimeout, options: rule.Options,
			header: http.Header{"Content-Type": {"application/json"}},
		}
		var err error
		if r.body, err = rule.body(); err != nil {
			yield(ResolveResult{}, &Error{Op: r.op(), Code: Invalid, Err: err})
			return
		}
		stopped := false
		r.consume = func(_ string, body io.Reader) error {
			return readResolved(body, r.op(), func(one ResolveResult) error {
				if stopped = !yield(one, nil); stopped {
					return errStopped
				}
				return nil
			})
		}
		if _, err := c.do(ctx, r); err != nil && !stopped {
			yield(ResolveResult{}, err)
		}
	}
}

// readResolved takes results as they come, each of at most MaxReply bytes.
func readResolved(body io.Reader, op string, take func(ResolveResult) error) error {
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, MaxReply)
	for n := 1; lines.Scan(); n++ {
		var line struct {
			ResolveResult
			ResolveTotals
			Problem json.RawMessage `json:"problem"`
			Done    bool            `json:"done"`
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return fmt.Errorf("result %d cannot be read: %w", n, err)
		}
		if line.Done {
			if err := take(ResolveResult{Totals: &line.ResolveTotals}); !errors.Is(err, errStopped) {
				return err
			}
			return nil // all has come
		}
		if line.Status/100 != 2 {
			line.Err = problemError(op, line.Status, line.Problem)
		}
		if err := take(line.ResolveResult); err != nil {
			return err
		}
	}
	return fmt.Errorf("the answer broke off: %w", cmp.Or(lines.Err(), io.ErrUnexpectedEOF))
}
