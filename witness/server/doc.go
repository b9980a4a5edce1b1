// Package server is the witness as a process: it answers ballots on the peer
// port and shows the vote on an API of its own.
//
// A witness stores no documents, so its API has the state of the vote, chaos
// and health, and answers everything else with 421 and the data nodes that
// have documents.
//
// Invariants:
//
//   - the clock is read once for each ballot, inside the lock, so that no step
//     of the vote goes back in time;
//   - nothing is answered to a ballot of somebody else than the peer that the
//     connection has proved;
//   - the process keeps nothing on disk for the vote but the longest promise
//     that it ever gave, which its caller hands in (PROTOCOL W4);
//   - memory is bounded by the roster, witness.MaxHeard, witness.MaxLog and the
//     limits of this package: the whole process is to stay below 30 MB.
package server
