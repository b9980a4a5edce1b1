// Package e2e tests the real binary: data nodes and witnesses as processes of
// their own on loopback ports, with faults by the link layer, kill -9 and
// SIGSTOP (FAILURES.md, section 2, "real processes").
//
// SYNCLINE_BIN names the binary, as an absolute path. When it is not set, the
// tests build one for themselves, without cgo, as it ships.
//
// Invariants:
//
//   - sockets are bound by the test and handed over (LISTEN_FDS), so that ports
//     are known before the configuration is written and stay over restarts;
//   - every process is killed at the end of its test, also when the test panics
//     or runs into its deadline: each is the leader of a group, and the kernel
//     ends it with its parent;
//   - every wait polls a condition and has a deadline; nothing sleeps and hopes;
//   - the load writes a ledger of JSON lines, and checkers read that file. A run
//     below its minimum load, or that did not reach the state that it is about,
//     fails as void.
//
// Not shown here: what needs the clocks or the suspend of a whole machine (rows
// 16 and 17); the simulation has them.
//
// Source of the workload: the histories and checkers of Jepsen (Kingsbury), cut
// down to unique writes.
package e2e
