// Package member is serf: who seems to be there, at which address, with which
// build. It gives hints and wakes things early, and decides nothing: who may
// write is the vote's matter, whom to replicate with the roster's.
//
// Why only hints (measured): with three members and one link cut, serf goes on
// showing all three alive, because it probes around the cut.
//
// Invariants:
//
//   - All of serf's traffic goes through the link layer, packets and streams,
//     so that a cut is real for it too. A stream begins with a preamble that
//     names its sender, so that the accepting link layer knows the peer. The
//     name is only that: it is not proved, faults and figures are all that
//     depend on it. What serf believes is authenticated by the gossip key.
//   - Packets and streams without the gossip key (derived from the cluster
//     secret) or with another cluster's label are dropped.
//   - A member that fails is not forgotten: it is tried again for ten years.
//   - Nothing is written to standard output or standard error. What serf and
//     memberlist log arrives at Config.Log with its level, at a bounded rate.
//
// Source: SWIM (Das, Gupta, Motivala, 2002) with the Lifeguard extensions
// (Dadgar, Phillips, Currey, 2017), as hashicorp/serf and memberlist have them.
package member
