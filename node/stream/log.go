package stream

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// RingSize is how many changes a Log keeps for readers that come back.
	RingSize = 4096
	// MaxData is the longest description of one event, in bytes; what is longer
	// is told without its data.
	MaxData = 16 << 10
	// MaxBatch is how many events a reader is given at once.
	MaxBatch = 256
)

// Config says what a Log is made of.
type Config struct {
	Life string           // names this run of the process: no other run's, and without '-'
	Now  func() time.Time // the wall clock; nil: time.Now
}

// Log keeps what happened lately, and the newest values of gauges. It is safe
// for concurrent use, and nobody who adds to it waits.
type Log struct {
	cfg Config

	mu       sync.Mutex
	ring     []Event // of changes; the n-th is at n modulo RingSize
	next     uint64  // number of the next change
	gauges   map[string]gauge
	revision uint64 // rises with each gauge that is set
	bell     chan struct{}
}

// gauge is the newest value of a figure.
type gauge struct {
	revision uint64
	event    Event
}

// NewLog makes an empty log.
func NewLog(c Config) *Log {
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Log{cfg: c, gauges: map[string]gauge{}, bell: make(chan struct{})}
}

// message is the shape of an event's data.
type message struct {
	ID    string    `json:"id,omitempty"`
	Event string    `json:"event"`
	Time  time.Time `json:"time"`
	Data  any       `json:"data"`
}

// encode is the JSON of a value of ours, which always has one.
func encode(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic("stream: a value has no JSON form: " + err.Error())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'})
}

func (l *Log) event(id, kind string, data any) Event {
	m := message{ID: id, Event: kind, Time: l.cfg.Now().UTC(), Data: data}
	text := encode(m)
	if len(text) > MaxData {
		m.Data = nil
		text = encode(m)
	}
	return Event{ID: id, Kind: kind, Data: text}
}

// Add tells a change. Data is encoded at once.
func (l *Log) Add(kind string, data any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next++
	e := l.event(l.id(l.next), kind, data)
	if len(l.ring) < RingSize {
		l.ring = append(l.ring, e)
	} else {
		l.ring[(l.next-1)%RingSize] = e
	}
	l.ringBell()
}

// Set gives a gauge its newest value.
func (l *Log) Set(kind string, data any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.revision++
	l.gauges[kind] = gauge{l.revision, l.event("", kind, data)}
	l.ringBell()
}

func (l *Log) ringBell() {
	close(l.bell)
	l.bell = make(chan struct{})
}

// Bell returns a channel that is closed at the next event. Take it before
// reading, else one in between is missed.
func (l *Log) Bell() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bell
}

func (l *Log) id(n uint64) string { return l.cfg.Life + "-" + strconv.FormatUint(n, 10) }

// Position is how far a reader has come.
type Position struct {
	change   uint64 // the last change that it had
	revision uint64 // of the gauges that it had
}

// Present is the position of a reader who is told the whole state now, and its
// id. Take it before the state is read: what changes meanwhile comes again.
func (l *Log) Present() (Position, string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Position{l.next, l.revision}, l.id(l.next)
}

// Find is the position behind an id; ok is false when it is of another run, of
// the future, or older than what is kept.
func (l *Log) Find(id string) (p Position, ok bool) {
	life, text, found := strings.Cut(id, "-")
	n, err := strconv.ParseUint(text, 10, 64)
	l.mu.Lock()
	defer l.mu.Unlock()
	if !found || err != nil || life != l.cfg.Life || n > l.next || n < l.oldest() {
		return Position{}, false
	}
	return Position{change: n}, true
}

// oldest is the lowest number behind which a reader misses nothing.
func (l *Log) oldest() uint64 { return l.next - uint64(len(l.ring)) }

// Read returns up to MaxBatch events behind a position: changes in order, then
// gauges that are newer. gap says that the ring has passed the reader by.
func (l *Log) Read(p *Position) (events []Event, gap bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.change < l.oldest() {
		return nil, true
	}
	for p.change < l.next && len(events) < MaxBatch {
		events = append(events, l.ring[p.change%RingSize])
		p.change++
	}
	if p.change < l.next {
		return events, false // gauges wait until the changes are told
	}
	for _, kind := range slices.Sorted(maps.Keys(l.gauges)) {
		if g := l.gauges[kind]; g.revision > p.revision {
			events = append(events, g.event)
		}
	}
	p.revision = l.revision
	return events, false
}
