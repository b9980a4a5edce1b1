package vclock

import (
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
)

// MaxEntries is the most actors or loose dots that a decoder takes in one
// vector or cloud. A cluster has a handful; the limit bounds what a peer or a
// client can make us hold.
const MaxEntries = 65536

// Vector says, for each actor, how many of its writes are meant: the first
// Seq, without gaps. The zero Vector means none. Vectors are immutable.
type Vector struct {
	entries []Dot // sorted by actor, each once, Seq > 0; never written after it was made
}

// VectorOf makes a vector from its entries; of one actor's, the highest
// counts.
func VectorOf(entries ...Dot) Vector {
	var v Vector
	for _, d := range entries {
		v = v.With(d)
	}
	return v
}

func (v Vector) find(a Actor) (int, bool) {
	for i := range v.entries { // a handful of actors: a scan beats a search
		if v.entries[i].Actor >= a {
			return i, v.entries[i].Actor == a
		}
	}
	return len(v.entries), false
}

// Get returns how many of the actor's writes are meant; 0 when none.
func (v Vector) Get(a Actor) uint64 {
	if i, ok := v.find(a); ok {
		return v.entries[i].Seq
	}
	return 0
}

// Covers says whether the dot is meant.
func (v Vector) Covers(d Dot) bool { return d.Seq <= v.Get(d.Actor) }

// Len is the number of actors.
func (v Vector) Len() int { return len(v.entries) }

// All yields the entries in the order of their actors.
func (v Vector) All() iter.Seq[Dot] { return slices.Values(v.entries) }

// With returns the vector raised so that it covers d.
func (v Vector) With(d Dot) Vector {
	i, ok := v.find(d.Actor)
	if d.Seq == 0 || ok && v.entries[i].Seq >= d.Seq {
		return v
	}
	out := make([]Dot, 0, len(v.entries)+1)
	out = append(out, v.entries[:i]...)
	out = append(out, d)
	if ok {
		i++
	}
	return Vector{append(out, v.entries[i:]...)}
}

// Join returns the least vector that covers both.
func (v Vector) Join(o Vector) Vector {
	if v.Dominates(o) {
		return v
	}
	if o.Dominates(v) {
		return o
	}
	return v.zip(o, func(x, y uint64) uint64 { return max(x, y) })
}

// Meet returns the greatest vector that both cover.
func (v Vector) Meet(o Vector) Vector {
	return v.zip(o, func(x, y uint64) uint64 { return min(x, y) })
}

func (v Vector) zip(o Vector, pick func(x, y uint64) uint64) Vector {
	out := make([]Dot, 0, max(len(v.entries), len(o.entries))+1)
	a, b := v.entries, o.entries
	for len(a) > 0 || len(b) > 0 {
		var d Dot
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].Actor < b[0].Actor:
			d, a = Dot{a[0].Actor, pick(a[0].Seq, 0)}, a[1:]
		case len(a) == 0 || b[0].Actor < a[0].Actor:
			d, b = Dot{b[0].Actor, pick(0, b[0].Seq)}, b[1:]
		default:
			d, a, b = Dot{a[0].Actor, pick(a[0].Seq, b[0].Seq)}, a[1:], b[1:]
		}
		if d.Seq > 0 {
			out = append(out, d)
		}
	}
	return Vector{out}
}

// Dominates says whether v covers everything that o covers.
func (v Vector) Dominates(o Vector) bool {
	a := v.entries
	for _, d := range o.entries {
		for len(a) > 0 && a[0].Actor < d.Actor {
			a = a[1:]
		}
		if len(a) == 0 || a[0].Actor != d.Actor || a[0].Seq < d.Seq {
			return false
		}
	}
	return true
}

// Equal says whether both cover the same dots.
func (v Vector) Equal(o Vector) bool { return slices.Equal(v.entries, o.entries) }

// Beyond counts the dots that v covers and o does not.
func (v Vector) Beyond(o Vector) uint64 {
	var n uint64
	for _, d := range v.entries {
		if have := o.Get(d.Actor); d.Seq > have {
			n += d.Seq - have
		}
	}
	return n
}

// String is the text form that ParseVector reads: dots with commas between.
func (v Vector) String() string {
	var b []byte
	for i, d := range v.entries {
		if i > 0 {
			b = append(b, ',')
		}
		b = d.append(b)
	}
	return string(b)
}

// ParseVector reads a vector's text form: dots in the order of their actors,
// with commas between; nothing is the empty vector.
func ParseVector(s string) (Vector, error) {
	dots, err := parseDots(s)
	if err != nil {
		return Vector{}, err
	}
	return checkedVector(dots)
}

func parseDots(s string) ([]Dot, error) {
	if s == "" {
		return nil, nil
	}
	if n := strings.Count(s, ",") + 1; n > MaxEntries {
		return nil, fmt.Errorf("%d entries: at most %d", n, MaxEntries)
	}
	var dots []Dot
	for part := range strings.SplitSeq(s, ",") {
		d, err := ParseDot(part)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", len(dots)+1, err)
		}
		dots = append(dots, d)
	}
	return dots, nil
}

// checkedVector takes ownership of entries that came from outside.
func checkedVector(entries []Dot) (Vector, error) {
	for i := 1; i < len(entries); i++ {
		if entries[i-1].Actor >= entries[i].Actor {
			return Vector{}, fmt.Errorf("entry %d: actor %s is out of order or stands twice", i+1, entries[i].Actor)
		}
	}
	return Vector{entries}, nil
}

// MarshalText implements encoding.TextMarshaler with String.
func (v Vector) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler with ParseVector.
func (v *Vector) UnmarshalText(text []byte) error {
	p, err := ParseVector(string(text))
	if err != nil {
		return err
	}
	*v = p
	return nil
}

// MarshalJSON writes the vector as an object, {"a~k3f9x2mz":42}.
func (v Vector) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, d := range v.entries {
		if i > 0 {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, "%q:%d", string(d.Actor), d.Seq) // an actor needs no escapes
	}
	return append(b, '}'), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (v *Vector) UnmarshalJSON(data []byte) error {
	var m map[Actor]uint64
	if err := json.Unmarshal(data, &m); err != nil {
		return fmt.Errorf("vector: %w", err)
	}
	if len(m) > MaxEntries {
		return fmt.Errorf("vector: %d entries: at most %d", len(m), MaxEntries)
	}
	entries := make([]Dot, 0, len(m))
	for a, n := range m {
		if n == 0 || n > MaxSeq {
			return fmt.Errorf("vector: %s: want a number from 1 to %d", a, uint64(MaxSeq))
		}
		entries = append(entries, Dot{a, n})
	}
	slices.SortFunc(entries, Dot.Compare)
	*v = Vector{entries}
	return nil
}
