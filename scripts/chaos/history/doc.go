// Package history is what a chaos run wrote down, and the checkers that read it.
// A history is a file of JSON lines, one record each, in the order in which the
// records were finished. It knows nothing of the product: the checkers see what
// clients asked, what they were answered, what the network was at that time, and
// what every node held at the end.
//
// Kinds of records, by their field op:
//
//   - cluster: the first line: data nodes, witness, bound, seed;
//   - put, delete, get, append, inc, member, ops: what a client did, with its outcome;
//   - net: the links that are cut and the processes that are down from now on;
//   - state: what a node says of itself: writable, read-only, down, unknown;
//   - final: what one node held of one key after the end, with the clock of its
//     live versions and what stands on record;
//   - event: what a consumer of the changes feed was told;
//   - claim, note: what the script expected and said.
//
// Invariants:
//
//   - checkers are pure: the same records give the same findings;
//   - a checker that found nothing to check says so (Result.Checked is 0): a run
//     that never did a thing proves nothing about it;
//   - an outcome that nobody knows counts as "may have happened or not", in
//     every checker, in both directions.
//
// The form is that of Jepsen's histories (invocations and completions, a nemesis
// among the clients, final reads); the causal checker follows the session
// guarantees of Terry et al. (1994), and the list-append checker Elle (Kingsbury
// and Alvaro, 2020), cut down to one list a key.
package history
