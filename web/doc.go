// Package web holds the page that a node shows below /ui/, and serves it.
//
// The page is a client of the public API and of nothing else. During a cut the
// browser often still reaches both sides, so it asks every node itself and
// shows what each says of itself.
//
// Invariants:
//
//   - no inline script or style, nothing from another site, no build step: the
//     files are embedded as they stand in static/;
//   - what comes from a node is only ever text: the script sets no markup;
//   - what is not known is shown as unknown, with since when; the page is never
//     green while a conflict is open, a lag unknown or a node silent.
//
// The package imports nothing of ours. Whoever mounts the handler sets the
// Content-Security-Policy, since that names the members of the cluster.
package web
