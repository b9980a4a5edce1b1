// Package replica moves versions between nodes: pull by frontier, one
// mechanism for steady state, catch-up and first copy (DESIGN section 4).
//
// A Puller opens a stream at each other data node with its own frontier; a
// Source at the other end sends, from one snapshot, the rows beyond that, and
// closes the transfer with the snapshot's frontier. Then it waits for the next
// commit. Both are step machines without goroutines, which the simulation
// drives as the loops of this package do.
//
// Invariants (PROTOCOL D4, D7):
//
//   - a receiver's frontier moves only by a closing frame all of whose rows were
//     applied; a refused, damaged or missing row voids the transfer;
//   - what counts as "the receiver has it" for sending is the join of its
//     request, of the closing frames sent on this stream, and of the frontiers
//     of the transfers received from its present actor, each taken with its
//     first frame (it is the closing frame's, and the rows between must not go
//     back either), looked up after the snapshot was opened;
//   - what a closing frame says of its sender and of others was looked up before
//     the snapshot was opened, so that its frontier covers it;
//   - a cursor is a vector of finished rows, capped at the frontier of the
//     snapshot that they came from, bound to the sender's actor; loose rows
//     never move it;
//   - a node with nothing new to tell sends one small frame every 5 s, and
//     nothing else;
//   - a peer that is slow or gone holds nobody back: a stream buffers a few
//     frames and falls back to reading the log.
//
// Source: the anti-entropy of Bayou (Petersen et al., "Flexible Update
// Propagation for Weakly Consistent Replication", 1997), with the closing
// rule in place of its total order of writes.
package replica
