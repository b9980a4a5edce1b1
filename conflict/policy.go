package conflict

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"slices"
	"strings"

	"github.com/syncline/syncline/conflict/merge"
	"github.com/syncline/syncline/planted"
)

// Shown is the value that a policy computes for siblings.
type Shown struct {
	Body    []byte
	Deleted bool
	Winner  *Version // the sibling whose value it is; nil: none has it
	// Open says that the value only stands in until a person has decided.
	Open bool
	// Reason is a code that says why the policy itself could not decide, and
	// Detail says it in words; empty where it did, and for a policy that leaves
	// everything to people.
	Reason Reason
	Detail string
	Run    *Run // of the resolver that was asked; nil: none was
	// Merged is how many versions the value was merged from; 0 where it is the
	// Winner's own.
	Merged  int
	Decided []merge.Decided // members that more than one of them had changed
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

// LWW shows one of the siblings: the one with the largest number at Path, if
// there is a path, then the newest by (time, actor). Two versions of one actor
// are never siblings with equal times, since an actor's times rise. The zero LWW
// is the policy of a collection without configuration.
type LWW struct {
	Path    []string     // steps to a number in the document; what has none comes last
	Delete  DeletePolicy // "" is DeleteLWW
	Manual  bool         // a person has to decide; what is shown stands in
	Version string       // of the configuration
}

// Show implements Policy.
func (p LWW) Show(s Siblings) Shown {
	seen := s.Visible()
	win := seen[0]
	for _, v := range seen[1:] {
		if p.wins(v, win) {
			win = v
		}
	}
	return Shown{Body: win.Body, Deleted: win.Deleted, Winner: win, Open: p.Manual && len(seen) > 1}
}

// wins says whether a is shown rather than b.
func (p LWW) wins(a, b *Version) bool {
	if a.Deleted != b.Deleted {
		if planted.On(planted.OneOrder) {
			return true
		}
		switch p.Delete {
		case UpdateWins:
			return b.Deleted
		case DeleteWins:
			return a.Deleted
		case DeleteLWW:
		}
	}
	if len(p.Path) > 0 {
		if c := compareNumbers(numberAt(a, p.Path), numberAt(b, p.Path)); c != 0 {
			return c > 0
		}
	}
	return Newer(a, b)
}

// numberAt returns the number at a path of a version's document, or nil.
func numberAt(v *Version, path []string) *big.Rat {
	value := any(nil)
	d := json.NewDecoder(bytes.NewReader(v.Body))
	d.UseNumber()
	if v.Deleted || d.Decode(&value) != nil {
		return nil
	}
	for _, step := range path {
		object, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = object[step]
	}
	text, ok := value.(json.Number)
	if !ok {
		return nil
	}
	n, ok := new(big.Rat).SetString(text.String())
	if !ok {
		return nil
	}
	return n
}

// compareNumbers puts nothing below every number.
func compareNumbers(a, b *big.Rat) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	return a.Cmp(b)
}

// Name implements Policy.
func (p LWW) Name() string {
	kind := KindLWW
	if p.Manual {
		kind = KindManual
	}
	parts := []string{string(kind), p.Version, string(p.Delete), strings.Join(p.Path, "\x00")}
	for len(parts) > 1 && parts[len(parts)-1] == "" {
		parts = slices.Delete(parts, len(parts)-1, len(parts))
	}
	return strings.Join(parts, " ")
}

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
