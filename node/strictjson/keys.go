package strictjson

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// linearKeys is how many keys of one object are compared each with each; an
// object with more gets a map.
const linearKeys = 32

// openKeys is how many keys of open objects are kept outside maps.
const openKeys = 48

// key is one of the first keys of an object that is still open.
type key struct {
	text []byte // decoded
	sum  uint64 // fingerprint of text: differs for most texts that differ
	at   int    // offset in the body
}

// names are the keys of one open object. While they are few they stand in the
// checker's stack of keys; the map that a big object gets is seeded by the
// runtime, so nobody can choose keys that make it slow.
type names struct {
	first int            // where they begin in the stack
	all   map[string]int // offsets by decoded key; nil while they are few
}

// addKey notes the key of a member and refuses one that its object has.
func (c *checker) addKey(n *names, at, end int, escaped bool) error {
	text := c.body[at+1 : end-1]
	if escaped {
		from := len(c.text)
		c.text = appendDecoded(c.text, text)
		text = c.text[from:]
	}
	own := c.keys[n.first:c.nkeys]
	if n.all == nil && (len(own) == linearKeys || c.nkeys == openKeys) {
		n.all = make(map[string]int, 4*linearKeys)
		for _, k := range own {
			n.all[c.shared(k.text, k.at)] = k.at
		}
		c.nkeys = n.first
	}
	if n.all != nil {
		if first, ok := n.all[string(text)]; ok {
			return c.duplicate(text, first, at)
		}
		n.all[c.shared(text, at)] = at
		return nil
	}
	sum := fingerprint(text)
	for i := range own {
		if own[i].sum == sum && bytes.Equal(own[i].text, text) {
			return c.duplicate(text, own[i].at, at)
		}
	}
	c.keys[c.nkeys] = key{text: text, sum: sum, at: at}
	c.nkeys++
	return nil
}

// shared makes the string of a key for a map. Keys without escapes share one
// copy of the body, which only a body with a big object pays for.
func (c *checker) shared(text []byte, at int) string {
	if !bytes.HasPrefix(c.body[at+1:], text) {
		return string(text)
	}
	if c.copy == "" {
		c.copy = string(c.body)
	}
	return c.copy[at+1 : at+1+len(text)]
}

// duplicate makes the error for a key that stands in its object twice.
func (c *checker) duplicate(text []byte, first, second int) error {
	line, column := place(c.body, first)
	return failAt(c.body, second, fmt.Sprintf("duplicate key %s, first at line %d, column %d",
		quote(string(text)), line, column))
}

// fingerprint mixes the length, the beginning and the end of a text. It only
// spares comparisons: equal fingerprints prove nothing.
func fingerprint(text []byte) uint64 {
	const mix = 0x9e3779b97f4a7c15 // 2^64 divided by the golden ratio: spreads small differences
	n := len(text)
	var head, tail uint64
	switch {
	case n >= 8:
		head, tail = binary.LittleEndian.Uint64(text), binary.LittleEndian.Uint64(text[n-8:])
	case n >= 4:
		head, tail = uint64(binary.LittleEndian.Uint32(text)), uint64(binary.LittleEndian.Uint32(text[n-4:]))
	case n > 0:
		head, tail = uint64(text[0])|uint64(text[n/2])<<8, uint64(text[n-1])
	}
	return (head*mix ^ tail + uint64(n)) * mix
}
