package main

import (
	"context"
	"io"
	"log/slog"

	"github.com/hashicorp/go-hclog"
)

// newLogger makes the log of a server, on standard error: lines of a time, a
// level, a message and key=value pairs.
func newLogger(w io.Writer, level hclog.Level) hclog.InterceptLogger {
	return hclog.NewInterceptLogger(&hclog.LoggerOptions{Name: "syncline", Output: w, Level: level})
}

// slogTo is for those parts that log through log/slog: their lines go where
// all others go.
func slogTo(to hclog.Logger) *slog.Logger { return slog.New(&slogHandler{to: to}) }

// slogHandler is a slog.Handler over hclog. Groups become a prefix of keys.
type slogHandler struct {
	to     hclog.Logger
	prefix string
}

// Enabled implements slog.Handler.
func (h *slogHandler) Enabled(_ context.Context, l slog.Level) bool {
	return hclogLevel(l) >= h.to.GetLevel()
}

// Handle implements slog.Handler.
func (h *slogHandler) Handle(_ context.Context, r slog.Record) error {
	var args []any
	r.Attrs(func(a slog.Attr) bool {
		args = append(args, h.prefix+a.Key, a.Value.Resolve().Any())
		return true
	})
	h.to.Log(hclogLevel(r.Level), r.Message, args...)
	return nil
}

// WithAttrs implements slog.Handler.
func (h *slogHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	args := make([]any, 0, 2*len(attrs))
	for _, a := range attrs {
		args = append(args, h.prefix+a.Key, a.Value.Resolve().Any())
	}
	return &slogHandler{to: h.to.With(args...), prefix: h.prefix}
}

// WithGroup implements slog.Handler.
func (h *slogHandler) WithGroup(name string) slog.Handler {
	return &slogHandler{to: h.to, prefix: h.prefix + name + "."}
}

func hclogLevel(l slog.Level) hclog.Level {
	switch {
	case l >= slog.LevelError:
		return hclog.Error
	case l >= slog.LevelWarn:
		return hclog.Warn
	case l >= slog.LevelInfo:
		return hclog.Info
	}
	return hclog.Debug
}
