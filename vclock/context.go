package vclock

import (
	"fmt"
	"iter"
	"slices"
	"strings"
)

// Context is a causal context: what somebody had seen. It is a version vector
// and a cloud of loose dots beyond it. The zero Context has seen nothing.
// Contexts are immutable.
type Context struct {
	vector Vector
	cloud  []Dot // sorted, no repeats, none covered by vector
}

// ContextOf makes a context. Dots that the vector covers leave the cloud.
func ContextOf(v Vector, loose ...Dot) Context {
	if len(loose) == 0 {
		return Context{vector: v}
	}
	cloud := slices.Clone(loose)
	slices.SortFunc(cloud, Dot.Compare)
	cloud = slices.Compact(cloud)
	return Context{v, slices.DeleteFunc(cloud, func(d Dot) bool { return d.Seq == 0 || v.Covers(d) })}
}

// Vector returns the part without loose dots.
func (c Context) Vector() Vector { return c.vector }

// Loose yields the cloud in order.
func (c Context) Loose() iter.Seq[Dot] { return slices.Values(c.cloud) }

// LooseLen is the number of loose dots.
func (c Context) LooseLen() int { return len(c.cloud) }

// IsZero says whether nothing was seen.
func (c Context) IsZero() bool { return len(c.vector.entries) == 0 && len(c.cloud) == 0 }

// Covers says whether the dot was seen.
func (c Context) Covers(d Dot) bool {
	if c.vector.Covers(d) {
		return true
	}
	_, ok := slices.BinarySearchFunc(c.cloud, d, Dot.Compare)
	return ok
}

// Join returns the least context that covers both.
func (c Context) Join(o Context) Context {
	v := c.vector.Join(o.vector)
	if len(c.cloud) == 0 && len(o.cloud) == 0 {
		return Context{vector: v}
	}
	return ContextOf(v, slices.Concat(c.cloud, o.cloud)...)
}

// WithLoose returns the context with one dot more, as a loose one unless the
// vector covers it.
func (c Context) WithLoose(d Dot) Context {
	if c.Covers(d) {
		return c
	}
	return ContextOf(c.vector, append(slices.Clone(c.cloud), d)...)
}

// Within says whether the vector covers all that c covers.
func (c Context) Within(v Vector) bool {
	if !v.Dominates(c.vector) {
		return false
	}
	return !slices.ContainsFunc(c.cloud, func(d Dot) bool { return !v.Covers(d) })
}

// Equal says whether both have the same vector and the same cloud.
func (c Context) Equal(o Context) bool {
	return c.vector.Equal(o.vector) && slices.Equal(c.cloud, o.cloud)
}

// String is the text form that ParseContext reads: the vector, and where
// there are loose dots a plus sign and the dots.
func (c Context) String() string {
	if len(c.cloud) == 0 {
		return c.vector.String()
	}
	b := append([]byte(c.vector.String()), '+')
	for i, d := range c.cloud {
		if i > 0 {
			b = append(b, ',')
		}
		b = d.append(b)
	}
	return string(b)
}

// ParseContext reads a context's text form.
func ParseContext(s string) (Context, error) {
	left, right, plus := strings.Cut(s, "+")
	v, err := ParseVector(left)
	if err != nil {
		return Context{}, fmt.Errorf("context: %w", err)
	}
	if plus && right == "" {
		return Context{}, fmt.Errorf("context: no dot stands after the plus sign")
	}
	dots, err := parseDots(right)
	if err != nil {
		return Context{}, fmt.Errorf("context: loose %w", err)
	}
	return checkedContext(v, dots)
}

// checkedContext takes ownership of a cloud that came from outside.
func checkedContext(v Vector, cloud []Dot) (Context, error) {
	for i, d := range cloud {
		if i > 0 && cloud[i-1].Compare(d) >= 0 {
			return Context{}, fmt.Errorf("context: loose dot %s is out of order or stands twice", d)
		}
		if v.Covers(d) {
			return Context{}, fmt.Errorf("context: loose dot %s stands in the vector too", d)
		}
	}
	return Context{v, cloud}, nil
}

// MarshalText implements encoding.TextMarshaler with String.
func (c Context) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler with ParseContext.
func (c *Context) UnmarshalText(text []byte) error {
	p, err := ParseContext(string(text))
	if err != nil {
		return err
	}
	*c = p
	return nil
}
