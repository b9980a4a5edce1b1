package history

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
)

// maxTotals is the most totals of one counter that are told apart. Beyond it
// only the smallest and the largest count.
const maxTotals = 100_000

// counter is the body of a counted document: {"total":…}.
type counter struct {
	Total int64 `json:"total"`
}

// checkCounters: at the end every node shows the sum of the acknowledged
// increments, plus any choice of those with an unknown outcome, each of them in
// or out.
func checkCounters(records []Record, out *Result) {
	incs := byKey(records, func(r *Record) bool { return r.Op == OpInc })
	ends := finals(records)
	for _, key := range sorted(incs) {
		possible := totals(incs[key], out)
		for _, node := range sorted(ends[key]) {
			var c counter
			final := ends[key][node]
			if !final.Absent && json.Unmarshal([]byte(final.Value), &c) != nil {
				out.finding("%s at %s is %s, which is no counter", key, node, final.Value)
				continue
			}
			if !possible.has(c.Total) {
				out.finding("%s at %s counts %d, and %s was added", key, node, c.Total, span(possible.low, possible.high))
			}
		}
	}
}

// totalSet are the totals that a counter may have.
type totalSet struct {
	each      map[int64]bool // nil: they are too many
	low, high int64
}

// totals adds up the increments of one counter.
func totals(incs []*Record, out *Result) totalSet {
	sum, unknown := int64(0), []int64(nil)
	for _, r := range incs {
		amount, err := strconv.ParseInt(r.Value, 10, 64)
		if err != nil {
			out.finding("the amount of an increment of %s by %s is %q, which is no whole number", r.Key, r.Client, r.Value)
			continue
		}
		switch r.Outcome {
		case OK:
			sum += amount
		case Unknown:
			unknown = append(unknown, amount)
		}
		out.Checked++
	}
	t := totalSet{each: map[int64]bool{sum: true}, low: sum, high: sum}
	for _, amount := range unknown {
		t.low, t.high = t.low+min(amount, 0), t.high+max(amount, 0)
		if t.each == nil {
			continue
		}
		for _, total := range slices.Collect(maps.Keys(t.each)) {
			t.each[total+amount] = true
		}
		if len(t.each) > maxTotals {
			t.each = nil
		}
	}
	return t
}

func (t *totalSet) has(total int64) bool {
	if t.each == nil {
		return t.low <= total && total <= t.high
	}
	return t.each[total]
}

func span(low, high int64) string {
	if low == high {
		return strconv.FormatInt(low, 10)
	}
	return strconv.FormatInt(low, 10) + " to " + strconv.FormatInt(high, 10)
}
