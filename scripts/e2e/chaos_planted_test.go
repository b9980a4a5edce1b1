package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/syncline/syncline/planted"
)

// Issue 5: "a planted bug of each earlier table is caught by at least one shipped
// script". Each of these scripts holds without the bug, and says what is wrong
// with it. `make soak` runs them, on a binary with planted bugs.
func TestSoakPlantedScripts(t *testing.T) {
	soakEnvironment(t, "SYNCLINE_SOAK_SCRIPTS")
	binary := filepath.Join(t.TempDir(), "syncline-planted")
	build := exec.CommandContext(t.Context(), "go", "build", "-tags", "planted", "-o", binary, "github.com/syncline/syncline/cmd/syncline")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	for _, test := range []struct {
		bug          planted.Bug
		script, want string
	}{
		{"", "one_way", "HELD: "},
		{planted.NoBootWait, "witness_restarts", ": there are never two writers (no longer"},
		{planted.FirstCome, "one_way", "why not     sides: "},
		{planted.LWWBeforeCausality, "clock_skew", "why not     ledger: "},
		{planted.LoseLoser, "isolate_each", "why not     append: "},
		{planted.LeaseFromReply, "vote_over_a_slow_line", ": there are never two writers (no longer"},
		{planted.ClearChosen, "vote_without_gap", ": somebody writes at every moment (no longer"},
		{planted.NoStamp, "old_ballots", ": past the bound there are never two writers (no longer"},
		{planted.EarlyFrontier, "catch_up_breaks", ": and shows nothing older than that session has seen"},
		{planted.CloseLoose, "catch_up_breaks", ": and shows nothing older than that session has seen"},
		{planted.NaiveCursor, "catch_up_breaks", ": c has what a wrote meanwhile (not"},
		{planted.VVLoose, "seen_and_unseen", ": the first one stands beside it"},
		{planted.SessionCtx, "offline_writer", ": what came meanwhile stands beside it"},
		{planted.CoalesceContent, "equal_writes", "all data nodes are equal (not"},
		{planted.ReuseActor, "old_copy", ": b is back with its old file, and writes (not"},
		{planted.SettleUnstable, "open_while_one_is_away", "why not     ../open_while_one_is_away.star:"}, // before or after both were seen
		{planted.ScriptClock, "open_while_one_is_away", ": both show the same, whenever they are asked (no longer"},
		{planted.PolicyVersion, "open_while_one_is_away", ": the record names the resolver and its version"},
		{planted.SettleTime, "late_settlement", " shows what was written last"},
		{planted.TwinsTwice, "settled_twice", ": the account began at 0, and what was paid in is there"},
		{planted.AddToShown, "sums_and_bases", ": from the 20 on, 12 are left"},
		{planted.BaseDropped, "sums_and_bases", ": both sides come from 120, and that is certain"},
		{planted.BaseLocal, "sums_and_bases", ": dora and eve come from bob, and that is certain"},
		{planted.LargerTotal, "counters_merge", "why not     counters: "},
		{planted.MarksWhole, "counters_merge", "why not     members: "},
		{planted.OneOrder, "deletes_by_policy", " is gone (not"},
		{planted.RestoreKeeps, "restore", ": the first one is back, over the last one"},
	} {
		t.Run(test.script+" with "+string(test.bug), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), scriptTimeout)
			defer cancel()
			cmd := exec.CommandContext(ctx, binary, "chaos", "run", scriptFile(test.script))
			cmd.Env = append(os.Environ(), "SYNCLINE_PLANT="+string(test.bug))
			out, err := cmd.CombinedOutput()
			if held := err == nil; held != (test.bug == "") || !strings.Contains(string(out), test.want) {
				t.Errorf("%v, want %q\n%s", err, test.want, out)
			}
		})
	}
}
