package script

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// frameHead is the length of a frame's length, in bytes: big endian.
const frameHead = 4

// errMessage is the error of bytes that are no message of ours.
var errMessage = errors.New("script: not a message between pool and worker")

// writeFrame writes a frame in one piece. The message begins at frame[frameHead].
func writeFrame(w io.Writer, frame []byte) error {
	binary.BigEndian.PutUint32(frame, uint32(len(frame)-frameHead))
	_, err := w.Write(frame)
	return err
}

// newFrame begins a frame with room for a message of that many bytes.
func newFrame(size int) []byte { return make([]byte, frameHead, frameHead+size) }

// readFrame reads a message of at most that many bytes. It takes memory as the
// bytes come, not as the length says. At the end of the input it is io.EOF.
func readFrame(r io.Reader, most int) ([]byte, error) {
	var head [frameHead]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(head[:])
	if uint64(size) > uint64(most) {
		return nil, fmt.Errorf("%w: %d bytes announced, %d are allowed", errMessage, size, most)
	}
	const step = 1 << 20 // bytes taken at a time
	body := make([]byte, 0, min(size, step))
	for len(body) < int(size) {
		from := len(body)
		n := min(int(size)-from, step)
		body = append(body, make([]byte, n)...)
		if _, err := io.ReadFull(r, body[from:]); err != nil {
			return nil, fmt.Errorf("script: a frame that breaks off: %w", errors.Join(io.ErrUnexpectedEOF, err))
		}
	}
	return body, nil
}

// appendText appends a text with its length before it.
func appendText[T ~string | ~[]byte](b []byte, s T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

// message reads the parts of a message. After the first bad part all others
// read as zero, and done has the error.
type message struct {
	rest []byte
	bad  bool
}

func (m *message) fail() {
	m.bad, m.rest = true, nil
}

func (m *message) byte() byte {
	if len(m.rest) == 0 {
		m.fail()
		return 0
	}
	b := m.rest[0]
	m.rest = m.rest[1:]
	return b
}

func (m *message) bool() bool {
	b := m.byte()
	if b > 1 {
		m.fail()
	}
	return b == 1
}

func (m *message) uint() uint64 {
	n, size := binary.Uvarint(m.rest)
	if size <= 0 {
		m.fail()
		return 0
	}
	m.rest = m.rest[size:]
	return n
}

// count reads a number from 0 to most.
func (m *message) count(most int) int {
	n := m.uint()
	if n > uint64(most) {
		m.fail()
		return 0
	}
	return int(n)
}

// bytes reads a text of at most that many bytes. It aliases the message.
func (m *message) bytes(most int) []byte {
	n := m.count(most)
	if n > len(m.rest) {
		m.fail()
		return nil
	}
	b := m.rest[:n:n]
	m.rest = m.rest[n:]
	return b
}

func (m *message) text(most int) string { return string(m.bytes(most)) }

// number reads a line or a column.
func (m *message) number() int { return m.count(math.MaxInt32) }

// done is the error of the whole message.
func (m *message) done() error {
	if m.bad || len(m.rest) > 0 {
		return errMessage
	}
	return nil
}
