package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Issue 5: "clock (offset and drift of one node, behind --chaos)"; DASHBOARD:
// "Every fault has an end time".
func TestWrongClock(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	w := &wrongClock{Offset: time.Hour, Drift: -0.1, From: from, Until: from.Add(time.Minute)}
	for _, test := range []struct {
		after, ahead time.Duration
	}{
		{0, time.Hour},
		{10 * time.Second, time.Hour - time.Second},
		{time.Minute, 0}, // its time is up
		{time.Hour, 0},
	} {
		now := from.Add(test.after)
		if got := w.at(now).Sub(now); got != test.ahead {
			t.Errorf("after %s it is ahead by %s, want %s", test.after, got, test.ahead)
		}
	}
	if now := time.Now(); !(*wrongClock)(nil).at(now).Equal(now) {
		t.Error("without a file the clock is wrong")
	}
}

// The file is followed while the clock runs, and a file that is broken leaves the
// clock as it was.
func TestChaosClockFollowsItsFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "a.clock")
	c := &chaosClock{file: file}
	ahead := func() time.Duration { return time.Until(c.now()).Round(time.Minute) }
	turn := func(w wrongClock) {
		t.Helper()
		if err := writeWrongClock(file, w); err != nil {
			t.Fatal(err)
		}
	}
	await := func(want time.Duration) {
		t.Helper()
		for deadline := time.Now().Add(testPatience); ahead() != want; {
			if time.Now().After(deadline) {
				t.Fatalf("ahead by %s, want %s", ahead(), want)
			}
		}
	}
	await(0)
	turn(wrongClock{Offset: -time.Hour, From: time.Now(), Until: time.Now().Add(time.Hour)})
	await(-time.Hour)
	if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.looked.Store(0)
	await(-time.Hour)
	turn(wrongClock{})
	await(0)
	turn(wrongClock{}) // there is no file any more, which is no error
	if _, err := readWrongClock(filepath.Dir(file)); err == nil {
		t.Error("a folder was read as a clock")
	}
	if err := os.WriteFile(file, []byte(`{"offset_ns":5}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readWrongClock(file); err == nil || !strings.Contains(err.Error(), `"until" is missing`) {
		t.Errorf("a wrong clock without an end: %v", err)
	}
}

// "behind --chaos": without it, the flag is a mistake.
func TestChaosClockNeedsChaos(t *testing.T) {
	t.Parallel()
	c := newTestCluster(t, "", "a")
	var out, errs strings.Builder
	a := &app{stdin: strings.NewReader(""), stdout: &out, stderr: &errs, getenv: func(string) string { return "" }, environ: func() []string { return nil }}
	args := []string{"serve", "--config", filepath.Join(c.dir, "cluster.yaml"), "--name", "a", "--data", filepath.Join(c.dir, "a"), "--chaos-clock", "x"}
	if code := run(t.Context(), args, a); code != exitUsage || !strings.Contains(errs.String(), "needs --chaos") {
		t.Errorf("%d: %s", code, errs.String())
	}
}
