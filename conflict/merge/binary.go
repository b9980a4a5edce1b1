package merge

import (
	"bytes"
	"encoding/binary"
	"errors"
	"maps"
	"slices"

	"github.com/syncline/syncline/vclock"
)

// The binary form of a lineage. Numbers are varints in their shortest form; a
// table of actors stands in front, and dots name an actor by its place there. What
// has an order of its own keeps it, all else is sorted, so equal lineages have
// equal bytes: checksums go over them.
const (
	formVersion = 1
	flagPlain   = 0
	flagBlind   = 1
	flagAside   = 2 // times what the version is
)

var errLineage = errors.New("merge: a lineage that is not in its one form")

// marshal is the binary form.
func (l *lineage) marshal() []byte {
	if l.blind {
		return []byte{formVersion, flagBlind}
	}
	w := &writer{flag: flagPlain + byte(l.aside)*flagAside, actors: map[vclock.Actor]uint64{}}
	w.body = append(w.body, l.outline[:]...)
	w.dot(l.origin)
	w.body = binary.AppendUvarint(w.body, l.height)
	w.number(len(l.marks))
	for _, m := range l.marks {
		w.mark(m)
	}
	w.number(len(l.elements))
	for _, path := range slices.Sorted(maps.Keys(l.elements)) {
		w.text([]byte(path))
		w.number(len(l.elements[path]))
		for _, m := range l.elements[path] {
			w.mark(m)
		}
	}
	w.tallies(l.tallies)
	w.number(len(l.attempts))
	for _, id := range slices.SortedFunc(maps.Keys(l.attempts), func(a, b WriteID) int { return bytes.Compare(a[:], b[:]) }) {
		w.body = append(w.body, id[:]...)
		w.amounts(l.attempts[id])
	}
	w.amounts(l.taken)
	w.number(len(l.formers))
	for _, path := range slices.Sorted(maps.Keys(l.formers)) {
		w.text([]byte(path))
		w.number(len(l.formers[path]))
		for _, f := range l.formers[path] {
			w.mark(f.mark)
			w.dot(f.over)
			w.text(f.value) // no value has the empty text
		}
	}
	return w.bytes()
}

// writer collects the parts behind the table of actors.
type writer struct {
	flag   byte
	actors map[vclock.Actor]uint64
	order  []vclock.Actor
	body   []byte
}

func (w *writer) bytes() []byte {
	b := []byte{formVersion, w.flag}
	b = binary.AppendUvarint(b, uint64(len(w.order)))
	for _, a := range w.order {
		b = append(binary.AppendUvarint(b, uint64(len(a))), a...)
	}
	return append(b, w.body...)
}

func (w *writer) number(n int) { w.body = binary.AppendUvarint(w.body, uint64(n)) }

func (w *writer) text(t []byte) { w.body = append(binary.AppendUvarint(w.body, uint64(len(t))), t...) }

func (w *writer) actor(a vclock.Actor) {
	place, ok := w.actors[a]
	if !ok {
		w.order = append(w.order, a)
		place = uint64(len(w.order)) // 0 is the zero dot
		w.actors[a] = place
	}
	w.body = binary.AppendUvarint(w.body, place)
}

func (w *writer) dot(d vclock.Dot) {
	if d.IsZero() {
		w.body = append(w.body, 0)
		return
	}
	w.actor(d.Actor)
	w.body = binary.AppendUvarint(w.body, d.Seq)
}

func (w *writer) mark(m mark) {
	w.dot(m.Dot)
	w.body = binary.AppendUvarint(w.body, m.Height)
}

func (w *writer) tallies(of map[string]tallies) {
	w.number(len(of))
	for _, path := range slices.Sorted(maps.Keys(of)) {
		w.text([]byte(path))
		w.number(len(of[path]))
		for _, life := range slices.SortedFunc(maps.Keys(of[path]), vclock.Dot.Compare) {
			w.dot(life)
			t := of[path][life]
			w.number(len(t.Upto))
			for _, a := range slices.Sorted(maps.Keys(t.Upto)) {
				w.dot(vclock.Dot{Actor: a, Seq: t.Upto[a].Seq})
				w.text([]byte(text(t.Upto[a].Total)))
			}
			w.number(len(t.Loose))
			for _, d := range slices.SortedFunc(maps.Keys(t.Loose), vclock.Dot.Compare) {
				w.dot(d)
				w.text([]byte(text(t.Loose[d])))
			}
		}
	}
}

func (w *writer) amounts(of map[vclock.Dot]amounts) {
	w.number(len(of))
	for _, d := range slices.SortedFunc(maps.Keys(of), vclock.Dot.Compare) {
		w.dot(d)
		w.number(len(of[d]))
		for _, path := range slices.Sorted(maps.Keys(of[d])) {
			w.text([]byte(path))
			w.text([]byte(text(of[d][path])))
		}
	}
}

// unmarshal reads a binary form; no bytes are no lineage. Only what marshal
// writes is taken.
func (l *lineage) unmarshal(data []byte) error {
	if len(data) == 0 {
		return nil
	}
	r := &reader{rest: data}
	if r.byte() != formVersion {
		return errLineage
	}
	switch flag := r.byte(); flag {
	case flagBlind:
		l.blind = true
	case flagPlain, flagAside, 2 * flagAside:
		l.aside = aside(flag / flagAside)
		r.lineage(l)
	default:
		return errLineage
	}
	if r.failed || !bytes.Equal(l.marshal(), data) {
		*l = lineage{}
		return errLineage
	}
	return nil
}

// Check says whether bytes are a lineage.
func Check(data []byte) error { return new(lineage).unmarshal(data) }

// reader takes values off the front of bytes until one is not there. After that
// it returns nothing.
type reader struct {
	rest   []byte
	actors []vclock.Actor
	failed bool
}

func (r *reader) byte() byte {
	b := r.take(1)
	if b == nil {
		return 0
	}
	return b[0]
}

func (r *reader) take(n int) []byte {
	if r.failed || n > len(r.rest) {
		r.failed = true
		return nil
	}
	out := r.rest[:n:n]
	r.rest = r.rest[n:]
	return out
}

func (r *reader) uint() uint64 {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 || r.failed {
		r.failed = true
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

// count is a number of things to come, each of which takes a byte.
func (r *reader) count() int {
	n := r.uint()
	if n > uint64(len(r.rest)) {
		r.failed = true
		return 0
	}
	return int(n)
}

func (r *reader) text() []byte { return r.take(r.count()) }

func (r *reader) dot() vclock.Dot {
	place := r.uint()
	if place == 0 {
		return vclock.Dot{}
	}
	if place > uint64(len(r.actors)) {
		r.failed = true
		return vclock.Dot{}
	}
	d := vclock.Dot{Actor: r.actors[place-1], Seq: r.uint()}
	if d.Seq == 0 || d.Seq > vclock.MaxSeq {
		r.failed = true
	}
	return d
}

func (r *reader) mark() mark { return mark{r.dot(), r.uint()} }

func (r *reader) amount() number {
	n, err := parseNumber(string(r.text()))
	if err != nil {
		r.failed = true
	}
	return n
}

func (r *reader) lineage(l *lineage) {
	for range r.count() {
		a, err := vclock.ParseActor(string(r.text()))
		if err != nil {
			r.failed = true
			return
		}
		r.actors = append(r.actors, a)
	}
	copy(l.outline[:], r.take(len(l.outline)))
	l.origin, l.height = r.dot(), r.uint()
	for range r.count() {
		l.marks = append(l.marks, r.mark())
	}
	l.elements = map[string][]mark{}
	for range r.count() {
		path := string(r.text())
		for range r.count() {
			l.elements[path] = append(l.elements[path], r.mark())
		}
	}
	l.tallies = map[string]tallies{}
	for range r.count() {
		path := string(r.text())
		l.tallies[path] = r.lives()
	}
	l.attempts = map[WriteID]map[vclock.Dot]amounts{}
	for range r.count() {
		var id WriteID
		copy(id[:], r.take(len(id)))
		l.attempts[id] = r.amountsByDot()
	}
	l.taken = r.amountsByDot()
	l.formers = map[string][]former{}
	for range r.count() {
		path := string(r.text())
		for range r.count() {
			f := former{mark: r.mark(), over: r.dot()}
			if value := r.text(); len(value) > 0 {
				f.value = value
			}
			l.formers[path] = append(l.formers[path], f)
		}
	}
	r.failed = r.failed || len(r.rest) > 0
}

func (r *reader) lives() tallies {
	out := tallies{}
	for range r.count() {
		life := r.dot()
		t := &Tally{Upto: map[vclock.Actor]Amount{}, Loose: map[vclock.Dot]number{}}
		for range r.count() {
			d := r.dot()
			t.Upto[d.Actor] = Amount{d.Seq, r.amount()}
		}
		for range r.count() {
			d := r.dot()
			t.Loose[d] = r.amount()
		}
		out[life] = t
	}
	return out
}

func (r *reader) amountsByDot() map[vclock.Dot]amounts {
	out := map[vclock.Dot]amounts{}
	for range r.count() {
		d, a := r.dot(), amounts{}
		for range r.count() {
			path := string(r.text())
			a[path] = r.amount()
		}
		out[d] = a
	}
	return out
}
