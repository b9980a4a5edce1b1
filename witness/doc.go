// Package witness decides who may write when the data nodes of a cluster are
// cut off from each other: the vote of the witness as a step machine, with the
// timing and the rules of majorities that voters and data nodes share.
//
// The witness stores no documents and none travels through it. So its vote is
// no evidence of a path, and is exclusive: it is given within one connected
// component of data nodes at a time. Data nodes say in each ballot with whom
// they exchanged ballots lately; the witness joins these views into a graph.
//
// Invariants (PROTOCOL part 2, rules W1 to W7):
//
//   - S: two data nodes that are both writable are joined by links over which
//     ballots went within Timing.Bound;
//   - a promise is counted from the receipt of a ballot and a lease from its
//     sending, and a promise is longer by the drift of two clocks, so a lease
//     ends first;
//   - a ballot counts only with a fresh stamp of this run of the witness: one
//     that a paused process held back is refused and changes nothing;
//   - after a start nothing is granted until every promise of former runs has
//     ended, so the vote needs no disk;
//   - a refusal changes nothing but the view of who asked.
//
// The package does no I/O and knows no clock: each step takes the time of the
// machine's boot-time clock (CLOCK_BOOTTIME, which counts suspends). A Witness
// is a value without pointers into it: a copy is a snapshot.
//
// Sources: leases, Gray and Cheriton, "Leases: An Efficient Fault-Tolerant
// Mechanism for Distributed File Cache Consistency" (1989); majorities with a
// witness, Pâris, "Voting with Witnesses" (1986). The rules were checked with
// a model checker and an explicit-state explorer; node/quorum's tests explore
// this code.
package witness
