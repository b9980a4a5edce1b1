package chaos

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/syncline/syncline/client"
	"github.com/syncline/syncline/scripts/chaos/history"
)

// Verdict is what a run has shown.
type Verdict struct {
	Held    bool     `json:"held"`
	Reasons []string `json:"reasons"` // why it did not hold
	Script  string   `json:"script"`
	About   string   `json:"about"`
	Seed    uint64   `json:"seed"`
	Net     string   `json:"net"`

	Acknowledged int `json:"acknowledged"`
	Refused      int `json:"refused"`
	Unknown      int `json:"unknown"`
	Lost         int `json:"lost"` // acknowledged writes that are nowhere
	// Settled and Open count conflicts since the beginning, at the first node.
	Settled int64 `json:"conflicts_settled"`
	Open    int64 `json:"conflicts_open"`

	ConvergedMS float64          `json:"converged_ms"` // from the last wait's beginning until all were equal
	Outages     []history.Outage `json:"outages"`      // for each side of a cut
	Overlap     time.Duration    `json:"overlap_ns"`   // longest time that two sides both wrote
	Bound       time.Duration    `json:"bound_ns"`
	Took        time.Duration    `json:"took_ns"`
	Claims      int              `json:"claims"`
	Checkers    []history.Result `json:"checkers"`
	Failure     *Failure         `json:"failure"` // of the script; null: none
}

// verdict computes the verdict from the history, and what the run itself noted.
func (r *run) verdict(records []history.Record) Verdict {
	v := Verdict{
		Script: r.cfg.Program.name, About: r.cfg.Program.about, Seed: r.cfg.Seed, Net: r.cfg.Net, Bound: r.cfg.Bound,
		ConvergedMS: float64(r.converged.Microseconds()) / 1000, Failure: r.failure, Reasons: []string{}, Outages: history.Outages(records),
	}
	v.count(records)
	results, err := history.Check(records)
	if err != nil {
		v.Reasons = append(v.Reasons, err.Error())
	}
	v.Checkers = results
	v.Overlap, _ = history.Overlap(records)
	for _, one := range results {
		if one.Checker == "ledger" || one.Checker == "values" {
			v.Lost += one.Wrong
		}
		if one.Wrong > 0 {
			v.Reasons = append(v.Reasons, fmt.Sprintf("%s: %d findings, the first: %s", one.Checker, one.Wrong, one.Findings[0]))
		}
	}
	if r.failure != nil {
		v.Reasons = append(v.Reasons, r.failure.Error())
	}
	for _, why := range r.voids {
		v.Reasons = append(v.Reasons, "void: "+why)
	}
	if r.book.full {
		v.Reasons = append(v.Reasons, fmt.Sprintf("void: the history is full: %d records", r.book.limit))
	}
	r.conflictsInto(&v)
	v.Held = len(v.Reasons) == 0
	return v
}

// count counts what clients did.
func (v *Verdict) count(records []history.Record) {
	for i := range records {
		one := &records[i]
		v.Took = max(v.Took, time.Duration(one.ReturnNS))
		switch one.Op {
		case history.OpClaim:
			v.Claims++
		case history.OpPut, history.OpDelete, history.OpAppend, history.OpInc, history.OpMember, history.OpOps:
			switch one.Outcome {
			case history.OK:
				v.Acknowledged++
			case history.Refused:
				v.Refused++
			default:
				v.Unknown++
			}
		}
	}
}

func (r *run) conflictsInto(v *Verdict) {
	first := r.spec.Data[0]
	n, err := r.node(first).ConflictCounts(r.ctx, client.Options{})
	if err != nil {
		v.Reasons = append(v.Reasons, fmt.Sprintf("%s does not say how many conflicts there are: %v", first, err))
		return
	}
	v.Open, v.Settled = n.Open, n.Records-r.before[first].Records
}

// Write shows the verdict to a person.
func (v *Verdict) Write(w io.Writer) error {
	var b strings.Builder
	word := "HELD"
	if !v.Held {
		word = "NOT HELD"
	}
	fmt.Fprintf(&b, "%s: %s, seed %d, in %s, %s\n", word, v.Script, v.Seed, v.Took.Round(time.Millisecond), v.Net)
	fmt.Fprintf(&b, "  writes      %d acknowledged, %d refused, %d unknown; lost %d\n", v.Acknowledged, v.Refused, v.Unknown, v.Lost)
	fmt.Fprintf(&b, "  conflicts   %d settled, %d open\n", v.Settled, v.Open)
	fmt.Fprintf(&b, "  converged   in %s\n", time.Duration(v.ConvergedMS*float64(time.Millisecond)).Round(time.Millisecond))
	fmt.Fprintf(&b, "  two sides   wrote at once for %s; the bound is %s\n", v.Overlap.Round(time.Millisecond), v.Bound)
	for _, o := range v.Outages {
		fmt.Fprintf(&b, "  side        %s\n", o)
	}
	fmt.Fprintf(&b, "  claims      %d\n", v.Claims)
	var looked []string
	for _, one := range v.Checkers {
		if one.Checked > 0 {
			looked = append(looked, fmt.Sprintf("%s %d", one.Checker, one.Checked))
		}
	}
	fmt.Fprintf(&b, "  checked     %s\n", strings.Join(looked, ", "))
	for _, why := range v.Reasons {
		fmt.Fprintf(&b, "  why not     %s\n", why)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
