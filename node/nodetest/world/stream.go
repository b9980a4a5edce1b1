package world

import (
	"time"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/replica"
	"github.com/syncline/syncline/node/wire"
)

// Timing of played streams.
const (
	retryFirst = 50 * time.Millisecond
	retryLast  = 500 * time.Millisecond
	frameTime  = 200 * time.Microsecond // how long a sender takes over one frame
	// maxFrameRows keeps frames short, so that transfers break in the middle.
	maxFrameRows = 3
)

// pull is the receiver's end of one stream.
type pull struct {
	p       *process
	from    string
	puller  *replica.Puller
	dead    bool // the network carries nothing more
	ended   bool
	arrived time.Duration // of the last frame: frames do not overtake
	heard   time.Duration
}

// source is the sender's end.
type source struct {
	p      *process
	to     *pull
	source *replica.Source
	rung   uint64 // cancels the planned look at the log
	done   bool
	closed bool // its first transfer has ended
}

// connect opens a stream at another node, if the network lets it.
func (p *process) connect(from string) {
	w := p.w
	sender := w.node(from)
	if !sender.running() || w.cut[[2]string{p.name, from}] || w.cut[[2]string{from, p.name}] || w.chance(w.cfg.Loss) {
		p.later(w.between(retryFirst, retryLast), func() { p.connect(from) })
		return
	}
	s := &pull{p: p, from: from, heard: w.now}
	s.puller = replica.NewPuller(replica.PullerConfig{
		Cluster: clusterID, Self: p.name, From: from, Actor: p.engine.Actor(), Store: p.store, Table: p.table,
	})
	p.pulls[from] = s
	p.meet(from, sender.standing())
	req, err := s.puller.Request(w.ctx, sender.engine.Actor())
	if err != nil {
		w.fail("%s: request: %v", p.name, err)
		return
	}
	if req.Cursor.Len() > 0 {
		w.Stats.Resumed++
	}
	w.log("%s pulls from %s beyond %s cursor %s", p.name, from, req.Frontier, req.Cursor)
	s.watch()
	sender.later(w.between(w.cfg.MinDelay, w.cfg.MaxDelay), func() { sender.serve(s, req) })
}

// watch drops a stream that is silent.
func (s *pull) watch() {
	s.p.later(time.Second, func() {
		switch {
		case s.ended:
		case s.p.w.now-s.heard >= replica.Silence:
			s.broke()
		default:
			s.watch()
		}
	})
}

// broke ends the receiver's end and opens a new stream later.
func (s *pull) broke() {
	if s.ended {
		return
	}
	s.ended, s.dead = true, true
	s.p.w.log("%s loses the stream from %s", s.p.name, s.from)
	delete(s.p.pulls, s.from)
	s.p.later(s.p.w.between(retryFirst, retryLast), func() { s.p.connect(s.from) })
}

// serve begins the sender's end.
func (p *process) serve(to *pull, req *wire.ChangesRequest) {
	if old := p.sources[to.p.name]; old != nil {
		old.close()
	}
	s := &source{p: p, to: to, source: replica.NewSource(replica.SourceConfig{
		Self: p.name, Actor: p.engine.Actor(), Store: p.store, Table: p.table, Standing: p.engine.Standing,
		Disorder: p.engine.Disorder,
		Rows:     1 + p.w.rng.IntN(maxFrameRows),
	}, req)}
	p.sources[to.p.name] = s
	s.pump()
}

func (s *source) close() {
	s.done = true
	if err := s.source.Close(); err != nil {
		s.p.w.fail("%s: close a source: %v", s.p.name, err)
	}
}

// ring makes the sender look at its log.
func (s *source) ring() {
	s.rung++
	turn := s.rung
	s.p.later(frameTime, func() {
		if s.rung == turn {
			s.pump()
		}
	})
}

// pump sends one frame, or waits for the next commit.
func (s *source) pump() {
	w := s.p.w
	if s.done || s.to.dead {
		return
	}
	frame, wait, err := s.source.Next(w.ctx, s.p.boot())
	if err != nil {
		w.fail("%s: source: %v", s.p.name, err)
		return
	}
	s.rung++
	turn := s.rung
	if frame != nil {
		wait = frameTime
		s.send(frame)
	}
	s.p.later(wait, func() {
		if s.rung == turn {
			s.pump()
		}
	})
}

// send carries a frame behind the ones before it. The stream dies with the
// first that is lost.
func (s *source) send(f *wire.Frame) {
	w := s.p.w
	// A new stream tells once more what is loose, which may be so for ever: the
	// tail that a dead actor lost.
	if len(f.Rows) > 0 && s.closed {
		w.frames++
	}
	s.closed = s.closed || f.Close != nil
	if s.to.dead || w.cut[[2]string{s.p.name, s.to.p.name}] || w.chance(w.cfg.Break) || w.chance(w.cfg.Loss/10) {
		s.to.dead = true
		if w.chance(0.5) {
			s.to.p.later(w.between(0, time.Second), s.to.broke)
		}
		return
	}
	s.to.arrived = max(s.to.arrived, w.now) + w.between(w.cfg.MinDelay, w.cfg.MaxDelay)
	encoded, err := wire.Encode(f)
	if err != nil {
		w.fail("%s: encode: %v", s.p.name, err)
		return
	}
	s.to.p.later(s.to.arrived-w.now, func() { s.to.take(encoded) })
}

// take applies a frame.
func (s *pull) take(encoded []byte) {
	w := s.p.w
	if s.ended {
		return
	}
	f := new(wire.Frame)
	if err := wire.Decode(encoded, f); err != nil {
		w.fail("%s: decode: %v", s.p.name, err)
		return
	}
	s.heard = w.now
	a, err := s.puller.Take(f)
	if err != nil {
		w.fail("%s: frame from %s: %v", s.p.name, s.from, err)
		return
	}
	if f.Close != nil {
		s.p.meet(s.from, wire.Standing(f.Close.Standing))
	}
	r := node.NewApply(*a)
	if err := s.p.commit(r); err != nil {
		w.fail("%s: apply: %v", s.p.name, err)
		return
	}
	if _, err := r.Applied(); err != nil {
		w.fail("%s: apply: %v", s.p.name, err)
		return
	}
	if f.Close == nil {
		w.Stats.Loose += len(f.Rows)
		return
	}
	w.log("%s closes %s rows %d from %s", s.p.name, f.Close.Frontier, len(f.Rows), s.from)
	if s.p.table.Applied(s.from, f.Close) {
		s.p.ring()
	}
}
