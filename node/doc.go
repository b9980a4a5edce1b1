// Package node is one node of a cluster: documents, changes, the engine that
// writes them, and the ports through which it reaches the world.
//
// A write's way: Engine.Write checks it and asks the Guard, one writer takes
// what has queued into one transaction of the Store, and answers when that is
// durable. A peer's change comes in at Engine.Apply, goes through the same
// writer, and both leave by the same Feed. Two doors in, one commit, one feed
// out.
//
// Invariants (PROTOCOL part 1):
//
//   - an actor's sequences have no gaps and name one write each: a request that
//     fails takes no sequence, and a file that may have lost a tail gets a new
//     actor (D14);
//   - durable first, then visible: the frontier is published, the feed rung and
//     the request answered after the commit, in this order;
//   - the frontier moves with this node's own writes and with closing frames,
//     and with nothing else (D4);
//   - a local write is begun and answered only while the Guard says so; one
//     that was committed while the lease ran out is answered LeaseLost and
//     kept;
//   - what a write covers is kept, where its collection asks for that, by the
//     transaction of the write; what has had its time is forgotten in pieces that
//     no write waits long for, and records only once no data node can have their
//     conflict open;
//   - a resolver never runs in the writer, nor while a snapshot is open: what it
//     has found is kept by the set of siblings and the version of the policy, and
//     a value that only stands in for it says so;
//   - the package does no I/O and knows no clock: both come in as ports.
//
// Group commit is the classic one (DeWitt et al., "Implementation Techniques
// for Main Memory Database Systems", 1984): take what has queued, never wait
// for more.
package node
