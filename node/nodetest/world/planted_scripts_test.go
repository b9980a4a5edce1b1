//go:build planted

package world

import (
	"testing"

	"github.com/syncline/syncline/planted"
)

// Issue 4: the planted bugs "script clock leaking" and "policy version
// unrecorded" are found.
func TestPlantedInScripts(t *testing.T) {
	defer planted.Choose("")
	for _, bug := range []planted.Bug{planted.ScriptClock, planted.PolicyVersion} {
		t.Run(string(bug), func(t *testing.T) {
			planted.Choose(bug)
			if found := searchOf(RandomScripts, mostSeeds); found != "" {
				t.Log(found)
				return
			}
			t.Errorf("%d seeds did not find it", mostSeeds)
		})
	}
}
