// Package conflict says what happened to a document: which of its versions are
// live, which one covers which, and what is shown for those that are left.
//
// It only decides. It has no clock, no storage and no names of nodes beyond
// those in dots, so every node that holds the same siblings decides the same.
//
// Invariants:
//
//   - a Version is never altered once it was made; its Sum holds over all that
//     it is;
//   - Siblings are an antichain, sorted by dot: none covers another;
//   - Siblings.Add is commutative, associative and idempotent in what it leaves
//     (tested against a naive twin): causality decides what is live, never time,
//     content or arrival;
//   - Stamp never claims a dot that its writer had not seen;
//   - what a Policy shows is a pure function of the set of siblings.
//
// Sources: dotted version vectors, Preguiça, Baquero et al., "Dotted Version
// Vectors: Logical Clocks for Optimistic Replication" (2010); the join of
// causal delta stores, Almeida, Shoker, Baquero, "Delta State Replicated Data
// Types" (2018).
package conflict
