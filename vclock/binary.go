package vclock

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The binary form of a list of dots is the count, then for each dot the
// length of its actor, the actor and the sequence, all numbers as unsigned
// varints. A vector is one list; a context is its vector's list and its
// cloud's. The forms are canonical, so they can be hashed and compared.

var errShort = errors.New("it ends in the middle of a value")

// AppendBinary implements encoding.BinaryAppender.
func (v Vector) AppendBinary(b []byte) ([]byte, error) { return appendDots(b, v.entries), nil }

// MarshalBinary implements encoding.BinaryMarshaler.
func (v Vector) MarshalBinary() ([]byte, error) { return v.AppendBinary(nil) }

// UnmarshalBinary implements encoding.BinaryUnmarshaler. It refuses a form
// that is not canonical, and bytes left over.
func (v *Vector) UnmarshalBinary(data []byte) error {
	p, rest, err := readVector(data)
	if err != nil {
		return fmt.Errorf("vector: %w", err)
	}
	if len(rest) > 0 {
		return fmt.Errorf("vector: %d bytes are left over", len(rest))
	}
	*v = p
	return nil
}

// AppendBinary implements encoding.BinaryAppender.
func (c Context) AppendBinary(b []byte) ([]byte, error) {
	return appendDots(appendDots(b, c.vector.entries), c.cloud), nil
}

// MarshalBinary implements encoding.BinaryMarshaler.
func (c Context) MarshalBinary() ([]byte, error) { return c.AppendBinary(nil) }

// UnmarshalBinary implements encoding.BinaryUnmarshaler. It refuses a form
// that is not canonical, and bytes left over.
func (c *Context) UnmarshalBinary(data []byte) error {
	v, rest, err := readVector(data)
	if err != nil {
		return fmt.Errorf("context: %w", err)
	}
	cloud, rest, err := readDots(rest)
	if err != nil {
		return fmt.Errorf("context: loose dots: %w", err)
	}
	if len(rest) > 0 {
		return fmt.Errorf("context: %d bytes are left over", len(rest))
	}
	p, err := checkedContext(v, cloud)
	if err != nil {
		return err
	}
	*c = p
	return nil
}

func appendDots(b []byte, dots []Dot) []byte {
	b = binary.AppendUvarint(b, uint64(len(dots)))
	for _, d := range dots {
		b = binary.AppendUvarint(b, uint64(len(d.Actor)))
		b = append(b, d.Actor...)
		b = binary.AppendUvarint(b, d.Seq)
	}
	return b
}

func readVector(b []byte) (Vector, []byte, error) {
	entries, rest, err := readDots(b)
	if err != nil {
		return Vector{}, nil, err
	}
	v, err := checkedVector(entries)
	return v, rest, err
}

func readDots(b []byte) ([]Dot, []byte, error) {
	n, b, err := readUvarint(b)
	if err != nil {
		return nil, nil, err
	}
	// The shortest dot takes 12 bytes, so a count above that is a lie that
	// must not make us allocate.
	if n > MaxEntries || n > uint64(len(b)) {
		return nil, nil, fmt.Errorf("%d entries: too many for %d bytes, or above %d", n, len(b), MaxEntries)
	}
	if n == 0 {
		return nil, b, nil
	}
	dots := make([]Dot, 0, n)
	for range n {
		var d Dot
		if d, b, err = readDot(b); err != nil {
			return nil, nil, fmt.Errorf("entry %d: %w", len(dots)+1, err)
		}
		dots = append(dots, d)
	}
	return dots, b, nil
}

func readDot(b []byte) (Dot, []byte, error) {
	n, b, err := readUvarint(b)
	if err != nil {
		return Dot{}, nil, err
	}
	if n > uint64(len(b)) || n > MaxActor {
		return Dot{}, nil, errShort
	}
	actor, err := ParseActor(string(b[:n]))
	if err != nil {
		return Dot{}, nil, err
	}
	seq, b, err := readUvarint(b[n:])
	if err != nil {
		return Dot{}, nil, err
	}
	if seq == 0 || seq > MaxSeq {
		return Dot{}, nil, fmt.Errorf("%s: want a number from 1 to %d", actor, uint64(MaxSeq))
	}
	return Dot{actor, seq}, b, nil
}

// readUvarint refuses a number that is spelled longer than it needs to be.
func readUvarint(b []byte) (uint64, []byte, error) {
	x, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, nil, errShort
	}
	if n > 1 && b[n-1] == 0 {
		return 0, nil, errors.New("a number is not in its shortest form")
	}
	return x, b[n:], nil
}
