// Package vclock names writes and compares what was seen.
//
// Despite its prescribed name it holds version vectors, not vector clocks: an
// entry a:42 says "the first 42 writes of actor a", not "42 events at a".
//
//   - Actor: the identity under which one life of one database file writes.
//   - Dot: (actor, sequence), the name of one write, unique for ever.
//   - Vector: for each actor, how many of its writes, without gaps.
//   - Context: a Vector and a cloud of loose dots beyond it. This is the one
//     structure by which causality is compared, here and nowhere else.
//   - Time: a hybrid logical time, which orders truly concurrent writes only.
//
// Invariants, kept by every constructor and every decoder:
//
//   - values are immutable: an update returns a fresh value, nothing aliases;
//   - a vector's entries are sorted by actor, each once, each above 0;
//   - a context's cloud is sorted, without repeats, and holds no dot that its
//     vector covers; it is compacted only where the vector reaches the dot;
//   - text and binary forms are canonical: equal values have equal bytes, and
//     a decoder refuses every other spelling.
//
// Sources: version vectors, Parker et al., "Detection of Mutual Inconsistency
// in Distributed Systems" (1983); dots and the causal context with a cloud,
// Almeida, Shoker, Baquero, "Delta State Replicated Data Types" (2018); hybrid
// time, Kulkarni et al., "Logical Physical Clocks" (2014).
package vclock
