package history

import (
	"encoding/json"
	"strconv"
)

// counter is the body of a counted document: {"total":…}.
type counter struct {
	Total int64 `json:"total"`
}

// checkCounters: at the end every node shows the sum of the acknowledged
// increments, plus any choice of those with an unknown outcome.
func checkCounters(records []Record, out *Result) {
	incs := byKey(records, func(r *Record) bool { return r.Op == OpInc })
	ends := finals(records)
	for _, key := range sorted(incs) {
		low, high := int64(0), int64(0)
		for _, r := range incs[key] {
			amount, err := strconv.ParseInt(r.Value, 10, 64)
			if err != nil {
				out.finding("the amount of an increment of %s by %s is %q, which is no whole number", key, r.Client, r.Value)
				continue
			}
			switch r.Outcome {
			case OK:
				low, high = low+amount, high+amount
			case Unknown:
				low, high = low+min(amount, 0), high+max(amount, 0)
			}
			out.Checked++
		}
		for _, node := range sorted(ends[key]) {
			var c counter
			final := ends[key][node]
			if !final.Absent && json.Unmarshal([]byte(final.Value), &c) != nil {
				out.finding("%s at %s is %s, which is no counter", key, node, final.Value)
				continue
			}
			if c.Total < low || c.Total > high {
				out.finding("%s at %s counts %d, and %s was added", key, node, c.Total, span(low, high))
			}
		}
	}
}

func span(low, high int64) string {
	if low == high {
		return strconv.FormatInt(low, 10)
	}
	return strconv.FormatInt(low, 10) + " to " + strconv.FormatInt(high, 10)
}
