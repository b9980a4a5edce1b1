package conflict

import (
	"cmp"
	"encoding/json"
	"slices"
)

// Records is the policy of the documents that are records. Two people may do
// something about one record at two nodes at once: it shows the newest version,
// with the steps of all. So a step that was acknowledged stays, and a record that
// one of them has reviewed is reviewed.
type Records struct{}

// Name implements Policy.
func (Records) Name() string { return "records" }

// Show implements Policy. What cannot be read as a record is shown by time alone.
func (Records) Show(s Siblings) Shown {
	shown := LWW{}.Show(s)
	var newest Record
	seen := s.Visible()
	if shown.Deleted || len(seen) < 2 || json.Unmarshal(shown.Body, &newest) != nil {
		return shown
	}
	newest.Trace = nil
	for _, v := range seen {
		var r Record
		if v.Deleted || json.Unmarshal(v.Body, &r) != nil {
			continue
		}
		newest.Trace = append(newest.Trace, r.Trace...)
		newest.Reviewed = newest.Reviewed || r.Reviewed
		shown.Merged++
	}
	slices.SortFunc(newest.Trace, TraceStep.compare)
	newest.Trace = slices.CompactFunc(newest.Trace, func(a, b TraceStep) bool { return a.compare(b) == 0 })
	newest.Trace = newest.Trace[max(0, len(newest.Trace)-MaxTrace):]
	body, err := json.Marshal(newest)
	if err != nil {
		return LWW{}.Show(s)
	}
	shown.Body = body
	return shown
}

// compare puts steps in the order of their times; only equal ones compare as
// equal.
func (t TraceStep) compare(u TraceStep) int {
	if c := cmp.Or(cmp.Compare(t.At, u.At), cmp.Compare(t.Who, u.Who), cmp.Compare(t.Action, u.Action)); c != 0 {
		return c
	}
	switch {
	case t.Of == nil && u.Of == nil:
		return 0
	case t.Of == nil:
		return -1
	case u.Of == nil:
		return 1
	}
	return t.Of.Compare(*u.Of)
}
