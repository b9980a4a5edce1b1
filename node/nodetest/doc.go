// Package nodetest is test support for everything that stands on the ports of
// node: a Store in memory, and one conformance suite that every Store passes.
// Only tests import it.
//
// Invariants:
//
//   - MemStore keeps the contract of node.Store to the letter, so that what
//     holds over it holds over node/sqlite; StoreSuite is the proof, and each
//     test of it cites the sentence that it defends;
//   - MemStore has no clock, no randomness and no goroutine: the same calls
//     have the same results, which a seeded simulation needs;
//   - a state of a MemStore is never altered once it was committed, so a view
//     is one pointer.
//
// Sources: copy-on-write B-trees, Rodeh, "B-trees, Shadowing, and Clones"
// (2008), as github.com/google/btree has them; one model checked against
// another by random sequences, Claessen and Hughes, "QuickCheck" (2000).
package nodetest
