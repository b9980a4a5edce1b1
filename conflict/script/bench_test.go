package script

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// BenchmarkResolve is a call of no_overdraft on the bank's conflict: in this
// process, and in a warm worker. Issue 4, "Figures": "A resolver call in a warm
// worker p50 under 200 µs over the pure interpreter's own time".
func BenchmarkResolve(b *testing.B) {
	source, err := os.ReadFile(filepath.Join("..", "..", "scripts", "resolvers", "no_overdraft.star"))
	if err != nil {
		b.Fatal(err)
	}
	s := compile(b, string(source))
	for _, c := range []struct {
		name string
		e    Evaluator
	}{{"inline", NewInline()}, {"worker", startPool(b, PoolConfig{})}} {
		b.Run(c.name, func(b *testing.B) {
			mustResolve(b, c.e, s)
			took := make([]time.Duration, 0, b.N)
			conflict := bank()
			for b.Loop() {
				begin := time.Now()
				if _, err := c.e.Resolve(context.Background(), s, conflict); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(begin))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Nanoseconds())/1e3, "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds())/1e3, "p99-µs")
		})
	}
}
