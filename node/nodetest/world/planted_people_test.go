//go:build planted

package world

import (
	"testing"

	"github.com/syncline/syncline/planted"
)

// PROTOCOL D10: "every addition of the union of the pasts counts exactly once".
// The arithmetic of a world that merges finds what adds otherwise.
func TestPlantedInMerge(t *testing.T) {
	defer planted.Choose("")
	for _, bug := range []planted.Bug{planted.LargerTotal, planted.LoseLoser} {
		t.Run(string(bug), func(t *testing.T) {
			planted.Choose(bug)
			if found := searchOf(RandomMerge, mostSeeds); found != "" {
				t.Log(found)
				return
			}
			t.Errorf("%d seeds did not find it", mostSeeds)
		})
	}
}
