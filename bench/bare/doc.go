// Command bare is the floor that Syncline is measured against: what the same
// machine does with the same libraries when nothing is versioned, replicated
// or voted on.
//
// It is an echo server with one route. PUT hands the body to one writer, which
// takes what has queued into one transaction, one INSERT a document, and
// answers after the commit (SQLite, WAL, synchronous=FULL). GET answers
// constant bytes and touches no file. With -bulk it serves nothing: it inserts
// so many rows at once and prints how fast.
//
// It is kept honest and fast, since every figure of the product is a ratio to
// it: statements are prepared on pinned connections, bodies are stored as they
// came, one write answers a request.
package main
