package sqlite

import (
	"bytes"
	"maps"
	"sync/atomic"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/vclock"
)

// numbering is the small numbers that stand for names in rows.
type numbering[N ~string] struct {
	number map[N]int64
	name   map[int64]N
}

func newNumbering[N ~string]() numbering[N] {
	return numbering[N]{number: map[N]int64{}, name: map[int64]N{}}
}

func (n numbering[N]) add(name N, number int64) {
	n.number[name] = number
	n.name[number] = name
}

func (n numbering[N]) clone() numbering[N] {
	return numbering[N]{number: maps.Clone(n.number), name: maps.Clone(n.name)}
}

// load reads a numbering from its table.
func (n numbering[N]) load(c *conn, table string) error {
	return c.ask("SELECT number, name FROM "+table, func(v values) error {
		n.add(N(v.text(1)), v.int(0))
		return nil
	})
}

// names are the numbers of all actors and collections that are committed. A
// names is never altered: a commit that brings new ones puts another in its
// place.
type names struct {
	actors      numbering[vclock.Actor]
	collections numbering[conflict.Collection]
}

func loadNames(c *conn) (*names, error) {
	n := &names{actors: newNumbering[vclock.Actor](), collections: newNumbering[conflict.Collection]()}
	if err := n.actors.load(c, "actors"); err != nil {
		return nil, err
	}
	if err := n.collections.load(c, "collections"); err != nil {
		return nil, err
	}
	return n, nil
}

func (n *names) clone() *names {
	return &names{actors: n.actors.clone(), collections: n.collections.clone()}
}

// shared is what all connections know of the file. A reader may be ahead of it
// for a moment after a commit, so it asks the file for what it misses here.
type shared struct {
	names    atomic.Pointer[names]
	frontier atomic.Pointer[parsed]
}

// parsed is a vector with the bytes that it was read from.
type parsed struct {
	form   []byte
	vector vclock.Vector
}

// parseFrontier reads a frontier. Between two commits every read meets the same
// bytes, so they are parsed once.
func (s *shared) parseFrontier(form []byte) (vclock.Vector, error) {
	if p := s.frontier.Load(); p != nil && bytes.Equal(p.form, form) {
		return p.vector, nil
	}
	var v vclock.Vector
	if err := v.UnmarshalBinary(form); err != nil {
		return v, damaged("read", "the frontier: "+err.Error())
	}
	s.frontier.Store(&parsed{form: form, vector: v})
	return v, nil
}
