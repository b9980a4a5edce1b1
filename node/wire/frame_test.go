package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"pgregory.net/rapid"

	"github.com/syncline/syncline/vclock"
)

var (
	rows   = rapid.Custom(drawRow)
	frames = rapid.Custom(drawFrame)
)

func drawRow(t *rapid.T) Row {
	clock, err := vclock.ContextOf(frontiers.Draw(t, "clock")).MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	r := Row{
		Collection: "accounts", ID: rapid.StringN(1, 20, -1).Draw(t, "id"), Actor: string(actor(t, names.Draw(t, "node"))),
		Seq: rapid.Uint64Range(1, vclock.MaxSeq).Draw(t, "seq"), Time: u64(t), Deleted: rapid.Bool().Draw(t, "deleted"),
		Clock: clock, Sum: rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "sum"),
	}
	switch n := rapid.IntRange(0, 3).Draw(t, "size"); {
	case r.Deleted || n == 0:
		r.Body = []byte{}
	case n == 3: // compresses well
		r.Body = bytes.Repeat([]byte(`{"a":1}`), rapid.IntRange(1, 5000).Draw(t, "repeats"))
	default:
		r.Body = rapid.SliceOfN(rapid.Byte(), 1, 3000).Draw(t, "body")
	}
	return r
}

func drawFrame(t *rapid.T) *Frame {
	f := &Frame{}
	a, v := string(actor(t, names.Draw(t, "sender"))), frontiers.Draw(t, "frontier")
	if rapid.Bool().Draw(t, "begins") {
		f.Begin = &Begin{Actor: a, Frontier: v}
	}
	f.Rows = rapid.SliceOfN(rows, 0, 5).Draw(t, "rows")
	if len(f.Rows) == 0 {
		f.Rows = nil
	}
	if rapid.Bool().Draw(t, "closes") {
		f.Close = &Close{Actor: a, Frontier: v, Standing: string(standings.Draw(t, "standing"))}
		for range rapid.IntRange(0, 3).Draw(t, "known") {
			if f.Close.Known == nil {
				f.Close.Known = map[string]Known{}
			}
			name := names.Draw(t, "name")
			f.Close.Known[name] = Known{Actor: string(actor(t, name)), Frontier: frontiers.Draw(t, "knows")}
		}
	}
	return f
}

// writeFrames writes frames as a sender does.
func writeFrames(t interface{ Fatal(...any) }, frames ...*Frame) []byte {
	var buf bytes.Buffer
	w, err := NewWriter(&buf)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range frames {
		if err := w.Write(f); err != nil {
			t.Fatal(err)
		}
	}
	return buf.Bytes()
}

// readFrames reads frames until the stream ends or errs.
func readFrames(t interface{ Fatal(...any) }, r io.Reader) ([]*Frame, error) {
	reader, err := NewReader(r)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	var out []*Frame
	for {
		f, err := reader.Read()
		if err != nil {
			return out, err
		}
		out = append(out, f)
	}
}

// "Codecs round-trip" (FAILURES 2): whatever is written is read, in whatever
// pieces it arrives, and a frame that was read stays as it was while the next
// ones are.
func TestFramesRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(frames, 1, 5).Draw(t, "frames")
		stream := writeFrames(t, want...)
		if again := writeFrames(t, want...); !bytes.Equal(stream, again) {
			t.Fatal("equal frames have other bytes")
		}
		for name, r := range map[string]io.Reader{
			"whole": bytes.NewReader(stream), "by the byte": iotestOneByte{bytes.NewReader(stream)},
		} {
			got, err := readFrames(t, r)
			if !errors.Is(err, io.EOF) || len(got) != len(want) {
				t.Fatalf("%s: %d of %d frames, %v", name, len(got), len(want), err)
			}
			for i := range want {
				if !reflect.DeepEqual(got[i], want[i]) {
					t.Fatalf("%s: frame %d was read as %+v, want %+v", name, i, got[i], want[i])
				}
			}
		}
	})
}

// iotestOneByte reads one byte at a time.
type iotestOneByte struct{ r io.Reader }

func (o iotestOneByte) Read(p []byte) (int, error) { return o.r.Read(p[:min(1, len(p))]) }

// "One refused, damaged or missing row voids it" (PROTOCOL D4): a stream that
// ends in the middle of a frame is an error, and between frames it is its end.
func TestTruncatedStreams(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first, second := frames.Draw(t, "first"), frames.Draw(t, "second")
		one, both := writeFrames(t, first), writeFrames(t, first, second)
		cut := rapid.IntRange(0, len(both)).Draw(t, "cut")
		got, err := readFrames(t, bytes.NewReader(both[:cut]))
		want := 0
		switch {
		case cut == len(both):
			want = 2
		case cut >= len(one):
			want = 1
		}
		if between := cut == 0 || cut == len(one) || cut == len(both); len(got) != want || errors.Is(err, io.EOF) != between {
			t.Fatalf("cut at %d of %d (%d the first): %d frames, %v", cut, len(both), len(one), len(got), err)
		}
	})
}

// head is what stands before a frame's bytes.
func head(flag byte, n uint32) []byte { return binary.BigEndian.AppendUint32([]byte{flag}, n) }

func zipped(t testing.TB, plain []byte) []byte {
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = enc.Close() }() // it has nothing to flush
	return enc.EncodeAll(plain, nil)
}

func framed(flag byte, body []byte) []byte { return append(head(flag, uint32(len(body))), body...) }

// "Peers are untrusted input: … sizes, depth … are checked before anything is
// applied" (DESIGN 4).
func TestReaderRefuses(t *testing.T) {
	const a = "a~aaaaaaaa"
	encode := func(m any) []byte {
		b, err := Encode(m)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	known := map[string]Known{}
	for i := range MaxKnown + 1 {
		known[fmt.Sprint("n", i)] = Known{Actor: a}
	}
	for name, stream := range map[string][]byte{
		"an unknown flag":         framed(7, []byte{0xa0}),
		"no CBOR":                 framed(flagPlain, []byte("xyz")),
		"an empty frame":          framed(flagPlain, nil),
		"two messages":            framed(flagPlain, []byte{0xa0, 0xa0}),
		"no map":                  framed(flagPlain, []byte{0x01}),
		"an unknown field":        framed(flagPlain, encode(map[int]any{9: 1})),
		"a field twice":           framed(flagPlain, []byte{0xa2, 0x02, 0x80, 0x02, 0x80}),
		"a map without a length":  framed(flagPlain, []byte{0xbf, 0xff}),
		"a tag":                   framed(flagPlain, []byte{0xc1, 0xa0}),
		"deep nesting":            framed(flagPlain, append(bytes.Repeat([]byte{0x81}, 50), 0x01)),
		"a row of 8 fields":       framed(flagPlain, encode(map[int]any{2: []any{[]any{"c", "x", a, 1, 1, false, []byte{}, []byte{}}}})),
		"a row of 10 fields":      framed(flagPlain, encode(map[int]any{2: []any{[]any{"c", "x", a, 1, 1, false, []byte{}, []byte{}, []byte{}, 1}}})),
		"text that is no UTF-8":   framed(flagPlain, encode(&Frame{Rows: []Row{{ID: "\xff"}}})),
		"zstd that is none":       framed(flagZstd, []byte("xyz")),
		"begin without an actor":  framed(flagPlain, encode(&Frame{Begin: &Begin{}})),
		"close without an actor":  framed(flagPlain, encode(&Frame{Close: &Close{Standing: "good"}})),
		"close without standing":  framed(flagPlain, encode(&Frame{Close: &Close{Actor: a}})),
		"close in odd standing":   framed(flagPlain, encode(&Frame{Close: &Close{Actor: a, Standing: "fine"}})),
		"a table of many nodes":   framed(flagPlain, encode(&Frame{Close: &Close{Actor: a, Standing: "good", Known: known}})),
		"a table of bad names":    framed(flagPlain, encode(&Frame{Close: &Close{Actor: a, Standing: "good", Known: map[string]Known{"A": {Actor: a}}}})),
		"a table without actors":  framed(flagPlain, encode(&Frame{Close: &Close{Actor: a, Standing: "good", Known: map[string]Known{"b": {}}}})),
		"a table of other actors": framed(flagPlain, encode(&Frame{Close: &Close{Actor: a, Standing: "good", Known: map[string]Known{"b": {Actor: a}}}})),
		"too many rows":           framed(flagPlain, encode(&Frame{Rows: make([]Row, MaxRows+1)})),
		"a long clock":            framed(flagPlain, encode(&Frame{Rows: []Row{{Clock: make([]byte, MaxClock+1)}}})),
		"a frontier in disorder":  framed(flagPlain, encode(map[int]any{1: map[int]any{1: a, 2: []byte("\x02\x0ab~aaaaaaaa\x01\x0aa~aaaaaaaa\x01")}})),
	} {
		if got, err := readFrames(t, bytes.NewReader(stream)); err == nil || errors.Is(err, io.EOF) || len(got) > 0 {
			t.Errorf("%s: %d frames, %v", name, len(got), err)
		}
	}
	for name, f := range map[string]*Frame{
		"the most rows":      {Rows: make([]Row, MaxRows)},
		"the longest clock":  {Rows: []Row{{Clock: make([]byte, MaxClock)}}},
		"nothing in it":      {},
		"an empty frontier ": {Begin: &Begin{Actor: a}, Close: &Close{Actor: a, Standing: "new"}},
	} {
		if got, err := readFrames(t, bytes.NewReader(writeFrames(t, f))); !errors.Is(err, io.EOF) || len(got) != 1 {
			t.Errorf("%s: %d frames, %v", name, len(got), err)
		}
	}
}

// grown is how many bytes f allocates.
func grown(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// "Bombs: depth, keys, compression, huge numbers: named limits; capped
// decompression; corpus with a memory bound" (FAILURES 3).
func TestBombsStayBounded(t *testing.T) {
	// A frame of the longest allowed length that holds nothing but small entries
	// may grow while it is decoded; MaxFrame itself bounds the rest.
	const bound = 5 * MaxFrame
	vector := binary.AppendUvarint(nil, vclock.MaxEntries)
	for i := range vclock.MaxEntries {
		vector = append(vector, fmt.Sprintf("\x0ea%04x~aaaaaaaa\x01", i)...)
	}
	table := map[string]any{}
	for i := range MaxFrame / len(vector) {
		table[fmt.Sprint("n", i)] = map[int]any{1: "a~aaaaaaaa", 2: vector}
	}
	vectors, err := Encode(map[int]any{3: map[int]any{1: "a~aaaaaaaa", 2: []byte{0}, 3: "good", 4: table}})
	if err != nil {
		t.Fatal(err)
	}
	for name, stream := range map[string][]byte{
		"a length that lies":            append(head(flagPlain, MaxFrame), 1, 2, 3),
		"a length above the limit":      head(flagPlain, MaxFrame+1),
		"the highest length":            head(flagZstd, 1<<32-1),
		"zeros":                         framed(flagZstd, zipped(t, make([]byte, 10*MaxFrame))),
		"an array that lies":            framed(flagPlain, []byte{0xa1, 0x02, 0x9b, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff}),
		"a string that lies":            framed(flagPlain, []byte{0xa1, 0x01, 0xa1, 0x01, 0x7b, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff}),
		"rows without end":              framed(flagZstd, zipped(t, append([]byte{0xa1, 0x02, 0x9a, 0, 2, 0, 0}, bytes.Repeat([]byte{0x80}, 131072)...))),
		"an array beyond the limit":     framed(flagZstd, zipped(t, append([]byte{0xa1, 0x02, 0x9a, 1, 0, 0, 0}, bytes.Repeat([]byte{0x80}, 1<<24)...))),
		"a table of the widest vectors": framed(flagZstd, zipped(t, vectors)),
	} {
		var got []*Frame
		var err error
		n := grown(func() { got, err = readFrames(t, bytes.NewReader(stream)) })
		if err == nil || errors.Is(err, io.EOF) || len(got) > 0 {
			t.Errorf("%s: %d frames, %v", name, len(got), err)
		}
		if n > bound {
			t.Errorf("%s: %d bytes made us allocate %d MiB", name, len(stream), n>>20)
		}
	}
	lie := append(head(flagPlain, MaxFrame), 1, 2, 3)
	if n := grown(func() { _, _ = readFrames(t, bytes.NewReader(lie)) }); n > 2*FrameBytes+1<<20 {
		t.Errorf("a lie about the length made us allocate %d KiB", n>>10)
	}
}

// A frame that is too long is not sent: the receiver would drop the stream.
func TestWriterLimits(t *testing.T) {
	w, err := NewWriter(io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(&Frame{Rows: []Row{{Body: make([]byte, MaxFrame)}}}); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Fatal(err)
	}
	// The longest body that there may be fits, compressible or not.
	body := make([]byte, 16<<20)
	for i := range body {
		body[i] = byte(i * i >> 7)
	}
	f := &Frame{Rows: slices.Repeat([]Row{{ID: strings.Repeat("x", 512), Clock: make([]byte, 100), Body: make([]byte, 1000)}}, FrameRows)}
	f.Rows = append(f.Rows, Row{Body: body, Clock: make([]byte, MaxClock)})
	if got, err := readFrames(t, bytes.NewReader(writeFrames(t, f))); len(got) != 1 || !errors.Is(err, io.EOF) {
		t.Fatalf("%d frames, %v", len(got), err)
	}
	broken := errors.New("broken pipe")
	w, err = NewWriter(failingWriter{broken})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(f); !errors.Is(err, broken) {
		t.Fatal(err)
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

// A request for changes is held against its limits, and says which build does
// not fit.
func TestChangesRequest(t *testing.T) {
	good := ChangesRequest{Wire: Version, Cluster: "shop", Node: "a", Actor: "a~aaaaaaaa", CursorActor: "b~bbbbbbbb"}
	b, err := Encode(&good)
	if err != nil {
		t.Fatal(err)
	}
	var got ChangesRequest
	if err := Decode(b, &got); err != nil || !reflect.DeepEqual(got, good) || got.Check() != nil {
		t.Fatalf("%+v, %v, %v", got, err, got.Check())
	}
	for name, alter := range map[string]func(*ChangesRequest){
		"another wire":    func(r *ChangesRequest) { r.Wire++ },
		"no actor":        func(r *ChangesRequest) { r.Actor = "" },
		"a bad actor":     func(r *ChangesRequest) { r.Actor = "a" },
		"a bad cursor":    func(r *ChangesRequest) { r.CursorActor = "x" },
		"another's actor": func(r *ChangesRequest) { r.Actor = "b~bbbbbbbb" },
	} {
		r := good
		alter(&r)
		if err := r.Check(); err == nil {
			t.Errorf("%s passes", name)
		}
	}
}

// "Every decoder … no panic, canonical round trip, limits hold" (FAILURES 2).
func FuzzReader(f *testing.F) {
	f.Add(writeFrames(f, &Frame{Begin: &Begin{Actor: "a~aaaaaaaa"}, Close: &Close{Actor: "a~aaaaaaaa", Standing: "good"}}))
	f.Add(writeFrames(f, &Frame{Rows: []Row{{Collection: "c", ID: "x", Actor: "a~aaaaaaaa", Seq: 1, Body: []byte("{}")}}}, &Frame{}))
	f.Add(framed(flagZstd, zipped(f, bytes.Repeat([]byte{0x80}, 3000))))
	f.Add(head(flagPlain, MaxFrame))
	f.Fuzz(func(t *testing.T, stream []byte) {
		got, err := readFrames(t, bytes.NewReader(stream))
		if err == nil {
			t.Fatal("a stream has no end")
		}
		again, err := readFrames(t, bytes.NewReader(writeFrames(t, got...)))
		if !errors.Is(err, io.EOF) || !reflect.DeepEqual(again, got) {
			t.Errorf("%d frames came back as %d, %v", len(got), len(again), err)
		}
	})
}
