// Package load puts HTTP load on document routes and measures what comes back.
//
// It shares the machine with the servers that it measures, so it is lean: each
// client is one goroutine with one keep-alive connection, a request is one
// write, an answer is parsed in place and nothing of it is kept. It speaks as
// much of HTTP/1.1 as a server may answer to such requests (lengths, chunks,
// closed connections) and treats everything else as a failure.
//
// Invariants:
//
//   - Every request that was begun is counted once: as ok (2xx), refused (503)
//     or failed (another status, or a broken connection).
//   - Latencies are those of ok answers, from the write of the request to the
//     last byte of the answer, exact and not sampled.
//   - A closed loop: a client sends its next request when it has its answer. A
//     slow server therefore gets less load; figures of two servers are
//     comparable at the same number of clients only.
package load
