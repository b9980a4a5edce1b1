package member

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

// A preamble reads back as it was written, and nothing behind it is touched.
func TestPreambleRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		name := rapid.StringMatching(`[a-z][a-z0-9-]{0,31}`).Draw(rt, "name")
		rest := rapid.SliceOf(rapid.Byte()).Draw(rt, "rest")
		r := bytes.NewReader(append(preamble(name), rest...))
		got, err := readPreamble(r)
		if got != name || err != nil || r.Len() != len(rest) {
			rt.Fatalf("got %q, %v with %d bytes left of %d", got, err, r.Len(), len(rest))
		}
	})
}

func FuzzReadPreamble(f *testing.F) {
	f.Add(preamble("a"))
	f.Add([]byte("SLG1\xff"))
	f.Add([]byte("SLG2\x01a"))
	f.Fuzz(func(t *testing.T, b []byte) {
		name, err := readPreamble(bytes.NewReader(b))
		if err == nil && !bytes.HasPrefix(b, preamble(name)) {
			t.Errorf("%q was read as %q", b, name)
		}
	})
}
