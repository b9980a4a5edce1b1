// Package quorum answers "may I write?" on a data node: it asks the voters for
// their votes, counts them, and votes itself.
//
// Keeper is the data node's step machine: rules X1, X2, X4 and X5 of the asker
// and V1 and V2 of the voter (PROTOCOL part 2). Each step takes the time as an
// argument. Runner is the loop around it: it carries ballots between processes
// and guards the engine's commits.
//
// Invariants:
//
//   - a lease counts from the sending of the ballot, never from the answer:
//     otherwise a slow reply makes two sides write;
//   - an answer counts once, for a ballot of this run that was not overtaken,
//     from the voter that was asked;
//   - a machine whose clocks stood still holds nothing when it wakes;
//   - a data node's vote is evidence of a path, so it is given to whoever asks
//     and can be answered; there is no leader and no election;
//   - what a voter knows of this node's actor is heard before its vote counts
//     (D14);
//   - Held says yes only when the lease lasted without a break since Begin.
//
// The explorer in the tests drives this Keeper and witness.Witness through
// every order of losses, delays, cuts and restarts that it can reach, and
// checks the promise S and that no reachable state is stuck.
package quorum
