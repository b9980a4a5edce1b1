// Package client talks to a Syncline cluster over its HTTP API.
//
// A Client knows the addresses of several nodes. It stays with the node that
// answered last and goes on at another one when that is safe:
//
//   - nothing was sent (no connection): any call goes on elsewhere;
//   - the node says that it applied nothing (503 with a code of ours): any call
//     goes on, after read_only at the nodes that the answer names as writable,
//     then at its candidates, then at the others;
//   - the connection broke after something was sent: a read goes on elsewhere. A
//     write does not. Nobody knows whether it took effect, so the error has the
//     code Unknown. Sending it again would not be harmless: on a node that has
//     not heard of the first one it makes a sibling of it, and an If-Match may
//     fail because of one's own write. Who wants it all the same sets
//     Config.RetryUnknown. (Idempotency-Key will make this safe; the servers of
//     this version answer it with 501.)
//
// The session is kept by itself: each answer's token is sent with the next
// call, so that calls one after the other never read something older, on any
// node. Tokens are opaque and cannot be joined, so of calls that overlap only
// the answer that came last counts; Options.Session overrides it for one call.
// On the other side of a cut a session can wait in vain (503 behind): who
// rather goes on without it sets Config.NoSession.
//
// The causal context is kept with each document that was handed out
// (Document.Context); hand it back with a write of that document.
//
// Invariants:
//
//   - each call has a deadline, each answer a largest size, each retry an end;
//   - there is no global state, and no goroutine outlives its call;
//   - every error that the API defines arrives as an *Error with its code.
package client
