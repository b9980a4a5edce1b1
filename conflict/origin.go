package conflict

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/syncline/syncline/conflict/merge"
	"github.com/syncline/syncline/vclock"
)

// Limits of an Origin.
const (
	// WriteIDSize is the length of a WriteID, in bytes.
	WriteIDSize = 16
	// MaxPast is the most write ids of an Origin's Past.
	MaxPast = 256
	// MaxLineage is the longest Lineage, in bytes.
	MaxLineage = merge.MaxBytes
)

// WriteID names a request or a settlement: a hash of what makes two attempts
// one. The zero WriteID names none.
type WriteID [WriteIDSize]byte

// IsZero says whether the id names nothing.
func (id WriteID) IsZero() bool { return id == WriteID{} }

// String is the id in hexadecimal digits, or "" for none.
func (id WriteID) String() string {
	if id.IsZero() {
		return ""
	}
	return hex.EncodeToString(id[:])
}

// Origin says where a version came from, beyond what its writer had seen: what
// tells two attempts of one write from two writes (PROTOCOL D5), and what the
// write changed (D10). Most versions have none.
type Origin struct {
	Write   WriteID     // of the request or settlement that made the version
	Settles bool        // Write is a settlement's
	Policy  vclock.Time // of a settlement: the age of the policy that it went by
	Past    []WriteID   // of versions that it covered and that were not yet stable
	Old     vclock.Dot  // its former dot, when it was stamped again; zero for none
	Lineage []byte      // numbers, marks and former values, in the binary form of conflict/merge
}

// The parts that the binary form of an Origin has.
const (
	hasWrite = 1 << iota
	hasPolicy
	hasPast
	hasOld
	hasLineage
	isSettlement
)

// parts says which parts are not zero.
func (o *Origin) parts() byte {
	var p byte
	for bit, has := range map[byte]bool{
		hasWrite: !o.Write.IsZero(), hasPolicy: o.Policy != 0, hasPast: len(o.Past) > 0,
		hasOld: !o.Old.IsZero(), hasLineage: len(o.Lineage) > 0, isSettlement: o.Settles,
	} {
		if has {
			p |= bit
		}
	}
	return p
}

// Binary is the binary form: empty for no Origin and for the zero one.
func (o *Origin) Binary() []byte { return o.appendTo(nil) }

func (o *Origin) appendTo(b []byte) []byte {
	if o == nil || o.parts() == 0 {
		return b
	}
	parts := o.parts()
	b = append(b, parts)
	if parts&hasWrite != 0 {
		b = append(b, o.Write[:]...)
	}
	if parts&hasPolicy != 0 {
		b = binary.AppendUvarint(b, uint64(o.Policy))
	}
	if parts&hasPast != 0 {
		b = binary.AppendUvarint(b, uint64(len(o.Past)))
		for _, id := range o.Past {
			b = append(b, id[:]...)
		}
	}
	if parts&hasOld != 0 {
		b = appendString(b, o.Old.String())
	}
	return append(b, o.Lineage...)
}

var errOrigin = errors.New("origin: it ends in the middle of a value")

// ParseOrigin reads a binary form; empty bytes are no Origin. Only the form that
// Binary writes is taken, since checksums go over it.
func ParseOrigin(data []byte) (*Origin, error) {
	if len(data) == 0 {
		return nil, nil //nolint:nilnil // no Origin is what most versions have
	}
	o, r := &Origin{}, reader{rest: data[1:]}
	parts := data[0]
	o.Settles = parts&isSettlement != 0
	if parts&hasWrite != 0 {
		o.Write = WriteID(r.take(WriteIDSize))
	}
	if parts&hasPolicy != 0 {
		o.Policy = vclock.Time(r.number(uint64(vclock.MaxTime)))
	}
	if parts&hasPast != 0 {
		for range r.number(MaxPast) {
			o.Past = append(o.Past, WriteID(r.take(WriteIDSize)))
		}
	}
	if parts&hasOld != 0 {
		text := r.take(int(r.number(vclock.MaxDotText)))
		if r.err == nil {
			o.Old, r.err = vclock.ParseDot(string(text))
		}
	}
	if parts&hasLineage != 0 {
		o.Lineage, r.rest = r.rest, nil
	}
	switch {
	case r.err != nil:
		return nil, r.err
	case len(r.rest) > 0 || o.parts() != parts:
		return nil, errors.New("origin: it is not in its one form")
	case len(o.Lineage) > MaxLineage:
		return nil, fmt.Errorf("origin: a lineage of %d bytes: at most %d", len(o.Lineage), MaxLineage)
	}
	return o, nil
}

// reader takes values off the front of bytes until one is not there.
type reader struct {
	rest []byte
	err  error
}

// take returns the next n bytes, or as many zeros.
func (r *reader) take(n int) []byte {
	if r.err == nil && len(r.rest) < n {
		r.err = errOrigin
	}
	if r.err != nil {
		return make([]byte, n)
	}
	out := r.rest[:n]
	r.rest = r.rest[n:]
	return out
}

// number returns the next number, which must be in its shortest form and within
// its limit.
func (r *reader) number(limit uint64) uint64 {
	n, size := binary.Uvarint(r.rest)
	if r.err == nil && (size <= 0 || n > limit || size > 1 && r.rest[size-1] == 0) {
		r.err = errors.New("origin: a number is out of bounds or not in its one form")
	}
	if r.err != nil {
		return 0
	}
	r.rest = r.rest[size:]
	return n
}
