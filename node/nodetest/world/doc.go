// Package world is a seeded simulation of whole clusters on the real core: the
// engine over MemStore, the ends of the replication streams, the keepers of the
// data nodes and the witness, with a network, clocks, disks and clients that
// are played. It is test support only.
//
// One goroutine, one source of randomness, one queue of events in virtual
// time: a seed replays to the same trace, which World.Trace hashes.
//
// What is played: messages are lost, delayed, doubled and overtaken; links are
// cut one way or both; a stream dies with its first lost frame, as TCP does,
// and its receiver notices at once or after the silence of PROTOCOL D4;
// boot-time clocks drift by up to 1 %, wall clocks jump; processes are killed,
// stopped in the middle of a commit, and restarted, and those that do not sync
// each commit lose their last ones.
//
// What is checked after each event: two writable nodes are joined by links over
// which ballots were exchanged within the bound (S of PROTOCOL part 2); no dot
// is used twice; a clock claims nothing that its writer had not seen, by an
// oracle of true causal pasts; nodes with equal frontiers have equal digests.
// At the end, healed and quiet: equal live sets; every acknowledged write is
// live, or was truly seen by the writer of a live one; no live version was seen
// by another's writer; everybody is writable; no frame but heartbeats is sent.
//
// Some worlds have resolvers, of which several versions are on their way at once
// and which fail on one node alone; in some, numbers are merged from the start,
// and a document must show the sum of what each write of its past added. In both,
// people resolve, restore, revert and review while others write, and nodes forget
// what has had its time: every ended conflict is on record with the bytes of its
// siblings, every step of a person stands in it, and what is kept of the past is
// what was written.
//
// The shape is that of FoundationDB's simulation (Zhou et al., "FoundationDB: A
// Distributed Unbundled Transactional Key Value Store", 2021).
package world
