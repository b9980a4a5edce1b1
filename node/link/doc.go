// Package link is the network as one process sees it. Every connection and
// every packet to a peer goes through a Link, so that a cut is real for all
// that is built above: streams, ballots and gossip alike.
//
// A Link knows the peer at the other end of each connection. The dialler names
// it; for an accepted connection it is named once it has proved itself, through
// SetPeer. Until then no fault applies to it.
//
// Faults work at this process's own end of a link, in one direction each:
//
//   - from this process ("outgoing"): what it writes to the peer;
//   - to this process ("incoming"): what it reads from the peer.
//
// Invariants:
//
//   - Cut both ways: connections are severed, dials fail at once, accepted
//     connections are closed as soon as the peer is known, packets vanish.
//   - Cut one way: over TCP the end that has the fault discards the bytes of
//     that direction and pretends success; the other direction works as before.
//     A dial cannot complete either, since it needs both directions: it waits
//     for its deadline or for the end of the fault. A stream with a hole in it
//     is never used again: it is severed when the cut ends. One thing is milder
//     than a real cut: closing a connection still tells the other end.
//   - Delay: what this end writes arrives later, in order. A connection keeps
//     at most QueueBytes under way, so its throughput is at most QueueBytes for
//     each Delay; above that a write blocks, as it does on a full window.
//   - Loss: packets are dropped with that probability. TCP hides loss as
//     lateness, so a write is held back by RetransmitTimeout, doubled for each
//     further loss, at most MaxRetransmits times. A write of up to chunkBytes is
//     one draw, since fast retransmission mends single segments.
//   - Flap: a cut in the first half of each period, healed in the second, from
//     the start of the fault on.
//   - Several faults on one link: cuts add up, the longest delay and the
//     highest loss count.
//   - Every fault ends by itself. Every goroutine ends with its connection or
//     with Close.
//
// The retransmission timer follows RFC 6298 (its floor as Linux has it, 200 ms).
package link
