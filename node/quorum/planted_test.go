//go:build planted && !race

package quorum

import (
	"testing"
	"time"

	"github.com/syncline/syncline/planted"
)

// FAILURES section 2, planted bugs: "the suite must find each". Each finder is
// a test of this package without the test around it.
func TestPlantedBugsAreFound(t *testing.T) {
	defer planted.Choose("")
	finders := []struct {
		name string
		find func() string
	}{
		{"walks", func() string { return walks(manyWalks / 2) }},
		{"rows", func() string {
			for _, r := range rows {
				if why := tryRow(r, 30); why != "" {
					return r.name + ": " + why
				}
			}
			return ""
		}},
		{"explorer with restarts", func() string { _, why := explore(late{restarts: true}, manyStates, sampled); return why }},
		{"explorer with late ballots", func() string { _, why := explore(late{ballots: true}, manyStates, sampled); return why }},
		{"explorer with late answers", func() string { _, why := explore(late{answers: true}, manyStates, sampled); return why }},
		{"storms", func() string { return storms(manyStorms) }},
	}
	for _, bug := range []planted.Bug{
		planted.LeaseFromReply, planted.NoBootWait, planted.ClearChosen, planted.FirstCome, planted.NoStamp,
	} {
		planted.Choose(bug)
		found := false
		for _, f := range finders {
			begin := time.Now()
			if why := f.find(); why != "" {
				found = true
				t.Logf("%s found by %s in %v: %s", bug, f.name, time.Since(begin).Round(time.Millisecond), why)
				break
			}
		}
		if !found {
			t.Errorf("nothing finds %s", bug)
		}
	}
}
