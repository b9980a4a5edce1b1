// Package stream sends endless answers over HTTP: as server-sent events (the
// WHATWG's "text/event-stream") or as NDJSON, and keeps the events of one
// process for those who look on.
//
// Invariants:
//
//   - Nothing waits for a reader. Whoever adds an event to a Log appends to a
//     ring of fixed size and goes on; a reader that is too slow for the ring
//     is told so by an event "gap" and begins anew with the whole state.
//   - Each write has a deadline. A reader that does not read is dropped when
//     it passes, and no other stream has anything to do with it.
//   - Changes have ids and come each once, in order. Gauges have none: of a
//     figure only the newest value is kept, so a slow reader skips values and
//     never lags behind them.
//   - An id names the run of the process that made it, so that an id of a
//     former run is never taken for one of this run.
//
// The ring with ids is that of the "Last-Event-ID" section of the HTML
// standard; bounded logs with a restart from a snapshot are those of etcd's
// watch ("compacted") and Kubernetes' list and watch.
package stream
