package strictjson

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// smallDocument is a document of 256 bytes and of ordinary shape.
func smallDocument() []byte { return records(256) }

// records makes a document of size bytes, or a little less.
func records(size int) []byte {
	var b strings.Builder
	b.WriteString(`{"id":"alice"`)
	for i := 0; b.Len() < size-80; i++ {
		fmt.Fprintf(&b, `,"field%d":{"name":"some value %d","n":%d.%d,"ok":true}`, i, i, i, i)
	}
	b.WriteString(`}`)
	return []byte(b.String())
}

// flat makes an object of n keys.
func flat(n int) []byte {
	var b strings.Builder
	b.WriteString(`{"id":"alice"`)
	for i := range n - 1 {
		fmt.Fprintf(&b, `,"field%d":%d`, i, i)
	}
	b.WriteString(`}`)
	return []byte(b.String())
}

// BenchmarkCheck compares Check with what it was chosen over: json.Valid, which
// is not strict, and a loop over the tokens of jsontext, which is.
func BenchmarkCheck(b *testing.B) {
	for _, doc := range []struct {
		name string
		body []byte
	}{
		{"256B", smallDocument()},
		{"4KiB", records(4 << 10)},
		{"1MiB", records(1 << 20)},
		{"10000keys", flat(10_000)},
		{"text", []byte(`{"text":"` + strings.Repeat("Straße und Brücke, 日本語. ", 1000) + `"}`)},
	} {
		run := func(name string, check func() bool) {
			b.Run(doc.name+"/"+name, func(b *testing.B) {
				b.SetBytes(int64(len(doc.body)))
				b.ReportAllocs()
				for b.Loop() {
					if !check() {
						b.Fatal("refused")
					}
				}
			})
		}
		run("strict", func() bool { return Check(doc.body, Limits{}) == nil })
		run("json.Valid", func() bool { return json.Valid(doc.body) })
		run("jsontext", func() bool {
			sound, object := twin(doc.body, MaxDepth)
			return sound && object
		})
	}
}

// BenchmarkMergePatch changes one member of a document.
func BenchmarkMergePatch(b *testing.B) {
	for _, size := range []int{256, 4 << 10, 1 << 20} {
		doc := records(size)
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			b.SetBytes(int64(len(doc)))
			for b.Loop() {
				if _, err := MergePatch(doc, []byte(`{"id":"bob"}`)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
