package replica

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/syncline/syncline/conflict"
	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/strictjson"
	"github.com/syncline/syncline/node/wire"
	"github.com/syncline/syncline/vclock"
)

// Timing of streams (PROTOCOL D4).
const (
	// TransferEvery is the shortest time between the beginnings of two transfers
	// with rows. A stream that was idle sends at once; under load several commits
	// make one transfer, which costs both ends less.
	TransferEvery = 4 * time.Millisecond
	// EmptyEvery is the shortest time between closing frames without rows.
	EmptyEvery = 20 * time.Millisecond
	// Heartbeat is how long a sender is silent before it sends an empty frame.
	Heartbeat = 5 * time.Second
	// Silence is how long a receiver waits for a frame before it drops the stream.
	Silence = 15 * time.Second
)

// SourceConfig says what a Source is made of.
type SourceConfig struct {
	Self     string // this node's name
	Actor    vclock.Actor
	Store    node.Store
	Table    *Table
	Standing func() node.Standing
	Disorder func() uint64 // of the engine
	Rows     int           // most rows of a frame; 0: wire.FrameRows
}

// Source is the sender's end of one stream: a step machine.
type Source struct {
	cfg     SourceConfig
	to      string
	toActor vclock.Actor

	sent   vclock.Vector // what the receiver has, by its request and our closing frames
	cursor vclock.Vector // for the first transfer: finished rows of a broken one
	// loose are the loose rows that went out on this stream: of each actor those
	// up to a sequence, as long as no other has come in below it (disorder).
	loose    vclock.Vector
	disorder uint64

	transfer *transfer
	told     uint64 // revision of the table in the last closing frame
	closed   bool   // a closing frame went out on this stream
	lastSent time.Duration
	resting  time.Duration // until then no further transfer begins
}

// transfer is one snapshot on its way.
type transfer struct {
	view     node.View
	frontier vclock.Vector
	from     vclock.Vector
	actors   []vclock.Actor
	after    uint64
	started  bool // a row of the present actor was read
	begun    bool // the Begin frame went out

	// What the closing frame says beside the frontier.
	standing node.Standing
	known    map[string]wire.Known
	revision uint64 // of the table
}

// NewSource makes the sender's end for a request that was checked.
func NewSource(cfg SourceConfig, req *wire.ChangesRequest) *Source {
	s := &Source{cfg: cfg, to: req.Node, toActor: vclock.Actor(req.Actor), sent: req.Frontier}
	if s.cfg.Rows == 0 {
		s.cfg.Rows = wire.FrameRows
	}
	if req.CursorActor == string(cfg.Actor) {
		s.cursor = req.Cursor
	}
	return s
}

// Close gives the snapshot back.
func (s *Source) Close() error {
	if s.transfer == nil {
		return nil
	}
	view := s.transfer.view
	s.transfer = nil
	return view.Close()
}

// Next returns the next frame to send at the boot time now, or nil and how
// long to wait, at most, for a commit before asking again.
func (s *Source) Next(ctx context.Context, now time.Duration) (*wire.Frame, time.Duration, error) {
	if s.transfer == nil {
		if rest := s.resting - now; rest > 0 {
			return nil, rest, nil
		}
		if err := s.begin(ctx); err != nil {
			return nil, 0, err
		}
	}
	under := s.transfer.begun // rows of this transfer are out: it has to be closed
	frame, err := s.fill()
	if err != nil {
		return nil, 0, errors.Join(err, s.Close())
	}
	if !under && len(frame.Rows) == 0 && frame.Close != nil {
		if wait := s.holdBack(now); wait > 0 {
			return nil, wait, s.Close()
		}
	}
	if frame.Close != nil {
		if err := s.finish(frame); err != nil {
			return nil, 0, err
		}
	}
	if !under && len(frame.Rows) > 0 {
		s.resting = now + TransferEvery
	}
	s.lastSent = now
	return frame, 0, nil
}

// begin opens a snapshot, and only then looks up what the receiver has told:
// what it tells later may rest on rows that the snapshot lacks.
func (s *Source) begin(ctx context.Context) error {
	// Before the snapshot: it has all that these rest on. What is learned later
	// may rest on rows that it lacks.
	standing := s.cfg.Standing()
	known, revision := s.cfg.Table.tell()
	view, err := s.cfg.Store.View(ctx)
	if err != nil {
		return fmt.Errorf("changes for %s: %w", s.to, err)
	}
	actors, err := view.Actors()
	if err != nil {
		return errors.Join(fmt.Errorf("changes for %s: %w", s.to, err), view.Close())
	}
	from := s.sent.Join(s.cfg.Table.Has(s.to, s.toActor)).Join(s.cursor)
	if n := s.cfg.Disorder(); n != s.disorder {
		s.disorder, s.loose = n, vclock.Vector{}
	}
	s.transfer = &transfer{
		view: view, frontier: view.Frontier(), from: from, actors: actors, standing: standing, known: known, revision: revision,
	}
	return nil
}

// fill reads rows into one frame, and closes it when there are no more.
func (s *Source) fill() (*wire.Frame, error) {
	t := s.transfer
	frame := &wire.Frame{}
	if !t.begun {
		frame.Begin = &wire.Begin{Actor: string(s.cfg.Actor), Frontier: t.frontier}
	}
	size := 0
	for len(t.actors) > 0 {
		if len(frame.Rows) >= s.cfg.Rows || size >= wire.FrameBytes {
			t.begun = true
			return frame, nil
		}
		actor := t.actors[0]
		if !t.started {
			t.after, t.started = t.from.Get(actor), true
		}
		if end := t.frontier.Get(actor); t.after >= end {
			t.after = max(t.after, s.loose.Get(actor))
		}
		rows, err := t.view.Rows(actor, t.after, s.cfg.Rows-len(frame.Rows), wire.FrameBytes-size)
		if err != nil {
			return nil, fmt.Errorf("changes for %s: %w", s.to, err)
		}
		if len(rows) == 0 {
			t.actors, t.started = t.actors[1:], false
			continue
		}
		for _, v := range rows {
			if size >= wire.FrameBytes { // clocks and ids count too, and the store looks at bodies alone
				break
			}
			t.after = v.Dot.Seq
			if !t.frontier.Covers(v.Dot) {
				if s.loose.Covers(v.Dot) {
					continue
				}
				s.loose = s.loose.With(v.Dot)
			}
			row := rowOf(v)
			size += len(row.ID) + len(row.Clock) + len(row.Body)
			frame.Rows = append(frame.Rows, row)
		}
	}
	t.begun = true
	frame.Close = &wire.Close{Actor: string(s.cfg.Actor), Frontier: t.frontier, Standing: string(t.standing), Known: t.known}
	return frame, nil
}

// holdBack says how long a closing frame without rows has to wait: 20 ms when
// it says something new, 5 s when it does not.
func (s *Source) holdBack(now time.Duration) time.Duration {
	if !s.closed {
		return 0
	}
	t := s.transfer
	quiet := Heartbeat
	if !s.sent.Dominates(t.frontier) || s.told != t.revision {
		quiet = EmptyEvery
	}
	return max(0, s.lastSent+quiet-now)
}

// finish ends the transfer: from now on the receiver counts as having all of
// the snapshot.
func (s *Source) finish(frame *wire.Frame) error {
	s.sent = s.sent.Join(frame.Close.Frontier)
	s.cursor = vclock.Vector{}
	s.told, s.closed = s.transfer.revision, true
	return s.Close()
}

func rowOf(v *conflict.Version) wire.Row {
	clock, err := v.Clock.MarshalBinary()
	if err != nil {
		panic("replica: a context has no binary form: " + err.Error())
	}
	return wire.Row{
		Collection: string(v.Key.Collection), ID: string(v.Key.ID),
		Actor: string(v.Dot.Actor), Seq: v.Dot.Seq, Time: uint64(v.Time), Deleted: v.Deleted,
		Clock: clock, Body: v.Body, Origin: v.Origin.Binary(), Sum: v.Sum[:],
	}
}

// versionOf reads a row that came from a peer and checks it.
func versionOf(r *wire.Row) (*conflict.Version, error) {
	collection, err := conflict.ParseCollection(r.Collection)
	if err != nil {
		return nil, err
	}
	id, err := conflict.ParseDocID(r.ID)
	if err != nil {
		return nil, err
	}
	actor, err := vclock.ParseActor(r.Actor)
	if err != nil {
		return nil, err
	}
	if r.Seq == 0 || r.Seq > vclock.MaxSeq || r.Time > uint64(vclock.MaxTime) || len(r.Sum) != conflict.SumSize || len(r.Body) > node.MaxBody {
		return nil, fmt.Errorf("row %s:%d: its sequence, time, checksum or body is out of bounds", actor, r.Seq)
	}
	v := &conflict.Version{
		Key: conflict.Key{Collection: collection, ID: id}, Dot: vclock.Dot{Actor: actor, Seq: r.Seq},
		Time: vclock.Time(r.Time), Deleted: r.Deleted, Body: r.Body, Sum: conflict.Sum(r.Sum),
	}
	if err := v.Clock.UnmarshalBinary(r.Clock); err != nil {
		return nil, fmt.Errorf("row %s: %w", v.Dot, err)
	}
	if v.Origin, err = conflict.ParseOrigin(r.Origin); err != nil {
		return nil, fmt.Errorf("row %s: %w", v.Dot, err)
	}
	if len(v.Body) == 0 {
		v.Body = nil
	}
	if err := v.Check(); err != nil || v.Deleted {
		return v, err
	}
	// Whoever signed it: every reader counts on this.
	if err := strictjson.Check(v.Body, strictjson.Limits{Depth: node.MaxDepth}); err != nil {
		return nil, fmt.Errorf("row %s: its body: %w", v.Dot, err)
	}
	return v, nil
}
