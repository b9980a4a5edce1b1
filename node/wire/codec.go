package wire

import (
	"fmt"

	"github.com/fxamacker/cbor/v2"
)

// Version is the version of the messages of this package. Two builds that
// differ in it say so in hello and do not talk further.
const Version = 2

// Limits of decoding.
const (
	// MaxNesting is the deepest nesting of maps and arrays in a message.
	MaxNesting = 8
	// MaxElements is the most elements of one array, and pairs of one map.
	MaxElements = 131072
)

var (
	encoding = must(cbor.EncOptions{
		Sort:        cbor.SortCoreDeterministic,
		IndefLength: cbor.IndefLengthForbidden,
	}.EncMode())
	decoding = must(cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		IndefLength:       cbor.IndefLengthForbidden,
		TagsMd:            cbor.TagsForbidden,
		MaxNestedLevels:   MaxNesting,
		MaxArrayElements:  MaxElements,
		MaxMapPairs:       MaxElements,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		FieldNameMatching: cbor.FieldNameMatchingCaseSensitive,
		UTF8:              cbor.UTF8RejectInvalid,
	}.DecMode())
)

// must holds for options that are constants: a wrong one is a bug.
func must[M any](mode M, err error) M {
	if err != nil {
		panic("wire: " + err.Error())
	}
	return mode
}

// Encode writes a message, the same bytes for equal messages.
func Encode(message any) ([]byte, error) {
	b, err := encoding.Marshal(message)
	if err != nil {
		return nil, fmt.Errorf("wire: encode %T: %w", message, err)
	}
	return b, nil
}

// Decode reads one message, which fills all of data. The caller bounds the
// length of data; Decode bounds what it makes of it.
func Decode(data []byte, message any) error {
	if len(data) == 0 { // else it looks like the end of a stream
		return fmt.Errorf("wire: decode %T: it is empty", message)
	}
	if err := decoding.Unmarshal(data, message); err != nil {
		return fmt.Errorf("wire: decode %T: %w", message, err)
	}
	return nil
}
