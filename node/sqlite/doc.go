// Package sqlite keeps a node's database in one SQLite file: node.Store on
// modernc.org/sqlite.
//
// Invariants:
//
//   - one folder has one process: a lock that the kernel drops with the process
//     stands beside the file;
//   - one connection writes, under one mutex; the others are read-only and see
//     snapshots of the write-ahead log, so readers and the writer never wait
//     for each other;
//   - with Config.Full, what Update has returned nil for is on the disk. An
//     Update that fails because the disk is full has left nothing; after any
//     other failure of a commit, or of a checkpoint, the store writes no more
//     and leaves the log as it is: an fsync is never retried;
//   - a file from a newer program is refused, an older one is brought forward in
//     a transaction, and one that was not closed in good order is checked before
//     use;
//   - a read takes the document and the frontier from one snapshot;
//   - a version is moved into history by the transaction that takes its row.
//
// It speaks to the driver through database/sql/driver, not through
// database/sql: the pool there would only be in the way of one writer and of
// readers that keep their statements, and it makes a read half as dear again
// (measured: 14 µs of processor time against 10 µs).
//
// Sources: SQLite's documentation of the write-ahead log (sqlite.org/wal.html);
// group commit and the checkpoints around it, Gray and Reuter, "Transaction
// Processing" (1993); why an fsync is not retried, Rebello et al., "Can
// Applications Recover from fsync Failures?" (2020).
package sqlite
