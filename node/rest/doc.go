// Package rest is a data node's public API: JSON over HTTP, as API.md lays it
// down.
//
// Handlers are thin: they read a request strictly, ask node.Engine, and write
// the answer. They decide nothing about documents or votes.
//
// Invariants:
//
//   - a request that is wrong changes nothing, and is answered with a problem
//     (RFC 9457) whose code is a node.Kind or one of this package's own; one
//     table maps codes to statuses;
//   - a read never hides a conflict: every reply about one document carries its
//     tag, its context and the number of its live versions;
//   - every reply says which node gave it, whether that node takes writes, and
//     what it lacks;
//   - what API.md promises and this build does not keep is answered
//     501 not_built, never ignored in silence;
//   - every body, header, page, wait and silence has a named limit;
//   - bodies are answered as they were stored, byte for byte.
//
// The way of a request: Server.ServeHTTP looks at where it comes from (Host,
// Origin), echo finds the route, the route's handler returns an error or has
// answered. No middleware runs per request: what all have in common is done
// once, when the routes are made.
//
// Sources: RFC 9110 (conditional requests), RFC 9457 (problem details), RFC
// 7240 (Prefer), RFC 5789, 6902 and 7396 (PATCH), RFC 9562 (UUIDv7).
package rest
