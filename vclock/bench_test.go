package vclock_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/syncline/syncline/vclock"
)

// A cluster of three nodes, each in its second life.
func benchVector(last uint64) vclock.Vector {
	var v vclock.Vector
	for i := range 6 {
		v = v.With(dot(vclock.Actor(fmt.Sprintf("%c~aaaaaaa%d", 'a'+i/2, i%2)), last+uint64(i)))
	}
	return v
}

// The engine raises its frontier with each write.
func BenchmarkVectorWith(b *testing.B) {
	v, d := benchVector(1_000_000), dot("b~aaaaaaa1", 1_000_000)
	b.ReportAllocs()
	for b.Loop() {
		d.Seq++
		v = v.With(d)
	}
}

// Every incoming row is looked up in the frontier.
func BenchmarkVectorCovers(b *testing.B) {
	v, d := benchVector(1_000_000), dot("c~aaaaaaa1", 999_999)
	b.ReportAllocs()
	for b.Loop() {
		if !v.Covers(d) {
			b.Fatal("not covered")
		}
	}
}

// Every closing frame is joined.
func BenchmarkVectorJoin(b *testing.B) {
	v, o := benchVector(1_000_000), benchVector(1_000_001).With(dot("a~aaaaaaa0", 3))
	b.ReportAllocs()
	for b.Loop() {
		if v.Join(o).Len() != 6 {
			b.Fatal("wrong join")
		}
	}
}

// Every row carries its clock.
func BenchmarkContextBinary(b *testing.B) {
	c := vclock.ContextOf(benchVector(1_000_000))
	b.ReportAllocs()
	buf := make([]byte, 0, 256)
	for b.Loop() {
		bin, err := c.AppendBinary(buf)
		if err != nil {
			b.Fatal(err)
		}
		var read vclock.Context
		if err := read.UnmarshalBinary(bin); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDotString(b *testing.B) {
	d := dot("b~aaaaaaa1", 1_000_000)
	b.ReportAllocs()
	for b.Loop() {
		if d.String() == "" {
			b.Fatal("empty")
		}
	}
}

func BenchmarkTimeNext(b *testing.B) {
	wall := time.UnixMilli(1_700_000_000_000)
	var last vclock.Time
	b.ReportAllocs()
	for b.Loop() {
		last = vclock.Next(last, wall)
	}
}
