package replica

import (
	"context"
	"errors"
	"fmt"

	"github.com/syncline/syncline/node"
	"github.com/syncline/syncline/node/wire"
	"github.com/syncline/syncline/planted"
	"github.com/syncline/syncline/vclock"
)

// PullerConfig says what a Puller is made of.
type PullerConfig struct {
	Cluster string
	Self    string // this node's name
	From    string // the sender's
	Actor   vclock.Actor
	Store   node.Store
	Table   *Table
}

// Puller is the receiver's end of one stream: a step machine. It turns frames
// into what the engine has to apply.
type Puller struct {
	cfg PullerConfig

	cursorActor vclock.Actor  // whose cursor went out with the request
	cursor      vclock.Vector // the cursor

	open     bool // a transfer has begun and is not closed
	actor    vclock.Actor
	frontier vclock.Vector // of the sender's snapshot
	done     vclock.Vector // finished rows, capped at frontier
	kept     bool          // rows of this transfer are applied, with a cursor
	lastRow  vclock.Actor
}

// NewPuller makes the receiver's end.
func NewPuller(cfg PullerConfig) *Puller { return &Puller{cfg: cfg} }

// Request is what opens the stream: this node's frontier, and how far a
// catch-up from the sender came before it broke off.
func (p *Puller) Request(ctx context.Context, senderActor vclock.Actor) (*wire.ChangesRequest, error) {
	view, err := p.cfg.Store.View(ctx)
	if err != nil {
		return nil, fmt.Errorf("pull from %s: %w", p.cfg.From, err)
	}
	req := &wire.ChangesRequest{
		Wire: wire.Version, Cluster: p.cfg.Cluster, Node: p.cfg.Self, Actor: string(p.cfg.Actor), Frontier: view.Frontier(),
	}
	if senderActor != "" {
		p.cursorActor = senderActor
		p.cursor, err = view.Cursor(senderActor)
	}
	if err = errors.Join(err, view.Close()); err != nil {
		return nil, fmt.Errorf("pull from %s: %w", p.cfg.From, err)
	}
	if p.cursor.Len() > 0 {
		req.CursorActor, req.Cursor = string(p.cursorActor), p.cursor
	}
	return req, nil
}

// Take checks one frame and returns what the engine has to apply. An error voids
// the transfer: the stream must be dropped.
func (p *Puller) Take(f *wire.Frame) (*node.Apply, error) {
	if f.Begin != nil {
		if err := p.begin(f.Begin); err != nil {
			return nil, err
		}
	}
	if !p.open {
		return nil, fmt.Errorf("pull from %s: a frame outside of a transfer", p.cfg.From)
	}
	a := &node.Apply{Sender: p.actor}
	for i := range f.Rows {
		v, err := versionOf(&f.Rows[i])
		if err != nil {
			return nil, fmt.Errorf("pull from %s: %w", p.cfg.From, err)
		}
		a.Versions = append(a.Versions, v)
		p.finished(v.Dot)
	}
	if f.Close == nil {
		p.kept = p.kept || p.done.Len() > 0
		a.Done = p.done
		return a, nil
	}
	if f.Close.Actor != string(p.actor) || !f.Close.Frontier.Equal(p.frontier) {
		return nil, fmt.Errorf("pull from %s: the closing frame is of another snapshot than its rows", p.cfg.From)
	}
	a.Close = &node.Closing{Frontier: f.Close.Frontier, Standing: node.Standing(f.Close.Standing)}
	if p.kept {
		a.Done = p.done
	}
	p.open, p.kept = false, false
	return a, nil
}

func (p *Puller) begin(b *wire.Begin) error {
	if p.open {
		return fmt.Errorf("pull from %s: a transfer begins before the last one was closed", p.cfg.From)
	}
	if vclock.Actor(b.Actor).Node() != p.cfg.From {
		return fmt.Errorf("pull from %s: it sends in the name of %s", p.cfg.From, b.Actor)
	}
	p.open, p.actor, p.frontier = true, vclock.Actor(b.Actor), b.Frontier
	// The closing frame will say no more than this, and the rows between must
	// not go back meanwhile.
	p.cfg.Table.Heard(p.cfg.From, p.actor, p.frontier)
	p.done, p.lastRow = vclock.Vector{}, ""
	if p.cursor.Len() > 0 && p.cursorActor == p.actor {
		p.done, p.kept = p.cursor, true
	}
	p.cursor = vclock.Vector{}
	return nil
}

// finished moves the cursor behind a row. A loose row does not move it: the
// sender's frontier does not prove that what covers the rows before it was
// sent too.
func (p *Puller) finished(d vclock.Dot) {
	if planted.On(planted.NaiveCursor) {
		if p.lastRow != "" && p.lastRow != d.Actor {
			p.done = p.done.With(vclock.Dot{Actor: p.lastRow, Seq: vclock.MaxSeq})
		}
		p.lastRow = d.Actor
		p.done = p.done.With(d)
		return
	}
	if p.frontier.Covers(d) {
		p.done = p.done.With(d)
	}
}
