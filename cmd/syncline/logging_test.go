package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
)

// All parts log in one form, at one level.
func TestSlogGoesToHclog(t *testing.T) {
	var out bytes.Buffer
	log := slogTo(newLogger(&out, hclog.Info))
	log.Debug("too fine")
	log.With("peer", "b").WithGroup("dial").Warn("refused", "after", 3, slog.Group("x", "y", 1))
	log.Error("broken")
	got := out.String()
	for _, want := range []string{"[WARN]  syncline: refused: peer=b dial.after=3", "[ERROR] syncline: broken"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Count(got, "\n") != 2 {
		t.Errorf("want two lines:\n%s", got)
	}
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
		if log.Enabled(t.Context(), level) != (level >= slog.LevelInfo) {
			t.Errorf("level %v", level)
		}
	}
}
