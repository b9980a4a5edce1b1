package sqlite

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"syscall"
	"testing"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/vclock"
)

// Figures of the hot paths: documents of 256 bytes, one INSERT of the same bytes
// as the floor. Run with -benchtime 100000x for figures that can be compared.

const (
	benchActor = vclock.Actor("a~aaaaaaaa")
	benchDocs  = 100_000
	benchBody  = 256
)

// benchKey spreads ids over the index, as real ones are.
func benchKey(i int) conflict.Key {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(i))
	h := fnv.New64a()
	_, _ = h.Write(b[:])
	return conflict.Key{Collection: "bench", ID: conflict.DocID(fmt.Sprintf("%016x", h.Sum64()))}
}

// benchBytes is a body that differs from write to write: SQLite leaves a page
// alone when nothing in it changes.
func benchBytes(n uint64) []byte {
	body := make([]byte, benchBody)
	for at := 0; at < len(body); at += 8 {
		binary.BigEndian.PutUint64(body[at:], n*0x9e3779b97f4a7c15+uint64(at))
	}
	return body
}

// benchWriter writes as the engine does: a look, the write, the frontier.
type benchWriter struct {
	b   *testing.B
	s   *Store
	seq uint64
}

func newBenchWriter(b *testing.B, documents int) *benchWriter {
	w := &benchWriter{b: b, s: open(b, Config{Dir: b.TempDir(), Full: true, DocumentBytes: documents})}
	const group = 1000
	for at := 0; at < benchDocs; at += group {
		w.write(group, func(i int) int { return at + i })
	}
	return w
}

// write commits a group of documents.
func (w *benchWriter) write(group int, number func(i int) int) {
	err := w.s.Update(w.b.Context(), func(tx node.Tx) error {
		for i := range group {
			key := benchKey(number(i))
			live, err := tx.Document(key)
			if err != nil {
				return err
			}
			w.seq++
			v := &conflict.Version{Key: key, Dot: vclock.Dot{Actor: benchActor, Seq: w.seq}, Time: vclock.Time(w.seq), Clock: live.Seen(vclock.VectorOf(vclock.Dot{Actor: benchActor, Seq: w.seq - 1})), Body: benchBytes(w.seq)}
			if err := tx.Write(v, live); err != nil {
				return err
			}
		}
		return tx.SetFrontier(vclock.VectorOf(vclock.Dot{Actor: benchActor, Seq: w.seq}), vclock.Time(w.seq))
	})
	if err != nil {
		w.b.Fatal(err)
	}
}

// groups runs b.N operations in groups.
func groups(b *testing.B, group int, run func(at, n int)) {
	b.ResetTimer()
	before := cpuTime(b)
	for at := 0; at < b.N; at += group {
		run(at, min(group, b.N-at))
	}
	b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op")
}

// cpuTime is what the process has used so far, in nanoseconds: a figure that
// others on the machine hardly move.
func cpuTime(b *testing.B) int64 {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return r.Utime.Nano() + r.Stime.Nano()
}

func BenchmarkFresh(b *testing.B) {
	for _, group := range []int{64, 1000} {
		b.Run(fmt.Sprintf("group=%d", group), func(b *testing.B) {
			w := newBenchWriter(b, DefaultDocumentBytes)
			groups(b, group, func(at, n int) { w.write(n, func(i int) int { return benchDocs + at + i }) })
		})
	}
}

func BenchmarkOverwrite(b *testing.B) {
	for _, group := range []int{64, 1000} {
		for name, documents := range map[string]int{"cached": DefaultDocumentBytes, "file": 1} {
			b.Run(fmt.Sprintf("%s/group=%d", name, group), func(b *testing.B) {
				w := newBenchWriter(b, documents)
				groups(b, group, func(at, n int) { w.write(n, func(i int) int { return (at + i) * 7919 % benchDocs }) })
			})
		}
	}
}

// BenchmarkBareInsert is the floor: one INSERT of the same bytes.
func BenchmarkBareInsert(b *testing.B) {
	for _, group := range []int{64, 1000} {
		for name, text := range map[string]string{
			"insert":    "INSERT INTO bare (id, body) VALUES (?, ?)",
			"overwrite": "INSERT INTO bare (id, body) VALUES (?, ?) ON CONFLICT DO UPDATE SET body = excluded.body",
		} {
			b.Run(fmt.Sprintf("%s/group=%d", name, group), func(b *testing.B) {
				s := open(b, Config{Dir: b.TempDir(), Full: true})
				if err := s.w.script(b.Context(), "CREATE TABLE bare (id TEXT NOT NULL PRIMARY KEY, body BLOB NOT NULL) STRICT"); err != nil {
					b.Fatal(err)
				}
				st, err := s.w.prepare(text)
				if err != nil {
					b.Fatal(err)
				}
				seq := uint64(0)
				bare := func(n int, number func(int) int) {
					err := s.Update(b.Context(), func(node.Tx) error {
						for i := range n {
							seq++
							if err := st.do(string(benchKey(number(i)).ID), benchBytes(seq)); err != nil {
								return err
							}
						}
						return nil
					})
					if err != nil {
						b.Fatal(err)
					}
				}
				bare(benchDocs, func(i int) int { return i })
				groups(b, group, func(at, n int) {
					bare(n, func(i int) int {
						if name == "insert" {
							return benchDocs + at + i
						}
						return (at + i) * 7919 % benchDocs
					})
				})
			})
		}
	}
}

func BenchmarkRead(b *testing.B) {
	for name, documents := range map[string]int{"cached": DefaultDocumentBytes, "file": 1} {
		b.Run(name, func(b *testing.B) {
			w := newBenchWriter(b, documents)
			b.ReportAllocs()
			groups(b, 1, func(at, _ int) {
				r, err := w.s.Read(b.Context(), benchKey(at*7919%benchDocs))
				if err != nil || len(r.Live) != 1 {
					b.Fatal(r, err)
				}
			})
		})
	}
}

// BenchmarkRows is a peer's catch-up at the sender, by the row.
func BenchmarkRows(b *testing.B) {
	w := newBenchWriter(b, DefaultDocumentBytes)
	v, err := w.s.View(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	after := uint64(0)
	for n := 0; n < b.N; {
		rows, err := v.Rows(benchActor, after, 1000, 8<<20)
		if err != nil || len(rows) == 0 {
			b.Fatal(len(rows), err)
		}
		n += len(rows)
		if after = rows[len(rows)-1].Dot.Seq; after == benchDocs {
			after = 0
		}
	}
	b.StopTimer()
	if err := v.Close(); err != nil {
		b.Fatal(err)
	}
}
