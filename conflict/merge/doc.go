// Package merge computes one document from several that were written without
// knowledge of each other: member by member, without a common base.
//
// A version says in its Lineage what its write changed, laid down once, when it
// was stamped, against what its writer was shown (PROTOCOL D10):
//
//   - for each path with the rule sum, a Tally: what each write of the
//     document's past added. The sum of siblings is the total of the join of
//     their tallies, so each addition counts once, whoever has seen which;
//   - for each other member a mark: the dot of the version that last changed it.
//     A sibling's member stands unless another sibling had its mark in its past
//     and has another mark, or lacks the member;
//   - former values, from which a base for display and for scripts is put
//     together. No merge needs them, but that of two arrays is nearer to what
//     people mean where there is one.
//
// Invariants:
//
//   - Merge is a pure function of the set of siblings: their order does not
//     matter, and equal sets give equal bytes;
//   - every addition of the union of the pasts counts exactly once;
//   - a member that stands in one sibling keeps its bytes;
//   - a set about which that cannot be promised is refused with a reason, never
//     guessed: a writer's context named versions that its node did not have, or
//     the siblings' lineages do not begin at one version;
//   - numbers are decimals, never floats.
//
// Sources: state-based counters and observed-remove maps, Shapiro, Preguiça,
// Baquero, Zawirski, "A comprehensive study of Convergent and Commutative
// Replicated Data Types" (2011); dots as marks, Almeida, Shoker, Baquero, "Delta
// State Replicated Data Types" (2018). That the meet of the pasts of three
// siblings may be a state that nobody ever had, so that no base is exact, is a
// counterexample of the project's own simulation.
package merge
