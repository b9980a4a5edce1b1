package world

import "testing"

// Issue 4, simulation: "two settlers, settlers cut off in the middle, policy
// changes during a cut, script versions mixed, … scripts that fail on one node
// only by being killed". Equal siblings under an equal version of the policy show
// equal bytes unless that is flagged, every record names the version that made
// its result, and all that a script decides is settled in the end.
func TestScriptSeeds(t *testing.T) {
	total, done := sweepOf(t, RandomScripts, *firstSeed, *seedCount, *seedsFor)
	t.Logf("%d seeds from %d: %s", done, *firstSeed, total)
	if missing := total.VoidScripts(); missing != "" && *seedCount > 1 {
		t.Errorf("void: the runs reached no %s", missing)
	}
}
