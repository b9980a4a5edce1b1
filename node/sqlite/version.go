package sqlite

import (
	"database/sql/driver"
	"fmt"
	"slices"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/vclock"
)

// versionColumns are what decodeVersion reads, in its order.
const versionColumns = "v.actor, v.seq, v.time, v.deleted, v.clock, v.sum, v.body, v.origin"

// versionWidth is how many they are.
const versionWidth = 8

// decodeVersion reads a version from versionColumns. Whether its checksum holds
// is for those to ask who send it on.
func decodeVersion(v values, key conflict.Key, actor vclock.Actor) (*conflict.Version, error) {
	out := &conflict.Version{
		Key:     key,
		Dot:     vclock.Dot{Actor: actor, Seq: uint64(v.int(1))},
		Time:    vclock.Time(v.int(2)),
		Deleted: v.int(3) != 0,
		Body:    v.blob(6),
	}
	if err := out.Clock.UnmarshalBinary(v.blob(4)); err != nil {
		return nil, damaged("read", fmt.Sprintf("version %s of %s: %v", out.Dot, key, err))
	}
	var err error
	if out.Origin, err = conflict.ParseOrigin(v.blob(7)); err != nil {
		return nil, damaged("read", fmt.Sprintf("version %s of %s: %v", out.Dot, key, err))
	}
	if n := copy(out.Sum[:], v.blob(5)); n != len(out.Sum) {
		return nil, damaged("read", fmt.Sprintf("version %s of %s: a checksum of %d bytes", out.Dot, key, n))
	}
	return out, nil
}

// appendVersion writes a version's columns from the actor on.
func appendVersion(args []driver.Value, v *conflict.Version, actor int64) ([]driver.Value, error) {
	clock, err := v.Clock.MarshalBinary()
	if err != nil {
		return nil, err
	}
	return append(args, actor, int64(v.Dot.Seq), int64(v.Time), v.Deleted, clock, v.Sum[:], notNil(v.Body), notNil(v.Origin.Binary())), nil
}

// notNil is a blob for the driver, which stores NULL for nil.
func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// sortByDot puts live versions into the order of Siblings.
func sortByDot(s conflict.Siblings) {
	slices.SortFunc(s, func(a, b *conflict.Version) int { return a.Dot.Compare(b.Dot) })
}
