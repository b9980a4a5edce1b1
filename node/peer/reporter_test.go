package peer

import (
	"fmt"
	"testing"
	"time"
)

// The memory of reports is bounded, and makes room as time passes.
func TestReporterIsBounded(t *testing.T) {
	var now time.Time
	reports := 0
	rp := newReporter(func() time.Time { return now }, func(Refusal) { reports++ })
	for i := range 2 * maxReported {
		rp.refused(Refusal{Inbound: true, Remote: fmt.Sprintf("10.0.%d.%d:1", i/256, i%256), Reason: NoHandshake})
	}
	if reports != maxReported || len(rp.last) != maxReported {
		t.Errorf("%d reports and %d remembered, want %d", reports, len(rp.last), maxReported)
	}
	// Another port of a caller that was reported is no news.
	rp.refused(Refusal{Inbound: true, Remote: "10.0.0.0:2", Reason: NoHandshake})
	if reports != maxReported {
		t.Error("another port was reported anew")
	}
	now = now.Add(reportEvery)
	rp.refused(Refusal{Inbound: true, Remote: "10.9.9.9:1", Reason: NoHandshake})
	if reports != maxReported+1 || len(rp.last) != 1 {
		t.Errorf("after a while: %d reports, %d remembered", reports, len(rp.last))
	}
}
