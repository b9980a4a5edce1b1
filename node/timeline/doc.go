// Package timeline keeps when the state of this node changed: writable or not
// and why, links, faults, standing, conflicts by the second, starts and stops.
//
// Invariants:
//
//   - It is bounded: MaxEntries in memory, two files of MaxFile bytes on the
//     disk, the oldest dropped. Entries are taken at a bounded rate, so that
//     these bounds hold at least the last hour; what is above the rate is
//     counted in an entry of its own, never dropped in silence.
//   - It is an aid for people and no part of the data: nothing that writes to
//     the disk stands in the way of whoever adds, a full disk costs entries
//     and nothing else, and a torn line is left out.
//   - What nobody observed is said to be unknown. While the process runs it
//     marks once a second that it lives; the time from the last mark to the
//     next start is a gap, and no state reaches over a gap.
//
// The form, an append-only log of state changes beside the store with marks of
// life, is that of a flight recorder, as in the event logs of etcd's
// functional tester and of Jepsen's histories.
package timeline
