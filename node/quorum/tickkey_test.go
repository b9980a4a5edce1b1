package quorum

import (
	"encoding/binary"
	"time"

	"github.com/syncline/syncline/witness"
)

// keyer writes a state without its absolute times: two worlds with equal keys
// behave alike for ever.
type keyer struct {
	w *tickWorld
	b []byte
}

func (k *keyer) age(at time.Duration, most time.Duration) {
	k.b = append(k.b, byte(min(max(k.w.now-at, 0), most)/tick))
}

func (k *keyer) left(d time.Duration) { k.b = append(k.b, byte(min(max(d, 0), 100*tick)/tick)) }

func (k *keyer) flag(v bool) {
	bit := byte(0)
	if v {
		bit = 1
	}
	k.b = append(k.b, bit)
}

// key returns the key of a world, in buf where there is room.
func (w *tickWorld) key(buf []byte) []byte {
	k := &keyer{w: w, b: binary.BigEndian.AppendUint16(buf[:0], w.done)}
	for i := range w.k {
		k.node(i)
	}
	s := w.w.State(w.now)
	k.left(s.Opens)
	for _, n := range s.Nodes {
		k.left(n.Promised)
		k.flag(n.Chosen)
		k.flag(n.Live)
		if n.Live {
			k.view(n)
		}
	}
	for _, h := range w.held {
		k.held(h, s.Nodes[h.from])
	}
	for _, h := range w.answers {
		k.b = append(k.b, 'A', byte(h.to))
		k.b = append(k.b, h.a.Reason...)
		k.age(h.sent, w.timing.Lease)
		k.flag(w.waits(h.to, h.a.Nonce))
		k.flag(h.a.Stamp.Boot == w.boots)
		k.age(h.a.Stamp.At, w.timing.Fresh+tick)
	}
	return k.b
}

// old is the age from which on last leases count as equally old.
func (w *tickWorld) old() time.Duration { return w.timing.Promise + w.timing.Fresh + tick }

func (k *keyer) node(i int) {
	w, n := k.w, &k.w.k[i]
	k.flag(w.sick[i])
	k.flag(w.raw[i])
	k.flag(n.stamp.Boot == w.boots)
	k.age(n.stamp.At, w.timing.Fresh+tick)
	k.age(n.heldAt, w.old())
	for j := range n.voters {
		k.left(n.voters[j].direct - w.now)
		k.age(n.voters[j].exchange, w.timing.Exchange+tick)
		k.flag(n.voters[j].refuses)
	}
	for j := range i {
		k.age(w.links[i][j], w.bound())
	}
}

func (k *keyer) view(n witness.NodeState) {
	k.left(n.Age)
	k.left(min(n.Held, k.w.old()))
	k.flag(n.Held < 0)
	k.flag(n.Wants)
	k.flag(n.CatchingUp)
	for _, name := range n.Lists {
		k.b = append(k.b, name...)
	}
}

func (k *keyer) held(h heldBallot, n witness.NodeState) {
	w := k.w
	k.b = append(k.b, 'B', byte(h.from))
	k.age(h.sent, w.timing.Lease)
	k.flag(w.waits(h.from, h.b.Nonce))
	k.flag(h.b.Stamp.Boot == w.boots)
	k.age(h.b.Stamp.At, w.timing.Fresh+tick)
	accepted := w.now - n.Age
	k.flag(!n.Known || h.b.Stamp.At > accepted || h.b.Stamp.At == accepted && h.b.Seq > w.heard[h.from])
	k.flag(h.b.Want)
	k.left(min(h.b.Held, w.old()))
	for _, s := range h.b.View {
		k.b = append(k.b, s.Name...)
	}
}

// waits says whether the node still counts the answer to a nonce.
func (w *tickWorld) waits(i int, nonce uint64) bool {
	v := w.k[i].voter("w")
	for _, o := range v.open {
		if o.nonce == nonce {
			return o.seq > v.processed
		}
	}
	return false
}
