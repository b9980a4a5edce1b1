//go:build planted

package world

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/syncline/syncline/planted"
)

// mostSeeds is how many seeds the simulation gets to find a planted bug.
const mostSeeds = 2000

// FAILURES section 2, planted bugs: "the suite must find each". ClearChosen and
// NoStamp need a schedule so exact that chance does not meet it in time: the
// explorer of node/quorum finds those.
func TestPlanted(t *testing.T) {
	defer planted.Choose("")
	for _, bug := range []planted.Bug{
		planted.VVLoose, planted.EarlyFrontier, planted.CloseLoose, planted.SessionCtx, planted.CoalesceContent, planted.NaiveCursor,
		planted.LWWBeforeCausality, planted.ReuseActor, planted.LeaseFromReply, planted.NoBootWait, planted.FirstCome,
		planted.SettleUnstable, planted.SettleTime, planted.LoseLoser,
	} {
		t.Run(string(bug), func(t *testing.T) {
			planted.Choose(bug)
			if found := search(mostSeeds); found != "" {
				t.Log(found)
				return
			}
			t.Errorf("%d seeds did not find it", mostSeeds)
		})
	}
}

// search runs seeds on all cores until one fails, and says how.
func search(most uint64) string { return searchOf(Random, most) }

// searchOf is search in worlds of some kind.
func searchOf(world func(seed uint64, verbose bool) *World, most uint64) string {
	var (
		next  atomic.Uint64
		found atomic.Pointer[string]
		group sync.WaitGroup
	)
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for seed := next.Add(1); seed <= most && found.Load() == nil; seed = next.Add(1) {
				if w := world(seed, false); len(w.Failures()) > 0 {
					text := fmt.Sprintf("found by seed %d: %s", seed, w.Failures()[0])
					found.CompareAndSwap(nil, &text)
				}
			}
		})
	}
	group.Wait()
	if p := found.Load(); p != nil {
		return *p
	}
	return ""
}
