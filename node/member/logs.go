package member

import (
	"context"
	"io"
	"log"
	"log/slog"
	"sync/atomic"

	"github.com/hashicorp/go-hclog"
	"golang.org/x/time/rate"
)

// Limits of the log: whoever sends forged packets must not fill a disk.
const (
	logRate  = 10 // lines a second
	logBurst = 50 // lines at once
)

// sink passes what hclog gets on to slog.
type sink struct {
	log        *slog.Logger
	limit      *rate.Limiter
	suppressed atomic.Int64
}

// newLogger returns the logger that serf and memberlist want. They write their
// level into the text, as [WARN]; it is inferred from there.
func newLogger(to *slog.Logger) *log.Logger {
	l := hclog.NewInterceptLogger(&hclog.LoggerOptions{Output: io.Discard, Level: hclog.Off})
	l.RegisterSink(&sink{log: to, limit: rate.NewLimiter(logRate, logBurst)})
	return l.StandardLogger(&hclog.StandardLoggerOptions{InferLevels: true})
}

// Accept implements hclog.SinkAdapter.
func (s *sink) Accept(_ string, level hclog.Level, msg string, args ...any) {
	ctx, to := context.Background(), slogLevel(level)
	if !s.log.Enabled(ctx, to) {
		return
	}
	if !s.limit.Allow() {
		s.suppressed.Add(1)
		return
	}
	if n := s.suppressed.Swap(0); n > 0 {
		args = append(args, "suppressed", n)
	}
	s.log.Log(ctx, to, msg, args...)
}

func slogLevel(l hclog.Level) slog.Level {
	switch l {
	case hclog.Error:
		return slog.LevelError
	case hclog.Warn:
		return slog.LevelWarn
	case hclog.Info:
		return slog.LevelInfo
	default:
		return slog.LevelDebug
	}
}
