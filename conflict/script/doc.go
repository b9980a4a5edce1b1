// Package script runs the resolvers that owners of data write: Starlark that
// turns the siblings of a document into one value.
//
//	def resolve(conflict):
//	    return conflict.siblings[-1].doc
//
// # The language
//
// Starlark without load, recursion, while, and reassignment of globals. Sets
// are there, since they keep the order of insertion. Beside Starlark's own
// built-ins there are
//
//	conflict.collection, conflict.id   strings
//	conflict.siblings                  list, sorted by (time, actor), the newest last
//	conflict.base                      the common base (PROTOCOL D10c) or None
//	conflict.base_exact                False where the base is only near
//	conflict.sums                      sorted list of the paths that have a sum
//	conflict.sum(path)                 the sum at a JSON pointer (D10a); an error without one
//	sibling.doc, .deleted              the document (None when deleted), True for a tombstone
//	sibling.node, .time, .dot          strings; text order of times is time order
//	DELETE, DEFER                      results: delete the document, leave it to a person
//	note(text), event(name, data=None) for the record; kept only when there is a result
//	json.encode, .decode, .indent, .encode_indent
//	print(...)                         kept as output, up to MaxOutput bytes
//
// and, in functions test_* without parameters,
//
//	conflict(siblings=[...], base=None, base_exact=True, sums={}, collection="test", id="test")
//	sibling(doc=None, node="a", time=1, deleted=False)
//	assert_eq(got, want, message="")   fail(text) is Starlark's own
//	notes(), events()                  what was noted so far: texts, and (name, data)
//
// A sibling of conflict(...) that is a plain object stands for its document,
// and None for a tombstone; nodes are then called a, b, c and times rise.
//
// All input is frozen. resolve returns an object, DELETE or DEFER; anything
// else is a failure, and so is every broken limit.
//
// # Numbers
//
// An integer is exact, of any size that a double reaches. Any other number is
// a double in Starlark. A number that a script does not compute keeps its
// spelling: an object or array of the input leaves with its own bytes, and a
// double equal to one of the input leaves in that one's spelling, unless the
// input spells different decimals that are one double. Other doubles leave in
// the shortest form that reads back the same, integral ones without a point.
// A sum is an integer where its exact decimal is one, else a double that
// leaves with the exact decimal's digits. Money belongs in integers.
//
// # Invariants
//
//   - A result is a function of the script's source and of the set of siblings
//     with base and sums: siblings are sorted here, before the script sees
//     them. There is no clock, no randomness, no I/O, no state between calls.
//   - Steps are counted alike on every node that has the same version of the
//     interpreter. A failure whose kind is not Local is the same everywhere.
//   - A process that was killed is never a result: the failure's kind is
//     memory, time or killed, and Local.
//   - Steps bound neither memory nor time (squaring integers, doubling lists),
//     so a Pool runs scripts in child processes with an address-space limit and
//     a limit of processor time: on a busy machine a script gets as far as on
//     an idle one. Compile executes nothing, so it is safe anywhere. Inline
//     runs scripts in this process: for a command line that tests one's own.
//   - A worker has no environment, three pipes, a process group of its own,
//     and does not outlive its parent.
//
// Sources: the Starlark specification and go.starlark.net; for a pure function
// of the siblings instead of merging in pairs, DeCandia et al., "Dynamo" (2007),
// section 4.4, and Preguiça et al., "Dotted Version Vectors" (2010); for
// checking it over orders and groupings, Shapiro et al., "Conflict-free
// Replicated Data Types" (2011).
package script
