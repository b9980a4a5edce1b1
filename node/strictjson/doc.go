// Package strictjson reads JSON as a store of documents must: strictly, and
// without touching the bytes that it keeps.
//
//   - Check accepts exactly one JSON object and says where another body is
//     wrong. It is on the path of every write.
//   - MergePatch and JSONPatch change a document and leave the bytes of
//     everything that they do not name alone: whitespace inside, the spelling
//     of numbers and keys, the order of members.
//
// Invariants:
//
//   - whatever Check accepts, every parser reads alike: no key twice, no bad
//     UTF-8, no lone surrogate, no number beyond a double;
//   - no input makes it panic, recurse deeper than a stated limit, or work more
//     than O(n) in its length; a JSON patch, which could, has a budget;
//   - nothing is decoded into floats: numbers are compared as decimals;
//   - there is no state and no I/O; a result depends on the arguments alone.
//
// Why not a library: jsontext (encoding/json/v2) is as strict, but leaves the
// range of numbers and the depth to a loop over its tokens, which takes two to
// four times as long (BenchmarkCheck); json-patch compares numbers as text and
// writes again what it did not change (TestWhatTheLibraryDoesNotKeep). Both are
// in the tests, as the twins that this package must agree with.
//
// Sources: RFC 8259 (JSON), RFC 7493 (I-JSON: what "strict" means), RFC 7396
// (merge patch), RFC 6902 and RFC 6901 (JSON patch and pointer). Eight bytes at
// a time: Warren, "Hacker's Delight", chapter 6.
package strictjson
