package vclock

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Limits of names. They bound every token, frame and row that carries actors.
const (
	// MaxNodeName is the longest name of a node, in bytes.
	MaxNodeName = 32
	// ActorSuffix is the number of random base32 characters of an actor.
	ActorSuffix = 8
	// MaxActor is the longest actor, in bytes.
	MaxActor = MaxNodeName + 1 + ActorSuffix
	// crockford is the alphabet of an actor's suffix: Crockford's base32 in
	// lower case, which leaves out i, l, o and u.
	crockford = "0123456789abcdefghjkmnpqrstvwxyz"
)

// Actor is the identity under which one life of one database file stamps its
// writes: a node's name, a tilde, and 8 random base32 characters, such as
// a~k3f9x2mz. Comparing actors as strings orders them.
type Actor string

// NewActor makes the actor of a node's new life from 5 random bytes, which
// the caller draws.
func NewActor(node string, random [5]byte) (Actor, error) {
	var bits uint64
	for _, b := range random {
		bits = bits<<8 | uint64(b)
	}
	suffix := make([]byte, ActorSuffix)
	for i := range suffix {
		suffix[i] = crockford[bits>>(35-5*i)&31]
	}
	return ParseActor(node + "~" + string(suffix))
}

// ParseActor reads an actor's text form.
func ParseActor(s string) (Actor, error) {
	name, suffix, ok := strings.Cut(s, "~")
	if !ok {
		return "", fmt.Errorf("actor %.60q: want a node name, a tilde and %d base32 characters", s, ActorSuffix)
	}
	if err := CheckNodeName(name); err != nil {
		return "", fmt.Errorf("actor %.60q: %w", s, err)
	}
	if len(suffix) != ActorSuffix || strings.Trim(suffix, crockford) != "" {
		return "", fmt.Errorf("actor %.60q: want %d characters of %s after the tilde", s, ActorSuffix, crockford)
	}
	return Actor(s), nil
}

// Node returns the name of the node whose life this actor is.
func (a Actor) Node() string {
	name, _, _ := strings.Cut(string(a), "~")
	return name
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (a *Actor) UnmarshalText(text []byte) error {
	p, err := ParseActor(string(text))
	if err != nil {
		return err
	}
	*a = p
	return nil
}

// CheckNodeName says whether a name is one that a node may have:
// [a-z][a-z0-9-]{0,31}.
func CheckNodeName(name string) error {
	if name == "" || len(name) > MaxNodeName {
		return fmt.Errorf("node name %.60q: want 1 to %d characters", name, MaxNodeName)
	}
	for i := range len(name) {
		c := name[i]
		letter := c >= 'a' && c <= 'z'
		if !letter && (i == 0 || c != '-' && (c < '0' || c > '9')) {
			return fmt.Errorf("node name %q: want a small letter, then small letters, digits and hyphens", name)
		}
	}
	return nil
}

// Dot names one write: the Seq-th of its actor. An actor's sequences start at
// 1 and have no gaps. The zero Dot names nothing.
type Dot struct {
	Actor Actor
	Seq   uint64
}

// ParseDot reads a dot's text form, a~k3f9x2mz:42.
func ParseDot(s string) (Dot, error) {
	name, digits, ok := strings.Cut(s, ":")
	if !ok {
		return Dot{}, fmt.Errorf("dot %.80q: want an actor, a colon and a number, such as a~k3f9x2mz:42", s)
	}
	actor, err := ParseActor(name)
	if err != nil {
		return Dot{}, fmt.Errorf("dot %.80q: %w", s, err)
	}
	seq, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || seq == 0 || seq > MaxSeq || digits[0] == '0' || digits[0] == '+' {
		return Dot{}, fmt.Errorf("dot %.80q: want a number from 1 to %d after the colon, without leading zeros", s, uint64(MaxSeq))
	}
	return Dot{actor, seq}, nil
}

// MaxDotText is the longest text of a dot, in bytes.
const MaxDotText = MaxActor + 20

// MaxSeq is the highest sequence: what SQLite's and JSON readers' signed
// integers hold.
const MaxSeq = 1<<63 - 1

// IsZero says whether the dot names nothing.
func (d Dot) IsZero() bool { return d == Dot{} }

// Compare orders dots by actor, then sequence. It says nothing about
// causality.
func (d Dot) Compare(o Dot) int {
	if c := strings.Compare(string(d.Actor), string(o.Actor)); c != 0 {
		return c
	}
	return cmp.Compare(d.Seq, o.Seq)
}

// String is the text form that ParseDot reads.
func (d Dot) String() string {
	b := make([]byte, 0, MaxDotText)
	return string(d.append(b))
}

func (d Dot) append(b []byte) []byte {
	b = append(b, d.Actor...)
	b = append(b, ':')
	return strconv.AppendUint(b, d.Seq, 10)
}

// MarshalText implements encoding.TextMarshaler; the zero dot is empty.
func (d Dot) MarshalText() ([]byte, error) {
	if d.IsZero() {
		return []byte{}, nil
	}
	return []byte(d.String()), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Dot) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = Dot{}
		return nil
	}
	p, err := ParseDot(string(text))
	if err != nil {
		return err
	}
	*d = p
	return nil
}
