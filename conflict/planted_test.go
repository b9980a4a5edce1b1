//go:build planted

package conflict_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/syncline/syncline/planted"
	"github.com/syncline/syncline/vclock"
)

// mostDraws is how many sets of siblings a law gets to find a planted bug.
const mostDraws = 200

// FAILURES section 2, planted bugs: "the suite must find each". The law is that of
// TestEveryPolicyIsAFunctionOfTheSet.
func TestPlantedOneOrder(t *testing.T) {
	defer planted.Choose("")
	drawn := rapid.Custom(func(t *rapid.T) string {
		return againstDeletePolicy(drawPolicy(t), join(nil, vclock.Vector{}, versions(t)...))
	})
	find := func() string {
		for seed := range mostDraws {
			if wrong := drawn.Example(seed); wrong != "" {
				return wrong
			}
		}
		return ""
	}
	planted.Choose("")
	if wrong := find(); wrong != "" {
		t.Fatalf("without a bug: %s", wrong)
	}
	planted.Choose(planted.OneOrder)
	if wrong := find(); wrong == "" {
		t.Errorf("%d draws did not find it", mostDraws)
	} else {
		t.Log(wrong)
	}
}
