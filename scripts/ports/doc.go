// Package ports finds free ports for processes that are stopped and started
// again at one address: of tests and of benchmarks. The page's tests take theirs
// by the same rule (web/app/test/ports.js), so that all of them can run at once.
//
// A port that the system hands out itself does not do: it is free again while the
// process is down, and any connection of any program may be given it.
package ports
