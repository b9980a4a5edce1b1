// Package wire holds what processes of one cluster say to each other: the
// frames of replication and the ballots of the vote, in CBOR (RFC 8949).
//
// A peer is untrusted input, although it has proved that it belongs to the
// cluster: a copied secret, a bug or a damaged disk must not reach the engine.
// So each message has limits, named here, and Decode refuses what passes them
// before anything is applied.
//
// Invariants:
//
//   - Encode is deterministic: equal messages have equal bytes;
//   - Decode(Encode(m)) is m, and Decode refuses duplicate keys, unknown
//     fields of a known version, indefinite lengths, and nesting beyond
//     MaxNesting;
//   - nothing here knows what a message means: no clock, no I/O.
package wire
