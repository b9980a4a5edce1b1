package rest

import (
	"encoding/json"
	"time"
)

// Timing is the spans of time of the vote and the worst case that follows from
// them, as the API shows it: in milliseconds.
type Timing struct {
	Beat  time.Duration // between two ballots to one voter
	Lease time.Duration // how long a vote counts
	// Bound is the longest time for which two sides of a cut may both take writes.
	Bound time.Duration
}

// MarshalJSON implements json.Marshaler.
func (t Timing) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Beat  int64 `json:"beat_ms"`
		Lease int64 `json:"lease_ms"`
		Bound int64 `json:"bound_ms"`
	}{t.Beat.Milliseconds(), t.Lease.Milliseconds(), t.Bound.Milliseconds()})
}
