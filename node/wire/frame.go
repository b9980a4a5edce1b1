package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/syncline/syncline/vclock"
)

// Limits of replication frames.
const (
	// MaxFrame is the longest frame, in bytes, before and after compression: the
	// longest body and its neighbours.
	MaxFrame = 24 << 20
	// MaxRows is the most rows of one frame.
	MaxRows = 4096
	// FrameRows and FrameBytes are what a sender aims at: enough that a commit
	// of one frame is worth its fsync, and little enough to be held in memory.
	FrameRows  = 1000
	FrameBytes = 1 << 20
	// MaxKnown is the most nodes in a closing frame's table.
	MaxKnown = 64
	// MaxClock is the longest clock of a version, in bytes of its binary form.
	MaxClock = 64 << 10
	// MaxOrigin is the longest origin of a version, in bytes of its binary form.
	MaxOrigin = 512 << 10
	// compressFrom is the length from which compression pays, in bytes.
	compressFrom = 1 << 10
	headSize     = 5 // flag and length
)

// ChangesRequest opens a stream of changes: what the receiver has, so that the
// sender sends what is beyond it (PROTOCOL D4).
type ChangesRequest struct {
	Wire        int           `cbor:"1,keyasint"`
	Cluster     string        `cbor:"2,keyasint"`
	Node        string        `cbor:"3,keyasint"`
	Actor       string        `cbor:"4,keyasint"`
	Frontier    vclock.Vector `cbor:"5,keyasint"`
	CursorActor string        `cbor:"6,keyasint,omitempty"` // whose transfer was broken off
	Cursor      vclock.Vector `cbor:"7,keyasint"`           // the rows of it that were finished
}

// Check holds the request against its limits.
func (r *ChangesRequest) Check() error {
	if r.Wire != Version {
		return fmt.Errorf("wire version %d: this build speaks %d; bring both to one build", r.Wire, Version)
	}
	if err := checkActor(vclock.Actor(r.Actor), r.Node); err != nil {
		return fmt.Errorf("changes: %w", err)
	}
	if r.CursorActor != "" {
		if _, err := vclock.ParseActor(r.CursorActor); err != nil {
			return fmt.Errorf("changes: cursor: %w", err)
		}
	}
	return nil
}

// Frame is one message of a stream of changes. A transfer is a Begin, rows,
// and a Close; a short one is all three in one frame.
type Frame struct {
	Begin *Begin `cbor:"1,keyasint,omitempty"`
	Rows  []Row  `cbor:"2,keyasint,omitempty"`
	Close *Close `cbor:"3,keyasint,omitempty"`
}

// Begin opens a transfer: the snapshot that its rows are read from.
type Begin struct {
	Actor    string        `cbor:"1,keyasint"` // the sender's
	Frontier vclock.Vector `cbor:"2,keyasint"`
}

// Row is one version.
type Row struct {
	_          struct{} `cbor:",toarray"`
	Collection string
	ID         string
	Actor      string
	Seq        uint64
	Time       uint64
	Deleted    bool
	Clock      []byte
	Body       []byte
	Origin     []byte // the binary form; empty for most
	Sum        []byte
}

// Close is a closing frame: all rows of the transfer have been sent, so the
// receiver may join the frontier.
type Close struct {
	Actor    string           `cbor:"1,keyasint"`
	Frontier vclock.Vector    `cbor:"2,keyasint"`
	Standing string           `cbor:"3,keyasint"`
	Known    map[string]Known `cbor:"4,keyasint,omitempty"` // what the sender knows of the others (D7)
}

// Known is what a node knows of another's frontier.
type Known struct {
	Actor    string        `cbor:"1,keyasint"`
	Frontier vclock.Vector `cbor:"2,keyasint"`
}

// Check holds a frame against its limits.
func (f *Frame) Check() error {
	if len(f.Rows) > MaxRows {
		return fmt.Errorf("a frame of %d rows: at most %d", len(f.Rows), MaxRows)
	}
	if f.Begin != nil {
		if _, err := vclock.ParseActor(f.Begin.Actor); err != nil {
			return fmt.Errorf("begin: %w", err)
		}
	}
	for i := range f.Rows {
		if n := len(f.Rows[i].Clock); n > MaxClock {
			return fmt.Errorf("row %d: a clock of %d bytes: at most %d", i, n, MaxClock)
		}
		if n := len(f.Rows[i].Origin); n > MaxOrigin {
			return fmt.Errorf("row %d: an origin of %d bytes: at most %d", i, n, MaxOrigin)
		}
	}
	if f.Close == nil {
		return nil
	}
	if len(f.Close.Known) > MaxKnown {
		return fmt.Errorf("close: a table of %d nodes: at most %d", len(f.Close.Known), MaxKnown)
	}
	_, err := vclock.ParseActor(f.Close.Actor)
	if err = errors.Join(err, Standing(f.Close.Standing).Check()); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	for name, k := range f.Close.Known {
		if err := checkActor(vclock.Actor(k.Actor), name); err != nil {
			return fmt.Errorf("close: known %.60q: %w", name, err)
		}
	}
	return nil
}

// The flag of a frame on the stream.
const (
	flagPlain = 0
	flagZstd  = 1
)

// Writer writes frames to a stream: a flag, the length as four bytes, big
// endian, and the CBOR, compressed where that pays.
type Writer struct {
	w   io.Writer
	enc *zstd.Encoder
	buf []byte
}

// NewWriter makes a writer of frames.
func NewWriter(w io.Writer) (*Writer, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, fmt.Errorf("wire: %w", err)
	}
	return &Writer{w: w, enc: enc}, nil
}

// Write writes one frame.
func (w *Writer) Write(f *Frame) error {
	body, err := Encode(f)
	if err != nil {
		return err
	}
	if len(body) > MaxFrame {
		return fmt.Errorf("wire: a frame of %d bytes: at most %d", len(body), MaxFrame)
	}
	w.buf = append(w.buf[:0], flagPlain, 0, 0, 0, 0)
	if len(body) < compressFrom {
		w.buf = append(w.buf, body...)
	} else {
		w.buf[0] = flagZstd
		w.buf = w.enc.EncodeAll(body, w.buf)
	}
	binary.BigEndian.PutUint32(w.buf[1:], uint32(len(w.buf)-headSize))
	if _, err := w.w.Write(w.buf); err != nil {
		return fmt.Errorf("wire: write a frame: %w", err)
	}
	return nil
}

// Reader reads frames from a stream.
type Reader struct {
	r   io.Reader
	dec *zstd.Decoder
	buf []byte
}

// NewReader makes a reader of frames; Close frees it.
func NewReader(r io.Reader) (*Reader, error) {
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(MaxFrame), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, fmt.Errorf("wire: %w", err)
	}
	return &Reader{r: r, dec: dec}, nil
}

// Close frees the reader's memory.
func (r *Reader) Close() { r.dec.Close() }

// Read reads one frame and holds it against its limits. It returns io.EOF
// where the stream ends between frames.
func (r *Reader) Read() (*Frame, error) {
	var head [headSize]byte
	if _, err := io.ReadFull(r.r, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[1:])
	if n > MaxFrame {
		return nil, fmt.Errorf("wire: a frame of %d bytes: at most %d", n, MaxFrame)
	}
	body, err := r.payload(int(n))
	if err != nil {
		return nil, err
	}
	switch head[0] {
	case flagPlain:
	case flagZstd:
		if body, err = r.dec.DecodeAll(body, nil); err != nil {
			return nil, fmt.Errorf("wire: decompress a frame: %w", err)
		}
	default:
		return nil, fmt.Errorf("wire: a frame with flag %d", head[0])
	}
	f := new(Frame)
	if err := Decode(body, f); err != nil {
		return nil, err
	}
	return f, f.Check()
}

// payload reads n bytes into a buffer that grows with what really arrives, so
// that a lie about the length costs nothing. The bytes live on in the frame
// only after decoding has copied them.
func (r *Reader) payload(n int) ([]byte, error) {
	r.buf = r.buf[:0]
	for len(r.buf) < n {
		step := min(n-len(r.buf), FrameBytes)
		start := len(r.buf)
		r.buf = append(r.buf, make([]byte, step)...)
		if _, err := io.ReadFull(r.r, r.buf[start:]); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, fmt.Errorf("wire: read a frame: %w", err)
		}
	}
	return r.buf, nil
}
