//go:build planted

package node_test

import (
	"testing"

	"github.com/syncline/syncline/planted"
)

// FAILURES section 2, planted bugs: "the suite must find each". The check is that
// of TestRestore.
func TestPlantedRestoreKeeps(t *testing.T) {
	defer planted.Choose("")
	planted.Choose(planted.RestoreKeeps)
	if wrong := afterRestore(newRig(t)); wrong == "" {
		t.Error("TestRestore does not find it")
	} else {
		t.Log(wrong)
	}
}
