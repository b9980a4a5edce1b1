package history

import (
	"cmp"
	"fmt"
	"slices"
)

// maxFindings is how many findings of one checker are listed.
const maxFindings = 20

// Result is what one checker found.
type Result struct {
	Checker  string   `json:"checker"`
	Checked  int      `json:"checked"`  // operations or keys that were looked at; 0: nothing was proved
	Wrong    int      `json:"wrong"`    // all findings
	Findings []string `json:"findings"` // the first of them, in words
}

// finding adds a finding.
func (r *Result) finding(format string, args ...any) {
	if r.Wrong++; len(r.Findings) < maxFindings {
		r.Findings = append(r.Findings, fmt.Sprintf(format, args...))
	}
}

// checker is one reader of histories.
type checker struct {
	name  string
	check func([]Record, *Result)
}

// checkers is the table of all checkers.
func checkers() []checker {
	return []checker{
		{"ledger", checkLedger},
		{"values", checkValues},
		{"append", checkAppend},
		{"causal", checkCausal},
		{"deletes", checkDeletes},
		{"feed", checkFeed},
		{"sides", checkSides},
		{"counters", checkCounters},
		{"members", checkMembers},
	}
}

// Names lists the checkers.
func Names() []string {
	var out []string
	for _, c := range checkers() {
		out = append(out, c.name)
	}
	return out
}

// Check runs checkers over a history, all of them when none is named. A name
// that is not known is an error.
func Check(records []Record, names ...string) ([]Result, error) {
	for _, n := range names {
		if !slices.Contains(Names(), n) {
			return nil, fmt.Errorf("no checker %q: one of %v", n, Names())
		}
	}
	var out []Result
	for _, c := range checkers() {
		if len(names) > 0 && !slices.Contains(names, c.name) {
			continue
		}
		r := Result{Checker: c.name, Findings: []string{}}
		c.check(records, &r)
		out = append(out, r)
	}
	return out, nil
}

// byKey groups the records that pass a filter, in order of their return.
func byKey(records []Record, want func(*Record) bool) map[string][]*Record {
	out := map[string][]*Record{}
	for i := range records {
		if r := &records[i]; r.Key != "" && want(r) {
			out[r.Key] = append(out[r.Key], r)
		}
	}
	for _, list := range out {
		slices.SortStableFunc(list, func(x, y *Record) int { return cmp.Compare(x.ReturnNS, y.ReturnNS) })
	}
	return out
}

// finals are the last records of each key by node.
func finals(records []Record) map[string]map[string]*Record {
	out := map[string]map[string]*Record{}
	for i := range records {
		r := &records[i]
		if r.Op != OpFinal {
			continue
		}
		if out[r.Key] == nil {
			out[r.Key] = map[string]*Record{}
		}
		out[r.Key][r.Node] = r
	}
	return out
}

// finished lists the data nodes of which there are final records.
func finished(records []Record) []string {
	var out []string
	for i := range records {
		if r := &records[i]; r.Op == OpFinal && !slices.Contains(out, r.Node) {
			out = append(out, r.Node)
		}
	}
	slices.Sort(out)
	return out
}

// sorted are the keys of a map in order, so that findings come in one order.
func sorted[V any](m map[string]V) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
