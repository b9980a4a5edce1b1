package world

import "testing"

// Issue 4, simulation: "two settlers, settlers cut off in the middle, … restore
// racing with a write", oracle: "no effect counted twice; the feeds fall silent".
// PROTOCOL D10: "every addition of the union of the pasts counts exactly once".
func TestMergeSeeds(t *testing.T) {
	total, done := sweepOf(t, RandomMerge, *firstSeed, *seedCount, *seedsFor)
	t.Logf("%d seeds from %d: %s", done, *firstSeed, total)
	if *seedCount == 1 {
		return
	}
	if missing := total.VoidPeople(); missing != "" {
		t.Errorf("void: the runs reached no %s", missing)
	}
	if total.Settled == 0 || total.Summed == 0 {
		t.Errorf("void: %d settlements, %d sums", total.Settled, total.Summed)
	}
}
