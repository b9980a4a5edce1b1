// Package web holds the dashboard that a node shows below /ui/, and serves it.
//
// The dashboard is the TypeScript in app/, built by `make web` into dist/, which
// is embedded and not committed. A program that was built without it serves a
// page that says how to build it.
//
// Invariants:
//
//   - no inline script or style, nothing from another site: the page works
//     offline, under a policy that allows its own files and the cluster's API;
//   - a file whose name has a hash of its content is kept by browsers for ever,
//     any other is asked for again each time;
//   - files are compressed once, at the start, not for each reader.
//
// The package imports nothing of ours. Whoever mounts the handler sets the
// Content-Security-Policy, since that names the members of the cluster.
package web
