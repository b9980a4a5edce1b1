package conflict

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"github.com/syncline/syncline/conflict/merge"
	"github.com/syncline/syncline/vclock"
)

// Version is one written value of one document. It is self-contained and
// never altered once it was made; share it by pointer.
type Version struct {
	Key     Key
	Dot     vclock.Dot
	Time    vclock.Time    // decides between truly concurrent siblings only
	Deleted bool           // a tombstone; its body is empty
	Clock   vclock.Context // what its writer had seen of the document
	Body    []byte         // the bytes as they came
	Origin  *Origin        // nil for a write that is nothing but itself
	Sum     Sum            // over all of the above, computed where it was written
}

// Covers says whether v's writer had seen o.
func (v *Version) Covers(o *Version) bool { return v.Clock.Covers(o.Dot) }

// SumSize is the length of a Sum, in bytes.
const SumSize = 16

// Sum is a version's checksum, or the XOR of several: SHA-256, cut to 128 bits.
type Sum [SumSize]byte

// sumLabel separates these hashes from all others of the cluster.
const sumLabel = "syncline version 1\n"

// ComputeSum returns the checksum over all that the version is. The body goes
// in by its hash.
func (v *Version) ComputeSum() Sum {
	b := make([]byte, 0, 512)
	b = append(b, sumLabel...)
	b = appendString(b, string(v.Key.Collection))
	b = appendString(b, string(v.Key.ID))
	b = appendString(b, string(v.Dot.Actor))
	b = binary.AppendUvarint(b, v.Dot.Seq)
	b = binary.AppendUvarint(b, uint64(v.Time))
	b = append(b, boolByte(v.Deleted))
	clock, err := v.Clock.AppendBinary(nil)
	if err != nil {
		panic("conflict: a context has no binary form: " + err.Error())
	}
	b = appendString(b, string(clock))
	body := sha256.Sum256(v.Body)
	b = append(b, body[:]...)
	b = v.Origin.appendTo(b)
	whole := sha256.Sum256(b)
	return Sum(whole[:SumSize])
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func boolByte(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// Check says whether a version that came from outside is sound: its checksum
// holds, its clock does not cover itself, and a tombstone has no body.
func (v *Version) Check() error {
	switch {
	case v.Sum != v.ComputeSum():
		return fmt.Errorf("version %s of %s: the checksum does not hold", v.Dot, v.Key)
	case v.Clock.Covers(v.Dot):
		return fmt.Errorf("version %s of %s: its clock covers itself", v.Dot, v.Key)
	case v.Origin != nil && v.Origin.Old == v.Dot:
		return fmt.Errorf("version %s of %s: it says that it was stamped again as itself", v.Dot, v.Key)
	case v.Origin != nil && merge.Check(v.Origin.Lineage) != nil:
		return fmt.Errorf("version %s of %s: its lineage cannot be read", v.Dot, v.Key)
	case v.Deleted && len(v.Body) > 0:
		return fmt.Errorf("version %s of %s: a tombstone with a body", v.Dot, v.Key)
	}
	return nil
}

// XOR returns the digest with the other one added or, the same, taken out.
func (s Sum) XOR(o Sum) Sum {
	subtle.XORBytes(s[:], s[:], o[:])
	return s
}

// String is the sum in hexadecimal digits.
func (s Sum) String() string { return hex.EncodeToString(s[:]) }

// MarshalText implements encoding.TextMarshaler with String.
func (s Sum) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what String writes.
func (s *Sum) UnmarshalText(text []byte) error {
	b, err := hex.DecodeString(string(text))
	if err != nil || len(b) != SumSize {
		return fmt.Errorf("checksum %.60q: want %d hexadecimal digits", text, 2*SumSize)
	}
	copy(s[:], b)
	return nil
}
