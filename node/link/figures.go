package link

import (
	"cmp"
	"slices"
	"sync/atomic"
	"time"
)

// tally counts bytes of a connection, or of all that a peer had before.
type tally struct {
	in, out, lost atomic.Uint64
	heard         atomic.Int64 // when the last byte was read, ns since 1970; 0 never
}

func (t *tally) add(o *tally) {
	t.in.Add(o.in.Load())
	t.out.Add(o.out.Load())
	t.lost.Add(o.lost.Load())
	t.heard.Store(max(t.heard.Load(), o.heard.Load()))
}

// peerState is what a Link knows of one peer. All but effect and count is
// guarded by Link.mu.
type peerState struct {
	name   string
	effect atomic.Pointer[effect]
	conns  map[*conn]struct{}
	count  tally // packets and ended connections

	dialFailures uint64
	lastError    string
	lastErrorAt  time.Time
	roundTrip    time.Duration
	roundTripAt  time.Time
}

// peerLocked returns the state of a peer. Names come from the roster or were
// proved to be in it, so they are few.
func (l *Link) peerLocked(name string) *peerState {
	p := l.peers[name]
	if p == nil {
		p = &peerState{name: name, conns: map[*conn]struct{}{}}
		p.effect.Store(combine(l.faults, l.cfg.Self, name, l.cfg.Now()))
		l.peers[name] = p
	}
	return p
}

// state is peerLocked for callers without the lock.
func (l *Link) state(name string) *peerState {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.peerLocked(name)
}

func (l *Link) dialFailed(peer string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.peerLocked(peer)
	p.dialFailures++
	p.lastError, p.lastErrorAt = err.Error(), l.cfg.Now()
}

// ObserveRoundTrip tells how long a question to the peer and its answer took.
// The Link cannot see that itself: it does not know what answers what.
func (l *Link) ObserveRoundTrip(peer string, d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.peerLocked(peer)
	p.roundTrip, p.roundTripAt = d, l.cfg.Now()
}

// Figures is what this process knows of its link with one peer: one directed
// entry of the matrix of links. What is not known is null in JSON.
type Figures struct {
	Peer         string     `json:"peer"`
	BytesIn      uint64     `json:"bytes_in"`  // since the start of the process, TCP and packets
	BytesOut     uint64     `json:"bytes_out"` // really sent: without what faults discarded
	BytesLost    uint64     `json:"bytes_lost"`
	Connections  int        `json:"connections"` // open now
	DialFailures uint64     `json:"dial_failures"`
	LastError    string     `json:"last_error"` // of a dial; empty: none yet
	LastErrorAt  *time.Time `json:"last_error_at"`
	LastHeard    *time.Time `json:"last_heard"`    // when the last byte was read
	RoundTripMS  *float64   `json:"round_trip_ms"` // the last one observed
	RoundTripAt  *time.Time `json:"round_trip_at"`
	UnknownSince *time.Time `json:"unknown_since,omitempty"` // set while LastHeard or RoundTripMS is not known
	CutOut       bool       `json:"cut_out"`                 // by a fault of this process, now
	CutIn        bool       `json:"cut_in"`
	Faults       []string   `json:"faults"` // ids of this link's faults
}

// Snapshot returns the figures for every member of the roster and every other
// peer met, by name, without this process itself.
func (l *Link) Snapshot() []Figures {
	members := l.cfg.Peers()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, name := range members {
		if name != l.cfg.Self {
			l.peerLocked(name)
		}
	}
	out := make([]Figures, 0, len(l.peers))
	for _, p := range l.peers {
		out = append(out, l.figuresLocked(p))
	}
	slices.SortFunc(out, func(a, b Figures) int { return cmp.Compare(a.Peer, b.Peer) })
	return out
}

func (l *Link) figuresLocked(p *peerState) Figures {
	var sum tally
	sum.add(&p.count)
	for c := range p.conns {
		sum.add(&c.count)
	}
	eff := p.effect.Load()
	f := Figures{
		Peer: p.name, BytesIn: sum.in.Load(), BytesOut: sum.out.Load(), BytesLost: sum.lost.Load(),
		Connections: len(p.conns), DialFailures: p.dialFailures,
		LastError: p.lastError, LastErrorAt: known(p.lastErrorAt), RoundTripAt: known(p.roundTripAt),
		CutOut: eff.cutOut, CutIn: eff.cutIn, Faults: []string{},
	}
	if ns := sum.heard.Load(); ns != 0 {
		f.LastHeard = known(time.Unix(0, ns))
	}
	if f.RoundTripAt != nil {
		ms := float64(p.roundTrip) / float64(time.Millisecond)
		f.RoundTripMS = &ms
	}
	if f.LastHeard == nil || f.RoundTripMS == nil {
		f.UnknownSince = known(l.begun)
	}
	for _, r := range l.faults {
		if r.other(l.cfg.Self) == p.name {
			f.Faults = append(f.Faults, r.ID)
		}
	}
	return f
}

// known is a time in UTC, or nil for one that never was.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
