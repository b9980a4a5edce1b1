//go:build planted

package conflict_test

import (
	"slices"
	"testing"

	"github.com/syncline/syncline/planted"
)

// plantedSeeds is how many seeds of all profiles a planted bug gets.
const plantedSeeds = 20

// FAILURES section 2, planted bugs: "the suite must find each".
func TestPlantedMerge(t *testing.T) {
	defer planted.Choose("")
	for _, bug := range []planted.Bug{
		planted.AddToShown, planted.LargerTotal, planted.MarksWhole, planted.TwinsTwice, planted.BaseDropped, planted.BaseLocal,
	} {
		profiles := mergeProfiles()
		if bug == planted.BaseDropped || bug == planted.BaseLocal { // found where a node is away for long
			profiles = slices.DeleteFunc(profiles, func(p mergeProfile) bool { return p.name[0] != 'd' })
		}
		t.Run(string(bug), func(t *testing.T) {
			planted.Choose(bug)
			for seed := range uint64(plantedSeeds) {
				for _, p := range profiles {
					w := newMergeWorld(p, seed)
					w.run()
					if w.failure != "" {
						t.Logf("found by seed %d of %s: %s", seed, p.name, w.failure)
						return
					}
				}
			}
			t.Errorf("%d seeds did not find it", plantedSeeds)
		})
	}
}
