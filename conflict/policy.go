package conflict

import (
	"crypto/sha256"
	"encoding/hex"
)

// Shown is the value that a policy computes for siblings.
type Shown struct {
	Body    []byte
	Deleted bool
	Winner  *Version // the sibling whose value it is
}

// Policy computes the value that is shown for siblings. It is a pure function
// of the set: the order in which the siblings came must not matter.
type Policy interface {
	// Show is called with one sibling or more.
	Show(Siblings) Shown
	// Name is the policy with everything that alters what it shows, such as
	// its version: part of a conflict's entity tag.
	Name() string
}

// LWW shows the newest sibling by (time, actor). Two versions of one actor are
// never siblings with equal times, since an actor's times rise.
type LWW struct{}

// Show implements Policy.
func (LWW) Show(s Siblings) Shown {
	win := s[0]
	for _, v := range s[1:] {
		if Newer(v, win) {
			win = v
		}
	}
	return Shown{Body: win.Body, Deleted: win.Deleted, Winner: win}
}

// Name implements Policy.
func (LWW) Name() string { return "lww" }

// Newer says whether a wins against b by (time, actor, sequence): a total
// order, so that exactly one of two different versions wins.
func Newer(a, b *Version) bool {
	if a.Time != b.Time {
		return a.Time > b.Time
	}
	return a.Dot.Compare(b.Dot) > 0
}

// tagDigits is the length of a conflict's entity tag: 128 bits.
const tagDigits = 32

// Tag is the entity tag, without quotes, of what the policy shows: the dot of
// the one live version, or for siblings "s:" and 32 hexadecimal digits of a
// hash of their dots and the policy. Nothing has the empty tag.
func (s Siblings) Tag(p Policy) string {
	switch len(s) {
	case 0:
		return ""
	case 1:
		return s[0].Dot.String()
	}
	h := sha256.New()
	h.Write([]byte("syncline siblings 1\n" + p.Name() + "\n"))
	for _, v := range s {
		h.Write([]byte(v.Dot.String() + "\n"))
	}
	return "s:" + hex.EncodeToString(h.Sum(nil))[:tagDigits]
}
